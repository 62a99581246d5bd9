import { describe, expect, it } from 'vitest';
import { channel, Kind, type Signals } from '../src/wire/index.js';
import { until, withFeed } from './support/feed-server.js';
import { frame, message } from './support/frames.js';

const NAME = 'kraken:BTC/USD';
const COMMON = { stream: 80, epoch: 1n, instrument: 7 };

const image = (seq: number, epoch = 1n): Uint8Array =>
  frame({
    ...COMMON,
    epoch,
    kind: Kind.image,
    seq,
    info: { state: 2 },
    view: { grouping: 0n, intervalNs: 0n, depth: 0 },
    signals: [
      [2n ** 60n, 0n, 9n, 1, -3, 0],
      // A signal of a newer server.
      [7n, 0n, 9n, 999, 0, 0],
    ],
  });

describe('signals', () => {
  it('are the rows of the last frame, and stale with their book', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.signals, NAME, { windowMs: 5000, vpinVolume: '2' });
      const { op, id, ...asked } = await peer.next('subscribe');
      expect(asked).toEqual({
        channel: 'signals',
        instrument: NAME,
        intervalMs: 100,
        windowMs: 5000,
        vpinVolume: '2',
        vpinBuckets: 50,
      });
      peer.grant({ ...asked, op, id }, { stream: 80 });
      const second = until<Signals>(subscription, 'update', ({ seq }) => seq === 2);
      const row = [-25n, 60_000_000_000n, 9n, 6, -1, 2] as const;
      peer.bytes(
        message(image(1), frame({ ...COMMON, kind: Kind.signals, prevSeq: 1, seq: 2, signals: [row] })),
      );
      expect((await second).rows).toEqual([
        {
          name: 'imbalance_1',
          value: -25,
          exponent: -1,
          unit: 'ratio',
          windowNs: 60_000_000_000n,
          isPartial: true,
        },
      ]);
      expect(subscription.state).toBe('synced');
      expect(subscription.signal('mid')).toBeUndefined();
      const stale = until(subscription, 'state');
      peer.bytes(frame({ ...COMMON, kind: Kind.status, stream: 4, seq: 9, status: { state: 3, reason: 1 } }));
      expect(await stale).toEqual({ state: 'stale', reason: 'gap' });
      const again = until<Signals>(subscription, 'update');
      peer.bytes(image(1, 2n));
      expect((await again).rows).toMatchObject([{ name: 'mid', value: 2n ** 60n, isPartial: false }]);
      expect(subscription.state).toBe('synced');
    }));

  it('are one subscription however the same is written', () =>
    withFeed(async ({ feed, peer }) => {
      const first = feed.subscribe(channel.signals, NAME);
      expect(feed.subscribe(channel.signals, NAME, { intervalMs: 100, windowMs: 60_000 })).toBe(first);
      expect(feed.subscribe(channel.signals, NAME, { windowMs: 5000 })).not.toBe(first);
      const asked = await peer.next('subscribe');
      expect(asked).toMatchObject({ intervalMs: 100, windowMs: 60_000 });
      expect(asked).not.toHaveProperty('vpinVolume');
    }));
});
