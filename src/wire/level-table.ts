import { isExact } from './level.js';

/** Words of a level as it stands in a frame: price and quantity, the low word of each first. */
export const LEVEL_WORDS = 4;
/** The high word of the quantity of a cell without a price: no quantity is below 0. */
const FREE = -1;
/** Prices that a new table has room for. */
const PRICES_START = 16;

/**
 * What prices are mixed with, other ones in each process: who could work out which prices fall on one cell could make a book of
 * them that takes seconds for each frame.
 */
const SEED = (Math.random() * 0x1_0000_0000) | 0;
const FACTOR = (Math.random() * 0x1_0000_0000) | 1;

/**
 * The levels of a side by price, in cells of four words: a hash of the price names a cell, and the price stands there or in one of
 * the next, so that a look-up reads one cache line. Half of the cells are free at the least. A level whose quantity is 0 is gone; its
 * cell stays the price's until `renew`, because prices come back.
 *
 * Mantissas stay the two 32-bit words that a frame has of each: all 64 bits. 64 bytes for each price of room once it has grown.
 */
export class LevelTable {
  cells = new Int32Array(PRICES_START * 2 * LEVEL_WORDS).fill(FREE);
  /** Cells that have a price. */
  prices = 0;
  /** What the cells move to when room is made, and back. */
  private spare = new Int32Array(0);
  /** How far a hash is shifted to be the number of a cell. */
  private shift = Math.clz32(PRICES_START * 2) + 1;

  /** Prices that there is room for. */
  get room(): number {
    return this.cells.length / (LEVEL_WORDS * 2);
  }

  clear(): void {
    this.cells.fill(FREE);
    this.prices = 0;
  }

  /** The cell of a price; where it has none, below 0: the inverse of the free cell that it would get. */
  find(low: number, high: number): number {
    const { cells } = this;
    const mask = cells.length / LEVEL_WORDS - 1;
    const mixed = Math.imul(low ^ SEED ^ Math.imul(high, FACTOR), 0x9e3779b1);
    // Signed, or the compiler would take it for a double.
    for (let cell = (mixed >>> this.shift) | 0; ; cell = (cell + 1) & mask) {
      const word = cell * LEVEL_WORDS;
      if (cells[word] === low && cells[word + 1] === high && cells[word + 3] !== FREE) return cell;
      if (cells[word + 3] === FREE) return ~cell;
    }
  }

  /** Gives a price a free cell that `find` has named. There must be room. */
  put(cell: number, low: number, high: number, qtyLow: number, qtyHigh: number): void {
    const { cells } = this;
    const word = cell * LEVEL_WORDS;
    cells[word] = low;
    cells[word + 1] = high;
    cells[word + 2] = qtyLow;
    cells[word + 3] = qtyHigh;
    this.prices += 1;
  }

  /** Whether the level of a cell is there. */
  isThere(cell: number): boolean {
    const word = cell * LEVEL_WORDS + 2;
    return this.cells[word] !== 0 || this.cells[word + 1] !== 0;
  }

  /** Empties the table, with twice the room where that is wanted. What is to stay is fetched from before by `move`. */
  renew(isDoubled: boolean): void {
    const { cells } = this;
    const length = isDoubled ? cells.length * 2 : cells.length;
    if (isDoubled) this.shift -= 1;
    this.cells = this.spare.length === length ? this.spare.fill(FREE) : new Int32Array(length).fill(FREE);
    this.spare = cells;
    this.prices = 0;
  }

  /** The new cell of the price that stood in a cell before `renew`. */
  move(cell: number): number {
    const { spare } = this;
    const word = cell * LEVEL_WORDS;
    const [low, high] = [spare[word] as number, spare[word + 1] as number];
    const to = ~this.find(low, high);
    this.put(to, low, high, spare[word + 2] as number, spare[word + 3] as number);
    return to;
  }

  /** A mantissa whose low word stands at an index of the cells. */
  bigIntAt(word: number): bigint {
    const low = BigInt((this.cells[word] as number) >>> 0);
    return (BigInt(this.cells[word + 1] as number) << 32n) | low;
  }

  /** Of two prices that have the same nearest number: whether the first is the greater. Makes BigInts where no number holds them. */
  isGreater(cell: number, other: number, nearest: number): boolean {
    if (isExact(nearest)) return false;
    return this.bigIntAt(cell * LEVEL_WORDS) > this.bigIntAt(other * LEVEL_WORDS);
  }
}
