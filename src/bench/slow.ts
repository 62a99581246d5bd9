import { isTooFew, paired, ratioText, TOO_FEW } from './paired.js';
import type { Scenario, Wish } from './result.js';
import {
  asked,
  checkAsked,
  countsTable,
  DEPTHWIRE,
  overWire,
  resultOf,
  secondsOf,
  timesTable,
} from './wire.js';

const SUBSCRIBERS = 20;

/** Whether readers that never read hurt the others. */
export const SLOW: Scenario = {
  name: 'slow',
  summary: 'subscribers beside some that never read, and beside none: what the first cost the others',
  takes: ['seconds', 'rate', 'subscribers', 'changes', 'arrivals'],
  seconds: (wish) => 2 * (secondsOf(wish) + 1) + 2,
  check(wish) {
    const [subscribers, stalled] = readersOf(wish);
    return checkAsked(asked(wish, subscribers + stalled));
  },
  async run(wish) {
    const [subscribers, stalled] = readersOf(wish);
    const servers = [
      { ...DEPTHWIRE, name: 'alone' },
      { ...DEPTHWIRE, name: `beside ${stalled} that never ${stalled === 1 ? 'reads' : 'read'}`, stalled },
    ];
    const ran = await overWire(servers, asked(wish, subscribers), wish.signal);
    const [alone, beside] = ran.report.targets;
    const rows = (['p50', 'p99'] as const).map((of) => [
      of,
      isTooFew(alone, beside, of) ? TOO_FEW : ratioText(paired(alone, beside, of)),
    ]);
    return {
      ...resultOf('slow', 'Beside readers that never read', [ran]),
      tables: [
        { title: 'beside them over alone', heads: ['of each block', 'median, 95 % interval, pairs'], rows },
        timesTable(ran, subscribers),
        countsTable([ran]),
      ],
    };
  },
};

function readersOf({ subscribers: [reading = SUBSCRIBERS, stalled = 1] = [] }: Wish): [number, number] {
  return [reading, stalled];
}
