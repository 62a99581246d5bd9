// @ts-check
/** The server that is killed: `depthwire serve` of a recording. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const CLOCK = new URL('stopped-clock.mjs', import.meta.url).href;
/** Small enough that slow readers are slow, and that many messages are no flood. */
const LIMITS = [
  ...['--backpressure-soft-bytes', '65536', '--backpressure-hard-bytes', '1048576', '--slow-ms', '3000'],
  ...['--control-per-second', '1000', '--control-burst', '2000', '--heartbeat-ms', '500'],
];

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
// However this process ends, those that it has started end with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A port of this machine that nobody has. @returns {Promise<number>} */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  return port;
}

/** One start of the server. */
export class Server {
  /** When it was started, by `performance.now()`. */
  startedMs = performance.now();
  /** Resolves when it takes clients. @type {Promise<void>} */
  listening;
  #child;
  #output = '';
  #isKilled = false;
  /** @type {Promise<unknown>} */
  #exit;

  /**
   * @param {object} options
   * @param {number} options.port
   * @param {string} options.file the recording
   * @param {readonly string[]} options.instruments
   * @param {number} options.speed
   * @param {number | undefined} options.clockMs a clock that stands there, in place of the machine's
   * @param {readonly string[]} options.serving how it has its clients
   * @param {(text: string) => void} onEnd it has ended by itself
   */
  constructor({ port, file, instruments, speed, clockMs, serving }, onEnd) {
    const clock = clockMs === undefined ? [] : [`--import=${CLOCK}`];
    const names = instruments.flatMap((name) => ['--instrument', name]);
    const replay = ['--replay', file, '--speed', String(speed)];
    const args = [
      ...clock,
      PROGRAM,
      'serve',
      '--port',
      String(port),
      ...replay,
      ...names,
      ...LIMITS,
      ...serving,
    ];
    this.#child = spawn(process.execPath, args, {
      env: { ...process.env, STOPPED_CLOCK_MS: String(clockMs) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const child = this.#child;
    running.add(child);
    this.#exit = once(child, 'close').then(() => {
      running.delete(child);
      if (!this.#isKilled) onEnd(this.#output);
    });
    child.stderr.on('data', (data) => {
      this.#output = `${this.#output}${data}`.slice(-10_000);
    });
    this.listening = new Promise((resolve) => {
      child.stdout.on('data', (data) => {
        this.#output = `${this.#output}${data}`.slice(-10_000);
        if (/^stop {5}/m.test(this.#output)) resolve();
      });
    });
  }

  /** SIGKILL; resolves when it is gone, and its gateways with it. */
  async kill() {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
