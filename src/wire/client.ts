import { type BookOptions, BookSubscription } from './book-subscription.js';
import { Connection, type FeedState } from './connection.js';
import { type BboSource, type ControlMessage, type Hello, parseControl, type Topic } from './control.js';
import { ClientError, FeedError } from './errors.js';
import { FrameReader } from './frame.js';
import { LatencyMeter, type LatencySummary } from './latency.js';
import { Listeners } from './listeners.js';
import { Kind, Stream } from './protocol.js';
import type { Backoff } from './resync.js';
import { StatusSubscription } from './status-subscription.js';
import type { AnySubscription, Host, SubscriptionOptions } from './subscription.js';
import type { Token } from './token.js';
import { type TradesOptions, TradesSubscription } from './trades-subscription.js';

/** Subscriptions of one feed, granted or not. */
const SUBSCRIPTIONS_MAX = 1024;
const BACKOFF: Backoff = { delayMs: 250, delayMsMax: 10_000 };
const PING_INTERVAL_MS = 2_000;

export interface ConnectOptions {
  /** Ends the feed and all its subscriptions. */
  readonly signal?: AbortSignal;
  /** Pauses between attempts, jittered to 50–100 %; default 250 ms doubling to 10 s. `false`: one attempt only. */
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
   * the last one or lets it expire. It goes as `Authorization` header in Node and as second subprotocol in browsers.
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
}

export interface FeedEvents {
  state: FeedState;
  /** Every error, those of subscriptions included. */
  error: FeedError;
  /** The server's greeting, after each connect. */
  hello: Hello;
  /** The server is about to close, and why. */
  shutdown: string;
}

/**
 * Connects to a feed, in Node and in browsers. Subscriptions may be made at once. Throws `client.bad_url`.
 *
 * Where no server answers it tries again without end, and loops over subscriptions wait: only the `error` and `state`
 * events, or `reconnect: false`, tell of that. End it by `close()`, `await using` or the signal.
 */
export function connect(url: string, options: ConnectOptions = {}): Feed {
  return new Feed(url, options);
}

/** A connection to a server that is kept up by itself, and its subscriptions. */
export class Feed implements AsyncDisposable {
  readonly url: string;
  /** Why the feed is closed, if by an error. */
  error: FeedError | undefined;

  private readonly resync: Backoff;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = (): void => this.finish();
  private readonly connection: Connection;
  private readonly listeners = new Listeners<FeedEvents>((thrown) => this.callbackFailed(thrown));
  private readonly reader = new FrameReader();
  private readonly meter = new LatencyMeter();
  private readonly subscriptions = new Map<string, AnySubscription>();
  /** Granted subscriptions by the instrument's number. The arrays are replaced, never changed. */
  private readonly routes = new Map<number, readonly AnySubscription[]>();
  private readonly requests = new Map<
    number,
    { readonly op: string; readonly subscription: AnySubscription }
  >();
  private readonly counts = {
    messages: 0,
    bytes: 0,
    frames: 0,
    gaps: 0,
    checks: 0,
    checkFailures: 0,
    resyncs: 0,
  };
  private lastId = 0;
  private ping: { readonly id: number; readonly sentMs: number } | undefined;
  private reportingFailure = false;

  private readonly host: Host = {
    request: (op, subscription) => this.request(op, subscription),
    ended: (subscription) => this.forget(subscription),
    count: (what) => {
      this.counts[what] += 1;
    },
    report: (error) => {
      // The end of the feed is reported once, not for each subscription that it ends.
      if (error !== this.error) this.listeners.emit('error', error);
    },
    callbackFailed: (thrown) => this.callbackFailed(thrown),
  };

  /** @internal */
  constructor(url: string, options: ConnectOptions) {
    this.url = checkedUrl(url);
    this.resync = options.resync ?? BACKOFF;
    this.signal = options.signal;
    const { reconnect = BACKOFF, pingIntervalMs = PING_INTERVAL_MS } = options;
    this.connection = new Connection(
      url,
      { reconnect, pingIntervalMs, token: options.token },
      {
        state: (state) => this.stateChanged(state),
        text: (text) => this.takeText(text),
        bytes: (bytes) => this.takeMessage(bytes),
        beat: () => this.sendPing(),
        lost: (error) => this.lost(error),
      },
    );
    this.signal?.addEventListener('abort', this.onAbort, { once: true });
    if (this.signal?.aborted) this.finish();
    else this.connection.open();
  }

  get state(): FeedState {
    return this.connection.state;
  }

  get counters(): FeedCounters {
    return { ...this.counts, reconnects: this.connection.reconnects };
  }

  /** Latency of deltas, tops of book and trades; undefined before the first ping is answered. */
  get latency(): LatencySummary | undefined {
    return this.meter.summary();
  }

