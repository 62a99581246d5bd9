/** One side of a book, best level first, as mantissas. Live: it changes when the book does, between two frames. */
export interface Levels {
  readonly count: number;
  /** Price of a level; NaN beyond the last one. */
  price(levelIndex: number): number;
  qty(levelIndex: number): number;
}
