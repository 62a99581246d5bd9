// @ts-check
/**
 * What clients believe of a server that is killed. `depthwire serve` of a recording is ended by SIGKILL at random moments: while it
 * starts, while images and resumed streams go out, under load, while lines have just been cut; and is started again on the
 * same port, each time with another market: in the first half of the kills of price
 * levels, in the second of orders. Clients of every kind, direct ones and such on lines that are slow, are cut in the
 * middle of a frame or never end, hold each book against what an engine that nobody kills had at its place, and each trade against
 * the trade before it.
 *
 * It passes where no book that said it was exact at a place differs from the truth there; where nobody calls anything synced
 * for longer than `STALE_MS_MAX` behind the end of the server; where every trade is the next one, or what is missing was told; and
 * where all is synced again within `SYNC_MS_MAX` of a start. One server in five starts with the clock of the one before it, as on a
 * machine that has set its clock back: epochs must differ all the same.
 *
 * `node bench/kill.mjs [OPTIONS]`, after `npm run build`. `--kills N`: default 100, some three minutes. `--seed N`: of the market
 * and of all that is chosen by chance; default 1. What the machine does in between is not repeated. `--trace`: a line a kill. `--json
 * FILE`: also writes the verdict. `--gateways N`, `--transport uws|ws`: as `serve` has them. `--tiny`: as `npm test` runs it, a few kills.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { endWithSignals } from '../scripts/run.mjs';
import { Client, KINDS } from './kill/client.mjs';
import { Judge } from './kill/judge.mjs';
import { ENDINGS } from './kill/line.mjs';
import { instrumentNames, recordMarket } from './kill/market.mjs';
import { ORDER_INSTRUMENTS, recordOrders } from './kill/order-market.mjs';
import { freePort, Server } from './kill/server.mjs';

/** Longest that anything is called synced behind the end of a server, or nothing of a new one is. */
const STALE_MS_MAX = 5000;
const SYNC_MS_MAX = 20_000;
const POLL_MS = 5;
/** Of each sort. */
const MARKETS = 3;
/** Recorded seconds in one: so that books change under every kill. */
const SPEED = 5;
/** Of a client's deeds. */
const ACT_MS = 200;

/**
 * When a server is killed: of five starts one each, at first in this order, then in any.
 * @typedef {{ readonly moment: 'starting' | 'joining' | 'load' | 'resume', readonly isRepeated?: boolean }} Deed `isRepeated`: it
 *   starts with the clock of the one before
 * @type {readonly Deed[]}
 */
const DEEDS = [
  { moment: 'load' },
  { moment: 'load', isRepeated: true },
  { moment: 'resume' },
  { moment: 'joining' },
  { moment: 'starting' },
];

