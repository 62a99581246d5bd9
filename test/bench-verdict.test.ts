import { describe, expect, it } from 'vitest';
import { echoesIn } from '../src/bench/floor.js';
import type { MachineLoad } from '../src/bench/machine.js';
import type { FloorReport, Quantiles, TargetReport } from '../src/bench/measure.js';
import { nsText, quantileCells } from '../src/bench/time-text.js';
import { judgeFloor, judgeTarget, worst } from '../src/bench/verdict.js';

describe('a look at the machine', () => {
  const load: MachineLoad = { cores: 2, othersCores: 0, stolenShare: 0, load: 0 };
  const good = {
    clock: 'tsc',
    gapShare: 0,
    hiccups: { p999: 1 },
    loopback: { count: 1000 },
    loopbackLate: 0,
    isCut: false,
  } as FloorReport;

  it.each<[string, string, Partial<FloorReport>]>([
    ['PASS', '', { loopbackLate: 1 }],
    ['NOISY', '2 of 1000 messages over the loopback left late, 0.1', { loopbackLate: 2 }],
    [
      'FAIL',
      '1 of 1000 messages over the loopback never came back',
      { loopback: { count: 999 } as Quantiles },
    ],
    ['FAIL', 'the run was ended before its time', { loopback: { count: 0 } as Quantiles, isCut: true }],
  ])('is %s: %s', (word, reason, change) => {
    const verdict = judgeFloor({ ...good, ...change }, 1000, load);
    expect([verdict.word, verdict.reasons.length, verdict.reasons.join().startsWith(reason)]).toEqual([
      word,
      word === 'PASS' ? 0 : 1,
      true,
    ]);
  });

  it('knows what is due of it', () => {
    expect([0.6, 6, 1, 0.1].map(echoesIn)).toEqual([400, 4000, 666, 66]);
  });
});

describe('a verdict', () => {
  const quiet: MachineLoad = { cores: 2, othersCores: 0, stolenShare: 0, load: 0 };
  const some = { count: 1000, p50: 10 } as Quantiles;
  const good = {
    name: 'x',
    planned: 1000,
    sent: 1000,
    lost: 0,
    repeated: 0,
    disordered: 0,
    unknown: 0,
    late: 0,
    counted: 1000,
    quietShare: 1,
    fromPlanned: some,
  } as TargetReport;

  it.each<[string, Partial<TargetReport>, Partial<MachineLoad>, string | undefined]>([
    ['PASS', {}, {}, undefined],
    ['PASS', { late: 1, sent: 999 }, {}, undefined],
    ['PASS', { quietShare: null }, {}, undefined],
    ['NOISY', { quietShare: 0.5 }, {}, undefined],
    ['NOISY', {}, { othersCores: 0.2 }, undefined],
    ['NOISY', {}, { stolenShare: 0.02 }, undefined],
    ['NOISY', {}, { cores: 1 }, undefined],
    ['NOISY', {}, { othersCores: Number.NaN }, undefined],
    ['FAIL', { sent: 998 }, {}, undefined],
    ['FAIL', { lost: 1 }, {}, undefined],
    ['FAIL', { repeated: 1 }, {}, undefined],
    ['FAIL', { disordered: 1 }, {}, undefined],
    ['FAIL', { unknown: 1 }, {}, undefined],
    ['FAIL', { late: 2 }, {}, undefined],
    ['FAIL', { fromPlanned: { ...some, count: 0 } }, {}, undefined],
    ['FAIL', { quietShare: 0 }, {}, 'by its end'],
  ])('is %s with %j and %j', (word, report, load, ended) => {
    const verdict = judgeTarget({ ...good, ...report }, { ...quiet, ...load }, ended);
    expect(verdict.word).toBe(word);
    expect(verdict.reasons.length > 0).toBe(word !== 'PASS');
  });

  it('is the worst of several', () => {
    const of = (word: 'PASS' | 'NOISY' | 'FAIL') => ({ word, reasons: word === 'PASS' ? [] : [word] });
    expect(worst([of('PASS'), of('NOISY')])).toEqual(of('NOISY'));
    expect(worst([of('NOISY'), of('FAIL'), of('NOISY')])).toEqual({
      word: 'FAIL',
      reasons: ['NOISY', 'FAIL'],
    });
    expect(worst([])).toEqual(of('PASS'));
  });
});

it('tells times with three digits', () => {
  expect([0, 7, 9.49, 999, 1000, 12_345, 999_600, 1e9, 4e11, 1e-6, -12_345].map(nsText)).toEqual([
    '0 ns',
    '7 ns',
    '9.49 ns',
    '999 ns',
    '1.00 µs',
    '12.3 µs',
    '1.00 ms',
    '1.00 s',
    '400 s',
    '0.000001 ns',
    '−12.3 µs',
  ]);
});

it('tells no time of what was not measured, and no quantile of fewer samples than it takes', () => {
  const of = (count: number) => ({ count, p50: 1, p90: 2, p99: 3, p999: 4, p9999: 5, max: 6 });
  expect([0, 1, 250, 10_000].map((count) => quantileCells(of(count)))).toEqual([
    ['0', '–', '–', '–', '–', '–', '–'],
    ['1', '1 ns', '–', '–', '–', '–', '6 ns'],
    ['250', '1 ns', '2 ns', '3 ns', '–', '–', '6 ns'],
    ['10000', '1 ns', '2 ns', '3 ns', '4 ns', '5 ns', '6 ns'],
  ]);
});
