import type { FrameTable } from './frame-table.js';

/** One vector of a frame, empty where the frame has none. What it reads throws `wire.index` beyond its count. */
export class Rows {
  readonly frame: FrameTable;
  private readonly field: number;

  /** Subclasses say which vector: one of `Field`. */
  protected constructor(frame: FrameTable, field: number) {
    this.frame = frame;
    this.field = field;
  }

  get count(): number {
    return this.frame.count(this.field);
  }

  protected at(index: number): number {
    return this.frame.elementAt(this.field, index);
  }
}
