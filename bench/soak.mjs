// @ts-check
/**
 * Whether a server that runs for long grows or slows down. Three processes: the fake venue, which tells recordings over and
 * over; `depthwire serve`, which hears them through connectors over real sockets; and five clients that subscribe to the book
 * and the trades of every instrument. Each second the server's resident memory, its CPU time and the messages that it has
 * taken in are read. Meanwhile a loop of the lowest priority keeps each processor awake; the load at the end counts them.
 *
 * The first tenth of the run is the warm-up. Of what follows the last tenth is compared with the first by the median CPU time
 * of a message, and the last third with the first by the least and by the most memory: a snapshot of some megabytes leaves
 * as much behind until it is collected, so memory goes up and down in steps, while what is kept for good raises both ends.
 * A third is longer than any recording takes to begin again. It passes where both have grown by 2 % at most and a message
 * costs 1.05 times the CPU time at most, no client has refused a frame, and no checksum was wrong. Its numbers mean
 * something on a quiet machine only.
 *
 * `node bench/soak.mjs [OPTIONS]`, after `npm run build`, on Linux:
 *
 * `--minutes N`: of feed time of the recording that is told fastest; default 60. `--speed N`: recorded seconds in one, at most;
 * default 20. A recording is slowed down to last `LASTS_SECONDS`, for a connection that ends sooner is a failure to connectors,
 * which then wait longer each time. `--recording PRODUCT=FILE`, as often as there are recordings; default: those of
 * `RECORDINGS` below, from `$DEPTHWIRE_DATA` or `../shared/data`. `--depth PRODUCT=N`: levels a side that were subscribed when
 * it was recorded. `--json FILE`: also writes the verdict and all
 * samples. `--tiny`: as `npm test` runs it, seconds of a simulated recording; memory and CPU time are read and not judged.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endWithSignals } from '../scripts/run.mjs';
import { startClients, startLoops, startServer, startVenue } from './soak-processes.mjs';
import { simulatedRecording } from './soak-recording.mjs';
import { counters, judged, sample } from './soak-samples.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLIENTS = 5;
const SAMPLE_MS = 1000;
const LASTS_SECONDS = 32;
/** Of the simulated recording: two seconds of the clock, so that it is heard again. */
const TINY_MS = 20_000;
/** How long it is waited for all books to be synced, before the first sample and behind the last. */
const SYNC_MS_MAX = 10_000;

/** Recordings whose books come back in a loop, with the depth that was recorded where there is a choice. @type {readonly Recording[]} */
const RECORDINGS = [
  { product: 'binance', file: 'binance/spot_btcusdt_20240808.gz' },
  { product: 'binance-usdm', file: 'binance/usdm_btcusdt_20240808.gz' },
  { product: 'bitfinex', file: 'bitfinex/bitfinex_p0_20210405.txt.zst', depth: 100 },
  { product: 'bitget', file: 'bitget/bitget_20220407.jsonl.zst' },
  { product: 'bybit', file: 'bybit/bybit_v5_20260809.jsonl.zst', depth: 200 },
  { product: 'bybit-linear', file: 'bybit/bybit_v5_20260809.jsonl.zst', depth: 200 },
  { product: 'coinbase', file: 'coinbase/coinbase_advanced_20260809.jsonl.zst' },
  { product: 'deribit', file: 'deribit/deribit_options_20210722.jsonl.zst' },
  { product: 'kraken', file: 'kraken/kraken_btcusd_sample.cbcap', depth: 25 },
  { product: 'kraken-futures', file: 'kraken-futures/kraken_futures_20210722.jsonl.zst' },
  { product: 'okx', file: 'okx/okx_20220227.txt.zst' },
];

/**
 * @typedef {object} Recording
 * @property {string} product
 * @property {string} file
 * @property {number} [depth]
 */

/** `PRODUCT=VALUE`. @param {string} text @returns {[string, string]} */
function pairOf(text) {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`write PRODUCT=VALUE, not ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** A number above 0. @param {string} name @param {string} text */
function positive(name, text) {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name}: a number above 0, not ${text}`);
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '60' },
      speed: { type: 'string', default: '20' },
      recording: { type: 'string', multiple: true, default: [] },
      depth: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      tiny: { type: 'boolean', default: false },
    },
  });
  const depths = new Map(values.depth.map(pairOf));
  /** @type {Recording[]} */
  const recordings = values.recording.map((text) => {
    const [product, file] = pairOf(text);
    return { product, file };
  });
  for (const recording of recordings) {
    const depth = depths.get(recording.product);
    if (depth !== undefined) recording.depth = positive('depth', depth);
  }
  return {
    minutes: positive('minutes', values.minutes),
    speed: positive('speed', values.speed),
    recordings,
    json: values.json,
    tiny: values.tiny,
  };
}

