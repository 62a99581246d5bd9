import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { explain } from '../src/errors.js';
import { notLoaded } from '../src/native/not-loaded.js';
import { SUFFIXES, suffixOf, thisPlatform } from '../src/native/platform.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const LINUX = { platform: 'linux', arch: 'x64', libc: 'glibc' } as const;
const MISSING = Object.assign(new Error("Cannot find module 'depthwire-linux-x64-gnu'\nRequire stack:"), {
  code: 'MODULE_NOT_FOUND',
});

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A project with this package in it and these files, by path. Returns the folder of the package. */
function installed(files: Readonly<Record<string, string>> = {}, under = 'node_modules/depthwire'): string {
  const project = mkdtempSync(join(tmpdir(), 'depthwire-project-'));
  cleanups.push(() => rmSync(project, { recursive: true }));
  const own = { [`${under}/package.json`]: '{"version":"1.2.3"}' };
  for (const [path, text] of Object.entries({ ...own, ...files })) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  return join(project, under);
}

const lockOf = (...names: readonly string[]) =>
  JSON.stringify({ packages: Object.fromEntries(names.map((name) => [`node_modules/${name}`, {}])) });

function told(folder: string, given: Partial<Parameters<typeof notLoaded>[0]> = {}) {
  const suffix = suffixOf(given.here ?? LINUX);
  return notLoaded({
    here: LINUX,
    suffix,
    named: undefined,
    causes: [MISSING, MISSING],
    folder,
    npm: 'npm 10.9.2',
    ...given,
  });
}

describe('an addon that does not load', () => {
  it('names the package, the machine, Node and npm, and reads as every error of this package', () => {
    const error = told(installed());
    expect(error).toMatchObject({
      name: 'DepthwireError',
      code: 'addon.not_loaded',
      what: 'the package with the addon, depthwire-linux-x64-gnu, is not installed',
      expected: 'depthwire-linux-x64-gnu 1.2.3 beside depthwire',
      fix: 'npm install --include=optional depthwire-linux-x64-gnu@1.2.3',
    });
    expect(error.got).toContain(`linux x64 glibc, Node ${process.versions.node}, npm 10.9.2`);
    expect(error.message).toContain('fix: npm install');
    expect(explain(error).split('\n').at(-1)).toBe(`  fix:      ${error.fix}`);
  });

  it('says that optional packages were left out where the lock names its package', () => {
    const folder = installed({ 'package-lock.json': lockOf('depthwire', 'depthwire-linux-x64-gnu') });
    expect(told(folder).what).toContain('optional packages were left out');
    expect(told(folder).fix).toContain('npm install --include=optional');
  });

  it('says that the lock was written on another platform where it names only others', () => {
    const folder = installed({ 'package-lock.json': lockOf('depthwire', 'depthwire-darwin-arm64') });
    expect(told(folder).what).toContain('names only depthwire-darwin-arm64 (npm/cli #4828)');
    expect(told(folder).fix).toContain('rm -rf node_modules package-lock.json');
  });

  it('says that node_modules comes from elsewhere where the package of another platform lies there', () => {
    const folder = installed({ 'node_modules/depthwire-darwin-arm64/package.json': '{}' });
    expect(told(folder).what).toContain('node_modules comes from another platform');
  });

  it('speaks as the package manager that wrote the lock', () => {
    const pnpm = installed(
      { 'pnpm-lock.yaml': '' },
      'node_modules/.pnpm/depthwire@1.2.3/node_modules/depthwire',
    );
    expect(told(pnpm).fix).toMatch(/^pnpm install/);
    expect(told(installed({ 'yarn.lock': '' })).fix).toMatch(/^yarn install/);
    expect(told(installed({ 'bun.lock': '' })).fix).toMatch(/^bun install/);
  });

  it('lists the platforms that there are, on one that is none of them', () => {
    const here = { platform: 'freebsd', arch: 'riscv64', libc: '' } as const;
    const error = told(installed(), { here, suffix: suffixOf(here), causes: [] });
    expect(error.what).toBe('there is no addon for freebsd riscv64');
    for (const suffix of Object.values(SUFFIXES)) expect(error.expected).toContain(suffix);
    expect(error.fix).toContain('npm run build');
  });

  it('says which glibc is wanted by one that is there', () => {
    const old = new Error("/lib/libc.so.6: version `GLIBC_2.34' not found (required by /x/depthwire.node)");
    const error = told(installed(), { causes: [MISSING, old] });
    expect(error.expected).toBe('glibc 2.34 or newer');
    expect(error.what).toContain("version `GLIBC_2.34' not found");
    const broken = told(installed(), { causes: [MISSING, new Error('invalid ELF header')] });
    expect(broken.fix).toContain('npm install --force depthwire-linux-x64-gnu@1.2.3');
  });

  it('is built in a checkout, and is what the environment names where it names one', () => {
    expect(told(installed({ 'Cargo.toml': '' }, '.')).fix).toBe('npm run build');
    const named = told(installed(), { named: '/x/none.node', causes: [new Error('no such file')] });
    expect(named.fix).toContain('NAPI_RS_NATIVE_LIBRARY_PATH');
    expect(named.got).toContain('no such file');
  });
});

describe('platforms', () => {
  it('are the targets that package.json names', () => {
    const { napi } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly napi: { readonly targets: readonly string[] };
    };
    expect(Object.keys(SUFFIXES)).toEqual(napi.targets);
  });

  it('have the names that napi-rs gives them', () => {
    expect(suffixOf({ platform: 'linux', arch: 'arm64', libc: 'glibc' })).toBe('linux-arm64-gnu');
    expect(suffixOf({ platform: 'linux', arch: 'x64', libc: 'musl' })).toBe('linux-x64-musl');
    expect(suffixOf({ platform: 'darwin', arch: 'arm64', libc: '' })).toBe('darwin-arm64');
    expect(suffixOf({ platform: 'win32', arch: 'x64', libc: '' })).toBe('win32-x64-msvc');
    expect(suffixOf({ platform: 'win32', arch: 'arm64', libc: '' })).toBeUndefined();
    expect(thisPlatform().platform).toBe(process.platform);
  });
});
