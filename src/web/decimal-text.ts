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

/** From here on a power of ten is written, so that no column is too narrow for any size. */
const [LARGE, SMALL] = [1e21, 1e-8];
const UNITS = [
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
] as const;

/**
 * A size to compare at a glance, rounded, in eleven characters at most: thousands as k, M, G, T, otherwise three to five
 * decimals, or two digits: never 0 but for 0.
 */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= LARGE || (size > 0 && size < SMALL)) return value.toExponential(1).replace('+', '');
  for (const [unit, letter] of UNITS) if (size >= unit) return `${trimmed(value / unit, 2)}${letter}`;
  if (size >= 1e4) return `${trimmed(value / 1e3, 1)}k`;
  if (size >= 100) return trimmed(value, 1);
  if (size > 0 && size < 1e-4)
    return trimmed(value, Math.min(DECIMALS_MAX, 1 - Math.floor(Math.log10(size))));
  return trimmed(value, size >= 1 ? 3 : 5);
}

/** Of sizes from a hundred millionth on. */
const DECIMALS_MAX = 9;

function trimmed(value: number, decimals: number): string {
  const fixed = value.toFixed(decimals);
  return fixed.slice(0, significantEnd(fixed));
}
