import { CRC32C_START, crc32cWord } from './crc32c.js';
import { badFrame } from './errors.js';
import { isExact, type Level, levelOf, narrowed, numberOfWords } from './level.js';
import type { Side } from './protocol.js';

const CAPACITY_START = 64;
/** Words of a level as it stands in a frame: price and quantity, the low word of each first. */
const WORDS = 4;
/** Levels from the best that are kept in order at each change: at least, and where somebody reads deeper at most. */
const TOP_LEVELS_MIN = 32;
const TOP_LEVELS_MAX = 4096;
/** Slots that are moved one by one: a call costs as much. */
const MOVED_MAX = 48;

/**
 * One side of a book. A price that comes up gets a slot, which an index by hash finds: a change is one look-up and a store.
 * Prices come back, so a level that is removed keeps its slot until room is needed.
 *
 * Most changes lie deep (a median rank of 88 to 224 on recorded streams) and most reads near the top. So the order of prices is
 * exact at each change near the top only; what changes below waits until something there is read.
 *
 * Mantissas stay the two 32-bit words that a frame has of each: all 64 bits, and no number is made before one is read.
 * Cost of a change: a look-up, and near the top, where a level comes or goes, a search and a move of what is better. A read
 * near the top is direct; the first one below is linear in the side. 49 bytes a slot.
 */
export class BookSide {
  readonly side: Side;
  readonly levelsMax: number;
  /** Levels that are there. */
  length = 0;

  private words = new Int32Array(CAPACITY_START * WORDS);
  /** The nearest numbers to price and quantity of each slot, which reading would else make each time. */
  private numbers = new Float64Array(CAPACITY_START * 2);
  /** By the hash of a price: its slot + 1; 0 = free, as at least half of it is. */
  private index = new Int32Array(CAPACITY_START * 2);
  /** Slots by price, best last: from `topStart` on exactly those that are there; all of them while `isSettled`. */
  private order = new Int32Array(CAPACITY_START);
  private orderLength = 0;
  private topStart = 0;
  private topLevels = TOP_LEVELS_MIN;
  private isSettled = true;
  /** Slots below the top that wait for their place. */
  private fresh = new Int32Array(CAPACITY_START);
  private freshLength = 0;
  /** 1 = the slot stands in `order` or in `fresh`. */
  private held = new Uint8Array(CAPACITY_START);
  private slots = 0;

  constructor(side: Side, levelsMax: number) {
    this.side = side;
    this.levelsMax = levelsMax;
  }

  clear(): void {
    this.index.fill(0);
    this.length = 0;
    this.orderLength = 0;
    this.topStart = 0;
    this.isSettled = true;
    this.freshLength = 0;
    this.slots = 0;
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
    const slot = this.find(low, high);
    const isThere = (qtyLow | qtyHigh) !== 0;
    if (slot < 0) {
      if (!isThere) return true;
      if (!this.add(low, high, qtyLow, qtyHigh)) return false;
      this.place(this.slots - 1);
      return true;
    }
    const { words } = this;
    const word = slot * WORDS + 2;
    const wasThere = ((words[word] as number) | (words[word + 1] as number)) !== 0;
    if (isThere && !wasThere && this.length >= this.levelsMax) return false;
    words[word] = qtyLow;
    words[word + 1] = qtyHigh;
    this.numbers[slot * 2 + 1] = numberOfWords(qtyLow, qtyHigh);
    if (isThere !== wasThere) this.turn(slot, isThere);
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
    const slot = this.find(low, high);
    if (slot < 0) return this.add(low, high, qtyLow, qtyHigh);
    this.words[slot * WORDS + 2] = qtyLow;
    this.words[slot * WORDS + 3] = qtyHigh;
    this.numbers[slot * 2 + 1] = numberOfWords(qtyLow, qtyHigh);
    return true;
  }

  /** Puts what was appended in order. Linear for levels that came best first, as they do. */
  seal(): void {
    const { order, slots } = this;
    let isOrdered = true;
    for (let slot = 0; slot < slots; slot += 1) {
      order[slots - 1 - slot] = slot;
      if (slot > 0 && !this.isBetter(slot - 1, slot)) isOrdered = false;
    }
    if (!isOrdered) this.sort(order, slots);
    this.held.fill(1, 0, slots);
    this.orderLength = slots;
    this.topStart = Math.max(0, slots - this.topLevels);
  }

