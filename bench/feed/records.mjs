// @ts-check
/**
 * What the benchmarks of the feed send: a book of 50 levels a side as Bybit tells it, and the frames that the engine makes of it.
 *
 * The first record is the whole book, which opens an epoch, so the records may be told in a loop. Every other one changes one
 * to four levels, and so causes exactly one frame of the book's stream.
 */
import { writeFileSync } from 'node:fs';
import { openEngine, STREAM } from '../../dist/engine.js';

export const VENUE = 'bybit-linear';
export const INSTRUMENT = 'bybit-linear:BTCUSDT';
const RECORDS = 4096;
const LEVELS = 50;
const SCALE = { priceExponent: -2, qtyExponent: -3 };

/** A linear congruential generator: the same records each time. */
function numbers(seed = 1) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The venue's messages. @returns {readonly Buffer[]} */
export function records() {
  const next = numbers();
  const qty = () => `${next(90)}.${String(next(900) + 100)}`;
  const price = (/** @type {number} */ at) => (at / 100).toFixed(2);
  const bid = (/** @type {number} */ level) => [price(6_000_000 - 10 * level), qty()];
  const ask = (/** @type {number} */ level) => [price(6_000_010 + 10 * level), qty()];
  const sides = (/** @type {number} */ count) => ({
    b: Array.from({ length: count }, (_, level) => bid(level)),
    a: Array.from({ length: count }, (_, level) => ask(level)),
  });
  const message = (/** @type {string} */ type, /** @type {object} */ levels, /** @type {number} */ u) =>
    Buffer.from(
      JSON.stringify({
        topic: `orderbook.${LEVELS}.BTCUSDT`,
        type,
        ts: 1_767_225_600_000,
        data: { s: 'BTCUSDT', ...levels, u, seq: u },
        cts: 1_767_225_600_000,
      }),
    );
  return Array.from({ length: RECORDS }, (_, at) => {
    if (at === 0) return message('snapshot', sides(LEVELS), 1000);
    const b = Array.from({ length: next(3) }, () => bid(next(LEVELS)));
    const a = Array.from({ length: 1 + next(2) }, () => ask(next(LEVELS)));
    return message('delta', { b, a }, 1000 + at);
  });
}

/** An engine that has the instrument. @param {Partial<import('../../dist/engine.js').EngineListener>} listener */
export function engineFor(listener, options = {}) {
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: false, outputBytes: 8 << 20, ...options },
    { onFrame() {}, onAsk() {}, onSay() {}, onFault: (error) => console.error(error), ...listener },
  );
  const instrument = engine.addInstrument(INSTRUMENT, SCALE);
  const source = engine.openSource(VENUE, [instrument]);
  return { engine, instrument, source };
}

/** The frame of the book's stream that each record causes. @returns {readonly Buffer[]} */
export function frames() {
  /** @type {Buffer[]} */
  const made = [];
  const { engine, source } = engineFor({
    onFrame(_, stream, frame) {
      if (stream === STREAM.book && frame[100] !== 3) made.push(Buffer.from(frame));
    },
  });
  for (const record of records()) {
    const before = made.length;
    engine.ingest(source, record);
    if (made.length !== before + 1)
      throw new Error(`record caused ${made.length - before} frames: ${record}`);
  }
  engine.close();
  return made;
}

/** Writes buffers behind their sizes. @param {string} file @param {readonly Buffer[]} buffers */
export function writeRecords(file, buffers) {
  const sized = buffers.flatMap((buffer) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(buffer.length);
    return [size, buffer];
  });
  writeFileSync(file, Buffer.concat(sized));
}
