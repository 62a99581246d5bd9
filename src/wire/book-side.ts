import { CRC32C_START, crc32cWord } from './crc32c.js';
import { badFrame } from './errors.js';
import { isExact, type Level, levelOf, narrowed, numberOfWords } from './level.js';
import { LEVEL_WORDS, LevelTable } from './level-table.js';
import type { Side } from './protocol.js';

/** Levels from the best that are kept in order at each change: at least, and where somebody reads deeper at most. */
const TOP_LEVELS_MIN = 16;
const TOP_LEVELS_MAX = 4096;

/**
 * One side of a book: a table of its levels, and their order.
 *
 * Most changes lie deep (a median rank of 81 to 176 on recorded streams) and most reads near the top. So the order of prices is
 * exact at each change near the top only; what changes below waits until something there is read.
 *
 * The order has a key beside each cell, the nearest number to its price, negative for asks: greater is better, and equal keys of
 * prices beyond 2^53 are told apart by the words.
 *
 * Cost of a change: a look-up, and near the top, where a level comes or goes, a move of what is better. A read near the top
 * is direct; the first one below is linear in the side. Some 90 bytes for each price of room, which is never given back.
 */
export class BookSide {
  readonly side: Side;
  readonly levelsMax: number;
  /** Levels that are there. */
  length = 0;

  private readonly sign: 1 | -1;
  private readonly table = new LevelTable();
  /** By cell, 1 = it stands in `order` or in `fresh`. */
  private held = new Uint8Array(this.table.room * 2);
  /** Cells by price, best last: from `topStart` on exactly the levels that are there; all of them while `isSettled`. */
  private order = new Int32Array(this.table.room);
  private keys = new Float64Array(this.table.room);
  private orderLength = 0;
  private topStart = 0;
  private topLevels = TOP_LEVELS_MIN;
  private isSettled = true;
  /** Cells that wait for their place below the top; none where nothing lies there, `topStart` being 0. */
  private fresh = new Int32Array(this.table.room);
  private freshKeys = new Float64Array(this.table.room);
  private freshLength = 0;

  constructor(side: Side, levelsMax: number) {
    this.side = side;
    this.levelsMax = levelsMax;
    this.sign = side === 'bid' ? 1 : -1;
  }

  clear(): void {
    this.table.clear();
    this.length = 0;
    this.orderLength = 0;
    this.topStart = 0;
    this.isSettled = true;
    this.freshLength = 0;
  }

  /**
   * Takes a level of a frame, which stands at a byte of a view: quantity 0 removes. False, and nothing changed, when the
   * side would pass `levelsMax`. Throws `wire.bad_value` where the quantity is below 0.
   */
  set(view: DataView, at: number): boolean {
    const low = view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    const qtyLow = view.getInt32(at + 8, true);
    const qtyHigh = view.getInt32(at + 12, true);
    if (qtyHigh < 0) throw this.negative(view, at);
    const isThere = (qtyLow | qtyHigh) !== 0;
    const cell = this.table.find(low, high);
    if (cell < 0) {
      if (!isThere) return true;
      const added = this.add(~cell, low, high, qtyLow, qtyHigh);
      if (added < 0) return false;
      this.place(added, this.sign * numberOfWords(low, high));
      return true;
    }
    const { cells } = this.table;
    const word = cell * LEVEL_WORDS + 2;
    const wasThere = ((cells[word] as number) | (cells[word + 1] as number)) !== 0;
    if (isThere && !wasThere && this.length >= this.levelsMax) return false;
    cells[word] = qtyLow;
    cells[word + 1] = qtyHigh;
    if (isThere !== wasThere) {
      const key = this.sign * numberOfWords(low, high);
      if (isThere) this.come(cell, key);
      else this.go(cell, key);
    }
    return true;
  }

