import type { BookSubscription, Feed, FeedError, Trade, TradesSubscription } from '../wire/index.js';
import { BookView } from './book-view.js';
import type { InstrumentView } from './instrument-view.js';
import { RecentTrades } from './recent-trades.js';

const TRADES_MAX = 256;

/** A trade, or a place where trades are missing (null), as it came. */
export type TradeListener = (trade: Trade | null) => void;

/** The book and the trades of one instrument while somebody looks at it. Painters read it at each frame. */
export class WatchedMarket {
  readonly instrument: InstrumentView;
  readonly book = new BookView();
  readonly trades = new RecentTrades(TRADES_MAX);
  readonly #book: BookSubscription;
  readonly #trades: TradesSubscription;
  readonly #listeners = new Set<TradeListener>();

  constructor(feed: Feed, instrument: InstrumentView) {
    this.instrument = instrument;
    const { name } = instrument.facts;
    this.#book = feed.book(name);
    this.#trades = feed.trades(name);
    this.book.show(this.#book.book);
    this.#book.on('update', () => {
      instrument.inputMs = performance.now();
      instrument.position.rescale(this.book.priceExponent);
      this.book.touch();
    });
    this.#book.on('state', () => this.book.touch());
    this.#trades.on('update', (trade) => this.#take(trade));
    this.#trades.on('gap', () => {
      this.trades.push({ tag: 'missing' });
      for (const listener of this.#listeners) listener(null);
    });
  }

  /** Why nothing more will come of the book. */
  get error(): FeedError | undefined {
    return this.#book.error;
  }

  /** Calls back on each trade from now on; the result ends that. */
  onTrade(listener: TradeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#book.close();
    this.#trades.close();
    this.#listeners.clear();
  }

  #take(trade: Trade): void {
    const { aggressor, tsEvent } = trade;
    const price = this.#trades.priceText(trade);
    const qty = Number(this.#trades.qtyText(trade));
    this.trades.push({ tag: 'trade', price, qty, aggressor, tsMs: Number(tsEvent / 1_000_000n) });
    for (const listener of this.#listeners) listener(trade);
  }
}
