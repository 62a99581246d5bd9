import type { Interval } from './measure.js';

/**
 * The worst hiccup in each of some intervals, ns. `offsetNs`: when they begin, from the beginning of the log, whose own intervals may have
 * another length.
 */
export function hiccupsIn(
  intervals: readonly Interval[],
  log: readonly Interval[],
  offsetNs: number,
): readonly number[] {
  return intervals.map(({ fromNs }, at) => {
    const [from, to] = [fromNs + offsetNs, endOf(intervals, at) + offsetNs];
    const within = log.filter((one, place) => one.fromNs < to && endOf(log, place) > from);
    return within.reduce((worst, { max }) => Math.max(worst, max), 0);
  });
}

/** Where an interval ends: where the next one begins, and the last one after as long as those before. */
export function endOf(intervals: readonly Interval[], at: number): number {
  const from = intervals[at]?.fromNs ?? 0;
  const next = intervals[at + 1]?.fromNs;
  if (next !== undefined) return next;
  const before = intervals[at - 1]?.fromNs;
  return before === undefined ? Number.POSITIVE_INFINITY : from + (from - before);
}
