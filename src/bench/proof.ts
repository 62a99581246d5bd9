import { ENDED_EARLY, overWireUntil } from './interrupted.js';
import type { TargetReport } from './measure.js';
import type { Scenario, ScenarioResult, Wish } from './result.js';
import { NONE, nsText, timeCell } from './time-text.js';
import { isLate, isSent, type Verdict } from './verdict.js';
import { type Asked, CONTROL, type Measured, type Ran, resultOf } from './wire.js';

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
/** A server that is given five times what it takes keeps messages for longer than a hundred of its own. */
const OVERLOADED_NS = 100_000_000;
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
  seconds: (wish) => 3 * (secondsOf(wish) + 2) + 2 * (secondsOf(wish) + 2) + 16,
  async run(wish) {
    const seconds = secondsOf(wish);
    const trials: Trial[] = [];
    const rans: Ran[] = [];
    /** Undefined where the proof is ended: what a run has that was cut short holds nothing. */
    const ran: Runs = async (server, plan) => {
      const found = await overWireUntil(server, plan, wish.signal);
      if (found === undefined || wish.signal?.aborted === true) return undefined;
      return found;
    };
    const isWhole = await prove(ran, seconds, trials, rans);
    const verdict = verdictOf(trials, isWhole ? [] : [ENDED_EARLY]);
    return { ...result(rans), verdict, tables: [tableOf(trials)] };
  },
};

type Runs = (servers: readonly Measured[], plan: Asked) => Promise<Ran | undefined>;

/** One trial after another; whether none was left out. */
async function prove(ran: Runs, seconds: number, trials: Trial[], rans: Ran[]): Promise<boolean> {
  for (const rate of STALL_RATES) {
    const found = await stalled(rate, seconds, ran);
    if (found === undefined) return false;
    rans.push(found);
    trials.push(...stallTrials(rate, seconds, found));
  }
  const delayed = await ran([CONTROL, { name: 'delayed', spec: { kind: 'bare', busyUs: BUSY_US } }], {
    ...BASE,
    seconds,
  });
  if (delayed === undefined) return false;
  rans.push(delayed);
  trials.push(delayTrial(delayed));
  for (const planted of PLANTED) {
    const impaired = await ran([planted.server], planted.plan);
    const plain = impaired && (await ran([CONTROL], { ...planted.plan, pauseMs: 0 }));
    if (impaired === undefined || plain === undefined) return false;
    trials.push(plantedTrial(planted, impaired, plain));
  }
  return true;
}

function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? 2 : 10);
}

function stalled(rate: number, seconds: number, ran: Runs): Promise<Ran | undefined> {
  const ms = seconds * 1000 * STALL_SHARE;
  // Early enough that what waited is taken within the run.
  const atMessage = Math.round(rate * (BASE.warmSeconds + seconds / 3));
  const spec = { kind: 'bare', stall: { atMessage, ms } } as const;
  const plan: Asked = { ...BASE, seconds, arrivals: { kind: 'even', rate } };
  return ran([{ name: `stalled-at-${rate}`, spec }], plan);
}

function stallTrials(rate: number, seconds: number, { report }: Ran): readonly Trial[] {
  const found = report.targets[0];
  const stallNs = seconds * 1e9 * STALL_SHARE;
  const at = (name: 'p975' | 'p99', share: number): Trial => {
    const [want, got] = [stallNs * share, found?.fromPlanned[name] ?? 0];
    return {
      what: `a stall of ${nsText(stallNs)} at ${rate}/s, ${name === 'p975' ? 'p97.5' : 'p99'}`,
      expected: `${nsText(want)} ± 5 %`,
      got: found === undefined || found.fromPlanned.count === 0 ? NONE : nsText(got),
      holds: Math.abs(got / want - 1) <= STALL_TOLERANCE,
    };
  };
  const closed = found?.closedLoop.p99 ?? 0;
  const limit = (found?.fromPlanned.p99 ?? 0) * CLOSED_SHARE_MAX;
  const blind: Trial = {
    what: `what a client that waits for answers would say of it at ${rate}/s, p99`,
    expected: `below ${nsText(limit)}, a tenth of the truth`,
    got: timeCell('p99', closed, found?.closedLoop.count ?? 0),
    holds: closed < limit,
  };
  return [at('p975', 0.5), at('p99', 0.8), blind];
}

