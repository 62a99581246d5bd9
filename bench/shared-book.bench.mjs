// @ts-check
/**
 * What reading a book in shared memory costs: its top, and 20 levels of both sides, in batches, against the two atomic
 * loads that a read cannot do without. A read that allocates is an error: the heap must not grow over a million of them.
 *
 * The book is a moment of the simulated venue; every batch must read what the engine says of it.
 */
import { allocateSharedBook, SharedBook } from '../dist/shared/index.js';
import { Simulator } from '../src/native/load.js';
import { open } from './depth-frames.mjs';
import { measure, program } from './measure.mjs';

const BENCH = 'shared_book';
const DEPTH = 20;

/** Reads of a batch: together some ten microseconds, so that most batches are not interrupted. */
const BATCH_READS = 1_000;
const BATCHES = 100;
const BATCHES_TINY = 2;

/** Reads over which the heap must not grow, in steps short enough that none is emptied by a collection unseen. */
const HEAP_READS = 1_000_000;
const HEAP_STEP_READS = 50_000;
/** What measuring the heap itself leaves behind, several times over; one number a read would be 12 MB. */
const HEAP_GROWTH_MAX = 100_000;

/** A book of the simulated venue in shared memory, and what the engine says of its top. */
function simulatedBook() {
  const { engine, take, listed } = open('sim', 'BTCUSDT');
  const memory = allocateSharedBook(DEPTH);
  engine.shareBook(listed.id, memory);
  const bytes = new Uint8Array(1 << 20);
  take(bytes.subarray(0, new Simulator(5, 0).snapshot('BTCUSDT', 1_000, bytes)));
  const { bestBid, bestAsk } = engine.book(listed.id);
  const mantissa = (/** @type {string | undefined} */ text) =>
    Math.round(Number(text) * 10 ** -listed.priceExponent);
  return { memory, bidPrice: mantissa(bestBid), askPrice: mantissa(bestAsk) };
}

/** Bytes by which the heap grew while reading, collections left out. @param {() => void} read */
function heapGrowth(read) {
  // The compiler's own work comes first.
  for (let reads = 0; reads < HEAP_READS; reads += 1) read();
  let growth = 0;
  for (let reads = 0; reads < HEAP_READS; reads += HEAP_STEP_READS) {
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < HEAP_STEP_READS; at += 1) read();
    growth += Math.max(0, process.memoryUsage().heapUsed - before);
  }
  return growth;
}

await program(BENCH, ['sim-btcusdt'], async (workload, { rounds, tiny }) => {
  const { memory, bidPrice, askPrice } = simulatedBook();
  const words = new Uint32Array(memory.buffer);
  const book = new SharedBook(memory);
  const batches = tiny ? BATCHES_TINY : BATCHES;
  /**
   * The time of one batch, and the sum that it read.
   * @param {string} name
   * @param {number} each what one read adds to the sum
   * @param {() => number} batch
   */
  const contender = (name, each, batch) => ({
    name,
    count: BATCH_READS,
    expected: `sum ${each * BATCH_READS}`,
    run: () => {
      let sum = 0;
      const times = Array.from({ length: batches }, () => {
        const started = process.hrtime.bigint();
        sum = batch();
        return Number(process.hrtime.bigint() - started);
      });
      return { ns: times.sort((a, b) => a - b)[batches >> 1] ?? Number.NaN, answer: `sum ${sum}` };
    },
  });
  const sequence = Atomics.load(words, 0);
  const rows = await measure(BENCH, workload, 'ns/read', rounds, [
    contender('two atomic loads', 2 * sequence, () => {
      let sum = 0;
      for (let read = 0; read < BATCH_READS; read += 1)
        sum += Atomics.load(words, 0) + Atomics.load(words, 0);
      return sum;
    }),
    contender('read_bbo', bidPrice + askPrice, () => {
      let sum = 0;
      for (let read = 0; read < BATCH_READS; read += 1) {
        if (book.readBbo() === 'synced') sum += book.bidPrice + book.askPrice;
      }
      return sum;
    }),
    contender('read_top20', bidPrice + DEPTH, () => {
      let sum = 0;
      for (let read = 0; read < BATCH_READS; read += 1) {
        if (book.readTop() === 'synced') sum += book.bidPrice + book.askCount;
      }
      return sum;
    }),
  ]);
  for (const [name, read] of /** @type {const} */ ([
    ['read_bbo', () => book.readBbo()],
    ['read_top20', () => book.readTop()],
  ])) {
    const growth = heapGrowth(read);
    if (growth <= HEAP_GROWTH_MAX) continue;
    process.exitCode = 1;
    const problem = `the heap grew by ${growth} bytes over ${HEAP_READS} reads`;
    process.stdout.write(`${JSON.stringify({ name: `${BENCH} ${name}`, ok: false, problem })}\n`);
  }
  return rows;
});
