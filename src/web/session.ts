import {
  type BookSubscription,
  connect,
  type Feed,
  type FeedCounters,
  type LatencySummary,
} from '../wire/index.js';
import { Access } from './access.js';
import { Address, type AddressChange } from './address.js';
import { BookView } from './book-view.js';
import { type CatalogueEntry, isOfRecording, parseCatalogue } from './catalogue.js';
import { type InstrumentFacts, InstrumentView } from './instrument-view.js';
import { RecentTrades } from './recent-trades.js';
import { Replay } from './replay.js';
import { emptyNotice, parseSources, type SourceView } from './sources.js';
import { parseStages, type StagesView } from './stages.js';
import { type WatchedMarket, WatchedMarkets } from './watched-market.js';
import { bookNotice, clockWords } from './wording.js';

/** Instruments whose best prices are followed at the same time; the rest show their age and state when chosen. */
const FOLLOWED_MAX = 100;
/** As often as the list is drawn: each change of every top of book is many times that. */
const BEST = { depth: 1, intervalMs: 250 } as const;
/** How often the list of instruments and the ages are asked for. */
const CATALOGUE_EVERY_MS = 2000;

export type ConnectionState = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** What there is to read before an instrument is selected. */
const NO_BOOK = new BookView();
const NO_TRADES = new RecentTrades(1, String);

/**
 * What the page watches: the connection, the list of instruments with their best prices, and the book and trades of
 * the selected one. Painters read it at each frame; `onChange` tells of what changes the page's structure.
 */
export class Session {
  instruments: readonly InstrumentView[] = [];
  selected: InstrumentView | null = null;
  /** Book and trades of the selected instrument. */
  market: WatchedMarket | null = null;
  /** Where the books come from. */
  sources: readonly SourceView[] = [];
  /** Where the server's time goes; null = it does not tell. */
  stages: StagesView | null = null;
  connection: ConnectionState = 'connecting';
  /** Why there is no list of instruments, in words. */
  catalogueNotice = 'Loading the list of instruments.';
  /** By what the server knows this page. */
  readonly access: Access;
  readonly address = new Address();
  /** The recording that the books are of, where they are of one. */
  readonly replay: Replay;
  /** Times that the connection was lost, however many attempts it took to have another. */
  outages = 0;
  readonly #base: URL;
  readonly feed: Feed;
  readonly markets: WatchedMarkets;
  readonly #listeners = new Set<() => void>();
  readonly #best = new Map<InstrumentView, BookSubscription>();
  #wasOpen = false;
  /** Of the list of instruments that was asked for last. */
  #turn = 0;
  /** The token by which the sources may not be seen; null = they may. */
  #noSourcesBy: string | null | undefined = null;

