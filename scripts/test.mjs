// @ts-check
/**
 * `npm test`, `npm run check`: installs, builds, runs every check and ends with one line of totals.
 *
 * A check that is not a test runner counts as one test. The whole output of each stays in `.build/log/`; what
 * failed is shown. Exit code 1 when anything failed.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { benchmarks } from './bench.mjs';
import { build } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { endWithSignals, run, seconds } from './run.mjs';
import { checkedProfile, generatedBinding, installedTool, root } from './sources.mjs';
import { contentHash } from './stale.mjs';
import {
  checkCompiler,
  checkNode,
  checkRust,
  checkRustLints,
  describeMissing,
  findBrowser,
  findProgram,
  nodeRange,
  oldestRust,
  withCargoOnPath,
} from './tools.mjs';
import {
  excerpt,
  NOTHING,
  ofCargoTest,
  ofExit,
  ofGates,
  ofUnittest,
  ofVitest,
  sum,
  totalsLine,
} from './totals.mjs';

/**
 * @typedef {import('./totals.mjs').Totals} Totals
 *
 * @typedef {object} Check
 * @property {string} name
 * @property {readonly [string, ...string[]]} command
 * @property {(outcome: import('./run.mjs').Outcome) => Totals} [verdict] `ofExit` unless given
 * @property {NodeJS.ProcessEnv} [env] added to the environment
 */

const VITEST_REPORT = path.join(root, '.build', 'vitest.json');
const LOGS = path.join(root, '.build', 'log');

/** Colours are switched off: the output is read by programs. */
const env = { ...withCargoOnPath(process.env), CARGO_TERM_COLOR: 'never', NO_COLOR: '1', TERM: 'dumb' };

/** What the Rust client has beyond its default: a user may want it, so it is checked. */
const CLIENT_TLS = ['--features', 'depthwire-client/tls'];

/** Names of the checks that failed, said again at the end. @type {string[]} */
const failures = [];

/** @type {readonly Check[]} */
const sourceChecks = [
  { name: 'rust format', command: ['cargo', 'fmt', '--all', '--check'] },
  { name: 'biome', command: [installedTool('biome'), 'ci', '--colors=off', '.'] },
  { name: 'types', command: [installedTool('tsc'), '--project', 'tsconfig.json', '--noEmit'] },
  { name: 'generated files', command: [process.execPath, 'scripts/generate.mjs', '--check'] },
  // The release profile, so that macros and build scripts of the addon's build are used again.
  {
    name: 'clippy',
    command: [
      'cargo',
      'clippy',
      '--locked',
      '--release',
      '--workspace',
      ...CLIENT_TLS,
      '--all-targets',
      '--',
      '-D',
      'warnings',
    ],
  },
  {
    name: 'rust docs',
    command: [
      'cargo',
      ...['doc', '--locked', '--release', '--no-deps'],
      ...['--package', 'depthwire-core', '--package', 'depthwire-client', ...CLIENT_TLS],
    ],
    env: { RUSTDOCFLAGS: '-D warnings' },
  },
  {
    name: 'rust tests',
    command: [
      'cargo',
      ...checkedProfile,
      ...['test', '--locked', '--release', '--workspace', '--exclude', 'depthwire-node', ...CLIENT_TLS],
      '--no-fail-fast',
      ...['--', '--show-output'],
    ],
    verdict: ofCargoTest,
  },
];