/** The recordings of `RECORDINGS` that are there. @returns {Recording[]} */
function recordingsAtHand() {
  const folder = process.env.DEPTHWIRE_DATA ?? path.join(ROOT, '../shared/data');
  const all = RECORDINGS.map((recording) => ({ ...recording, file: path.join(folder, recording.file) }));
  const present = all.filter(({ file }) => existsSync(file));
  for (const { file } of all) if (!existsSync(file)) process.stdout.write(`SKIPPED: soak: no ${file}\n`);
  return present;
}

/**
 * One run.
 * @param {{ minutes: number, speed: number, recordings: readonly Recording[], tiny: boolean }} options
 */
async function soak({ minutes, speed, recordings, tiny }) {
  const loads = [loadavg()[0] ?? 0];
  /** @type {{ stop(): Promise<void> }[]} */
  const started = [];
  try {
    const venue = await startVenue(recordings, { speed, lastsSeconds: tiny ? 0 : LASTS_SECONDS });
    started.push(venue);
    const server = await startServer(recordings, venue);
    started.push(server);
    const clients = await startClients(server.url, CLIENTS);
    started.push(clients);
    started.push(startLoops());
    const first = await synced(server.url);
    /** @type {import('./soak-samples.mjs').Sample[]} */
    const samples = [await sample(server)];
    const untilMs = performance.now() + (minutes * 60_000) / venue.speed;
    while (performance.now() < untilMs) {
      await pause(SAMPLE_MS);
      samples.push(await sample(server));
    }
    loads.push(loadavg()[0] ?? 0);
    const last = await synced(server.url);
    const told = await clients.counts();
    const { checked, matched, reconnects } = await counters(server.url);
    const messages = (samples.at(-1)?.messages ?? 0) - (samples[0]?.messages ?? 0);
    return {
      verdict: judged({ samples, checked, matched, told, messages, isTimed: !tiny }),
      books: { first, last },
      checksums: { checked, matched },
      clients: told,
      messages,
      reconnects,
      loads,
      samples,
    };
  } finally {
    for (const each of started.reverse()) await each.stop();
  }
}

/** The books once all are synced, or as they are when that has lasted too long. @param {string} url */
async function synced(url) {
  for (const lateMs = performance.now() + SYNC_MS_MAX; ; ) {
    const { books } = await counters(url);
    if ((books.synced === books.all && books.all > 0) || performance.now() > lateMs) return books;
    await pause(50);
  }
}

/** @param {Awaited<ReturnType<typeof soak>>} result */
function report({ verdict, books, checksums, clients, messages, reconnects, loads }) {
  const { memory, cpu } = verdict;
  const mib = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const percent = (/** @type {number} */ share) => `${share >= 0 ? '+' : ''}${(100 * share).toFixed(2)} %`;
  return [
    .../** @type {const} */ (['least', 'most']).map((which) => {
      const { first, last, growth } = memory[which];
      return `memory      ${which} ${mib(first)} → ${mib(last)}, ${percent(growth)} (at most +2 %)`;
    }),
    `CPU         ${cpu.first.toFixed(2)} → ${cpu.last.toFixed(2)} µs a message, ${cpu.ratio.toFixed(3)} × (at most 1.05 ×)`,
    `messages    ${messages}`,
    `reconnects  ${reconnects}`,
    `books       ${books.last.synced} of ${books.last.all} synced at the end`,
    `checksums   ${checksums.matched} of ${checksums.checked} right`,
    `clients     ${clients.frames} frames, ${clients.checks} books compared, ${clients.refused} frames refused`,
    `load        ${loads.map((load) => load.toFixed(2)).join(' → ')}`,
    verdict.failures.length === 0 ? 'PASS' : `FAIL: ${verdict.failures.join('; ')}`,
    '',
  ].join('\n');
}

/** Nothing to be done, and that is no failure. @param {string} why */
function skipped(why) {
  process.stdout.write(`SKIPPED: soak: ${why}\n${JSON.stringify({ name: 'soak', ok: true, note: why })}\n`);
}

/** @param {ReturnType<typeof readOptions>} options */
async function main({ json, tiny, ...options }) {
  if (process.platform !== 'linux') return skipped('it reads what Linux tells of processes in /proc');
  const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-soak-'));
  try {
    const run = { ...options, tiny };
    if (tiny) {
      const file = path.join(folder, 'simulated');
      writeFileSync(file, simulatedRecording(TINY_MS));
      Object.assign(run, { minutes: 0.5, speed: 10, recordings: [{ product: 'binance', file }] });
    } else if (run.recordings.length === 0) {
      run.recordings = recordingsAtHand();
    }
    if (run.recordings.length === 0) return skipped('no recordings; name some with --recording PRODUCT=FILE');
    const result = await soak(run);
    const { verdict, samples, ...rest } = result;
    process.stdout.write(report(result));
    const ok = verdict.failures.length === 0;
    process.stdout.write(`${JSON.stringify({ name: 'soak', ok, ...verdict, ...rest })}\n`);
    // No contenders are compared, so there are no rows.
    if (json !== undefined) writeFileSync(json, JSON.stringify({ rows: [], soak: result }));
    if (!ok) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

endWithSignals();
await main(readOptions());
