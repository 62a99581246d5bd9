import {
  type Channel,
  type CostsOptions,
  channel,
  type DepthOptions,
  type Feed,
  isPattern,
  type SignalsOptions,
} from '../wire/index.js';
import type { Terminal } from './terminal.js';
import type { WatchLimits } from './watch-limits.js';
import { eventsOf, linesOf, type WatchChannel } from './watch-lines.js';

export interface StreamOptions {
  /** Names and patterns. */
  readonly instruments: readonly string[];
  readonly channel: WatchChannel;
  /** Levels a side of books. */
  readonly depth: number;
  /** Width of a price bucket of depth and volumes; undefined = prices as they are. */
  readonly grouping: string | undefined;
  /** What costs are of. */
  readonly quantities?: readonly string[] | undefined;
  readonly bps?: readonly number[] | undefined;
  /** Of signals. */
  readonly windowMs?: number | undefined;
  readonly vpinVolume?: string | undefined;
  readonly limits: WatchLimits;
}

type Subscription = Parameters<typeof linesOf>[1];

/** Prints a line of JSON for whatever a channel brings, of one instrument or of all that fit. Returns when `limits` end it. */
export async function stream(
  feed: Feed,
  options: StreamOptions,
  terminal: Pick<Terminal, 'write'>,
): Promise<void> {
  const { instruments, depth, grouping, quantities, bps, windowMs, vpinVolume, limits } = options;
  const asked = channel[options.channel] as Channel<
    DepthOptions & CostsOptions & SignalsOptions,
    Subscription
  >;
  const write = async (text: string): Promise<void> => {
    if (limits.take()) await terminal.write(`${text}\n`);
  };
  const say = (line: object): void => {
    // About the subscriptions rather than of the market: no output that is counted.
    if (!limits.signal.aborted) void terminal.write(`${JSON.stringify(line)}\n`);
  };
  const settings = {
    depth,
    intervalMs: 0,
    ...(grouping === undefined ? {} : { grouping }),
    ...(quantities === undefined ? {} : { quantities }),
    ...(bps === undefined ? {} : { bps }),
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(vpinVolume === undefined ? {} : { vpinVolume }),
  };
  const listed = options.channel === 'orders' ? await feed.instruments().catch(() => []) : [];
  const membersOf = (name: string): readonly string[] =>
    listed.find((one) => one.name === name)?.members?.map((member) => member.instrument) ?? [];
  const follow = async (subscription: Subscription): Promise<void> => {
    eventsOf(subscription, say);
    let before = '';
    const members = membersOf(subscription.topic.instrument);
    for await (const line of linesOf(options.channel, subscription, depth, members)) {
      const text = JSON.stringify(line);
      // A change of state and of content that come together are two turns of the loop with one outcome.
      if (text !== before) await write(text);
      before = text;
    }
  };
  const [only] = instruments;
  if (instruments.length === 1 && only !== undefined && !isPattern(only)) {
    await follow(feed.subscribe(asked, only, settings));
    return;
  }
  const group = feed.subscribeAll(asked, instruments, settings);
  group.on('matched', (count) => say({ event: 'matched', instruments: count }));
  group.on('removed', ({ instrument, reason }) => say({ instrument, event: 'removed', reason }));
  let failure: unknown;
  const following: Promise<void>[] = [];
  for await (const subscription of group) {
    following.push(
      follow(subscription).catch((error: unknown) => {
        failure ??= error;
        group.close();
      }),
    );
  }
  await Promise.all(following);
  if (failure !== undefined && !limits.signal.aborted) throw failure;
}
