// @ts-check
/** Contenders that take turns, and the rows that come of it: what every `*.bench.mjs` prints and writes. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Row
 * @property {string} bench
 * @property {string} workload
 * @property {string} contender
 * @property {string} unit
 * @property {number | null} median the median of the fastest quarter of the rounds; null: the note says why there is none
 * @property {number | null} spread distance of the quartiles of all rounds, as a share of their median
 * @property {number | null} ratio time divided by the first contender's in the same round: the median over the rounds
 * @property {number} [rounds]
 * @property {string} answer
 * @property {string} [note]
 *
 * @typedef {{ ns: number, answer: string }} Run
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {number} count things done in one run
 * @property {string} expected
 * @property {() => Run | Promise<Run>} run
 * @property {string} [note]
 *
 * @typedef {{ tiny: boolean, quick: boolean, rounds: number }} Size
 */

/** @typedef {{ full: number, quick: number, tiny: number }} Rounds @type {Rounds} */
export const ROUNDS = { full: 32, quick: 6, tiny: 1 };

/**
 * Runs a program with the options that all of them take: `run` gets its size and, one after the other, the workloads asked
 * for, and returns the rows of each.
 * @param {string} bench
 * @param {readonly string[]} workloads
 * @param {(workload: string, size: Size) => Promise<readonly Row[]>} run
 * @param {Rounds} [rounds]
 */
export async function program(bench, workloads, run, rounds = ROUNDS) {
  const { values: options } = parseArgs({
    options: {
      tiny: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      json: { type: 'string' },
      bench: { type: 'string' },
      workload: { type: 'string' },
    },
  });
  if (options.bench !== undefined && options.bench !== bench) {
    say({ name: bench, ok: true, note: `not asked for: --bench ${options.bench}` });
    return;
  }
  const { tiny, quick } = options;
  const size = { tiny, quick, rounds: tiny ? rounds.tiny : quick ? rounds.quick : rounds.full };
  /** @type {Row[]} */
  const rows = [];
  for (const workload of workloads) {
    if (options.workload === undefined || options.workload === workload) {
      rows.push(...(await run(workload, size)));
    }
  }
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ rows }));
}

/**
 * Every contender once to warm it, then rounds in which each runs once, beginning with another one each time.
 * @param {string} bench
 * @param {string} workload
 * @param {string} unit
 * @param {number} rounds
 * @param {readonly Contender[]} contenders
 * @returns {Promise<Row[]>}
 */
export async function measure(bench, workload, unit, rounds, contenders) {
  /** @type {number[][]} */
  const times = contenders.map(() => []);
  /** @type {Map<string, string>} */
  const wrong = new Map();
  for (let round = 0; round <= rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const index = (round + turn) % contenders.length;
      const contender = /** @type {Contender} */ (contenders[index]);
      const { ns, answer } = await contender.run();
      if (answer !== contender.expected) wrong.set(contender.name, answer);
      if (round > 0) times[index]?.push(ns / contender.count);
    }
  }
  const base = times[0] ?? [];
  return contenders.map(({ name, expected, note }, index) => {
    const row = times[index] ?? [];
    const sorted = row.toSorted((a, b) => a - b);
    const at = (/** @type {number} */ share) => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
    const ratios = row.map((ns, round) => ns / (base[round] ?? Number.NaN));
    const figures = {
      bench,
      workload,
      contender: name,
      unit,
      median: rounded(median(sorted.slice(0, Math.ceil(sorted.length / 4)))),
      spread: rounded((at(0.75) - at(0.25)) / at(0.5)),
      ratio: rounded(median(ratios.sort((a, b) => a - b))),
      rounds,
      answer: expected,
      ...(note === undefined ? {} : { note }),
    };
    const got = wrong.get(name);
    const said = got === undefined ? {} : { expected, answer: got };
    say({ name: `${bench} ${workload} ${name}`, ok: got === undefined, ...figures, ...said });
    if (got !== undefined) {
      process.exitCode = 1;
      process.stderr.write(`WRONG ANSWER: ${bench} ${workload} ${name}: ${got}\n`);
    }
    return figures;
  });
}

/**
 * A workload that cannot be run here: passed over when this checkout has no recordings, else an error.
 * @param {string} bench
 * @param {string} workload
 * @param {string} reason
 * @returns {readonly Row[]}
 */
export function skipped(bench, workload, reason) {
  if (reason.includes('no recordings at')) process.stdout.write(`SKIPPED: ${workload}: ${reason}\n`);
  else {
    process.exitCode = 1;
    say({ name: `${bench} ${workload}`, ok: false, reason });
  }
  return [];
}

/** @param {readonly number[]} sorted */
function median(sorted) {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** @param {number} number */
function rounded(number) {
  return Math.round(number * 10_000) / 10_000;
}

/** @param {object} row */
function say(row) {
  process.stdout.write(`${JSON.stringify(row)}\n`);
}
