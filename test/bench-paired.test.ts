import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerOf, highestOf, MAX, resultOfSteps } from '../src/bench/max.js';
import type { TargetReport } from '../src/bench/measure.js';
import { differs, isTooFew, type Paired, paired, pairedOf, ratioText } from '../src/bench/paired.js';
import { PLANTED, type Planted, PROOF, plantedTrial } from '../src/bench/proof.js';
import { growthOf, tenthsOf } from '../src/bench/soak.js';
import type { Ran } from '../src/bench/wire.js';

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
    ]).toEqual(['–', '2.00 of 1', '1.00 (1.00–1.00) of 6']);
    const none: Paired = pairedOf([]);
    expect(differs(none)).toBe(false);
  });
});

it('99 % of blocks is told where a block has a hundred messages', () => {
  const of = (count: number, p99: number) =>
    ({
      intervals: Array.from({ length: 8 }, () => ({ fromNs: 0, count, p50: p99, p99, max: p99 })),
    }) as unknown as TargetReport;
  const [few, some] = [of(99, 4), of(100, 2)];
  expect([isTooFew(few, some, 'p99'), isTooFew(some, some, 'p99'), isTooFew(few, some, 'p50')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(ratioText(paired(some, few, 'p99'))).toBe('–');
  expect(ratioText(paired(some, few, 'p50'))).toBe('2.00 (2.00–2.00) of 8');
  expect(ratioText(paired(some, of(100, 4), 'p99'))).toBe('2.00 (2.00–2.00) of 8');
});

describe('an hour by tenths', () => {
  const intervals = (p50: (at: number) => number, count = 10) =>
    Array.from({ length: 600 }, (_, at) => ({
      fromNs: at * 6e9,
      count,
      p50: p50(at),
      p99: 2 * p50(at),
      max: at === 599 ? 9e9 : 5,
    }));
  const looks = (bytes: (at: number) => number) =>
    Array.from({ length: 600 }, (_, at) => ({ at: at / 600, bytes: bytes(at) }));

  it('has all samples and each in its place', () => {
    const tenths = tenthsOf(
      intervals((at) => 100 + Math.floor(at / 60)),
      intervals(() => 50),
      looks((at) => at + 1),
      [
        { at: 0.09, bytes: 7 },
        { at: 0.99, bytes: 8 },
      ],
    );
    expect(tenths.reduce((sum, { samples }) => sum + samples, 0)).toBe(6000);
    expect(tenths.map(({ samples }) => samples)).toEqual(Array(10).fill(600));
    expect(tenths.map(({ p50 }) => p50)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
    expect(tenths.map(({ overControl }) => overControl)).toEqual(
      [100, 101, 102, 103, 104, 105, 106, 107, 108, 109].map((p50) => p50 / 50),
    );
    expect(tenths.map(({ max }) => max)).toEqual([...Array(9).fill(5), 9e9]);
    expect([tenths[0]?.least, tenths[0]?.most, tenths[9]?.most]).toEqual([1, 60, 600]);
    expect([tenths[0]?.kept, tenths[1]?.kept, tenths[9]?.kept]).toEqual([7, null, 8]);
  });

  it('has not grown by garbage that a collection frees', () => {
    const all = intervals(() => 1000);
    const rising = looks((at) => 1e8 + at * 1e6);
    const kept = looks(() => 9e7);
    expect(growthOf(tenthsOf(all, all, rising, kept), 3600)).toEqual({ word: 'PASS', reasons: [] });
    expect(growthOf(tenthsOf(all, all, kept, rising), 3600).word).toBe('FAIL');
  });

  it.each([
    ['PASS', 1.04, 1],
    ['FAIL', 1.06, 1],
    ['FAIL', 1, 1.06],
    // The machine became slower, for the control as well.
    ['PASS', 1, 1.3, 1.3],
    ['FAIL', 1, 1.3, 1.2],
    ['FAIL', 1, 1, 0.9],
  ])('is %s when memory grows to %d and p50 to %d', (word, memory, times, control = 1) => {
    const tenths = tenthsOf(
      intervals((at) => (at < 540 ? 1000 : 1000 * times)),
      intervals((at) => (at < 540 ? 500 : 500 * control)),
      [],
      looks((at) => (at < 540 ? 1e8 : 1e8 * memory)),
    );
    expect(growthOf(tenths, 3600).word).toBe(word);
    expect(growthOf(tenths, 10).word).toBe(word === 'PASS' ? 'PASS' : 'NOISY');
  });

  it('has no time and no memory where nothing was measured, and says so', () => {
    const some = intervals(() => 1000, 100).map((one, at) =>
      at >= 60 && at < 120 ? { ...one, count: 0 } : one,
    );
    const tenths = tenthsOf(some, some, [{ at: 0.01, bytes: 0 }], []);
    const none = {
      p50: null,
      overControl: null,
      p99: null,
      max: null,
      least: null,
      most: null,
      kept: null,
    };
    expect(tenths[1]).toEqual({ samples: 0, ...none });
    expect(tenths[2]).toMatchObject({ samples: 6000, p50: 1000, p99: 2000, max: 5, most: null });
    // Ten samples have no 99 %.
    expect(
      tenthsOf(
        intervals(() => 1000),
        [],
        [],
        [],
      )[0],
    ).toMatchObject({ p50: 1000, p99: null });
    expect(growthOf(tenths, 3600)).toEqual({
      word: 'NOISY',
      reasons: ['the memory of the server is not known here'],
    });
    expect(growthOf(tenths, 10)).toEqual({ word: 'PASS', reasons: [] });
  });

  it.each([
    ['PASS', 1.4],
    ['NOISY', 1.6],
  ])('is %s when p99 alone grows to %d', (word, times) => {
    const all = intervals(() => 1000, 100).map((one, at) => (at < 540 ? one : { ...one, p99: 2000 * times }));
    expect(
      growthOf(
        tenthsOf(
          all,
          all,
          [],
          looks(() => 1e8),
        ),
        3600,
      ).word,
    ).toBe(word);
  });

  it('of a run that never began has no growth', () => {
    expect(growthOf(tenthsOf([], [], [], []), 3600)).toEqual({ word: 'PASS', reasons: [] });
  });
});

/** What came of a target on a quiet machine, as far as it is looked at. */
function ranOf(change: object = {}, word: 'PASS' | 'NOISY' | 'FAIL' = 'PASS', ended: unknown = null): Ran {
  const times = { count: 1000, min: 10, p50: 20, p99: 50, max: 90 };
  const target = {
    name: 'x',
    lost: 0,
    repeated: 0,
    disordered: 0,
    unknown: 0,
    late: 0,
    sent: 1000,
    planned: 1000,
  };
  const all = { fromPlanned: times, fromPlannedQuiet: times, fromSent: times, hiccups: times, counted: 1000 };
  const lines = { curve: [], intervals: [], intervalHiccups: [], hiccupCurve: [], hgrm: '', hlog: '' };
  const reasons = word === 'PASS' ? [] : ['other programs took 0.20 of a core'];
  const targets = [{ ...target, ...all, ...lines, ...change }];
  return {
    report: { targets, clock: 'tsc', generatorCore: null, ended },
    load: {},
    verdict: { word, reasons },
  } as unknown as Ran;
}

describe('the highest rate', () => {
  it('is found to within a tenth', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1000, max: 3_000_000 }), async (limit) => {
        const tried: number[] = [];
        const { rate, end } = await highestOf(1000, (rate) => {
          tried.push(rate);
          return Promise.resolve(rate <= limit ? 'holds' : 'does not hold');
        });
        expect(rate).toBeLessThanOrEqual(limit);
        expect(rate).toBeGreaterThanOrEqual(Math.min(limit, 1_000_000) / 1.1);
        expect(end).toBe(limit >= 1_000_000 ? 'most' : 'found');
        expect(tried.length).toBeLessThanOrEqual(16);
      }),
    );
  });

  it('is none where not even the first holds, and ends at a rate without an answer', async () => {
    const none = await highestOf(1000, () => Promise.resolve('does not hold'));
    expect(none).toEqual({ rate: 0, end: 'found' });
    const tried: number[] = [];
    const unknown = await highestOf(1000, (rate) => {
      tried.push(rate);
      return Promise.resolve(rate < 10_000 ? 'holds' : 'no answer');
    });
    expect([unknown, tried]).toEqual([{ rate: 4000, end: 'no answer' }, [1000, 4000, 16_000]]);
  });

  const slow = { count: 1000, min: 10, p50: 20, p99: 500, max: 900 };
  const slower = { ...slow, p50: 300 };
  it.each<[string, string, Ran]>([
    ['holds', '', ranOf()],
    ['holds', '', ranOf({}, 'NOISY')],
    ['does not hold', '3 deliveries never came', ranOf({ lost: 3, late: 900 }, 'FAIL')],
    ['does not hold', 'only 900 of 1000 messages could be sent', ranOf({ sent: 900 }, 'FAIL')],
    ['does not hold', 'p99 is 500 ns', ranOf({ fromPlanned: slow, fromPlannedQuiet: slow })],
    // Half of them beyond it is no noise.
    [
      'does not hold',
      'p99 is 500 ns',
      ranOf({ fromPlanned: slower, fromPlannedQuiet: slower, fromSent: slower, late: 9 }, 'FAIL'),
    ],
    [
      'no answer',
      'p99 is 500 ns, but the machine was noisy: hiccups of the machine',
      ranOf({ fromPlanned: slow }),
    ],
    [
      'no answer',
      'p99 is 500 ns, but the machine was noisy: other programs took 0.20 of a core',
      ranOf({ fromPlanned: slow, fromPlannedQuiet: slow }, 'NOISY'),
    ],
    // It was due long before it was sent, and came soon.
    ['no answer', 'the generator sent 9 messages late', ranOf({ fromPlanned: slower, late: 9 }, 'FAIL')],
    [
      'no answer',
      'ended before its time',
      ranOf({ lost: 3 }, 'FAIL', { code: 'bench.cancelled', what: 'x', got: 'y' }),
    ],
    ['does not hold', 'x (y)', ranOf({}, 'FAIL', { code: 'bench.server', what: 'x', got: 'y' })],
    ['no answer', 'x (y)', ranOf({}, 'FAIL', { code: 'bench.machine', what: 'x', got: 'y' })],
  ])('%s: %s', (word, why, ran) => {
    expect(answerOf(ran, 100)).toEqual({ word, why });
  });

  it('tells why it ended, and how sure it is', () => {
    const good = { rate: 4000, word: 'holds', why: '', ran: ranOf() } as const;
    const late = { rate: 16_000, word: 'no answer', why: 'late', ran: ranOf() } as const;
    const bad = { rate: 1000, word: 'does not hold', why: 'p99 is 9 s', ran: ranOf() } as const;
    const of = (...args: Parameters<typeof resultOfSteps>): readonly unknown[] => {
      const { verdict, tables } = resultOfSteps(...args);
      return [verdict.word, ...verdict.reasons, tables[0]?.title];
    };
    expect(of([good], { rate: 4000, end: 'found' }, 100, [])).toEqual([
      'PASS',
      '4000 messages a second hold it',
    ]);
    expect(of([good], { rate: 4000, end: 'most' }, 100, [])).toEqual([
      'PASS',
      '4000 messages a second hold it; no higher rate is tried',
    ]);
    expect(of([good, late], { rate: 4000, end: 'no answer' }, 100, [])).toEqual([
      'NOISY',
      'whether 16000 messages a second hold it was not to be seen: late',
      '4000 messages a second hold it, and perhaps more',
    ]);
    const none = 'not even 1000 messages a second hold p99 below 0.000001 ns';
    expect(of([bad], { rate: 0, end: 'found' }, 1e-6, [])).toEqual(['FAIL', none, none]);
    // What was found before it was ended stays, and is no result.
    const cut = resultOfSteps([good], { rate: 4000, end: 'no answer' }, 100, ['ended before its time']);
    expect(cut.verdict).toEqual({ word: 'FAIL', reasons: ['ended before its time'] });
    expect(cut.tables[0]?.title).not.toContain('hold it');
    expect(cut.tables[0]?.rows).toEqual([
      ['4000', '20 ns', '50 ns', '50 ns', '90 ns', '1000 of 1000', '0', 'PASS', 'holds', ''],
    ]);
  });

  it('and the proof start no server when they are over', async () => {
    const began = performance.now();
    for (const scenario of [MAX, PROOF]) {
      const { verdict, tables } = await scenario.run({ isQuick: true, signal: AbortSignal.abort() });
      expect(verdict).toEqual({ word: 'FAIL', reasons: ['ended before its time'] });
      expect(tables[0]?.rows).toEqual([]);
    }
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('a run that must fail', () => {
  const [overloaded, lossy, late] = PLANTED as readonly [Planted, Planted, Planted];

  it.each<[string, Planted, Ran, Ran, boolean]>([
    ['failed for it', lossy, ranOf({ lost: 2 }, 'FAIL'), ranOf(), true],
    ['failed for something else', lossy, ranOf({ late: 90 }, 'FAIL'), ranOf(), false],
    ['did not fail', lossy, ranOf({ lost: 2 }, 'NOISY'), ranOf(), false],
    ['is no different without it', lossy, ranOf({ lost: 2 }, 'FAIL'), ranOf({ lost: 1 }, 'FAIL'), false],
    [
      'failed beside one that failed for something else',
      lossy,
      ranOf({ lost: 2 }, 'FAIL'),
      ranOf({ late: 90 }, 'FAIL'),
      true,
    ],
    ['was not sent whole', overloaded, ranOf({ sent: 9 }, 'FAIL'), ranOf(), true],
    ['took far longer', overloaded, ranOf({ fromPlanned: { count: 1000, p99: 2e8 } }, 'FAIL'), ranOf(), true],
    ['lost something', overloaded, ranOf({ lost: 2 }, 'FAIL'), ranOf(), false],
    ['was late', late, ranOf({ late: 90 }, 'FAIL'), ranOf(), true],
    ['lost something', late, ranOf({ lost: 90 }, 'FAIL'), ranOf(), false],
  ])('%s', (_, planted, impaired, plain, holds) => {
    expect(plantedTrial(planted, impaired, plain).holds).toBe(holds);
  });
});
