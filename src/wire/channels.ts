import { type BookOptions, BookSubscription } from './book-subscription.js';
import type { BboSource, Topic } from './control.js';
import { type CostsOptions, CostsSubscription } from './costs-subscription.js';
import { TickerSubscription, TradingSubscription } from './facts-subscription.js';
import { type OrdersOptions, OrdersSubscription } from './orders-subscription.js';
import type { Backoff } from './resync.js';
import { StatusSubscription } from './status-subscription.js';
import type { Host, SubscriptionOptions } from './subscription.js';
import { type TradesOptions, TradesSubscription } from './trades-subscription.js';
import { type VolumesOptions, VolumesSubscription } from './volumes-subscription.js';

const DEPTH = 20;
const INTERVAL_MS = 100;
const BPS = [5, 10, 25, 50];

/** What a subscription of the best levels may be given. */
export interface DepthOptions extends BookOptions {
  /** Levels a side; default 20. */
  readonly depth?: number;
  /** Least time between two changes, ms; default 100, 0 = every change. */
  readonly intervalMs?: number;
  /** Width of a price bucket as a decimal, such as `0.5`; default: levels as they are. */
  readonly grouping?: string;
}

/** What a subscription of the best prices may be given. */
export interface BboOptions extends BookOptions {
  readonly source?: BboSource;
}

/** What each channel takes, and the subscription that it gives. */
export interface Channels {
  book: { readonly options: BookOptions; readonly subscription: BookSubscription };
  depth: { readonly options: DepthOptions; readonly subscription: BookSubscription };
  bbo: { readonly options: BboOptions; readonly subscription: BookSubscription };
  trades: { readonly options: TradesOptions; readonly subscription: TradesSubscription };
  liquidations: { readonly options: TradesOptions; readonly subscription: TradesSubscription };
  orders: { readonly options: OrdersOptions; readonly subscription: OrdersSubscription };
  ticker: { readonly options: SubscriptionOptions; readonly subscription: TickerSubscription };
  costs: { readonly options: CostsOptions; readonly subscription: CostsSubscription };
  volumes: { readonly options: VolumesOptions; readonly subscription: VolumesSubscription };
  trading: { readonly options: SubscriptionOptions; readonly subscription: TradingSubscription };
  status: { readonly options: SubscriptionOptions; readonly subscription: StatusSubscription };
}

/** What a group asks for: a channel with its options, of names and patterns. */
export type GroupRequest<Name extends keyof Channels> = Channels[Name]['options'] & {
  readonly channel: Name;
  /** `*` stands for any text, `?` for one character: `venue:BTC-*`. */
  readonly instruments: string | readonly string[];
};

/** What a channel with its options asks for. */
export function askOf(
  channel: keyof Channels,
  options: DepthOptions & BboOptions & CostsOptions,
): Omit<Topic, 'instrument'> {
  if (channel === 'bbo') return { channel, source: options.source ?? 'book' };
  const { depth = DEPTH, intervalMs = INTERVAL_MS, grouping, quantities = [] } = options;
  if (channel === 'costs') {
    const { bps = quantities.length > 0 ? [] : BPS } = options;
    return { channel, intervalMs, quantities, bps };
  }
  const view = { channel, intervalMs, ...(grouping === undefined ? {} : { grouping }) };
  if (channel === 'volumes') return view;
  return channel === 'depth' ? { ...view, depth } : { channel };
}

/** The subscription of a channel. */
export function makeSubscription<Name extends keyof Channels>(
  channel: Name,
  topic: Topic,
  options: Channels[Name]['options'],
  host: Host,
  resync: Backoff,
): Channels[Name]['subscription'] {
  switch (channel) {
    case 'trades':
    case 'liquidations':
      return new TradesSubscription(host, topic, options, resync);
    case 'orders':
      return new OrdersSubscription(host, topic, options, resync);
    case 'ticker':
      return new TickerSubscription(host, topic, options, resync);
    case 'trading':
      return new TradingSubscription(host, topic, options, resync);
    case 'costs':
      return new CostsSubscription(host, topic, options, resync);
    case 'volumes':
      return new VolumesSubscription(host, topic, options, resync);
    case 'status':
      return new StatusSubscription(host, topic, options);
    default:
      return new BookSubscription(host, topic, options, resync);
  }
}
