import { formatDecimal, type Side } from '../wire/index.js';

/**
 * Price grouping on integer mantissas. A bucket is a whole number; its price is `bucket * size`. Bids round down and
 * asks round up, so a bucket never promises a better price than its levels have, and the two sides of an uncrossed
 * book never share a bucket.
 */

/** The coarsest step: so many ticks, or the next one that is round. */
const TICKS_MAX = 10 ** 6;
/** Halvings of a round number that a tick may be, as 1/64 is; every price of 18 digits has room for them. */
const HALVINGS_MAX = 18;

/**
 * The steps that a reader can choose, in ticks: all are multiples of the tick, and round where there is a round multiple.
 * Of 0.01: 0.01, 0.02, 0.05, 0.1, … Of 0.25: 0.25, 0.5, 1, 2.5, 5, 10, 25, … Of 1/32: 0.03125, 0.0625, 0.125, 0.25, 0.5, 1,
 * 2.5, … `tick` is a price mantissa above 0.
 */
export function groupingSteps(tick: number): readonly number[] {
  const halvings = halvingsOf(tick);
  const steps = Array.from({ length: halvings }, (_, count) => 2 ** count);
  // A quarter of the first round number is a multiple only where that is four ticks at least.
  const leads = halvings > 1 ? [1, 2.5, 5] : [1, 2, 5];
  let decade = 2 ** halvings;
  for (; decade < TICKS_MAX; decade *= 10) steps.push(...leads.map((lead) => lead * decade));
  steps.push(decade);
  return steps.filter((step) => Number.isSafeInteger(step * tick));
}

/** How often a tick must be doubled to be a power of ten: 2 for 0.25, 5 for 1/32; 0 where that does not make it one. */
function halvingsOf(tick: number): number {
  let digits = tick;
  while (digits % 10 === 0) digits /= 10;
  let halvings = 0;
  while (digits % 5 === 0) {
    digits /= 5;
    halvings += 1;
  }
  return digits === 1 && halvings <= HALVINGS_MAX ? halvings : 0;
}

/** The step `by` places above (positive) or below the given one, kept inside the list. */
export function stepFrom(steps: readonly number[], step: number, by: number): number {
  const at = Math.max(0, steps.indexOf(step));
  const to = Math.min(steps.length - 1, Math.max(0, at + by));
  return steps[to] ?? 1;
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
export function stepThatFits(
  steps: readonly number[],
  low: number,
  high: number,
  tick: number,
  rows: number,
): number {
  for (const step of steps) {
    const size = step * tick;
    const [down, up] = [bucketOf('bid', low, size), bucketOf('ask', high, size)];
    if (Number.isSafeInteger(down) && Number.isSafeInteger(up) && up - down < rows) return step;
  }
  return steps[steps.length - 1] ?? 1;
}

/**
 * Price of a bucket, exactly, with the decimals that the bucket's width needs: at a width of 1.00 no decimal says anything.
 * Empty where the bucket itself is beyond the integers that are exact.
 */
export function bucketPriceText(bucket: number, size: number, exponent: number): string {
  if (!Number.isSafeInteger(bucket) || !Number.isSafeInteger(size)) return '';
  const product = bucket * size;
  let mantissa = Number.isSafeInteger(product) ? product : BigInt(bucket) * BigInt(size);
  let width = size;
  let shown = exponent;
  while (shown < 0 && width % 10 === 0) {
    mantissa = typeof mantissa === 'bigint' ? mantissa / 10n : mantissa / 10;
    width /= 10;
    shown += 1;
  }
  return formatDecimal(mantissa, shown);
}