/** Numbers from 0 to 1, the same for the same seed. @param {number} seed */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Campaign {
  /** Times from the end of a server until nothing was called synced, and from a start until all was. @type {{ stale: number[], synced: number[] }} */
  times = { stale: [], synced: [] };
  /** @type {Record<string, number>} */
  moments = {};
  /** @type {Client[]} */
  clients = [];
  /** @type {Server | undefined} */
  #server;
  #market = -1;
  /** Of the last start. */
  #clockMs = Date.now();
  /** What is still to be done of this round. @type {Deed[]} */
  #deeds = [...DEEDS];
  #isFirstRound = true;

  /**
   * @param {object} options
   * @param {Judge} options.judge
   * @param {readonly string[]} options.files recordings of markets
   * @param {readonly string[]} options.instruments of all of them
   * @param {number} options.port
   * @param {() => number} options.random
   * @param {boolean} options.trace
   * @param {readonly string[]} options.serving how servers have their clients
   */
  constructor({ judge, files, instruments, port, random, trace, serving }) {
    this.judge = judge;
    this.instruments = instruments;
    this.files = files;
    this.port = port;
    this.random = random;
    this.trace = trace;
    this.serving = serving;
  }

  /** One start of the server, and its end. */
  async kill() {
    const { random } = this;
    if (this.#deeds.length === 0) {
      this.#deeds = [...DEEDS];
      this.#isFirstRound = false;
    }
    const at = this.#isFirstRound ? 0 : Math.floor(random() * this.#deeds.length);
    const [deed] = this.#deeds.splice(at, 1);
    const { moment, isRepeated = false } = /** @type {Deed} */ (deed);
    const server = this.#start(isRepeated);
    if (moment === 'starting') await pause(random() * 600);
    else await server.listening;
    if (moment === 'joining') await pause(random() * 120);
    if (moment === 'load' || moment === 'resume') {
      await this.#synced(server);
      await pause(random() * 800);
    }
    if (moment === 'resume') {
      for (const { line } of this.clients) if (random() < 0.7) line?.cut(random() < 0.5 ? 'half' : 'reset');
      await pause(random() * 60);
    }
    for (const { line } of this.clients)
      if (line !== undefined) line.ending = ENDINGS[Math.floor(random() * ENDINGS.length)] ?? 'end';
    this.moments[moment] = 1 + (this.moments[moment] ?? 0);
    await server.kill();
    this.#server = undefined;
    this.#compare();
    // The next one starts at once, or when everybody has noticed.
    if (random() < 0.5) await this.#stale();
    this.#compare();
    if (this.trace)
      process.stdout.write(
        `# ${moment}${isRepeated ? ', the clock of the one before' : ''}: ${this.judge.failed} failures\n`,
      );
  }

  /** A server that is not killed: everybody comes back, and goes on. */
  async last() {
    const server = this.#start(false);
    await server.listening;
    await this.#synced(server);
    await this.#goesOn();
    this.#compare();
  }

  async end() {
    await this.#server?.kill();
    for (const client of this.clients) await client.close();
  }

  /** @param {boolean} isRepeated with the clock of the last one */
  #start(isRepeated) {
    const { random, files, instruments, port, serving } = this;
    // Another market than the last one: what is left of that is wrong in this one.
    const steps = 1 + Math.floor(random() * (files.length - 1));
    this.#market = this.#market < 0 ? 0 : (this.#market + steps) % files.length;
    if (!isRepeated) this.#clockMs = Date.now();
    const file = files[this.#market] ?? '';
    const options = { port, file, instruments, speed: SPEED, clockMs: this.#clockMs, serving };
    const server = new Server(options, (text) => this.judge.fail(`the server has ended by itself: ${text}`));
    this.#server = server;
    return server;
  }

  #compare() {
    for (const client of this.clients) client.compare();
  }

  /** Waits until nobody calls anything synced. */
  async #stale() {
    const fromMs = performance.now();
    for (;;) {
      const left = this.clients.flatMap((client) => client.synced().map((name) => `${client.name} ${name}`));
      const tookMs = performance.now() - fromMs;
      if (left.length === 0) return this.times.stale.push(tookMs);
      if (tookMs > STALE_MS_MAX) return this.judge.fail(`without a server still synced: ${left.join(', ')}`);
      await pause(POLL_MS);
    }
  }

  /** Waits until everybody calls everything synced. @param {Server} server */
  async #synced({ startedMs }) {
    for (;;) {
      const missing = this.clients.flatMap((client) => client.missing(startedMs));
      const tookMs = performance.now() - startedMs;
      if (missing.length === 0) return this.times.synced.push(tookMs);
      if (tookMs > SYNC_MS_MAX) return this.judge.fail(`not synced again: ${missing.join(', ')}`);
      await pause(POLL_MS);
    }
  }

  /** Whoever calls a book synced has what others have, soon. */
  async #goesOn() {
    /** @type {Map<string, { epoch: bigint, seq: number }>} */
    const newest = new Map();
    for (const client of this.clients)
      for (const [name, place] of client.places())
        if (place !== undefined && place.seq > (newest.get(name)?.seq ?? 0)) newest.set(name, place);
    for (const fromMs = performance.now(); ; await pause(POLL_MS)) {
      const behind = this.clients.flatMap((client) =>
        [...client.places()]
          .filter(([name, place]) => (place?.seq ?? 0) < (newest.get(name)?.seq ?? 0))
          .map(([name]) => `${client.name} ${name}`),
      );
      if (behind.length === 0) return;
      if (performance.now() - fromMs > SYNC_MS_MAX)
        return this.judge.fail(`left behind: ${behind.join(', ')}`);
    }
  }
}

