import { formatDecimal } from '../wire/index.js';
import type { BookView } from './book-view.js';
import { alignmentTail, shortestDecimal } from './decimal-text.js';
import { setData, TextCell } from './text-cell.js';

/** One best price: the exact value in its own element, the zeros that align it beside. */
class TouchPrice {
  readonly #value: TextCell;
  readonly #tail: TextCell;
  #price = Number.NEGATIVE_INFINITY;
  #exponent = 0;

  constructor(value: HTMLElement, tail: HTMLElement) {
    this.#value = new TextCell(value);
    this.#tail = new TextCell(tail);
  }

  set(price: number, book: BookView, instrument: string): void {
    const { element } = this.#value;
    setData(element, 'instrument', instrument);
    setData(element, 'epoch', String(book.epoch));
    setData(element, 'seq', String(book.seq));
    if (Object.is(price, this.#price) && book.priceExponent === this.#exponent) return;
    this.#price = price;
    this.#exponent = book.priceExponent;
    const empty = Number.isNaN(price);
    const text = empty ? '' : shortestDecimal(price, book.priceExponent);
    this.#value.set(empty ? '–' : text);
    this.#tail.set(empty ? '' : alignmentTail(price, book.priceExponent));
    setData(element, 'value', text);
  }
}

/**
 * Draws the best prices and the spread. The text, its sequence and its epoch are written in one go, so that whoever
 * reads the page never sees the price of one sequence beside the number of another.
 */
export class TouchPainter {
  readonly #bid: TouchPrice;
  readonly #ask: TouchPrice;
  readonly #spread: TextCell;
  #drawn = '';

  constructor(part: (selector: string) => HTMLElement) {
    this.#bid = new TouchPrice(part('#best-bid'), part('.tail-bid'));
    this.#ask = new TouchPrice(part('#best-ask'), part('.tail-ask'));
    this.#spread = new TextCell(part('.spread-value'));
  }

  paint(book: BookView, instrument: string): void {
    const key = `${instrument} ${book.version}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#bid.set(book.bestBid, book, instrument);
    this.#ask.set(book.bestAsk, book, instrument);
    const spread = book.bestAsk - book.bestBid;
    this.#spread.set(Number.isNaN(spread) ? '–' : formatDecimal(spread, book.priceExponent));
  }
}