/** Checks that run what was built. @returns {Check[]} */
function builtChecks() {
  rmSync(VITEST_REPORT, { force: true });
  return [
    {
      name: 'typescript tests',
      command: [
        installedTool('vitest'),
        ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`],
      ],
      verdict: (outcome) =>
        ofVitest(outcome, existsSync(VITEST_REPORT) ? readFileSync(VITEST_REPORT, 'utf8') : undefined),
    },
    ...benchmarks(['--tiny']).map((benchmark) => ({ ...benchmark, name: `bench ${benchmark.name}` })),
  ];
}

/** @param {string} text */
function say(text) {
  process.stdout.write(text);
}

/**
 * @param {Check} check
 * @returns {Promise<Totals>}
 */
async function perform(check) {
  say(`${check.name} … `);
  const outcome = await run(check.command, { cwd: root, env: { ...env, ...check.env } });
  const totals = (check.verdict ?? ofExit)(outcome);
  const log = path.join(LOGS, `${check.name.replaceAll(' ', '-')}.log`);
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(log, outcome.output);
  say(
    `${check.verdict === undefined && totals.failed === 0 ? 'ok' : totalsLine(totals)}, ${seconds(outcome.elapsedMs)}\n`,
  );
  for (const note of totals.notes) say(`  ${note}\n`);
  if (totals.failed > 0) {
    failures.push(check.name);
    say(
      `FAILED ${check.name}: ${check.command.join(' ')}\n${excerpt(outcome.output)}\n(all of it: ${log})\n`,
    );
  }
  return totals;
}

/**
 * One check decided here.
 * @param {string} name
 * @param {string} problem empty: passed
 * @param {string} [detail] said when it passed
 * @returns {Totals}
 */
function decide(name, problem, detail = 'ok') {
  if (problem === '') {
    say(`${name} … ${detail}\n`);
    return { ...NOTHING, passed: 1 };
  }
  failures.push(name);
  say(`${name} … FAILED\n${problem.trimEnd()}\n`);
  return { ...NOTHING, failed: 1 };
}

/** Chromium for the test of the page. */
async function browser() {
  const found = findBrowser(env);
  if ('path' in found) return decide('browser', '', found.path);
  return mayInstall() ? aptGetInstall('chromium') : decide('browser', describeMissing([found]));
}

/** Instruction gates, where there is valgrind: it runs on Linux and some others, and no result depends on the machine. */
async function gates() {
  const name = 'instruction gates';
  const installed =
    findProgram('valgrind', env) === undefined && mayInstall() ? [await aptGetInstall('valgrind')] : [];
  if (findProgram('valgrind', env) === undefined) {
    const how = 'not run: valgrind is not installed (on Debian: apt-get install -y valgrind)';
    return sum([...installed, decide(name, '', how)]);
  }
  const command = /** @type {const} */ ([process.execPath, 'bench/gates.mjs']);
  return sum([...installed, await perform({ name, command, verdict: ofGates })]);
}

/** The reader of `examples/python`, where there is Python 3. */
async function pythonReader() {
  const name = 'python reader';
  const python = findProgram('python3', env);
  if (python === undefined) return decide(name, '', 'not run: python3 is not installed');
  const command = /** @type {const} */ ([process.execPath, 'scripts/python-reader.mjs', python]);
  return perform({ name, command, verdict: ofUnittest });
}

/** Packages are installed when this is root on a CI machine with apt-get. */
function mayInstall() {
  return process.env.CI === 'true' && process.getuid?.() === 0 && findProgram('apt-get', env) !== undefined;
}

/** @param {string} name */
async function aptGetInstall(name) {
  return sum([
    await perform({ name: 'apt-get update', command: ['apt-get', 'update'] }),
    await perform({
      name: `apt-get install ${name}`,
      command: ['apt-get', 'install', '-y', '--no-install-recommends', name],
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    }),
  ]);
}

/**
 * Skipping is for checkouts without recordings.
 * @param {number} skipped
 */
function recordings(skipped) {
  const folder = process.env.DEPTHWIRE_DATA || path.resolve(root, '..', 'shared', 'data');
  if (!existsSync(folder))
    return decide('recordings', '', `none at ${folder}: tests that need them may skip`);
  return decide(
    'recordings',
    skipped === 0 ? '' : `${skipped} tests were skipped, though the recordings are at ${folder}`,
    folder,
  );
}

/** @returns {Promise<Totals>} */
async function everything() {
  const missing = [
    ...checkNode(process.versions.node, nodeRange(root)),
    ...checkRust(env, oldestRust(root)),
    ...checkRustLints(env),
    ...checkCompiler(env),
  ];
  const parts = [decide('tools', describeMissing(missing))];
  if (missing.length > 0) return sum(parts);

  if (!isInstalled(root)) {
    say('npm ci … ');
    const outcome = await install(root);
    say(outcome.ok ? `${seconds(outcome.elapsedMs)}\n` : '');
    parts.push(decide('installation', outcome.ok ? '' : `${outcome.ending}\n${outcome.output}`));
    if (!outcome.ok) return sum(parts);
  }
  parts.push(await browser());

  const before = contentHash(root, generatedBinding);
  // The addon is compiled by one core for most of its time; what goes wrong here the check of the generated files tells.
  const compiler = run([process.execPath, 'scripts/generate.mjs', '--compiler'], { cwd: root, env });
  const { ok: built } = await build({ env, say });
  await compiler;
  parts.push(decide('build', built ? '' : 'see above; what needs it does not run'));
  const unchanged = before === contentHash(root, generatedBinding);
  parts.push(
    decide(
      'generated binding',
      unchanged ? '' : 'the build has changed src/native/binding.*: commit it with its source',
    ),
  );

  for (const check of sourceChecks) parts.push(await perform(check));
  for (const check of builtChecks()) {
    parts.push(built ? await perform(check) : decide(check.name, 'not run: there is no build'));
  }
  parts.push(built ? await pythonReader() : decide('python reader', 'not run: there is no build'));
  parts.push(built ? await gates() : decide('instruction gates', 'not run: there is no build'));
  parts.push(recordings(sum(parts).skipped));
  return sum(parts);
}

const started = performance.now();
endWithSignals();
const totals = await everything();
process.exitCode = totals.failed === 0 ? 0 : 1;
if (failures.length > 0) say(`failed: ${failures.join(', ')}\n`);
say(`in ${seconds(performance.now() - started)}\n${totalsLine(totals)}\n`);
