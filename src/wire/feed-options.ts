import type { FeedState } from './connection.js';
import type { Hello } from './control.js';
import type { FeedError } from './errors.js';
import type { Backoff } from './resync.js';
import type { Token } from './token.js';

/** Subscriptions of one feed, granted or not. */
export const SUBSCRIPTIONS_MAX = 16_384;

/** Pauses that grow between requests for an image, where none are given. */
export const RESYNC: Backoff = { delayMs: 250, delayMsMax: 10_000 };
/** Pauses between attempts to connect, where none are given: a server that is back has its clients back within a second. */
export const RECONNECT: Backoff = { delayMs: 250, delayMsMax: 1_000 };
/** Time between pings, where none is given. */
export const PING_INTERVAL_MS = 2_000;

/** What a feed may be given. */
export interface ConnectOptions {
  /** Ends the feed and all its subscriptions. */
  readonly signal?: AbortSignal;
  /** Pauses between attempts, jittered to 50–100 %; default 250 ms doubling to 1 s. `false`: one attempt only. */
  readonly reconnect?: Backoff | false;
  /** Pauses between requests for an image; default 250 ms doubling to 10 s. */
  readonly resync?: Backoff;
  /**
   * Time between pings; default 2,000 ms. A server that sends nothing at all for three of them, or for three of its own
   * heartbeats, is left.
   */
  readonly pingIntervalMs?: number;
  /**
   * What the server knows this client by; a function is asked before each attempt, and again when the server refuses
   * the last one or lets it expire; undefined is none. It goes as `Authorization` header in Node and as second subprotocol
   * in browsers.
   */
  readonly token?: Token;
}

/** Counts since the feed was made. */
export interface FeedCounters {
  readonly messages: number;
  readonly bytes: number;
  readonly frames: number;
  readonly gaps: number;
  /** Checksums compared: of images and of check frames. */
  readonly checks: number;
  readonly checkFailures: number;
  /** Images asked for. */
  readonly resyncs: number;
  readonly reconnects: number;
  /** How often the server has held back changes because this reader was slow. */
  readonly fellBehind: number;
}

/** What a feed reports to callbacks. */
export interface FeedEvents {
  state: FeedState;
  /** Every error, those of subscriptions included. */
  error: FeedError;
  /** The server's greeting, after each connect. */
  hello: Hello;
  /** The server is about to close, and why. */
  shutdown: string;
}
