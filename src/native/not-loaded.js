// @ts-check
/** Why the addon does not load, and the command that mends it. Looks at files; only called when loading has failed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SUFFIXES } from './platform.js';

/**
 * @typedef {object} Attempt
 * @property {import('./platform.js').Platform} here
 * @property {string | undefined} suffix of the addon for this platform
 * @property {string | undefined} named the file that the environment names
 * @property {readonly Error[]} causes why each place that was tried gave none
 * @property {string} [folder] of this package
 * @property {string} [npm] the npm that is found
 *
 * @typedef {Error & { code: string, what: string, where: string, expected: string, got: string, fix: string }} NotLoaded
 * As `DepthwireError`, whose module belongs to what cannot be loaded without the addon.
 */

/**
 * The error of a failed attempt; its code is `addon.not_loaded`.
 * @param {Attempt} attempt
 * @returns {NotLoaded}
 */
export function notLoaded(attempt) {
  const folder = attempt.folder ?? fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
  const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const { what, expected, fix } = diagnosis({ ...attempt, folder }, version);
  const { platform, arch, libc } = attempt.here;
  const found = [
    [platform, arch, libc].filter((part) => part !== '').join(' '),
    `Node ${process.versions.node}`,
    attempt.npm ?? npmFound(),
  ];
  const causes = attempt.causes.map(({ message }) => firstLine(message));
  const error = new Error(
    `addon.not_loaded: ${what}\nexpected: ${expected}\ngot: ${found.join(', ')}\nfix: ${fix}`,
    { cause: attempt.causes.at(-1) },
  );
  error.name = 'DepthwireError';
  return Object.assign(error, {
    code: 'addon.not_loaded',
    what,
    where: folder,
    expected,
    got: [found.join(', '), ...causes].join('; '),
    fix,
  });
}

/**
 * @param {Attempt & { folder: string }} attempt
 * @param {string} version of this package
 * @returns {{ what: string, expected: string, fix: string }}
 */
function diagnosis({ here, suffix, named, causes, folder }, version) {
  const build = 'in a checkout of https://github.com/depthwire/depthwire: npm run build';
  if (named !== undefined) {
    return {
      what: `the addon that NAPI_RS_NATIVE_LIBRARY_PATH names does not load: ${named}`,
      expected: 'the path of an addon for this platform',
      fix: 'Unset NAPI_RS_NATIVE_LIBRARY_PATH, or name the addon.',
    };
  }
  if (suffix === undefined) {
    return {
      what: `there is no addon for ${[here.platform, here.arch, here.libc].join(' ').trimEnd()}`,
      expected: `one of ${Object.values(SUFFIXES).join(', ')}`,
      fix: `Use one of these platforms, or build it ${build}`,
    };
  }
  const name = `depthwire-${suffix}`;
  const broken = causes.find((cause) => !isMissing(cause));
  if (broken !== undefined) {
    const glibc = /version `?GLIBC_([\d.]+)'? not found/.exec(broken.message)?.[1];
    return {
      what: `the addon is there and does not load: ${firstLine(broken.message)}`,
      expected: glibc === undefined ? `an addon for ${suffix}` : `glibc ${glibc} or newer`,
      fix:
        glibc === undefined
          ? `npm install --force ${name}@${version}, or build it ${build}`
          : `Use a newer system or image, such as node:22-bookworm-slim, or build it on this one, ${build}`,
    };
  }
  if (existsSync(path.join(folder, 'Cargo.toml'))) {
    return {
      what: 'the addon is not built',
      expected: `src/native/depthwire.${suffix}.node`,
      fix: 'npm run build',
    };
  }
  return { expected: `${name} ${version} beside depthwire`, ...missingPackage(name, version, folder) };
}

/**
 * The package with the addon is not installed.
 * @param {string} name
 * @param {string} version
 * @param {string} folder
 */
function missingPackage(name, version, folder) {
  const project = projectOf(folder);
  const what = `the package with the addon, ${name}, is not installed`;
  for (const [lock, fix] of OTHER_MANAGERS) {
    if (existsSync(path.join(project, lock))) return { what, fix };
  }
  const [stranger] = readdirSync(path.dirname(folder)).filter((other) => other.startsWith('depthwire-'));
  if (stranger !== undefined) {
    return {
      what: `${what}, but ${stranger} is: node_modules comes from another platform`,
      fix: 'rm -rf node_modules && npm install --include=optional (on the platform that runs it)',
    };
  }
  const locked = lockedPackages(path.join(project, 'package-lock.json'));
  const others = locked.filter((entry) => /(^|\/)node_modules\/depthwire-[^/]+$/.test(entry));
  if (others.some((entry) => entry.endsWith(`/${name}`))) {
    return {
      what: `${what}: package-lock.json names it, so optional packages were left out`,
      fix: 'npm install --include=optional (without --omit=optional; see also: npm config get omit)',
    };
  }
  if (others.length > 0) {
    const [other = ''] = others.map((entry) => entry.replace(/^.*node_modules\//, ''));
    return {
      what: `${what}: package-lock.json was written on another platform and names only ${other} (npm/cli #4828)`,
      fix: 'rm -rf node_modules package-lock.json && npm install --include=optional (npm 11.3 or newer keeps all platforms)',
    };
  }
  return { what, fix: `npm install --include=optional ${name}@${version}` };
}

/** What brings optional packages back, by the lock file of other package managers. */
const OTHER_MANAGERS = /** @type {const} */ ([
  ['pnpm-lock.yaml', 'pnpm install --force (without --no-optional; see also supportedArchitectures)'],
  ['yarn.lock', 'yarn install --force (without --ignore-optional; see also supportedArchitectures)'],
  ['bun.lock', 'bun install --force (without --omit=optional)'],
]);

/**
 * The folder whose node_modules this package is in; its own where it is in none.
 * @param {string} folder
 */
function projectOf(folder) {
  const at = folder.search(/[\\/]node_modules[\\/]/);
  return at === -1 ? folder : folder.slice(0, at);
}

/**
 * Paths of the packages in a lock file of npm; none where there is none.
 * @param {string} file
 * @returns {string[]}
 */
function lockedPackages(file) {
  try {
    return Object.keys(JSON.parse(readFileSync(file, 'utf8')).packages ?? {});
  } catch {
    return [];
  }
}

/** The npm that runs this process, or the one beside its node. */
function npmFound() {
  const running = /\bnpm\/(\S+)/.exec(process.env.npm_config_user_agent ?? '')?.[1];
  if (running !== undefined) return `npm ${running}`;
  const bin = path.dirname(process.execPath);
  for (const modules of [path.join(bin, '../lib/node_modules'), path.join(bin, 'node_modules')]) {
    try {
      return `npm ${JSON.parse(readFileSync(path.join(modules, 'npm/package.json'), 'utf8')).version}`;
    } catch {
      // There is none.
    }
  }
  return 'no npm beside it';
}

/**
 * Whether nothing is at the place at all.
 * @param {Error} error
 */
function isMissing(error) {
  return 'code' in error && error.code === 'MODULE_NOT_FOUND';
}

/** @param {string} text */
function firstLine(text) {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? '';
}