  /** Calls back on an event until the returned function is called. */
  on<Name extends keyof FeedEvents>(event: Name, callback: (value: FeedEvents[Name]) => void): () => void {
    return this.listeners.on(event, callback);
  }

  /** The full book. */
  book(instrument: string, options: BookOptions = {}): BookSubscription {
    return this.addBook({ channel: 'book', instrument }, options);
  }

  /** The best `depth` levels a side (default 20), at most every `intervalMs` (default 100; 0 = every change). */
  depth(
    instrument: string,
    options: BookOptions & { readonly depth?: number; readonly intervalMs?: number } = {},
  ): BookSubscription {
    const { depth = 20, intervalMs = 100 } = options;
    return this.addBook({ channel: 'depth', instrument, depth, intervalMs }, options);
  }

  /** The best bid and ask, of the engine's book or of the venue's own message. */
  bbo(instrument: string, options: BookOptions & { readonly source?: BboSource } = {}): BookSubscription {
    return this.addBook({ channel: 'bbo', instrument, source: options.source ?? 'book' }, options);
  }

  trades(instrument: string, options: TradesOptions = {}): TradesSubscription {
    return this.add(new TradesSubscription(this.host, { channel: 'trades', instrument }, options), options);
  }

  status(instrument: string, options: SubscriptionOptions = {}): StatusSubscription {
    return this.add(new StatusSubscription(this.host, { channel: 'status', instrument }, options), options);
  }

