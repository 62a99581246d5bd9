import { Backoff } from './backoff.js';
import type { Timer } from './clock.js';
import type { Link } from './link.js';
import type { LiveSink } from './live-sink.js';
import type { VenueNet } from './venue-net.js';

export interface UnheardOptions {
  readonly net: VenueNet;
  readonly sink: LiveSink;
  /** Whether a book waits for its snapshot; undefined where books come in the stream. */
  readonly isAwaited: ((instrument: number) => boolean) | undefined;
  /** Connections that carry books. */
  readonly links: () => readonly Link[];
}

/** A book of which nothing has come yet on its connection. */
interface Unheard {
  readonly backoff: Backoff;
  nextMs: number;
  /** Until when, at most, its snapshot was waited for, by the clock. */
  awaitedMs: number;
  /** Where the book stood before. */
  readonly epoch: bigint;
  readonly seq: bigint;
  readonly held: number;
}

/** How often it is looked for books of which nothing has come, and the longest pause before such a one is tried again. */
const LOOK_MS = 5000;
const UNHEARD_MS = 15_000;
const UNHEARD_MS_MAX = 600_000;

/** Books of which nothing has come since they were subscribed: they are subscribed again, alone, for their batch may have been refused. */
export class UnheardBooks {
  readonly #options: UnheardOptions;
  readonly #books = new Map<number, Unheard>();
  #look: Timer | undefined;

  constructor(options: UnheardOptions) {
    this.#options = options;
  }

  /** A book is going to be subscribed. */
  waitFor(instrument: number): void {
    const backoff = new Backoff(UNHEARD_MS, UNHEARD_MS_MAX, this.#options.net.random);
    const { epoch, seq, held } = this.#options.sink.book(instrument);
    this.#books.set(instrument, { backoff, nextMs: 0, awaitedMs: 0, epoch, seq, held });
  }

  forget(instrument: number): void {
    this.#books.delete(instrument);
  }

  start(): void {
    this.#look = this.#options.net.clock.after(LOOK_MS, () => {
      this.#lookForThem();
      this.start();
    });
  }

  stop(): void {
    this.#look?.cancel();
  }

  #lookForThem(): void {
    const { net, isAwaited } = this.#options;
    const nowMs = net.clock.nowMs();
    for (const [instrument, wait] of this.#books) {
      if (this.#hasBeenHeard(instrument, wait)) this.#books.delete(instrument);
      else if (isAwaited?.(instrument) === true) wait.awaitedMs = nowMs + LOOK_MS;
    }
    if (this.#books.size === 0) return;
    const renewed = new Set(this.#options.links().flatMap((link) => this.#renewedOf(link, nowMs)));
    for (const wait of renewed) wait.nextMs = nowMs + wait.backoff.next();
  }

  /** Whether the venue has told of a book by itself: a snapshot that was asked for is no sign of that. */
  #hasBeenHeard(instrument: number, { epoch, seq, held }: Unheard): boolean {
    const { sink, isAwaited } = this.#options;
    const book = sink.book(instrument);
    if (book.held !== held) return true;
    const isAnew = book.epoch !== epoch;
    return isAwaited === undefined ? isAnew || book.seq !== seq : book.seq > (isAnew ? 1n : seq);
  }

  /** Subscribes those again that a connection has brought nothing of. */
  #renewedOf(link: Link, nowMs: number): readonly Unheard[] {
    const { sink } = this.#options;
    const instruments = [...link.instruments];
    const heard = instruments.filter((instrument) => !this.#books.has(instrument));
    // Messages of whose books one has been heard were not refused.
    const taken = new Set(heard.map((instrument) => link.bookSentMs(instrument)));
    return instruments.flatMap((instrument) => {
      const wait = this.#books.get(instrument);
      const sentMs = link.bookSentMs(instrument);
      if (wait === undefined || sentMs === undefined || nowMs < wait.nextMs) return [];
      if (nowMs - Math.max(sentMs, wait.awaitedMs) < UNHEARD_MS) return [];
      // The market of a book that is there may be quiet.
      if (taken.has(sentMs) && sink.book(instrument).state === 'synced') return [];
      link.renewBook(instrument);
      return [wait];
    });
  }
}
