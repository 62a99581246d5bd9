import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CURVE_LEVELS_MAX, depthSeries } from '../src/web/depth-series.js';
import { bucketOf } from '../src/web/grouping.js';
import { costDecimal, meanText } from '../src/web/inspector.js';
import type { Levels } from '../src/web/levels.js';
import { meanPrice, sideOfBucket, sweepTo } from '../src/web/sweep.js';
import type { Side } from '../src/wire/index.js';

type Rows = readonly (readonly [price: number, qty: number])[];

function side(rows: Rows): Levels {
  return {
    count: rows.length,
    price: (levelIndex) => rows[levelIndex]?.[0] ?? Number.NaN,
    qty: (levelIndex) => rows[levelIndex]?.[1] ?? Number.NaN,
    level: (levelIndex) => {
      const row = rows[levelIndex];
      return row === undefined ? undefined : { price: row[0], qty: row[1] };
    },
  };
}

const prices = fc.uniqueArray(fc.integer({ min: 1, max: 10 ** 9 }), { maxLength: 50 });
const qty = fc.integer({ min: 1, max: 2 ** 50 });

describe('cost to sweep', () => {
  it('equals the plain sum over every level up to the bucket, beyond 2^53 too', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Side>('bid', 'ask'),
        prices,
        fc.array(qty, { minLength: 50, maxLength: 50 }),
        fc.integer({ min: 1, max: 10 ** 6 }),
        fc.integer({ min: 0, max: 10 ** 9 }),
        (of, list, qtys, size, target) => {
          const sorted = list.sort((a, b) => (of === 'bid' ? b - a : a - b));
          const rows = sorted.map((price, at) => [price, qtys[at] ?? 1] as const);
          const bucket = bucketOf(of, target, size);
          const inReach = rows.filter(([price]) => {
            const at = bucketOf(of, price, size);
            return of === 'bid' ? at >= bucket : at <= bucket;
          });
          const sweep = sweepTo(of, side(rows), size, bucket);
          expect(sweep.cumulativeQty).toBe(inReach.reduce((sum, [, amount]) => sum + BigInt(amount), 0n));
          expect(sweep.cost).toBe(
            inReach.reduce((sum, [price, amount]) => sum + BigInt(price) * BigInt(amount), 0n),
          );
          const own = inReach.filter(([price]) => bucketOf(of, price, size) === bucket);
          expect(sweep.bucketLevels).toBe(own.length);
          expect(sweep.worstPrice).toBe(inReach.at(-1)?.[0] ?? Number.NaN);
        },
      ),
    );
  });

  it('has a mean price between the touch and the worst price', () => {
    const asks = side([
      [100, 1],
      [110, 3],
    ]);
    const sweep = sweepTo('ask', asks, 1, 110);
    expect([sweep.bucketQty, sweep.cumulativeQty, sweep.cost, sweep.worstPrice]).toEqual([3n, 4n, 430n, 110]);
    expect(meanPrice(sweep)).toBe(107.5);
    expect(meanPrice(sweepTo('ask', asks, 1, 99))).toBeNull();
  });

  it('prints a mean price below 0 with the decimals of one above', () => {
    const mean = (price: number, priceExponent: number, priceDecimalsMin = 0) =>
      meanText(sweepTo('ask', side([[price, 1]]), 1, price), { priceExponent, priceDecimalsMin });
    expect([mean(376_325, -4), mean(-376_325, -4)]).toEqual(['37.6325', '-37.6325']);
    expect([mean(12_000, -12), mean(-12_000, -12), mean(0, -4)]).toEqual([
      '0.000000012',
      '-0.000000012',
      '0',
    ]);
    expect(mean(-376_325, -4, 5)).toBe('-37.63250');
  });

  it('prints a small cost with four digits, below 0 too', () => {
    const costs = [costDecimal(12_345n, -9), costDecimal(-12_345n, -9), costDecimal(-1_234_567n, -4)];
    expect(costs).toEqual(['0.00001234', '-0.00001234', '-123.45']);
  });

  it('is exact where no number holds the quantities', () => {
    const huge = { price: 100n, qty: 2n ** 63n - 1n };
    const bids: Levels = {
      count: 2,
      price: () => 100,
      qty: () => Number(huge.qty),
      level: () => ({ price: 100, qty: Number.NaN, exact: huge }),
    };
    const sweep = sweepTo('bid', bids, 1, 100);
    expect([sweep.bucketQty, sweep.cumulativeQty, sweep.cost]).toEqual([
      2n ** 64n - 2n,
      2n ** 64n - 2n,
      100n * (2n ** 64n - 2n),
    ]);
    expect(meanPrice(sweep)).toBe(100);
  });

  it('knows the side of a bucket, and the spread', () => {
    expect(sideOfBucket(10, 10, 12)).toBe('bid');
    expect(sideOfBucket(11, 10, 12)).toBeNull();
    expect(sideOfBucket(12, 10, 12)).toBe('ask');
    expect(sideOfBucket(5, Number.NaN, Number.NaN)).toBeNull();
  });
});

describe('depth curve', () => {
  it('sums outwards, ascends in price and reaches equally far on both sides', () => {
    const bids = side([
      [100, 1],
      [99, 2],
      [80, 4],
    ]);
    const asks = side([
      [101, 5],
      [103, 6],
      [104, 7],
    ]);
    const series = depthSeries(bids, asks, 0.1, 10);
    expect(series.price).toEqual([99 * 0.1, 100 * 0.1, 101 * 0.1, 103 * 0.1, 104 * 0.1]);
    expect(series.bid).toEqual([30, 10, null, null, null]);
    expect(series.ask).toEqual([null, null, 50, 110, 180]);
  });

  it('is empty for an empty book and draws one side alone', () => {
    expect(depthSeries(side([]), side([]), 1, 1).price).toEqual([]);
    expect(depthSeries(side([[5, 2]]), side([]), 1, 1)).toEqual({ price: [5], bid: [2], ask: [null] });
  });

  it('draws at most the stated number of levels a side', () => {
    const rows = Array.from({ length: CURVE_LEVELS_MAX + 50 }, (_, at) => [at + 1, 1] as const);
    const series = depthSeries(side([]), side(rows), 1, 1);
    expect(series.price).toHaveLength(CURVE_LEVELS_MAX);
  });
});
