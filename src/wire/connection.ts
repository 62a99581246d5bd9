import { type AfterClose, meaningOf } from './close-codes.js';
import { ClientError, CloseError, type FeedError } from './errors.js';
import type { Backoff } from './resync.js';
import { type FeedSocket, openSocket, SUBPROTOCOL } from './socket.js';
import { type Token, TokenSource } from './token.js';

const OPEN_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;
/** The least pause where the server says that it has too much to do. */
const LATER_MS = 10_000;
/** Intervals of pings or of the server's heartbeats in which nothing at all arrives before the server is left. */
const SILENT_INTERVALS_MAX = 2;
/** The longest pause that a server may ask for before the next attempt. */
const WINDOW_MS_MAX = 600_000;
/** Pings soon after opening: while a page loads the first ones are slow, and the clock offset needs a fast one. */
const FIRST_BEATS_MS = [100, 250, 500, 1000];
/** The client closes with this code when the server breaks the protocol or falls silent. */
const CLOSE_PROTOCOL = 4000;
/**
 * `connecting`: the first or another attempt is under way. `open`: the server has greeted, subscriptions are live. `waiting`: the connection
 * is lost and will be tried again. `closed`: it is over; `Feed.error` says why, if by an error.
 */
export type FeedState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface ConnectionOptions {
  /** Pauses between attempts, jittered to 50–100 %. `false`: one attempt only. */
  readonly reconnect: Backoff | false;
  readonly pingIntervalMs: number;
  readonly token: Token | undefined;
}

export interface ConnectionEvents {
  /** The state is another one. */
  state(state: FeedState): void;
  text(text: string): void;
  /** The bytes are valid until the callback returns. */
  bytes(bytes: Uint8Array): void;
  /** It is open and it is time to send a ping: at once, then in each interval. */
  beat(): void;
  /** It was lost or could not be opened. Another attempt follows unless the state is `closed`. */
  lost(error: FeedError): void;
}

/** Keeps one connection open: opens it, notices its silence, opens it again with growing pauses. */
export class Connection {
  state: FeedState = 'connecting';
  /** Attempts after the first one. */
  reconnects = 0;
  /** Resolves when it is closed for good and the socket is gone. */
  readonly gone: Promise<void>;

  private readonly url: string;
  private readonly options: ConnectionOptions;
  private readonly events: ConnectionEvents;
  private resolveGone: () => void = () => {};
  private socket: FeedSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private beats: ReturnType<typeof setInterval> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private firstBeats: readonly ReturnType<typeof setTimeout>[] = [];
  private attemptsInRow = 0;
  private openedMs = 0;
  private silentIntervals = 0;
  private readonly token: TokenSource | undefined;
  /** Within how long the server wants its clients back; undefined = it has not said. */
  private windowMs: number | undefined;

  constructor(url: string, options: ConnectionOptions, events: ConnectionEvents) {
    this.url = url;
    this.options = options;
    this.events = events;
    this.token = options.token === undefined ? undefined : new TokenSource(options.token);
    this.gone = new Promise((resolve) => {
      this.resolveGone = resolve;
    });
  }

  /** Starts an attempt. */
  open(): void {
    const { token } = this;
    const socket = openSocket(this.url, token && (() => token.ask()), {
      // It is of use once the server has greeted, which is at once.
      open: () => {},
      text: (text) => {
        this.silentIntervals = 0;
        this.events.text(text);
      },
      bytes: (bytes) => {
        this.silentIntervals = 0;
        this.events.bytes(bytes);
      },
      close: (code, reason, failure, cause) => this.lost(code, reason, failure, cause),
    });
    this.socket = socket;
    this.timer = setTimeout(() => socket.abandon(CLOSE_PROTOCOL, 'no answer'), OPEN_TIMEOUT_MS);
  }

  /** The token that the next attempt would show; undefined = none. */
  askToken(): Promise<string | undefined> {
    return this.token?.ask() ?? Promise.resolve(undefined);
  }