  /** The quantity at a price, 0 when there is no such level; a BigInt where no number holds it. */
  get(price: number | bigint): number | bigint {
    const exact = BigInt(price);
    const slot = this.find(Number(BigInt.asIntN(32, exact)), Number(BigInt.asIntN(32, exact >> 32n)));
    return slot < 0 || BigInt.asIntN(64, exact) !== exact ? 0 : narrowed(this.bigIntAt(slot * WORDS + 2));
  }

  /** The number nearest to the price at an index from the best, 0 = best. The index must be below `length`. */
  priceNearestAt(levelIndex: number): number {
    return this.numbers[this.seek(levelIndex) * 2] as number;
  }

  /** The number nearest to the quantity at an index from the best. The index must be below `length`. */
  qtyNearestAt(levelIndex: number): number {
    return this.numbers[this.seek(levelIndex) * 2 + 1] as number;
  }

  priceBigIntAt(levelIndex: number): bigint {
    return this.bigIntAt(this.seek(levelIndex) * WORDS);
  }

  /** A copy of the level at an index from the best. The index must be below `length`. */
  levelAt(levelIndex: number): Level {
    const price = this.priceNearestAt(levelIndex);
    const qty = this.qtyNearestAt(levelIndex);
    if (isExact(price) && isExact(qty)) return { price, qty };
    const word = this.seek(levelIndex) * WORDS;
    return levelOf(this.bigIntAt(word), this.bigIntAt(word + 2));
  }

  /** Whether `price` lies further from the top than `other`. */
  isWorse(price: number | bigint, other: number | bigint): boolean {
    return this.side === 'bid' ? price < other : price > other;
  }

  /** Feeds the best `count` levels to a CRC32C register, best first. */
  crc32c(count: number, start: number = CRC32C_START): number {
    const end = Math.min(count, this.length);
    if (end > 0) this.seek(end - 1);
    const { words, order, orderLength } = this;
    let crc = start;
    for (let at = orderLength - 1; at >= orderLength - end; at -= 1) {
      const word = (order[at] as number) * WORDS;
      crc = crc32cWord(crc, words[word] as number);
      crc = crc32cWord(crc, words[word + 1] as number);
      crc = crc32cWord(crc, words[word + 2] as number);
      crc = crc32cWord(crc, words[word + 3] as number);
    }
    return crc;
  }

  /** Slots that there is room for. @internal */
  get slotsHeld(): number {
    return this.order.length;
  }

  /** What must hold after each change; for tests. Throws what does not. @internal */
  checkInvariants(): void {
    const { words, topStart, slots, isSettled } = this;
    const order = [...this.order.subarray(0, this.orderLength)];
    const fresh = [...this.fresh.subarray(0, this.freshLength)];
    const all = [...order, ...fresh];
    const isThere = (slot: number) => !this.isGone(slot);
    const isFound = (slot: number) =>
      this.find(words[slot * WORDS] as number, words[slot * WORDS + 1] as number) === slot;
    const worst = order[topStart];
    const faults = [
      order.some((slot, at) => at > 0 && !this.isBetter(slot, order[at - 1] as number)) && 'order',
      all.filter(isThere).length !== this.length && 'length',
      !order.slice(topStart).every(isThere) && 'a level that is gone in the top',
      isSettled && (fresh.length > 0 || !order.every(isThere)) && 'settled',
      fresh.some((slot) => worst === undefined || this.isBetter(slot, worst)) && 'a level that the top lacks',
      topStart > 0 && worst === undefined && 'an empty top',
      !all.every(isFound) && 'index',
      new Set(all).size !== all.length && 'a slot twice',
      this.held.subarray(0, slots).some((held, slot) => (held === 1) !== all.includes(slot)) && 'held',
      slots * 2 > this.index.length && 'a full index',
    ].filter(Boolean);
    if (faults.length > 0) throw new Error(`book side: ${faults.join(', ')}`);
  }

