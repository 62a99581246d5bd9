// @ts-check
/**
 * Order books on npm against one addon call for each raw frame: best bid and ask read after each message.
 *
 * The books of others get what they take, made before the time runs: each message's levels as numbers (mantissas, which
 * they hold exactly), already sequenced. Ours gets the frame as it was received; it decodes, sequences, applies, and writes
 * its feed frames; its top is read from shared memory. Every row's answer is the hash over all tops and the digest of the
 * last book, so a book that is not exact shows.
 */
import { createHash } from 'node:crypto';
import { allocateSharedBook, SharedBook } from '../../../dist/shared/index.js';
import { depthFrames, open, WORKLOADS } from '../../depth-frames.mjs';
import { measure, program, skipped } from '../../measure.mjs';
import { bookMakers } from './books.mjs';

const BENCH = 'js_books';
const ROUNDS = { full: 16, quick: 3, tiny: 1 };
/** Messages of a round: some of these books take a millisecond for each. */
const MESSAGES = { full: 500, quick: 200, tiny: 50 };

/**
 * @typedef {import('./books.mjs').Message} Message
 * @typedef {import('./books.mjs').Top} Top
 * @typedef {import('./books.mjs').Level} Level
 */

/** Hash over tops, in numbers as they are compared everywhere. */
class TopHash {
  #hash = 0x811c9dc5;

  /** @param {Top} top */
  add(top) {
    let hash = this.#hash;
    hash = Math.imul(hash ^ (top.bidPrice | 0), 0x01000193);
    hash = Math.imul(hash ^ (top.bidQty | 0), 0x01000193);
    hash = Math.imul(hash ^ (top.askPrice | 0), 0x01000193);
    this.#hash = Math.imul(hash ^ (top.askQty | 0), 0x01000193);
  }

  get text() {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}

/** The engine's digest of levels: SHA-256 over `B price qty` and `A price qty` lines, best first, in shortest decimals. */
function digestOf(bids, asks, { priceExponent, qtyExponent }) {
  const hash = createHash('sha256');
  for (const [name, levels] of [
    ['B', bids],
    ['A', asks],
  ]) {
    for (const [price, qty] of levels) {
      hash.update(`${name} ${decimal(price, priceExponent)} ${decimal(qty, qtyExponent)}\n`);
    }
  }
  return hash.digest('hex');
}

/** @param {number} mantissa @param {number} exponent */
function decimal(mantissa, exponent) {
  if (exponent === 0) return `${mantissa}`;
  const digits = `${mantissa}`.padStart(1 - exponent, '0');
  return `${digits.slice(0, exponent)}.${digits.slice(exponent)}`.replace(/\.?0+$/, '');
}

/**
 * What the frames say, as numbers, and which of them belong on the snapshot: by the numbers of the venue, in the plainest
 * way. The engine comes to the same or the answers differ.
 * @param {readonly Buffer[]} frames
 * @param {{ priceExponent: number, qtyExponent: number }} scale
 */
function prepare(frames, { priceExponent, qtyExponent }) {
  const number = (text, exponent) => Math.round(Number(text) * 10 ** -exponent);
  /** @returns {Level[]} */
  const levels = (texts) =>
    texts.map(([price, qty]) => [number(price, priceExponent), number(qty, qtyExponent)]);
  const parsed = frames.map((frame) => {
    const message = JSON.parse(frame.toString());
    return message.data ?? message;
  });
  const snapshot = parsed.find((message) => message.lastUpdateId !== undefined);
  const start = parsed.indexOf(snapshot);
  /** @type {Message[]} */
  const messages = parsed.map((message, at) => {
    // By the venue's rules the spot snapshot holds the update of its own number; the futures one is followed by it.
    const next = snapshot.lastUpdateId + (message.pu === undefined ? 1 : 0);
    const isNew = at !== start && message.u >= next;
    return isNew ? { bids: levels(message.b), asks: levels(message.a) } : { bids: [], asks: [] };
  });
  return { snapshot: { bids: levels(snapshot.bids), asks: levels(snapshot.asks) }, messages };
}

/** @param {string} workload @param {import('../../measure.mjs').Size} size */
async function books(workload, size) {
  const { half, frames, reason } = await depthFrames(workload);
  half.end();
  if (frames === undefined) return skipped(BENCH, workload, reason);
  const { about, lead } = frames;
  const count = size.tiny ? MESSAGES.tiny : size.quick ? MESSAGES.quick : MESSAGES.full;
  const timed = frames.timed.slice(0, count);
  const { engine, take, source, listed } = open(about.venue, about.symbol);
  const { snapshot, messages } = prepare([...lead, ...timed], listed);
  const first = messages.slice(0, lead.length);
  const rest = messages.slice(lead.length);
  const memory = allocateSharedBook(1);
  engine.shareBook(listed.id, memory);
  const shared = new SharedBook(memory);
  /** @param {boolean} pricesOnly as the books that tell no more are compared */
  const ours = (pricesOnly) => {
    engine.resetSource(source);
    for (const frame of lead) take(frame);
    const hash = new TopHash();
    let errors = 0;
    const started = process.hrtime.bigint();
    for (const frame of timed) {
      errors += take(frame);
      shared.readBbo();
      if (pricesOnly)
        hash.add({ bidPrice: shared.bidPrice, bidQty: 0, askPrice: shared.askPrice, askQty: 0 });
      else hash.add(shared);
    }
    const ns = Number(process.hrtime.bigint() - started);
    if (errors > 0) throw new Error(`${errors} frames were refused`);
    return { ns, answer: `tops ${hash.text}, digest ${engine.digest(listed.id)}` };
  };
  const expected = ours(false).answer;
  const expectedPrices = ours(true).answer;
  const contenders = [{ name: 'addon, raw frame', count: timed.length, expected, run: () => ours(false) }];
  for (const { name, prepare: prepared, make, note, flaw, pricesOnly } of bookMakers(listed)) {
    const leading = first.map((message, at) => prepared(message, lead[at]));
    const inputs = rest.map((message, at) => prepared(message, timed[at]));
    const run = () => {
      const book = make(snapshot);
      for (const input of leading) book.apply(input);
      const hash = new TopHash();
      const started = process.hrtime.bigint();
      for (const input of inputs) {
        book.apply(input);
        hash.add(book.top());
      }
      const ns = Number(process.hrtime.bigint() - started);
      const { bids, asks } = book.levels();
      return { ns, answer: `tops ${hash.text}, digest ${digestOf(bids, asks, listed)}` };
    };
    const right = pricesOnly ? expectedPrices : expected;
    // A book that cannot be exact is told by its row, and held to its own answer.
    const own = flaw === undefined ? right : run().answer;
    const said = own === right ? note : `NOT EXACT: ${flaw}`;
    contenders.push({
      name,
      count: timed.length,
      expected: own,
      run,
      ...(said === undefined ? {} : { note: said }),
    });
  }
  return measure(
    BENCH,
    workload,
    `ns/message of median ${about.levelsMedian} levels`,
    size.rounds,
    contenders,
  );
}

await program(BENCH, WORKLOADS, books, ROUNDS);
