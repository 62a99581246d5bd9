import { statSync } from 'node:fs';
import path from 'node:path';
import { DepthwireError } from '../errors.js';
import { differs, isTooFew, PAIRS_MIN, type Paired, paired, ratioText, TOO_FEW } from './paired.js';
import type { Scenario, Wish } from './result.js';
import type { Verdict } from './verdict.js';
import {
  asked,
  CONTROL,
  checkAsked,
  countsTable,
  DEPTHWIRE,
  type Measured,
  overWire,
  resultOf,
  secondsOf,
  timesTable,
} from './wire.js';

const BLOCK_SECONDS = 0.25;

/** Two servers, or two builds, by turns, and whether they differ at all. */
export const COMPARE: Scenario = {
  name: 'compare',
  summary: 'two of depthwire, control and built addons, block by block, and whether they differ',
  takes: ['seconds', 'rate', 'subscribers', 'changes', 'arrivals'],
  seconds: (wish) => 2 * (secondsOf(wish) + 1) + 2,
  async check(wish) {
    serversOf(wish);
    await checkAsked(asked(wish, wish.subscribers?.[0] ?? 1));
  },
  async run(wish) {
    const [subscribers = 1] = wish.subscribers ?? [1];
    const two = serversOf(wish);
    const plan = { ...asked(wish, subscribers), blockSeconds: BLOCK_SECONDS };
    const ran = await overWire(two, plan, wish.signal);
    const [first, second] = ran.report.targets;
    const rows = (['p50', 'p99'] as const).map((quantile) => {
      const ratio = paired(first, second, quantile);
      const isFew = isTooFew(first, second, quantile);
      return [quantile, ratioText(ratio), isFew ? TOO_FEW : answerOf(ratio, ran.verdict)];
    });
    return {
      ...resultOf('compare', two.map(({ name }) => name).join(' and '), [ran]),
      tables: [
        { title: 'B over A', heads: ['of each block', 'median, 95 % interval, pairs', 'answer'], rows },
        timesTable(ran, subscribers),
        countsTable([ran]),
      ],
    };
  },
};

/** Of a run that failed there is none: what it lost, or sent late, differs by itself. */
function answerOf(ratio: Paired, { word }: Verdict): string {
  if (word === 'FAIL') return 'none: the run failed';
  if (ratio.pairs < PAIRS_MIN) return 'too few pairs';
  if (!differs(ratio)) return 'no difference';
  return ratio.median > 1 ? 'B takes longer' : 'B is faster';
}

function serversOf({ files = [] }: Wish): readonly [Measured, Measured] {
  const [a, b, ...more] = files;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new DepthwireError('bench.compare', {
      what: 'a comparison is of two',
      expected: 'two of depthwire, control and files of built addons',
      got: `${files.length}`,
      fix: 'depthwire bench compare depthwire control, or depthwire bench compare before.node after.node',
    });
  }
  return [measured(a, 'A'), measured(b, 'B')];
}

function measured(name: string, side: string): Measured {
  const known = [DEPTHWIRE, CONTROL].find((server) => server.name === name);
  if (known !== undefined) return { ...known, name: `${side} ${name}` };
  const addon = path.resolve(name);
  if (!addon.endsWith('.node') || statSync(addon, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new DepthwireError('bench.compare', {
      what: 'nothing to compare',
      expected: 'depthwire, control, or the file of a built addon (.node)',
      got: name,
      fix: 'build the other version and name its src/native/*.node',
    });
  }
  return { name: `${side} ${path.basename(name)}`, spec: { kind: 'depthwire', addon } };
}
