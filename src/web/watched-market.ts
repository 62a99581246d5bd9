import {
  type BookSubscription,
  channel,
  decimalText,
  type Feed,
  type FeedError,
  type LocalVolumes,
  type Trade,
  type TradesSubscription,
  type VolumesSubscription,
} from '../wire/index.js';
import { BookView } from './book-view.js';
import type { InstrumentView } from './instrument-view.js';
import { RecentTrades } from './recent-trades.js';
import { TradeFlow } from './trade-flow.js';
import { grantableGrouping, VolumeProfile } from './volume-profile.js';

/** Items of the tape that are kept, so that a filter by size finds enough. */
const TRADES_MAX = 2048;
/** The flow's last minutes. */
const FLOW_SECONDS = 300;
/** What was traded at a price is read, not watched. */
const VOLUMES_EVERY_MS = 250;

/** A trade, or a place where trades are missing (null), as it came. */
export type TradeListener = (trade: Trade | null) => void;

/** The book and the trades of one instrument while somebody looks at it. Painters read it at each frame. */
export class WatchedMarket {
  readonly instrument: InstrumentView;
  readonly book = new BookView();
  readonly trades: RecentTrades;
  /** Volume at price, as the engine counts it. */
  readonly profile = new VolumeProfile();
  readonly flow = new TradeFlow(FLOW_SECONDS);
  /** Quantity of the latest fill, in units. */
  lastQty = 0;
  readonly #feed: Feed;
  readonly #book: BookSubscription;
  readonly #trades: TradesSubscription;
  readonly #listeners = new Set<TradeListener>();
  #volumes: VolumesSubscription | null = null;
  /** The grouping of the volumes; undefined = a row a price. */
  #grouping: string | undefined;
  /** The grouping and the scale of the ladder for which that is. */
  #size = 0;
  #priceExponent = 0;

  constructor(feed: Feed, instrument: InstrumentView) {
    this.#feed = feed;
    this.instrument = instrument;
    const { name } = instrument.facts;
    this.#book = feed.book(name);
    this.#trades = feed.subscribe(channel.trades, name);
    this.trades = new RecentTrades(TRADES_MAX, (qty) => this.#trades.qtyText(qty));
    this.book.show(this.#book.book);
    this.#book.on('update', () => {
      instrument.inputMs = performance.now();
      instrument.position.rescale(this.book.priceExponent);
      this.book.touch();
    });
    this.#book.on('state', () => this.book.touch());
    this.#trades.on('update', (trade) => this.#take(trade));
    this.#trades.on('gap', () => {
      this.trades.miss();
      for (const listener of this.#listeners) listener(null);
    });
  }

  /** Why nothing more will come of the book. */
  get error(): FeedError | undefined {
    return this.#book.error;
  }

  /** What the profile is of; null before the ladder has chosen its grouping. */
  get volumes(): LocalVolumes | null {
    return this.#volumes?.volumes ?? null;
  }

  /** Why there are no volumes. */
  get volumesError(): FeedError | undefined {
    return this.#volumes?.error;
  }

  /** The profile follows the grouping of the ladder, which is the instrument's. Until the engine has told its rows, the ones before count. */
  settleProfile(): void {
    const { priceExponent, qtyExponent, hasLevels } = this.book;
    const { step, size } = this.instrument.position;
    if (step === 0 || !hasLevels) return;
    if (size !== this.#size || priceExponent !== this.#priceExponent) {
      this.#size = size;
      this.#priceExponent = priceExponent;
      this.#group(grantableGrouping(decimalText(size, priceExponent), step));
    }
    this.profile.settle({ priceExponent, qtyExponent, size });
  }

  #group(grouping: string | undefined): void {
    if (this.#volumes !== null && grouping === this.#grouping) return;
    this.#grouping = grouping;
    this.#volumes?.close();
    const volumes = this.#feed.subscribe(channel.volumes, this.instrument.facts.name, {
      intervalMs: VOLUMES_EVERY_MS,
      ...(grouping === undefined ? {} : { grouping }),
    });
    volumes.on('update', (rows) => this.profile.take(rows));
    volumes.on('error', () => {
      // Those of the grouping before are counted no further.
      if (volumes.error === undefined) return;
      const { priceExponent, qtyExponent } = this.book;
      this.profile.take({ priceExponent, qtyExponent, grouping: 0, rows: [] });
    });
    this.#volumes = volumes;
  }

  /** Calls back on each trade from now on; the result ends that. */
  onTrade(listener: TradeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#book.close();
    this.#trades.close();
    this.#volumes?.close();
    this.#listeners.clear();
  }

  #take(trade: Trade): void {
    const { aggressor, tsEvent, idKind, id, seq, qtyExponent } = trade;
    const price = this.#trades.priceText(trade);
    const number = idKind === 'number' ? id : undefined;
    const qty = trade.exact?.qty ?? BigInt(trade.qty);
    this.trades.add({ price, qty, qtyExponent, aggressor, tsEvent, number, seq });
    this.lastQty = Number(this.#trades.qtyText(trade));
    this.flow.add(Math.floor(performance.now() / 1000), this.lastQty, aggressor);
    for (const listener of this.#listeners) listener(trade);
  }
}

/** The markets that are watched, each once, however many parts of the page look at it. */
export class WatchedMarkets {
  readonly #feed: Feed;
  readonly #open = new Map<string, { readonly market: WatchedMarket; lookers: number }>();

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** The market of an instrument, until `release`. */
  open(instrument: InstrumentView): WatchedMarket {
    const { name } = instrument.facts;
    const entry = this.#open.get(name) ?? { market: new WatchedMarket(this.#feed, instrument), lookers: 0 };
    entry.lookers += 1;
    this.#open.set(name, entry);
    return entry.market;
  }

  /** One part of the page looks at a market no longer. */
  release(market: WatchedMarket): void {
    const { name } = market.instrument.facts;
    const entry = this.#open.get(name);
    if (entry?.market !== market) return;
    entry.lookers -= 1;
    if (entry.lookers > 0) return;
    this.#open.delete(name);
    market.close();
  }
}
