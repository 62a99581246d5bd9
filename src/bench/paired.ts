import type { Interval, TargetReport } from './measure.js';
import { NONE, SAMPLES_LEAST } from './time-text.js';

/** The median of ratios of blocks that stood side by side, and where it lies in 95 of 100 such runs. */
export interface Paired {
  readonly pairs: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Below so many pairs no interval of 95 % can be stated: with 5 even all of them reach 94 %. */
export const PAIRS_MIN = 6;
const CONFIDENCE = 0.95;

/** What is said where `isTooFew`. */
export const TOO_FEW = 'too few messages in a block';

/** Whether no block of both has the messages of which a quantile can be told. */
export function isTooFew(
  first: TargetReport | undefined,
  second: TargetReport | undefined,
  quantile: 'p50' | 'p99',
): boolean {
  return blocks(first, second, quantile).length === 0;
}

/** The second over the first, block by block; blocks with too few messages for the quantile are left out. */
export function paired(
  first: TargetReport | undefined,
  second: TargetReport | undefined,
  quantile: 'p50' | 'p99',
): Paired {
  return pairedOf(blocks(first, second, quantile));
}

function blocks(
  first: TargetReport | undefined,
  second: TargetReport | undefined,
  quantile: 'p50' | 'p99',
): readonly number[] {
  const of = (interval: Interval | undefined): number =>
    interval !== undefined && interval.count >= SAMPLES_LEAST[quantile] ? interval[quantile] : 0;
  return (second?.intervals ?? []).flatMap((interval, at) => {
    const [beside, mine] = [of(first?.intervals[at]), of(interval)];
    return beside > 0 && mine > 0 ? [mine / beside] : [];
  });
}

/** Of ratios in any order. The interval needs no shape of their distribution: it is of order statistics, by the binomial one. */
export function pairedOf(ratios: readonly number[]): Paired {
  const sorted = [...ratios].sort((a, b) => a - b);
  const count = sorted.length;
  if (count === 0) return { pairs: 0, median: Number.NaN, low: Number.NaN, high: Number.NaN };
  const middle = count >> 1;
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  const median = count % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  const cut = leftOut(count);
  return { pairs: count, median, low: at(cut), high: at(count - 1 - cut) };
}

/** How many may be left out at each end so that what is between holds the median in 95 of 100 cases. */
function leftOut(count: number): number {
  let chance = 0.5 ** count;
  let below = chance;
  let cut = 0;
  while (cut + 1 < count >> 1) {
    chance *= (count - cut) / (cut + 1);
    if (2 * (below + chance) > 1 - CONFIDENCE) break;
    below += chance;
    cut += 1;
  }
  return cut;
}

/** Whether the interval says that the two are not the same. */
export function differs({ pairs, low, high }: Paired): boolean {
  return pairs >= PAIRS_MIN && (low > 1 || high < 1);
}

export function ratioText({ pairs, median, low, high }: Paired): string {
  if (pairs === 0) return NONE;
  const interval = pairs >= PAIRS_MIN ? ` (${low.toFixed(2)}–${high.toFixed(2)})` : '';
  return `${median.toFixed(2)}${interval} of ${pairs}`;
}
