import {
  type BookSubscription,
  channel,
  decimalText,
  type Feed,
  type FeedError,
  Flag,
  type Level,
  type LocalBook,
  parseDecimal,
  type Side,
  type StatusSubscription,
  type TradeEvent,
  type TradesSubscription,
} from '../wire/index.js';
import { isExact } from '../wire/level.js';
import type { LadderLevel, LadderSpread } from './ladder-text.js';
import type { Latency, MarketView } from './market-text.js';
import type { TapeRow } from './tape-text.js';

/** Trades that are kept to be shown. */
const TRADES_MAX = 200;
const INTERVAL_MS = 100;
/** Levels a side whose prices show the tick where nobody tells it, and the least that do. */
const LEVELS_SEEN = 100;
const LEVELS_MIN = 4;
/** Price steps that a reader can choose, in ticks: 1 2 5 10 … 10^6. 1 is the levels as they are. */
const STEPS: readonly number[] = [0, 1, 2, 3, 4, 5]
  .flatMap((decade) => [1, 2, 5].map((lead) => lead * 10 ** decade))
  .concat(1e6);

export interface MarketOptions {
  /** Levels a side. */
  readonly depth: number;
  /** Width of a price bucket as a decimal; undefined = levels as they are. */
  readonly grouping: string | undefined;
}

/** What is shown beside a book, where the token holds it. */
type Beside = 'trades' | 'status';

/** Refusals of a channel after which it is asked for no more: a server ends a client that asks too often in vain. */
const REFUSALS_MAX = 2;

/** What a server refuses to a client, over all instruments that are watched one after the other. */
export class Refusals {
  private readonly counts: Record<Beside, number> = { trades: 0, status: 0 };

  mayAsk(channel: Beside): boolean {
    return this.counts[channel] < REFUSALS_MAX;
  }

  add(channel: Beside): void {
    this.counts[channel] += 1;
  }
}

/** An instrument that is watched: its depth, its trades, its book's status. */
export class WatchedMarket {
  readonly instrument: string;
  private readonly feed: Feed;
  private readonly onInput: () => void;
  /** Undefined where the token does not hold them. */
  private readonly trades: TradesSubscription | undefined;
  private readonly status: StatusSubscription | undefined;
  private shown: BookSubscription;
  /** Replaces what is shown as soon as it has a book. */
  private coming: BookSubscription | undefined;
  private options: MarketOptions;
  private rows: readonly TapeRow[] = [];
  private heardMs: number | undefined;
  private gaps = 0;
  private resyncs = 0;
  /** Of the gap that was known when watching began, or counted last; undefined = no status yet. */
  private gapNoticed: bigint | undefined;
  private refused = '';
  /** The step of prices, as a mantissa; 0 = not known. */
  private tick = 0n;

  /** `onInput` is called when something has come. */
  constructor(
    feed: Feed,
    instrument: string,
    options: MarketOptions,
    refusals: Refusals,
    onInput: () => void,
  ) {
    this.feed = feed;
    this.instrument = instrument;
    this.options = options;
    this.onInput = onInput;
    this.shown = this.subscribe(options);
    const refused =
      (channel: Beside) =>
      ({ code }: FeedError): void => {
        if (code === 'feed.not_entitled') refusals.add(channel);
      };
    const trades = refusals.mayAsk('trades') ? feed.subscribe(channel.trades, instrument) : undefined;
    this.trades = trades;
    trades?.on('error', refused('trades'));
    trades?.on('update', (trade) => this.takeTrade(trade, trades));
    trades?.on('gap', (gap) => this.takeTrade(gap, trades));
    this.status = refusals.mayAsk('status') ? feed.subscribe(channel.status, instrument) : undefined;
    this.status?.on('error', refused('status'));
    this.status?.on('update', ({ gap, ageMs }) => {
      if (this.gapNoticed !== undefined && gap !== undefined && gap.noticed !== this.gapNoticed)
        this.gaps += 1;
      this.gapNoticed = gap?.noticed ?? this.gapNoticed ?? 0n;
      this.heard(ageMs);
    });
  }

  /** The book that is shown now. */
  get books(): BookSubscription {
    return this.shown;
  }

  /** Why no book comes any more; undefined while one may. */
  get error(): Error | undefined {
    return this.shown.error;
  }

  /** Why the last choice of levels or price steps was not granted; empty = it was. */
  get refusal(): string {
    return this.refused;
  }

