// @ts-check
/**
 * Looks for the programs that the project needs and cannot install by itself, and names for each missing one
 * the command that installs it.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @typedef {object} Missing
 * @property {string} what the program, what is wanted of it and what was found
 * @property {string} fix a command, or a short sentence with one
 */

const RUSTUP = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";

/** Package managers that are recognised, with their way to install a C toolchain and a browser. */
const INSTALLERS = /** @type {const} */ ([
  ['apt-get', 'apt-get install -y build-essential', 'apt-get install -y --no-install-recommends chromium'],
  ['dnf', 'dnf install -y gcc', 'dnf install -y chromium'],
  ['pacman', 'pacman -S --needed base-devel', 'pacman -S --needed chromium'],
  ['zypper', 'zypper install -y gcc', 'zypper install -y chromium'],
]);

/**
 * The environment with cargo's own folder at the end of PATH: a shell that was open while rustup installed
 * Rust does not have it yet.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function withCargoOnPath(env) {
  const home = env.CARGO_HOME ?? (env.HOME === undefined ? undefined : path.join(env.HOME, '.cargo'));
  if (home === undefined) return env;
  return { ...env, PATH: `${env.PATH ?? ''}${path.delimiter}${path.join(home, 'bin')}` };
}

/**
 * @param {string} version of the running Node, `20.19.0`
 * @param {string} range `engines.node` of package.json: caret ranges joined by `||`
 * @returns {Missing[]}
 */
export function checkNode(version, range) {
  const [major, minor] = numbers(version);
  const fits = range.split('||').some((part) => {
    const [wantedMajor, wantedMinor] = numbers(part);
    return major === wantedMajor && minor >= wantedMinor;
  });
  if (fits) return [];
  return [
    {
      what: `Node.js ${range} is needed, this is ${version}`,
      fix: 'nvm install 22   (nvm: https://github.com/nvm-sh/nvm; without it: https://nodejs.org/en/download)',
    },
  ];
}

/**
 * Cargo and rustc, not older than `oldest`.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} oldest `rust-version` of Cargo.toml
 * @returns {Missing[]}
 */
export function checkRust(env, oldest) {
  for (const program of ['cargo', 'rustc']) {
    const version = printedVersion(program, env);
    if (version === undefined)
      return [{ what: `${program} is not installed (Rust ${oldest} or newer)`, fix: RUSTUP }];
    const [major, minor] = numbers(version);
    const [oldestMajor, oldestMinor] = numbers(oldest);
    if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
      const fix = findProgram('rustup', env) === undefined ? RUSTUP : 'rustup update stable';
      return [{ what: `Rust ${oldest} or newer is needed, this ${program} is ${version}`, fix }];
    }
  }
  return [];
}

/**
 * Formatter and linter of Rust, which only the tests use.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Missing[]}
 */
export function checkRustLints(env) {
  return ['rustfmt', 'cargo-clippy']
    .filter((program) => printedVersion(program, env) === undefined)
    .map((program) => ({
      what: `${program} is not installed`,
      fix: `rustup component add ${program.replace('cargo-', '')}`,
    }));
}

/**
 * A C compiler, which links the addon and builds the C parts of what it depends on. On Windows rustup asks
 * for the toolchain itself.
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} [platform]
 * @returns {Missing[]}
 */
export function checkCompiler(env, platform = process.platform) {
  if (platform === 'win32' || printedVersion('cc', env) !== undefined) return [];
  const fix = platform === 'darwin' ? 'xcode-select --install' : installCommand(env, 1);
  return [
    {
      what: 'a C compiler (cc) is not installed',
      fix: fix ?? 'install gcc or clang, so that `cc` is on PATH',
    },
  ];
}

/**
 * Chromium or Chrome for the test of the page.
 * @param {NodeJS.ProcessEnv} env `DEPTHWIRE_CHROMIUM` names one that is not on PATH
 * @returns {{ path: string } | Missing}
 */
export function findBrowser(env) {
  const named = env.DEPTHWIRE_CHROMIUM;
  const found = named
    ? executable(named)
    : ['chromium', 'chromium-browser', 'google-chrome'].map((name) => findProgram(name, env)).find(Boolean);
  if (found) return { path: found };
  return {
    what: named
      ? `DEPTHWIRE_CHROMIUM names no program: ${named}`
      : 'chromium is not installed (the page is tested in it)',
    fix: installCommand(env, 2) ?? 'install Chromium or Chrome and name it: DEPTHWIRE_CHROMIUM=/path/to/it',
  };
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined} absolute path of the first program of that name on PATH
 */
export function findProgram(name, env) {
  const folders = (env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of folders) {
    for (const candidate of names) {
      const found = executable(path.resolve(folder, candidate));
      if (found) return found;
    }
  }
  return undefined;
}

/** `engines.node` of package.json. @param {string} root */
export function nodeRange(root) {
  return /** @type {string} */ (
    JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).engines.node
  );
}

/** `rust-version` of the workspace. @param {string} root */
export function oldestRust(root) {
  const found = /^rust-version\s*=\s*"([\d.]+)"/m.exec(readFileSync(path.join(root, 'Cargo.toml'), 'utf8'));
  if (found?.[1] === undefined)
    throw new Error('Cargo.toml states no rust-version: the tool check reads it there');
  return found[1];
}

/**
 * @param {readonly Missing[]} missing
 * @returns {string} two lines for each, empty when nothing is missing
 */
export function describeMissing(missing) {
  return missing.map(({ what, fix }) => `missing: ${what}\n  install it with: ${fix}\n`).join('');
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {1 | 2} column of `INSTALLERS`
 */
function installCommand(env, column) {
  const installer = INSTALLERS.find(([program]) => findProgram(program, env) !== undefined);
  if (installer === undefined) return undefined;
  return process.getuid?.() === 0 ? installer[column] : `sudo ${installer[column]}`;
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined} the first number with dots that `program --version` prints, or the whole line
 */
function printedVersion(program, env) {
  const found = findProgram(program, env);
  if (found === undefined) return undefined;
  const { status, stdout } = spawnSync(found, ['--version'], { env, encoding: 'utf8', timeout: 30_000 });
  if (status !== 0) return undefined;
  return /\d+(\.\d+)+/.exec(stdout)?.[0] ?? stdout.trim();
}

/** @param {string} file */
function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} version
 * @returns {[number, number]}
 */
function numbers(version) {
  const found = /(\d+)(?:\.(\d+))?/.exec(version);
  return [Number(found?.[1] ?? Number.NaN), Number(found?.[2] ?? 0)];
}
