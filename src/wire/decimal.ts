import { ClientError } from './errors.js';

const EXPONENT_MAX = 127;
/** The character 0. */
const ZERO = 0x30;

/**
 * A mantissa and its power of ten as a decimal text, exactly: `formatDecimal(6180020, -2)` is `61800.20`.
 * A negative exponent gives that many decimals; a positive one appends zeros.
 */
export function formatDecimal(mantissa: number | bigint, exponent: number): string {
  if (typeof mantissa === 'number' && !Number.isSafeInteger(mantissa)) {
    throw badNumber('formatDecimal', 'a safe integer or a bigint', String(mantissa));
  }
  checkExponent('formatDecimal', exponent);
  const negative = mantissa < 0;
  const digits = String(negative ? -mantissa : mantissa);
  const sign = negative ? '-' : '';
  if (exponent === 0 || mantissa === 0 || mantissa === 0n) {
    return exponent < 0 ? `0.${'0'.repeat(-exponent)}` : `${sign}${digits}`;
  }
  if (exponent > 0) return `${sign}${digits}${'0'.repeat(exponent)}`;
  const padded = digits.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/**
 * The same as the shortest exact text with at least `decimalsMin` decimals: `decimalText(4810000000000, -9, 2)` is
 * `4810.00`, `decimalText(4810000000001, -9, 2)` all of its digits.
 */
export function decimalText(mantissa: number | bigint, exponent: number, decimalsMin = 0): string {
  const fixed = formatDecimal(mantissa, exponent);
  const point = fixed.indexOf('.');
  if (point < 0) return decimalsMin > 0 ? `${fixed}.${'0'.repeat(decimalsMin)}` : fixed;
  const missing = point + 1 + decimalsMin - fixed.length;
  if (missing > 0) return fixed + '0'.repeat(missing);
  // Kept whatever they are: the whole part, and the decimals that were asked for with their point.
  const endMin = decimalsMin > 0 ? point + 1 + decimalsMin : point;
  let end = fixed.length;
  while (end > endMin && fixed.charCodeAt(end - 1) === ZERO) end -= 1;
  return fixed.slice(0, end === point + 1 ? point : end);
}

/** How many decimals a step of prices or quantities needs: of 250000000 at 10^-9 it is 2. 0 for a step that is not known. */
export function decimalsOf(step: number | bigint, exponent: number): number {
  const text = decimalText(step, exponent);
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
}

/**
 * The mantissa of a decimal text at a power of ten, exactly: `parseDecimal('61800.2', -2)` is 6180020.
 * Throws `client.bad_decimal` when the text is no plain decimal, has more decimals than the exponent holds, or when
 * the mantissa is beyond 2^53.
 */
export function parseDecimal(text: string, exponent: number): number {
  checkExponent('parseDecimal', exponent);
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!parts || text.length > 400)
    throw badNumber('parseDecimal', 'digits with at most one point', text.slice(0, 40));
  const decimals = parts[3] ?? '';
  const kept = decimals.replace(/0+$/, '');
  const shift = -exponent - kept.length;
  let digits = `${parts[2]}${kept}`;
  if (shift >= 0) digits += '0'.repeat(shift);
  else if (/^0*$/.test(digits.slice(shift))) digits = digits.slice(0, shift);
  else throw badNumber('parseDecimal', `a multiple of 10^${exponent}`, text.slice(0, 40));
  const mantissa = Number(digits);
  if (!Number.isSafeInteger(mantissa))
    throw badNumber('parseDecimal', 'a mantissa within 2^53', text.slice(0, 40));
  return parts[1] === '-' && mantissa !== 0 ? -mantissa : mantissa;
}

function checkExponent(where: string, exponent: number): void {
  if (!Number.isInteger(exponent) || Math.abs(exponent) > EXPONENT_MAX + 1) {
    throw badNumber(where, `an integer exponent within ±${EXPONENT_MAX + 1}`, String(exponent));
  }
}

function badNumber(where: string, expected: string, got: string): ClientError {
  return new ClientError({
    code: 'client.bad_decimal',
    what: 'a number cannot be converted exactly',
    where,
    expected,
    got,
    fix: 'pass the mantissa and the exponent that the feed gives',
  });
}
