import { type BookSubscription, bbo, depth } from './book-subscription.js';
import type { Feed } from './client.js';
import type { FeedError } from './errors.js';
import { type TickerSubscription, ticker } from './facts-subscription.js';
import type { SubscriptionGroup } from './group.js';
import type { Instrument } from './instruments.js';
import { Listeners } from './listeners.js';
import type { LocalBook } from './local-book.js';
import { type ChainMeasures, measuresOf } from './option-smile.js';
import { type SignalsSubscription, signals } from './signals-subscription.js';

/** What a chain is made of. */
export interface OptionChainOptions {
  /** Least time between two changes of a book and of its signals, ms; default 250, 0 = every change. */
  readonly intervalMs?: number;
  /** Whether the server's own volatilities and greeks come, too: a view for each option, which the server computes; default no. */
  readonly signals?: boolean;
  /** Ends the chain. */
  readonly signal?: AbortSignal;
}

/** One option of a chain. What has not come, or is not granted, is undefined. */
export interface ChainOption {
  readonly instrument: string;
  readonly expiryMs: number;
  /** A decimal, as the venue lists it. */
  readonly strike: string;
  readonly isCall: boolean;
  /** Its best prices. */
  readonly book: LocalBook | undefined;
  readonly ticker: TickerSubscription | undefined;
  readonly signals: SignalsSubscription | undefined;
  /** When a change of its book or ticker was last heard here, by `performance.now`; NaN = never. */
  readonly heardMs: number;
}

/** The two options of a strike. */
export interface ChainRow {
  readonly strike: number;
  readonly call: ChainOption | undefined;
  readonly put: ChainOption | undefined;
}

/** The options that end together. */
export interface ChainExpiry {
  readonly expiryMs: number;
  /** By strike. */
  readonly rows: readonly ChainRow[];
}

/** What a chain reports to callbacks. */
export interface OptionChainEvents {
  /** Options have come or gone. Numbers change without it: read them when they are drawn. */
  change: undefined;
  error: FeedError;
}

interface Held {
  readonly option: { -readonly [Name in keyof ChainOption]: ChainOption[Name] };
  readonly left: (() => void)[];
}

/** How long the list of instruments is not asked for again. */
const LIST_EVERY_MS = 1000;

/**
 * The options of names and patterns as a table by expiry and strike: best prices and ticker of each, in two groups of
 * subscriptions, and in a third one the server's signals where they are asked for. `venue:BTC-*` is a whole chain. What fits and
 * is no option, or has no known expiry and strike, is in no row.
 *
 * The server's `limits.subscriptions_max` has to allow two subscriptions an option, with signals three.
 */
