import { CRC32C_START, crc32cLevel, crc32cLevelBigInt } from './crc32c.js';
import { isExact, type Level, levelOf } from './level.js';
import type { Side } from './protocol.js';

const CAPACITY_START = 256;

/** The mantissas of a side as 64-bit integers, beside the nearest numbers. */
interface WideLevels {
  prices: BigInt64Array;
  qtys: BigInt64Array;
}

/**
 * One side of a book: price and quantity mantissas in two sorted arrays, best last, because real updates lie nearer to
 * the top than to the far end and an insertion moves only what is better.
 *
 * Prices are held as keys, negated for asks, so that both sides ascend. Finding a level is a binary search; inserting
 * or removing one moves `level_index` elements. Memory doubles up to `levelsMax` levels and is kept.
 *
 * A mantissa beyond 2^53 makes the side wide until it is cleared: it then also holds every mantissa as a 64-bit integer,
 * and its order is that of those. A side that is not wide makes no BigInt.
 */
export class BookSide {
  readonly side: Side;
  readonly levelsMax: number;
  length = 0;

  private readonly sign: 1 | -1;
  private keys = new Float64Array(CAPACITY_START);
  private qtys = new Float64Array(CAPACITY_START);
  private wide: WideLevels | undefined;
  private ordered = true;

  constructor(side: Side, levelsMax: number) {
    this.side = side;
    this.levelsMax = levelsMax;
    this.sign = side === 'bid' ? 1 : -1;
  }

  clear(): void {
    this.length = 0;
    this.ordered = true;
    this.wide = undefined;
  }

  /** Sets the quantity at a price, 0 removes. False, and nothing changed, when the side would pass `levelsMax`. */
  set(price: number, qty: number): boolean {
    if (this.wide !== undefined) return this.setBigInt(BigInt(price), BigInt(qty));
    const key = price * this.sign;
    const at = this.lowerBound(key);
    const found = at < this.length && this.keys[at] === key;
    if (qty === 0) {
      if (found) this.removeAt(at);
      return true;
    }
    if (!found && !this.insertAt(at, key)) return false;
    this.qtys[at] = qty;
    return true;
  }

  /** The same with mantissas that a number may not hold; the side is wide afterwards. */
  setBigInt(price: bigint, qty: bigint): boolean {
    const wide = this.widen();
    const at = this.lowerBoundBigInt(wide, price);
    const found = at < this.length && wide.prices[at] === price;
    if (qty === 0n) {
      if (found) this.removeAt(at);
      return true;
    }
    if (!found && !this.insertAt(at, Number(price) * this.sign)) return false;
    // Growing has replaced the arrays.
    const { prices, qtys } = this.widen();
    prices[at] = price;
    qtys[at] = qty;
    this.qtys[at] = Number(qty);
    return true;
  }

  /** The quantity at a price, 0 when there is no such level; a BigInt where no number holds it. */
  get(price: number | bigint): number | bigint {
    const { wide } = this;
    if (wide !== undefined) {
      const exact = BigInt(price);
      const at = this.lowerBoundBigInt(wide, exact);
      if (at >= this.length || wide.prices[at] !== exact) return 0;
      const qty = this.qtys[at] as number;
      return isExact(qty) ? qty : (wide.qtys[at] as bigint);
    }
    const key = Number(price) * this.sign;
    const at = this.lowerBound(key);
    return at < this.length && this.keys[at] === key && isExact(key) ? (this.qtys[at] as number) : 0;
  }

  /** The number nearest to the price at an index from the best, 0 = best. The index must be below `length`. */
  priceNearestAt(levelIndex: number): number {
    // Adding 0 turns the -0 of an ask at price 0 into 0.
    return (this.keys[this.length - 1 - levelIndex] as number) * this.sign + 0;
  }

  /** The number nearest to the quantity at an index from the best. The index must be below `length`. */
  qtyNearestAt(levelIndex: number): number {
    return this.qtys[this.length - 1 - levelIndex] as number;
  }

  priceBigIntAt(levelIndex: number): bigint {
    return this.wide?.prices[this.length - 1 - levelIndex] ?? BigInt(this.priceNearestAt(levelIndex));
  }

  qtyBigIntAt(levelIndex: number): bigint {
    return this.wide?.qtys[this.length - 1 - levelIndex] ?? BigInt(this.qtyNearestAt(levelIndex));
  }

  /** A copy of the level at an index from the best. The index must be below `length`. */
  levelAt(levelIndex: number): Level {
    const price = this.priceNearestAt(levelIndex);
    const qty = this.qtyNearestAt(levelIndex);
    if (isExact(price) && isExact(qty)) return { price, qty };
    return levelOf(this.priceBigIntAt(levelIndex), this.qtyBigIntAt(levelIndex));
  }

