import type { Levels } from './levels.js';

/** Most levels of one side that the depth curve draws. */
export const CURVE_LEVELS_MAX = 400;

/** Columns of the depth curve, x ascending: price, cumulative bid quantity, cumulative ask quantity. */
export interface DepthSeries {
  readonly price: number[];
  readonly bid: (number | null)[];
  readonly ask: (number | null)[];
}

/**
 * Cumulative quantity outwards from the touch. Both sides reach equally far from the middle, so that the curve does
 * not suggest an imbalance which is only a longer list. Values are decimals for drawing, not for comparison.
 */
export function depthSeries(bids: Levels, asks: Levels, priceUnit: number, qtyUnit: number): DepthSeries {
  const series: DepthSeries = { price: [], bid: [], ask: [] };
  const reach = commonReach(bids, asks);
  const bidCount = countWithin(bids, bids.price(0) - reach, 'bid');
  const askCount = countWithin(asks, asks.price(0) + reach, 'ask');
  const bidSums = sums(bids, bidCount);
  for (let index = bidCount - 1; index >= 0; index -= 1) {
    series.price.push(bids.price(index) * priceUnit);
    series.bid.push((bidSums[index] ?? 0) * qtyUnit);
    series.ask.push(null);
  }
  const askSums = sums(asks, askCount);
  for (let index = 0; index < askCount; index += 1) {
    series.price.push(asks.price(index) * priceUnit);
    series.bid.push(null);
    series.ask.push((askSums[index] ?? 0) * qtyUnit);
  }
  return series;
}

function commonReach(bids: Levels, asks: Levels): number {
  const bidReach = reachOf(bids);
  const askReach = reachOf(asks);
  return bidReach === 0 || askReach === 0 ? Math.max(bidReach, askReach) : Math.min(bidReach, askReach);
}

function reachOf(levels: Levels): number {
  const last = Math.min(levels.count, CURVE_LEVELS_MAX) - 1;
  return last < 0 ? 0 : Math.abs(levels.price(last) - levels.price(0));
}

function countWithin(levels: Levels, edge: number, side: 'bid' | 'ask'): number {
  const limit = Math.min(levels.count, CURVE_LEVELS_MAX);
  let count = 0;
  while (count < limit && (side === 'bid' ? levels.price(count) >= edge : levels.price(count) <= edge))
    count += 1;
  return count;
}

function sums(levels: Levels, count: number): Float64Array {
  const out = new Float64Array(count);
  let sum = 0;
  for (let index = 0; index < count; index += 1) {
    sum += levels.qty(index);
    out[index] = sum;
  }
  return out;
}
