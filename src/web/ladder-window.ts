import type { Side } from '../wire/index.js';
import { bucketOf } from './grouping.js';
import type { Levels } from './levels.js';

/**
 * The visible part of a ladder: `rows` consecutive buckets, the highest price first. Row `i` shows bucket `top - i`.
 * Rows without quantity hold 0.
 */
export class LadderWindow {
  readonly rows: number;
  top = 0;
  readonly bidQty: Float64Array;
  readonly askQty: Float64Array;
  /** From the touch to the row, where the row has quantity. */
  readonly bidSum: Float64Array;
  readonly askSum: Float64Array;
  /** The largest quantity in view, for the length of the bars. */
  qtyMax = 0;

  constructor(rows: number) {
    this.rows = rows;
    this.bidQty = new Float64Array(rows);
    this.askQty = new Float64Array(rows);
    this.bidSum = new Float64Array(rows);
    this.askSum = new Float64Array(rows);
  }

  /** Sums both sides into the buckets in view. Cost: one step per level from the touch to the edge of the window. */
  fill(bids: Levels, asks: Levels, size: number): void {
    this.bidQty.fill(0);
    this.askQty.fill(0);
    this.bidSum.fill(0);
    this.askSum.fill(0);
    this.#fillSide('bid', bids, size, this.bidQty, this.bidSum);
    this.#fillSide('ask', asks, size, this.askQty, this.askSum);
    let qtyMax = 0;
    for (let row = 0; row < this.rows; row += 1) {
      qtyMax = Math.max(qtyMax, this.bidQty[row] ?? 0, this.askQty[row] ?? 0);
    }
    this.qtyMax = qtyMax;
  }

  #fillSide(side: Side, levels: Levels, size: number, out: Float64Array, sums: Float64Array): void {
    let sum = 0;
    for (let index = 0; index < levels.count; index += 1) {
      const row = this.top - bucketOf(side, levels.price(index), size);
      const past = side === 'bid' ? row >= this.rows : row < 0;
      if (past) return;
      const qty = levels.qty(index);
      sum += qty;
      if (row < 0 || row >= this.rows) continue;
      out[row] = (out[row] ?? 0) + qty;
      sums[row] = sum;
    }
  }
}

/** The part of the window, above and below its middle, in which the touch may move before the window follows it. */
const CALM_SHARE = 0.2;

/**
 * Top bucket of a window that follows the touch. The window rests while the middle of the touch stays in its calm
 * centre, so that prices do not jump at every update; otherwise it is centred again. NaN means that a side is empty.
 */
export function followTop(top: number, rows: number, bestBid: number, bestAsk: number): number {
  const centre = touchCentre(bestBid, bestAsk);
  if (Number.isNaN(centre)) return top;
  const row = top - centre;
  const middle = (rows - 1) / 2;
  if (Math.abs(row - middle) <= rows * CALM_SHARE) return top;
  return centredTop(rows, bestBid, bestAsk);
}

/** Top bucket that puts the touch in the middle row. */
export function centredTop(rows: number, bestBid: number, bestAsk: number): number {
  const centre = touchCentre(bestBid, bestAsk);
  return Number.isNaN(centre) ? 0 : Math.round(centre + (rows - 1) / 2);
}

function touchCentre(bestBid: number, bestAsk: number): number {
  if (Number.isNaN(bestBid)) return bestAsk;
  if (Number.isNaN(bestAsk)) return bestBid;
  return (bestBid + bestAsk) / 2;
}
