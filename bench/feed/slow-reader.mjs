// @ts-check
/**
 * A reader of all books whose line stands still, then passes a byte a second, and in the end everything: it has to hold then
 * what the engine holds.
 */
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../../dist/wire/index.js';
import { VENUE } from './records.mjs';

/** How long the line stands still. */
const STILL_MS = 2500;
const JOIN_MS_MAX = 10_000;
const DRAIN_MS_MAX = 20_000;

/** A line to a port that can be held. @param {number} to */
async function slowLine(to) {
  /** @type {import('node:net').Socket | undefined} */
  let far;
  /** @type {import('node:net').Socket | undefined} */
  let near;
  const server = createServer((socket) => {
    near = socket;
    far = connectTcp(to, '127.0.0.1');
    // What it says goes through at once.
    near.pipe(far);
    near.on('error', () => far?.destroy());
    far.on('error', () => near?.destroy());
    far.on('close', () => near?.destroy());
    open();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  /** From now on everything goes through. */
  function open() {
    far?.pipe(/** @type {import('node:net').Socket} */ (near));
  }
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    open,
    /** From now on nothing goes through but what `pass` is called for. */
    hold() {
      far?.unpipe();
      far?.pause();
    },
    /** Lets a byte through. */
    pass() {
      const byte = far?.read(1);
      if (byte) near?.write(byte);
    },
    close: () => server.close(),
  };
}

/** The gauge of what waits for clients. @param {string} base */
async function waitingOf(base) {
  const text = await (await fetch(`${base}/metrics`)).text();
  return Number(/^\S*waiting_bytes (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}

/** Whether a book is that of the server: state, place and every level. @param {string} base @param {import('../../dist/wire/index.js').BookSubscription} subscription */
async function isEqual(base, { topic, book, state, place }) {
  const answer = await fetch(`${base}/v1/book/${encodeURIComponent(topic.instrument)}?depth=5000`);
  const served = /** @type {any} */ (await answer.json());
  /** @param {'bid' | 'ask'} side @param {number} count */
  const levels = (side, count) =>
    Array.from({ length: count }, (_, at) => {
      const level = /** @type {import('../../dist/wire/index.js').Level} */ (book.levelAt(side, at));
      return [Number(book.priceText(level)), Number(book.qtyText(level))];
    });
  const own = { epoch: String(place?.epoch), seq: String(place?.seq), state };
  const numbers = (/** @type {[string, string][]} */ side) => side.map((level) => level.map(Number));
  return (
    JSON.stringify({ ...own, b: levels('bid', served.bidCount), a: levels('ask', served.askCount) }) ===
    JSON.stringify({
      epoch: served.epoch,
      seq: served.seq,
      state: served.state,
      b: numbers(served.bids),
      a: numbers(served.asks),
    })
  );
}

/** @param {import('./rig.mjs').Server} server */
export async function slowReader({ feed }) {
  const base = `http://127.0.0.1:${feed}`;
  const line = await slowLine(feed);
  const reader = connect(`ws://127.0.0.1:${line.port}/v1/feed`, {
    reconnect: false,
    pingIntervalMs: 600_000,
  });
  const wrong = new Set();
  reader.on('error', (error) => wrong.add(error.message));
  const books = reader.books(`${VENUE}:*`);
  let matched = 0;
  books.on('matched', (count) => {
    matched = count;
  });
  const isIn = () =>
    matched > 0 &&
    [...books.subscriptions.values()].filter(({ state }) => state === 'synced').length === matched;
  for (const lateMs = performance.now() + JOIN_MS_MAX; !isIn(); await pause(20))
    if (performance.now() > lateMs) throw new Error(`the slow reader is not in: ${matched} books`);
  line.hold();
  let trickle = setTimeout(() => {
    trickle = setInterval(line.pass, 1000);
  }, STILL_MS);
  return async () => {
    const waitingBytes = await waitingOf(base);
    clearTimeout(trickle);
    line.open();
    /** @type {Set<import('../../dist/wire/index.js').BookSubscription>} */
    const differ = new Set();
    const untilMs = performance.now() + DRAIN_MS_MAX;
    do {
      await pause(100);
      differ.clear();
      for (const book of books.subscriptions.values()) if (!(await isEqual(base, book))) differ.add(book);
    } while (
      (differ.size > 0 || matched === 0 || books.subscriptions.size < matched) &&
      performance.now() < untilMs
    );
    if (matched === 0) wrong.add('it was granted no book');
    const booksDiffer = differ.size + matched - books.subscriptions.size;
    const { fellBehind } = reader.counters;
    await reader.close();
    line.close();
    return { wrong: [...wrong], waitingBytes, booksDiffer, fellBehind };
  };
}
