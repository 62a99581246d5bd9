import { DepthwireError, shown } from '../errors.js';
import { BPS_MAX } from '../wire/generated/constants.js';

/** The greatest quantity that a book holds. */
const QTY_MAX = 2n ** 63n - 1n;

/** Quantities as the addon takes them. Typed arrays bend what they do not hold, so `engine.costs` is thrown before. */
export function costQuantities(quantities: readonly bigint[]): BigUint64Array {
  const isWrong = (qty: unknown) => !(typeof qty === 'bigint' && qty >= 1n && qty <= QTY_MAX);
  const wrong = quantities.findIndex(isWrong);
  if (wrong < 0) return BigUint64Array.from(quantities);
  throw new DepthwireError('engine.costs', {
    what: 'no such quantity to take',
    where: 'openCosts',
    expected: `1n to ${QTY_MAX}n units of the quantity`,
    got: shown(quantities[wrong]),
    fix: 'Give a quantity that a book of the instrument can hold.',
  });
}

/** Basis points likewise. */
export function costBands(bps: readonly number[]): Uint32Array {
  const wrong = bps.findIndex((band) => !(Number.isInteger(band) && band >= 1 && band <= BPS_MAX));
  if (wrong < 0) return Uint32Array.from(bps);
  throw new DepthwireError('engine.costs', {
    what: 'no such band',
    where: 'openCosts',
    expected: `1 to ${BPS_MAX} basis points`,
    got: shown(bps[wrong]),
    fix: 'Ask for a band of 1 to 10000 basis points of the mid.',
  });
}
