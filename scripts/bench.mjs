// @ts-check
/**
 * `npm run bench [-- ARGUMENTS]`: the Rust benchmarks (crate `bench`), then each `bench/*.bench.mjs`, all with
 * the arguments given. `--tiny` is the size in which `npm test` runs them: every answer is checked, no time
 * means anything.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
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
  return [
    {
      name: 'rust',
      command: [
        'cargo',
        'run',
        '--quiet',
        '--release',
        '--locked',
        '--package',
        'depthwire-bench',
        '--',
        ...args,
      ],
      verdict: ofExit,
    },
    ...files.sort().map(
      (file) =>
        /** @type {Benchmark} */ ({
          name: file.replace('.bench.mjs', ''),
          command: [process.execPath, path.join('bench', file), ...args],
          verdict: ofBench,
        }),
    ),
  ];
}

if (isMain(import.meta.url)) {
  endWithSignals();
  process.exitCode = (await prepare()) ? 0 : 1;
  for (const benchmark of process.exitCode === 0 ? benchmarks(process.argv.slice(2)) : []) {
    process.stdout.write(`# ${benchmark.name}\n`);
    const outcome = await run(benchmark.command, {
      cwd: root,
      env: withCargoOnPath(process.env),
      live: true,
    });
    const { failed, notes } = benchmark.verdict(outcome);
    for (const note of notes) process.stdout.write(`# ${note}\n`);
    process.stdout.write(
      `# ${benchmark.name} ${failed === 0 ? 'ok' : 'FAILED'}, ${seconds(outcome.elapsedMs)}\n`,
    );
    if (failed > 0) process.exitCode = 1;
  }
}
