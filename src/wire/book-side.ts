import type { Side } from './protocol.js';

/** A price and its quantity, as mantissas. */
export interface Level {
  readonly price: number;
  readonly qty: number;
}

const CAPACITY_START = 256;

/**
 * One side of a book: price and quantity mantissas in two sorted arrays, best last, because real updates lie nearer to
 * the top than to the far end and an insertion moves only what is better.
 *
 * Prices are held as keys, negated for asks, so that both sides ascend. Finding a level is a binary search; inserting
 * or removing one moves `level_index` elements. Memory doubles up to `levelsMax` levels and is kept.
 */
export class BookSide {
  readonly side: Side;
  readonly levelsMax: number;
  length = 0;

  private readonly sign: 1 | -1;
  private keys = new Float64Array(CAPACITY_START);
  private qtys = new Float64Array(CAPACITY_START);
  private ordered = true;

  constructor(side: Side, levelsMax: number) {
    this.side = side;
    this.levelsMax = levelsMax;
    this.sign = side === 'bid' ? 1 : -1;
  }

  clear(): void {
    this.length = 0;
    this.ordered = true;
  }

  /** Sets the quantity at a price, 0 removes. False, and nothing changed, when the side would pass `levelsMax`. */
  set(price: number, qty: number): boolean {
    const key = price * this.sign;
    const at = this.lowerBound(key);
    const found = at < this.length && this.keys[at] === key;
    if (qty === 0) {
      if (found) {
        this.keys.copyWithin(at, at + 1, this.length);
        this.qtys.copyWithin(at, at + 1, this.length);
        this.length -= 1;
      }
      return true;
    }
    if (!found) {
      if (!this.reserveOne()) return false;
      this.keys.copyWithin(at + 1, at, this.length);
      this.qtys.copyWithin(at + 1, at, this.length);
      this.keys[at] = key;
      this.length += 1;
    }
    this.qtys[at] = qty;
    return true;
  }

  /** The quantity at a price, 0 when there is no such level. */
  get(price: number): number {
    const key = price * this.sign;
    const at = this.lowerBound(key);
    return at < this.length && this.keys[at] === key ? (this.qtys[at] as number) : 0;
  }

  /** Price of the level at an index from the best, 0 = best. The index must be below `length`. */
  priceAt(levelIndex: number): number {
    // Adding 0 turns the -0 of an ask at price 0 into 0.
    return (this.keys[this.length - 1 - levelIndex] as number) * this.sign + 0;
  }

  /** Quantity of the level at an index from the best. The index must be below `length`. */
  qtyAt(levelIndex: number): number {
    return this.qtys[this.length - 1 - levelIndex] as number;
  }

  /** Whether `price` lies further from the top than `other`. */
  isWorse(price: number, other: number): boolean {
    return price * this.sign < other * this.sign;
  }

  /** Adds the next level of an image to a cleared side, best first; `sealImage` must follow. False at `levelsMax`. */
  appendImage(price: number, qty: number): boolean {
    if (qty === 0) return true;
    if (!this.reserveOne()) return false;
    const key = price * this.sign;
    if (this.length > 0 && key >= (this.keys[this.length - 1] as number)) this.ordered = false;
    this.keys[this.length] = key;
    this.qtys[this.length] = qty;
    this.length += 1;
    return true;
  }

  /** Turns what was appended into a sorted side. Linear for levels that came best first, else one by one. */
  sealImage(): void {
    if (this.ordered) {
      this.keys.subarray(0, this.length).reverse();
      this.qtys.subarray(0, this.length).reverse();
      return;
    }
    const keys = this.keys.slice(0, this.length);
    const qtys = this.qtys.slice(0, this.length);
    this.clear();
    for (let at = 0; at < keys.length; at += 1)
      this.set((keys[at] as number) * this.sign, qtys[at] as number);
  }

  /** The first index whose key is not below `key`. */
  private lowerBound(key: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private reserveOne(): boolean {
    if (this.length >= this.levelsMax) return false;
    if (this.length === this.keys.length) {
      const capacity = Math.min(this.keys.length * 2, this.levelsMax);
      const keys = new Float64Array(capacity);
      const qtys = new Float64Array(capacity);
      keys.set(this.keys);
      qtys.set(this.qtys);
      this.keys = keys;
      this.qtys = qtys;
    }
    return true;
  }
}