  private hash(low: number, high: number): number {
    const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    return mixed >>> (Math.clz32(this.index.length) + 1);
  }

  /** The slot of a price, -1 where it has none. */
  private find(low: number, high: number): number {
    const { index, words } = this;
    const mask = index.length - 1;
    for (let at = this.hash(low, high); ; at = (at + 1) & mask) {
      const slot = (index[at] as number) - 1;
      if (slot === -1) return -1;
      if (words[slot * WORDS] === low && words[slot * WORDS + 1] === high) return slot;
    }
  }

  /** Gives a price a slot, the last one, which has no place in the order yet. False at `levelsMax`. */
  private add(low: number, high: number, qtyLow: number, qtyHigh: number): boolean {
    if (this.length >= this.levelsMax) return false;
    if (this.slots === this.order.length) this.makeRoom();
    const { words, slots } = this;
    const word = slots * WORDS;
    words[word] = low;
    words[word + 1] = high;
    words[word + 2] = qtyLow;
    words[word + 3] = qtyHigh;
    this.numbers[slots * 2] = numberOfWords(low, high);
    this.numbers[slots * 2 + 1] = numberOfWords(qtyLow, qtyHigh);
    this.held[slots] = 0;
    this.slots += 1;
    this.length += 1;
    this.enter(slots);
    return true;
  }

  /** Puts a slot into the index. */
  private enter(slot: number): void {
    const { index, words } = this;
    const mask = index.length - 1;
    let at = this.hash(words[slot * WORDS] as number, words[slot * WORDS + 1] as number);
    while (index[at] !== 0) at = (at + 1) & mask;
    index[at] = slot + 1;
  }

  /** A level has come or gone. */
  private turn(slot: number, isThere: boolean): void {
    this.length += isThere ? 1 : -1;
    if (isThere) {
      if (this.held[slot] === 0) this.place(slot);
      return;
    }
    const { order, topStart } = this;
    if (topStart > 0 && this.isBetter(order[topStart] as number, slot)) {
      this.isSettled = false;
      return;
    }
    const place = this.search(slot);
    const end = this.orderLength - 1;
    if (end - place > MOVED_MAX) order.copyWithin(place, place + 1, end + 1);
    else for (let at = place; at < end; at += 1) order[at] = order[at + 1] as number;
    this.held[slot] = 0;
    this.orderLength = end;
    if (end === topStart) this.settle();
  }

  /** Gives a slot its place in the top, or leaves it for when it is read. */
  private place(slot: number): void {
    const { order, orderLength, topStart } = this;
    this.held[slot] = 1;
    if (topStart > 0 && this.isBetter(order[topStart] as number, slot)) {
      this.isSettled = false;
      this.fresh[this.freshLength] = slot;
      this.freshLength += 1;
      return;
    }
    const place = this.search(slot);
    if (orderLength - place > MOVED_MAX) order.copyWithin(place + 1, place, orderLength);
    else for (let at = orderLength; at > place; at -= 1) order[at] = order[at - 1] as number;
    order[place] = slot;
    this.orderLength = orderLength + 1;
    if (orderLength - topStart > this.topLevels * 2) this.topStart = orderLength - this.topLevels;
  }