export class OptionChain implements AsyncDisposable {
  readonly instruments: readonly string[];
  private readonly feed: Feed;
  private readonly groups: readonly SubscriptionGroup<object>[];
  private readonly listeners = new Listeners<OptionChainEvents>((thrown) => {
    queueMicrotask(() => {
      throw thrown;
    });
  });
  private readonly terms = new Map<string, Instrument>();
  private readonly held = new Map<string, Held>();
  private table: readonly ChainExpiry[] | undefined;
  private isListing = false;
  private listTimer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(feed: Feed, instruments: string | readonly string[], options: OptionChainOptions = {}) {
    this.feed = feed;
    this.instruments = typeof instruments === 'string' ? [instruments] : instruments;
    const { intervalMs = 250, signal } = options;
    const ends = signal === undefined ? {} : { signal };
    const books: SubscriptionGroup<BookSubscription> =
      intervalMs === 0
        ? feed.subscribeAll(bbo, this.instruments, ends)
        : feed.subscribeAll(depth, this.instruments, { depth: 1, intervalMs, ...ends });
    const tickers = feed.subscribeAll(ticker, this.instruments, ends);
    this.follow(books, (held, kept) => {
      held.option.book = kept?.book;
    });
    this.follow(tickers, (held, kept) => {
      held.option.ticker = kept;
    });
    const groups: SubscriptionGroup<object>[] = [books as never, tickers as never];
    if (options.signals === true) {
      const own = feed.subscribeAll(signals, this.instruments, { intervalMs, ...ends });
      this.follow(own, (held, kept) => {
        held.option.signals = kept;
      });
      groups.push(own as never);
    }
    this.groups = groups;
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** The table as it is now, by expiry; replaced, never changed, when options come or go. */
  get expiries(): readonly ChainExpiry[] {
    this.table ??= tableOf([...this.held.values()].map(({ option }) => option));
    return this.table;
  }

  /** Smile, forward, and what stands at the money and at a delta of a quarter, of the options as they are now. */
  measures(expiry: ChainExpiry): ChainMeasures {
    return measuresOf(expiry);
  }

  on<Name extends keyof OptionChainEvents>(
    event: Name,
    callback: (value: OptionChainEvents[Name]) => void,
  ): () => void {
    return this.listeners.on(event, callback);
  }

  /** Ends it and the subscriptions that it has made. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.listTimer);
    for (const group of this.groups) group.close();
    for (const name of [...this.held.keys()]) this.forget(name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  private follow<Kept extends BookSubscription | TickerSubscription | SignalsSubscription>(
    group: SubscriptionGroup<Kept>,
    set: (held: Held, kept: Kept | undefined) => void,
  ): void {
    group.on('added', (kept) => {
      const name = kept.topic.instrument;
      const held = this.of(name);
      set(held, kept);
      held.left.push(
        (kept as BookSubscription).on('update', () => {
          held.option.heardMs = performance.now();
        }),
      );
      if (this.terms.has(name)) this.changed();
      else this.list();
    });
    group.on('removed', ({ instrument }) => {
      const held = this.held.get(instrument);
      if (held === undefined) return;
      set(held, undefined);
      const { book, ticker, signals } = held.option;
      if (book === undefined && ticker === undefined && signals === undefined) this.forget(instrument);
      this.changed();
    });
    group.on('error', (error) => this.listeners.emit('error', error));
  }

  private of(instrument: string): Held {
    const known = this.held.get(instrument);
    if (known !== undefined) return known;
    const terms = this.terms.get(instrument);
    const held: Held = { option: optionOf(instrument, terms), left: [] };
    this.held.set(instrument, held);
    return held;
  }

  private forget(instrument: string): void {
    for (const leave of this.held.get(instrument)?.left ?? []) leave();
    this.held.delete(instrument);
  }

  /** Asks what the instruments are, once for all that come in a while. */
  private list(): void {
    if (this.isListing || this.listTimer !== undefined || this.isClosed) return;
    this.isListing = true;
    this.feed
      .instruments()
      .then(
        (listed) => this.take(listed),
        (error: FeedError) => this.listeners.emit('error', error),
      )
      .finally(() => {
        this.isListing = false;
        if (this.isClosed) return;
        this.listTimer = setTimeout(() => {
          this.listTimer = undefined;
          if ([...this.held.keys()].some((name) => !this.terms.has(name))) this.list();
        }, LIST_EVERY_MS);
      });
  }

  private take(listed: readonly Instrument[]): void {
    for (const instrument of listed) this.terms.set(instrument.name, instrument);
    for (const [name, { option }] of this.held) {
      const { expiryMs, strike, isCall } = optionOf(name, this.terms.get(name));
      Object.assign(option, { expiryMs, strike, isCall });
    }
    this.changed();
  }

  private changed(): void {
    this.table = undefined;
    this.listeners.emit('change', undefined);
  }
}

function optionOf(instrument: string, terms: Instrument | undefined): Held['option'] {
  const { expiryMs = 0, strike = '', isCall = false } = terms ?? {};
  return {
    ...{ instrument, expiryMs, strike, isCall, heardMs: Number.NaN },
    ...{ book: undefined, ticker: undefined, signals: undefined },
  };
}

function tableOf(options: readonly ChainOption[]): readonly ChainExpiry[] {
  const expiries = new Map<number, Map<number, { call?: ChainOption; put?: ChainOption }>>();
  for (const option of options) {
    const { expiryMs, strike, isCall } = option;
    if (expiryMs === 0 || strike === '') continue;
    const rows = expiries.get(expiryMs) ?? new Map<number, { call?: ChainOption; put?: ChainOption }>();
    expiries.set(expiryMs, rows);
    const at = Number(strike);
    rows.set(at, { ...rows.get(at), [isCall ? 'call' : 'put']: option });
  }
  const byNumber = (a: readonly [number, unknown], b: readonly [number, unknown]): number => a[0] - b[0];
  return [...expiries].sort(byNumber).map(([expiryMs, rows]) => ({
    expiryMs,
    rows: [...rows].sort(byNumber).map(([strike, { call, put }]) => ({ strike, call, put })),
  }));
}