/** @param {readonly number[]} times */
function summary(times) {
  const sorted = [...times].sort((a, b) => a - b).map(Math.round);
  return { median: sorted[sorted.length >> 1] ?? 0, most: sorted.at(-1) ?? 0 };
}

/**
 * Markets of one sort, and the kills of servers of them.
 * @param {'levels' | 'orders'} sort
 * @param {{ kills: number, seed: number, marketMs: number, trace: boolean, serving: readonly string[] }} options
 * @param {string} folder
 */
async function campaign(sort, { kills, seed, marketMs, trace, serving }, folder) {
  const random = chance(seed);
  const hasOrders = sort === 'orders';
  const instruments = hasOrders ? ORDER_INSTRUMENTS : instrumentNames();
  const markets = Array.from({ length: MARKETS }, (_, at) => {
    const file = path.join(folder, `${sort}${at}`);
    const of = MARKETS * seed + at;
    return hasOrders ? recordOrders(file, chance(of), marketMs) : recordMarket(file, of, marketMs);
  });
  const judge = new Judge(markets.map(({ truth }) => truth));
  const port = await freePort();
  const files = markets.map(({ file }) => file);
  const run = new Campaign({ judge, files, instruments, port, random, trace, serving });
  // Of its own, so that what clients do between two kills does not change when the next one is.
  const surroundings = { judge, instruments, hasOrders, random: chance(~seed) };
  for (const kind of KINDS) run.clients.push(await Client.open(kind.name, kind, port, surroundings));
  const deeds = setInterval(() => {
    for (const client of run.clients) client.act();
  }, ACT_MS);
  try {
    for (let kill = 0; kill < kills && judge.failed === 0; kill++) await run.kill();
    if (judge.failed === 0) await run.last();
  } finally {
    clearInterval(deeds);
    await run.end();
  }
  /** @type {Record<string, number>} */
  const brought = {};
  for (const client of run.clients)
    for (const [way, count] of client.brought) brought[way] = count + (brought[way] ?? 0);
  return {
    failures: judge.failures,
    kills: Object.values(run.moments).reduce((sum, count) => sum + count, 0),
    moments: run.moments,
    compared: judge.counts,
    brought,
    staleMs: summary(run.times.stale),
    syncedMs: summary(run.times.synced),
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string' },
      seed: { type: 'string', default: '1' },
      trace: { type: 'boolean', default: false },
      json: { type: 'string' },
      gateways: { type: 'string', default: '0' },
      transport: { type: 'string', default: 'auto' },
      tiny: { type: 'boolean', default: false },
    },
  });
  const { tiny, trace, json, gateways, transport } = values;
  const kills = Number(values.kills ?? (tiny ? 8 : 100));
  const seed = Number(values.seed);
  if (!(Number.isSafeInteger(kills) && kills > 0)) throw new Error('--kills: a whole number above 0');
  if (!(Number.isSafeInteger(seed) && seed >= 0)) throw new Error('--seed: a whole number');
  const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-kill-'));
  try {
    const serving = ['--gateways', gateways, '--transport', transport];
    const options = { seed, marketMs: tiny ? 20_000 : 60_000, trace, serving };
    const levels = await campaign('levels', { ...options, kills: Math.ceil(kills / 2) }, folder);
    const orders = await campaign('orders', { ...options, kills: Math.floor(kills / 2) }, folder);
    const failures = [...levels.failures, ...orders.failures];
    for (const failure of failures) process.stdout.write(`${failure}\n`);
    const ok = failures.length === 0;
    const verdict = { name: 'kill', ok, seed, kills: levels.kills + orders.kills, levels, orders };
    process.stdout.write(`${JSON.stringify(verdict)}\n`);
    // No contenders are compared, so there are no rows.
    if (json !== undefined) writeFileSync(json, JSON.stringify({ rows: [], kill: verdict }));
    return ok ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

endWithSignals();
process.exit(await main());
