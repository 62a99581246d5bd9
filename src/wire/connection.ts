import { ServerError } from './errors.js';
import type { Backoff } from './resync.js';
import { type FeedSocket, openSocket, SUBPROTOCOL } from './socket.js';

const OPEN_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;
/** Intervals in which nothing at all arrives before the server is left. */
const SILENT_INTERVALS_MAX = 2;
/** Pings soon after opening: while a page loads the first ones are slow, and the clock offset needs a fast one. */
const FIRST_BEATS_MS = [100, 250, 500, 1000];
/** The client closes with this code when the server breaks the protocol or falls silent. */
const CLOSE_PROTOCOL = 4000;
/** Close codes after which the same connection would be refused again. */
const FINAL_CLOSE_CODES: ReadonlySet<number> = new Set([1008, 4400, 4401, 4403]);

/**
 * `connecting`: the first or another attempt is under way. `open`: subscriptions are live. `waiting`: the connection
 * is lost and will be tried again. `closed`: it is over; `Feed.error` says why, if by an error.
 */
export type FeedState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface ConnectionOptions {
  /** Pauses between attempts, jittered to 50–100 %. `false`: one attempt only. */
  readonly reconnect: Backoff | false;
  readonly pingIntervalMs: number;
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
  lost(error: ServerError): void;
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
  private firstBeats: readonly ReturnType<typeof setTimeout>[] = [];
  private attemptsInRow = 0;
  private openedMs = 0;
  private silentIntervals = 0;

  constructor(url: string, options: ConnectionOptions, events: ConnectionEvents) {
    this.url = url;
    this.options = options;
    this.events = events;
    this.gone = new Promise((resolve) => {
      this.resolveGone = resolve;
    });
  }

  /** Starts an attempt. */
  open(): void {
    const socket = openSocket(this.url, {
      open: () => this.opened(),
      text: (text) => {
        this.silentIntervals = 0;
        this.events.text(text);
      },
      bytes: (bytes) => {
        this.silentIntervals = 0;
        this.events.bytes(bytes);
      },
      close: (code, reason, failure) => this.lost(code, reason, failure),
    });
    this.socket = socket;
    this.timer = setTimeout(() => socket.abandon(CLOSE_PROTOCOL, 'no answer'), OPEN_TIMEOUT_MS);
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

  private opened(): void {
    clearTimeout(this.timer);
    this.openedMs = performance.now();
    this.silentIntervals = 0;
    this.setState('open');
    this.events.beat();
    this.firstBeats = FIRST_BEATS_MS.map((ms) => setTimeout(() => this.events.beat(), ms));
    this.beats = setInterval(() => {
      this.silentIntervals += 1;
      if (this.silentIntervals > SILENT_INTERVALS_MAX) this.breakOff('silent');
      else this.events.beat();
    }, this.options.pingIntervalMs);
  }

  /** The socket is gone, or never was. */
  private lost(code: number, reason: string, failure: string): void {
    clearTimeout(this.timer);
    this.stopBeats();
    this.socket = undefined;
    if (this.state === 'closed') {
      this.resolveGone();
      return;
    }
    const { reconnect } = this.options;
    const wasOpen = this.state === 'open';
    const isFinal = FINAL_CLOSE_CODES.has(code);
    const error = new ServerError({
      code: wasOpen ? 'feed.disconnected' : 'feed.connect_failed',
      what: wasOpen ? 'the connection was lost' : 'the connection could not be opened',
      where: this.url,
      expected: `an open ${SUBPROTOCOL} feed`,
      got: [`close code ${code}`, reason, failure].filter(Boolean).join(', '),
      fix: isFinal
        ? 'see the reason: the server will not accept this again'
        : 'check that the server runs and answers',
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
    const pauseMs = Math.min(reconnect.delayMsMax, reconnect.delayMs * 2 ** Math.min(this.attemptsInRow, 16));
    this.attemptsInRow += 1;
    this.timer = setTimeout(() => this.openAgain(), pauseMs * (0.5 + Math.random() / 2));
    this.state = 'waiting';
    this.events.lost(error);
    if (this.state === 'waiting') this.events.state('waiting');
  }

  private stopBeats(): void {
    clearInterval(this.beats);
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