  /** Chooses the number of levels and takes over what else was chosen. What is shown stays until the other view is there. */
  setDepth(depth: number): void {
    this.change({ ...this.options, depth });
  }

  /** Takes a wider (1) or narrower (-1) step of prices. False where the tick is neither known nor seen. */
  stepBy(by: 1 | -1): boolean {
    const { granted } = this.shown;
    const { grouping } = this.options;
    if (granted === undefined) return false;
    const { priceExponent } = granted;
    if (granted.tickSize > 0) this.tick = BigInt(granted.tickSize);
    else if (grouping === undefined) this.tick = tickSeen(this.shown.book);
    if (this.tick === 0n) return false;
    const now = grouping === undefined ? 1 : parseDecimal(grouping, priceExponent) / Number(this.tick);
    const step = by > 0 ? STEPS.find((wider) => wider > now) : STEPS.findLast((narrower) => narrower < now);
    if (step === undefined) return true;
    const width = decimalText(this.tick * BigInt(step), priceExponent);
    this.change({ ...this.options, grouping: step === 1 ? undefined : width });
    return true;
  }

  close(): void {
    for (const subscription of [this.shown, this.coming, this.trades, this.status]) subscription?.close();
  }

  /** What is to be drawn now, of at most so many levels a side. */
  view(depth: number): MarketView {
    const { shown, feed, trades } = this;
    const { book } = shown;
    const isReplay = (book.flags & Flag.replay) !== 0;
    const distrust = distrustOf(feed, shown);
    const toldNs = Number(book.tsRecv) || Number(book.tsEvent);
    return {
      instrument: this.instrument,
      state: distrust ?? 'synced',
      distrust,
      doubts: [...(book.isBeyondKnown ? ['BEYOND KNOWN'] : []), ...(book.isCrossed ? ['CROSSED'] : [])],
      replayMs: isReplay ? (toldNs === 0 ? Number.NaN : toldNs / 1e6) : undefined,
      seq: String(book.seq),
      ageMs: this.heardMs === undefined ? undefined : performance.now() - this.heardMs,
      latency: latencyOf(feed),
      gaps: this.gaps,
      resyncs: this.resyncs,
      grouping: shown.granted?.grouping,
      ...levelsOf(book, depth),
      trades: this.rows,
      tradesNotice: tradesNotice(trades, distrust),
    };
  }

  private subscribe({ depth, grouping }: MarketOptions): BookSubscription {
    const asked = { depth, intervalMs: INTERVAL_MS, ...(grouping === undefined ? {} : { grouping }) };
    const subscription = this.feed.depth(this.instrument, asked);
    let isFirst = true;
    subscription.on('update', (book) => {
      if (subscription === this.coming) this.replace(subscription);
      // A view that begins is no news; of a recording its stamps do not tell how old it is, the status does.
      const isNews = !isFirst || (book.flags & Flag.replay) === 0;
      isFirst = false;
      if (isNews) this.heard(heldMs(book));
      this.onInput();
    });
    subscription.on('gap', () => {
      this.gaps += 1;
    });
    subscription.on('resync', () => {
      this.resyncs += 1;
    });
    return subscription;
  }

  private change(options: MarketOptions): void {
    const { depth, grouping } = options;
    if (depth === this.options.depth && grouping === this.options.grouping) return;
    this.options = options;
    this.coming?.close();
    this.coming = undefined;
    this.refused = '';
    const { topic } = this.shown;
    if (topic.depth === depth && topic.grouping === grouping) return;
    const coming = this.subscribe(options);
    this.coming = coming;
    coming.on('error', ({ what, fix }) => {
      if (this.coming !== coming || !coming.closed) return;
      this.coming = undefined;
      this.options = { depth: topic.depth ?? depth, grouping: topic.grouping };
      this.refused = `${what}: ${fix}`;
    });
  }

  private replace(by: BookSubscription): void {
    this.coming = undefined;
    this.shown.close();
    this.shown = by;
  }

  private takeTrade(event: TradeEvent, trades: TradesSubscription): void {
    const row: TapeRow =
      event.tag === 'gap'
        ? { tag: 'missing' }
        : {
            tag: 'trade',
            tsMs: event.tsEvent === 0n ? undefined : Number(event.tsEvent / 1_000_000n),
            aggressor: event.aggressor === 'buy' || event.aggressor === 'sell' ? event.aggressor : 'unknown',
            price: trades.priceText(event),
            qty: trades.qtyText(event),
          };
    this.rows = [row, ...this.rows.slice(0, TRADES_MAX - 1)];
    this.onInput();
  }

