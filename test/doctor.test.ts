import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Check } from '../src/cli/doctor/check.js';
import { checkAddon, checkTransport } from '../src/cli/doctor/loading.js';
import {
  checkClock,
  checkDescriptors,
  checkLibc,
  checkMemory,
  checkNode,
  checkProcessors,
  type Machine,
  sampleClock,
  thisMachine,
} from '../src/cli/doctor/machine.js';
import { checkCertificates, checkPort, descriptorsNeeded, memoryNeeded } from '../src/cli/doctor/serving.js';
import { configFrom } from '../src/config.js';
import { selfSigned } from '../src/fake-venue/certificate.js';
import { startServer } from './support/server.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const MACHINE: Machine = {
  node: '22.12.0',
  nodeRange: '^20.19 || ^22.12',
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  processors: 4,
  processorQuota: Number.NaN,
  memoryBytes: 8 * 2 ** 30,
  memoryLimitBytes: Number.NaN,
  clockSource: 'tsc',
};
const STEADY = { offsetsMs: [0.1, 0.2], stepNs: 40 };
const MIB = 1 << 20;

describe('doctor looks at', () => {
  it.each([
    ['22.12.0', 'ok'],
    ['20.19.4', 'ok'],
    ['20.18.9', 'fail'],
    ['21.0.0', 'fail'],
    ['24.1.0', 'fail'],
  ])('Node %s: %s', (node, verdict) => {
    expect(checkNode({ ...MACHINE, node }).verdict).toBe(verdict);
  });

  it.each<[string, Check['verdict'], Check]>([
    ['glibc', 'ok', checkLibc(MACHINE)],
    ['another C library', 'warn', checkLibc({ ...MACHINE, glibc: '' })],
    ['another system', 'ok', checkLibc({ ...MACHINE, platform: 'darwin', glibc: '' })],
    ['two processors', 'ok', checkProcessors({ ...MACHINE, processors: 2 })],
    ['one', 'warn', checkProcessors({ ...MACHINE, processors: 1 })],
    ['half of one, by a quota', 'warn', checkProcessors({ ...MACHINE, processorQuota: 0.5 })],
    ['enough memory', 'ok', checkMemory(MACHINE, 400 * MIB)],
    [
      'a limit below what may be needed',
      'warn',
      checkMemory({ ...MACHINE, memoryLimitBytes: 256 * MIB }, 400 * MIB),
    ],
    [
      'a limit below what any server needs',
      'fail',
      checkMemory({ ...MACHINE, memoryLimitBytes: 64 * MIB }, 400 * MIB),
    ],
    ['enough descriptors', 'ok', checkDescriptors(65_536, 1536)],
    ['too few', 'fail', checkDescriptors(1024, 1536)],
    ['a system that does not tell', 'ok', checkDescriptors(Number.NaN, 1536)],
    ['a steady clock', 'ok', checkClock(MACHINE, STEADY)],
    ['one that is set', 'warn', checkClock(MACHINE, { ...STEADY, offsetsMs: [0, 30] })],
    ['a coarse one', 'warn', checkClock(MACHINE, { ...STEADY, stepNs: 1_000_000 })],
    ['a slow one', 'warn', checkClock({ ...MACHINE, clockSource: 'hpet' }, STEADY)],
  ])('%s: %s', (_, verdict, check) => {
    expect(check.verdict).toBe(verdict);
    expect(check.fix === '').toBe(verdict === 'ok');
  });

  it('this machine', async () => {
    const machine = thisMachine('^20.19 || ^22.12');
    expect(machine.processors).toBeGreaterThan(0);
    expect(machine.memoryBytes).toBeGreaterThan(0);
    const { stepNs, offsetsMs } = await sampleClock();
    expect(stepNs).toBeLessThan(Number.MAX_SAFE_INTEGER);
    expect(offsetsMs).toHaveLength(6);
  });

  it('whether the engine loads', async () => {
    expect(await checkAddon()).toMatchObject({ verdict: 'ok' });
    const broken = await checkAddon(() => Promise.reject(new Error('no binary')));
    expect(broken).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('npm run build') as string,
    });
  });

  it('which transport loads, and whether that will do', async () => {
    const none = () => Promise.reject(new Error('Cannot find module x'));
    const verdicts = await Promise.all([
      checkTransport('auto', 0, () => Promise.resolve()),
      checkTransport('auto', 0, none),
      checkTransport('uws', 0, none),
      checkTransport('ws', 0, none),
      checkTransport('auto', 2, none),
      checkTransport('ws', 2, none),
    ]);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['ok', 'warn', 'fail', 'ok', 'fail', 'fail']);
  });

  it('whether the port is free, taken, or its own', async () => {
    const at = (port: number) => checkPort(configFrom({ server: { port } }));
    const other = createServer().listen(0, '127.0.0.1');
    cleanups.push(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await at(0)).toMatchObject({ verdict: 'ok' });
    // One that accepts and says nothing is asked for a second.
    expect(await at(port)).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('ss -ltnp') as string,
    });
    const own = await startServer();
    cleanups.push(() => own.stop());
    expect(await at(own.port)).toMatchObject({
      verdict: 'warn',
      found: expect.stringContaining('depthwire') as string,
    });
    const elsewhere = configFrom({ server: { host: '127.0.0.2', port: own.port } });
    expect((await checkPort(elsewhere)).verdict).toBe('ok');
  });

  it('certificates: unreadable, none, expired, soon to expire, good', () => {
    const folder = mkdtempSync(join(tmpdir(), 'depthwire-doctor-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'cert.pem');
    expect(checkCertificates(file, Date.now()).verdict).toBe('fail');
    writeFileSync(file, 'nothing');
    expect(checkCertificates(file, Date.now()).verdict).toBe('fail');
    writeFileSync(file, selfSigned(new Date()).cert);
    const good = checkCertificates(file, Date.now());
    expect(good.verdict).toBe('ok');
    const endsMs = Date.parse(/\d{4}-\d\d-\d\d/.exec(good.found)?.[0] ?? '');
    expect(checkCertificates(file, endsMs - 5 * 86_400_000).verdict).toBe('warn');
    expect(checkCertificates(file, endsMs + 5 * 86_400_000).verdict).toBe('fail');
    expect(checkCertificates(file, 0).verdict).toBe('fail');
  });

  it('what a configuration may come to', () => {
    const config = configFrom({ limits: { clientsMax: 5000 } });
    expect(descriptorsNeeded(config)).toBe(5512);
    expect(memoryNeeded(config)).toBeGreaterThan(192 * MIB);
  });
});

