import { describe, expect, it } from 'vitest';
import { leastMs } from '../bench/storm-least.mjs';

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

describe('the least time that a rate allows', () => {
  it('is that of the last window that is needed', () => {
    const rate = { max: 5, windowMs: 1000 };
    expect([1, 5, 6, 10, 11, 200].map((count) => leastMs(ones(count), rate))).toEqual([
      0, 0, 1000, 1000, 2000, 39_000,
    ]);
    expect(leastMs(ones(1000), null)).toBe(0);
  });

  it('counts weights, and what costs more than there ever is alone', () => {
    const rate = { max: 100, windowMs: 1000 };
    expect(leastMs([50, 50, 50], rate)).toBe(1000);
    expect(leastMs([60, 60, 60], rate)).toBe(2000);
    expect(leastMs([10, 500, 10], rate)).toBe(2000);
  });

  it('counts what was used of the same window before', () => {
    const rate = { max: 6000, windowMs: 60_000 };
    const before = [
      { atMs: -61_000, units: 6000 },
      { atMs: -20_000, units: 3000 },
      { atMs: -5000, units: 3000 },
    ];
    expect(leastMs([50], rate, before)).toBe(40_000);
    expect(leastMs([3000, 50], rate, before)).toBe(55_000);
  });
});