  /** Whether `price` lies further from the top than `other`. */
  isWorse(price: number | bigint, other: number | bigint): boolean {
    return this.side === 'bid' ? price < other : price > other;
  }

  /** Feeds the best `count` levels to a CRC32C register, best first. */
  crc32c(count: number, start: number = CRC32C_START): number {
    let crc = start;
    const end = Math.min(count, this.length);
    if (this.wide === undefined) {
      for (let at = 0; at < end; at += 1)
        crc = crc32cLevel(crc, this.priceNearestAt(at), this.qtyNearestAt(at));
    } else {
      for (let at = 0; at < end; at += 1)
        crc = crc32cLevelBigInt(crc, this.priceBigIntAt(at), this.qtyBigIntAt(at));
    }
    return crc;
  }

  /** Adds the next level of an image to a cleared side, best first; `sealImage` must follow. False at `levelsMax`. */
  appendImage(price: number, qty: number): boolean {
    if (this.wide !== undefined) return this.appendImageBigInt(BigInt(price), BigInt(qty));
    if (qty === 0) return true;
    if (!this.reserveOne()) return false;
    const key = price * this.sign;
    if (this.length > 0 && key >= (this.keys[this.length - 1] as number)) this.ordered = false;
    this.keys[this.length] = key;
    this.qtys[this.length] = qty;
    this.length += 1;
    return true;
  }

  /** The same with mantissas that a number may not hold. */
  appendImageBigInt(price: bigint, qty: bigint): boolean {
    if (qty === 0n) return true;
    if (!this.reserveOne()) return false;
    const { prices, qtys } = this.widen();
    const at = this.length;
    if (at > 0 && !this.isWorse(price, prices[at - 1] as bigint)) this.ordered = false;
    this.keys[at] = Number(price) * this.sign;
    this.qtys[at] = Number(qty);
    prices[at] = price;
    qtys[at] = qty;
    this.length += 1;
    return true;
  }

  /** Turns what was appended into a sorted side. Linear for levels that came best first, else one by one. */
  sealImage(): void {
    const { length, wide } = this;
    if (this.ordered) {
      for (const levels of [this.keys, this.qtys, wide?.prices, wide?.qtys])
        levels?.subarray(0, length).reverse();
      return;
    }
    const keys = this.keys.slice(0, length);
    const qtys = this.qtys.slice(0, length);
    this.clear();
    for (let at = 0; at < length; at += 1) {
      if (wide === undefined) this.set((keys[at] as number) * this.sign, qtys[at] as number);
      else this.setBigInt(wide.prices[at] as bigint, wide.qtys[at] as bigint);
    }
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

  /** The first index whose price is not worse than `price`. */
  private lowerBoundBigInt({ prices }: WideLevels, price: bigint): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isWorse(prices[middle] as bigint, price)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private removeAt(at: number): void {
    const { length, wide } = this;
    this.keys.copyWithin(at, at + 1, length);
    this.qtys.copyWithin(at, at + 1, length);
    wide?.prices.copyWithin(at, at + 1, length);
    wide?.qtys.copyWithin(at, at + 1, length);
    this.length -= 1;
  }

  private insertAt(at: number, key: number): boolean {
    if (!this.reserveOne()) return false;
    const { length, wide } = this;
    this.keys.copyWithin(at + 1, at, length);
    this.qtys.copyWithin(at + 1, at, length);
    wide?.prices.copyWithin(at + 1, at, length);
    wide?.qtys.copyWithin(at + 1, at, length);
    this.keys[at] = key;
    this.length += 1;
    return true;
  }

  /** The 64-bit mantissas, made from the numbers where there are none yet: those are exact then. */
  private widen(): WideLevels {
    if (this.wide !== undefined) return this.wide;
    const prices = new BigInt64Array(this.keys.length);
    const qtys = new BigInt64Array(this.keys.length);
    for (let at = 0; at < this.length; at += 1) {
      prices[at] = BigInt((this.keys[at] as number) * this.sign);
      qtys[at] = BigInt(this.qtys[at] as number);
    }
    this.wide = { prices, qtys };
    return this.wide;
  }

  private reserveOne(): boolean {
    if (this.length >= this.levelsMax) return false;
    if (this.length === this.keys.length) {
      const capacity = Math.min(this.keys.length * 2, this.levelsMax);
      this.keys = grown(this.keys, new Float64Array(capacity));
      this.qtys = grown(this.qtys, new Float64Array(capacity));
      const { wide } = this;
      if (wide !== undefined) {
        wide.prices = grown(wide.prices, new BigInt64Array(capacity));
        wide.qtys = grown(wide.qtys, new BigInt64Array(capacity));
      }
    }
    return true;
  }
}

function grown<Values extends Float64Array | BigInt64Array>(from: Values, to: Values): Values {
  (to as { set(values: Values): void }).set(from);
  return to;
}
