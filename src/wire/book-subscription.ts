import type { ApplyOutcome } from './apply-outcome.js';
import type { Granted, Topic } from './control.js';
import { decimalsOf } from './decimal.js';
import type { FrameReader } from './frame.js';
import type { Inbox, InboxPolicy } from './inbox.js';
import { LocalBook } from './local-book.js';
import { type BookState, Kind, type StateReason } from './protocol.js';
import { type Backoff, Resync } from './resync.js';
import {
  type Host,
  Subscription,
  type SubscriptionEvents,
  type SubscriptionOptions,
} from './subscription.js';

export interface BookOptions extends SubscriptionOptions {
  /** Levels a side that the book holds at most; default 2^20. Beyond it the subscription fails. */
  readonly levelsMax?: number;
}

/** A frame is missing, or the checksums differ: the book is stale and a new image is asked for. */
export type BookGap = Extract<ApplyOutcome, { readonly tag: 'gap' | 'check_failed' }>;

export interface BookEvents extends SubscriptionEvents {
  /** The content, or what the server doubts about it, changed. The book is live: read it in the callback, or copy. */
  update: LocalBook;
  gap: BookGap;
}

/**
 * A book (`book`, `depth` or `bbo` channel) that is kept by itself: it resyncs after a gap or a failed check.
 *
 * A loop over it yields the live book whenever its content or state has changed since the last turn: a slow loop sees
 * fewer, newer states and never waits behind old ones. Callbacks see every change.
 */
export class BookSubscription extends Subscription<LocalBook, BookEvents> {
  readonly book: LocalBook;
  protected readonly inboxPolicy: InboxPolicy<LocalBook> = { tag: 'latest' };
  private readonly resync: Resync;

  /** @internal */
  constructor(host: Host, topic: Topic, options: BookOptions, backoff: Backoff) {
    super(host, topic, options.signal);
    this.book = new LocalBook(options.levelsMax);
    this.resync = new Resync(backoff, () => host.request('resync', this as never));
  }

  get state(): BookState {
    return this.book.state;
  }

  get reason(): StateReason {
    return this.book.reason;
  }

  /** @internal */
  override grant(granted: Granted): void {
    super.grant(granted);
    this.book.priceDecimalsMin = decimalsOf(granted.tickSize, granted.priceExponent);
    this.book.qtyDecimalsMin = decimalsOf(granted.lotSize, granted.qtyExponent);
  }

  protected take(frame: FrameReader): void {
    const { flags } = this.book;
    const outcome = this.book.apply(frame);
    const { tag } = outcome;
    if (tag === 'image' || tag === 'checked' || tag === 'check_failed') this.host.count('checks');
    switch (outcome.tag) {
      case 'image':
        this.resync.done();
        this.changed();
        break;
      case 'applied':
        if (this.book.state === 'synced') this.resync.done();
        this.changed();
        break;
      case 'gap':
      case 'check_failed':
        this.host.count(tag === 'gap' ? 'gaps' : 'checkFailures');
        this.listeners.emit('gap', outcome);
        // A failed image is the answer to the request in flight, so the next one may take its turn.
        if (frame.kind === Kind.image) this.resync.done();
        this.resync.request();
        break;
      case 'status':
        // The image will come when the server's own book is synced again.
        if (this.book.state !== 'synced' && frame.statusState !== 2) this.resync.done();
        break;
      case 'ignored':
        if (outcome.why === 'chunk_discarded' && this.book.state !== 'synced') this.resync.request();
        break;
      case 'checked':
        if (this.book.flags !== flags) this.changed();
        break;
      case 'old':
        break;
    }
  }

  protected disconnect(): void {
    this.resync.done();
    this.book.loseTruth('disconnected');
  }

  protected override greet(inbox: Inbox<LocalBook>): void {
    if (this.book.seq > 0) inbox.push(this.book);
  }

  protected override stateChanged(): void {
    this.push(this.book);
  }

  protected override release(): void {
    this.resync.done();
  }

  private changed(): void {
    this.push(this.book);
    this.listeners.emit('update', this.book);
  }
}
