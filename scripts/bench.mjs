// @ts-check
/**
 * `npm run bench [-- OPTIONS]`: the Rust benchmarks (crate `bench`), then each `bench/*.bench.mjs`, all with the
 * options given, and one table of all rows. Ends with 1 when an answer differs.
 *
 * `--quick`: fewer rounds and smaller workloads. `--tiny`: as `npm test` runs it, every answer is checked and no time
 * means anything. `--peers`: builds and runs what others have made as well (`bench/peers`). `--json FILE`: also writes
 * `{machine, rows}`. `--bench NAME`, `--workload NAME`: only these.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { peerPrograms } from './bench-peers.mjs';
import { jsonOf, machine, tableOf } from './bench-report.mjs';
import { prepare } from './build.mjs';
import { endWithSignals, isMain, run, seconds } from './run.mjs';
import { root } from './sources.mjs';
import { withCargoOnPath } from './tools.mjs';
import { ofBench, ofExit } from './totals.mjs';

/**
 * @typedef {object} Benchmark
 * @property {string} name
 * @property {[string, ...string[]]} command
 * @property {(outcome: import('./run.mjs').Outcome) => import('./totals.mjs').Totals} verdict
 */

/**
 * @param {readonly string[]} args
 * @returns {Benchmark[]}
 */
export function benchmarks(args) {
  const files = readdirSync(path.join(root, 'bench')).filter((name) => name.endsWith('.bench.mjs'));
  const cargo = ['run', '--quiet', '--release', '--locked', '--package', 'depthwire-bench', '--'];
  // They take minutes and compare no contenders, so they are run by themselves; small they are only to show that they still run.
  const alone = (args.includes('--tiny') ? ['soak', 'storm', 'feed', 'kill'] : []).map(
    (name) =>
      /** @type {Benchmark} */ ({
        name,
        command: [process.execPath, `bench/${name}.mjs`, '--tiny'],
        verdict: ofBench,
      }),
  );
  return [
    { name: 'rust', command: ['cargo', ...cargo, ...args], verdict: ofExit },
    ...files.sort().map(
      (file) =>
        /** @type {Benchmark} */ ({
          name: file.replace('.bench.mjs', ''),
          command: [process.execPath, path.join('bench', file), ...args],
          verdict: ofBench,
        }),
    ),
    ...alone,
  ];
}

/**
 * The options as each program takes them, without the file for the rows.
 * @param {readonly string[]} args
 */
export function readOptions(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tiny: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      json: { type: 'string' },
      bench: { type: 'string' },
      workload: { type: 'string' },
    },
  });
  const { json, ...rest } = values;
  /** @type {string[]} */
  const passed = [];
  for (const [name, value] of Object.entries(rest)) {
    if (value === true) passed.push(`--${name}`);
    else if (typeof value === 'string') passed.push(`--${name}`, value);
  }
  return { json, passed, peers: rest.peers };
}

/**
 * Runs all and gathers their rows.
 * @param {readonly Benchmark[]} programs
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder for the rows of each
 */
async function runAll(programs, env, folder) {
  /** @type {import('./bench-report.mjs').Row[]} */
  const rows = [];
  let failed = 0;
  for (const { name, command, verdict } of programs) {
    process.stdout.write(`# ${name} … `);
    const file = path.join(folder, `${name.replaceAll(' ', '-')}.json`);
    const outcome = await run([...command, '--json', file], { cwd: root, env });
    const totals = verdict(outcome);
    failed += totals.failed;
    process.stdout.write(`${totals.failed === 0 ? 'ok' : 'FAILED'}, ${seconds(outcome.elapsedMs)}\n`);
    for (const line of outcome.output.split('\n')) {
      if (line.startsWith('SKIPPED')) process.stdout.write(`${line}\n`);
    }
    if (totals.failed > 0) process.stdout.write(`${outcome.output}\n${totals.notes.join('\n')}\n`);
    rows.push(...rowsIn(file));
  }
  return { rows, failed };
}

/** The rows that a program wrote; none when it ended before. @param {string} file */
function rowsIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).rows;
  } catch {
    return [];
  }
}

/** @param {readonly string[]} args */
async function main(args) {
  const options = readOptions(args);
  if (!(await prepare())) return 1;
  const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-bench-'));
  try {
    const programs = benchmarks(options.passed);
    const peers = options.peers
      ? await peerPrograms(options.passed)
      : { programs: [], absent: [], env: withCargoOnPath(process.env) };
    const { rows, failed } = await runAll([...programs, ...peers.programs], peers.env, folder);
    rows.push(...peers.absent);
    process.stdout.write(`\n${tableOf(rows)}`);
    if (options.json !== undefined) writeFileSync(options.json, jsonOf(machine(root), rows));
    if (failed > 0) process.stdout.write('\nFAILED: an answer differs or a program ended badly, see above\n');
    return failed === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (isMain(import.meta.url)) {
  endWithSignals();
  process.exitCode = await main(process.argv.slice(2));
}
