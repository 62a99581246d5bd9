import path from 'node:path';
import { keepOffGenerator } from '#native';
import { DepthwireError, explain } from '../errors.js';
import { LoadMeter, type MachineLoad } from './machine.js';
import { type Arrivals, checkSize, measureWire, type WirePlan, type WireReport } from './measure.js';
import { paired, ratioText } from './paired.js';
import type { Line, Scenario, ScenarioResult, Table, Wish } from './result.js';
import { type ServerSpec, startTarget, type Target } from './target.js';
import { nsText, QUANTILE_HEADS, quantileCells, quietText, timeCell } from './time-text.js';
import { judgeTarget, type Verdict, worst } from './verdict.js';

/** A server to be measured, and what it is called. */
export interface Measured {
  readonly name: string;
  readonly spec: ServerSpec;
  /** Subscribers beside the counted ones that never read. */
  readonly stalled?: number;
}

/** What was measured, beside what. */
export interface Ran {
  readonly report: WireReport;
  readonly load: MachineLoad;
  readonly verdict: Verdict;
  readonly plan: Asked;
}

export type Asked = Omit<WirePlan, 'targets'>;

export const CONTROL: Measured = { name: 'control', spec: { kind: 'bare' } };
export const DEPTHWIRE: Measured = { name: 'depthwire', spec: { kind: 'depthwire' } };

const RATE = 2000;
const SECONDS = 10;
const SECONDS_QUICK = 1;
const WARM_SECONDS = 1;
const WARM_SECONDS_QUICK = 0.3;
const CHANGES = 4;
/** Messages that are due at once, of arrivals in bursts. */
const BURST = 10;
/** However long the run: a server whose turn it is not gets no answer to its pings. */
const BLOCK_SECONDS = 0.5;
const DRAIN_SECONDS = 3;
const SUBSCRIBERS = [1, 10, 50] as const;
const SUBSCRIBERS_QUICK = [1, 50] as const;
/** What starting two servers and connecting to them takes, about. */
const START_SECONDS = 1.5;

/**
 * Starts the servers, runs the plan over all of them by turns, ends them. `watch` looks at them while it runs, until what it returns is
 * called. Throws `bench.*` where it cannot begin.
 */
export async function overWire(
  measured: readonly Measured[],
  asked: Asked,
  signal?: AbortSignal,
  watch?: (targets: readonly Target[]) => () => void,
): Promise<Ran> {
  const targets: Target[] = [];
  // A process has the cores of the thread that started it; see `crates/latency/src/cores.rs`.
  const isKeptOff = keepOffGenerator(true);
  try {
    for (const { name, spec } of measured) targets.push(await startTarget(name, spec));
    const meter = new LoadMeter(targets.map(({ pid }) => pid));
    const wires = targets.map(({ wire, pid }, at) => ({
      ...wire,
      pid,
      stalled: measured[at]?.stalled ?? 0,
    }));
    const unwatch = watch?.(targets);
    let report: WireReport;
    try {
      report = await measureWire({ ...asked, targets: wires }, signal);
    } finally {
      unwatch?.();
    }
    const load = meter.stop();
    const died = targets.flatMap(({ name, ended }) => {
      const why = ended();
      return why === undefined ? [] : [`${name} ended: ${why}`];
    });
    const ended = report.ended === null ? undefined : [`${report.ended.what} (${report.ended.got})`, ...died];
    const verdicts = report.targets.map((target) => judgeTarget(target, load, ended?.join('; ')));
    const generatorCore = isKeptOff ? report.generatorCore : null;
    return { report: { ...report, generatorCore }, load, verdict: worst(verdicts), plan: asked };
  } finally {
    keepOffGenerator(false);
    await Promise.all(targets.map((target) => target.stop()));
  }
}

/** The server, the control, and what else is to run beside it. */
function serversOf({ beside = [] }: Wish): readonly Measured[] {
  const others = beside.map((text): Measured => {
    if (text === 'ws') return { name: text, spec: { kind: 'ws' } };
    const command = text.split(' ').filter((part) => part !== '');
    const [file, ...args] = command;
    if (file === undefined)
      throw new DepthwireError('bench.beside', {
        what: 'no server to run beside',
        expected: 'ws, or a program with its arguments',
        got: 'an empty text',
        fix: 'leave --beside out, or name one',
      });
    return { name: [path.basename(file), ...args].join(' '), spec: { kind: 'program', command } };
  });
  // Names tell servers apart in tables and files.
  const named = others.map((one, at) => {
    const before = others.slice(0, at).filter(({ name }) => name === one.name).length;
    return before === 0 ? one : { ...one, name: `${one.name} ${before + 1}` };
  });
  return [CONTROL, DEPTHWIRE, ...named];
}

