import { type Channel, type GroupedOptions, viewAsk } from './channel.js';
import type { BboSource, Topic } from './control.js';
import { type KeptEvents, KeptSubscription, type StreamGap } from './kept-subscription.js';
import { LocalBook } from './local-book.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/** What a subscription of a book may be given. */
export interface BookOptions extends SubscriptionOptions {
  /** Levels a side that the book holds at most; default 2^20. Beyond it the subscription fails. */
  readonly levelsMax?: number;
}

/** What a subscription of the best levels may be given. */
export interface DepthOptions extends BookOptions, GroupedOptions {
  /** Levels a side; default 20. */
  readonly depth?: number;
}

/** What a subscription of the best prices may be given. */
export interface BboOptions extends BookOptions {
  /** The engine's book, which is the default, or the venue's own message. */
  readonly source?: BboSource;
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

/** The full book. */
export const book: Channel<BookOptions, BookSubscription> = { name: 'book', Subscription: BookSubscription };

/** The best levels of a side, at most once an interval. */
export const depth: Channel<DepthOptions, BookSubscription> = {
  name: 'depth',
  ask: (options) => ({ ...viewAsk(options), depth: options.depth ?? 20 }),
  Subscription: BookSubscription,
};

/** The best bid and ask, of the engine's book or of the venue's own message. */
export const bbo: Channel<BboOptions, BookSubscription> = {
  name: 'bbo',
  ask: ({ source = 'book' }) => ({ source }),
  Subscription: BookSubscription,
};
