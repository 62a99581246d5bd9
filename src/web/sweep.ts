import type { ExactMantissas, Side } from '../wire/index.js';
import { bucketOf } from './grouping.js';
import type { Levels } from './levels.js';

/** What it takes to trade through every level of a side up to and including one bucket. */
export interface Sweep {
  readonly side: Side;
  /** Resting quantity of the bucket alone, in quantity mantissas. */
  readonly bucketQty: bigint;
  /** Levels that make up the bucket. */
  readonly bucketLevels: number;
  /** Quantity from the touch to the bucket, in quantity mantissas. */
  readonly cumulativeQty: bigint;
  /** Sum of price × quantity, in mantissas whose exponent is the sum of both exponents. */
  readonly cost: bigint;
  /** Sum of quantity ÷ price in mantissas, rounded: what inverse contracts are worth. */
  readonly inverseSum: number;
  /** Worst price that the sweep touches; NaN when it touches nothing. */
  readonly worstPrice: number;
}

/** Exact sums to a bucket. Cost: one step per level from the touch, so it is meant for one row, not for each. */
export function sweepTo(side: Side, levels: Levels, size: number, bucket: number): Sweep {
  let bucketQty = 0n;
  let bucketLevels = 0;
  let cumulativeQty = 0n;
  let cost = 0n;
  let inverseSum = 0;
  let worstPrice = Number.NaN;
  for (let index = 0; index < levels.count; index += 1) {
    const price = levels.price(index);
    const { price: exactPrice, qty } = exactOf(levels, index);
    const at = bucketOf(side, price, size);
    if (side === 'bid' ? at < bucket : at > bucket) break;
    if (at === bucket) {
      bucketQty += qty;
      bucketLevels += 1;
    }
    cumulativeQty += qty;
    cost += exactPrice * qty;
    inverseSum += Number(qty) / price;
    worstPrice = price;
  }
  return { side, bucketQty, bucketLevels, cumulativeQty, cost, inverseSum, worstPrice };
}

function exactOf(levels: Levels, levelIndex: number): ExactMantissas {
  const level = levels.level(levelIndex);
  if (level === undefined) return { price: 0n, qty: 0n };
  return level.exact ?? { price: BigInt(level.price), qty: BigInt(level.qty) };
}

/** Mean price of a sweep as a price mantissa with two decimals, rounded towards 0; null when nothing rests. */
export function meanPrice(sweep: Sweep): number | null {
  if (sweep.cumulativeQty === 0n) return null;
  return Number((sweep.cost * 100n) / sweep.cumulativeQty) / 100;
}

/** Which side a bucket belongs to, by the touch: at or above the best ask it is an ask. Null inside the spread. */
export function sideOfBucket(bucket: number, bestBid: number, bestAsk: number): Side | null {
  if (bucket >= bestAsk) return 'ask';
  if (bucket <= bestBid) return 'bid';
  return null;
}
