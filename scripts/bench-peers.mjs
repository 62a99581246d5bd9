// @ts-check
/**
 * What others have made, for `npm run bench -- --peers`: builds the workspaces of `bench/peers` and says how to run
 * them. Nothing here is fetched or built by `npm ci` or `npm test`. What cannot be built is a row that says why.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run, seconds } from './run.mjs';
import { root } from './sources.mjs';
import { findProgram, withCargoOnPath } from './tools.mjs';
import { ofBench, ofExit } from './totals.mjs';

const PEERS = path.join(root, 'bench', 'peers');
const VENV = path.join(PEERS, '.venv');

/** A build of Rust peers from nothing takes minutes. */
const BUILD_MS_MAX = 30 * 60 * 1000;

/**
 * @typedef {import('./bench.mjs').Benchmark} Benchmark
 * @typedef {import('./bench-report.mjs').Row} Row
 *
 * @typedef {object} Family
 * @property {string} name
 * @property {readonly string[][]} steps
 * @property {readonly Benchmark[]} programs
 */

/**
 * Builds all that is there. The Python packages are asked by the Rust program, which finds them by its environment.
 * @param {readonly string[]} args
 * @returns {Promise<{ programs: Benchmark[], absent: Row[], env: NodeJS.ProcessEnv }>}
 */
export async function peerPrograms(args) {
  const env = withCargoOnPath(process.env);
  const cargo = ['--release', '--locked', '--manifest-path', path.join('bench', 'peers', 'Cargo.toml')];
  const python = findProgram('python3', env) ?? 'python3';
  const venvPython = path.join(VENV, 'bin', 'python');
  const requirements = path.join(PEERS, 'python', 'requirements.txt');
  /** @type {Family[]} */
  const families = [
    {
      name: 'rust',
      steps: [['cargo', 'build', ...cargo]],
      programs: [
        {
          name: 'rust peers',
          command: ['cargo', 'run', '--quiet', ...cargo, '--', ...args],
          verdict: ofExit,
        },
      ],
    },
    {
      name: 'javascript',
      steps: [['npm', 'ci', '--no-audit', '--no-fund', '--prefix', PEERS]],
      programs: scripts('js', args),
    },
    {
      name: 'python',
      steps: [
        [python, '-m', 'venv', VENV],
        [venvPython, '-m', 'pip', 'install', '--quiet', '--require-hashes', '--requirement', requirements],
      ],
      programs: [],
    },
  ];
  /** @type {Benchmark[]} */
  const programs = [];
  /** @type {Row[]} */
  const absent = [];
  for (const family of families) {
    const problem = await build(family.name, family.steps, env);
    if (problem === '') {
      programs.push(...family.programs);
      if (family.name === 'python') env.DEPTHWIRE_PEERS_PYTHON = venvPython;
    } else absent.push(absentRow(`${family.name} peers`, problem));
  }
  return { programs, absent, env };
}

/**
 * @param {string} name
 * @param {readonly string[][]} steps
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string>} empty: built
 */
async function build(name, steps, env) {
  for (const step of steps) {
    process.stdout.write(
      `# build ${name} peers: ${path.basename(step[0] ?? '')} ${step.slice(1, 3).join(' ')} … `,
    );
    const command = /** @type {[string, ...string[]]} */ (step);
    const outcome = await run(command, { cwd: root, env, limitMs: BUILD_MS_MAX });
    process.stdout.write(`${outcome.ok ? 'ok' : 'FAILED'}, ${seconds(outcome.elapsedMs)}\n`);
    if (!outcome.ok) return `not built: ${lastLine(outcome.output) || outcome.ending}`;
  }
  return '';
}

/**
 * The programs of a folder.
 * @param {string} folder
 * @param {readonly string[]} args
 * @returns {Benchmark[]}
 */
function scripts(folder, args) {
  const ending = '.bench.mjs';
  const files = readdirSync(path.join(PEERS, folder)).filter((name) => name.endsWith(ending));
  return files.sort().map((file) => ({
    name: `${folder} ${file.replace(ending, '')}`,
    command: [process.execPath, path.join('bench', 'peers', folder, file), ...args],
    verdict: ofBench,
  }));
}

/** @param {string} output */
function lastLine(output) {
  return output.trim().split('\n').at(-1) ?? '';
}

/** @param {string} contender @param {string} note @returns {Row} */
function absentRow(contender, note) {
  const nothing = { unit: '', median: null, spread: null, ratio: null, answer: '' };
  return { bench: 'peers', workload: 'none', contender, ...nothing, note };
}