  /** The same for a level of an image on a cleared side, in any order; `seal` must follow before anything is read. */
  append(view: DataView, at: number): boolean {
    const low = view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    const qtyLow = view.getInt32(at + 8, true);
    const qtyHigh = view.getInt32(at + 12, true);
    if (qtyHigh < 0) throw this.negative(view, at);
    if ((qtyLow | qtyHigh) === 0) return true;
    const cell = this.table.find(low, high);
    if (cell >= 0) {
      this.table.cells[cell * LEVEL_WORDS + 2] = qtyLow;
      this.table.cells[cell * LEVEL_WORDS + 3] = qtyHigh;
      return true;
    }
    const added = this.add(~cell, low, high, qtyLow, qtyHigh);
    if (added < 0) return false;
    this.held[added] = 1;
    this.order[this.orderLength] = added;
    this.keys[this.orderLength] = this.sign * numberOfWords(low, high);
    this.orderLength += 1;
    return true;
  }

  /** Puts what was appended in order. Linear for levels that came best first, as they do. */
  seal(): void {
    const { order, keys, orderLength } = this;
    order.subarray(0, orderLength).reverse();
    keys.subarray(0, orderLength).reverse();
    this.sort(order, keys, orderLength);
    this.topStart = Math.max(0, orderLength - this.topLevels);
  }

  /** The quantity at a price, 0 when there is no such level; a BigInt where no number holds it. */
  get(price: number | bigint): number | bigint {
    const exact = BigInt(price);
    const cell = this.table.find(Number(BigInt.asIntN(32, exact)), Number(BigInt.asIntN(32, exact >> 32n)));
    return cell < 0 || BigInt.asIntN(64, exact) !== exact
      ? 0
      : narrowed(this.table.bigIntAt(cell * LEVEL_WORDS + 2));
  }

  /** The number nearest to the price at an index from the best, 0 = best. The index must be below `length`. */
  priceNearestAt(levelIndex: number): number {
    return this.sign * (this.keys[this.seek(levelIndex)] as number);
  }

  /** The number nearest to the quantity at an index from the best. The index must be below `length`. */
  qtyNearestAt(levelIndex: number): number {
    const word = (this.order[this.seek(levelIndex)] as number) * LEVEL_WORDS;
    const { cells } = this.table;
    return numberOfWords(cells[word + 2] as number, cells[word + 3] as number);
  }

  priceBigIntAt(levelIndex: number): bigint {
    return this.table.bigIntAt((this.order[this.seek(levelIndex)] as number) * LEVEL_WORDS);
  }

  /** A copy of the level at an index from the best. The index must be below `length`. */
  levelAt(levelIndex: number): Level {
    const price = this.priceNearestAt(levelIndex);
    const qty = this.qtyNearestAt(levelIndex);
    if (isExact(price) && isExact(qty)) return { price, qty };
    const word = (this.order[this.seek(levelIndex)] as number) * LEVEL_WORDS;
    return levelOf(this.table.bigIntAt(word), this.table.bigIntAt(word + 2));
  }

  /** Whether `price` lies further from the top than `other`. */
  isWorse(price: number | bigint, other: number | bigint): boolean {
    return this.side === 'bid' ? price < other : price > other;
  }

  /** Feeds the best `count` levels to a CRC32C register, best first. */
  crc32c(count: number, start: number = CRC32C_START): number {
    const end = Math.min(count, this.length);
    // Nobody reads there by this: what is kept in order from now on stays what it was.
    if (this.orderLength - end < this.topStart && !this.isSettled) this.settle();
    const { order, orderLength } = this;
    const { cells } = this.table;
    let crc = start;
    for (let at = orderLength - 1; at >= orderLength - end; at -= 1) {
      const word = (order[at] as number) * LEVEL_WORDS;
      crc = crc32cWord(crc, cells[word] as number);
      crc = crc32cWord(crc, cells[word + 1] as number);
      crc = crc32cWord(crc, cells[word + 2] as number);
      crc = crc32cWord(crc, cells[word + 3] as number);
    }
    return crc;
  }

  /** Prices that there is room for. @internal */
  get room(): number {
    return this.table.room;
  }

  /** Gives a price a cell, which has no place in the order yet: the free one that was found, or after room was made another. Below 0 at `levelsMax`. */
  private add(free: number, low: number, high: number, qtyLow: number, qtyHigh: number): number {
    const { table } = this;
    if (this.length >= this.levelsMax) return -1;
    let cell = free;
    if (table.prices === table.room) {
      this.makeRoom();
      cell = ~table.find(low, high);
    }
    table.put(cell, low, high, qtyLow, qtyHigh);
    this.held[cell] = 0;
    this.length += 1;
    return cell;
  }

