// @ts-check
/** Installs the npm packages when what is installed is not what package-lock.json says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.mjs';

/**
 * npm leaves `node_modules/.package-lock.json` as its last act, so an interrupted installation has none.
 * @param {string} root
 * @returns {boolean} each locked package is installed in its locked version, and no other
 */
export function isInstalled(root) {
  let installed;
  try {
    installed = packages(path.join(root, 'node_modules', '.package-lock.json'));
  } catch {
    return false;
  }
  const locked = packages(path.join(root, 'package-lock.json'));
  for (const [folder, entry] of Object.entries(locked)) {
    // The lock's first entry is this package itself; a package for another platform is not installed.
    if (folder === '' || (entry.optional && !(folder in installed))) continue;
    const present = installed[folder];
    if (present?.version !== entry.version) return false;
    if (entry.integrity !== undefined && present?.integrity !== entry.integrity) return false;
  }
  return Object.keys(installed).every((folder) => folder in locked) && suitsThisNode(locked, installed);
}

/**
 * The transport comes as one package for each platform and Node major: another Node needs another one.
 * @param {Packages} locked
 * @param {Packages} installed
 */
function suitsThisNode(locked, installed) {
  const [major] = process.versions.node.split('.');
  const folder = `node_modules/@uwsjs/${process.platform}-${process.arch}-${major}`;
  return !(folder in locked) || folder in installed;
}

/**
 * @param {string} root
 * @param {{ live?: boolean }} [options]
 */
export function install(root, options = {}) {
  // Under `npm start` the npm that runs us is known; it need not be the one on PATH.
  const npm = process.env.npm_execpath;
  const args = /** @type {const} */ (['ci', '--include=dev']);
  return run(npm ? [process.execPath, npm, ...args] : ['npm', ...args], {
    cwd: root,
    live: options.live ?? false,
  });
}

/** @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean }>} Packages */

/**
 * @param {string} file
 * @returns {Packages}
 */
function packages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
