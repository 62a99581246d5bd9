import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, bucketPriceText, GROUPING_STEPS, stepFrom, stepThatFits } from '../src/web/grouping.js';

const price = fc.maxSafeInteger();
const size = fc.integer({ min: 1, max: 2 ** 40 });

/** Oracle: floor and ceiling by BigInt, which divides towards zero. */
function bucketByBigInt(side: 'bid' | 'ask', value: number, width: number): bigint {
  const quotient = BigInt(value) / BigInt(width);
  const rest = BigInt(value) % BigInt(width);
  if (side === 'bid') return rest < 0n ? quotient - 1n : quotient;
  return rest > 0n ? quotient + 1n : quotient;
}

describe('price grouping', () => {
  it('rounds bids down and asks up, exactly, for every safe integer', () => {
    fc.assert(
      fc.property(fc.constantFrom('bid', 'ask'), price, size, (side, value, width) => {
        // A width near the price's own size can push the rounded price past 2^53; the bucket stays exact.
        fc.pre(Math.abs(value) + width <= Number.MAX_SAFE_INTEGER);
        expect(BigInt(bucketOf(side, value, width))).toBe(bucketByBigInt(side, value, width));
      }),
      { numRuns: 2000 },
    );
  });

  it('never puts both sides of an uncrossed book into one bucket', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
        fc.integer({ min: 1, max: 10 ** 6 }),
        fc.constantFrom(...GROUPING_STEPS),
        (bid, spread, step) => bucketOf('bid', bid, step) < bucketOf('ask', bid + spread, step),
      ),
    );
  });

  it('steps 1, 2, 5, 10 and stays inside the list at both ends', () => {
    expect(GROUPING_STEPS.slice(0, 7)).toEqual([1, 2, 5, 10, 20, 50, 100]);
    expect(stepFrom(1, -1)).toBe(1);
    expect(stepFrom(1, 1)).toBe(2);
    expect(stepFrom(50, 1)).toBe(100);
    expect(stepFrom(1_000_000, 1)).toBe(1_000_000);
  });

  it('finds the finest step that fits the window', () => {
    expect(stepThatFits(6_000_000, 6_000_000 + 15, 1, 20)).toBe(1);
    const step = stepThatFits(6_000_000, 6_004_321, 1, 20);
    const buckets = (width: number) => bucketOf('ask', 6_004_321, width) - bucketOf('bid', 6_000_000, width);
    expect(buckets(step)).toBeLessThan(20);
    expect(buckets(stepFrom(step, -1))).toBeGreaterThanOrEqual(20);
  });

  it('prints the decimals that a bucket needs', () => {
    expect(bucketPriceText(6_183_763, 1, -2)).toBe('61837.63');
    expect(bucketPriceText(618_376, 10, -2)).toBe('61837.6');
    expect(bucketPriceText(61_837, 100, -2)).toBe('61837');
    expect(bucketPriceText(3_091, 2000, -2)).toBe('61820');
    expect(bucketPriceText(-3, 5, -1)).toBe('-1.5');
    expect(bucketPriceText(2 ** 52, 4, 0)).toBe('');
  });
});
