/** The mantissas of a level or trade as 64-bit integers. */
export interface ExactMantissas {
  readonly price: bigint;
  readonly qty: bigint;
}

/**
 * A price and its quantity, as mantissas. Where one of the two lies beyond 2^53, that one is NaN, for no number holds it,
 * and `exact` has both.
 */
export interface Level {
  readonly price: number;
  readonly qty: number;
  readonly exact?: ExactMantissas;
}

/** Whether the number nearest to a 64-bit integer is that integer and no other. */
export function isExact(nearest: number): boolean {
  return nearest <= 9007199254740991 && nearest >= -9007199254740991;
}

/** The number nearest to a 64-bit integer of two words. */
export function numberOfWords(low: number, high: number): number {
  return high * 4294967296 + (low >>> 0);
}

/** What is printed: a mantissa, or a level or trade that holds it. */
export type PriceOrLevel = number | bigint | Level;

const PRINTABLE = {
  toJSON(this: object): object {
    const texts = ([name, value]: [string, unknown]) => [
      name,
      typeof value === 'bigint' ? `${value}` : value,
    ];
    return Object.fromEntries(Object.entries(this).map(texts));
  },
};

/** The same fields, whose BigInts are texts in JSON, where they would be errors. */
export function printable<Fields extends object>(fields: Fields): Fields {
  return Object.assign(Object.create(PRINTABLE) as object, fields);
}

/** A level of 64-bit mantissas. */
export function levelOf(price: bigint, qty: bigint): Level {
  const level = { price: numberOf(price), qty: numberOf(qty) };
  return Number.isNaN(level.price) || Number.isNaN(level.qty)
    ? { ...level, exact: printable({ price, qty }) }
    : level;
}

/** The number of a mantissa, NaN beyond 2^53. */
function numberOf(mantissa: bigint): number {
  const number = Number(mantissa);
  return isExact(number) ? number : Number.NaN;
}

/** The price mantissa of whatever holds one, exactly. */
export function priceOf(value: PriceOrLevel): number | bigint {
  return typeof value === 'object' ? (value.exact?.price ?? value.price) : value;
}

/** The quantity mantissa of whatever holds one, exactly. */
export function qtyOf(value: PriceOrLevel): number | bigint {
  return typeof value === 'object' ? (value.exact?.qty ?? value.qty) : value;
}

/** A 64-bit integer as a number, or as itself where no number holds it. */
export function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return isExact(number) ? number : value;
}

/** The exact sum of two integers, a BigInt where no number holds it. */
export function sumOf(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (isExact(sum)) return sum;
  }
  return narrowed(BigInt(a) + BigInt(b));
}

/** The exact difference of two integers likewise. */
export function differenceOf(a: number | bigint, b: number | bigint): number | bigint {
  return sumOf(a, -b);
}
