import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isInstalled } from '../scripts/install.mjs';
import { root as projectRoot } from '../scripts/sources.mjs';
import {
  checkCompiler,
  checkNode,
  checkRust,
  checkRustLints,
  describeMissing,
  findBrowser,
  nodeRange,
  oldestRust,
  withCargoOnPath,
} from '../scripts/tools.mjs';

let folder: string;

/** A program on the injected PATH that prints its version, or fails. */
function program(name: string, prints: string, exitCode = 0): void {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho '${prints}'\nexit ${exitCode}\n`);
  chmodSync(file, 0o755);
}

/** PATH of the injected programs alone. */
function env(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { PATH: folder, ...more };
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'depthwire-tools-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('Node', () => {
  const range = '^20.19 || ^22.12';

  test.each(['20.19.0', '20.20.2', '22.12.0', '22.99.1'])('%s fits', (version) => {
    expect(checkNode(version, range)).toEqual([]);
  });

  test.each(['18.20.0', '20.18.3', '21.7.0', '22.11.0', '24.0.0'])(
    '%s is refused with a command',
    (version) => {
      const [missing] = checkNode(version, range);
      expect(missing?.what).toBe(`Node.js ^20.19 || ^22.12 is needed, this is ${version}`);
      expect(missing?.fix).toContain('nvm install 22');
    },
  );

  test('the range comes from package.json', () => {
    expect(checkNode(process.versions.node, nodeRange(projectRoot))).toEqual([]);
  });
});

describe('Rust', () => {
  test('names the command that installs it when there is none', () => {
    expect(describeMissing(checkRust(env(), '1.88'))).toBe(
      'missing: cargo is not installed (Rust 1.88 or newer)\n' +
        "  install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh\n",
    );
  });

  test('wants both cargo and rustc', () => {
    program('cargo', 'cargo 1.95.0 (f2d3ce0bd 2026-03-21)');
    expect(checkRust(env(), '1.88')[0]?.what).toContain('rustc is not installed');
    program('rustc', 'rustc 1.88.0 (6b00bc388 2025-06-23)');
    expect(checkRust(env(), '1.88')).toEqual([]);
  });

  test('an older one is updated with the tool that is there', () => {
    program('cargo', 'cargo 1.87.1 (0)');
    program('rustc', 'rustc 1.87.1 (0)');
    expect(checkRust(env(), '1.88')[0]?.what).toBe('Rust 1.88 or newer is needed, this cargo is 1.87.1');
    expect(checkRust(env(), '1.88')[0]?.fix).toContain('https://sh.rustup.rs');
    program('rustup', 'rustup 1.28.0');
    expect(checkRust(env(), '1.88')[0]?.fix).toBe('rustup update stable');
  });

  test('a program that cannot run counts as missing', () => {
    program('cargo', 'error: no default toolchain', 1);
    expect(checkRust(env(), '1.88')[0]?.what).toContain('cargo is not installed');
  });

  test('finds cargo where rustup puts it, before the shell knows', () => {
    const home = mkdtempSync(path.join(folder, 'home-'));
    mkdirSync(path.join(home, '.cargo'));
    const withCargo = withCargoOnPath({ PATH: '/nowhere', HOME: home });
    expect(withCargo.PATH?.split(path.delimiter)).toEqual(['/nowhere', path.join(home, '.cargo', 'bin')]);
  });

  test('formatter and linter are components', () => {
    program('rustfmt', 'rustfmt 1.9.0-stable');
    expect(checkRustLints(env())).toEqual([
      { what: 'cargo-clippy is not installed', fix: 'rustup component add clippy' },
    ]);
  });

  test('the oldest version comes from Cargo.toml', () => {
    expect(oldestRust(projectRoot)).toMatch(/^1\.\d+$/);
  });
});

describe('C compiler', () => {
  test('is found as cc', () => {
    program('cc', 'cc (Debian 14.2.0-19) 14.2.0');
    expect(checkCompiler(env(), 'linux')).toEqual([]);
  });

  test('is named with the command of the package manager that is there', () => {
    program('apt-get', 'apt 3.0');
    expect(checkCompiler(env(), 'linux')[0]?.fix).toMatch(/apt-get install -y build-essential$/);
    rmSync(path.join(folder, 'apt-get'));
    program('dnf', 'dnf5');
    expect(checkCompiler(env(), 'linux')[0]?.fix).toMatch(/dnf install -y gcc$/);
    expect(checkCompiler(env(), 'darwin')[0]?.fix).toBe('xcode-select --install');
  });

  test('has an answer where no package manager is known', () => {
    expect(checkCompiler(env(), 'linux')[0]?.fix).toContain('gcc or clang');
  });
});

describe('browser', () => {
  test('is found under any of its names', () => {
    program('chromium-browser', '');
    expect(findBrowser(env())).toEqual({ path: path.join(folder, 'chromium-browser') });
  });

  test('may be named, and the name must be right', () => {
    program('mine', '');
    const mine = path.join(folder, 'mine');
    expect(findBrowser(env({ DEPTHWIRE_CHROMIUM: mine }))).toEqual({ path: mine });
    expect(findBrowser(env({ DEPTHWIRE_CHROMIUM: `${mine}2` }))).toMatchObject({
      what: `DEPTHWIRE_CHROMIUM names no program: ${mine}2`,
    });
  });

  test('is named with its command when there is none', () => {
    program('apt-get', '');
    expect(findBrowser(env())).toMatchObject({
      fix: expect.stringMatching(/apt-get install -y --no-install-recommends chromium$/),
    });
  });
});

describe('npm packages', () => {
  const fast = { version: '1.0.0', integrity: 'sha512-fast' };
  const other = { version: '2.0.0', integrity: 'sha512-other', optional: true };

  function write(locked: object, installed?: object): void {
    writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify({ packages: locked }));
    if (installed === undefined) return;
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    const hidden = path.join(folder, 'node_modules', '.package-lock.json');
    writeFileSync(hidden, JSON.stringify({ packages: installed }));
  }

  test('are installed when they are what the lock says', () => {
    write({ '': { version: '0.1.0' }, 'node_modules/fast': fast }, { 'node_modules/fast': fast });
    expect(isInstalled(folder)).toBe(true);
  });

  test('for another platform may be absent', () => {
    write({ 'node_modules/fast': fast, 'node_modules/other': other }, { 'node_modules/fast': fast });
    expect(isInstalled(folder)).toBe(true);
  });

  test('for another Node are not enough', () => {
    const transport = (major: number) => `node_modules/@uwsjs/${process.platform}-${process.arch}-${major}`;
    const major = Number(process.versions.node.split('.')[0]);
    const locked = { [transport(major)]: other, [transport(major + 2)]: other };
    write(locked, { [transport(major + 2)]: other });
    expect(isInstalled(folder)).toBe(false);
    write(locked, { [transport(major)]: other });
    expect(isInstalled(folder)).toBe(true);
  });

  test('of each platform are locked: without one `npm ci` refuses the whole lock', () => {
    const lock = JSON.parse(readFileSync(path.join(projectRoot, 'package-lock.json'), 'utf8'));
    const packages: Record<string, { optionalDependencies?: Record<string, string> }> = lock.packages;
    const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.filter((name) => !(`node_modules/${name}` in packages))).toEqual([]);
  });

  test.each([
    ['nothing is installed', { 'node_modules/fast': fast }, undefined],
    ['one is missing', { 'node_modules/fast': fast }, {}],
    ['one is too many', {}, { 'node_modules/fast': fast }],
    [
      'a version differs',
      { 'node_modules/fast': fast },
      { 'node_modules/fast': { ...fast, version: '1.0.1' } },
    ],
    [
      'bytes differ',
      { 'node_modules/fast': fast },
      { 'node_modules/fast': { ...fast, integrity: 'sha512-x' } },
    ],
  ])('are installed again when %s', (_, locked, installed) => {
    write(locked, installed);
    expect(isInstalled(folder)).toBe(false);
  });
});
