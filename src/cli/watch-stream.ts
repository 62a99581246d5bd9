import { type Feed, isPattern, type SubscriptionGroup } from '../wire/index.js';
import type { Terminal } from './terminal.js';
import { eventsOf, linesOf, type WatchChannel } from './watch-lines.js';

export interface StreamOptions {
  /** A name or a pattern. */
  readonly instrument: string;
  readonly channel: WatchChannel;
  /** Levels a side of books. */
  readonly depth: number;
  readonly signal: AbortSignal;
}

type Subscription = Parameters<typeof linesOf>[1];

/** Prints a line of JSON for whatever a channel brings, of one instrument or of all that fit. Returns when `signal` ends it. */
export async function stream(
  feed: Feed,
  options: StreamOptions,
  terminal: Pick<Terminal, 'write'>,
): Promise<void> {
  const { instrument, channel, depth } = options;
  const write = (line: object): Promise<void> => terminal.write(`${JSON.stringify(line)}\n`);
  const settings = { depth, intervalMs: 0 };
  const follow = async (subscription: Subscription): Promise<void> => {
    eventsOf(subscription, (line) => void write(line));
    let before = '';
    for await (const line of linesOf(channel, subscription, depth)) {
      const text = JSON.stringify(line);
      // A change of state and of content that come together are two turns of the loop with one outcome.
      if (text !== before) await terminal.write(`${text}\n`);
      before = text;
    }
  };
  if (!isPattern(instrument)) {
    await follow(channel === 'depth' ? feed.depth(instrument, settings) : feed[channel](instrument));
    return;
  }
  const group: SubscriptionGroup<Subscription> = feed.subscribe({
    ...settings,
    channel,
    instruments: instrument,
  });
  group.on('matched', (instruments) => void write({ event: 'matched', instruments }));
  group.on('removed', ({ instrument, reason }) => void write({ instrument, event: 'removed', reason }));
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
  if (failure !== undefined && !options.signal.aborted) throw failure;
}
