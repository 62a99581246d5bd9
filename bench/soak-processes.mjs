// @ts-check
/** The processes of the soak. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, constants, setPriority } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const START_MS_MAX = 60_000;
const END_MS_MAX = 10_000;
/**
 * Blocks beyond a megabyte are given back as soon as they are free. By itself glibc keeps such of up to 32 MB once one was freed
 * (mallopt(3), M_MMAP_THRESHOLD), and whether it holds three snapshots of five megabytes is chance.
 */
const MEMORY = { MALLOC_MMAP_THRESHOLD_: String(1 << 20) };

/** @typedef {import('./soak.mjs').Recording} Recording */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

// However this process ends, those that it has started end with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** @template {import('node:child_process').ChildProcess} Child @param {Child} child @returns {Child} */
function watched(child) {
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

/**
 * A command of depthwire, as soon as what it has printed fits the pattern.
 * @param {readonly string[]} args
 * @param {RegExp} ready
 */
async function command(args, ready) {
  const program = path.join(ROOT, 'dist/cli/main.js');
  const env = { ...process.env, ...MEMORY };
  const child = watched(
    spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  let out = '';
  let err = '';
  child.stderr.on('data', (data) => {
    // Its end says most.
    err = `${err}${data}`.slice(-20_000);
  });
  const text = await new Promise((resolve, reject) => {
    const fail = (/** @type {string} */ why) => {
      clearTimeout(late);
      child.kill('SIGKILL');
      reject(new Error(`depthwire ${args[0]}: ${why}\n${out}${err}`));
    };
    const late = setTimeout(() => fail('it did not start'), START_MS_MAX);
    child.on('exit', (code) => fail(`it ended with ${code}`));
    child.stdout.on('data', (data) => {
      out += data;
      if (!ready.test(out)) return;
      clearTimeout(late);
      child.stdout.removeAllListeners('data').resume();
      resolve(out);
    });
  });
  child.removeAllListeners('exit');
  return { text: /** @type {string} */ (text), pid: child.pid ?? 0, stop: () => ended(child) };
}

/** Asks a process to end, and ends it where it does not. @param {import('node:child_process').ChildProcess} child */
async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
  clearTimeout(late);
}

/**
 * A loop for each processor that runs when nothing else wants to: a virtual processor that is mostly idle takes up to half as
 * long again for the same work, differently from one half minute to the next.
 */
export function startLoops() {
  const loops = Array.from({ length: availableParallelism() }, () => {
    const child = watched(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    return child;
  });
  return {
    stop: async () => {
      for (const child of loops) child.kill('SIGKILL');
    },
  };
}

/**
 * The fake venue: its instruments, where they stand, and the speed of the fastest recording.
 * @param {readonly Recording[]} recordings
 * @param {{ speed: number, lastsSeconds: number }} telling
 */
export async function startVenue(recordings, { speed, lastsSeconds }) {
  const told = recordings.flatMap(({ product, file }) => ['--recording', `${product}=${file}`]);
  const pace = ['--speed', String(speed), '--lasts', String(lastsSeconds)];
  const args = ['fake-venue', ...told, '--loop', ...pace, '--port', '0'];
  const { text, stop } = await command(args, /^stop {5}/m);
  const instruments = [...text.matchAll(/^venue {4}(\S+) {2}(.*)$/gm)].flatMap(([, product, codes = '']) =>
    codes.split(' ').map((code) => `${product}:${code}`),
  );
  const addresses = [...text.matchAll(/^address {2}--url (\S+)$/gm)].map(([, address = '']) => address);
  const speeds = [...text.matchAll(/at speed ([\d.]+),/g)].map(([, told]) => Number(told));
  return { instruments, addresses, speed: Math.max(...speeds), stop };
}

/**
 * `depthwire serve` of all that the venue has.
 * @param {readonly Recording[]} recordings
 * @param {{ instruments: readonly string[], addresses: readonly string[] }} venue
 */
export async function startServer(recordings, { instruments, addresses }) {
  const depths = new Map(recordings.map(({ product, depth }) => [product, depth]));
  const args = ['serve', ...instruments, '--port', '0'];
  for (const address of addresses) args.push('--url', address);
  for (const [product, depth] of depths) if (depth !== undefined) args.push('--depth', `${product}=${depth}`);
  const { text, pid, stop } = await command(args, /^stop {5}/m);
  const [, url = ''] = /^health {3}(\S+)health$/m.exec(text) ?? [];
  return { url, pid, stop };
}

/**
 * So many clients in one process of their own.
 * @param {string} url
 * @param {number} count
 */
export async function startClients(url, count) {
  const child = watched(fork(path.join(ROOT, 'bench/soak-clients.mjs'), [url, String(count)]));
  const [ready] = await once(child, 'message');
  if (ready !== 'ready') throw new Error(`the clients did not start: ${JSON.stringify(ready)}`);
  return {
    /** What they have taken together. @returns {Promise<import('./soak-clients.mjs').Taken>} */
    counts: async () => {
      child.send('count');
      const [counts] = await once(child, 'message');
      return counts;
    },
    stop: () => ended(child),
  };
}
