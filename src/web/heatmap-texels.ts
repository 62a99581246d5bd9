import type { HeatmapColumns } from './heatmap-columns.js';

/** Buckets of a column that the texture holds, around the column's best prices. */
export const TEXEL_ROWS = 256;
/** Rows before the cells: where the column stands with its mark, and its best prices. */
export const TEXEL_FACTS = 2;
/** Floats a texel: one for each side. */
export const TEXEL_FLOATS = 2;
/** In place of a quantity: the view does not reach so far. */
export const NOT_TOLD = -1;

/** In place of a best price: the side is empty. Farther away than any price in the texture. */
export const NO_PRICE = 1e9;

const MARK_CODES = { none: 0, market: 1, broken: 2, gap: 3 } as const;

/**
 * Writes a column as the texture holds it, one row after another: `[base, mark]`, `[best bid, best ask]` in buckets, then
 * `[bid, ask]` quantities of each bucket from the base up. Buckets are counted from `origin`, so that a float holds them.
 * `out` has room for `TEXEL_FACTS + TEXEL_ROWS` texels.
 */
export function writeTexels(
  columns: HeatmapColumns,
  column: number,
  origin: number,
  out: Float32Array,
): void {
  out.fill(0);
  const facts = columns.column(column);
  if (facts === undefined) return;
  const { mark, bestBid, bestAsk, bidTo, askTo } = facts;
  const base = baseBucket(columns, column);
  out[0] = base - origin;
  out[1] = MARK_CODES[mark];
  if (mark !== 'market') return;
  out[2] = Number.isNaN(bestBid) ? NO_PRICE : bestBid / columns.bucketSize - origin;
  out[3] = Number.isNaN(bestAsk) ? NO_PRICE : bestAsk / columns.bucketSize - origin;
  for (let row = 0; row < TEXEL_ROWS; row += 1) {
    const at = (TEXEL_FACTS + row) * TEXEL_FLOATS;
    if (base + row < bidTo) out[at] = NOT_TOLD;
    if (base + row > askTo) out[at + 1] = NOT_TOLD;
  }
  columns.cellsOf(column, (side, bucket, qty) => {
    const row = bucket - base;
    if (row < 0 || row >= TEXEL_ROWS) return;
    out[(TEXEL_FACTS + row) * TEXEL_FLOATS + (side === 'bid' ? 0 : 1)] = qty;
  });
}

/** The lowest bucket of a column's texels: its best prices are in their middle. 0 where it has none. */
export function baseBucket(columns: HeatmapColumns, column: number): number {
  const middle = middleBucket(columns, column);
  return Number.isNaN(middle) ? 0 : Math.round(middle) - TEXEL_ROWS / 2;
}

/** The middle of a column's best prices in buckets; NaN where it has none. */
export function middleBucket(columns: HeatmapColumns, column: number): number {
  const facts = columns.column(column);
  if (facts === undefined) return Number.NaN;
  const { bestBid, bestAsk } = facts;
  const middle = Number.isNaN(bestBid) ? bestAsk : Number.isNaN(bestAsk) ? bestBid : (bestBid + bestAsk) / 2;
  return middle / columns.bucketSize;
}
