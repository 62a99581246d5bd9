import type { NumberData } from './row-batch.js';

/** Powers of ten that a double holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** The doubles that are nearest to the numbers of a column; 0 where there is none. */
export function doublesOf({ values, words, exponents, valid }: NumberData, rows: number): Float64Array {
  const doubles = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    if (valid[row] !== 1) continue;
    const exponent = exponents[row] as number;
    const mantissa = (words[row * 2 + 1] as number) * 0x1_0000_0000 + ((words[row * 2] as number) >>> 0);
    const power = POWERS[-exponent];
    // Of two exact doubles the quotient is the nearest one.
    doubles[row] =
      power !== undefined && Number.isSafeInteger(mantissa)
        ? mantissa / power
        : Number(`${values[row]}e${exponent}`);
  }
  return doubles;
}
