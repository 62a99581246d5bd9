import { readFileSync } from 'node:fs';
import type { Interval } from './measure.js';
import type { Scenario, Wish } from './result.js';
import { NONE, nsText, SAMPLES_LEAST } from './time-text.js';
import { type Verdict, worst } from './verdict.js';
import {
  type Asked,
  asked,
  CONTROL,
  checkAsked,
  countsTable,
  DEPTHWIRE,
  overWire,
  resultOf,
  timesTable,
} from './wire.js';

/** Of the server and of its control each. */
const SECONDS = 1800;
const SECONDS_QUICK = 5;
/** Within the first tenth of an hour a server has its rings and kept frames full, which takes some 45,000 messages. */
const RATE = 1000;
const SUBSCRIBERS = 5;
const TENTHS = 10;
/** From here on what grows is no warming up. */
const LONG_SECONDS = 600;
/** The last tenth over the first one. */
const GROWTH_MAX = 1.05;
/** The same of p99, which is the machine's more than the server's: what is beyond is told, and fails nothing. */
const GROWTH_P99_MAX = 1.5;
/** One of a hundred: of fewer it would be the greatest. */
const P99_SAMPLES = SAMPLES_LEAST.p99;
/** Looks at the memory of the server, in all. */
const LOOKS = 600;
/** Share of a tenth at which garbage is collected. */
const COLLECTED_AT = 0.9;

const KEPT_NOTE =
  'Memory that is kept: resident bytes but for what the heap does not use, when garbage has been collected near the end of a tenth of ten minutes or more.';

interface Look {
  /** Share of the run. */
  readonly at: number;
  readonly bytes: number;
}

/**
 * For hours: what grows. A machine is not as fast in one hour as in the next, by more than any growth that is looked for, so the server's
 * times are held to those of a control that takes turns with it.
 */
export const SOAK: Scenario = {
  name: 'soak',
  summary:
    'for an hour (--seconds 43200: a day), beside a control: memory and times by tenths of it, and whether they grow',
  takes: ['seconds', 'rate', 'subscribers', 'changes', 'arrivals'],
  seconds: (wish) => wholeSeconds(planOf(wish)) + 4,
  check: (wish) => checkAsked(planOf(wish)),
  async run(wish) {
    const plan = planOf(wish);
    const looks: Look[] = [];
    const kept: Look[] = [];
    const ran = await overWire([CONTROL, DEPTHWIRE], plan, wish.signal, (servers) => {
      const began = performance.now();
      let collected = 0;
      const look = (): void => {
        const at = Math.min((performance.now() - began) / (1000 * wholeSeconds(plan)), 0.999);
        looks.push({ at, bytes: residentBytes(servers[1]?.pid ?? 0) });
        // It takes tens of milliseconds, which of a short run would be its p99.
        if (wholeSeconds(plan) < LONG_SECONDS || at * TENTHS < collected + COLLECTED_AT) return;
        collected += 1;
        servers[0]?.collect(() => {});
        servers[1]?.collect((bytes) => kept.push({ at, bytes }));
      };
      const timer = setInterval(look, Math.max(50, (wholeSeconds(plan) * 1000) / LOOKS));
      return () => clearInterval(timer);
    });
    const [control, server] = ran.report.targets;
    const tenths = tenthsOf(server?.intervals ?? [], control?.intervals ?? [], looks, kept);
    const growth = growthOf(tenths, wholeSeconds(plan));
    const result = resultOf('soak', `${nsText(wholeSeconds(plan) * 1e9)} on end`, [ran]);
    return {
      ...result,
      notes: [...result.notes, KEPT_NOTE],
      verdict: worst([ran.verdict, growth]),
      tables: [
        {
          title: 'by tenths of the time',
          heads: [
            'tenth',
            'samples',
            'p50, middle',
            'over the control’s',
            'p99, middle',
            'greatest',
            'memory, least',
            'memory, most',
            'memory, kept',
          ],
          rows: tenths.map(({ samples, p50, overControl, p99, max, least, most, kept }, at) => [
            String(at + 1),
            String(samples),
            p50 === null ? NONE : nsText(p50),
            overControl === null ? NONE : overControl.toFixed(3),
            ...[p99, max].map((ns) => (ns === null ? NONE : nsText(ns))),
            ...[least, most, kept].map((bytes) =>
              bytes === null ? NONE : `${(bytes / 2 ** 20).toFixed(1)} MiB`,
            ),
          ]),
        },
        timesTable(ran, plan.subscribers),
        countsTable([ran]),
      ],
      data: { ran, tenths, looks, kept },
    };
  },
};

