// @ts-check
/**
 * `node bench/gates.mjs [--record]`: counts the instructions of the main paths and compares them with `gates.json`.
 *
 * Times on a shared machine vary by a factor of two; instruction counts repeat to four digits. Each gate runs twice
 * under valgrind's callgrind: as it is, which must stay within its limit, and with a little work planted into it, which
 * must be seen. Counts depend on the compiler: with another one than that of `gates.json` the ratio to the baseline
 * contender is compared instead. `--record` writes `gates.json` anew. Callgrind knows no AVX-512; nor does the build.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMain, run, seconds } from '../scripts/run.mjs';
import { findProgram, withCargoOnPath } from '../scripts/tools.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));
const FILE = fileURLToPath(new URL('gates.json', import.meta.url));

/** The planted work, as a multiple of the tolerance. */
const PLANTED_TOLERANCES = 3;

/** Instructions of one turn of the planted loop: at least one, mostly two. */
const TURN_INSTRUCTIONS = 1;

/**
 * @typedef {object} Gate
 * @property {string} bench
 * @property {string} workload
 * @property {string} contender
 * @property {string} unit what a count is for one of
 * @property {number} instructions for each, as recorded
 * @property {number} ratio to the baseline contender's, as recorded
 *
 * @typedef {object} Recorded
 * @property {string} rustc
 * @property {string} arch
 * @property {number} tolerance share of a recorded count by which a new one may be above it
 * @property {number} ratioTolerance the same of ratios, which other compilers move more
 * @property {readonly Gate[]} gates
 *
 * @typedef {object} Counted instructions for each thing done
 * @property {number} gate
 * @property {number} [planted]
 * @property {number} [baseline]
 */

/**
 * @param {Gate} gate
 * @param {Counted} counted
 * @param {Recorded} recorded
 * @returns {{ ok: boolean, text: string }}
 */
export function judge(gate, counted, recorded) {
  const byRatio = counted.baseline !== undefined;
  const scale = byRatio ? 1 / (counted.baseline ?? Number.NaN) : 1;
  const before = byRatio ? gate.ratio : gate.instructions;
  const limit = before * (1 + (byRatio ? recorded.ratioTolerance : recorded.tolerance));
  const now = counted.gate * scale;
  const planted = counted.planted === undefined ? undefined : counted.planted * scale;
  const what = byRatio ? 'of the baseline' : `instructions per ${gate.unit}`;
  const text = `${now.toFixed(byRatio ? 3 : 1)} ${what}, limit ${limit.toFixed(byRatio ? 3 : 1)}`;
  // Written so that a count which is no number fails.
  if (!(now <= limit)) return { ok: false, text: `${text}: ABOVE` };
  if (planted !== undefined && !(planted > limit)) {
    return { ok: false, text: `${text}: a planted regression of ${percent(planted / now - 1)} was NOT SEEN` };
  }
  const better =
    now < before * (1 - recorded.tolerance) ? `, better than ${before.toFixed(1)}: record it` : '';
  return { ok: true, text: `${text}${better}` };
}

/** @param {number} share */
function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

/**
 * Pairs the counts that callgrind wrote with the lines that the program printed, both in the order of the runs.
 * @param {readonly string[]} lines
 * @param {readonly number[]} totals
 */
export function countsOf(lines, totals) {
  const runs = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  if (runs.length !== totals.length) throw new Error(`${runs.length} runs, but ${totals.length} counts`);
  /** @type {Map<string, Record<string, number>>} */
  const counts = new Map();
  for (const [index, { bench, workload, contender, run, count }] of runs.entries()) {
    const name = `${bench} ${workload} ${contender}`;
    counts.set(name, { ...counts.get(name), [run]: (totals[index] ?? Number.NaN) / count });
  }
  return counts;
}

/**
 * Runs gates under callgrind, half of the workloads beside the other half.
 * @param {readonly Gate[]} gates
 * @param {(gate: Gate) => string} argument
 */
async function countAll(gates, argument) {
  const workloads = [...new Set(gates.map(({ workload }) => workload))];
  const halves = [0, 1].map((half) => gates.filter((gate) => workloads.indexOf(gate.workload) % 2 === half));
  const parts = await Promise.all(halves.map((half) => count(half.map(argument))));
  return {
    counts: new Map(parts.flatMap((part) => [...part.counts])),
    skipped: parts.flatMap((part) => part.skipped),
  };
}