/** As a wish has it. */
export function asked(wish: Wish, subscribers: number): Asked {
  return {
    subscribers,
    arrivals: arrivalsOf(wish),
    warmSeconds: warmOf(wish),
    seconds: secondsOf(wish),
    blockSeconds: Math.min(BLOCK_SECONDS, secondsOf(wish)),
    changes: wish.changes ?? CHANGES,
    drainSeconds: DRAIN_SECONDS,
  };
}

/** Of a run over the wire. */
export function checkAsked({ arrivals, warmSeconds, seconds, subscribers }: Asked): Promise<void> {
  return checkSize({ arrivals, seconds: warmSeconds + seconds, subscribers });
}

function arrivalsOf({ arrivals = 'even', rate = RATE }: Wish): Arrivals {
  if (arrivals === 'poisson') return { kind: arrivals, rate, seed: 1 };
  return arrivals === 'bursts' ? { kind: arrivals, rate, size: BURST } : { kind: arrivals, rate };
}

export function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? SECONDS_QUICK : SECONDS);
}

function warmOf({ isQuick }: Wish): number {
  return isQuick ? WARM_SECONDS_QUICK : WARM_SECONDS;
}

/** Planned time to arrival, by one generator thread, server after server. */
export const WIRE: Scenario = {
  name: 'wire',
  summary:
    'messages at planned times to the server and back to a subscriber, beside a bare uWebSockets server',
  takes: ['seconds', 'rate', 'subscribers', 'changes', 'arrivals', 'beside'],
  seconds: (wish) => serversOf(wish).length * (secondsOf(wish) + warmOf(wish)) + START_SECONDS,
  check: (wish) => checkAsked(asked(wish, wish.subscribers?.[0] ?? 1)),
  async run(wish) {
    const [subscribers = 1] = wish.subscribers ?? [1];
    const ran = await overWire(serversOf(wish), asked(wish, subscribers), wish.signal);
    return {
      ...resultOf('wire', 'From the planned time to the subscriber', [ran]),
      tables: [timesTable(ran, subscribers), countsTable([ran])],
    };
  },
};

function stepsOf({ subscribers, isQuick }: Wish): readonly number[] {
  return subscribers ?? (isQuick ? SUBSCRIBERS_QUICK : SUBSCRIBERS);
}

function stepOf(wish: Wish, subscribers: number): Asked {
  return { ...asked(wish, subscribers), seconds: secondsOf(wish) / 2 };
}

/** The same with more and more subscribers. */
export const FANOUT: Scenario = {
  name: 'fanout',
  summary: 'the same with more and more subscribers, and how far apart the first and the last of them are',
  takes: ['seconds', 'rate', 'subscribers', 'changes', 'arrivals', 'beside'],
  seconds: (wish) => {
    const steps = stepsOf(wish).length;
    return steps * (serversOf(wish).length * (secondsOf(wish) / 2 + warmOf(wish)) + START_SECONDS);
  },
  async check(wish) {
    for (const subscribers of stepsOf(wish)) await checkAsked(stepOf(wish, subscribers));
  },
  async run(wish) {
    const rans: Ran[] = [];
    const tables: Table[] = [];
    const ended: string[] = [];
    for (const subscribers of stepsOf(wish)) {
      const plan = stepOf(wish, subscribers);
      try {
        const ran = await overWire(serversOf(wish), plan, wish.signal);
        rans.push(ran);
        tables.push(timesTable(ran, subscribers), skewTable(ran));
      } catch (error) {
        // What the steps before it found is still a result.
        if (rans.length === 0) throw error;
        ended.push(`${subscribers} subscribers: ${explain(error).replaceAll(/\s*\n\s*/g, ', ')}`);
      }
      if (wish.signal?.aborted || ended.length > 0) break;
    }
    const result = resultOf('fanout', 'With more and more subscribers', rans);
    const cut: Verdict[] = ended.length === 0 ? [] : [{ word: 'FAIL', reasons: ended }];
    return {
      ...result,
      verdict: worst([result.verdict, ...cut]),
      tables: [...tables, countsTable(rans)],
    };
  },
};

