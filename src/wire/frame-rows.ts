import type { FrameTable, VectorField } from './frame-table.js';

/** One vector of a frame, empty where the frame has none. What it reads throws `wire.index` beyond its count. */
export class Rows {
  protected readonly frame: FrameTable;
  private readonly field: VectorField;

  constructor(frame: FrameTable, field: VectorField) {
    this.frame = frame;
    this.field = field;
  }

  get count(): number {
    return this.field.count;
  }

  protected at(index: number): number {
    return this.frame.elementAt(this.field, index);
  }
}
