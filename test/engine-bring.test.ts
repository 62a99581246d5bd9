import { describe, expect, it } from 'vitest';
import { Replica } from '#native';
import { type BringBy, type Engine, type EngineListener, openEngine, STREAM } from '../src/engine.js';
import { DepthwireError } from '../src/errors.js';
import { FrameReader, Kind } from '../src/wire/index.js';
import { simulatedRecording } from './support/recording.js';

const OPTIONS = { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 };
const FRAMES = simulatedRecording('BTCUSDT', 3_000)
  .trim()
  .split('\n')
  .map((line) => Buffer.from(line.slice(line.indexOf(' ') + 1)));

interface Rig {
  readonly engine: Engine;
  readonly instrument: number;
  readonly source: number;
  /** The book as its reader has it, who may be away. */
  readonly replica: Replica;
  isAway: boolean;
  /** Frames of streams that were published, by stream. */
  readonly published: Map<number, Buffer[]>;
}

function opened(options: object = { historyBytes: 4 << 20 }): Rig {
  const published = new Map<number, Buffer[]>();
  const replica = new Replica();
  const listener: EngineListener = {
    onFrame(_instrument, stream, frame) {
      published.set(stream, [...(published.get(stream) ?? []), Buffer.from(frame)]);
      if (!rig.isAway) replica.apply(Buffer.from(frame));
    },
    onAsk() {},
    onSay() {},
    onFault() {},
  };
  const engine = openEngine({ ...OPTIONS, ...options }, listener);
  const instrument = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT')?.id ?? 0;
  const source = engine.openSource('sim', [instrument]);
  const rig: Rig = { engine, instrument, source, replica, isAway: false, published };
  return rig;
}

/** The bytes that bring a reader from a place. */
function brought({ engine, instrument }: Rig, stream: number, place: [bigint, bigint], by: BringBy) {
  const needed = engine.bring(instrument, stream, ...place, by, new Uint8Array());
  const out = new Uint8Array(Math.abs(needed));
  const bytes = engine.bring(instrument, stream, ...place, by, out);
  expect(bytes).toBe(out.byteLength);
  return out;
}

/** The kind of the first frame of a message. */
function kindOf(bytes: Uint8Array): number {
  const reader = new FrameReader();
  reader.reset(bytes);
  return reader.next() ? reader.kind : 0;
}

/** The first half of the frames with the reader, the rest without. */
function halfAway(rig: Rig): [bigint, bigint] {
  const half = FRAMES.length >> 1;
  for (const frame of FRAMES.slice(0, half)) rig.engine.ingest(rig.source, frame);
  const { epoch, seq } = rig.engine.place(rig.instrument, STREAM.book);
  rig.isAway = true;
  for (const frame of FRAMES.slice(half)) rig.engine.ingest(rig.source, frame);
  return [epoch, seq];
}

