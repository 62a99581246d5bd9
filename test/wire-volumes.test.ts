import { describe, expect, it } from 'vitest';
import { channel, FrameReader, Kind, LocalVolumes } from '../src/wire/index.js';
import { until, withFeed } from './support/feed-server.js';
import { type FrameSpec, frame, message } from './support/frames.js';

const NAME = 'kraken:BTC/USD';
const COMMON = { stream: 48, epoch: 1n, instrument: 7, session: { since: 50n } };

type Row = readonly [bigint, bigint, bigint, bigint, number];

const image = (seq: number, volumes: readonly Row[], more: Partial<FrameSpec> = {}): Uint8Array =>
  frame({
    ...COMMON,
    kind: Kind.image,
    seq,
    info: { priceExponent: -2, qtyExponent: -3 },
    view: { grouping: 50n, intervalNs: 100_000_000n, depth: 0 },
    volumes,
    ...more,
  });
const change = (prevSeq: number, seq: number, volumes: readonly Row[], more: Partial<FrameSpec> = {}) =>
  frame({ ...COMMON, kind: Kind.volumes, prevSeq, seq, volumes, ...more });

function apply(volumes: LocalVolumes, ...frames: readonly Uint8Array[]): readonly string[] {
  const reader = new FrameReader().reset(message(...frames));
  const tags: string[] = [];
  while (reader.next()) {
    const outcome = volumes.apply(reader);
    tags.push(outcome.tag === 'ignored' ? outcome.why : outcome.tag);
  }
  return tags;
}

describe('volumes', () => {
  it('are rows by price, which a change replaces', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.volumes, NAME, { grouping: '0.4' });
      const { op, id, ...asked } = await peer.next('subscribe');
      expect(asked).toEqual({ channel: 'volumes', instrument: NAME, intervalMs: 100, grouping: '0.4' });
      peer.grant({ ...asked, op, id }, { stream: 48, priceExponent: -2, qtyExponent: -3 });
      const { volumes } = subscription;
      const third = until<LocalVolumes>(subscription, 'update', ({ seq }) => seq === 3);
      peer.bytes(
        message(
          image(1, [
            [6_180_050n, 5n, 6n, 0n, 3],
            [6_180_000n, 0n, 0n, 7n, 1],
          ]),
          change(1, 2, [[6_180_100n, 2n ** 62n, 0n, 0n, 1]]),
          change(2, 3, [[6_180_050n, 9n, 6n, 0n, 4]], { session: { since: 50n, missedAt: 60n } }),
        ),
      );
      await third;
      expect(volumes.rows).toEqual([
        { price: 6_180_000, bought: 0, sold: 0, unknown: 7, trades: 1 },
        { price: 6_180_050, bought: 9, sold: 6, unknown: 0, trades: 4 },
        { price: 6_180_100, bought: 2n ** 62n, sold: 0, unknown: 0, trades: 1 },
      ]);
      expect(volumes.rows).toBe(volumes.rows);
      expect(volumes.at(6_180_050)?.trades).toBe(4);
      expect([volumes.since, volumes.missedAt, volumes.grouping]).toEqual([50n, 60n, 50]);
      expect([volumes.priceText(6_180_050), volumes.qtyText(9)]).toEqual(['61800.50', '0.009']);
      expect([subscription.state, subscription.place]).toEqual(['synced', { epoch: 1n, seq: 3 }]);
    }));

  it('take an image at its last chunk, and lose a row of 0 trades', () => {
    const volumes = new LocalVolumes();
    const chunk = (chunkIndex: number, rows: readonly Row[]): Uint8Array =>
      image(4, rows, { info: { chunkIndex, chunkCount: 2 } });
    expect(
      apply(
        volumes,
        change(3, 4, []),
        chunk(1, []),
        chunk(0, [[1n, 1n, 0n, 0n, 1]]),
        chunk(1, [[2n, 1n, 0n, 0n, 1]]),
        change(3, 4, [[9n, 1n, 0n, 0n, 1]]),
        change(4, 5, [[1n, 0n, 0n, 0n, 0]]),
      ),
    ).toEqual(['awaiting_image', 'chunk_discarded', 'chunk', 'image', 'old', 'applied']);
    expect(volumes.rows.map(({ price }) => price)).toEqual([2]);
  });

  it('are stale behind a gap until a change reaches back, and while trades are not told', () => {
    const volumes = new LocalVolumes();
    expect(apply(volumes, image(1, []), change(2, 3, [[5n, 1n, 0n, 0n, 1]]))).toEqual(['image', 'gap']);
    expect([volumes.state, volumes.reason, volumes.rows]).toEqual(['stale', 'sequence_gap', []]);
    expect(apply(volumes, change(1, 3, [[5n, 1n, 0n, 0n, 1]], { flags: 1 }))).toEqual(['applied']);
    expect(volumes.state).toBe('synced');
    apply(volumes, change(3, 4, [], { flags: 2 }));
    expect(volumes.state).toBe('stale');
    apply(volumes, change(4, 5, [], { epoch: 2n }));
    expect(volumes.reason).toBe('sequence_gap');
  });

  it('of more rows than any server has are refused', () => {
    const volumes = new LocalVolumes();
    const rows = Array.from({ length: 65_537 }, (_, at): Row => [BigInt(at), 1n, 0n, 0n, 1]);
    expect(() => apply(volumes, image(1, rows))).toThrow(expect.objectContaining({ code: 'wire.bad_value' }));
    expect(volumes.state).toBe('syncing');
  });
});