function planOf(wish: Wish): Asked {
  const seconds = wish.seconds ?? (wish.isQuick ? SECONDS_QUICK : SECONDS);
  return asked({ ...wish, rate: wish.rate ?? RATE, seconds }, wish.subscribers?.[0] ?? SUBSCRIBERS);
}

/** Both take their turns. */
function wholeSeconds({ seconds, warmSeconds }: Asked): number {
  return 2 * (seconds + warmSeconds);
}

/** What was so in a tenth of the run; null = nothing is known. */
interface Tenth {
  readonly samples: number;
  /** Middle of its intervals' own, ns. */
  readonly p50: number | null;
  /** Middle of its intervals' p50 over that of the control's interval beside it. */
  readonly overControl: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  /** Memory of the server, bytes. */
  readonly least: number | null;
  readonly most: number | null;
  /** Behind a collection of garbage: how high it rises before is the collector's. */
  readonly kept: number | null;
}

/** By the intervals and looks that begin in each tenth. `kept`: memory behind collections. */
export function tenthsOf(
  intervals: readonly Interval[],
  control: readonly Interval[],
  looks: readonly Look[],
  kept: readonly Look[],
): readonly Tenth[] {
  const end = (intervals.at(-1)?.fromNs ?? 0) + 1;
  return Array.from({ length: TENTHS }, (_, tenth) => {
    const within = (share: number): boolean => Math.floor(share * TENTHS) === tenth;
    const mine = intervals.filter(({ fromNs, count }) => count > 0 && within(fromNs / end));
    const bytes = looks.flatMap((look) => (within(look.at) && look.bytes > 0 ? [look.bytes] : []));
    return {
      samples: mine.reduce((sum, { count }) => sum + count, 0),
      p50: middle(mine.map(({ p50 }) => p50)),
      overControl: middle(
        intervals.flatMap(({ fromNs, count, p50 }, at) => {
          const beside = control[at];
          const isBoth = count > 0 && beside !== undefined && beside.count > 0;
          return isBoth && within(fromNs / end) ? [p50 / beside.p50] : [];
        }),
      ),
      p99: middle(mine.flatMap(({ count, p99 }) => (count >= P99_SAMPLES ? [p99] : []))),
      max: mine.length === 0 ? null : Math.max(...mine.map(({ max }) => max)),
      least: bytes.length === 0 ? null : Math.min(...bytes),
      most: bytes.length === 0 ? null : Math.max(...bytes),
      kept: kept.find((look) => within(look.at))?.bytes ?? null,
    };
  });
}

/**
 * Growth within some minutes may be of a server that warms up; of a longer run it is a fault, but for p99. Of a run without a sample
 * there is nothing to be said.
 */
export function growthOf(tenths: readonly Tenth[], seconds: number): Verdict {
  const [first, last] = [tenths[0], tenths[TENTHS - 1]];
  const grown = (of: 'kept' | 'overControl' | 'p99', what: string, limit: number): readonly string[] => {
    const [was, is] = [first?.[of] ?? null, last?.[of] ?? null];
    if (was === null || is === null || is / was <= limit) return [];
    return [`${what} of the last tenth is ${((is / was - 1) * 100).toFixed(1)} % above that of the first`];
  };
  const faults = [
    ...grown('kept', 'memory that is kept', GROWTH_MAX),
    ...grown('overControl', 'p50 over the control’s', GROWTH_MAX),
  ];
  const doubts = [...grown('p99', 'p99', GROWTH_P99_MAX)];
  const hasRun = tenths.some(({ samples }) => samples > 0);
  if (hasRun && seconds >= LONG_SECONDS && (first?.kept == null || last?.kept == null))
    doubts.push('the memory of the server is not known here');
  const reasons = [...faults, ...doubts];
  if (faults.length > 0 && seconds >= LONG_SECONDS) return { word: 'FAIL', reasons };
  return { word: reasons.length === 0 ? 'PASS' : 'NOISY', reasons };
}

function middle(values: readonly number[]): number | null {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? null;
}

function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}
