/**
 * Hands shared memory to every export that takes bytes, a hundred thousand times, while another thread overwrites it. Runs as
 * a process of its own, so that a crash is an exit by a signal. Prints one line of JSON: for each export how many calls were
 * taken and refused, what was wrong, and how many different answers there were.
 *
 * Each input holds digits that the other thread changes to `1`, `2` or a letter, each at any time. So whatever moment an
 * export has read, it is refused for its letter, or each of its digits is 1 or 2 and all the rest is as it was written.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { openEngine, STREAM } from 'depthwire';
import { allocateSharedBook, SharedBook } from 'depthwire/shared';

const { Replica, Unzstd } = createRequire(import.meta.url)('../../src/native/load.js');

const CALLS = 100_000;
const LEVELS = 10;
const START_NS = 1_700_000_000_000_000_000n;
/** Mostly digits: any other refuses a whole input. */
const VARIANTS = Buffer.from(`${'12'.repeat(40)}x"\\[`);
/** What stands where the other thread writes. */
const MARK = '#';

const prices = (first, step) => Array.from({ length: LEVELS }, (_, at) => (first + step * at).toFixed(2));
const BIDS = prices(500, -1);
const ASKS = prices(600, 1);
const sides = (qty) => ({ bids: BIDS.map((price) => [price, qty]), asks: ASKS.map((price) => [price, qty]) });

/** Shared memory with the places of all marks in it, which then hold a 1. */
function shared(content) {
  const bytes = new Uint8Array(new SharedArrayBuffer(content.length));
  bytes.set(content);
  const places = [...bytes.keys()].filter((at) => bytes[at] === MARK.charCodeAt(0));
  for (const at of places) bytes[at] = 0x31;
  return { bytes, places, variants: VARIANTS };
}

const snapshot = JSON.stringify({ lastUpdateId: 100, ...sides(`${MARK}.00000`) });
const plainSnapshot = Buffer.from(snapshot.replaceAll(MARK, '1'));
const { bids: b, asks: a } = sides(`${MARK}.00000`);
const update = JSON.stringify({ e: 'depthUpdate', E: 90, s: 'BTCUSDT', U: 101, u: 101, b, a });
const quiet = Buffer.from(
  JSON.stringify({ e: 'depthUpdate', E: 90, s: 'BTCUSDT', U: 101, u: 101, b: [], a: [] }),
);
const lines = [snapshot, update].map((message) => `${START_NS} ${message}\n`).join('');

let isRefused = false;

/** An engine whose book stands in shared memory too. */
function opened(replay) {
  const asked = { ticket: 0 };
  const listener = {
    onFrame() {},
    onSay() {},
    onAsk({ ticket }) {
      asked.ticket = ticket;
    },
    onFault() {
      isRefused = true;
    },
  };
  const engine = openEngine({ startId: 3, silenceMs: 0, replay, outputBytes: 4 << 20 }, listener);
  const { id } = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT');
  const source = engine.openSource('sim', [id]);
  const memory = allocateSharedBook(LEVELS);
  engine.shareBook(id, memory);
  return { engine, id, source, asked, book: new SharedBook(memory) };
}

const { engine, id, source, book } = opened(true);
const live = opened(false);

engine.ingest(source, plainSnapshot);
const image = new Uint8Array(1 << 16);
const imageBytes = image.slice(0, engine.image(id, STREAM.book, image));
// Its checksum stands behind its levels, so one of their bytes that changes is found.
const levelAt = Buffer.from(imageBytes).indexOf(Buffer.from(BigInt64Array.of(50_000n).buffer));
const plainReplica = new Replica();
plainReplica.apply(imageBytes);
const [{ digest }] = plainReplica.books();

const payload = Buffer.from(MARK.repeat(100));
// A frame of one raw block: magic, one segment of that size, last block.
const zstd = Buffer.concat([
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 100, (100 << 3) | 1, (100 << 3) >> 8, 0]),
  payload,
]);

const inputs = {
  snapshot: shared(Buffer.from(snapshot)),
  update: shared(Buffer.from(update)),
  lines: shared(Buffer.from(lines)),
  frames: { ...shared(imageBytes), places: [levelAt + 8, levelAt + 24], variants: [0xa0, 0xa0, 0xa0, 0x31] },
  zstd: shared(zstd),
};

