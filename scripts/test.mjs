// @ts-check
/**
 * `npm test`, `npm run check`: installs, builds, runs every check and ends with one line of totals.
 *
 * A check that is not a test runner counts as one test. The whole output of each stays in `.build/log/`; what
 * failed is shown. Exit code 1 when anything failed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { benchmarks } from './bench.mjs';
import { build } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { endWithSignals, run, seconds } from './run.mjs';
import { checkedProfile, generatedBinding, installedTool, root, testedPackages } from './sources.mjs';
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
 * @property {boolean} [yields] takes only the time that other checks leave
 */

const VITEST_REPORT = path.join(root, '.build', 'vitest.json');
const LOGS = path.join(root, '.build', 'log');

/** Colours are switched off: the output is read by programs. */
const env = { ...withCargoOnPath(process.env), CARGO_TERM_COLOR: 'never', NO_COLOR: '1', TERM: 'dumb' };

/** Names of the checks that failed, said again at the end. @type {string[]} */
const failures = [];

/** Crates of which a test that names no clock looks at none: others talk over sockets, or measure. */
const COMPUTING = ['core', 'sim'];

/** They read what the build of the addon writes. @type {readonly Check[]} */
const scriptChecks = [
  { name: 'biome', command: [installedTool('biome'), 'ci', '--colors=off', '.'] },
  { name: 'types', command: [installedTool('tsc'), '--project', 'tsconfig.json', '--noEmit'] },
];

/** They read sources alone. @type {readonly Check[]} */
const sourceChecks = [
  { name: 'rust format', command: ['cargo', 'fmt', '--all', '--check'] },
  { name: 'generated files', command: [process.execPath, 'scripts/generate.mjs', '--check'] },
  {
    name: 'clippy',
    command: [
      'cargo',
      ...['clippy', '--locked', ...checkedProfile],
      ...['--workspace', '--features', 'depthwire-client/tls', '--all-targets'],
      ...['--', '-D', 'warnings'],
    ],
  },
  {
    name: 'rust docs',
    command: [
      'cargo',
      ...['doc', '--locked', ...checkedProfile, '--no-deps'],
      ...['--package', 'depthwire-core', '--package', 'depthwire-client'],
      ...['--features', 'depthwire-client/tls'],
    ],
    env: { RUSTDOCFLAGS: '-D warnings' },
  },
  {
    name: 'rust test programs',
    command: ['cargo', 'test', '--locked', ...checkedProfile, ...testedPackages, '--no-run'],
  },
  rustTests('rust unit tests', ['--lib', '--bins', ...testPrograms((computes) => !computes)]),
  rustTests('rust examples', ['--doc']),
];

/** They compute, where the tests in TypeScript mostly wait. @type {Check} */
const computingTests = {
  ...rustTests(
    'rust tests',
    testPrograms((computes) => computes),
  ),
  yields: true,
};

/** As they are measured: what counts instructions and makes load is linked for minutes by one core. @type {Check} */
const benchPrograms = {
  name: 'bench programs',
  command: ['cargo', 'build', '--release', '--locked', '--package', 'depthwire-bench'],
};

/**
 * @param {string} name
 * @param {readonly string[]} targets which of the programs that are built
 * @returns {Check}
 */
function rustTests(name, targets) {
  const how = ['test', '--locked', ...checkedProfile, ...testedPackages, ...targets, '--no-fail-fast'];
  return { name, command: ['cargo', ...how, '--', '--show-output'], verdict: ofCargoTest };
}

/**
 * Test programs of all crates, files of their `tests` and folders with a `main.rs`, that are wanted.
 * @param {(computes: boolean) => boolean} isWanted whether those that look at no clock are, and whether the others are
 */
function testPrograms(isWanted) {
  return readdirSync(path.join(root, 'crates')).flatMap((crate) => {
    const tests = path.join(root, 'crates', crate, 'tests');
    const entries = existsSync(tests) ? readdirSync(tests) : [];
    return entries.flatMap((entry) => {
      const main = path.join(tests, entry, entry.endsWith('.rs') ? '' : 'main.rs');
      if (!existsSync(main)) return [];
      const computes = COMPUTING.includes(crate) && !readFileSync(main, 'utf8').includes('Instant');
      return isWanted(computes) ? ['--test', path.basename(entry, '.rs')] : [];
    });
  });
}

/** @returns {Check} */
function typescriptTests() {
  rmSync(VITEST_REPORT, { force: true });
  return {
    name: 'typescript tests',
    command: [
      installedTool('vitest'),
      ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${VITEST_REPORT}`],
    ],
    verdict: (outcome) =>
      ofVitest(outcome, existsSync(VITEST_REPORT) ? readFileSync(VITEST_REPORT, 'utf8') : undefined),
  };
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
  const outcome = await run(check.command, {
    cwd: root,
    env: { ...env, ...check.env },
    yields: check.yields ?? false,
  });
  const totals = (check.verdict ?? ofExit)(outcome);
  const log = path.join(LOGS, `${check.name.replaceAll(' ', '-')}.log`);
  mkdirSync(LOGS, { recursive: true });
  writeFileSync(log, outcome.output);
  const verdict = check.verdict === undefined && totals.failed === 0 ? 'ok' : totalsLine(totals);
  // Said when it has ended: checks run beside each other.
  say(`${check.name} … ${verdict}, ${seconds(outcome.elapsedMs)}\n`);
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
  return perform({ name, command, verdict: ofUnittest, yields: true });
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

/** One after the other. @param {readonly Check[]} checks */
async function performAll(checks) {
  /** @type {Totals[]} */
  const parts = [];
  for (const check of checks) parts.push(await perform(check));
  return sum(parts);
}

/** Builds, and checks what the build has written or needs. */
async function buildAll() {
  const before = contentHash(root, generatedBinding);
  /** @type {string[]} */
  const said = [];
  const { ok: built } = await build({ env, say: (text) => said.push(text) });
  say(said.join(''));
  const problem = built ? '' : 'see above; what needs it does not run';
  const unchanged = before === contentHash(root, generatedBinding);
  const changed = 'the build has changed src/native/binding.*: commit it with its source';
  const totals = sum([
    decide('build', problem),
    decide('generated binding', unchanged ? '' : changed),
    await perform(benchPrograms),
    await performAll(scriptChecks),
  ]);
  return { built, totals };
}

/** Checks that run what was built. */
async function performBuilt() {
  const parts = await Promise.all([perform(typescriptTests()), perform(computingTests), pythonReader()]);
  for (const benchmark of benchmarks(['--tiny']))
    parts.push(await perform({ ...benchmark, name: `bench ${benchmark.name}` }));
  parts.push(await gates());
  return sum(parts);
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

  // Links what is shipped or measured by one core, so the Rust sources are checked beside it.
  const [{ built, totals }, sources] = await Promise.all([buildAll(), performAll(sourceChecks)]);
  parts.push(totals, sources);
  if (built) parts.push(await performBuilt());
  else
    parts.push(await perform(computingTests), decide('tests of what is built', 'not run: there is no build'));
  parts.push(recordings(sum(parts).skipped));
  return sum(parts);
}

const started = performance.now();
endWithSignals();
const totals = await everything();
process.exitCode = totals.failed === 0 ? 0 : 1;
if (failures.length > 0) say(`failed: ${failures.join(', ')}\n`);
say(`in ${seconds(performance.now() - started)}\n${totalsLine(totals)}\n`);