describe('a reader that was away', () => {
  it.each([
    ['range', 'range'],
    ['net', 'net'],
  ] as const)('is brought by %s to the book that the engine has', (by, how) => {
    const rig = opened();
    const place = halfAway(rig);
    const bytes = brought(rig, STREAM.book, place, by);
    expect(rig.engine.brought).toBe(how);
    rig.replica.apply(bytes);
    expect(rig.replica.books()).toMatchObject([
      { state: 'synced', digest: rig.engine.digest(rig.instrument), checkFailures: 0, gaps: 0 },
    ]);
    const missed = (rig.published.get(STREAM.book) ?? []).filter(
      (frame) => frame.readBigUInt64LE(40 + 8) > place[1],
    );
    if (by === 'range') expect(Buffer.concat(missed).equals(bytes)).toBe(true);
    else expect(bytes.byteLength).toBeLessThan(Buffer.concat(missed).byteLength);
    // Who has missed nothing is told by a check what is doubted now.
    const { epoch, seq } = rig.engine.place(rig.instrument, STREAM.book);
    const check = brought(rig, STREAM.book, [epoch, seq], by);
    expect([rig.engine.brought, kindOf(check)]).toEqual(['nothing', Kind.check]);
    rig.replica.apply(check);
    expect(rig.replica.books()).toMatchObject([{ state: 'synced', checkFailures: 0, gaps: 0 }]);
    // What did not fit is not counted.
    expect(rig.engine.stats().brought).toMatchObject({ nothing: 1, [how]: 1, image: 0 });
    expect(rig.engine.stats().books).toEqual({ syncing: 0, synced: 1, stale: 0 });
  });

  it.each([
    ['nothing is kept', {}],
    ['too little is kept', { historyBytes: 4 << 20, historyStreamBytes: 4096 }],
  ])('gets an image where %s', (_why, options) => {
    const rig = opened(options);
    const place = halfAway(rig);
    for (const by of ['range', 'net'] as const) {
      const bytes = brought(rig, STREAM.book, place, by);
      expect(rig.engine.brought).toBe('image');
      rig.replica.apply(bytes);
      expect(rig.replica.books()).toMatchObject([{ digest: rig.engine.digest(rig.instrument), gaps: 0 }]);
    }
  });

  it('gets every trade, whatever it asks for', () => {
    const rig = opened();
    for (const frame of FRAMES.slice(0, FRAMES.length >> 1)) rig.engine.ingest(rig.source, frame);
    const { epoch, seq } = rig.engine.place(rig.instrument, STREAM.trades);
    const before = rig.published.get(STREAM.trades)?.length ?? 0;
    for (const frame of FRAMES.slice(FRAMES.length >> 1)) rig.engine.ingest(rig.source, frame);
    const missed = (rig.published.get(STREAM.trades) ?? []).slice(before);
    expect(missed.length).toBeGreaterThan(5);
    for (const by of ['range', 'net'] as const) {
      expect(Buffer.concat(missed).equals(brought(rig, STREAM.trades, [epoch, seq], by))).toBe(true);
      expect(rig.engine.brought).toBe('range');
    }
  });

  it('is told that the book is not synced, and no more', () => {
    const rig = opened();
    const place = halfAway(rig);
    rig.engine.resetSource(rig.source);
    rig.replica.apply(brought(rig, STREAM.book, place, 'net'));
    expect(rig.engine.brought).toBe('image');
    expect(rig.replica.books()).toMatchObject([{ state: 'syncing', gaps: 0 }]);
    expect(rig.engine.stats().books).toEqual({ syncing: 1, synced: 0, stale: 0 });
  });
});

it('what is kept weighs what it may and no more', () => {
  const rig = opened({ historyBytes: 4096 * 3 });
  for (const frame of FRAMES) rig.engine.ingest(rig.source, frame);
  const { bytes, bytesMax, evictedBytes } = rig.engine.stats().history;
  expect([bytes, bytesMax, evictedBytes > 0]).toEqual([4096 * 3, 4096 * 3, true]);
  expect(opened({}).engine.stats().history).toEqual({ bytes: 0, bytesMax: 0, evictedBytes: 0 });
});

it('places and ways that are none are refused by typed errors', () => {
  const { engine, instrument } = opened();
  const out = new Uint8Array(64);
  const codeOf = (call: () => unknown): string => {
    try {
      call();
      return 'none';
    } catch (error) {
      return error instanceof DepthwireError ? error.code : String(error);
    }
  };
  const book = STREAM.book;
  expect(codeOf(() => engine.place(1, book))).toBe('engine.unknown_instrument');
  expect(codeOf(() => engine.place(instrument, 256))).toBe('addon.not_an_integer');
  expect(codeOf(() => engine.bring(1, book, 0n, 0n, 'net', out))).toBe('engine.unknown_instrument');
  expect(codeOf(() => engine.bring(instrument, book, -1n, 0n, 'net', out))).toBe('addon.not_an_integer');
  expect(codeOf(() => engine.bring(instrument, book, 0n, 2n ** 64n, 'net', out))).toBe(
    'addon.not_an_integer',
  );
  expect(codeOf(() => engine.bring(instrument, book, 0n, 0n, '' as never, out))).toBe('addon.bring_by');
  const shared = new Uint8Array(new SharedArrayBuffer(64));
  expect(codeOf(() => engine.bring(instrument, book, 0n, 0n, 'net', shared))).toBe('addon.shared_output');
  for (const wrong of [
    { historyBytes: -1 },
    { historyBytes: 2 ** 37 },
    { historyStreamBytes: 0.5 },
    { historyMs: 86_400_001 },
    { historyMs: '1' },
  ])
    expect(
      codeOf(() => opened(wrong)),
      JSON.stringify(wrong),
    ).toBe('addon.not_an_integer');
});