/** @param {readonly string[]} gates `bench:workload:contender:planted` */
async function count(gates) {
  const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-gates-'));
  try {
    const out = path.join(folder, 'counts');
    const outcome = await run(
      [
        'valgrind',
        '--tool=callgrind',
        '--toggle-collect=*timing::measured*',
        '--dump-after=*gate::*counted_run*',
        `--callgrind-out-file=${out}`,
        path.join(repository, 'target', 'release', 'depthwire-bench'),
        'count',
        ...gates,
      ],
      { cwd: repository, env: process.env },
    );
    if (!outcome.ok) throw new Error(`${outcome.ending}\n${outcome.output}`);
    const files = readdirSync(folder).filter((name) => /\.\d+$/.test(name));
    const totals = files
      .sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))
      .map((name) => totalOf(readFileSync(path.join(folder, name), 'utf8')));
    const lines = outcome.output.split('\n');
    return { counts: countsOf(lines, totals), skipped: lines.filter((line) => line.startsWith('SKIPPED')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {string} text of one of callgrind's files */
function totalOf(text) {
  return Number(/^totals: (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

/** @param {Gate} gate */
function nameOf({ bench, workload, contender }) {
  return `${bench} ${workload} ${contender}`;
}

/** @param {Recorded} recorded @param {Gate} gate @param {boolean} withBaseline */
function argument(recorded, { bench, workload, contender, instructions }, withBaseline) {
  const turns = (instructions * recorded.tolerance * PLANTED_TOLERANCES) / TURN_INSTRUCTIONS;
  return `${bench}:${workload}:${contender}:${withBaseline ? 'baseline' : Math.ceil(turns * 1_000)}`;
}

/** @param {NodeJS.ProcessEnv} env */
function compiler(env) {
  const { stdout } = spawnSync('rustc', ['--version'], { cwd: repository, env, encoding: 'utf8' });
  return { rustc: stdout.trim(), arch: process.arch };
}

/** @param {readonly string[]} args */
async function main(args) {
  const env = withCargoOnPath(process.env);
  if (findProgram('valgrind', env) === undefined) {
    process.stdout.write('valgrind is not installed; install it with: apt-get install -y valgrind\n');
    return 1;
  }
  const build = ['cargo', 'build', '--quiet', '--release', '--locked', '--package', 'depthwire-bench'];
  const built = await run(/** @type {[string, ...string[]]} */ (build), { cwd: repository, env });
  if (!built.ok) throw new Error(built.output);
  /** @type {Recorded} */
  const recorded = JSON.parse(readFileSync(FILE, 'utf8'));
  const here = compiler(env);
  const started = performance.now();
  if (args.includes('--record')) return record({ ...recorded, ...here });
  const same = here.rustc === recorded.rustc && here.arch === recorded.arch;
  if (!same) {
    const those = `${recorded.rustc} ${recorded.arch}`;
    process.stdout.write(`counts are of ${those}, this is ${here.rustc} ${here.arch}: ratios are compared\n`);
  }
  const { counts, skipped } = await countAll(recorded.gates, (gate) => argument(recorded, gate, !same));
  for (const line of skipped) process.stdout.write(`${line}\n`);
  let failed = 0;
  let held = 0;
  for (const gate of recorded.gates) {
    const name = nameOf(gate);
    const counted = /** @type {Counted | undefined} */ (counts.get(name));
    if (counted === undefined && skipped.some((line) => line.includes(`gate ${name}:`))) continue;
    const { ok, text } = judge(gate, counted ?? { gate: Number.NaN }, recorded);
    if (ok) held += 1;
    else failed += 1;
    process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name}: ${text}\n`);
  }
  const about = `${held} of ${recorded.gates.length} gates hold, ${failed} fail`;
  process.stdout.write(`${about}, ${seconds(performance.now() - started)}\n`);
  return failed === 0 ? 0 : 1;
}

/** Writes the counts of this machine as the recorded ones. @param {Recorded} recorded */
async function record(recorded) {
  const { counts, skipped } = await countAll(recorded.gates, (gate) => argument(recorded, gate, true));
  const gates = recorded.gates.map((gate) => {
    const counted = counts.get(nameOf(gate));
    if (counted === undefined) return gate;
    const ratio = (counted.gate ?? Number.NaN) / (counted.baseline ?? Number.NaN);
    return {
      ...gate,
      instructions: Number(counted.gate?.toFixed(2)),
      ratio: Number(ratio.toFixed(4)),
    };
  });
  for (const line of skipped) process.stdout.write(`${line}: kept as it was\n`);
  writeFileSync(FILE, `${JSON.stringify({ ...recorded, gates }, null, 2)}\n`);
  return 0;
}

if (isMain(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
