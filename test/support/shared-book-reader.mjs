/**
 * A worker that reads a shared book as fast as it can and holds each read to what one moment of `steadyMarket` looks like.
 * Ends when the main thread stores 1 in `control[0]`; `control[1]` tells the moments seen so far, its last message all that
 * it saw.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SharedBook } from 'depthwire/shared';

const { memory, control, loads, market } = workerData;
const book = new SharedBook(memory, { loads, attemptsMax: 1e9 });
const { depth, basePrice, stamps, first } = market;

/** What is wrong with the last read, if anything. */
function wrongness() {
  if (book.state !== 'synced') {
    return book.state === 'syncing' && book.bidCount + book.askCount === 0 ? '' : `${book.state} book`;
  }
  const update = Number(book.venueSeq);
  const stamp = 1 + (update % stamps);
  // A snapshot of this venue has no time.
  const time = update === first ? 0n : book.venueSeq * 1_000_000n;
  if (book.tsEvent !== time) return `update ${update} at ${book.tsEvent}`;
  if (book.bidCount !== depth || book.askCount !== depth) return `${book.bidCount}/${book.askCount} levels`;
  const nearest = 1 + (update % 2);
  for (let at = 0; at < depth; at += 1) {
    const away = nearest + 2 * at;
    const [bidPrice, bidQty, askPrice, askQty] = book.levels.subarray(4 * at, 4 * at + 4);
    if (
      bidPrice !== basePrice - away ||
      askPrice !== basePrice + away ||
      bidQty !== stamp ||
      askQty !== stamp
    ) {
      return `update ${update}, level ${at}: ${bidPrice} x ${bidQty}, ${askPrice} x ${askQty}`;
    }
  }
  return '';
}

let reads = 0;
let moments = 0;
let wrong = 0;
let example = '';
let seen = -1n;
parentPort.postMessage('ready');
while (Atomics.load(control, 0) === 0) {
  for (let batch = 0; batch < 1_000; batch += 1) {
    book.readTop();
    reads += 1;
    if (book.venueSeq !== seen) moments += 1;
    seen = book.venueSeq;
    const problem = wrongness();
    if (problem === '') continue;
    wrong += 1;
    example ||= problem;
  }
  Atomics.store(control, 1, moments);
}
parentPort.postMessage({ reads, moments, wrong, example });
