import type { Engine } from '../engine.js';
import type { Level } from '../wire/level.js';
import { decimal, EXPONENTS, integer, REASONS, type Schema, SIDES, STATES, TRUST, word } from './columns.js';
import type { ByteData, LongData, RowBatch, WordData } from './row-batch.js';

const [BID, ASK] = [0, 1];
const EMPTY: readonly Level[] = [];
const WORDS: readonly string[] = STATES;

export function snapshotSchema(instruments: readonly string[]): Schema {
  const columns = [
    word('instrument', instruments),
    integer('ts_ns'),
    integer('epoch'),
    integer('sequence'),
    integer('venue_sequence'),
    ...TRUST,
    word('side', SIDES, true),
    integer('level', true),
    decimal('price', 'price'),
    decimal('quantity', 'quantity'),
    ...EXPONENTS,
  ];
  return { name: 'snapshots/1', columns };
}

/**
 * The best levels of every book at a time: a row a level, best first, as far as the venue has made the side known. A book that is
 * not exact, or has no level, is one row without a level.
 */
export class SnapshotRows {
  readonly #batch: RowBatch;
  readonly #engine: Engine;
  readonly #ids: readonly number[];
  readonly #depth: number;
  readonly #instrument: WordData;
  readonly #time: LongData;
  readonly #epoch: LongData;
  readonly #sequence: LongData;
  readonly #venueSequence: LongData;
  readonly #state: WordData;
  readonly #reason: WordData;
  readonly #side: WordData;
  readonly #level: LongData;
  readonly #price: LongData;
  readonly #quantity: LongData;
  readonly #priceExponent: ByteData;
  readonly #quantityExponent: ByteData;

  constructor(batch: RowBatch, engine: Engine, ids: readonly number[], depth: number) {
    this.#batch = batch;
    this.#engine = engine;
    this.#ids = ids;
    this.#depth = depth;
    this.#instrument = batch.words('instrument');
    this.#time = batch.longs('ts_ns');
    this.#epoch = batch.longs('epoch');
    this.#sequence = batch.longs('sequence');
    this.#venueSequence = batch.longs('venue_sequence');
    this.#state = batch.words('state');
    this.#reason = batch.words('reason');
    this.#side = batch.words('side');
    this.#level = batch.longs('level');
    this.#price = batch.longs('price');
    this.#quantity = batch.longs('quantity');
    this.#priceExponent = batch.bytes('price_exponent');
    this.#quantityExponent = batch.bytes('quantity_exponent');
  }

  /** Rows of all books as they are now, which is the time `ns` of the recording. */
  at(ns: bigint): void {
    for (const [index, id] of this.#ids.entries()) {
      const { priceExponent, qtyExponent } = this.#engine.instrument(id);
      const book = this.#engine.depth(id, this.#depth);
      const isSynced = book.state === 'synced';
      const { bidKnownTo, askKnownTo } = book;
      const bids = isSynced ? book.bids.filter((level) => isAtLeast(level, bidKnownTo)) : EMPTY;
      const asks = isSynced ? book.asks.filter((level) => isAtMost(level, askKnownTo)) : EMPTY;
      const row = (): number => {
        const at = this.#batch.next();
        this.#instrument.codes[at] = index;
        this.#time.values[at] = ns;
        this.#epoch.values[at] = BigInt.asUintN(32, book.epoch);
        this.#sequence.values[at] = book.seq;
        this.#venueSequence.values[at] = book.venueSeq;
        this.#state.codes[at] = Math.max(0, WORDS.indexOf(book.state));
        this.#reason.codes[at] = Math.max(0, REASONS.indexOf(book.reason));
        this.#priceExponent.values[at] = priceExponent;
        this.#quantityExponent.values[at] = qtyExponent;
        return at;
      };
      for (const [at, level] of bids.entries()) this.#write(row(), BID, at, level);
      for (const [at, level] of asks.entries()) this.#write(row(), ASK, at, level);
      if (bids.length + asks.length === 0) this.#bare(row());
    }
  }

  #write(row: number, side: number, index: number, { price, qty, exact }: Level): void {
    this.#side.codes[row] = side;
    this.#level.values[row] = BigInt(index);
    this.#price.values[row] = exact?.price ?? BigInt(price);
    this.#quantity.values[row] = exact?.qty ?? BigInt(qty);
    for (const { valid } of [this.#side, this.#level, this.#price, this.#quantity]) valid[row] = 1;
  }

  #bare(row: number): void {
    for (const { valid } of [this.#side, this.#level, this.#price, this.#quantity]) valid[row] = 0;
  }
}

function isAtLeast({ price, exact }: Level, worst: number | bigint | null): boolean {
  return worst === null || (exact?.price ?? price) >= worst;
}

function isAtMost({ price, exact }: Level, worst: number | bigint | null): boolean {
  return worst === null || (exact?.price ?? price) <= worst;
}