  /** A level is there again. */
  private come(cell: number, key: number): void {
    this.length += 1;
    if (this.held[cell] === 0) this.place(cell, key);
  }

  /** A level is gone: taken out of the top, left where it stands below. */
  private go(cell: number, key: number): void {
    this.length -= 1;
    const { order, keys, topStart } = this;
    if (topStart > 0 && this.isBetter(order[topStart] as number, keys[topStart] as number, cell, key)) {
      this.isSettled = false;
      return;
    }
    const end = this.orderLength - 1;
    let place = end;
    while (place > topStart && order[place] !== cell) place -= 1;
    for (let at = place; at < end; at += 1) {
      order[at] = order[at + 1] as number;
      keys[at] = keys[at + 1] as number;
    }
    this.held[cell] = 0;
    this.orderLength = end;
    if (end === topStart) this.refill();
  }

  /** Gives a cell its place in the top, or leaves it for when it is read. */
  private place(cell: number, key: number): void {
    const { order, keys, orderLength, topStart } = this;
    this.held[cell] = 1;
    if (topStart > 0 && this.isBetter(order[topStart] as number, keys[topStart] as number, cell, key)) {
      this.isSettled = false;
      this.fresh[this.freshLength] = cell;
      this.freshKeys[this.freshLength] = key;
      this.freshLength += 1;
      return;
    }
    let at = orderLength;
    for (; at > topStart; at -= 1) {
      const other = order[at - 1] as number;
      const otherKey = keys[at - 1] as number;
      if (!this.isBetter(other, otherKey, cell, key)) break;
      order[at] = other;
      keys[at] = otherKey;
    }
    order[at] = cell;
    keys[at] = key;
    this.orderLength = orderLength + 1;
    if (orderLength - topStart > this.topLevels * 2) this.topStart = orderLength - this.topLevels;
  }

  /** Fills an empty top from what is below. */
  private refill(): void {
    const { table, order, keys, orderLength } = this;
    let start = orderLength;
    for (let there = 0; start > 0 && there < this.topLevels; ) {
      start -= 1;
      if (table.isThere(order[start] as number)) there += 1;
    }
    this.topStart = start;
    this.orderLength = this.keepThere(order, keys, start, orderLength);
    const { fresh, freshKeys, freshLength } = this;
    this.freshLength = 0;
    this.isSettled = start === 0;
    for (let at = 0; at < freshLength; at += 1) {
      const cell = fresh[at] as number;
      if (table.isThere(cell)) this.place(cell, freshKeys[at] as number);
      else this.held[cell] = 0;
    }
  }

  /** Puts everything in order, and leaves out what is gone. */
  private settle(): void {
    const { fresh, freshKeys, order, keys, topStart, orderLength } = this;
    let count = this.keepThere(fresh, freshKeys, 0, this.freshLength);
    this.sort(fresh, freshKeys, count);
    let kept = this.keepThere(order, keys, 0, topStart);
    const top = kept + count;
    order.copyWithin(top, topStart, orderLength);
    keys.copyWithin(top, topStart, orderLength);
    // From the best on, so that none is written over before it is read.
    for (let at = top - 1; count > 0; at -= 1) {
      const cell = fresh[count - 1] as number;
      const key = freshKeys[count - 1] as number;
      const other = order[kept - 1] as number;
      const otherKey = keys[kept - 1] as number;
      if (kept > 0 && this.isBetter(other, otherKey, cell, key)) {
        order[at] = other;
        keys[at] = otherKey;
        kept -= 1;
      } else {
        order[at] = cell;
        keys[at] = key;
        count -= 1;
      }
    }
    this.freshLength = 0;
    this.orderLength = top + orderLength - topStart;
    this.topStart = Math.max(0, this.orderLength - this.topLevels);
    this.isSettled = true;
  }

