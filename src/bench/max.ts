import { explain } from '../errors.js';
import { ENDED_EARLY, overWireUntil } from './interrupted.js';
import type { TargetReport } from './measure.js';
import type { Scenario, ScenarioResult, Wish } from './result.js';
import { NONE, nsText, timeCell } from './time-text.js';
import { isLate, isSent, type Verdict, worst } from './verdict.js';
import { type Asked, asked, checkAsked, DEPTHWIRE, type Ran, resultOf } from './wire.js';

/** At 99 %, from the planned time. */
const LIMIT_US = 1000;
const RATE_LEAST = 1000;
const RATE_MOST = 1_000_000;
const SECONDS = 2;
const SECONDS_QUICK = 0.5;
/** Between a rate that holds and one that does not. */
const PRECISION = 1.1;
/** Tries of a rate that does not hold: a hiccup of the machine is no limit of the server. */
const TRIES = 2;

/** What a run says of a rate. `no answer`: the generator or the machine was in the way, which is nothing of the server. */
interface Answer {
  readonly word: 'holds' | 'does not hold' | 'no answer';
  readonly why: string;
}

interface Step extends Answer {
  readonly rate: number;
  readonly ran: Ran;
}

/** What the search came to, and why it ended. */
export interface Highest {
  /** 0 = not even the first. */
  readonly rate: number;
  readonly end: 'found' | 'most' | 'no answer';
}

/** The highest rate at which a limit holds, nothing is lost and everything is sent. */
export const MAX: Scenario = {
  name: 'max',
  summary: `the highest rate whose p99 stays below a limit (--limit-us, ${LIMIT_US}), with nothing lost`,
  takes: ['seconds', 'rate', 'subscribers', 'changes', 'arrivals', 'limitUs'],
  seconds: ({ isQuick, seconds }) => 16 * ((seconds ?? (isQuick ? SECONDS_QUICK : SECONDS)) + 2),
  check: (wish) => checkAsked(stepOf(wish, wish.rate ?? RATE_LEAST)),
  async run(wish) {
    const limitNs = (wish.limitUs ?? LIMIT_US) * 1000;
    const steps: Step[] = [];
    const broken: string[] = [];
    const tried = async (rate: number): Promise<Answer['word']> => {
      const ran = await overWireUntil([DEPTHWIRE], stepOf(wish, rate), wish.signal).catch(
        (error: unknown) => {
          // What the steps before it found is still a result.
          if (steps.length === 0) throw error;
          broken.push(`${rate} messages a second: ${explain(error).replaceAll(/\s*\n\s*/g, ', ')}`);
          return undefined;
        },
      );
      if (ran === undefined) return 'no answer';
      const answer = answerOf(ran, limitNs);
      steps.push({ rate, ran, ...answer });
      return answer.word;
    };
    const answered = async (rate: number): Promise<Answer['word']> => {
      const words: Answer['word'][] = [];
      while (words.length < TRIES && broken.length === 0 && wish.signal?.aborted !== true) {
        words.push(await tried(rate));
        if (words.includes('holds')) return 'holds';
      }
      const isOver = wish.signal?.aborted === true;
      return !isOver && words.includes('does not hold') ? 'does not hold' : 'no answer';
    };
    const highest = await highestOf(wish.rate ?? RATE_LEAST, answered);
    const cut = wish.signal?.aborted === true ? [ENDED_EARLY] : broken;
    return { ...resultOfSteps(steps, highest, limitNs, cut), data: dataOf(steps, highest) };
  },
};

function stepOf(wish: Wish, rate: number): Asked {
  const seconds = wish.seconds ?? (wish.isQuick ? SECONDS_QUICK : SECONDS);
  const step = asked({ ...wish, rate, seconds }, wish.subscribers?.[0] ?? 1);
  return { ...step, warmSeconds: 0.3, drainSeconds: 1 };
}

/**
 * Whose it is that a rate does not hold. The server's: what is lost or not taken, and a limit that is exceeded on a quiet machine, or on
 * any one by half of the messages, counted from their sending too. Else a generator that was late, or a machine with other things to do,
 * leaves the rate without an answer.
 */
export function answerOf({ report, verdict }: Ran, limitNs: number): Answer {
  const target = report.targets[0];
  const ended = report.ended;
  if (target === undefined || ended?.code === 'bench.cancelled')
    return { word: 'no answer', why: ENDED_EARLY };
  const server = serversOwn(target, limitNs, verdict);
  if (ended !== null) {
    const word = ended.code === 'bench.server' ? 'does not hold' : 'no answer';
    return { word, why: `${ended.what} (${ended.got})` };
  }
  if (server !== undefined) return { word: 'does not hold', why: server };
  const { count, p99 } = target.fromPlanned;
  if (count === 0) return { word: 'no answer', why: 'nothing was counted' };
  if (isLate(target)) return { word: 'no answer', why: `the generator sent ${target.late} messages late` };
  if (p99 <= limitNs) return { word: 'holds', why: '' };
  const noise = verdict.reasons[0] ?? 'hiccups of the machine';
  return { word: 'no answer', why: `p99 is ${nsText(p99)}, but the machine was noisy: ${noise}` };
}

