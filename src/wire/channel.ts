import type { ChannelName, Topic } from './control.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/**
 * What may be subscribed to. A value of its own, so that a program which is bundled has only the channels that it names:
 * `feed.subscribe(channel.trades, 'venue:BTC-USD')`.
 */
export interface Channel<Options extends SubscriptionOptions, Kept> {
  readonly name: ChannelName;
  /** What is asked of the server beside the name; nothing where it is absent. */
  readonly ask?: (options: Options) => Omit<Topic, 'channel' | 'instrument'>;
  /** What keeps what the channel brings. */
  readonly Subscription: new (
    host: Host,
    topic: Topic,
    options: Options,
    backoff: Backoff,
  ) => Kept;
}

/** What every view may be given. */
export interface ViewOptions extends SubscriptionOptions {
  /** Least time between two changes, ms; default 100, 0 = every change. */
  readonly intervalMs?: number;
}

/** A view whose prices may stand in buckets. */
export interface GroupedOptions extends ViewOptions {
  /** Width of a price bucket as a decimal, such as `0.5`; default: prices as they are. */
  readonly grouping?: string;
}

/** What is asked of a view. */
export function viewAsk({
  intervalMs = 100,
  grouping,
}: GroupedOptions): Omit<Topic, 'channel' | 'instrument'> {
  return { intervalMs, ...(grouping === undefined ? {} : { grouping }) };
}