  /** The venue was heard of this instrument `agoMs` ago. */
  private heard(agoMs: number): void {
    this.heardMs = Math.max(this.heardMs ?? Number.NEGATIVE_INFINITY, performance.now() - agoMs);
  }
}

/** Why a book is no market, in capitals; undefined where it is one. */
function distrustOf(feed: Feed, { state, reason, book, error }: BookSubscription): string | undefined {
  if (error !== undefined) return `REFUSED (${error.code})`;
  if (feed.state !== 'open') return book.seq === 0 ? 'CONNECTING' : 'NO SERVER, connecting again';
  if (state === 'synced') return undefined;
  return reason === 'none' ? state.toUpperCase() : `${state.toUpperCase()} (${reason})`;
}

/** How old a frame's news was when the server sent it, by the server's own clock. A recording's times are of another day. */
function heldMs({ flags, tsRecv, tsSend }: LocalBook): number {
  if ((flags & Flag.replay) !== 0 || tsRecv === 0n || tsSend === 0n) return 0;
  return Math.max(0, Number(tsSend - tsRecv) / 1e6);
}

function latencyOf({ latency }: Feed): Latency | undefined {
  return latency && { p50Ms: latency.p50Ms, errorMs: latency.errorMs };
}

function tradesNotice(trades: TradesSubscription | undefined, distrust: string | undefined): string {
  if (trades === undefined || trades.error?.code === 'feed.not_entitled')
    return 'no trades: the token does not hold them';
  const { state, reason, error } = trades;
  if (error !== undefined) return `no trades: ${error.message}`;
  if (trades.closed || state === 'synced' || distrust !== undefined) return '';
  return reason === 'no_image' ? 'no trades yet' : `trades ${state} (${reason})`;
}

/** The best levels of both sides as they are drawn, and what lies between them. */
export function levelsOf(
  book: LocalBook,
  depth: number,
): {
  readonly bids: readonly LadderLevel[];
  readonly asks: readonly LadderLevel[];
  readonly spread: LadderSpread | undefined;
} {
  const { bids, asks } = book.depth(depth);
  const size = (level: Level): number => Number(level.exact?.qty ?? level.qty);
  const largest = Math.max(1, ...bids.map(size), ...asks.map(size));
  const drawn = (side: Side, levels: readonly Level[]): readonly LadderLevel[] => {
    const knownTo = side === 'bid' ? book.bidKnownTo : book.askKnownTo;
    let total = 0n;
    return levels.map((level) => {
      total += mantissa(level.exact?.qty ?? level.qty);
      const price = level.exact?.price ?? level.price;
      return {
        price: book.priceText(level),
        qty: book.qtyText(level),
        total: book.qtyText(isExact(Number(total)) ? Number(total) : total),
        share: size(level) / largest,
        beyondKnown: side === 'bid' ? price < knownTo : price > knownTo,
      };
    });
  };
  return { bids: drawn('bid', bids), asks: drawn('ask', asks), spread: spreadOf(book, bids[0], asks[0]) };
}

function spreadOf(book: LocalBook, bid: Level | undefined, ask: Level | undefined): LadderSpread | undefined {
  if (bid === undefined || ask === undefined) return undefined;
  const [low, high] = [mantissa(bid.exact?.price ?? bid.price), mantissa(ask.exact?.price ?? ask.price)];
  const width = high - low;
  return { text: book.priceText(width), bp: (Number(width) / (Number(high + low) / 2)) * 10_000 };
}

/** The widest step that all prices in sight are on, as a mantissa; 0 where too few are. */
function tickSeen(book: LocalBook): bigint {
  const { bids, asks } = book.depth(LEVELS_SEEN);
  const prices = [...bids, ...asks].map((level) => mantissa(level.exact?.price ?? level.price));
  const [first] = prices;
  if (first === undefined || prices.length < LEVELS_MIN) return 0n;
  return prices.reduce((step, price) => commonDivisor(step, price - first), 0n);
}

function commonDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b < 0n ? -b : b];
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

function mantissa(value: number | bigint): bigint {
  return typeof value === 'bigint' ? value : BigInt(value);
}
