import { DepthwireError } from '../errors.js';
import type { Channel, ProductFacts, SocketFacts, StreamFacts } from './venues/facts.js';

/** A stream and the depth that it is asked for at; 0 where it has one book only. */
export interface Choice {
  readonly stream: StreamFacts;
  readonly depth: number;
}

/** What is heard of one address. */
export interface SocketChoice {
  readonly facts: SocketFacts;
  readonly choices: readonly Choice[];
  /** Whether a book is among them. */
  readonly hasBook: boolean;
}

export interface Wanted {
  readonly channels: readonly Channel[];
  /** Levels a side; absent = each stream's default. */
  readonly depth?: number | undefined;
  /** The venue's words for streams that are preferred. */
  readonly streams?: readonly string[] | undefined;
  readonly hasKey: boolean;
}

const BOOKS: ReadonlySet<Channel> = new Set(['book', 'orders']);

/**
 * The streams that bring what is wanted, by the address where they stand. Of several for one channel those count that are
 * preferred by name, then those without a key, then the one whose depth is the least that is enough, then the first.
 * Throws `live.not_offered` and `live.needs_key`.
 */
export function chooseStreams(product: ProductFacts, wanted: Wanted): readonly SocketChoice[] {
  const chosen = new Map<StreamFacts, number>();
  for (const channel of wanted.channels) {
    const { stream, depth } = choose(product, channel, wanted);
    if (!chosen.has(stream)) chosen.set(stream, depth);
  }
  return product.sockets.flatMap((facts) => {
    const own = facts.streams.filter((stream) => chosen.has(stream));
    if (own.length === 0) return [];
    const choices = facts.streams
      .filter((stream) => chosen.has(stream) || (stream.channels.length === 0 && isOpen(stream, wanted)))
      .map((stream) => ({ stream, depth: chosen.get(stream) ?? 0 }));
    const hasBook = own.some(({ channels }) => channels.some((channel) => BOOKS.has(channel)));
    return [{ facts, choices, hasBook }];
  });
}

/** Whether a stream brings books. */
export function bringsBook({ channels }: StreamFacts): boolean {
  return channels.some((channel) => BOOKS.has(channel));
}

function choose(product: ProductFacts, channel: Channel, wanted: Wanted): Choice {
  const all = product.sockets
    .flatMap(({ streams }) => streams)
    .filter(({ channels }) => channels.includes(channel));
  const open = all.filter((stream) => isOpen(stream, wanted));
  const named = open.filter(({ name }) => wanted.streams?.includes(name));
  const free = open.filter(({ needsKey }) => !needsKey);
  const able = named.length > 0 ? named : free.length > 0 ? free : open;
  const [first] = able;
  if (first === undefined) throw unavailable(product.name, channel, all.length > 0);
  if (wanted.depth === undefined) return { stream: first, depth: first.depths[0]?.levels ?? 0 };
  const options = able.flatMap((stream) =>
    stream.depths.length === 0
      ? [{ stream, depth: 0, reach: Number.POSITIVE_INFINITY }]
      : stream.depths.map(({ levels }) => ({ stream, depth: levels, reach: levels })),
  );
  const least = wanted.depth;
  const enough = options.filter(({ reach }) => reach >= least);
  const best =
    enough.length > 0
      ? enough.reduce((a, b) => (b.reach < a.reach ? b : a))
      : options.reduce((a, b) => (b.reach > a.reach ? b : a));
  return { stream: best.stream, depth: best.depth };
}

function isOpen({ needsKey }: StreamFacts, { hasKey }: Wanted): boolean {
  return !needsKey || hasKey;
}

function unavailable(product: string, channel: Channel, isForKeys: boolean): DepthwireError {
  return isForKeys
    ? new DepthwireError('live.needs_key', {
        what: 'the venue tells this to those who have a key',
        where: `${product} ${channel}`,
        expected: 'the keys of an account',
        got: 'none',
        fix: 'Name the key of an account in the configuration of the source, or leave the channel out.',
      })
    : new DepthwireError('live.not_offered', {
        what: 'the venue does not offer this channel',
        where: `${product} ${channel}`,
        expected: 'a channel that depthwire venues lists for it',
        got: channel,
        fix: 'Leave the channel out.',
      });
}
