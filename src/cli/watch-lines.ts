import { decimalText } from '../wire/decimal.js';
import { Inbox } from '../wire/inbox.js';
import {
  type BookSubscription,
  type Costs,
  type CostsSubscription,
  type channel,
  Flag,
  type Level,
  type LocalBook,
  type LocalVolumes,
  memberOf,
  type OrderChange,
  type OrdersSubscription,
  type Resynced,
  type Signals,
  type SignalsSubscription,
  type SlowNotice,
  type StatusSubscription,
  type Ticker,
  type TickerSubscription,
  type TradesSubscription,
  type TradingSubscription,
  type Volume,
  type VolumesSubscription,
} from '../wire/index.js';

/** Changes of orders that a reader may be behind. */
const CHANGES_MAX = 65_536;

export type WatchChannel = keyof typeof channel;

export const WATCH_CHANNELS: readonly WatchChannel[] = [
  'book',
  'depth',
  'bbo',
  'trades',
  'orders',
  'ticker',
  'liquidations',
  'trading',
  'volumes',
  'costs',
  'signals',
  'status',
];

type AnyChannel = InstanceType<(typeof channel)[WatchChannel]['Subscription']>;

/**
 * What a subscription brings, each an object to print: decimals and 64-bit numbers are strings, times are ns since the
 * Unix epoch. `members`: what a consolidated book is made of, whose orders are theirs. Of states a reader that is slower than the feed sees the newest; of events it is told how many it has lost.
 */
export async function* linesOf(
  channel: WatchChannel,
  subscription: AnyChannel,
  depth: number,
  members: readonly string[] = [],
): AsyncGenerator<object, void, undefined> {
  const { instrument } = subscription.topic;
  switch (channel) {
    case 'trades':
    case 'liquidations': {
      const trades = subscription as TradesSubscription;
      for await (const event of trades) {
        if (event.tag === 'gap') yield { instrument, event: 'gap', ...printable(event) };
        else
          yield {
            instrument,
            price: trades.priceText(event),
            qty: trades.qtyText(event),
            aggressor: event.aggressor,
            id: String(event.id),
            idKind: event.idKind,
            tsEvent: String(event.tsEvent),
            seq: String(event.seq),
          };
      }
      return;
    }
    case 'orders':
      yield* orderLines(subscription as OrdersSubscription, members);
      return;
    case 'ticker':
      for await (const ticker of subscription as TickerSubscription)
        yield tickerLine(subscription as TickerSubscription, ticker);
      return;
    case 'trading': {
      const trading = subscription as TradingSubscription;
      for await (const word of trading) yield { instrument, state: trading.state, ...printable(word) };
      return;
    }
    case 'volumes':
      for await (const volumes of subscription as VolumesSubscription)
        yield { instrument, ...volumesLine(volumes) };
      return;
    case 'costs':
      for await (const costs of subscription as CostsSubscription)
        yield costsLine(subscription as CostsSubscription, costs);
      return;
    case 'signals':
      for await (const signals of subscription as SignalsSubscription)
        yield signalsLine(subscription as SignalsSubscription, signals);
      return;
    case 'status':
      for await (const status of subscription as StatusSubscription)
        yield { instrument, ...printable(status) };
      return;
    default:
      for await (const book of subscription as BookSubscription) yield bookLine(instrument, book, depth);
  }
}

/** What is to be told of a subscription beside what it brings: what was not seen one by one, and why. */
export function eventsOf(subscription: AnyChannel, tell: (line: object) => void): void {
  const { instrument } = subscription.topic;
  const watched = subscription as BookSubscription;
  watched.on('resync', (event: Resynced) => tell({ instrument, event: 'resync', ...printable(event) }));
  watched.on('slow', (event: SlowNotice) => tell({ instrument, event: 'slow', ...printable(event) }));
}

/** The flags of a frame in words, those that say something of the market or of the feed. */
const FLAG_WORDS = {
  conflated: Flag.conflated,
  stale: Flag.stale,
  crossed: Flag.crossed,
  beyond_known: Flag.beyondKnown,
  replay: Flag.replay,
  venue: Flag.venue,
} as const;

/** A book as a line of JSON. */
export function bookLine(instrument: string, book: LocalBook, depth: number): object {
  const { bids, asks } = book.depth(depth);
  const text = (level: Level): readonly [string, string] => [book.priceText(level), book.qtyText(level)];
  const knownTo = (price: number | bigint): string | null =>
    Math.abs(Number(price)) === Number.POSITIVE_INFINITY ? null : book.priceText(price);
  return {
    instrument,
    state: book.state,
    reason: book.reason,
    flags: Object.entries(FLAG_WORDS).flatMap(([word, bit]) => ((book.flags & bit) === 0 ? [] : [word])),
    epoch: String(book.epoch),
    seq: String(book.seq),
    venueSeq: String(book.venueSeq),
    tsEvent: String(book.tsEvent),
    tsRecv: String(book.tsRecv),
    tsSend: String(book.tsSend),
    beyondKnown: book.isBeyondKnown,
    crossed: book.isCrossed,
    bidKnownTo: knownTo(book.bidKnownTo),
    askKnownTo: knownTo(book.askKnownTo),
    bids: bids.map(text),
    asks: asks.map(text),
  };
}

