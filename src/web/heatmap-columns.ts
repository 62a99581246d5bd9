import type { Aggressor } from '../wire/index.js';

/** Levels a side of the view that a column is made of: the most that the feed grants. */
export const COLUMN_LEVELS = 100;

/**
 * What a column says. `none`: nothing was heard yet. `market`: the book at its end. `broken`: for a part of its time the book was
 * not exact. `gap`: it has no time, and stands between two stretches of it.
 */
export type ColumnMark = 'none' | 'market' | 'broken' | 'gap';
const MARKS: readonly ColumnMark[] = ['none', 'market', 'broken', 'gap'];
const NONE = 0;
const MARKET = 1;
const BROKEN = 2;
const GAP = 3;
/** Columns between two stretches of time: enough to be seen. */
export const GAP_COLUMNS = 8;

/** A book by price buckets, best first. Prices and quantities are mantissas, or the numbers nearest to them. */
export interface BucketBook {
  readonly bidCount: number;
  readonly askCount: number;
  /** Levels a side that the view has at most. */
  readonly depthMax: number;
  bidPrice(levelIndex: number): number;
  bidQty(levelIndex: number): number;
  askPrice(levelIndex: number): number;
  askQty(levelIndex: number): number;
}

/** What a column is read as; cells are read by `cellsOf`. Prices are mantissas, times ms since the Unix epoch. */
export interface Column {
  readonly mark: ColumnMark;
  /** When it ended, ms since the Unix epoch; NaN for a gap. */
  readonly endMs: number;
  /** NaN = that side was empty. */
  readonly bestBid: number;
  readonly bestAsk: number;
  /** The buckets to which the sides are told; beyond them nothing is known. Infinite = all is told. */
  readonly bidTo: number;
  readonly askTo: number;
  /** What takers bought and sold in its time, as quantity mantissas, and at which mean price. */
  readonly bought: number;
  readonly boughtPrice: number;
  readonly sold: number;
  readonly soldPrice: number;
}

/**
 * The book over time: one column for each span of `columnMs`, in a ring. A column holds the buckets of the book as it
 * stood at the column's end, unless the book was not exact at some moment of it.
 *
 * It has no clock: time is what the frames say, and what `advance` is told. A frame counts in the column that is open when
 * it comes, never in one that is closed. Time may go on elsewhere, as it does when a replay goes to another time: then a
 * stretch ends (`cut`), and the next one begins behind a gap. Memory: 4 KB a column. Cost: a copy of at most 200 cells a frame and a column.
 */
export class HeatmapColumns {
  readonly capacity: number;
  readonly columnMs: number;
  /** Width of a bucket as a price mantissa. */
  readonly bucketSize: number;
  /**
   * Number of the open column, which is not read yet; NaN before the first frame. In the first stretch a column's number is its
   * time in `columnMs`; numbers go on behind a gap.
   */
  open = Number.NaN;
  /** Number of the first column of all. */
  first = Number.NaN;
  readonly #bids: Uint8Array;
  readonly #asks: Uint8Array;
  readonly #buckets: Float64Array;
  readonly #qtys: Float64Array;
  readonly #marks: Uint8Array;
  readonly #facts: Float64Array;
  readonly #tones: QtyTones;
  /** The present: what the open column would be if it ended now. */
  readonly #now = new Present();
  #bought = 0;
  #boughtCost = 0;
  #sold = 0;
  #soldCost = 0;
  /** Numbers of columns less their times in `columnMs`, in the open stretch. */
  #shift = 0;
  /** Whether the open stretch has no time yet. */
  #isCut = false;

  constructor(capacity: number, columnMs: number, bucketSize: number) {
    this.capacity = capacity;
    this.columnMs = columnMs;
    this.bucketSize = bucketSize;
    this.#bids = new Uint8Array(capacity);
    this.#asks = new Uint8Array(capacity);
    this.#buckets = new Float64Array(capacity * 2 * COLUMN_LEVELS);
    this.#qtys = new Float64Array(capacity * 2 * COLUMN_LEVELS);
    this.#marks = new Uint8Array(capacity);
    this.#facts = new Float64Array(capacity * FACTS);
    this.#tones = new QtyTones();
  }

  /** The oldest column that is still held. */
  get oldest(): number {
    return Math.max(this.first, this.open - this.capacity);
  }

