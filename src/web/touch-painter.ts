import type { Level } from '../wire/index.js';
import type { BookView } from './book-view.js';
import { significantEnd, withThousands } from './decimal-text.js';
import { bidShare } from './own-size.js';
import { setData, TextCell } from './text-cell.js';

/** Levels a side whose quantities are compared, and the share, %, from which one side leads. */
const IMBALANCE_LEVELS = 10;
const LEAN = 65;

/** One best price: the exact value in its own element, the zeros that align it beside. */
class TouchPrice {
  readonly #value: TextCell;
  readonly #tail: TextCell;
  #text = '';

  constructor(value: HTMLElement, tail: HTMLElement) {
    this.#value = new TextCell(value);
    this.#tail = new TextCell(tail);
  }

  set(level: Level | undefined, book: BookView, instrument: string): void {
    const { element } = this.#value;
    setData(element, 'instrument', instrument);
    setData(element, 'epoch', String(book.epoch));
    setData(element, 'seq', String(book.seq));
    const text = level === undefined ? '–' : book.priceText(level);
    if (text === this.#text) return;
    this.#text = text;
    const end = significantEnd(text);
    this.#value.set(text.slice(0, end));
    this.#tail.set(text.slice(end));
    setData(element, 'value', level === undefined ? '' : text.slice(0, end));
  }
}

/**
 * Draws the best prices and the spread, and says where there is none: a book that is crossed or locked. The text, its sequence and its epoch are written in one go, so that whoever
 * reads the page never sees the price of one sequence beside the number of another.
 */
export class TouchPainter {
  readonly #bid: TouchPrice;
  readonly #ask: TouchPrice;
  readonly #market: TextCell;
  readonly #spread: TextCell;
  readonly #imbalance: TextCell;
  #drawn = '';
  /** Characters of the longer of both prices, with their commas. */
  chars = 0;

  constructor(part: (selector: string) => HTMLElement) {
    this.#bid = new TouchPrice(part('.best-bid'), part('.tail-bid'));
    this.#ask = new TouchPrice(part('.best-ask'), part('.tail-ask'));
    this.#market = new TextCell(part('.market-state'));
    this.#spread = new TextCell(part('.spread-value'));
    this.#imbalance = new TextCell(part('.imbalance'));
  }

  paint(book: BookView, instrument: string): void {
    const key = `${instrument} ${book.version}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    const bid = book.best('bid');
    const ask = book.best('ask');
    this.#bid.set(bid, book, instrument);
    this.#ask.set(ask, book, instrument);
    this.chars = Math.max(0, ...[bid, ask].map((level) => charsOf(level, book)));
    const spread = bid === undefined || ask === undefined ? undefined : spreadOf(bid, ask);
    const state = spread === undefined || spread > 0n ? '' : spread === 0n ? 'locked' : 'crossed by';
    this.#market.set(state);
    setData(this.#market.element, 'shown', state === '' ? null : '');
    this.#spread.set(spread === undefined ? '–' : book.priceText(spread < 0n ? -spread : spread));
    const share = Math.round(bidShare(book.bids, book.asks, IMBALANCE_LEVELS) * 100);
    this.#imbalance.set(Number.isNaN(share) ? '' : `${share} % bid`);
    setData(this.#imbalance.element, 'lean', share >= LEAN ? 'bid' : share <= 100 - LEAN ? 'ask' : null);
  }
}

function charsOf(level: Level | undefined, book: BookView): number {
  return level === undefined ? 0 : withThousands(book.priceText(level)).length;
}

/** The distance of two prices as a mantissa, exactly. */
function spreadOf(bid: Level, ask: Level): bigint {
  return (ask.exact?.price ?? BigInt(ask.price)) - (bid.exact?.price ?? BigInt(bid.price));
}
