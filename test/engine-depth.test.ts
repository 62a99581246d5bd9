import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DepthReader } from '../src/engine/book-depth.js';
import { type BookDepth, openEngine, STREAM } from '../src/engine.js';
import { EVERYTHING_NS } from '../src/ingest/source.js';
import { FrameReader } from '../src/wire/frame.js';
import { FakeNative } from './support/fake-engine.js';
import { simulatedRecording } from './support/recording.js';

const OPTIONS = { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 };
const SILENT = { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} };

function opened() {
  const engine = openEngine(OPTIONS, SILENT);
  const instrument = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT')?.id ?? 0;
  return { engine, instrument, source: engine.openSource('sim', [instrument]) };
}

/** The levels as the image of the book has them. */
function imageOf(engine: ReturnType<typeof opened>['engine'], instrument: number) {
  const bytes = new Uint8Array(1 << 20);
  const size = engine.image(instrument, STREAM.book, bytes);
  const reader = new FrameReader().reset(bytes.subarray(0, size));
  const [bids, asks]: [number[][], number[][]] = [[], []];
  let seq = 0;
  let knownTo: unknown[] = [];
  while (reader.next()) {
    seq = reader.seq;
    knownTo = [reader.bidKnownTo, reader.askKnownTo];
    for (let at = 0; at < reader.bidCount; at++) bids.push([reader.bidPrice(at), reader.bidQty(at)]);
    for (let at = 0; at < reader.askCount; at++) asks.push([reader.askPrice(at), reader.askQty(at)]);
  }
  return { seq, knownTo, bids, asks };
}

const pairs = (levels: BookDepth['bids']) => levels.map(({ price, qty }) => [price, qty]);

describe('levels of a book in its own thread', () => {
  it('are those of its image, to any depth, with the same sequence', () => {
    const { engine, instrument, source } = opened();
    const recording = Buffer.from(simulatedRecording('BTCUSDT', 4_000));
    const lines = recording.toString().split(/(?<=\n)/);
    for (let at = 0; at < lines.length; at += 40) {
      engine.ingestRecording(source, Buffer.from(lines.slice(at, at + 40).join('')), EVERYTHING_NS);
      const { state } = engine.book(instrument);
      if (state !== 'synced') continue;
      const image = imageOf(engine, instrument);
      for (const depth of [0, 1, 20, 1 << 20]) {
        const seen = engine.depth(instrument, depth);
        expect(seen.state).toBe('synced');
        expect([seen.seq, seen.reason]).toEqual([BigInt(image.seq), 'none']);
        expect(pairs(seen.bids)).toEqual(image.bids.slice(0, depth));
        expect(pairs(seen.asks)).toEqual(image.asks.slice(0, depth));
        expect([seen.bidKnownTo, seen.askKnownTo]).toEqual(image.knownTo);
      }
    }
    expect(engine.depth(instrument, 1 << 20).bids.length).toBeGreaterThan(900);
    engine.close();
  });

  it('say when they are not to be trusted', () => {
    const { engine, instrument, source } = opened();
    expect(engine.depth(instrument, 5)).toMatchObject({ state: 'syncing', bids: [], asks: [] });
    engine.ingestRecording(source, Buffer.from(simulatedRecording('BTCUSDT', 2_000)), EVERYTHING_NS);
    const before = engine.depth(instrument, 5);
    engine.sourceFailed(source);
    expect(engine.depth(instrument, 5)).toMatchObject({
      state: 'stale',
      reason: 'source_failed',
      seq: before.seq,
    });
    expect(() => engine.depth(1 << 30, 5)).toThrow(
      expect.objectContaining({ code: 'engine.unknown_instrument' }),
    );
    expect(() => engine.depth(instrument, 0.5)).toThrow(
      expect.objectContaining({ code: 'addon.not_an_integer' }),
    );
    engine.close();
    expect(() => engine.depth(instrument, 5)).toThrow(expect.objectContaining({ code: 'addon.closed' }));
  });

  it('are exact beyond 2^53, and null where all is known', () => {
    const mantissa = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const side = fc.array(fc.tuple(mantissa, mantissa), { maxLength: 80 });
    fc.assert(
      fc.property(side, side, mantissa, fc.boolean(), (bids, asks, known, isWhole) => {
        const native = new FakeNative();
        const [bidKnown, askKnown] = isWhole ? [-(2n ** 63n), 2n ** 63n - 1n] : [known, known];
        const numbers = [
          BigInt(bids.length),
          BigInt(asks.length),
          bidKnown,
          askKnown,
          ...[2n, 0n, -1n, 7n, 9n],
          ...bids.flat(),
          ...asks.flat(),
        ];
        native.levels = (_instrument: number, _depth: number, out: Uint8Array) => {
          const bytes = BigInt64Array.from(numbers);
          if (out.byteLength < bytes.byteLength) return -bytes.byteLength;
          out.set(new Uint8Array(bytes.buffer));
          return bytes.byteLength;
        };
        const seen = new DepthReader(native).read(0, 80);
        const exact = (levels: BookDepth['bids']) =>
          levels.map((level) => [
            BigInt(level.exact?.price ?? level.price),
            BigInt(level.exact?.qty ?? level.qty),
          ]);
        expect(exact(seen.bids)).toEqual(bids);
        expect(exact(seen.asks)).toEqual(asks);
        for (const { price, qty, exact: whole } of [...seen.bids, ...seen.asks]) {
          expect(whole === undefined).toBe(Number.isSafeInteger(price) && Number.isSafeInteger(qty));
        }
        expect(seen).toMatchObject({ state: 'synced', reason: 'none', seq: 7n, venueSeq: 9n });
        expect(seen.epoch).toBe(2n ** 64n - 1n);
        if (isWhole) expect([seen.bidKnownTo, seen.askKnownTo]).toEqual([null, null]);
        else expect(BigInt(seen.askKnownTo ?? 0)).toBe(known === 2n ** 63n - 1n ? 0n : known);
      }),
    );
  });
});
