import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

const root = fileURLToPath(new URL('..', import.meta.url));
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly output: () => string;
  /** Exit code, or the signal that ended it. */
  readonly end: Promise<unknown>;
}

/** A process in a group of its own that has printed `ready`. */
async function started(
  command: string,
  args: readonly string[],
  ready: RegExp,
  cwd = root,
): Promise<Running> {
  const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid = 0 } = child;
  cleanups.push(() => {
    if (isAlive(-pid)) process.kill(-pid, 'SIGKILL');
  });
  let output = '';
  const end = once(child, 'close').then(([code, signal]) => code ?? signal);
  await new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output += String(chunk);
      if (ready.test(output)) resolve();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void end.then((how) => reject(new Error(`ended with ${String(how)}: ${output}`)));
  });
  return { child, pid, output: () => output, end };
}

/** Of a negative number: whether any process of the group lives. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Two signals of one key press are 300 ms apart at most. */
const ANOTHER_MS = 400;

describe.skipIf(process.platform === 'win32')('a process that comes back from no callback', () => {
  const busy = (stopMs: number): Promise<Running> =>
    started(process.execPath, [join(root, 'test/support/busy-process.mjs'), String(stopMs)], /busy/);

  it('ends by SIGTERM in its time all the same', async () => {
    const { pid, end } = await busy(200);
    process.kill(pid, 'SIGTERM');
    expect(await end).toBe(143);
  });

  it('ends at once by a second signal, not by the same one over another way', async () => {
    const { pid, end } = await busy(600_000);
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGINT');
    await pause(ANOTHER_MS);
    process.kill(pid, 'SIGTERM');
    expect(await end).toBe(143);
  });
});

describe.skipIf(process.platform === 'win32')('a server', () => {
  const main = join(root, 'dist/cli/main.js');
  const serve = (...args: readonly string[]): Promise<Running> =>
    started(process.execPath, [main, 'serve', '--port', '0', ...args], /books {4}/);

  it.each(['SIGINT', 'SIGTERM'] as const)('drains at %s and ends with 0', async (signal) => {
    const { pid, end, output } = await serve();
    process.kill(pid, signal);
    expect(await end).toBe(0);
    expect(output()).toContain(`stopping (${signal})`);
  });

  it('drains in its bound while clients send as fast as they can', async () => {
    const { pid, end, output } = await serve();
    const url = /feed {5}(\S+)/.exec(output())?.[1] ?? '';
    const flood = (): void => {
      const socket = new WebSocket(url, 'depthwire.v1');
      cleanups.push(() => socket.terminate());
      socket.on('error', () => {});
      socket.on('close', (code) => {
        if (code === 4429) flood();
      });
      const send = (): void => {
        if (socket.readyState !== WebSocket.OPEN) return;
        for (let at = 0; at < 2000; at++) socket.send('{"op":"ping"}');
        setImmediate(send);
      };
      socket.on('open', send);
    };
    for (let at = 0; at < 4; at++) flood();
    await pause(300);
    const startMs = performance.now();
    process.kill(pid, 'SIGTERM');
    expect(await end).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(4000);
  });

  it('ends at once, with the code of the signal, when a second one comes', async () => {
    const { pid, end } = await serve('--unready-ms', '60000');
    process.kill(pid, 'SIGTERM');
    await pause(ANOTHER_MS);
    process.kill(pid, 'SIGINT');
    expect(await end).toBe(130);
  });
});

describe.skipIf(process.platform === 'win32')('npm start', () => {
  /** A package with the start script of this one, over the server that is built. */
  function startPackage(): string {
    const folder = mkdtempSync(join(tmpdir(), 'depthwire-npm-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly scripts: { readonly start: string };
    };
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ scripts: { start: scripts.start.replace('scripts/', '') } }),
    );
    writeFileSync(
      join(folder, 'start.mjs'),
      `import { endWithParent } from ${JSON.stringify(join(root, 'scripts/run.mjs'))};
       endWithParent();
       process.argv = [process.argv[0], 'main.js', 'serve', ...process.argv.slice(2)];
       await import(${JSON.stringify(join(root, 'dist/cli/main.js'))});`,
    );
    return folder;
  }

  it.each([
    ['SIGINT', 'npm', 1],
    ['SIGINT', 'its group', -1],
    ['SIGTERM', 'npm', 1],
    ['SIGKILL', 'npm', 1],
  ] as const)('ends cleanly by %s to %s', async (signal, _to, sign) => {
    const { pid, end, output } = await started(
      'npm',
      ['start', '--', '--port', '0'],
      /books {4}/,
      startPackage(),
    );
    process.kill(sign * pid, signal);
    expect(await end).toBe(signal === 'SIGKILL' ? 'SIGKILL' : 0);
    // What npm has left behind, if anything, ends within a second and its drain.
    for (const late = performance.now() + 5000; isAlive(-pid) && performance.now() < late; ) await pause(20);
    expect(isAlive(-pid)).toBe(false);
    expect(output()).toMatch(/stopping \(SIG(INT|TERM)\)/);
  });
});
