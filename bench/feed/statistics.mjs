// @ts-check
/** What is said of rounds: medians, and how sure they are. */

/** @param {readonly number[]} values @returns {number} */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * The interval between two of the sorted values in which the median lies with at least 90 % certainty, whatever the values'
 * distribution: each is below it with a probability of one half, so the count below is binomial. With fewer than five the
 * least and the greatest.
 * @param {readonly number[]} values
 * @returns {readonly [low: number, high: number]}
 */
export function medianInterval(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  let skipped = 0;
  let term = 0.5 ** count;
  let below = 2 * term;
  while (below + 2 * term * ((count - skipped) / (skipped + 1)) <= 0.1) {
    term *= (count - skipped) / (skipped + 1);
    below += 2 * term;
    skipped += 1;
  }
  const at = below <= 0.1 ? skipped : 0;
  return [sorted[at] ?? Number.NaN, sorted[count - 1 - at] ?? Number.NaN];
}
