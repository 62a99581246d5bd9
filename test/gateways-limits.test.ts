import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { environmentOf } from '../src/publish/gateways/environment.js';
import { shareOf } from '../src/publish/gateways/share.js';
import { until } from './support/served-recording.js';

const PROGRAM = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Whether a process runs: one that nobody has asked for its end does not, though it has its number still. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

it('each of several has its part of what counts memory and addresses, and the whole of the rest', () => {
  const { limits } = configFrom({
    limits: { pendingMax: 100, handshakesPerSecond: 20, waitingBytesMax: 3 << 20 },
  });
  const { pendingMax, handshakesPerSecond, waitingBytesMax, ...rest } = shareOf(limits, 3);
  expect([pendingMax, handshakesPerSecond, waitingBytesMax]).toEqual([34, 7, 1 << 20]);
  expect([rest.clientsMax, rest.backpressureSoftBytes]).toEqual([
    limits.clientsMax,
    limits.backpressureSoftBytes,
  ]);
  // No limit at all stays none.
  expect(shareOf({ ...limits, handshakesPerSecond: 0 }, 3).handshakesPerSecond).toBe(0);
});

it('none knows the accounts at venues', () => {
  const { sources } = configFrom({
    sources: {
      kraken: { venue: 'kraken', instruments: ['BTC/USD'], keys: { keyEnv: 'K_KEY', secretEnv: 'K_SECRET' } },
    },
  });
  expect(
    environmentOf({ sources }, { K_KEY: 'a', K_SECRET: 'b', PATH: '/bin', TLS_PASSPHRASE: 'c' }),
  ).toEqual({
    PATH: '/bin',
    TLS_PASSPHRASE: 'c',
  });
});

it('one that cannot be started is told of and tried again', async () => {
  const said: string[] = [];
  const serving = await startServing(
    configFrom({ server: { port: 0, drainMs: 300, gateways: 2 } }),
    new Map(),
    (line) => said.push(line),
  );
  const { server } = serving;
  const program = process.execPath;
  try {
    process.execPath = '/nowhere/node';
    process.kill(server.gateways?.pids[0] ?? 0, 'SIGKILL');
    await until(() => said.some((line) => line.includes('could not be started (ENOENT)')), 'the failure');
    expect(server.gateways?.running).toBe(1);
  } finally {
    process.execPath = program;
  }
  await until(() => server.gateways?.running === 2, 'both again');
  await serving.stop('test is over');
});

it('one that stands still ends after ten seconds, and so do those whose server does', {
  timeout: 60_000,
}, async () => {
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0', '--gateways', '2'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (piece: Buffer) => {
      printed += String(piece);
    });
  await until(() => /processes (\d+), (\d+)/.test(printed), 'its gateways');
  const [, one = '', other = ''] = /processes (\d+), (\d+)/.exec(printed) ?? [];
  process.kill(Number(one), 'SIGSTOP');
  await until(() => printed.includes('stood still for 10 s'), 'the end of one');
  expect(isAlive(Number(one))).toBe(false);
  expect(isAlive(Number(other))).toBe(true);
  child.kill('SIGSTOP');
  await until(() => !isAlive(Number(other)), 'the end of those that are left');
  child.kill('SIGKILL');
  await once(child, 'exit');
});
