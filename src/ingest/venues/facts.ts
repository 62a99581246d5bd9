/** What the messages of a socket are about. */
export type Channel = 'book' | 'bbo' | 'trades' | 'ticker' | 'orders' | 'liquidations' | 'status';

/** A socket of a venue. Texts have their parts in braces: `{symbol}`, `{stream}`, `{id}`, `{depth}`, `{token}`. */
export interface SocketFacts {
  /** The core's name of what it carries. */
  readonly name: string;
  readonly url: string;
  readonly channels: readonly Channel[];
  /** What is sent to subscribe and to unsubscribe. */
  readonly subscribe: string;
  readonly unsubscribe: string;
  /** Whether a subscription needs the key of an account. */
  readonly needsKey: boolean;
  readonly beat: Beat;
  readonly limits: SocketLimits;
}

/** What keeps a connection alive. */
export interface Beat {
  /** Who begins: the venue (a ping frame, a heartbeat message), or we. */
  readonly from: 'venue' | 'us';
  /** How often. */
  readonly everyMs: number;
  /** Without a sign of the other side for so long the connection is dead. */
  readonly deadMs: number;
}

/** What a connection may do; null where the venue publishes no number. */
export interface SocketLimits {
  readonly subscriptionsMax: number | null;
  readonly messagesPerSecondMax: number | null;
  /** New connections of one address in a window. */
  readonly connects: { readonly max: number; readonly windowMs: number } | null;
  /** After which the venue ends it. */
  readonly lifeMs: number | null;
}

/** Where a book's snapshot is asked for. */
export interface SnapshotFacts {
  /** The core's name of what it is of. */
  readonly name: string;
  /** With `{symbol}` and `{levels}`. */
  readonly url: string;
  /** What an answer of so many levels at most costs, fewest levels first. */
  readonly weights: readonly { readonly levelsMax: number; readonly weight: number }[];
  readonly budget: { readonly weightMax: number; readonly windowMs: number };
  /** The header of an answer that tells what is used of the budget. */
  readonly usedHeader: string;
}

/** What a connector must know of a venue: facts, no logic. */
export interface VenueFacts {
  /** The core's names that the facts are of. */
  readonly names: readonly string[];
  /** Where they were read. */
  readonly sources: readonly string[];
  /** How it is heard: over sockets, from recordings and captures only, or as the venue embedded in the process. */
  readonly heard: 'sockets' | 'recordings' | 'embedded';
  readonly sockets: readonly SocketFacts[];
  /** Empty where books come in the stream. */
  readonly snapshots: readonly SnapshotFacts[];
}
