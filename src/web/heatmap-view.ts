import type { HeatmapColumns } from './heatmap-columns.js';
import { middleBucket } from './heatmap-texels.js';

/** Height of a bucket, CSS px. A column is one CSS px wide. */
export const BUCKET_PX = 4;
/** The part of the height, above and below its middle, in which the best prices may move before the view follows them. */
const CALM_SHARE = 0.3;

/** A cell that a reader points at. */
export interface HeatmapCursor {
  readonly column: number;
  readonly bucket: number;
}

/** Which part of the columns is in view: the newest, until a reader pauses or scrolls back. */
export class HeatmapView {
  widthPx = 0;
  heightPx = 0;
  /** Column at the right edge; NaN = nothing to show. */
  end = Number.NaN;
  /** Lowest bucket in view; NaN before the first best price. */
  low = Number.NaN;
  cursor: HeatmapCursor | null = null;
  /** Whether the newest column stays at the right edge. */
  isLive = true;

  get rows(): number {
    return this.heightPx / BUCKET_PX;
  }

  /** Other columns begin. */
  reset(): void {
    this.isLive = true;
    this.end = Number.NaN;
    this.low = Number.NaN;
    this.cursor = null;
  }

  /** Follows the newest column and its best prices, where it is live. */
  settle(columns: HeatmapColumns): void {
    if (Number.isNaN(columns.open)) return;
    const newest = columns.open - 1;
    if (this.isLive) this.end = newest;
    // What falls out of the ring takes a paused view with it.
    this.end = Math.min(newest, Math.max(this.end, columns.oldest));
    if (this.isLive || Number.isNaN(this.low)) this.#followPrice(columns);
  }

  pause(): void {
    this.isLive = false;
  }

  goLive(): void {
    this.isLive = true;
    this.cursor = null;
  }

  /** Moves the view in time, backwards for a negative number. Reaching the newest column is to be live again. */
  scroll(by: number, columns: HeatmapColumns): void {
    const newest = columns.open - 1;
    const oldest = Math.min(newest, columns.oldest + Math.floor(this.widthPx / 2));
    this.end = Math.min(newest, Math.max(oldest, this.end + by));
    this.isLive = this.end === newest && by > 0;
  }

  /** Moves the cursor by cells, from the newest column's best price where there was none; the view follows it. */
  move(columnsBy: number, bucketsBy: number, columns: HeatmapColumns): void {
    const middle = middleBucket(columns, this.end);
    const from = this.cursor ?? {
      column: this.end,
      bucket: Math.floor(Number.isNaN(middle) ? this.low + this.rows / 2 : middle),
    };
    const column = Math.min(columns.open - 1, Math.max(columns.oldest, from.column + columnsBy));
    const bucket = from.bucket + bucketsBy;
    this.cursor = { column, bucket };
    this.isLive = false;
    if (column > this.end) this.end = column;
    else if (column <= this.end - this.widthPx) this.end = column + Math.floor(this.widthPx) - 1;
    this.low = Math.min(bucket, Math.max(this.low, bucket - this.rows + 1));
  }

  /** The cell at a place, CSS px from the upper left corner. */
  at(x: number, y: number): HeatmapCursor {
    return {
      column: this.end - Math.floor(this.widthPx - x),
      bucket: Math.floor(this.low + (this.heightPx - y) / BUCKET_PX),
    };
  }

  #followPrice(columns: HeatmapColumns): void {
    const middle = middleBucket(columns, this.end);
    if (Number.isNaN(middle)) return;
    const off = middle - (this.low + this.rows / 2);
    if (Math.abs(off) <= this.rows * CALM_SHARE) return;
    this.low = Math.round(middle - this.rows / 2);
  }
}
