// @ts-check
/**
 * What the way from JavaScript into the engine costs: calls that do next to nothing, bound to their engine and not, a frame that is ignored, and
 * a workload's book frames, one call each, against the same frames in pure Rust; and once more with the top of the book
 * kept in shared memory.
 *
 * The Rust half runs in a process of its own and takes turns with this one. Both read the machine's clock as often,
 * for each frame received and for each frame sent. Every round must end with the workload's digest, in both.
 * Prints one line of JSON for each row; a wrong answer is `"ok": false` and exit code 1.
 */
import { Engine } from '#native';
import { allocateSharedBook } from '../dist/shared/index.js';
import { depthFrames, open, WORKLOADS } from './depth-frames.mjs';
import { measure, program, skipped } from './measure.mjs';

/** @typedef {import('./measure.mjs').Row} Row @typedef {import('./measure.mjs').Run} Run */

const BENCH = 'addon_call';

/** Calls that are timed as one: a single one is shorter than the clock's own cost. */
const BATCH_CALLS = 20_000;
const BATCH_CALLS_TINY = 1_000;

/** A message that every venue sends and that changes nothing. */
const IGNORED_FRAME = Buffer.from('{"result":null,"id":1}');

/**
 * Single calls, in batches.
 * @param {number} rounds
 * @param {number} count
 * @returns {Promise<Row[]>}
 */
async function singleCalls(rounds, count) {
  const { engine, ingest, drain, source } = open('sim', 'BTCUSDT');
  const ignored = () => engine.stats().ignored;
  // The same without a function of the object's own in front of it.
  const { pump: classPump } = Engine.prototype;
  // More functions behind one call site than the compiler keeps apart are not inlined, so a call stays a call.
  /** @type {readonly ((sum: number) => number)[]} */
  const plain = [
    (sum) => sum,
    (sum) => sum + 1,
    (sum) => sum + 2,
    (sum) => sum + 3,
    (sum) => sum + 4,
    (sum) => sum + 5,
    (sum) => sum + 6,
    (sum) => sum + 7,
  ];
  /** @param {() => number} batch @returns {Run} */
  const timed = (batch) => {
    const started = process.hrtime.bigint();
    const sum = batch();
    return { ns: Number(process.hrtime.bigint() - started), answer: `sum ${sum}` };
  };
  return measure(BENCH, 'none', 'ns/call', rounds, [
    {
      name: 'js function',
      count,
      expected: `sum ${(count / 8) * 28}`,
      run: () =>
        timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum = plain[call & 7]?.(sum) ?? Number.NaN;
          return sum;
        }),
    },
    {
      name: 'addon pump',
      count,
      expected: 'sum 0',
      run: () =>
        timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum += engine.pump();
          return sum;
        }),
    },
    {
      name: 'addon pump, of the class',
      count,
      expected: 'sum 0',
      run: () =>
        timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum += classPump.call(engine);
          return sum;
        }),
    },
    {
      name: 'addon tick',
      count,
      expected: 'sum 0',
      run: () =>
        timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum += engine.tick();
          return sum;
        }),
    },
    {
      name: 'addon nowNs',
      count,
      expected: 'sum 0',
      run: () =>
        timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum += engine.nowNs() === 0n ? 1 : 0;
          return sum;
        }),
    },
    {
      name: 'addon ignored frame',
      count,
      expected: `sum 0, ignored ${count}`,
      run: () => {
        const before = ignored();
        const { ns, answer } = timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum += ingest(source, IGNORED_FRAME);
          return sum;
        });
        drain();
        return { ns, answer: `${answer}, ignored ${ignored() - before}` };
      },
    },
  ]);
}

/**
 * A workload's depth frames through the addon and in pure Rust.
 * @param {string} workload
 * @param {number} rounds
 * @returns {Promise<readonly Row[]>}
 */
async function frames(workload, rounds) {
  const { half, frames, reason } = await depthFrames(workload);
  try {
    if (frames === undefined) return skipped(BENCH, workload, reason);
    const { about, lead, timed } = frames;
    const expected = `errors 0, digest ${about.digest}`;
    /** @param {string} name @param {boolean} isShared */
    const addon = (name, isShared) => {
      const { engine, take, source, listed } = open(about.venue, about.symbol);
      if (isShared) engine.shareBook(listed.id, allocateSharedBook(20));
      const run = () => {
        engine.resetSource(source);
        let errors = 0;
        for (const frame of lead) errors += take(frame);
        const started = process.hrtime.bigint();
        for (const frame of timed) errors += take(frame);
        const ns = Number(process.hrtime.bigint() - started);
        return { ns, answer: `errors ${errors}, digest ${engine.digest(listed.id)}` };
      };
      return { name, count: timed.length, expected, run };
    };
    const rust = {
      name: 'rust',
      count: timed.length,
      expected,
      run: async () => {
        half.ask();
        const { ns, errors, digest } = (await half.json()) ?? { ns: 0, errors: half.reason(), digest: '' };
        return { ns, answer: `errors ${errors}, digest ${digest}` };
      },
    };
    const unit = `ns/frame of median ${about.levelsMedian} levels`;
    const contenders = [rust, addon('addon', false), addon('addon, top 20 shared', true)];
    return await measure(BENCH, workload, unit, rounds, contenders);
  } finally {
    half.end();
  }
}

await program(BENCH, ['none', ...WORKLOADS], (workload, { rounds, tiny }) =>
  workload === 'none' ? singleCalls(rounds, tiny ? BATCH_CALLS_TINY : BATCH_CALLS) : frames(workload, rounds),
);