  /** The place of a slot in the top: the first whose slot is not worse. */
  private search(slot: number): number {
    const { order, topStart, orderLength } = this;
    let low = topStart;
    let high = orderLength;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.isBetter(slot, order[middle] as number)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts everything in order, and leaves out what is gone. */
  private settle(): void {
    const { fresh, order, held, topStart, orderLength } = this;
    let count = 0;
    for (let at = 0; at < this.freshLength; at += 1) {
      const slot = fresh[at] as number;
      if (this.isGone(slot)) held[slot] = 0;
      else fresh[count++] = slot;
    }
    if (count > 1) this.sort(fresh, count);
    let kept = 0;
    for (let at = 0; at < topStart; at += 1) {
      const slot = order[at] as number;
      if (this.isGone(slot)) held[slot] = 0;
      else order[kept++] = slot;
    }
    const top = kept + count;
    order.copyWithin(top, topStart, orderLength);
    // From the best on, so that none is written over before it is read.
    for (let at = top - 1; count > 0; at -= 1) {
      const slot = fresh[count - 1] as number;
      const other = order[kept - 1] as number;
      if (kept > 0 && this.isBetter(other, slot)) {
        order[at] = other;
        kept -= 1;
      } else {
        order[at] = slot;
        count -= 1;
      }
    }
    this.freshLength = 0;
    this.orderLength = top + orderLength - topStart;
    this.topStart = Math.max(0, this.orderLength - this.topLevels);
    this.isSettled = true;
  }

  /** Shell's sort by Knuth's steps, worst first: in place, at most some count^1.5 comparisons whatever the order. */
  private sort(slots: Int32Array, count: number): void {
    let step = 1;
    while (step < count / 3) step = step * 3 + 1;
    for (; step > 0; step = (step - 1) / 3) {
      for (let from = step; from < count; from += 1) {
        const slot = slots[from] as number;
        let at = from;
        for (; at >= step; at -= step) {
          const other = slots[at - step] as number;
          if (!this.isBetter(other, slot)) break;
          slots[at] = other;
        }
        slots[at] = slot;
      }
    }
  }

  private isGone(slot: number): boolean {
    return this.words[slot * WORDS + 2] === 0 && this.words[slot * WORDS + 3] === 0;
  }

  private isBetter(slot: number, other: number): boolean {
    const { words } = this;
    const highs = (words[slot * WORDS + 1] as number) - (words[other * WORDS + 1] as number);
    const lows = ((words[slot * WORDS] as number) >>> 0) - ((words[other * WORDS] as number) >>> 0);
    const difference = highs === 0 ? lows : highs;
    return this.side === 'bid' ? difference > 0 : difference < 0;
  }

  /** The slot of the level at an index from the best, which must be below `length`. */
  private seek(levelIndex: number): number {
    const at = this.orderLength - 1 - levelIndex;
    if (at < this.topStart && !this.isSettled) return this.seekDeep(levelIndex);
    return this.order[at] as number;
  }

  /** The same below the top. Who reads there once will again. */
  private seekDeep(levelIndex: number): number {
    this.topLevels = Math.max(this.topLevels, Math.min(levelIndex + 1, TOP_LEVELS_MAX));
    this.settle();
    return this.order[this.orderLength - 1 - levelIndex] as number;
  }

  private makeRoom(): void {
    this.compact();
    const { slots } = this;
    const capacity = this.order.length;
    if (slots * 2 <= capacity) return;
    this.words = grown(this.words, capacity * 2 * WORDS);
    this.numbers = grown(this.numbers, capacity * 4);
    this.order = grown(this.order, capacity * 2);
    this.fresh = new Int32Array(capacity * 2);
    this.held = new Uint8Array(capacity * 2).fill(1, 0, slots);
    this.index = new Int32Array(capacity * 4);
    for (let slot = 0; slot < slots; slot += 1) this.enter(slot);
  }

  /** Takes back the slots of what is gone, in place. */
  private compact(): void {
    const { words, index, order, slots } = this;
    this.settle();
    let kept = 0;
    // Until it is made anew, the index holds where each slot has gone.
    for (let slot = 0; slot < slots; slot += 1) {
      if (this.isGone(slot)) continue;
      index[slot] = kept;
      for (let at = 0; at < WORDS; at += 1) words[kept * WORDS + at] = words[slot * WORDS + at] as number;
      for (let at = 0; at < 2; at += 1) this.numbers[kept * 2 + at] = this.numbers[slot * 2 + at] as number;
      kept += 1;
    }
    for (let at = 0; at < this.orderLength; at += 1) order[at] = index[order[at] as number] as number;
    this.slots = kept;
    this.held.fill(1, 0, kept);
    index.fill(0);
    for (let slot = 0; slot < kept; slot += 1) this.enter(slot);
  }

  private bigIntAt(word: number): bigint {
    const low = BigInt((this.words[word] as number) >>> 0);
    return (BigInt(this.words[word + 1] as number) << 32n) | low;
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
