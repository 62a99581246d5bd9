/** Where the zeros begin, and a point before them, that only keep a column aligned: in `61800.20` it is 7. */
export function significantEnd(fixed: string): number {
  if (!fixed.includes('.')) return fixed.length;
  let end = fixed.length;
  while (fixed[end - 1] === '0') end -= 1;
  return fixed[end - 1] === '.' ? end - 1 : end;
}

/** Commas between thousands of the whole part. */
export function withThousands(decimal: string): string {
  const point = decimal.indexOf('.');
  const whole = point < 0 ? decimal : decimal.slice(0, point);
  const rest = point < 0 ? '' : decimal.slice(point);
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + rest;
}

/** An exact decimal cut (not rounded) to so many decimals: for sums whose last digits no reader needs. */
export function cutDecimals(decimal: string, decimalsMax: number): string {
  const point = decimal.indexOf('.');
  if (point < 0) return decimal;
  return decimalsMax === 0 ? decimal.slice(0, point) : decimal.slice(0, point + 1 + decimalsMax);
}

/** Finer than any quantity of the feed. */
const DECIMALS_MAX = 18;

/** A size to compare at a glance, rounded: thousands as k, M, G, otherwise three to five decimals, or two digits: never 0 but for 0. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trimmed(value / 1e9, 2)}G`;
  if (size >= 1e6) return `${trimmed(value / 1e6, 2)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3, 1)}k`;
  if (size >= 100) return trimmed(value, 1);
  if (size > 0 && size < 1e-4)
    return trimmed(value, Math.min(DECIMALS_MAX, 1 - Math.floor(Math.log10(size))));
  return trimmed(value, size >= 1 ? 3 : 5);
}

function trimmed(value: number, decimals: number): string {
  const fixed = value.toFixed(decimals);
  return fixed.slice(0, significantEnd(fixed));
}