  /** `base` is the folder that the page was loaded from; the feed and the API stand beside it. */
  constructor(base: URL) {
    this.#base = base;
    const feedUrl = new URL('v1/feed', base);
    feedUrl.protocol = base.protocol === 'https:' ? 'wss:' : 'ws:';
    this.access = new Access(base, () => this.#accessChanged());
    const ask = (url: URL, body?: string) => this.access.get(url, body);
    this.replay = new Replay(new URL('v1/replay', base), ask, () => this.#changed());
    this.feed = connect(feedUrl.href, { token: () => this.access.next() });
    this.markets = new WatchedMarkets(this.feed);
    this.address.onChange(() => this.#followAddress());
    this.feed.on('state', () => this.#connectionChanged());
    this.feed.on('error', ({ code }) => {
      if (code === 'auth.expired' || code === 'feed.auth') this.access.end();
    });
  }

  /** Whether what the page shows comes from a live connection. */
  get connected(): boolean {
    return this.connection === 'open';
  }

  get book(): BookView {
    return this.market?.book ?? NO_BOOK;
  }

  get trades(): RecentTrades {
    return this.market?.trades ?? NO_TRADES;
  }

  /** Whether the server serves the instrument in view; one that it does not is named, with an empty book. */
  get isServed(): boolean {
    return this.market !== null;
  }

  get counters(): FeedCounters {
    return this.feed.counters;
  }

  /** Undefined before the first answered ping and the first frame, and of a recording, which is late by years. */
  get latency(): LatencySummary | undefined {
    return this.replay.isOn ? undefined : this.feed.latency;
  }

  /** Why the book in view may not be trusted, in words; empty when it may. */
  get notice(): string {
    if (this.selected === null) return this.catalogueNotice;
    if (!this.isServed)
      return this.instruments.length === 0
        ? this.catalogueNotice
        : `This server does not serve ${this.selected.facts.name}. Choose another instrument, or wait for it.`;
    const { wanted } = this.access;
    if (wanted !== undefined) return `${wanted} What is shown is the last known book.`;
    const error = this.market?.error ?? this.feed.error;
    return bookNotice({
      connected: this.connected,
      refusal: error === undefined ? null : `${error.what}. ${error.fix}.`,
      state: this.book.state,
      reason: this.book.reason,
      doubts: this.book.doubts,
      hasLevels: this.book.hasLevels,
      ended: ['ended', 'failed'].includes(this.replay.standing?.state ?? ''),
    });
  }

  /** Loads the lists of instruments and of sources, and keeps them current; while a token is wanted nothing is asked. */
  async start(): Promise<void> {
    await this.#load();
    setTimeout(() => void this.start(), CATALOGUE_EVERY_MS);
  }

  /** Calls back when the connection, the list or the selection changes; the result ends that. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** `change`: whether the browser's back button returns to the instrument before. */
  select(view: InstrumentView, change: AddressChange = 'step'): void {
    if (view === this.selected) return;
    if (this.market !== null) this.markets.release(this.market);
    this.selected = view;
    this.market = this.markets.open(view);
    this.address.set({ instrument: view.facts.name, group: view.position.chosen }, change);
    this.#changed();
  }

  selectName(name: string): void {
    const view = this.instruments.find((instrument) => instrument.facts.name === name);
    if (view !== undefined) this.select(view);
  }

  /** Selects the instrument `by` places further in the list, stopping at its ends. */
  selectNext(by: number): void {
    const at = this.selected === null ? -1 : this.instruments.indexOf(this.selected);
    const view = this.instruments[Math.min(this.instruments.length - 1, Math.max(0, at + by))];
    if (view !== undefined) this.select(view);
  }

  /** Says in the address what the reader has chosen of the instrument in view. */
  tellAddress(): void {
    this.address.set({ group: this.selected?.position.chosen });
  }

  /** The reader has changed the address. */
  #followAddress(): void {
    this.access.followAddress();
    const wanted = this.address.get('instrument');
    if (wanted !== undefined && wanted !== this.selected?.facts.name) this.#selectWanted(wanted, 'same');
    else this.selected?.position.choose(this.address.get('group'));
    this.#changed();
  }

  /** Selects the instrument of this name; one that is not served is named, and no other is shown in its place. */
  #selectWanted(name: string, change: AddressChange): void {
    const view = this.instruments.find(({ facts }) => facts.name === name);
    if (view === undefined) {
      if (this.market !== null) this.markets.release(this.market);
      this.market = null;
      this.selected = new InstrumentView(unknownFacts(name));
      return;
    }
    if (name === this.address.get('instrument')) view.position.choose(this.address.get('group'));
    this.select(view, change);
  }

  async #load(): Promise<void> {
    if (this.access.wanted !== undefined) return;
    await this.#loadCatalogue();
    if (this.access.wanted === undefined) await this.#loadSources();
    if (this.access.wanted === undefined) await this.#loadStages();
  }

  /** A token was given, or is wanted. */
  #accessChanged(): void {
    if (this.access.wanted === undefined) void this.#load();
    else this.catalogueNotice = this.access.wanted;
    this.#changed();
  }