/** All rows, the lowest price first. */
function volumesLine(volumes: LocalVolumes): object {
  const { state, reason, epoch, seq, since, missedAt, grouping, rows } = volumes;
  const row = ({ price, bought, sold, unknown, trades }: Volume): object => ({
    price: volumes.priceText(price),
    bought: volumes.qtyText(bought),
    sold: volumes.qtyText(sold),
    unknown: volumes.qtyText(unknown),
    trades,
  });
  return {
    state,
    reason,
    epoch: String(epoch),
    seq: String(seq),
    since: String(since),
    missedAt: String(missedAt),
    grouping: grouping === 0 ? null : volumes.priceText(grouping),
    volumes: rows.map(row),
  };
}

/** All rows; what nothing is filled of has no prices. */
function costsLine({ topic, state, granted }: CostsSubscription, costs: Costs): object {
  const { priceExponent = 0, qtyExponent = 0 } = granted ?? {};
  const text = (mantissa: number | bigint | undefined, exponent: number): string | null =>
    mantissa === undefined ? null : decimalText(mantissa, exponent);
  return {
    instrument: topic.instrument,
    state,
    seq: String(costs.seq),
    tsRecv: String(costs.tsRecv),
    costs: costs.rows.map(({ side, bps, isComplete, isKnown, ...row }) => ({
      side,
      qty: text(row.qty, qtyExponent),
      ...(bps === 0 ? {} : { bps }),
      filled: text(row.filled, qtyExponent),
      isComplete,
      isKnown,
      priceAverage: text(row.priceAverage, row.priceExponent),
      priceWorst: text(row.priceWorst, priceExponent),
      cost: text(row.cost, row.costExponent),
    })),
  };
}

/** All values, by their names. */
function signalsLine({ topic, state }: SignalsSubscription, signals: Signals): object {
  const rows = signals.rows.map(({ name, value, exponent, unit, windowNs, isPartial }) => [
    name,
    {
      value: decimalText(value, exponent),
      unit,
      ...(windowNs === 0n ? {} : { windowMs: Number(windowNs / 1_000_000n) }),
      ...(isPartial ? { isPartial } : {}),
    },
  ]);
  return {
    instrument: topic.instrument,
    state,
    seq: String(signals.seq),
    tsRecv: String(signals.tsRecv),
    signals: Object.fromEntries(rows) as object,
  };
}

/** Each change, and the whole when it is replaced or its state is another one. */
async function* orderLines(
  subscription: OrdersSubscription,
  members: readonly string[],
): AsyncGenerator<object, void, undefined> {
  const { orders, topic } = subscription;
  const { instrument } = topic;
  const inbox = new Inbox<object>(
    {
      tag: 'queue',
      itemsMax: CHANGES_MAX,
      overflow: (lost) => ({ instrument, event: 'gap', reason: 'overflow', lost }),
    },
    () => {},
  );
  const whole = (): object => ({
    instrument,
    state: orders.state,
    reason: orders.reason,
    epoch: String(orders.epoch),
    seq: String(orders.seq),
    bidOrders: orders.count('bid'),
    askOrders: orders.count('ask'),
  });
  subscription.on('state', () => inbox.push(whole()));
  subscription.on('change', ({ action, id, side, price, qty, cause, seq }: OrderChange) =>
    inbox.push({
      instrument,
      action,
      id: String(id),
      venue: memberOf(id, members),
      side,
      price: orders.priceText(price),
      qty: orders.qtyText(qty),
      cause,
      ahead: id === undefined ? undefined : orders.ordersAhead(id),
      seq: String(seq),
    }),
  );
  void endWith(subscription, inbox);
  yield* inbox;
}

/** Ends what waits when the subscription ends. */
async function endWith(subscription: OrdersSubscription, inbox: Inbox<object>): Promise<void> {
  try {
    for await (const _ of subscription);
    inbox.end();
  } catch (error) {
    inbox.end(error);
  }
}

function tickerLine(subscription: TickerSubscription, ticker: Ticker): object {
  const { priceExponent: _price, qtyExponent: _qty, ...rest } = ticker;
  const prices = (['last', 'mark', 'index', 'underlying'] as const).map((field) => [
    field,
    subscription.priceText(ticker, field),
  ]);
  const qtys = (['volume', 'openInterest'] as const).map((field) => [
    field,
    subscription.qtyText(ticker, field),
  ]);
  return {
    instrument: subscription.topic.instrument,
    state: subscription.state,
    ...printable(rest),
    ...Object.fromEntries([...prices, ...qtys]),
  };
}

/** The same with numbers as strings, so that none is rounded by who reads it. */
function printable(value: object): object {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'tag')
      .map(([name, field]) => [name, printed(field)]),
  );
}

function printed(field: unknown): unknown {
  if (typeof field === 'bigint' || typeof field === 'number') return String(field);
  return typeof field === 'object' && field !== null ? printable(field) : field;
}