/** Of the differences of blocks side by side, the median. */
function delayTrial({ report }: Ran): Trial {
  const [control, delayed] = report.targets;
  const differences = (delayed?.intervals ?? [])
    .flatMap(({ count, p50 }, at) => {
      const beside = control?.intervals[at];
      return count === 0 || beside === undefined || beside.count === 0 ? [] : [p50 - beside.p50];
    })
    .sort((a, b) => a - b);
  const got = differences[differences.length >> 1] ?? 0;
  return {
    what: `a server that works for ${BUSY_US} µs more, p50`,
    expected: `${BUSY_US} ± ${BUSY_TOLERANCE_NS / 1000} µs above the control`,
    got: `${nsText(got)} above it`,
    holds: Math.abs(got - BUSY_US * 1000) <= BUSY_TOLERANCE_NS,
  };
}

/** What is done to a run that must then fail, and fail for that. */
export interface Planted {
  readonly what: string;
  readonly server: Measured;
  readonly plan: Asked;
  /** What is looked for. */
  readonly reason: string;
  readonly isSeen: (target: TargetReport) => boolean;
  readonly told: (target: TargetReport) => string;
}

const SHORT: Asked = { ...BASE, seconds: 1, warmSeconds: 0.2, drainSeconds: 0.5 };

export const PLANTED: readonly Planted[] = [
  {
    what: 'a server that is given five times what it takes',
    server: { name: 'overloaded', spec: { kind: 'bare', busyUs: 1000 } },
    plan: { ...SHORT, arrivals: { kind: 'even', rate: 5000 } },
    reason: `not all sent, or p99 above ${nsText(OVERLOADED_NS)}`,
    isSeen: (target) => !isSent(target) || target.fromPlanned.p99 > OVERLOADED_NS,
    told: ({ sent, planned, fromPlanned: { count, p99 } }) =>
      `sent ${sent} of ${planned}, p99 ${timeCell('p99', p99, count)}`,
  },
  {
    what: 'a server that loses one message of 500',
    server: { name: 'lossy', spec: { kind: 'bare', dropEach: 500 } },
    plan: SHORT,
    reason: 'lost deliveries',
    isSeen: ({ lost }) => lost > 0,
    told: ({ lost }) => `${lost} lost`,
  },
  {
    what: 'a generator that stands still for 100 ms',
    server: { name: 'late', spec: { kind: 'bare' } },
    plan: { ...SHORT, pauseMs: 100 },
    reason: 'messages that left late',
    isSeen: isLate,
    told: ({ late }) => `${late} late`,
  },
];

/** Holds where the run failed for what was planted, and one of the same length without it does not show that. */
export function plantedTrial({ what, reason, isSeen, told }: Planted, impaired: Ran, plain: Ran): Trial {
  const [impairedTarget, plainTarget] = [impaired.report.targets[0], plain.report.targets[0]];
  const text = (target: TargetReport | undefined): string => (target === undefined ? NONE : told(target));
  return {
    what,
    expected: `FAIL for ${reason}, which a run without it does not have`,
    got: `${impaired.verdict.word}, ${text(impairedTarget)}; without it ${text(plainTarget)}`,
    holds:
      impaired.verdict.word === 'FAIL' &&
      impairedTarget !== undefined &&
      plainTarget !== undefined &&
      isSeen(impairedTarget) &&
      !isSeen(plainTarget),
  };
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

/** `cut`: why not all was proved, if so. */
function verdictOf(trials: readonly Trial[], cut: readonly string[]): Verdict {
  const wrong = trials.filter(({ holds }) => !holds);
  const reasons = wrong.map(({ what, expected, got }) => `${what}: ${expected}, is ${got}`);
  return { word: reasons.length + cut.length === 0 ? 'PASS' : 'FAIL', reasons: [...cut, ...reasons] };
}

function result(rans: readonly Ran[]): Omit<ScenarioResult, 'tables'> {
  const notes = [
    'The control is stopped, slowed and made lossy on purpose. Where this does not hold, no figure of this machine is to be believed.',
  ];
  return { ...resultOf('proof', 'The tool’s own truth', rans), notes };
}