  /** Ends all subscriptions and the connection; resolves when it is closed, after 1 s at the latest. */
  close(): Promise<void> {
    this.finish();
    return this.connection.gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private addBook(topic: Topic, options: BookOptions): BookSubscription {
    return this.add(new BookSubscription(this.host, topic, options, this.resync), options);
  }

  private add<Kept extends { readonly topic: Topic }>(kept: Kept, options: SubscriptionOptions): Kept {
    const subscription = kept as unknown as AnySubscription;
    if (this.state === 'closed' || options.signal?.aborted) {
      subscription.stop();
      return kept;
    }
    const name = subscription.label();
    const isKnown = this.subscriptions.has(name);
    if (isKnown || this.subscriptions.size >= SUBSCRIPTIONS_MAX) {
      subscription.stop();
      throw isKnown ? duplicate(name) : tooMany(name);
    }
    this.subscriptions.set(name, subscription);
    if (this.state === 'open') this.send('subscribe', subscription);
    return kept;
  }

  private stateChanged(state: FeedState): void {
    if (state === 'open') {
      for (const subscription of this.subscriptions.values()) this.send('subscribe', subscription);
    } else if (state === 'closed') {
      this.signal?.removeEventListener('abort', this.onAbort);
      for (const subscription of [...this.subscriptions.values()]) {
        if (this.error) subscription.fail(this.error);
        else subscription.stop();
      }
    }
    this.listeners.emit('state', state);
  }

  private lost(error: FeedError): void {
    this.requests.clear();
    this.routes.clear();
    this.ping = undefined;
    this.meter.reset();
    for (const subscription of this.subscriptions.values()) subscription.lose();
    this.listeners.emit('error', error);
    if (this.state === 'closed') this.error = error;
  }

  private finish(): void {
    this.connection.close();
  }

  private takeMessage(bytes: Uint8Array): void {
    const arrivedMs = now();
    const { reader, counts } = this;
    counts.messages += 1;
    counts.bytes += bytes.byteLength;
    reader.reset(bytes);
    try {
      // A callback may close the feed in the middle of a message.
      while (this.state === 'open' && reader.next()) this.takeFrame(reader, arrivedMs);
    } catch (error) {
      this.breakOff(error);
    }
  }

  private takeFrame(frame: FrameReader, arrivedMs: number): void {
    const { kind, stream } = frame;
    this.counts.frames += 1;
    if (kind === Kind.delta || kind === Kind.bbo || kind === Kind.trade) {
      const sentMs = frame.tsSendMs;
      if (sentMs > 0) this.meter.record(sentMs, arrivedMs);
    }
    const routed = this.routes.get(frame.instrument);
    if (routed === undefined) return;
    for (const subscription of routed) {
      if (stream === subscription.granted?.stream || stream === Stream.status) subscription.receive(frame);
    }
  }

  private takeText(text: string): void {
    this.counts.messages += 1;
    this.counts.bytes += text.length;
    try {
      this.takeControl(parseControl(text));
    } catch (error) {
      this.breakOff(error);
    }
  }

  private takeControl(message: ControlMessage): void {
    switch (message.op) {
      case 'hello':
        this.connection.greeted(message.heartbeatMs);
        this.listeners.emit('hello', message);
        break;
      case 'subscribed': {
        const subscription = this.requests.get(message.id)?.subscription;
        this.requests.delete(message.id);
        if (subscription === undefined) break;
        subscription.grant(message);
        const routed = this.routes.get(message.instrumentId) ?? [];
        this.routes.set(message.instrumentId, [
          ...routed.filter((other) => other !== subscription),
          subscription,
        ]);
        break;
      }
      case 'pong':
        if (message.id === this.ping?.id) {
          this.meter.pinged(this.ping.sentMs, now(), message.serverMs);
          this.ping = undefined;
        }
        break;
      case 'error': {
        const request = message.id === undefined ? undefined : this.requests.get(message.id);
        if (message.id !== undefined) this.requests.delete(message.id);
        if (request?.op === 'subscribe') {
          // The server does not hold it, so its end is no news to the server.
          this.forget(request.subscription);
          request.subscription.fail(message.error);
        } else if (request) request.subscription.report(message.error);
        else this.listeners.emit('error', message.error);
        break;
      }
      case 'shutdown':
        if (message.reconnectMs !== undefined) this.connection.spreadOver(message.reconnectMs);
        this.listeners.emit('shutdown', message.reason);
        break;
      case 'heartbeat':
      case 'unsubscribed':
      case 'unknown':
        break;
    }
  }

  /** What the server sends cannot be trusted any more: a lost frame would go unnoticed. */
  private breakOff(error: unknown): void {
    if (!(error instanceof FeedError)) throw error;
    this.listeners.emit('error', error);
    this.connection.breakOff(error.code);
  }

  private request(op: 'resync' | 'unsubscribe', subscription: AnySubscription): void {
    if (this.state !== 'open' || this.subscriptions.get(subscription.label()) !== subscription) return;
    if (op === 'resync') this.counts.resyncs += 1;
    this.send(op, subscription);
  }

  private send(op: 'subscribe' | 'unsubscribe' | 'resync', subscription: AnySubscription): void {
    this.lastId += 1;
    if (op === 'resync') this.dropRequests(subscription);
    if (op !== 'unsubscribe') this.requests.set(this.lastId, { op, subscription });
    this.connection.send(JSON.stringify({ op, id: this.lastId, ...subscription.topic }));
  }

  private sendPing(): void {
    this.lastId += 1;
    this.ping = { id: this.lastId, sentMs: now() };
    this.connection.send(JSON.stringify({ op: 'ping', id: this.lastId }));
  }

  /** Takes an ended subscription out of everything. */
  private forget(subscription: AnySubscription): void {
    const name = subscription.label();
    if (this.subscriptions.get(name) !== subscription) return;
    this.subscriptions.delete(name);
    this.dropRequests(subscription);
    const instrumentId = subscription.granted?.instrumentId;
    if (instrumentId === undefined) return;
    const rest = (this.routes.get(instrumentId) ?? []).filter((other) => other !== subscription);
    if (rest.length > 0) this.routes.set(instrumentId, rest);
    else this.routes.delete(instrumentId);
  }

  /** Requests that only an error would answer must not pile up. */
  private dropRequests(subscription: AnySubscription): void {
    for (const [id, request] of this.requests) {
      if (request.subscription === subscription) this.requests.delete(id);
    }
  }

  /** A callback of the user threw. It must not stop the feed, and must not vanish. */
  private callbackFailed(thrown: unknown): void {
    const error = misuse('client.callback_failed', 'a callback threw', this.url, 'no throw', String(thrown), {
      fix: 'catch inside the callback; the feed goes on',
      cause: thrown,
    });
    if (this.listeners.has('error') && !this.reportingFailure) {
      this.reportingFailure = true;
      this.listeners.emit('error', error);
      this.reportingFailure = false;
    } else {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Ms since the Unix epoch, finer than Date.now and without its steps. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function checkedUrl(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : 'none';
  if (protocol === 'ws:' || protocol === 'wss:') return url;
  throw misuse('client.bad_url', 'this is no feed address', 'connect', 'ws://host/v1/feed or wss://…', url, {
    fix: 'pass the address that the server prints',
  });
}

function duplicate(name: string): ClientError {
  return misuse(
    'client.duplicate_subscription',
    'this is subscribed already',
    name,
    'one of each',
    'another',
    {
      fix: 'use the subscription that exists: it takes any number of loops and callbacks',
    },
  );
}

function tooMany(name: string): ClientError {
  return misuse(
    'client.subscriptions_limit',
    'too many subscriptions',
    name,
    `${SUBSCRIPTIONS_MAX}`,
    'one more',
    {
      fix: 'close some, or open another feed',
    },
  );
}

function misuse(
  code: string,
  what: string,
  where: string,
  expected: string,
  got: string,
  rest: { readonly fix: string; readonly cause?: unknown },
): ClientError {
  return new ClientError({ code, what, where, expected, got, ...rest });
}
