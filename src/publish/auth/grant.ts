/** What a client may subscribe to, by the protocol's words. */
export const CHANNEL_NAMES = [
  'book',
  'depth',
  'bbo',
  'trades',
  'orders',
  'ticker',
  'liquidations',
  'status',
  'trading',
  'signals',
  'volumes',
  'costs',
] as const;

export type ChannelName = (typeof CHANNEL_NAMES)[number];

/** A view of a book as it would be sent: levels a side, and the least time between two frames. */
export interface GrantedView {
  readonly depth: number;
  readonly intervalMs: number;
}

/** What one client may have, decided once when it connects. Nothing of it changes while the connection lasts. */
export interface Grant {
  /** Who it is, as the token says; empty where nobody was asked. */
  readonly subject: string;
  /** When the connection is to be closed with 4401, on the scale of `Date.now()`; `Infinity` = never. */
  readonly expiresAtMs: number;
  /** Subscriptions of one connection, beside the server's own limit; `Infinity` = that one alone. */
  readonly subscriptionsMax: number;
  /** Connections of this subject at a time; `Infinity` = as many as the server takes. */
  readonly connectionsMax: number;
  /** Whether it may see how the server and all its clients do: metrics, sources, the whole of `/health`. */
  readonly operations: boolean;
  /** Whether there is anything of the feed that it allows. */
  readonly holdsFeed: boolean;
  /** What it allows, in one line for the client's own errors. */
  readonly terms: string;
  /**
   * Whether it may have a channel of an instrument, by the name under which the instrument is served. `view` says what would
   * be sent of `depth`; without it the answer is whether there is any view that it may have.
   */
  allows(channel: ChannelName, instrument: string, view?: GrantedView): boolean;
  /** Whether it may have any channel of an instrument, and so may know that there is one. */
  sees(instrument: string): boolean;
}

/** The grant of a server that asks for no token. */
export const EVERYTHING: Grant = {
  subject: '',
  expiresAtMs: Number.POSITIVE_INFINITY,
  subscriptionsMax: Number.POSITIVE_INFINITY,
  connectionsMax: Number.POSITIVE_INFINITY,
  operations: true,
  holdsFeed: true,
  terms: 'everything',
  allows: () => true,
  sees: () => true,
};
