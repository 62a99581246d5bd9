import type { Level, LocalBook, Side } from '../wire/index.js';
import type { Levels } from './levels.js';

/** Versions are given once in all, so that no two books share one. */
let lastVersion = 0;

/**
 * A book as the painters read it, without a copy. `version` changes whenever the book may have, so a
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
    lastVersion += 1;
    this.version = lastVersion;
  }

  /** The book has changed. */
  touch(): void {
    lastVersion += 1;
    this.version = lastVersion;
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

  /** Best prices as mantissas to draw with, NaN for an empty side. */
  get bestBid(): number {
    return this.bids.price(0);
  }

  get bestAsk(): number {
    return this.asks.price(0);
  }

  /** The best level of a side, exactly. */
  best(side: Side): Level | undefined {
    return this.#book?.levelAt(side, 0);
  }

  /** The exact decimal of a price, with the decimals of the instrument's tick. */
  priceText(price: number | bigint | Level): string {
    return this.#book?.priceText(price) ?? '';
  }

  /** The exact decimal of a quantity, with the decimals of the instrument's lot. */
  qtyText(qty: number | bigint | Level): string {
    return this.#book?.qtyText(qty) ?? '';
  }

  /** Decimals of the instrument's tick, 0 where it is not known. */
  get priceDecimalsMin(): number {
    return this.#book?.priceDecimalsMin ?? 0;
  }

  /** What the server doubts about a book that it calls synced. */
  get doubts(): BookDoubts {
    return doubtsOf(this.#book);
  }

  get hasLevels(): boolean {
    return this.bids.count + this.asks.count > 0;
  }
}

/** What is in doubt about a synced book. */
export interface BookDoubts {
  /** A best price lies where the venue has not made the book known. */
  readonly beyondKnown: boolean;
  /** The best bid is above the best ask. */
  readonly crossed: boolean;
}

export function doubtsOf(book: LocalBook | null): BookDoubts {
  return { beyondKnown: book?.isBeyondKnown ?? false, crossed: book?.isCrossed ?? false };
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
    return this.#view.book?.priceNearestAt(this.#side, levelIndex) ?? Number.NaN;
  }

  qty(levelIndex: number): number {
    return this.#view.book?.qtyNearestAt(this.#side, levelIndex) ?? Number.NaN;
  }

  level(levelIndex: number): Level | undefined {
    return this.#view.book?.levelAt(this.#side, levelIndex);
  }
}