  /** The book changed, or its state did. `atMs` is the server's time. */
  take(atMs: number, book: BucketBook, isExact: boolean): void {
    const number = Math.floor(atMs / this.columnMs);
    if (Number.isNaN(this.open)) {
      this.open = number;
      this.first = this.open;
    } else if (this.#isCut) {
      this.#shift = this.open - number;
      this.#isCut = false;
    }
    this.advance(atMs);
    this.#now.take(book, this.bucketSize, isExact);
  }

  /** The book is not exact from here on, until the next `take`. */
  doubt(): void {
    this.#now.doubt();
  }

  /** A trade, of mantissas at the book's scale. It counts in the open column. */
  trade(price: number, qty: number, aggressor: Aggressor): void {
    if (aggressor === 'buy') {
      this.#bought += qty;
      this.#boughtCost += price * qty;
    } else if (aggressor === 'sell') {
      this.#sold += qty;
      this.#soldCost += price * qty;
    }
  }

  /** How many columns a time lies behind the open one; below 0 before it, NaN where that is not known. */
  columnsTo(atMs: number): number {
    return this.#isCut ? Number.NaN : Math.floor(atMs / this.columnMs) + this.#shift - this.open;
  }

  /** Time goes on elsewhere. What was heard of the open column is all there is of it; the next `take` begins another stretch. */
  cut(): void {
    if (Number.isNaN(this.open) || this.#isCut) return;
    this.#close(this.open);
    this.#now.forget();
    for (let at = 1; at <= GAP_COLUMNS; at += 1) this.#close(this.open + at, GAP);
    this.open += 1 + GAP_COLUMNS;
    this.#isCut = true;
  }

  /** Closes the columns that end at or before a time. */
  advance(toMs: number): void {
    const to = this.open + this.columnsTo(toMs);
    if (!(to > this.open)) return;
    this.#close(this.open);
    // What a long silence left is the same in each column, and no more of them are written than are held.
    const from = Math.max(this.open + 1, to - this.capacity);
    for (let column = from; column < to; column += 1) this.#close(column);
    this.open = to;
  }

  /** The place of a column in the ring. */
  slotOf(column: number): number {
    return ((column % this.capacity) + this.capacity) % this.capacity;
  }

  /** A column that is closed and held; undefined for others. */
  column(column: number): Column | undefined {
    if (!this.#isHeld(column)) return undefined;
    const slot = this.slotOf(column);
    const fact = (at: number): number => this.#facts[slot * FACTS + at] ?? Number.NaN;
    return {
      mark: MARKS[this.#marks[slot] ?? NONE] ?? 'none',
      bestBid: fact(0),
      bestAsk: fact(1),
      bidTo: fact(2),
      askTo: fact(3),
      bought: fact(4),
      boughtPrice: fact(5),
      sold: fact(6),
      soldPrice: fact(7),
      endMs: fact(8),
    };
  }

  /** Calls back for each cell of a held column: bids from the best down, then asks from the best up. */
  cellsOf(column: number, each: (side: 'bid' | 'ask', bucket: number, qty: number) => void): void {
    if (!this.#isHeld(column)) return;
    const slot = this.slotOf(column);
    const bids = this.#bids[slot] ?? 0;
    const cells = bids + (this.#asks[slot] ?? 0);
    const start = slot * 2 * COLUMN_LEVELS;
    for (let at = 0; at < cells; at += 1) {
      each(at < bids ? 'bid' : 'ask', this.#buckets[start + at] ?? 0, this.#qtys[start + at] ?? 0);
    }
  }

  /** The quantity below which a share of all held cells lies, to a tenth of itself; 0 when there is none. */
  qtyAtShare(share: number): number {
    return this.#tones.qtyAtShare(share);
  }

  #isHeld(column: number): boolean {
    return column >= this.oldest && column < this.open;
  }

  #close(column: number, gap?: typeof GAP): void {
    const slot = this.slotOf(column);
    this.#forget(slot);
    const { bids, asks, buckets, qtys, facts, wasBroken, isKnown } = this.#now;
    const isMarket = isKnown && !wasBroken;
    this.#marks[slot] = gap ?? (isMarket ? MARKET : isKnown || wasBroken ? BROKEN : NONE);
    this.#bids[slot] = isMarket ? bids : 0;
    this.#asks[slot] = isMarket ? asks : 0;
    const start = slot * FACTS;
    this.#facts.fill(Number.NaN, start, start + FACTS);
    if (isMarket) {
      const cell = slot * 2 * COLUMN_LEVELS;
      this.#buckets.set(buckets.subarray(0, bids + asks), cell);
      this.#qtys.set(qtys.subarray(0, bids + asks), cell);
      for (let at = 0; at < bids + asks; at += 1) this.#tones.add(qtys[at] ?? 0, 1);
      this.#facts.set(facts, start);
    }
    this.#facts[start + 4] = this.#bought;
    this.#facts[start + 5] = this.#boughtCost / this.#bought;
    this.#facts[start + 6] = this.#sold;
    this.#facts[start + 7] = this.#soldCost / this.#sold;
    this.#facts[start + 8] = gap === undefined ? (column - this.#shift + 1) * this.columnMs : Number.NaN;
    this.#bought = 0;
    this.#boughtCost = 0;
    this.#sold = 0;
    this.#soldCost = 0;
    this.#now.next();
  }

  #forget(slot: number): void {
    const cells = (this.#bids[slot] ?? 0) + (this.#asks[slot] ?? 0);
    const start = slot * 2 * COLUMN_LEVELS;
    for (let at = 0; at < cells; at += 1) this.#tones.add(this.#qtys[start + at] ?? 0, -1);
  }
}

/** Best bid, best ask, the buckets to which the sides are told, bought and sold with their mean prices, the column's end. */
const FACTS = 9;

/** The book as the last frame left it. */
class Present {
  bids = 0;
  asks = 0;
  isKnown = false;
  /** Whether the open column has seen a moment at which the book was not exact. */
  wasBroken = false;
  readonly buckets = new Float64Array(2 * COLUMN_LEVELS);
  readonly qtys = new Float64Array(2 * COLUMN_LEVELS);
  readonly facts = new Float64Array(4);
  #isExact = false;

  take(book: BucketBook, bucketSize: number, isExact: boolean): void {
    if (!isExact) {
      this.doubt();
      return;
    }
    const { buckets, qtys, facts } = this;
    this.isKnown = true;
    this.#isExact = true;
    this.bids = Math.min(COLUMN_LEVELS, book.bidCount);
    this.asks = Math.min(COLUMN_LEVELS, book.askCount);
    for (let at = 0; at < this.bids; at += 1) {
      buckets[at] = Math.round(book.bidPrice(at) / bucketSize);
      qtys[at] = book.bidQty(at);
    }
    for (let at = 0; at < this.asks; at += 1) {
      buckets[this.bids + at] = Math.round(book.askPrice(at) / bucketSize);
      qtys[this.bids + at] = book.askQty(at);
    }
    facts[0] = this.bids > 0 ? book.bidPrice(0) : Number.NaN;
    facts[1] = this.asks > 0 ? book.askPrice(0) : Number.NaN;
    facts[2] = book.bidCount < book.depthMax ? -Infinity : (buckets[this.bids - 1] ?? 0);
    facts[3] = book.askCount < book.depthMax ? Infinity : (buckets[this.bids + this.asks - 1] ?? 0);
  }

  doubt(): void {
    this.wasBroken ||= this.isKnown;
    this.#isExact = false;
  }

  /** Nothing is known of what comes. */
  forget(): void {
    this.isKnown = false;
    this.wasBroken = false;
    this.#isExact = false;
  }

  /** The next column begins as this one ended. */
  next(): void {
    this.wasBroken = this.isKnown && !this.#isExact;
  }
}

const TONES_PER_DOUBLING = 8;
/** Quantities are mantissas, or sums of them: whole numbers below 2^128. */
const TONES = 128 * TONES_PER_DOUBLING;

/** How many cells have which quantity, by eighths of a doubling: quantiles without a sort. */
class QtyTones {
  readonly #counts = new Uint32Array(TONES);
  #count = 0;

  add(qty: number, by: 1 | -1): void {
    const at = toneOf(qty);
    this.#counts[at] = (this.#counts[at] ?? 0) + by;
    this.#count += by;
  }

  qtyAtShare(share: number): number {
    let left = Math.ceil(this.#count * share);
    if (left <= 0) return 0;
    for (let at = 0; at < TONES; at += 1) {
      left -= this.#counts[at] ?? 0;
      if (left <= 0) return 2 ** ((at + 1) / TONES_PER_DOUBLING);
    }
    return 0;
  }
}

function toneOf(qty: number): number {
  const tone = Math.floor(Math.log2(Math.max(qty, 1)) * TONES_PER_DOUBLING);
  return Math.min(TONES - 1, tone);
}
