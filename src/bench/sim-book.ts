/** The book of the embedded venue that scenarios measure by, as text; `crates/latency/src/updates.rs` has the same. */

/** What is measured is a book of the embedded venue. */
export const INSTRUMENT = 'sim:BTCUSDT';
export const VENUE = 'sim';

/** Updates follow one another from the next number on. */
const SNAPSHOT_ID = 100_000_000_000;
const LEVELS = 50;
/** Quantities that follow one another at a price; no divisor of the levels, so no level gets the quantity that it has. */
const QUANTITIES = 257;

const BEST = { bid: 6_000_000, ask: 6_000_010 } as const;
const STEP = { bid: -10, ask: 10 } as const;

function price(side: 'bid' | 'ask', level: number): string {
  return ((BEST[side] + STEP[side] * level) / 100).toFixed(8);
}

function quantity(at: number, change: number): string {
  return `${1 + (at % QUANTITIES)}.${change}0000000`;
}

/** The answer to a request for the book. */
export function snapshotText(): string {
  const side = (of: 'bid' | 'ask'): string[][] =>
    Array.from({ length: LEVELS }, (_, level) => [price(of, level), '9.00000000']);
  return JSON.stringify({ lastUpdateId: SNAPSHOT_ID, bids: side('bid'), asks: side('ask') });
}

/** An update by its place behind the snapshot, from 0: two levels a side get another quantity. */
export function updateText(at: number): string {
  const id = SNAPSHOT_ID + 1 + at;
  const side = (of: 'bid' | 'ask'): string[][] =>
    [0, 1].map((change) => [price(of, (at * 2 + change) % LEVELS), quantity(at, change)]);
  const data = {
    e: 'depthUpdate',
    E: 1_767_225_600_000,
    s: 'BTCUSDT',
    U: id,
    u: id,
    b: side('bid'),
    a: side('ask'),
  };
  return JSON.stringify({ stream: 'btcusdt@depth@100ms', data });
}

/** The embedded venue's book as its updates leave it. */
export class SimBook {
  readonly #qty = {
    bid: Array<string>(LEVELS).fill('9.00000000'),
    ask: Array<string>(LEVELS).fill('9.00000000'),
  };
  #next = 0;

  /** The next update. One that nobody is given is a gap. */
  next(): Buffer {
    const at = this.#next;
    this.#next += 1;
    for (const side of ['bid', 'ask'] as const)
      for (const change of [0, 1]) this.#qty[side][(at * 2 + change) % LEVELS] = quantity(at, change);
    return Buffer.from(updateText(at));
  }

  /** The levels as they are now, price and quantity, best first. */
  levels(): { readonly bids: readonly (readonly string[])[]; readonly asks: readonly (readonly string[])[] } {
    const side = (of: 'bid' | 'ask'): string[][] =>
      this.#qty[of].map((qty, level) => [price(of, level), qty]);
    return { bids: side('bid'), asks: side('ask') };
  }

  /** The book as it is now, as an answer to a request for it. */
  snapshot(): Buffer {
    return Buffer.from(JSON.stringify({ lastUpdateId: SNAPSHOT_ID + this.#next, ...this.levels() }));
  }
}
