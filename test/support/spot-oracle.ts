import { createHash } from 'node:crypto';
import type { LocalBook } from '../../src/wire/index.js';

type Texts = readonly (readonly [price: string, qty: string])[];

/** A message of the Binance spot format, as far as a book needs it. */
export interface SpotMessage {
  readonly e?: string;
  readonly U: number;
  readonly u: number;
  readonly b: Texts | string;
  readonly a: Texts | string;
  readonly B?: string;
  readonly A?: string;
  readonly lastUpdateId?: number;
  readonly bids: Texts;
  readonly asks: Texts;
}

/** The message of a recording's line. */
export function messageOf(line: string): SpotMessage {
  const message = JSON.parse(line.slice(line.indexOf(' ') + 1)) as SpotMessage & { data?: SpotMessage };
  return message.data ?? message;
}

/** A decimal without zeros that say nothing. */
export function shortest(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** SHA-256 over `B price qty` and `A price qty` lines, best first, decimals in shortest text. */
export function digestOf(bids: Texts, asks: Texts): string {
  const hash = createHash('sha256');
  for (const [price, qty] of bids) hash.update(`B ${shortest(price)} ${shortest(qty)}\n`);
  for (const [price, qty] of asks) hash.update(`A ${shortest(price)} ${shortest(qty)}\n`);
  return hash.digest('hex');
}

/** The same digest of the book that a client holds. */
export function digestOfLocal(book: LocalBook): string {
  const texts = (side: 'bid' | 'ask'): Texts =>
    Array.from(book.levels(side), ({ price, qty }) => [book.priceText(price), book.qtyText(qty)] as const);
  return digestOf(texts('bid'), texts('ask'));
}

/**
 * Reads lines of a spot recording into a book of two maps, as slowly and plainly as can be. It shares nothing with the
 * engine: what both find is right, or both are wrong in the same way.
 */
export class SpotOracle {
  frames = 0;
  bookMessages = 0;
  applied = 0;
  levelChanges = 0;
  appliedLevelChanges = 0;
  snapshots = 0;
  trades = 0;
  gaps = 0;
  crossed = 0;
  readonly bbo = { checked: 0, matched: 0 };
  /** Update id of the book; undefined before the snapshot. */
  lastId: number | undefined;
  #bridged = false;
  readonly #bids = new Map<string, string>();
  readonly #asks = new Map<string, string>();
  readonly #waiting: SpotMessage[] = [];
  readonly #tickers: SpotMessage[] = [];

  /** What a run of lines comes to. */
  static of(lines: readonly string[]): SpotOracle {
    const oracle = new SpotOracle();
    for (const line of lines) oracle.take(messageOf(line));
    return oracle;
  }

  /** Levels of a side, best first. */
  levels(side: 'bids' | 'asks'): Texts {
    const sign = side === 'bids' ? -1 : 1;
    return [...(side === 'bids' ? this.#bids : this.#asks)].sort(
      ([left], [right]) => sign * (Number(left) - Number(right)),
    );
  }

  get digest(): string {
    return digestOf(this.levels('bids'), this.levels('asks'));
  }

  take(message: SpotMessage): void {
    this.frames += 1;
    if (message.lastUpdateId !== undefined) this.#snapshot(message, message.lastUpdateId);
    else if (message.e === 'depthUpdate') this.#update(message);
    else if (message.e === 'trade') this.trades += 1;
    else this.#ticker(message);
  }

  #snapshot({ bids, asks }: SpotMessage, id: number): void {
    this.snapshots += 1;
    if (this.lastId !== undefined) return;
    this.#set(bids, asks);
    this.lastId = id;
    for (const update of this.#waiting.splice(0)) if (update.u > id) this.#apply(update);
  }

  #update(update: SpotMessage): void {
    this.bookMessages += 1;
    this.levelChanges += update.b.length + update.a.length;
    if (this.lastId === undefined) this.#waiting.push(update);
    else if (this.#bridged || update.u > this.lastId) this.#apply(update);
  }

  #apply(update: SpotMessage): void {
    if (this.#bridged && update.U !== (this.lastId ?? 0) + 1) this.gaps += 1;
    this.#bridged = true;
    this.#set(update.b as Texts, update.a as Texts);
    this.applied += 1;
    this.appliedLevelChanges += update.b.length + update.a.length;
    this.lastId = update.u;
    const [bid, ask] = [this.levels('bids')[0], this.levels('asks')[0]];
    if (bid && ask && Number(bid[0]) > Number(ask[0])) this.crossed += 1;
    for (const ticker of this.#tickers.splice(0)) if (ticker.u >= update.u) this.#ticker(ticker);
  }

  #ticker(ticker: SpotMessage): void {
    if (!this.#bridged || ticker.u > (this.lastId ?? 0)) this.#tickers.push(ticker);
    else if (ticker.u === this.lastId) {
      const told = [ticker.b, ticker.B, ticker.a, ticker.A].map((text) => shortest(String(text)));
      const held = [this.levels('bids')[0], this.levels('asks')[0]].flat();
      this.bbo.checked += 1;
      if (told.join() === held.join()) this.bbo.matched += 1;
    }
  }

  #set(bids: Texts, asks: Texts): void {
    for (const [side, levels] of [
      [this.#bids, bids],
      [this.#asks, asks],
    ] as const) {
      for (const [price, qty] of levels) {
        if (Number(qty) === 0) side.delete(shortest(price));
        else side.set(shortest(price), shortest(qty));
      }
    }
  }
}