  /** The server has greeted, and says how often it will be heard; 0 = it does not say. */
  greeted(heartbeatMs: number): void {
    if (this.state !== 'connecting') return;
    clearTimeout(this.timer);
    this.openedMs = performance.now();
    this.silentIntervals = 0;
    this.windowMs = undefined;
    const { pingIntervalMs } = this.options;
    this.firstBeats = FIRST_BEATS_MS.map((ms) => setTimeout(() => this.events.beat(), ms));
    this.beats = setInterval(() => this.events.beat(), pingIntervalMs);
    // Intervals are counted, so that a process that was suspended is not taken for a silent server.
    this.watch = setInterval(
      () => {
        this.silentIntervals += 1;
        if (this.silentIntervals > SILENT_INTERVALS_MAX) this.breakOff('silent');
      },
      Math.min(pingIntervalMs, heartbeatMs || Infinity),
    );
    this.setState('open');
    this.events.beat();
  }

  /** The server is about to end and wants its clients back at any time within so many ms. */
  spreadOver(windowMs: number): void {
    this.windowMs = Math.min(windowMs, WINDOW_MS_MAX);
  }

  /** Sends a text if the connection is open. */
  send(text: string): void {
    this.socket?.send(text);
  }

  /** Leaves this socket, because what it brings cannot be trusted; another attempt follows. */
  breakOff(reason: string): void {
    this.socket?.abandon(CLOSE_PROTOCOL, reason);
  }

  /** Ends it for good. */
  close(): void {
    if (this.state === 'closed') return;
    clearTimeout(this.timer);
    this.stopBeats();
    this.state = 'closed';
    const socket = this.socket;
    if (socket) {
      this.timer = setTimeout(() => socket.abandon(1000, ''), CLOSE_TIMEOUT_MS);
      socket.close(1000, '');
    } else {
      this.resolveGone();
    }
    this.events.state('closed');
  }

  /** The socket is gone, or never was. */
  private lost(code: number, reason: string, failure: string, cause: unknown): void {
    clearTimeout(this.timer);
    this.stopBeats();
    this.socket = undefined;
    if (this.state === 'closed') {
      this.resolveGone();
      return;
    }
    const { reconnect } = this.options;
    const wasOpen = this.state === 'open';
    const meaning = meaningOf(code, wasOpen, failure);
    if (meaning.after === 'token') this.token?.refuse();
    const isRefusedToken = cause instanceof ClientError && cause.code !== 'client.token_failed';
    const isFinal =
      meaning.after === 'end' || (meaning.after === 'token' && !this.token?.canRenew) || isRefusedToken;
    const reconnects = reconnect !== false && !isFinal;
    const error =
      cause instanceof ClientError
        ? cause
        : new CloseError({
            code: meaning.code,
            what: meaning.what,
            where: this.url,
            expected: `an open ${SUBPROTOCOL} feed`,
            got: [`close code ${code}`, reason, failure].filter(Boolean).join(', '),
            fix: meaning.fix,
            closeCode: code,
            reconnects,
          });
    if (reconnect === false || isFinal) {
      this.state = 'closed';
      this.resolveGone();
      this.events.lost(error);
      this.events.state('closed');
      return;
    }
    // A connection that has held is no part of the row of failures.
    if (wasOpen && performance.now() - this.openedMs > reconnect.delayMsMax) this.attemptsInRow = 0;
    const pauseMs = this.pauseMs(reconnect, meaning.after);
    this.attemptsInRow += 1;
    this.timer = setTimeout(() => this.openAgain(), pauseMs);
    this.state = 'waiting';
    this.events.lost(error);
    if (this.state === 'waiting') this.events.state('waiting');
  }

  /** How long to wait before the next attempt, jittered. */
  private pauseMs({ delayMs, delayMsMax }: Backoff, after: AfterClose): number {
    const { windowMs } = this;
    this.windowMs = undefined;
    // All clients of a server that stops are told the same: they spread over all of its window.
    if (windowMs !== undefined) return windowMs * Math.random();
    const usual = Math.min(delayMsMax, delayMs * 2 ** Math.min(this.attemptsInRow, 16));
    const least = after === 'later' ? LATER_MS : after === 'rested' ? LATER_MS / 2 : 0;
    return Math.max(usual, least) * (0.5 + Math.random() / 2);
  }

  private stopBeats(): void {
    clearInterval(this.beats);
    clearInterval(this.watch);
    for (const beat of this.firstBeats) clearTimeout(beat);
  }

  private openAgain(): void {
    this.reconnects += 1;
    this.setState('connecting');
    if (this.state === 'connecting') this.open();
  }

  private setState(state: FeedState): void {
    this.state = state;
    this.events.state(state);
  }
}
