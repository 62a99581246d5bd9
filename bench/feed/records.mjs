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
export const SYMBOL = 'BTCUSDT';
const RECORDS = 4096;
const LEVELS = 50;
/** Number of the first message. */
const FIRST = 1000;
const SCALE = { priceExponent: -2, qtyExponent: -3 };

/** A linear congruential generator: the same records each time. */
function numbers(seed = 1) {
  let state = seed;
  return (/** @type {number} */ below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const qtyOf = (/** @type {(below: number) => number} */ next) => `${next(90)}.${String(next(900) + 100)}`;
const priceOf = (/** @type {number} */ at) => (at / 100).toFixed(2);
const bidPrice = (/** @type {number} */ level) => priceOf(6_000_000 - 10 * level);
const askPrice = (/** @type {number} */ level) => priceOf(6_000_010 + 10 * level);

/** @param {string} symbol @param {number} depth @param {'snapshot' | 'delta'} type @param {object} levels @param {number} u */
function message(symbol, depth, type, levels, u) {
  const data = { s: symbol, ...levels, u, seq: u };
  const ts = 1_767_225_600_000;
  return Buffer.from(JSON.stringify({ topic: `orderbook.${depth}.${symbol}`, type, ts, data, cts: ts }));
}

/** A whole book. @param {string} symbol @param {number} levels a side */
export function wholeBook(symbol, levels) {
  const next = numbers(symbol.length + levels);
  const side = (/** @type {(level: number) => string} */ price) =>
    Array.from({ length: levels }, (_, level) => [price(level), qtyOf(next)]);
  return message(symbol, levels, 'snapshot', { b: side(bidPrice), a: side(askPrice) }, FIRST);
}

/** The change of a level a side that follows so many before it. @param {string} symbol @param {number} levels @param {number} before */
export function change(symbol, levels, before) {
  const next = numbers(before);
  const at = next(levels);
  const sides = { b: [[bidPrice(at), qtyOf(next)]], a: [[askPrice(at), qtyOf(next)]] };
  return message(symbol, levels, 'delta', sides, FIRST + 1 + before);
}

/** The venue's messages. @returns {readonly Buffer[]} */
export function records() {
  const next = numbers();
  const changes = (/** @type {number} */ count, /** @type {(level: number) => string} */ price) =>
    Array.from({ length: count }, () => [price(next(LEVELS)), qtyOf(next)]);
  return Array.from({ length: RECORDS }, (_, at) => {
    if (at === 0) return wholeBook(SYMBOL, LEVELS);
    const levels = { b: changes(next(3), bidPrice), a: changes(1 + next(2), askPrice) };
    return message(SYMBOL, LEVELS, 'delta', levels, FIRST + at);
  });
}

/**
 * An engine that has instruments of the venue.
 * @param {Partial<import('../../dist/engine.js').EngineListener>} listener
 * @param {readonly string[]} symbols
 * @param {Partial<import('../../dist/engine.js').EngineOptions>} options
 */
export function engineFor(listener, symbols = [SYMBOL], options = {}) {
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: false, outputBytes: 8 << 20, ...options },
    { onFrame() {}, onAsk() {}, onSay() {}, onFault: (error) => console.error(error), ...listener },
  );
  const ids = symbols.map((symbol) => engine.addInstrument(`${VENUE}:${symbol}`, SCALE));
  const source = engine.openSource(VENUE, ids);
  return { engine, ids, source };
}

/** The frame of the book's stream that each of these causes. @param {readonly Buffer[]} messages @returns {readonly Buffer[]} */
export function framesOf(messages) {
  /** @type {Buffer[]} */
  const made = [];
  const { engine, source } = engineFor({
    onFrame(_, stream, frame) {
      if (stream === STREAM.book && frame[100] !== 3) made.push(Buffer.from(frame));
    },
  });
  for (const record of messages) {
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
