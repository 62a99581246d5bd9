// @ts-check
/** The clients of the soak: `node bench/soak-clients.mjs URL COUNT`, forked, each with the book and the trades of every instrument. */
import { channel, connect, WireError } from '../dist/wire/index.js';

/**
 * What all have taken together.
 * @typedef {object} Taken
 * @property {number} frames
 * @property {number} trades
 * @property {number} checks comparisons of a book with the server's checksum
 * @property {number} refused frames that were none, left a gap or contradicted a checksum
 */

const [url = '', count = '0'] = process.argv.slice(2);
const answer = await fetch(`${url}v1/instruments`);
const { instruments } = /** @type {{ instruments: readonly { name: string }[] }} */ (await answer.json());
let refused = 0;
let trades = 0;
const feeds = Array.from({ length: Number(count) }, () => {
  const feed = connect(`${url.replace('http', 'ws')}v1/feed`);
  feed.on('error', (error) => {
    if (error instanceof WireError) refused += 1;
  });
  for (const { name } of instruments) {
    feed.book(name).on('gap', () => {
      refused += 1;
    });
    const tape = feed.subscribe(channel.trades, name);
    tape.on('update', () => {
      trades += 1;
    });
    // A reset is the venue's own: the book that it opens another epoch of says the same. So is what follows the server's word
    // that nobody tells trades.
    let isTold = false;
    tape.on('stale', () => {
      isTold = true;
    });
    tape.on('gap', ({ reason }) => {
      if (reason !== 'reset' && !isTold) refused += 1;
      isTold = false;
    });
  }
  return feed;
});

/** @returns {Taken} */
function taken() {
  const sum = (/** @type {'frames' | 'checks'} */ what) =>
    feeds.reduce((total, { counters }) => total + counters[what], 0);
  return { frames: sum('frames'), trades, checks: sum('checks'), refused };
}

process.on('message', () => process.send?.(taken()));
process.on('disconnect', () => process.exit());
process.send?.('ready');