/** Why the server does not hold it, if it is the server. */
function serversOwn(target: TargetReport, limitNs: number, { word }: Verdict): string | undefined {
  const { lost, sent, planned, repeated, disordered, unknown, fromPlanned, fromPlannedQuiet, fromSent } =
    target;
  if (lost > 0) return `${lost} deliveries never came`;
  const wrong = repeated + disordered + unknown;
  if (wrong > 0) return `${wrong} deliveries came twice, out of order, or were of no message`;
  if (!isSent(target)) return `only ${sent} of ${planned} messages could be sent`;
  if (fromPlanned.p99 <= limitNs) return undefined;
  const isByAll = fromSent.min > limitNs;
  const isByHalf = fromPlannedQuiet.count > 0 && fromPlannedQuiet.p50 > limitNs && fromSent.p50 > limitNs;
  const isByItself = word === 'PASS' && fromPlannedQuiet.p99 > limitNs;
  return isByAll || isByHalf || isByItself ? `p99 is ${nsText(fromPlanned.p99)}` : undefined;
}

/** The best of the steps, and what they were. `cut`: why the search ended before its end, if it did. */
export function resultOfSteps(
  steps: readonly Step[],
  { end }: Highest,
  limitNs: number,
  cut: readonly string[],
): Omit<ScenarioResult, 'data'> {
  const best = steps.filter(({ word }) => word === 'holds').sort((a, b) => b.rate - a.rate)[0];
  const limit = nsText(limitNs);
  const isCut = cut.length > 0;
  const last = steps.at(-1);
  const unknown = `whether ${last?.rate ?? 0} messages a second hold it was not to be seen: ${last?.why ?? ''}`;
  const none =
    end === 'no answer'
      ? `no rate was found that holds p99 below ${limit}`
      : `not even ${steps[0]?.rate ?? 0} messages a second hold p99 below ${limit}`;
  const found =
    best === undefined
      ? none
      : end === 'found'
        ? `${best.rate} messages a second hold it`
        : end === 'most'
          ? `${best.rate} messages a second hold it; no higher rate is tried`
          : `${best.rate} messages a second hold it, and perhaps more`;
  const verdicts: Verdict[] = [];
  if (best !== undefined) verdicts.push(best.ran.verdict);
  if (isCut) verdicts.push({ word: 'FAIL', reasons: cut });
  else if (end === 'no answer')
    verdicts.push({ word: best === undefined ? 'FAIL' : 'NOISY', reasons: [unknown] });
  else if (best === undefined) verdicts.push({ word: 'FAIL', reasons: [none] });
  return {
    ...resultOf('max', `The highest rate with p99 below ${limit}`, best === undefined ? [] : [best.ran]),
    verdict: worst(verdicts),
    tables: [
      {
        title: isCut ? 'rates that were tried before it ended' : found,
        heads: [
          'messages a second',
          'p50',
          'p99',
          'p99 without hiccups',
          'greatest hiccup',
          'sent',
          'lost',
          'verdict',
          'the limit',
          'why',
        ],
        rows: steps.map(rowOf),
      },
    ],
  };
}

function rowOf({ rate, word, why, ran }: Step): readonly string[] {
  const target = ran.report.targets[0];
  if (target === undefined)
    return [String(rate), NONE, NONE, NONE, NONE, NONE, NONE, ran.verdict.word, word, why];
  const { fromPlanned: all, fromPlannedQuiet: quiet, hiccups } = target;
  return [
    String(rate),
    timeCell('p50', all.p50, all.count),
    timeCell('p99', all.p99, all.count),
    timeCell('p99', quiet.p99, quiet.count),
    timeCell('max', hiccups.max, hiccups.count),
    `${target.sent} of ${target.planned}`,
    String(target.lost),
    ran.verdict.word,
    word,
    why,
  ];
}

function dataOf(steps: readonly Step[], highest: Highest): unknown {
  return {
    ...highest,
    steps: steps.map(({ rate, word, why, ran }) => {
      const { fromPlanned, fromPlannedQuiet, hiccups } = ran.report.targets[0] ?? {};
      return { rate, answer: word, why, fromPlanned, fromPlannedQuiet, hiccups };
    }),
  };
}

/**
 * The highest rate that holds, to within a tenth. Up by powers of four, then by halves of what is left: at most 16 rates are looked at. A
 * rate without an answer ends it, for what is above and below it is then not known.
 */
export async function highestOf(
  from: number,
  answered: (rate: number) => Promise<Answer['word']>,
): Promise<Highest> {
  let low = 0;
  let high = from;
  for (;;) {
    const word = await answered(high);
    if (word === 'no answer') return { rate: low, end: word };
    if (word === 'does not hold') break;
    low = high;
    if (high >= RATE_MOST) return { rate: low, end: 'most' };
    high = Math.min(high * 4, RATE_MOST);
  }
  while (low > 0 && high / low > PRECISION) {
    const rate = Math.round(Math.sqrt(low * high));
    const word = await answered(rate);
    if (word === 'no answer') return { rate: low, end: word };
    if (word === 'holds') low = rate;
    else high = rate;
  }
  return { rate: low, end: 'found' };
}
