// @ts-check
/** The least time in which a rate lets things through. */

/**
 * When the last of several uses of a rate is allowed at the earliest, counted as a venue counts: so much in any window. `before`:
 * what was used before, with times below 0.
 * @param {readonly number[]} units each use in its order
 * @param {{ max: number, windowMs: number } | null} rate
 * @param {readonly { atMs: number, units: number }[]} [before]
 */
export function leastMs(units, rate, before = []) {
  if (rate === null) return 0;
  const uses = [...before];
  let nowMs = 0;
  for (const each of units) {
    for (;;) {
      const inside = uses.filter(({ atMs }) => atMs > nowMs - rate.windowMs);
      const used = inside.reduce((sum, use) => sum + use.units, 0);
      const [oldest] = inside;
      if (oldest === undefined || used + each <= rate.max) break;
      nowMs = oldest.atMs + rate.windowMs;
    }
    uses.push({ atMs: nowMs, units: each });
  }
  return nowMs;
}
