import type { Topic } from './control.js';
import { type KeptEvents, KeptSubscription, type StreamGap } from './kept-subscription.js';
import { LocalBook } from './local-book.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/** What a subscription of a book may be given. */
export interface BookOptions extends SubscriptionOptions {
  /** Levels a side that the book holds at most; default 2^20. Beyond it the subscription fails. */
  readonly levelsMax?: number;
}

/** What made a book stale here: a frame that is missing, checksums that differ, a change that does not fit. */
export type BookGap = StreamGap;

export interface BookEvents extends KeptEvents<LocalBook> {
  /** The book is live: read it in the callback, or copy. */
  update: LocalBook;
}

/** A book (`book`, `depth` or `bbo` channel). A loop over it yields the live book. */
export class BookSubscription extends KeptSubscription<LocalBook, LocalBook> {
  readonly book: LocalBook;

  /** @internal */
  constructor(host: Host, topic: Topic, options: BookOptions, backoff: Backoff) {
    const book = new LocalBook(options.levelsMax);
    super(host, topic, options, backoff, book);
    this.book = book;
  }

  protected get item(): LocalBook {
    return this.book;
  }
}
