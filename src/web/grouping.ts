import { formatDecimal, type Side } from '../wire/index.js';

/**
 * Price grouping on integer mantissas. A bucket is a whole number; its price is `bucket * size`. Bids round down and
 * asks round up, so a bucket never promises a better price than its levels have, and the two sides of an uncrossed
 * book never share a bucket.
 */

/** Most decades above one tick that the stepper reaches: 10^6 ticks. */
const DECADES_MAX = 6;
const LEADS = [1, 2, 5] as const;

/** 1, 2, 5, 10, 20, 50, … up to 10^6: the multiples of the tick that a reader can choose. */
export const GROUPING_STEPS: readonly number[] = Array.from({ length: DECADES_MAX }, (_, decade) =>
  LEADS.map((lead) => lead * 10 ** decade),
)
  .flat()
  .concat(10 ** DECADES_MAX);

/** The step `by` places above (positive) or below the given one, kept inside the list. */
export function stepFrom(step: number, by: number): number {
  const at = Math.max(0, GROUPING_STEPS.indexOf(step));
  const to = Math.min(GROUPING_STEPS.length - 1, Math.max(0, at + by));
  return GROUPING_STEPS[to] ?? 1;
}

/**
 * Bucket of a price. The remainder of two safe integers is exact in double arithmetic, so is the division that
 * follows; negative prices round in the same direction as positive ones.
 */
export function bucketOf(side: Side, price: number, size: number): number {
  const over = ((price % size) + size) % size;
  const down = (price - over) / size;
  return side === 'ask' && over !== 0 ? down + 1 : down;
}

/**
 * The finest step at which both of the prices given fit into `rows` buckets: the first choice for an instrument that
 * nobody has grouped yet.
 */
export function stepThatFits(low: number, high: number, tick: number, rows: number): number {
  for (const step of GROUPING_STEPS) {
    const size = step * tick;
    if (bucketOf('ask', high, size) - bucketOf('bid', low, size) < rows) return step;
  }
  return GROUPING_STEPS[GROUPING_STEPS.length - 1] ?? 1;
}

/**
 * Price of a bucket with the decimals that the bucket's width needs: at a width of 1.00 no decimal says anything.
 * Empty beyond the integers that are exact.
 */
export function bucketPriceText(bucket: number, size: number, exponent: number): string {
  let mantissa = bucket * size;
  let width = size;
  let shown = exponent;
  if (!Number.isSafeInteger(mantissa)) return '';
  while (shown < 0 && width % 10 === 0) {
    mantissa /= 10;
    width /= 10;
    shown += 1;
  }
  return formatDecimal(mantissa, shown);
}
