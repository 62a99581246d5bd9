import type { Channel } from './channel.js';
import type { Topic } from './control.js';
import { decimalText } from './decimal.js';
import type { FrameReader } from './frame.js';
import { TickerFields, TradingFields } from './frame-facts.js';
import { KeptSubscription } from './kept-subscription.js';
import { printable } from './level.js';
import { LocalFacts } from './local-facts.js';
import { Kind, TICKER_FIELDS, type TickerField, type TradingStatus } from './protocol.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/**
 * Statistics of an instrument, as far as the venue tells them: those that it does not are absent. Prices and quantities are
 * mantissas, BigInts beyond 2^53; names that end in E9 are in 1e-9; `fundingAt` is in ns since the Unix epoch.
 */
export interface Ticker extends Readonly<Partial<Record<TickerField, number | bigint>>> {
  readonly priceExponent: number;
  readonly qtyExponent: number;
  /** When the server received it, and the venue's own time, ns; 0 = not given. */
  readonly tsRecv: bigint;
  readonly tsEvent: bigint;
  readonly seq: number;
}

/** Whether an instrument trades, and since when by the venue, ns; 0 = not given. */
export interface Trading {
  readonly status: TradingStatus;
  readonly tsEvent: bigint;
  readonly seq: number;
}

/** The statistics of an instrument. A loop yields the latest. */
export class TickerSubscription extends KeptSubscription<LocalFacts<Ticker>, Ticker> {
  /** @internal */
  constructor(host: Host, topic: Topic, options: SubscriptionOptions, backoff: Backoff) {
    super(host, topic, options, backoff, new LocalFacts(Kind.ticker, tickerOf));
  }

  /** The last one; undefined before the first. */
  get ticker(): Ticker | undefined {
    return this.kept.facts;
  }

  /** A price of a ticker as an exact decimal; undefined where it is not known. */
  priceText(ticker: Ticker, field: 'last' | 'mark' | 'index' | 'underlying'): string | undefined {
    const price = ticker[field];
    return price === undefined
      ? undefined
      : decimalText(price, ticker.priceExponent, this.kept.priceDecimalsMin);
  }

  /** A quantity of a ticker likewise. */
  qtyText(ticker: Ticker, field: 'volume' | 'openInterest'): string | undefined {
    const qty = ticker[field];
    return qty === undefined ? undefined : decimalText(qty, ticker.qtyExponent, this.kept.qtyDecimalsMin);
  }

  protected get item(): Ticker | undefined {
    return this.kept.facts;
  }
}

/** Whether an instrument trades. A loop yields the latest. */
export class TradingSubscription extends KeptSubscription<LocalFacts<Trading>, Trading> {
  /** @internal */
  constructor(host: Host, topic: Topic, options: SubscriptionOptions, backoff: Backoff) {
    super(host, topic, options, backoff, new LocalFacts(Kind.trading, tradingOf));
  }

  /** The last word; undefined before the first. */
  get trading(): Trading | undefined {
    return this.kept.facts;
  }

  protected get item(): Trading | undefined {
    return this.kept.facts;
  }
}

function tickerOf(frame: FrameReader): Ticker | undefined {
  const ticker = new TickerFields(frame);
  if (!ticker.isPresent) return undefined;
  const { mask, priceExponent, qtyExponent } = ticker;
  const known = TICKER_FIELDS.flatMap((field, bit) =>
    (mask >>> bit) & 1 ? [[field, ticker.value(bit)]] : [],
  );
  const { tsRecv, tsEvent, seq } = frame;
  return printable({
    ...Object.fromEntries(known),
    priceExponent,
    qtyExponent,
    tsRecv,
    tsEvent,
    seq,
  } as Ticker);
}

function tradingOf(frame: FrameReader): Trading | undefined {
  const trading = new TradingFields(frame);
  return trading.isPresent
    ? printable({ status: trading.status, tsEvent: trading.tsEvent, seq: frame.seq })
    : undefined;
}

/** Last, mark and index price, funding, open interest, greeks: what the venue tells of them. */
export const ticker: Channel<SubscriptionOptions, TickerSubscription> = {
  name: 'ticker',
  Subscription: TickerSubscription,
};

/** Whether the instrument trades. */
export const trading: Channel<SubscriptionOptions, TradingSubscription> = {
  name: 'trading',
  Subscription: TradingSubscription,
};
