// @ts-check
/**
 * All books of a venue lose their connections at once: whether every request that brings them back is within the venue's limits,
 * and how long it takes beside the least time that these allow.
 *
 * Each product has two processes, and real sockets between them: the fake venue, which counts as the venue does and refuses what
 * is beyond, and the connectors with an engine, here. All books are waited for, all connections cut, and all books waited for
 * again. The least time is that of the requests which are due, as early as the limits let them through, with what was used in the
 * same windows before the cut. A product passes where nothing went beyond a limit and it took no more than 1.2 times that time and
 * 1.5 s, in which a connection is made. Its numbers mean something on a quiet machine only.
 *
 * Where nothing but the next change of a book shows that none was missed (`quiet` in the last column), it is waited for, and the
 * time is not judged. Markets live at their real rate where that is no more than 4,000 frames a second of all books together, and
 * slower where it is: of two hundred of the busiest books the machine would be busy with nothing else.
 *
 * `node bench/storm.mjs [PRODUCT…] [OPTIONS]`, after `npm run build`. Without names: every product that is heard over sockets and
 * has a dialect, one after the other: a quarter of an hour. `--books N`: default 200. `--speed N`: windows of limits are so much
 * shorter; default 1. `--trace`: every request behind the cut, by the second. `--json FILE`: also writes the rows. `--tiny`: as
 * `npm test` runs it: a few books of two products at a higher speed, times are not judged.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openEngine } from '../dist/engine.js';
import { canOffer } from '../dist/fake-venue/offer.js';
import { SYSTEM_CLOCK } from '../dist/ingest/clock.js';
import { LiveVenues } from '../dist/ingest/live-venues.js';
import { chooseStreams } from '../dist/ingest/stream-choice.js';
import { subscriptionsOf } from '../dist/ingest/subscription.js';
import { VENUE_FACTS } from '../dist/ingest/venues/index.js';
import { endWithSignals } from '../scripts/run.mjs';
import { leastOf, productAt } from './storm-limits.mjs';

const RATIO_MAX = 1.2;
/** The first pause of a lost connection, its making, and the time until updates come in. */
const OVERHEAD_MS = 1500;
/** Nothing numbers their changes so that a book could be joined to them: it is exact from the first one that is heard behind it. */
const QUIET = ['bitstamp', 'bitstamp-orders'];
const TICK_MS = 10;
/** Between the last book of the beginning and the cut. */
const CALM_MS = 1000;
const SYNC_MS_MAX = 900_000;
const TINY = ['kraken', 'binance'];
const TINY_BOOKS = 6;
const TINY_SPEED = 20;

/**
 * @typedef {import('../dist/fake-venue/ledger.js').Request} Request
 * @typedef {object} Row
 * @property {string} product
 * @property {number} books
 * @property {number} tookMs
 * @property {number} leastMs
 * @property {number} ratio of the time to the least, or to `OVERHEAD_MS` where that is more
 * @property {number} requests connections, messages and HTTP requests behind the cut
 * @property {readonly string[]} beyond what went beyond a limit, at any time
 * @property {boolean} isQuiet whether a book waits for its market
 * @property {boolean} isOk
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A fake venue in a process of its own. @param {string} name @param {number} books @param {number} speed */
async function startVenue(name, books, speed) {
  const file = fileURLToPath(new URL('storm-venue.mjs', import.meta.url));
  const child = fork(file, [name, books, speed].map(String));
  running.add(child);
  child.on('close', () => running.delete(child));
  const heard = async () => {
    const [told] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error(`the fake venue of ${name} has ended`))),
    ]);
    return told;
  };
  const { hosts } = await heard();
  /** @param {'cut' | 'tell'} what @returns {Promise<{ nowMs: number, requests: readonly Request[] }>} */
  const ask = (what) => {
    child.send(what);
    return heard();
  };
  return { hosts, ask, stop: () => child.kill('SIGKILL') };
}

