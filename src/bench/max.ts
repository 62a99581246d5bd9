import type { Scenario, Wish } from './result.js';
import { nsText } from './time-text.js';
import { type Asked, asked, checkAsked, DEPTHWIRE, overWire, type Ran, resultOf } from './wire.js';

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

interface Step {
  readonly rate: number;
  readonly holds: boolean;
  readonly ran: Ran;
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
    const holds = async (rate: number): Promise<boolean> => {
      for (let tries = 0; tries < TRIES; tries++) {
        const ran = await overWire([DEPTHWIRE], stepOf(wish, rate), wish.signal);
        const p99 = ran.report.targets[0]?.fromPlanned.p99 ?? Number.POSITIVE_INFINITY;
        const step = { rate, holds: ran.verdict.word !== 'FAIL' && p99 <= limitNs, ran };
        steps.push(step);
        if (step.holds) return true;
        if (wish.signal?.aborted) break;
      }
      return false;
    };
    await highest(wish.rate ?? RATE_LEAST, holds);
    const best = steps.filter(({ holds }) => holds).sort((a, b) => b.rate - a.rate)[0];
    const result = resultOf(
      'max',
      `The highest rate with p99 below ${nsText(limitNs)}`,
      best === undefined ? [] : [best.ran],
    );
    const none = `not even ${steps[0]?.rate ?? 0} messages a second hold p99 below ${nsText(limitNs)}`;
    return {
      ...result,
      verdict: best === undefined ? { word: 'FAIL', reasons: [none] } : best.ran.verdict,
      tables: [
        {
          title: best === undefined ? none : `${best.rate} messages a second hold it`,
          heads: ['messages a second', 'p50', 'p99', 'sent', 'lost', 'verdict', 'the limit'],
          rows: steps.map(({ rate, holds, ran }) => {
            const target = ran.report.targets[0];
            const times = [target?.fromPlanned.p50 ?? 0, target?.fromPlanned.p99 ?? 0].map(nsText);
            const counts = [`${target?.sent ?? 0} of ${target?.planned ?? 0}`, String(target?.lost ?? 0)];
            return [String(rate), ...times, ...counts, ran.verdict.word, holds ? 'holds' : 'does not hold'];
          }),
        },
      ],
      data: steps.map(({ rate, holds }) => ({ rate, holds })),
    };
  },
};

function stepOf(wish: Wish, rate: number): Asked {
  const seconds = wish.seconds ?? (wish.isQuick ? SECONDS_QUICK : SECONDS);
  const step = asked({ ...wish, rate, seconds }, wish.subscribers?.[0] ?? 1);
  return { ...step, warmSeconds: 0.3, drainSeconds: 1 };
}

/**
 * The highest rate that holds, to within a tenth; 0 = not even the first. Up by powers of four, then by halves of what is left: at most
 * 16 rates are looked at.
 */
export async function highest(from: number, holds: (rate: number) => Promise<boolean>): Promise<number> {
  let low = 0;
  let high = from;
  while (await holds(high)) {
    low = high;
    if (high >= RATE_MOST) return low;
    high = Math.min(high * 4, RATE_MOST);
  }
  while (low > 0 && high / low > PRECISION) {
    const rate = Math.round(Math.sqrt(low * high));
    if (await holds(rate)) low = rate;
    else high = rate;
  }
  return low;
}
