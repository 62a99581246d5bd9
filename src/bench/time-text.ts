import type { Quantiles } from './measure.js';

/** A time for people: three digits and a unit. */
export function nsText(ns: number): string {
  if (ns < 0) return `−${nsText(-ns)}`;
  const units = ['ns', 'µs', 'ms', 's'] as const;
  let [value, unit] = [ns, 0];
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  // What is asked for may be less than any time that is measured; it is not 0.
  if (value > 0 && value < 0.01) return `${Number(value.toPrecision(3))} ns`;
  const digits = unit === 0 && Number.isInteger(value) ? 0 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** What stands where nothing was measured, or too little: of no samples there are no times, least of all 0. */
export const NONE = '–';

/** One sample of so many is the quantile: of fewer it would be the greatest (or the least) under another name. */
export const SAMPLES_LEAST = { p50: 1, p90: 10, p99: 100, p999: 1000, p9999: 10_000, max: 1 } as const;

/** A quantile of `count` samples. */
export function timeCell(of: keyof typeof SAMPLES_LEAST, ns: number, count: number): string {
  return count < SAMPLES_LEAST[of] ? NONE : nsText(ns);
}

/** What figures are of that leave out the machine's hiccups, by the share that they have. */
export const quietText = (share: number | null): string =>
  share === null ? 'without hiccups' : `${percent(share)} without hiccups`;

/** A share for people: all of it is said of all of it alone, and none of none. */
export function percent(share: number): string {
  const text = (share * 100).toFixed(share > 0 && share < 0.01 ? 3 : 1);
  if (share < 1 && text === '100.0') return 'nearly 100 %';
  return `${share === 1 ? 100 : text} %`;
}

/** The columns that every table of times has, and the cells of a line. */
export const QUANTILE_HEADS = ['samples', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'] as const;
export function quantileCells(quantiles: Omit<Quantiles, 'min' | 'mean' | 'p975'>): readonly string[] {
  const { count } = quantiles;
  const names = ['p50', 'p90', 'p99', 'p999', 'p9999', 'max'] as const;
  return [String(count), ...names.map((of) => timeCell(of, quantiles[of], count))];
}