  async #loadCatalogue(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const answer = await this.access.get(new URL('v1/instruments', this.#base));
      if (answer === undefined) return;
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const value: unknown = await answer.json();
      // A later answer may have come before.
      if (turn !== this.#turn) return;
      this.replay.tell(isOfRecording(value));
      this.#takeCatalogue(parseCatalogue(value));
      this.#setNotice(emptyNotice(this.sources, clockWords));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#setNotice(`The list of instruments could not be loaded (${why}). Trying again.`);
    }
  }

  /** What the sources were is shown until they are told again: the header says that nobody tells. */
  async #loadSources(): Promise<void> {
    const { token } = this.access;
    if (this.#noSourcesBy === token) return;
    try {
      const answer = await this.access.get(new URL('v1/sources', this.#base));
      if (answer === undefined) return;
      // They concern all clients, which a token must allow.
      this.#noSourcesBy = answer.status === 403 ? token : null;
      const sources = answer.ok
        ? parseSources(await answer.json())
        : answer.status === 403
          ? []
          : this.sources;
      if (JSON.stringify(sources) === JSON.stringify(this.sources)) return;
      this.sources = sources;
      this.#changed();
    } catch {
      return;
    }
  }

  /** Those of all messages, and of the instrument in view. They concern all clients, as the sources do. */
  async #loadStages(): Promise<void> {
    if (this.#noSourcesBy === this.access.token) {
      this.stages = null;
      return;
    }
    try {
      const name = this.selected?.facts.name;
      const url = new URL('v1/stages', this.#base);
      if (name !== undefined && this.instruments.some(({ facts }) => facts.name === name))
        url.searchParams.set('instrument', name);
      const answer = await this.access.get(url);
      if (answer === undefined) return;
      this.stages = answer.ok ? parseStages(await answer.json(), name) : null;
      this.#changed();
    } catch {
      return;
    }
  }

  #setNotice(notice: string): void {
    if (notice === this.catalogueNotice) return;
    this.catalogueNotice = notice;
    this.#changed();
  }

  /** Takes over the list. An instrument whose facts are unchanged keeps its view, and so its grouping and scroll. */
  #takeCatalogue(entries: readonly CatalogueEntry[]): void {
    const before = new Map(this.instruments.map((view) => [JSON.stringify(view.facts), view]));
    const views = entries.map(({ facts }) => before.get(JSON.stringify(facts)) ?? new InstrumentView(facts));
    for (const [at, { ageMs }] of entries.entries()) {
      const view = views[at];
      if (view !== undefined) view.inputMs = performance.now() - ageMs;
    }
    const same = views.length === before.size && views.every((view, at) => view === this.instruments[at]);
    if (same) return;
    this.instruments = views;
    this.#followBest();
    if (this.selected === null || !views.includes(this.selected)) {
      const wanted = this.selected?.facts.name ?? this.address.get('instrument') ?? views[0]?.facts.name;
      if (wanted !== undefined) this.#selectWanted(wanted, 'same');
    }
    this.#changed();
  }

  #followBest(): void {
    const wanted = new Set(this.instruments.slice(0, FOLLOWED_MAX));
    for (const [view, subscription] of this.#best) {
      if (wanted.has(view)) continue;
      subscription.close();
      this.#best.delete(view);
    }
    for (const view of wanted) if (!this.#best.has(view)) this.#followBestOf(view, 'depth');
  }

  /** A token may grant no views of the depth: then each change of the top is taken. */
  #followBestOf(view: InstrumentView, channel: 'depth' | 'bbo'): void {
    const { name } = view.facts;
    const subscription = channel === 'depth' ? this.feed.depth(name, BEST) : this.feed.bbo(name);
    this.#best.set(view, subscription);
    view.best = subscription.book;
    subscription.on('update', () => {
      view.inputMs = performance.now();
    });
    subscription.on('error', () => {
      const isOver = subscription.error !== undefined && this.#best.get(view) === subscription;
      if (isOver && channel === 'depth') this.#followBestOf(view, 'bbo');
    });
  }

  #connectionChanged(): void {
    const { state } = this.feed;
    const wasConnected = this.connected;
    this.#wasOpen ||= state === 'open';
    this.connection =
      state === 'open' || state === 'closed' ? state : this.#wasOpen ? 'reconnecting' : 'connecting';
    if (wasConnected && !this.connected) this.outages += 1;
    // Another server may stand there now, with other instruments.
    if (!wasConnected && this.connected) void this.#load();
    this.#changed();
  }

  #changed(): void {
    for (const callback of this.#listeners) callback();
  }
}

/** What is known of an instrument that the server does not serve. */
function unknownFacts(name: string): InstrumentFacts {
  const facts = { name, venue: '', symbol: name, priceExponent: 0, qtyExponent: 0 };
  return { ...facts, tickSize: 0, contractSize: 1, inverse: false };
}
