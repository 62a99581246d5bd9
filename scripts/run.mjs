// @ts-check
/** Runs a program to its end and keeps what it printed. */
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/** More output than this ends the program: a step that prints without end must not fill the memory. */
export const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Longest run of a program. The whole of `npm test` is promised in 30 minutes. */
export const RUN_MS_MAX = 20 * 60 * 1000;

const ENDING_SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const PARENT_POLL_MS = 1000;

/**
 * @typedef {object} Outcome
 * @property {boolean} ok ended by itself with exit code 0
 * @property {string} ending how it ended, for people
 * @property {string} output standard output and standard error in order of arrival
 * @property {number} elapsedMs
 *
 * @typedef {object} RunOptions
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [live] print the output as it comes, too
 * @property {number} [limitMs]
 * @property {number} [outputBytesMax]
 * @property {boolean} [yields] takes only the time that programs of normal priority leave
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Never rejects: a program that cannot be started is an outcome that is not ok.
 * @param {readonly [string, ...string[]]} command
 * @param {RunOptions} options
 * @returns {Promise<Outcome>}
 */
export function run([program, ...args], options) {
  const started = performance.now();
  const outputBytesMax = options.outputBytesMax ?? OUTPUT_BYTES_MAX;
  const limitMs = options.limitMs ?? RUN_MS_MAX;
  return new Promise((resolve) => {
    // A group of its own lets the limit and Ctrl-C end the programs which it started, too.
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      shell: program.endsWith('.cmd'),
    });
    running.add(child);
    if (options.yields) makeYield(child);
    /** @type {Buffer[]} */
    const chunks = [];
    let outputBytes = 0;
    let cut = '';
    /** @param {string} reason */
    const end = (reason) => {
      if (cut === '') kill(child, 'SIGKILL');
      cut ||= reason;
    };
    const limit = setTimeout(() => end(`ended after its limit of ${limitMs / 1000} s`), limitMs);
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      outputBytes += chunk.length;
      if (outputBytes > outputBytesMax) return end(`ended: it printed more than ${outputBytesMax} bytes`);
      chunks.push(chunk);
      if (options.live) process.stdout.write(chunk);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    /** @param {boolean} ok @param {string} ending */
    const finish = (ok, ending) => {
      clearTimeout(limit);
      running.delete(child);
      const output = Buffer.concat(chunks).toString('utf8');
      resolve({
        ok: ok && cut === '',
        ending: cut || ending,
        output,
        elapsedMs: performance.now() - started,
      });
    };
    child.on('error', (error) => finish(false, `could not be started: ${error.message}`));
    child.on('close', (code, signal) => {
      finish(code === 0, signal === null ? `exit code ${code}` : `ended by ${signal}`);
    });
  });
}

/**
 * Lets Ctrl-C, SIGTERM and a terminal that is closed end the running programs and then this process, with the
 * signal's exit code.
 * @returns {() => void} gives the signals back
 */
export function endWithSignals() {
  /** @param {NodeJS.Signals} signal @param {number} number */
  const end = (signal, number) => {
    for (const child of running) kill(child, signal);
    process.exit(128 + number);
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  return () => {
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
  };
}

/**
 * Ends this process as SIGTERM does once the one that started it is gone: npm's shell does not pass signals on, so
 * what runs under `npm start` would outlive it.
 */
export function endWithParent() {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, PARENT_POLL_MS).unref();
}

/**
 * True in the module that node was started with, also through a symbolic link.
 * @param {string} moduleUrl `import.meta.url`
 */
export function isMain(moduleUrl) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(moduleUrl);
}

/** Also what it will start. @param {import('node:child_process').ChildProcess} child */
function makeYield(child) {
  if (child.pid === undefined) return;
  try {
    setPriority(child.pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended in the meantime.
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function kill(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}

/**
 * `0.4 s`, `12 s`, `3 min 5 s`.
 * @param {number} elapsedMs
 */
export function seconds(elapsedMs) {
  const s = elapsedMs / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}
