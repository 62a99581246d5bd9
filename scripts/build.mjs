// @ts-check
/**
 * `npm run build`: addon, TypeScript, page. A step runs when what it reads or wrote has changed.
 *
 * One line for each step that ran, with its time; a tool's own output is shown when it fails, or always with
 * `--verbose`.
 */
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';
import { install, isInstalled } from './install.mjs';
import { endWithSignals, isMain, run, seconds } from './run.mjs';
import { buildSteps, root as projectRoot } from './sources.mjs';
import { exists, inputsHash, isCurrent, listFiles, writeStamp } from './stale.mjs';
import {
  checkCompiler,
  checkNode,
  checkRust,
  describeMissing,
  nodeRange,
  oldestRust,
  withCargoOnPath,
} from './tools.mjs';

/**
 * @typedef {object} BuildOptions
 * @property {string} [root]
 * @property {readonly import('./sources.mjs').BuildStep[]} [steps]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [verbose]
 * @property {(text: string) => void} [say]
 */

/**
 * Stops at the first step that fails.
 * @param {BuildOptions} [options]
 * @returns {Promise<{ ok: boolean, ran: string[] }>}
 */
export async function build(options = {}) {
  const root = options.root ?? projectRoot;
  const env = withCargoOnPath(options.env ?? process.env);
  const say = options.say ?? ((text) => process.stderr.write(text));
  /** @type {string[]} */
  const ran = [];
  for (const step of options.steps ?? buildSteps) {
    const inputs = inputsHash(root, step);
    if (isCurrent(root, step, inputs)) continue;
    if (step.needsRust) {
      const missing = [...checkRust(env, oldestRust(root)), ...checkCompiler(env)];
      if (missing.length > 0) {
        say(describeMissing(missing));
        return { ok: false, ran };
      }
    }
    say(`build ${step.name} … `);
    if (step.clear) for (const file of listFiles(root, step.clear)) rmSync(path.join(root, file));
    ran.push(step.name);
    const outcome = await run(step.command, { cwd: root, env, live: options.verbose ?? false });
    if (!outcome.ok) {
      say(`failed (${outcome.ending})\n${options.verbose ? '' : outcome.output}`);
      return { ok: false, ran };
    }
    if (!exists(root, step.proof)) {
      say(`failed: ${step.proof} was not written\n${outcome.output}`);
      return { ok: false, ran };
    }
    if (step.executable) chmodSync(path.join(root, step.executable), 0o755);
    writeStamp(root, step, inputs);
    say(`${seconds(outcome.elapsedMs)}\n`);
  }
  return { ok: true, ran };
}

/**
 * What `npm start` and `npm run build` do first: a Node that fits, the npm packages, then the build.
 * @param {{ verbose?: boolean }} [options]
 * @returns {Promise<boolean>}
 */
export async function prepare(options = {}) {
  const missing = checkNode(process.versions.node, nodeRange(projectRoot));
  if (missing.length > 0) {
    process.stderr.write(describeMissing(missing));
    return false;
  }
  if (!isInstalled(projectRoot)) {
    process.stderr.write('npm ci … ');
    const outcome = await install(projectRoot, { live: options.verbose ?? false });
    const detail = outcome.ok ? seconds(outcome.elapsedMs) : `failed (${outcome.ending})\n${outcome.output}`;
    process.stderr.write(`${detail}\n`);
    if (!outcome.ok) return false;
  }
  return (await build({ verbose: options.verbose ?? false })).ok;
}

if (isMain(import.meta.url)) {
  endWithSignals();
  const ok = await prepare({ verbose: process.argv.includes('--verbose') });
  if (ok) process.stderr.write('build is current\n');
  process.exitCode = ok ? 0 : 1;
}
