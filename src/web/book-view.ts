import type { LocalBook, Side } from '../wire/index.js';
import type { Levels } from './levels.js';

/**
 * The selected book as the painters read it, without a copy. `version` changes whenever the book may have, so a
 * painter that has drawn a version can rest.
 */
export class BookView {
  version = 0;
  readonly bids: Levels = new BookLevels(this, 'bid');
  readonly asks: Levels = new BookLevels(this, 'ask');
  #book: LocalBook | null = null;

  /** Shows another book, or none. */
  show(book: LocalBook | null): void {
    this.#book = book;
    this.version += 1;
  }

  /** The book has changed. */
  touch(): void {
    this.version += 1;
  }

  get book(): LocalBook | null {
    return this.#book;
  }

  get state(): string {
    return this.#book?.state ?? 'syncing';
  }

  get reason(): string {
    return this.#book?.reason ?? 'no_image';
  }

  get epoch(): bigint {
    return this.#book?.epoch ?? 0n;
  }

  get seq(): number {
    return this.#book?.seq ?? 0;
  }

  get venueSeq(): bigint {
    return this.#book?.venueSeq ?? 0n;
  }

  get priceExponent(): number {
    return this.#book?.priceExponent ?? 0;
  }

  get qtyExponent(): number {
    return this.#book?.qtyExponent ?? 0;
  }

  /** Best prices as mantissas, NaN for an empty side. */
  get bestBid(): number {
    return this.bids.price(0);
  }

  get bestAsk(): number {
    return this.asks.price(0);
  }

  get hasLevels(): boolean {
    return this.bids.count + this.asks.count > 0;
  }
}

class BookLevels implements Levels {
  readonly #view: BookView;
  readonly #side: Side;

  constructor(view: BookView, side: Side) {
    this.#view = view;
    this.#side = side;
  }

  get count(): number {
    return this.#view.book?.count(this.#side) ?? 0;
  }

  price(levelIndex: number): number {
    return this.#view.book?.priceAt(this.#side, levelIndex) ?? Number.NaN;
  }

  qty(levelIndex: number): number {
    return this.#view.book?.qtyAtIndex(this.#side, levelIndex) ?? Number.NaN;
  }
}
