import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { validate } from 'dockerfile-utils';
import { afterEach, describe, expect, it } from 'vitest';
import { SETTINGS } from '../src/config/settings.js';
import { configFrom } from '../src/config.js';
import { startServer } from './support/server.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Whether a program is there to be asked. */
function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

describe('the unit of systemd', () => {
  const unit = read('deploy/systemd/depthwire.service');
  const values = (key: string): readonly string[] =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

  it('is one, by systemd-analyze where that is installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'depthwire-unit-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'depthwire.service');
    // Of paths that are not here it would complain.
    writeFileSync(
      file,
      unit.replaceAll('/usr/bin/node', process.execPath).replace('/opt/depthwire/docs', `${root}docs`),
    );
    for (const line of unit.split('\n')) expect(line).toMatch(/^(#.*|\[\w+\]|\w+=.*|)$/);
    if (!has('systemd-analyze')) return;
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    expect([verified.status, verified.stderr]).toEqual([0, '']);
    const rated = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', file], {
      encoding: 'utf8',
    });
    // systemd 249 and older cannot rate a file.
    const exposure = /exposure level for \S+: ([\d.]+)/.exec(rated.stdout)?.[1];
    if (exposure !== undefined) expect(Number(exposure)).toBeLessThanOrEqual(2);
  });

  it('gives the end its time, and does not start again what is configured wrongly', () => {
    const { unreadyMs, drainMs } = configFrom({}).server;
    expect(Number(values('TimeoutStopSec')[0]) * 1000).toBeGreaterThan(unreadyMs + drainMs + 2000);
    expect(values('RestartPreventExitStatus')).toEqual(['2']);
    expect(values('KillMode')).toEqual(['mixed']);
    expect(values('Type')).toEqual(['exec']);
  });

  it('sets only variables that there are', () => {
    const known = new Set(['DEPTHWIRE_CONFIG', 'NODE_ENV', ...SETTINGS.map(({ env }) => env)]);
    for (const text of [
      ...unit.matchAll(/Environment=(\w+)=/g),
      ...read('deploy/docker/Dockerfile').matchAll(/\b(DEPTHWIRE_\w+)=/g),
    ])
      expect([...known]).toContain(text[1]);
  });
});

describe('the Dockerfile', () => {
  const text = read('deploy/docker/Dockerfile');

  it('has nothing that linters find', () => {
    expect(validate(text)).toEqual([]);
    if (!has('hadolint')) return;
    const linted = spawnSync('hadolint', [join(root, 'deploy/docker/Dockerfile')], { encoding: 'utf8' });
    expect([linted.status, linted.stdout]).toEqual([0, '']);
  });

  it('copies what the package consists of, runs as nobody in particular, and is looked after', () => {
    const copied = [...text.matchAll(/^COPY --from=build \/build\/(\S+) /gm)].map(([, path = '']) => path);
    const { files } = JSON.parse(read('package.json')) as { readonly files: readonly string[] };
    // What the program reads; the rest is for people who install the package.
    const needed = files.filter((path) => /^(dist|src|crates\/core\/schema\/feed\.fbs)/.test(path));
    expect(needed).toEqual(['dist', 'src/native', 'crates/core/schema/feed.fbs']);
    for (const path of [...needed, 'package.json', 'node_modules']) expect(copied).toContain(path);
    for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
    const last = text.slice(text.lastIndexOf('\nFROM '));
    expect(last).toMatch(/^USER 1000:1000$/m);
    expect(last).toContain('HEALTHCHECK');
    expect(last).not.toMatch(/npm |apt-get/);
  });

  it('is given what its build reads', () => {
    const ignored = read('deploy/docker/Dockerfile.dockerignore').split('\n');
    for (const path of [
      'Cargo.toml',
      'Cargo.lock',
      'crates',
      'bench',
      'src',
      'scripts',
      'tsconfig.build.json',
      'vite.config.ts',
    ])
      expect(ignored).toContain(`!${path}`);
  });
});

describe('the health check of the container', () => {
  const check = async (port: number): Promise<number> => {
    const script = join(root, 'deploy/docker/healthcheck.mjs');
    const env = { ...process.env, DEPTHWIRE_PORT: String(port) };
    try {
      await promisify(execFile)(process.execPath, [script], { env });
      return 0;
    } catch (error) {
      return Number((error as { readonly code: unknown }).code);
    }
  };

  it('says whether the server lives', async () => {
    const server = await startServer();
    expect(await check(server.port)).toBe(0);
    await server.stop();
    expect(await check(server.port)).toBe(1);
  });
});
