import type { Aggressor } from '../wire/index.js';

/** One taker's trade as the tape shows it: one fill, or several that came together. */
export interface ShownTrade {
  readonly tag: 'trade';
  /** The exact decimal: of several fills that of the last one, which is the worst for the taker. */
  readonly price: string;
  /** The exact decimal, of all fills. */
  readonly qtyText: string;
  /** In units, rounded, to compare at a glance. */
  readonly qty: number;
  readonly aggressor: Aggressor;
  /** ms since the Unix epoch; 0 = unknown. */
  readonly tsMs: number;
  readonly fills: number;
}

/** A place where trades are missing. */
export interface MissingTrades {
  readonly tag: 'missing';
}

export type TapeItem = ShownTrade | MissingTrades;

/** A fill as it came, with what tells whether it belongs to the one before it. */
export interface Fill {
  readonly price: string;
  /** Mantissa, at `qtyExponent`. */
  readonly qty: bigint;
  readonly qtyExponent: number;
  readonly aggressor: Aggressor;
  /** The venue's time, ns; 0 = unknown. */
  readonly tsEvent: bigint;
  /** The venue's number of the trade; undefined where it has none. */
  readonly number: bigint | undefined;
  /** Sequence of the frame that brought it. */
  readonly seq: number;
}

/** A trade counts as large from this share of the trades held on. */
const LARGE_SHARE = 0.97;
const LARGE_EVERY = 64;

/**
 * The latest items of the tape, newest first, in a ring of fixed size. Fills of one taker are one item: same time, same
 * side, and consecutive numbers of the venue, or one message of it where it numbers no trades.
 */
export class RecentTrades {
  readonly capacity: number;
  /** Items since the last `clear`. */
  total = 0;
  /** Changes whenever an item does. */
  version = 0;
  readonly #ring: TapeItem[] = [];
  readonly #qtyText: (qty: bigint, exponent: number) => string;
  #last: Fill | null = null;
  #sum = 0n;
  #largeFrom = Number.POSITIVE_INFINITY;
  #largeOf = -LARGE_EVERY;

  /** `qtyText` prints a quantity mantissa exactly. */
  constructor(capacity: number, qtyText: (qty: bigint, exponent: number) => string) {
    this.capacity = capacity;
    this.#qtyText = qtyText;
  }

  get count(): number {
    return this.#ring.length;
  }

  /** A fill came: it joins the newest item, or is the next one. */
  add(fill: Fill): void {
    const newest = this.at(0);
    const isSame = newest?.tag === 'trade' && this.#last !== null && isOneTaker(this.#last, fill);
    this.#sum = isSame ? this.#sum + fill.qty : fill.qty;
    this.#last = fill;
    const qtyText = this.#qtyText(this.#sum, fill.qtyExponent);
    const item: ShownTrade = {
      tag: 'trade',
      price: fill.price,
      qtyText,
      qty: Number(qtyText),
      aggressor: fill.aggressor,
      tsMs: Number(fill.tsEvent / 1_000_000n),
      fills: isSame ? newest.fills + 1 : 1,
    };
    if (isSame) this.total -= 1;
    this.#push(item);
  }

  /** Trades are missing here. */
  miss(): void {
    this.#last = null;
    this.#push({ tag: 'missing' });
  }

  /** The item `age` places behind the newest (0), or null. */
  at(age: number): TapeItem | null {
    if (age >= this.count) return null;
    return this.#ring[(this.total - 1 - age) % this.capacity] ?? null;
  }

  /** The quantity from which a trade is among the largest 3 % of those held, looked at each 64 trades; infinite before that. */
  get largeFrom(): number {
    if (this.total - this.#largeOf >= LARGE_EVERY) {
      this.#largeOf = this.total;
      const qtys = this.#ring.flatMap((item) => (item.tag === 'trade' ? [item.qty] : []));
      qtys.sort((a, b) => a - b);
      const at = Math.floor(qtys.length * LARGE_SHARE);
      this.#largeFrom = qtys.length < LARGE_EVERY ? Infinity : (qtys[at] ?? Infinity);
    }
    return this.#largeFrom;
  }

  #push(item: TapeItem): void {
    this.#ring[this.total % this.capacity] = item;
    this.total += 1;
    this.version += 1;
  }
}

function isOneTaker(last: Fill, next: Fill): boolean {
  if (last.tsEvent !== next.tsEvent || last.aggressor !== next.aggressor) return false;
  if (last.qtyExponent !== next.qtyExponent || next.aggressor === 'unknown') return false;
  return last.number !== undefined && next.number !== undefined
    ? next.number === last.number + 1n
    : last.number === next.number && last.seq === next.seq;
}
