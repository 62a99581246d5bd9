import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { highest } from '../src/bench/max.js';
import { differs, type Paired, pairedOf, ratioText } from '../src/bench/paired.js';
import { growthOf, tenthsOf } from '../src/bench/soak.js';

/** Of two fair choices, the share of `count` throws with at most `most` heads. */
function below(count: number, most: number): number {
  let [term, sum] = [0.5 ** count, 0];
  for (let heads = 0; heads <= most; heads++) {
    sum += term;
    term *= (count - heads) / (heads + 1);
  }
  return sum;
}

/** A linear congruential generator: the same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('blocks side by side', () => {
  it('have a median and an interval of order statistics', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 1, maxLength: 90 }),
        (ratios) => {
          const { pairs, median, low, high } = pairedOf(ratios);
          const sorted = [...ratios].sort((a, b) => a - b);
          expect(pairs).toBe(ratios.length);
          expect(low <= median && median <= high).toBe(true);
          const at = sorted.indexOf(low);
          // What is left out at each end has at most 2.5 % of the chance; one more would have too much.
          const cut = sorted.length - 1 - sorted.lastIndexOf(high);
          if (at > 0) expect(2 * below(pairs, Math.min(at, cut) - 1)).toBeLessThanOrEqual(0.05 + 1e-12);
        },
      ),
    );
  });

  it.each([
    [6, 0],
    [9, 1],
    [20, 5],
    [40, 13],
  ])('of %d leave out %d at each end', (count, cut) => {
    const { low, high } = pairedOf(Array.from({ length: count }, (_, at) => at));
    expect([low, count - 1 - high]).toEqual([cut, cut]);
  });

  it('of the same say "no difference" in at least 19 of 20 trials', () => {
    const random = numbers(3);
    let wrong = 0;
    for (let trial = 0; trial < 2000; trial++) {
      // Both blocks vary by a fifth: their ratio has the median 1.
      const ratios = Array.from({ length: 20 }, () => (1 + random() / 5) / (1 + random() / 5));
      wrong += Number(differs(pairedOf(ratios)));
    }
    expect(wrong / 2000).toBeLessThan(0.05);
    expect(wrong).toBeGreaterThan(20);
  });

  it('of two that differ by a twentieth say so', () => {
    const random = numbers(4);
    const ratios = Array.from({ length: 20 }, () => 1.05 * (0.98 + random() / 25));
    expect(differs(pairedOf(ratios))).toBe(true);
  });

  it('of too few say nothing', () => {
    expect(differs(pairedOf([2, 2, 2, 2, 2]))).toBe(false);
    expect(differs(pairedOf([2, 2, 2, 2, 2, 2]))).toBe(true);
    expect([
      ratioText(pairedOf([])),
      ratioText(pairedOf([2])),
      ratioText(pairedOf([1, 1, 1, 1, 1, 1])),
    ]).toEqual(['', '2.00 of 1', '1.00 (1.00–1.00) of 6']);
    const none: Paired = pairedOf([]);
    expect(differs(none)).toBe(false);
  });
});

describe('an hour by tenths', () => {
  const intervals = (p50: (at: number) => number) =>
    Array.from({ length: 600 }, (_, at) => ({
      fromNs: at * 6e9,
      count: 10,
      p50: p50(at),
      p99: 2 * p50(at),
      max: at === 599 ? 9e9 : 5,
    }));
  const looks = (bytes: (at: number) => number) =>
    Array.from({ length: 600 }, (_, at) => ({ at: at / 600, bytes: bytes(at) }));

  it('has all samples and each in its place', () => {
    const tenths = tenthsOf(
      intervals((at) => 100 + Math.floor(at / 60)),
      looks((at) => at + 1),
    );
    expect(tenths.reduce((sum, { samples }) => sum + samples, 0)).toBe(6000);
    expect(tenths.map(({ samples }) => samples)).toEqual(Array(10).fill(600));
    expect(tenths.map(({ p50 }) => p50)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
    expect(tenths.map(({ max }) => max)).toEqual([...Array(9).fill(5), 9e9]);
    expect([tenths[0]?.least, tenths[0]?.most, tenths[9]?.most]).toEqual([1, 60, 600]);
  });

  it.each([
    ['PASS', 1.04, 1],
    ['FAIL', 1.06, 1],
    ['FAIL', 1, 1.06],
  ])('is %s when memory grows to %d and p50 to %d', (word, memory, times) => {
    const tenths = tenthsOf(
      intervals((at) => (at < 540 ? 1000 : 1000 * times)),
      looks((at) => (at < 540 ? 1e8 : 1e8 * memory)),
    );
    expect(growthOf(tenths, 3600).word).toBe(word);
    expect(growthOf(tenths, 10).word).toBe(word === 'PASS' ? 'PASS' : 'NOISY');
  });

  it('of a run that never began has no growth', () => {
    expect(growthOf(tenthsOf([], []), 3600)).toEqual({ word: 'PASS', reasons: [] });
  });
});

describe('the highest rate', () => {
  it('is found to within a tenth', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1000, max: 3_000_000 }), async (limit) => {
        const tried: number[] = [];
        const found = await highest(1000, (rate) => {
          tried.push(rate);
          return Promise.resolve(rate <= limit);
        });
        expect(found).toBeLessThanOrEqual(limit);
        expect(found).toBeGreaterThanOrEqual(Math.min(limit, 1_000_000) / 1.1);
        expect(tried.length).toBeLessThanOrEqual(16);
      }),
    );
  });

  it('is none where not even the first holds', async () => {
    expect(await highest(1000, () => Promise.resolve(false))).toBe(0);
  });
});
