import type { Scenario, ScenarioResult, Wish } from './result.js';
import { nsText } from './time-text.js';
import { type Verdict, worst } from './verdict.js';
import { type Asked, CONTROL, overWire, type Ran, resultOf } from './wire.js';

/** The tool held against what is known beforehand. */
interface Trial {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  readonly holds: boolean;
}

/** A stall of a twentieth of the run: 2.5 % of the messages wait for more than half of it, 1 % for more than four fifths. */
const STALL_SHARE = 0.05;
const STALL_TOLERANCE = 0.05;
/** Rates at which a stall is looked at. */
const STALL_RATES = [500, 2000, 8000] as const;
const BUSY_US = 100;
const BUSY_TOLERANCE_NS = 5000;
/** What one run shows of another, where both are the same, is chance. */
const CLOSED_SHARE_MAX = 0.1;

const BASE: Asked = {
  subscribers: 1,
  arrivals: { kind: 'even', rate: 2000 },
  warmSeconds: 0.5,
  seconds: 10,
  blockSeconds: 0.5,
  changes: 4,
  drainSeconds: 3,
};

/** Proves on this machine that the figures are what they say. */
export const PROOF: Scenario = {
  name: 'proof',
  summary: 'the tool’s own truth: a known stall, a known delay, and runs that must not pass',
  takes: ['seconds'],
  seconds: (wish) => 3 * (secondsOf(wish) + 2) + 2 * (secondsOf(wish) + 2) + 12,
  async run(wish) {
    const seconds = secondsOf(wish);
    const trials: Trial[] = [];
    const rans: Ran[] = [];
    for (const rate of STALL_RATES) {
      const ran = await stalled(rate, seconds, wish);
      rans.push(ran);
      trials.push(...stallTrials(rate, seconds, ran));
    }
    const delayed = await overWire(
      [CONTROL, { name: 'delayed', spec: { kind: 'bare', busyUs: BUSY_US } }],
      { ...BASE, seconds },
      wish.signal,
    );
    rans.push(delayed);
    trials.push(delayTrial(delayed));
    trials.push(...(await failTrials(wish)));
    return { ...result(rans), verdict: worst([verdictOf(trials)]), tables: [tableOf(trials)] };
  },
};

function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? 2 : 10);
}

function stalled(rate: number, seconds: number, wish: Wish): Promise<Ran> {
  const ms = seconds * 1000 * STALL_SHARE;
  // Early enough that what waited is taken within the run.
  const atMessage = Math.round(rate * (BASE.warmSeconds + seconds / 3));
  const spec = { kind: 'bare', stall: { atMessage, ms } } as const;
  const plan: Asked = { ...BASE, seconds, arrivals: { kind: 'even', rate } };
  return overWire([{ name: `stalled-at-${rate}`, spec }], plan, wish.signal);
}

function stallTrials(rate: number, seconds: number, { report }: Ran): readonly Trial[] {
  const found = report.targets[0];
  const stallNs = seconds * 1e9 * STALL_SHARE;
  const at = (name: 'p975' | 'p99', share: number): Trial => {
    const [want, got] = [stallNs * share, found?.fromPlanned[name] ?? 0];
    return {
      what: `a stall of ${nsText(stallNs)} at ${rate}/s, ${name === 'p975' ? 'p97.5' : 'p99'}`,
      expected: `${nsText(want)} ± 5 %`,
      got: nsText(got),
      holds: Math.abs(got / want - 1) <= STALL_TOLERANCE,
    };
  };
  const closed = found?.closedLoop.p99 ?? 0;
  const limit = (found?.fromPlanned.p99 ?? 0) * CLOSED_SHARE_MAX;
  const blind: Trial = {
    what: `what a client that waits for answers would say of it at ${rate}/s, p99`,
    expected: `below ${nsText(limit)}, a tenth of the truth`,
    got: nsText(closed),
    holds: closed < limit,
  };
  return [at('p975', 0.5), at('p99', 0.8), blind];
}

/** Of the differences of blocks side by side, the median. */
function delayTrial({ report }: Ran): Trial {
  const [control, delayed] = report.targets;
  const differences = (delayed?.intervals ?? [])
    .map(({ p50 }, at) => p50 - (control?.intervals[at]?.p50 ?? 0))
    .sort((a, b) => a - b);
  const got = differences[differences.length >> 1] ?? 0;
  return {
    what: `a server that works for ${BUSY_US} µs more, p50`,
    expected: `${BUSY_US} ± ${BUSY_TOLERANCE_NS / 1000} µs above the control`,
    got: `${nsText(got)} above it`,
    holds: Math.abs(got - BUSY_US * 1000) <= BUSY_TOLERANCE_NS,
  };
}

/** Runs that must end with FAIL. */
async function failTrials({ signal }: Wish): Promise<readonly Trial[]> {
  const short: Asked = { ...BASE, seconds: 1, warmSeconds: 0.2, drainSeconds: 0.5 };
  const overloaded = await overWire(
    [{ name: 'overloaded', spec: { kind: 'bare', busyUs: 1000 } }],
    { ...short, arrivals: { kind: 'even', rate: 5000 } },
    signal,
  );
  const lossy = await overWire([{ name: 'lossy', spec: { kind: 'bare', dropEach: 500 } }], short, signal);
  const late = await overWire([{ name: 'late', spec: { kind: 'bare' } }], { ...short, pauseMs: 100 }, signal);
  const told = (what: string, { verdict }: Ran): Trial => ({
    what,
    expected: 'FAIL',
    got: `${verdict.word}: ${verdict.reasons[0] ?? ''}`,
    holds: verdict.word === 'FAIL',
  });
  return [
    told('a server that is given five times what it takes', overloaded),
    told('a server that loses one message of 500', lossy),
    told('a generator that stands still for 100 ms', late),
  ];
}

function tableOf(trials: readonly Trial[]): ScenarioResult['tables'][number] {
  return {
    title: 'what is known beforehand, and what was measured',
    heads: ['what', 'must be', 'is', ''],
    rows: trials.map(({ what, expected, got, holds }) => [
      what,
      expected,
      got,
      holds ? 'holds' : 'DOES NOT HOLD',
    ]),
  };
}

function verdictOf(trials: readonly Trial[]): Verdict {
  const wrong = trials.filter(({ holds }) => !holds);
  const reasons = wrong.map(({ what, expected, got }) => `${what}: ${expected}, is ${got}`);
  return { word: wrong.length === 0 ? 'PASS' : 'FAIL', reasons };
}

function result(rans: readonly Ran[]): Omit<ScenarioResult, 'tables'> {
  const notes = [
    'The control is stopped, slowed and made lossy on purpose. Where this does not hold, no figure of this machine is to be believed.',
  ];
  return { ...resultOf('proof', 'The tool’s own truth', rans), notes };
}