/** @param {string} name @param {{ books: number, speed: number, tiny: boolean, trace: boolean }} options @returns {Promise<Row>} */
async function storm(name, { books, speed, tiny, trace }) {
  const { facts, product, codes } = productAt(name, books, speed);
  const channel = product.offers.book === 'built' ? 'book' : 'orders';
  const venue = await startVenue(name, books, speed);
  const faults = new Map();
  const engine = openEngine(
    { startId: 1, replay: false, outputBytes: 16 << 20 },
    {
      onFrame: () => {},
      onAsk: (ask) => live.ask(ask),
      onSay: (source, text) => live.say(source, text),
      onFault: (fault) => faults.set(fault.code, 1 + (faults.get(fault.code) ?? 0)),
    },
  );
  const urls = Object.fromEntries(venue.hosts.map((/** @type {any} */ { venue, fake }) => [venue, fake]));
  const ids = codes.map((code) => engine.addInstrument(`${name}:${code}`));
  const names = ids.map((id) => engine.instrument(id).name);
  const live = new LiveVenues([{ name, venue: name, instruments: names, channels: [channel], urls }], {
    clock: SYSTEM_CLOCK,
    random: Math.random,
    onFault: () => {},
    facts: () => ({ facts, product }),
  });
  const timer = setInterval(() => engine.tick(), TICK_MS);
  /** @param {(id: number) => boolean} isDone */
  const all = async (isDone) => {
    const fromMs = performance.now();
    let waiting = ids;
    for (;;) {
      waiting = waiting.filter((id) => !isDone(id));
      // One that was there may be lost again.
      if (waiting.length === 0) waiting = ids.filter((id) => !isDone(id));
      const tookMs = performance.now() - fromMs;
      if (waiting.length === 0) return tookMs;
      if (tookMs > SYNC_MS_MAX) {
        const states = waiting.map((id) => engine.book(id).state);
        throw new Error(`${name}: ${waiting.length} books are ${[...new Set(states)].join(', ')}`);
      }
      await pause(TICK_MS);
    }
  };
  try {
    live.open(engine);
    live.start();
    await all((id) => engine.book(id).state === 'synced');
    await pause(CALM_MS);
    const losses = new Map(ids.map((id) => [id, engine.book(id).losses]));
    const due = dueOf(live, engine, product, channel);
    const cut = await venue.ask('cut');
    const tookMs = await all((id) => {
      const { state, losses: lost } = engine.book(id);
      return state === 'synced' && lost > (losses.get(id) ?? 0);
    });
    const { requests } = await venue.ask('tell');
    const before = requests
      .filter(({ atMs }) => atMs < cut.nowMs)
      .map((request) => ({ ...request, atMs: request.atMs - cut.nowMs }));
    const behind = requests.filter(({ atMs }) => atMs >= cut.nowMs);
    if (trace) traced(behind, cut.nowMs, faults);
    const asked = Math.min(books, behind.filter(({ kind }) => kind === 'http').length);
    const leastMs = leastOf(
      { facts, product, socket: due.socket },
      { connections: due.connections, books: asked },
      before,
    );
    const beyond = requests.flatMap(({ kind, beyond }) => (beyond === null ? [] : [`${kind}: ${beyond}`]));
    const isQuiet = QUIET.includes(name);
    const isInTime = tiny || isQuiet || tookMs <= RATIO_MAX * leastMs + OVERHEAD_MS;
    return {
      product: name,
      books,
      tookMs: Math.round(tookMs),
      leastMs: Math.round(leastMs),
      ratio: Math.round((100 * tookMs) / Math.max(leastMs, OVERHEAD_MS)) / 100,
      requests: behind.filter(({ kind }) => kind !== 'subscribe').length,
      beyond: [...new Set(beyond)],
      isQuiet,
      isOk: beyond.length === 0 && isInTime,
    };
  } finally {
    clearInterval(timer);
    await live.stop();
    engine.close();
    venue.stop();
  }
}

/** What is subscribed again, by connection. @param {LiveVenues} live @param {any} engine @param {any} product @param {'book' | 'orders'} channel */
function dueOf(live, engine, product, channel) {
  const [choice] = chooseStreams(product, { channels: [channel], hasKey: false });
  if (choice === undefined) throw new Error(`no stream of ${product.name}`);
  const [status] = live.status();
  const connections = (status?.connections ?? []).map(({ instruments }) => {
    const subscriptions = instruments.flatMap((id) => {
      const { symbol, codes } = engine.instrument(id);
      return choice.choices.flatMap(({ stream, depth }) =>
        subscriptionsOf(stream, depth, { symbol, code: codes[0] ?? symbol }),
      );
    });
    return [...new Map(subscriptions.map((each) => [each.key, each])).values()];
  });
  return { socket: choice.facts, connections };
}

/** @param {readonly Request[]} behind @param {number} cutMs @param {Map<string, number>} faults */
function traced(behind, cutMs, faults) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { atMs, kind, beyond } of behind) {
    const key = `${String(Math.floor((atMs - cutMs) / 1000)).padStart(5)} s ${kind}${beyond === null ? '' : ` BEYOND ${beyond}`}`;
    counts.set(key, 1 + (counts.get(key) ?? 0));
  }
  for (const [key, count] of counts) process.stdout.write(`# ${key} ${count}\n`);
  for (const [code, count] of faults) process.stdout.write(`# ${code} ${count}\n`);
}

/** @param {Row} row */
function line({ product, books, tookMs, leastMs, ratio, requests, beyond, isQuiet, isOk }) {
  const cells = [
    product.padEnd(20),
    String(books).padStart(5),
    String(tookMs).padStart(8),
    String(leastMs).padStart(9),
    ratio.toFixed(2).padStart(6),
    String(requests).padStart(9),
    String(beyond.length).padStart(7),
  ];
  const verdict = `${isOk ? 'PASS' : 'FAIL'}${isQuiet ? ' quiet' : ''}`;
  return `${cells.join('')}  ${verdict}\n${beyond.map((what) => `  ${what}\n`).join('')}`;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      books: { type: 'string' },
      speed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      json: { type: 'string' },
      tiny: { type: 'boolean', default: false },
    },
  });
  const known = VENUE_FACTS.flatMap(({ products }) => products.filter(canOffer).map(({ name }) => name));
  const { tiny, trace, json } = values;
  const books = Number(values.books ?? (tiny ? TINY_BOOKS : 200));
  const speed = Number(values.speed ?? (tiny ? TINY_SPEED : 1));
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no product ${unknown}; there are ${known.join(' ')}`);
  if (!(books > 0 && speed > 0)) throw new Error('--books and --speed: a number above 0');
  const names = positionals.length > 0 ? positionals : tiny ? TINY : known;
  process.stdout.write(`load ${loadavg()[0]?.toFixed(2)}\n`);
  process.stdout.write(`${'product'.padEnd(20)}books took_ms least_ms ratio requests beyond\n`);
  /** @type {Row[]} */
  const rows = [];
  for (const name of names) {
    const row = await storm(name, { books, speed, tiny, trace });
    rows.push(row);
    process.stdout.write(line(row));
  }
  const ok = rows.every(({ isOk }) => isOk);
  process.stdout.write(`${JSON.stringify({ name: 'storm', ok, rows })}\n`);
  // No contenders are compared, so there are no rows for the table of all benchmarks.
  if (json !== undefined) writeFileSync(json, JSON.stringify({ rows: [], storm: rows }));
  return ok ? 0 : 1;
}

endWithSignals();
process.exitCode = await main();
