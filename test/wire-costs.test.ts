import { describe, expect, it } from 'vitest';
import { type Costs, channel, Kind } from '../src/wire/index.js';
import { type Peer, until, withFeed } from './support/feed-server.js';
import { frame, I64_MIN, message } from './support/frames.js';

const NAME = 'kraken:BTC/USD';
const COMMON = { stream: 64, epoch: 1n, instrument: 7 };

async function granted(peer: Peer): Promise<Record<string, unknown>> {
  const { op, id, ...asked } = await peer.next('subscribe');
  peer.grant({ ...asked, op, id }, { stream: 64 });
  return asked;
}

const image = (seq: number, epoch = 1n): Uint8Array =>
  frame({
    ...COMMON,
    epoch,
    kind: Kind.image,
    seq,
    info: { state: 2 },
    view: { grouping: 0n, intervalNs: 0n, depth: 0 },
    costs: [
      [100n, 0n, 0n, 0n, 0n, -2, -7, 1, 0, 1, 0],
      [2n ** 60n, 7n, 101_500n, 102n, I64_MIN, -5, 0, 2, 1, 0, 50],
    ],
  });

describe('costs', () => {
  it('are the rows of the last frame, and stale with their book', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.costs, NAME, { quantities: ['0.5'], intervalMs: 20 });
      expect(await granted(peer)).toEqual({
        channel: 'costs',
        instrument: NAME,
        intervalMs: 20,
        quantities: ['0.5'],
        bps: [],
      });
      const second = until<Costs>(subscription, 'update', ({ seq }) => seq === 2);
      const row = [5n, 5n, 9n, 9n, 45n, -2, -7, 1, 1, 1, 0] as const;
      peer.bytes(message(image(1), frame({ ...COMMON, kind: Kind.costs, prevSeq: 1, seq: 2, costs: [row] })));
      expect((await second).rows).toEqual([
        {
          side: 'bid',
          qty: 5,
          bps: 0,
          filled: 5,
          isComplete: true,
          isKnown: true,
          priceAverage: 9,
          priceExponent: -2,
          priceWorst: 9,
          cost: 45,
          costExponent: -7,
        },
      ]);
      expect(subscription.state).toBe('synced');
      const stale = until(subscription, 'state');
      peer.bytes(frame({ ...COMMON, kind: Kind.status, stream: 4, seq: 9, status: { state: 3, reason: 1 } }));
      expect(await stale).toEqual({ state: 'stale', reason: 'gap' });
      expect(subscription.costs?.seq).toBe(2);
      const again = until<Costs>(subscription, 'update');
      peer.bytes(image(1, 2n));
      const { rows } = await again;
      expect(rows.map(({ cost, priceAverage, priceWorst }) => [cost, priceAverage, priceWorst])).toEqual([
        [0, undefined, undefined],
        [undefined, 101_500, 102],
      ]);
      expect(rows[1]).toMatchObject({ side: 'ask', qty: 2n ** 60n, bps: 50, isKnown: false });
      expect(subscription.state).toBe('synced');
    }));

  it('are one subscription however the same is written', () =>
    withFeed(async ({ feed }) => {
      const first = feed.subscribe(channel.costs, NAME, { quantities: ['0.5'] });
      expect(feed.subscribe(channel.costs, NAME, { quantities: ['0.5'], bps: [], intervalMs: 100 })).toBe(
        first,
      );
      expect(feed.subscribe(channel.costs, NAME, { quantities: ['0.6'] })).not.toBe(first);
      expect(feed.depth(NAME, { depth: 20 })).toBe(feed.depth(NAME));
      expect(() => feed.depth(NAME, { depth: 20, levelsMax: 9 })).toThrow('client.duplicate_subscription');
    }));

  it('are of some bands where nothing is asked for', () =>
    withFeed(async ({ feed, peer }) => {
      feed.subscribe(channel.costs, NAME);
      expect(await granted(peer)).toMatchObject({ quantities: [], bps: [5, 10, 25, 50], intervalMs: 100 });
    }));
});
