import type { Level } from '../wire/index.js';

/** One side of a book, best level first, as mantissas. Live: it changes when the book does, between two frames. */
export interface Levels {
  readonly count: number;
  /** The number nearest to the price of a level, to draw with; NaN beyond the last one. */
  price(levelIndex: number): number;
  qty(levelIndex: number): number;
  /** A level exactly, to print and to count with; undefined beyond the last one. */
  level(levelIndex: number): Level | undefined;
}