  /** Moves the cells of levels that are there to the start of a part of a list, and says where they end. */
  private keepThere(list: Int32Array, keys: Float64Array, start: number, end: number): number {
    const { table, held } = this;
    let kept = start;
    for (let at = start; at < end; at += 1) {
      const cell = list[at] as number;
      if (table.isThere(cell)) {
        list[kept] = cell;
        keys[kept] = keys[at] as number;
        kept += 1;
      } else {
        held[cell] = 0;
      }
    }
    return kept;
  }

  /**
   * Shell's sort by Knuth's steps, worst first: in place, at most some count^1.5 comparisons whatever the order, one each where it
   * is so already.
   */
  private sort(list: Int32Array, keys: Float64Array, count: number): void {
    let step = this.isSorted(list, keys, count) ? 0 : 1;
    while (step > 0 && step < count / 3) step = step * 3 + 1;
    for (; step > 0; step = (step - 1) / 3) {
      for (let from = step; from < count; from += 1) {
        const cell = list[from] as number;
        const key = keys[from] as number;
        let at = from;
        for (; at >= step; at -= step) {
          const other = list[at - step] as number;
          const otherKey = keys[at - step] as number;
          if (!this.isBetter(other, otherKey, cell, key)) break;
          list[at] = other;
          keys[at] = otherKey;
        }
        list[at] = cell;
        keys[at] = key;
      }
    }
  }

  private isSorted(list: Int32Array, keys: Float64Array, count: number): boolean {
    for (let at = 1; at < count; at += 1) {
      const [cell, other] = [list[at] as number, list[at - 1] as number];
      if (this.isBetter(other, keys[at - 1] as number, cell, keys[at] as number)) return false;
    }
    return true;
  }

  private isBetter(cell: number, key: number, other: number, otherKey: number): boolean {
    if (key !== otherKey) return key > otherKey;
    return this.side === 'bid'
      ? this.table.isGreater(cell, other, key)
      : this.table.isGreater(other, cell, key);
  }

  /** Where the level at an index from the best, which must be below `length`, stands in the order. */
  private seek(levelIndex: number): number {
    const at = this.orderLength - 1 - levelIndex;
    return at < this.topStart && !this.isSettled ? this.seekDeep(levelIndex) : at;
  }

  /** The same below the top. Who reads there once will again, and deeper. */
  private seekDeep(levelIndex: number): number {
    this.topLevels = Math.min(TOP_LEVELS_MAX, Math.max(levelIndex + 1, this.topLevels * 2));
    this.settle();
    return this.orderLength - 1 - levelIndex;
  }

  /** Takes back the cells of what is gone, and doubles the table where that is not half of it. */
  private makeRoom(): void {
    const { table, order, keys, topStart, orderLength } = this;
    const kept = this.keepThere(order, keys, 0, topStart);
    order.copyWithin(kept, topStart, orderLength);
    keys.copyWithin(kept, topStart, orderLength);
    this.topStart = kept;
    this.orderLength = kept + orderLength - topStart;
    // Nothing is left below the top, so all that waits has its place in it.
    if (kept === 0) this.settle();
    else this.freshLength = this.keepThere(this.fresh, this.freshKeys, 0, this.freshLength);
    const isDoubled = this.length * 2 > table.room;
    table.renew(isDoubled);
    if (isDoubled) {
      this.held = new Uint8Array(table.room * 2);
      this.order = grown(this.order, table.room);
      this.keys = grown(this.keys, table.room);
      this.fresh = grown(this.fresh, table.room);
      this.freshKeys = grown(this.freshKeys, table.room);
    } else {
      this.held.fill(0);
    }
    this.move(this.order, this.orderLength);
    this.move(this.fresh, this.freshLength);
  }

  private move(list: Int32Array, length: number): void {
    const { table, held } = this;
    for (let at = 0; at < length; at += 1) {
      const cell = table.move(list[at] as number);
      held[cell] = 1;
      list[at] = cell;
    }
  }

  private negative(view: DataView, at: number): Error {
    return badFrame(`${this.side}s.qty`, 'a quantity of 0 or more', String(view.getBigInt64(at + 8, true)));
  }
}

function grown<Numbers extends Int32Array | Float64Array>(from: Numbers, length: number): Numbers {
  const to = new (from.constructor as new (length: number) => Numbers)(length);
  to.set(from);
  return to;
}
