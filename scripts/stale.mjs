// @ts-check
/**
 * Decides by content whether a build step has to run again.
 *
 * A step's stamp holds two SHA-256 hashes: of everything it reads, taken before it ran, and of everything it
 * wrote, taken after. Times of files are not looked at, so a fresh clone, a branch switched forth and back and
 * an output edited by hand are all judged right. Some hundred small files cost a few milliseconds.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} FileSet
 * @property {readonly string[]} entries files and folders, relative to the root; absent ones are left out
 * @property {readonly string[]} [skip] names of files or folders, or paths relative to the root
 * @property {readonly string[]} [skipExtensions] with the dot
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {FileSet} inputs
 * @property {readonly string[]} command what makes the outputs of the inputs
 * @property {readonly string[]} [facts] what else the outputs depend on, the platform for example
 * @property {FileSet} outputs
 * @property {string} proof the one output without which the step did nothing
 */

/**
 * All files of a set, sorted, relative to the root, with `/` on every platform.
 * @param {string} root
 * @param {FileSet} set
 * @returns {string[]}
 */
export function listFiles(root, set) {
  const skip = new Set(set.skip ?? []);
  const skipExtensions = new Set(set.skipExtensions ?? []);
  /** @type {string[]} */
  const files = [];
  /** @param {string} entry */
  const visit = (entry) => {
    if (skip.has(entry) || skip.has(path.posix.basename(entry))) return;
    const stat = statSync(path.join(root, entry), { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      for (const name of readdirSync(path.join(root, entry))) visit(`${entry}/${name}`);
    } else if (stat?.isFile() && !skipExtensions.has(path.posix.extname(entry))) {
      files.push(entry);
    }
  };
  for (const entry of set.entries) visit(entry);
  return files.sort();
}

/**
 * @param {string} root
 * @param {FileSet} set
 * @param {readonly string[]} [facts]
 * @returns {string} hexadecimal SHA-256 over facts, names and contents; each is preceded by its length
 */
export function contentHash(root, set, facts = []) {
  const hash = createHash('sha256');
  /** @param {string | Buffer} part */
  const add = (part) => hash.update(`${Buffer.byteLength(part)}:`).update(part);
  for (const fact of facts) add(fact);
  for (const file of listFiles(root, set)) {
    add(file);
    add(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {Step} step
 */
export function inputsHash(root, step) {
  return contentHash(root, step.inputs, [...step.command, ...(step.facts ?? [])]);
}

/**
 * True when the step's outputs are what its last run made of the present inputs.
 * @param {string} root
 * @param {Step} step
 * @param {string} inputs from `inputsHash`
 */
export function isCurrent(root, step, inputs) {
  let stamp;
  try {
    stamp = JSON.parse(readFileSync(stampPath(root, step), 'utf8'));
  } catch {
    return false;
  }
  if (stamp.inputs !== inputs) return false;
  return exists(root, step.proof) && stamp.outputs === contentHash(root, step.outputs);
}

/**
 * Records a run that succeeded. `inputs` is the hash from before the run: a file edited meanwhile makes the
 * step stale again.
 * @param {string} root
 * @param {Step} step
 * @param {string} inputs
 */
export function writeStamp(root, step, inputs) {
  const file = stampPath(root, step);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ inputs, outputs: contentHash(root, step.outputs) })}\n`);
}

/**
 * @param {string} root
 * @param {string} file
 */
export function exists(root, file) {
  return statSync(path.join(root, file), { throwIfNoEntry: false }) !== undefined;
}

/**
 * @param {string} root
 * @param {Step} step
 */
function stampPath(root, step) {
  return path.join(root, '.build', `${step.name}.json`);
}