/** What is wrong with a book that may have taken any of the digits, if anything. */
function bookFault(book) {
  if (book.readTop() !== 'synced') return book.state;
  if (book.bidCount !== LEVELS || book.askCount !== LEVELS) return `${book.bidCount}/${book.askCount} levels`;
  for (let row = 0; row < LEVELS; row += 1) {
    const [bidPrice, bidQty, askPrice, askQty] = book.levels.subarray(4 * row, 4 * row + 4);
    const isAsWritten = bidPrice === Number(BIDS[row]) * 100 && askPrice === Number(ASKS[row]) * 100;
    if (!isAsWritten || ![bidQty, askQty].every((qty) => qty === 1e5 || qty === 2e5)) {
      return `level ${row}: ${bidPrice} x ${bidQty}, ${askPrice} x ${askQty}`;
    }
  }
  return '';
}

const levels = (of) => of.levels.join();
const out = new Uint8Array(100);

/** Each hands its memory in and returns what is wrong then, and what it got. */
const exports = {
  ingest() {
    engine.resetSource(source);
    engine.ingest(source, inputs.snapshot.bytes);
    return isRefused ? ['', ''] : [bookFault(book), levels(book)];
  },
  ingestUpdate() {
    engine.resetSource(source);
    engine.ingest(source, plainSnapshot);
    engine.ingest(source, inputs.update.bytes);
    if (!isRefused) return [bookFault(book), levels(book)];
    // A message of its own that cannot be read may leave it stale, but not another book.
    return [book.readTop() === 'synced' ? bookFault(book) : '', ''];
  },
  ingestSnapshot() {
    live.engine.resetSource(live.source);
    live.engine.ingest(live.source, quiet);
    live.engine.ingestSnapshot(live.id, live.asked.ticket, inputs.snapshot.bytes);
    return isRefused ? ['', ''] : [bookFault(live.book), levels(live.book)];
  },
  ingestRecording() {
    engine.resetSource(source);
    engine.ingestRecording(source, inputs.lines.bytes, 2n ** 63n, true);
    return isRefused ? ['', ''] : [bookFault(book), levels(book)];
  },
  detect() {
    const names = engine.detect(inputs.lines.bytes);
    return [names.join() === 'binance:BTCUSDT' ? '' : names.join(), ''];
  },
  apply() {
    const replica = new Replica();
    try {
      replica.apply(inputs.frames.bytes);
      const [told] = replica.books();
      const isProven = told?.state === 'synced' && told.checkFailures === 0;
      return [isProven && told.digest !== digest ? `digest ${told.digest}` : '', isProven ? told.digest : ''];
    } finally {
      replica.close();
    }
  },
  unzstd() {
    const decoder = new Unzstd();
    try {
      const { produced } = decoder.run(inputs.zstd.bytes, out);
      const isAsWritten = out.every((byte) => VARIANTS.includes(byte));
      return [
        produced === 100 && isAsWritten ? '' : `${produced} bytes`,
        Buffer.from(out).toString('latin1'),
      ];
    } finally {
      decoder.close();
    }
  },
};

const control = new Int32Array(new SharedArrayBuffer(8));
const worker = new Worker(new URL('shared-input-writer.mjs', import.meta.url), {
  workerData: { memories: Object.values(inputs), control },
});
await new Promise((resolve) => worker.once('message', resolve));

const summary = {};
const names = Object.keys(exports);
// An object of its own for each call costs more than the call.
const share = { apply: 0.02, unzstd: 0.02 };
for (const name of names) {
  const calls = Math.ceil(CALLS * (share[name] ?? 1 / (names.length - 2)));
  const answers = new Set();
  const told = { calls, refused: 0, wrong: 0, example: '', answers: 0 };
  for (let call = 0; call < calls; call += 1) {
    isRefused = false;
    let fault = '';
    try {
      const [wrong, answer] = exports[name]();
      fault = wrong;
      if (answer !== '' && answers.size < 1_000) answers.add(answer);
    } catch (error) {
      if (!/^[a-z]+\.[a-z_]+$/.test(error.code ?? '') || /panicked|failed/.test(error.code))
        fault = String(error);
      isRefused = true;
    }
    if (isRefused) told.refused += 1;
    if (fault !== '') {
      told.wrong += 1;
      told.example ||= fault;
    }
  }
  summary[name] = { ...told, answers: answers.size };
}

Atomics.store(control, 0, 1);
await new Promise((resolve) => worker.once('message', resolve));
await worker.terminate();
engine.resetSource(source);
engine.ingest(source, plainSnapshot);
const state = engine.book(id).state;
process.stdout.write(`${JSON.stringify({ summary, written: control[1], state })}\n`);
