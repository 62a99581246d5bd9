import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangeOf, ticksOf } from '../src/web/chart-axis.js';

describe('axis of a chart', () => {
  it('has round numbers within its range, equally far apart, and no more than fit', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.double({ min: 1e-6, max: 1e9, noNaN: true }),
        fc.integer({ min: 1, max: 20 }),
        (low, span, countMax) => {
          fc.pre(span > Math.abs(low) * 1e-6);
          const high = low + span;
          const ticks = ticksOf(low, high, countMax);
          expect(ticks.length).toBeLessThanOrEqual(countMax + 1);
          const step = (ticks[1] ?? 0) - (ticks[0] ?? 0);
          for (const [at, tick] of ticks.entries()) {
            expect(tick).toBeGreaterThanOrEqual(low - span * 1e-6);
            expect(tick).toBeLessThanOrEqual(high + span * 1e-6);
            if (at > 0) expect(Math.abs(tick - (ticks[at - 1] ?? 0) - step)).toBeLessThan(span * 1e-5);
          }
          // At least a third of what fits is there, where there is room for a few.
          if (countMax >= 5) expect(ticks.length).toBeGreaterThanOrEqual(Math.floor(countMax / 3));
        },
      ),
    );
  });

  it('is what a reader expects, and empty where there is no range', () => {
    expect(ticksOf(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
    expect(ticksOf(61_711, 61_968, 5)).toEqual([61_800, 61_900]);
    expect(ticksOf(-0.3, 0.35, 4)).toEqual([-0.2, 0, 0.2]);
    expect(ticksOf(1, 1, 5)).toEqual([]);
    expect(ticksOf(Number.NaN, 1, 5)).toEqual([]);
    expect(rangeOf([[3, null, 1], [null], [7]])).toEqual([1, 7]);
    expect(rangeOf([[null], []])).toEqual([Number.NaN, Number.NaN]);
  });
});