export function timesTable({ report }: Ran, subscribers: number): Table {
  const rows = report.targets.flatMap((target) => [
    [`${target.name}, all`, ...quantileCells(target.fromPlanned)],
    [`${target.name}, ${quietText(target.quietShare)}`, ...quantileCells(target.fromPlannedQuiet)],
    [`${target.name}, from the actual sending`, ...quantileCells(target.fromSent)],
  ]);
  const hiccups = report.targets[0]?.hiccups;
  if (hiccups !== undefined) rows.push(['hiccups of the machine', ...quantileCells(hiccups)]);
  const title = `${subscribers} ${subscribers === 1 ? 'subscriber' : 'subscribers'}`;
  return { title, heads: ['from the planned time', ...QUANTILE_HEADS], rows };
}

function skewTable({ report }: Ran): Table {
  const spread = (of: 'p50' | 'p99', figures: readonly number[], count: number): string =>
    figures.map((ns) => timeCell(of, ns, count)).join(' / ');
  return {
    title: 'between subscribers: least, middle and greatest of their own figures',
    heads: ['server', 'p50', 'p99', 'last behind first, p50', 'p99'],
    rows: report.targets.map((target) => [
      target.name,
      spread('p50', target.subscribersP50, target.counted),
      spread('p99', target.subscribersP99, target.counted),
      timeCell('p50', target.skew.p50, target.skew.count),
      timeCell('p99', target.skew.p99, target.skew.count),
    ]),
  };
}

export function countsTable(rans: readonly Ran[]): Table {
  return {
    title: 'what was sent and what came',
    heads: ['server', 'planned', 'sent', 'late', 'deliveries', 'lost', 'lateness p99', 'p50 of the first'],
    rows: rans.flatMap(({ report }) =>
      report.targets.map((target) => [
        target.name,
        String(target.planned),
        String(target.sent),
        String(target.late),
        String(target.deliveries),
        String(target.lost),
        timeCell('p99', target.lateness.p99, target.lateness.count),
        target === report.targets[0] ? '' : ratioText(paired(report.targets[0], target, 'p50')),
      ]),
    ),
  };
}

/** All but the tables. */
export function resultOf(
  scenario: string,
  title: string,
  rans: readonly Ran[],
): Omit<ScenarioResult, 'tables'> {
  const all = rans.flatMap(({ report }, at) =>
    report.targets.map((target) => ({
      target,
      name: rans.length > 1 ? `${target.name}-${at + 1}` : target.name,
    })),
  );
  const lines: Line[] = all.map(({ target, name }) => ({
    name,
    curve: target.curve,
    intervals: target.intervals,
    hiccups: target.intervalHiccups,
  }));
  const first = all[0]?.target;
  if (first !== undefined)
    lines.push({ name: 'hiccups', curve: first.hiccupCurve, intervals: [], hiccups: [] });
  return {
    scenario,
    title,
    verdict: worst(rans.map(({ verdict }) => verdict)),
    notes: rans[0] === undefined ? [] : notesOf(rans[0]),
    lines,
    files: all.flatMap(({ target, name }) => [
      { name: `${fileName(scenario, name)}.hgrm`, text: target.hgrm },
      { name: `${fileName(scenario, name)}.hlog`, text: target.hlog },
    ]),
    data: rans,
  };
}

/** How the figures of a run are to be read. */
function notesOf({ report: { targets, generatorCore }, plan }: Ran): readonly string[] {
  const notes = [
    'Times run from when a message should have left, so a server that stops is charged for all that it kept waiting.',
    'Planned time → socket → server → WebSocket → the read that brought the frame, all on this machine.',
    'Without hiccups: of the messages that were due while no thread of this machine was kept waiting by another program. What a server itself held up counts.',
  ];
  if (targets.some(({ name }) => name === CONTROL.name))
    notes.push('The control publishes the same frames by uWebSockets.js and keeps no book.');
  if (targets.length > 1) notes.push(`Servers take turns, ${nsText(plan.blockSeconds * 1e9)} each.`);
  notes.push(
    generatorCore === null
      ? 'Generator and servers were left to the system, which may let them wait for one another.'
      : `The generator was kept on core ${generatorCore}, servers and the log of hiccups off it; other programs were not.`,
  );
  return notes;
}

function fileName(scenario: string, name: string): string {
  return `${scenario}-${name.replaceAll(/[^\w.-]+/g, '-')}`;
}
