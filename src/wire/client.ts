import {
  type BboOptions,
  type BookOptions,
  type BookSubscription,
  bbo,
  book,
  type DepthOptions,
  depth,
} from './book-subscription.js';
import type { Channel } from './channel.js';
import { Connection, type FeedState } from './connection.js';
import { type ControlMessage, parseControl, type Topic } from './control.js';
import { FeedError } from './errors.js';
import {
  type ConnectOptions,
  type FeedCounters,
  type FeedEvents,
  PING_INTERVAL_MS,
  RECONNECT,
  RESYNC,
  SUBSCRIPTIONS_MAX,
} from './feed-options.js';
import { FrameReader } from './frame.js';
import { type GroupHost, isPattern, SubscriptionGroup } from './group.js';
import { type Instrument, readInstruments } from './instruments.js';
import { LatencyMeter, type LatencySummary } from './latency.js';
import { Listeners } from './listeners.js';
import { feedAddress, httpAddress, misuse, notChannel, notOne, otherwise, tooMany } from './misuse.js';
import { Flag, Kind, Stream } from './protocol.js';
import type { Backoff } from './resync.js';
import { Roster } from './roster.js';
import { type AnySubscription, type Host, labelOf, type SubscriptionOptions } from './subscription.js';

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
  /** What its signal was aborted with, if that closed it. */
  abortReason: unknown;

  private readonly resync: Backoff;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = (): void => {
    this.abortReason = this.signal?.reason;
    this.finish();
  };
  private readonly connection: Connection;
  private readonly listeners = new Listeners<FeedEvents>((thrown) => this.callbackFailed(thrown));
  private readonly reader = new FrameReader();
  private readonly meter = new LatencyMeter();
  private readonly roster: Roster;
  private readonly counts = {
    messages: 0,
    bytes: 0,
    frames: 0,
    gaps: 0,
    checks: 0,
    checkFailures: 0,
    resyncs: 0,
    fellBehind: 0,
  };
  private lastId = 0;
  private ping: { readonly id: number; readonly sentMs: number } | undefined;
  private reportingFailure = false;

  private readonly host: Host = {
    resync: (subscription) => {
      if (this.roster.resync(subscription)) this.counts.resyncs += 1;
    },
    ended: (subscription) => this.roster.leave(subscription),
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
    this.url = feedAddress(url);
    this.resync = options.resync ?? RESYNC;
    this.signal = options.signal;
    const { reconnect = RECONNECT, pingIntervalMs = PING_INTERVAL_MS } = options;
    this.roster = new Roster({
      send: (text) => this.connection.send(text),
      nextId: () => this.nextId(),
      report: (error) => this.listeners.emit('error', error),
      fellBehind: () => {
        this.counts.fellBehind += 1;
      },
    });
    this.connection = new Connection(
      this.url,
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
    if (this.signal?.aborted) this.onAbort();
    else this.connection.open();
  }

  /** How it stands with the connection. */
  get state(): FeedState {
    return this.connection.state;
  }

  /** What has been counted since the feed was made, a copy. */
  get counters(): FeedCounters {
    return { ...this.counts, reconnects: this.connection.reconnects };
  }

  /** Latency of deltas, tops of book and trades that are no replay; undefined before one has come after an answered ping. */
  get latency(): LatencySummary | undefined {
    return this.meter.summary(now());
  }

  /** Calls back on an event until the returned function is called. */
  on<Name extends keyof FeedEvents>(event: Name, callback: (value: FeedEvents[Name]) => void): () => void {
    return this.listeners.on(event, callback);
  }

  /** What the server carries, by HTTP. Rejects with a `ServerError` where it does not answer. */
  async instruments(): Promise<readonly Instrument[]> {
    return readInstruments(
      httpAddress(this.url, '/v1/instruments'),
      await this.connection.askToken(),
      this.signal,
    );
  }

  /** The full book. */
  book(instrument: string, options: BookOptions = {}): BookSubscription {
    return this.subscribe(book, instrument, options);
  }

  /** The best levels of a side, at most once an interval. */
  depth(instrument: string, options: DepthOptions = {}): BookSubscription {
    return this.subscribe(depth, instrument, options);
  }

  /** The best bid and ask, of the engine's book or of the venue's own message. */
  bbo(instrument: string, options: BboOptions = {}): BookSubscription {
    return this.subscribe(bbo, instrument, options);
  }

  /** The books of all instruments that fit, those that come later included. */
  books(
    instruments: string | readonly string[],
    options: BookOptions = {},
  ): SubscriptionGroup<BookSubscription> {
    return this.subscribeAll(book, instruments, options);
  }

  /** Any channel of an instrument: `channel.trades`, `channel.orders`, … */
  subscribe<Options extends SubscriptionOptions, Kept extends object>(
    channel: Channel<Options, Kept>,
    instrument: string,
    options: Options = {} as Options,
  ): Kept {
    const topic = { ...this.ask(channel, options), instrument };
    const known = this.roster.get(labelOf(topic));
    if (known !== undefined && !options.signal?.aborted) {
      if (!known.share(options)) throw otherwise(known.label());
      return known as object as Kept;
    }
    return this.add(new channel.Subscription(this.host, topic, options, this.resync), options.signal);
  }

  /**
   * A channel of all instruments that fit some names and patterns, where `*` stands for any text and `?` for one character,
   * as in `venue:BTC-*`: a subscription for each, as they come.
   */
  subscribeAll<Options extends SubscriptionOptions, Kept extends object>(
    channel: Channel<Options, Kept>,
    instruments: string | readonly string[],
    all: Options = {} as Options,
  ): SubscriptionGroup<Kept> {
    // The signal ends the group, and so each of its subscriptions once.
    const { signal, ...rest } = all;
    const options = rest as Options;
    const { mode } = all;
    const ask = { ...this.ask(channel, options), ...(mode === undefined ? {} : { mode }) };
    const names = typeof instruments === 'string' ? [instruments] : instruments;
    const groupHost: GroupHost<Kept> = {
      make: (topic) => {
        const kept = this.add(new channel.Subscription(this.host, topic, options, this.resync));
        (kept as object as AnySubscription).isGrouped = true;
        return kept;
      },
      ended: (members) => {
        signal?.removeEventListener('abort', onAbort);
        this.roster.leaveGroup(group as never, members);
      },
      report: (error) => this.host.report(error),
      callbackFailed: (thrown) => this.callbackFailed(thrown),
    };
    const group = new SubscriptionGroup(groupHost, ask, names);
    const onAbort = (): void => {
      group.abortReason = signal?.reason;
      group.stop();
    };
    if (signal?.aborted) onAbort();
    else if (this.state === 'closed') group.stop();
    else {
      this.roster.addGroup(group as never);
      signal?.addEventListener('abort', onAbort, { once: true });
    }
    return group;
  }

  /** Ends all subscriptions and the connection; resolves when it is closed, after 1 s at the latest. */
  close(): Promise<void> {
    this.finish();
    return this.connection.gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private ask<Options extends SubscriptionOptions>(
    channel: Channel<Options, unknown>,
    options: Options,
  ): Omit<Topic, 'instrument'> {
    // Programs without types may pass a name.
    if (typeof channel?.Subscription !== 'function') throw notChannel(channel);
    return { channel: channel.name, ...channel.ask?.(options) };
  }

  private add<Kept extends object>(kept: Kept, signal?: AbortSignal): Kept {
    const subscription = kept as object as AnySubscription;
    if (this.state === 'closed' || signal?.aborted) {
      subscription.abortReason = signal?.aborted ? signal.reason : this.abortReason;
      subscription.stop();
      return kept;
    }
    const isMany = isPattern(subscription.topic.instrument);
    if (isMany || this.roster.size >= SUBSCRIPTIONS_MAX) {
      subscription.stop();
      throw (isMany ? notOne : tooMany)(subscription.label());
    }
    this.roster.add(subscription);
    return kept;
  }

  private stateChanged(state: FeedState): void {
    if (state === 'closed') {
      this.signal?.removeEventListener('abort', this.onAbort);
      this.roster.end(this.error);
    }
    this.listeners.emit('state', state);
  }

  private lost(error: FeedError): void {
    this.ping = undefined;
    this.meter.reset();
    this.roster.lost();
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
    const isMeasured = kind === Kind.delta || kind === Kind.bbo || kind === Kind.trade;
    if (isMeasured && (frame.flags & Flag.replay) === 0) {
      const sentMs = frame.tsSendMs;
      if (sentMs > 0) this.meter.record(sentMs, arrivedMs);
    }
    for (const subscription of this.roster.routed(frame.instrument)) {
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
        this.connection.greeted(message.heartbeatMs ?? 0);
        // Only a server that knows of heartbeats takes lists.
        if (this.state === 'open')
          this.roster.opened(message.heartbeatMs === undefined ? 0 : message.controlBytesMax);
        this.listeners.emit('hello', message);
        break;
      case 'pong':
        if (message.id === this.ping?.id) {
          this.meter.pinged(this.ping.sentMs, now(), message.serverMs);
          this.ping = undefined;
        }
        break;
      case 'shutdown':
        if (message.reconnectMs !== undefined) this.connection.spreadOver(message.reconnectMs);
        this.listeners.emit('shutdown', message.reason);
        break;
      default:
        this.roster.take(message);
        break;
    }
  }

  /** What the server sends cannot be trusted any more: a lost frame would go unnoticed. */
  private breakOff(error: unknown): void {
    if (!(error instanceof FeedError)) throw error;
    this.listeners.emit('error', error);
    this.connection.breakOff(error.code);
  }

  private nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  private sendPing(): void {
    const id = this.nextId();
    this.ping = { id, sentMs: now() };
    this.connection.send(JSON.stringify({ op: 'ping', id }));
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
