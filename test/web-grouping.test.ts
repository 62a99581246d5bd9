import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, bucketPriceText, groupingSteps, stepFrom, stepThatFits } from '../src/web/grouping.js';

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
        fc.constantFrom(...groupingSteps(1)),
        (bid, spread, step) => bucketOf('bid', bid, step) < bucketOf('ask', bid + spread, step),
      ),
    );
  });

  /** The steps of a tick as prices. */
  const stepsOf = (tick: number, exponent: number) =>
    groupingSteps(tick).map((step) => Number((step * tick * 10 ** exponent).toPrecision(12)));

  it.each([
    ['0.01', 1, -2, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]],
    ['0.25', 25, -2, [0.25, 0.5, 1, 2.5, 5, 10, 25, 50]],
    ['0.25 at a finer exponent', 250_000_000, -9, [0.25, 0.5, 1, 2.5, 5, 10, 25, 50]],
    ['0.0005', 5, -4, [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02]],
    ['5', 5, 0, [5, 10, 20, 50, 100, 200]],
    ['1/32', 3125, -5, [0.03125, 0.0625, 0.125, 0.25, 0.5, 1, 2.5, 5, 10]],
    ['1/8', 125, -3, [0.125, 0.25, 0.5, 1, 2.5, 5, 10]],
    ['3, which no round number is a multiple of', 3, 0, [3, 6, 15, 30, 60, 150]],
  ])('steps of a tick of %s', (_, tick, exponent, expected) => {
    expect(stepsOf(tick, exponent).slice(0, expected.length)).toEqual(expected);
  });

  it('has steps for every tick: multiples of it, ascending, up to a million ticks where those are exact', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 10 ** 6 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
        (tick) => {
          const steps = groupingSteps(tick);
          expect(steps[0]).toBe(1);
          for (const [at, step] of steps.entries()) {
            expect(Number.isSafeInteger(step) && Number.isSafeInteger(step * tick)).toBe(true);
            if (at > 0) expect(step).toBeGreaterThan(steps[at - 1] ?? 0);
          }
          if (tick <= 1000) expect(steps.at(-1)).toBeGreaterThanOrEqual(10 ** 6);
        },
      ),
    );
  });

  it('stays inside the list of steps at both ends', () => {
    const steps = groupingSteps(1);
    expect(stepFrom(steps, 1, -1)).toBe(1);
    expect(stepFrom(steps, 1, 1)).toBe(2);
    expect(stepFrom(steps, 50, 1)).toBe(100);
    expect(stepFrom(steps, 1_000_000, 1)).toBe(1_000_000);
  });

  it('finds the finest step that fits the window', () => {
    const steps = groupingSteps(1);
    expect(stepThatFits(steps, 6_000_000, 6_000_000 + 15, 1, 20)).toBe(1);
    const step = stepThatFits(steps, 6_000_000, 6_004_321, 1, 20);
    const buckets = (width: number) => bucketOf('ask', 6_004_321, width) - bucketOf('bid', 6_000_000, width);
    expect(buckets(step)).toBeLessThan(20);
    expect(buckets(stepFrom(steps, step, -1))).toBeGreaterThanOrEqual(20);
  });

  it('prints the decimals that a bucket needs', () => {
    expect(bucketPriceText(6_183_763, 1, -2)).toBe('61837.63');
    expect(bucketPriceText(618_376, 10, -2)).toBe('61837.6');
    expect(bucketPriceText(61_837, 100, -2)).toBe('61837');
    expect(bucketPriceText(3_091, 2000, -2)).toBe('61820');
    expect(bucketPriceText(-3, 5, -1)).toBe('-1.5');
    // A price of 18 digits is exact as long as its bucket is.
    expect(bucketPriceText(123_456_789_012_345, 1000, -9)).toBe('123456789.012345');
    expect(bucketPriceText(2 ** 53, 4, 0)).toBe('');
  });
});