describe('depthwire doctor', () => {
  const run = (
    main: string,
    ...args: readonly string[]
  ): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [main, ...args], { cwd: tmpdir() }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  const main = join(root, 'dist/cli/main.js');

  it('tells each thing, in text and JSON, and ends with 0 where it can serve', async () => {
    const text = await run(main, 'doctor', '--port', '0');
    expect(text.out).toMatch(/^(ok|warn) {2,}node .*\n/);
    expect(text.out).toMatch(/0 wrong, \d+ to look at: .*\n$/);
    expect(text.code).toBe(0);
    const { ok, checks } = JSON.parse((await run(main, 'doctor', '--port', '0', '-o', 'json')).out) as {
      readonly ok: boolean;
      readonly checks: readonly Check[];
    };
    expect(ok).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual([
      'node',
      'libc',
      'addon',
      'configuration',
      'transport',
      'clock',
      'processors',
      'memory',
      'files',
      'port',
      'keys and files',
    ]);
  });

  it('ends with 1 where it cannot, and says how to mend that', async () => {
    const wrong = await run(main, 'doctor', '--port', '99999');
    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatch(/fail {2}configuration .*\n {6}fix: /);
    const files = await run(main, 'doctor', '--port', '0', '--clients-max', '65536', '-o', 'json');
    expect(files.out).toContain('"files"');
  });

  it('works where the engine does not load, and other commands say so', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'depthwire-doctor-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    // Without the addon, which is built there and in no package here.
    cpSync(join(root, 'src/native'), join(folder, 'src/native'), {
      recursive: true,
      filter: (file) => !file.endsWith('.node'),
    });
    cpSync(join(root, 'Cargo.toml'), join(folder, 'Cargo.toml'));
    const lame = join(folder, 'dist/cli/main.js');
    const said = await run(lame, 'doctor', '--port', '0');
    expect(said.code).toBe(1);
    expect(said.out).toMatch(/fail {2}addon .*\n {6}fix: .*npm run build/);
    const venues = await run(lame, 'venues');
    expect([venues.code, venues.out]).toEqual([1, '']);
    expect(venues.err).toContain('addon.not_loaded');
  });
});
