import { type InstrumentInfo, STREAM } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { BadMessages } from './bad-messages.js';
import { type Channel, type Control, channelKey, type MessageId, parseControl } from './control.js';
import { closeView, grantedView, openView } from './depth-views.js';
import { asScaledNow, type Hub } from './hub.js';
import { ImageQueue } from './image-queue.js';
import { PROTOCOL } from './protocol.js';
import { unknownInstrument } from './served-instrument.js';
import type { Member } from './topics.js';
import type { CloseCause, Connection, Session } from './transport.js';

interface Subscription {
  /** As it was granted; the key in the client's map is as it was asked for. */
  readonly channel: Channel;
  readonly instrument: InstrumentInfo;
  readonly stream: number;
  /** Frames of the stream follow the first image, so they begin with it. */
  isJoined: boolean;
}

type SubscriptionControl = Extract<Control, { instrument: string }>;

/** Errors of well-formed messages that only a wrong client sends; limits and faults of the server are none of them. */
const WRONG: ReadonlySet<string> = new Set(['feed.unknown_instrument', 'feed.not_subscribed']);

/** How long a client that was too slow may still take what waits for it before it is cut. */
const FAREWELL_MS = 1000;

/** One client: what it has subscribed to, and what it has done wrong. */
export class Subscriber implements Session {
  readonly #connection: Connection;
  readonly #hub: Hub;
  readonly #onGone: (subscriber: Subscriber) => void;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Topics with the number of subscriptions that need each: the status topic serves several. */
  readonly #topics = new Map<string, { readonly member: Member; uses: number }>();
  readonly #images = new ImageQueue<Subscription>();
  readonly #bad: BadMessages;
  #slowSinceMs: number | undefined;
  #cutAtMs: number | undefined;
  #announced = false;
  #gone = false;

  constructor(connection: Connection, hub: Hub, onGone: (subscriber: Subscriber) => void) {
    this.#connection = connection;
    this.#hub = hub;
    this.#onGone = onGone;
    this.#bad = new BadMessages(hub.limits.badMessagesMax);
    const { controlBytesMax, subscriptionsMax } = hub.limits;
    this.#send({
      op: 'hello',
      protocol: PROTOCOL,
      version: hub.version,
      limits: { controlBytesMax, subscriptionsMax },
    });
  }

  onText(text: string): void {
    if (this.#leaving) return;
    // Answers add to what waits, and many messages may come in one turn.
    this.poll(performance.now());
    if (this.#leaving) return;
    const parsed = parseControl(text);
    if (!parsed.ok) {
      this.#refuse(parsed.id, parsed.error);
      return;
    }
    const { control } = parsed;
    try {
      if (control.op === 'ping')
        this.#send({ op: 'pong', id: control.id, ts: String(this.#hub.engine.nowNs()) });
      else if (control.op === 'subscribe') this.#subscribe(control);
      else if (control.op === 'unsubscribe') this.#unsubscribe(control);
      else this.#resync(control);
    } catch (error) {
      if (!(error instanceof DepthwireError)) throw error;
      if (WRONG.has(error.code)) this.#refuse(control.id, error);
      else this.#sendError(control.id, error);
    }
  }

  onBinary(): void {
    if (this.#leaving) return;
    this.#hub.metrics.badMessages += 1;
    this.#sendError(
      undefined,
      new DepthwireError('feed.binary', {
        what: 'a client sent binary data',
        where: 'message',
        expected: 'JSON text',
        got: 'a binary message',
        fix: 'Send control messages as text; only the server sends binary data.',
      }),
    );
    this.#connection.end(4400, 'bad_request', 'binary data');
  }

  onOversize(bytes: number): void {
    if (this.#leaving) return;
    this.#hub.metrics.badMessages += 1;
    const { controlBytesMax } = this.#hub.limits;
    this.#sendError(
      undefined,
      new DepthwireError('feed.control_too_big', {
        what: 'a control message is too long',
        where: 'message',
        expected: `at most ${controlBytesMax} bytes`,
        got: `${bytes} bytes`,
        fix: 'Send one short JSON object per subscription.',
      }),
    );
    this.#connection.end(1009, 'control_too_big', 'control message too long');
  }

  onPing(): void {}

  onClose(code: number, cause: CloseCause): void {
    this.#gone = true;
    this.#leaveAll();
    this.#hub.metrics.closed(code, cause);
    this.#onGone(this);
  }

  /** Bytes that wait for this client, or 0 when it is closed for being slow and so holds up nobody. */
  waitingBytes(): number {
    return this.#cutAtMs === undefined ? this.#connection.bufferedBytes() : 0;
  }

  /** Holds the client to the limits of what may wait for it. `nowMs` is monotonic. */
  poll(nowMs: number): void {
    const waiting = this.#connection.bufferedBytes();
    if (this.#cutAtMs !== undefined) {
      if (waiting === 0) this.#connection.end(4408, 'too_slow', 'too slow');
      else if (nowMs >= this.#cutAtMs) this.#connection.cut('too_slow_cut');
      return;
    }
    const { backpressureSoftBytes, backpressureHardBytes, slowMs } = this.#hub.limits;
    this.#sendImages(nowMs);
    // One that hovers around the limit stays slow; only one that has caught up half of it is not.
    if (waiting < backpressureSoftBytes / 2) this.#slowSinceMs = undefined;
    else if (waiting > backpressureSoftBytes) this.#slowSinceMs ??= nowMs;
    if (this.#slowSinceMs === undefined) return;
    const overHard = waiting > backpressureHardBytes;
    if (!overHard && nowMs - this.#slowSinceMs < slowMs) return;
    // Nothing more is sent, so what waits can only shrink; the code follows once it is gone.
    this.#leaveAll();
    this.#cutAtMs = nowMs + FAREWELL_MS;
    this.#sendError(
      undefined,
      new DepthwireError('feed.too_slow', {
        what: 'the client does not take the feed as fast as it comes',
        where: 'connection',
        expected: overHard
          ? `at most ${backpressureHardBytes} bytes waiting`
          : `less than ${backpressureSoftBytes / 2} bytes waiting within ${slowMs} ms after more than ${backpressureSoftBytes}`,
        got: `${waiting} bytes`,
        fix: 'Read faster, subscribe to fewer instruments, or to depth with an interval.',
      }),
    );
  }

  /** Tells the client that the server ends, why, and within how long it should come back, at a moment of its own. */
  announceShutdown(reason: string, reconnectMs: number): void {
    this.#announced = true;
    this.#leaveAll();
    this.#send({ op: 'shutdown', reason, reconnectMs });
  }

  /** Ends the connection of a server that stops. */
  closeForShutdown(): void {
    this.#connection.end(1001, 'drain', 'server stops');
  }

  /** Whether it is too late for anything that the client may say. */
  get #leaving(): boolean {
    return this.#gone || this.#announced || this.#cutAtMs !== undefined;
  }

  #subscribe(control: SubscriptionControl): void {
    const { limits } = this.#hub;
    const instrument = this.#instrument(control);
    const key = keyOf(control);
    let subscription = this.#subscriptions.get(key);
    if (subscription === undefined) {
      if (this.#subscriptions.size >= limits.subscriptionsMax) {
        throw new DepthwireError('feed.subscriptions_full', {
          what: 'this connection holds as many subscriptions as it may',
          where: 'subscribe',
          expected: `at most ${limits.subscriptionsMax}`,
          got: `${this.#subscriptions.size + 1}`,
          fix: 'Unsubscribe from something, or open another connection.',
        });
      }
      subscription = this.#granted(control.channel, instrument);
      this.#subscriptions.set(key, subscription);
      if (followsBook(subscription.stream)) this.#join(instrument.id, STREAM.status);
      this.#hub.metrics.subscriptions += 1;
    }
    this.#acknowledge(control.id, subscription);
    this.#images.add(subscription);
    this.#sendImages(performance.now());
  }

  #granted(channel: Channel, instrument: InstrumentInfo): Subscription {
    if (channel.channel !== 'depth') {
      return { channel, instrument, stream: streamOf(channel), isJoined: false };
    }
    const held = new Set<number>();
    for (const other of this.#subscriptions.values()) {
      if (other.channel.channel === 'depth' && other.instrument === instrument) held.add(other.stream);
    }
    const view = grantedView(channel);
    const stream = openView(this.#hub, instrument, view, held);
    return { channel: { ...channel, ...view }, instrument, stream, isJoined: false };
  }

  #unsubscribe(control: SubscriptionControl): void {
    const instrument = this.#instrument(control);
    const subscription = this.#held(control);
    this.#subscriptions.delete(keyOf(control));
    this.#drop(subscription);
    const { id, channel } = control;
    this.#send({ op: 'unsubscribed', id, ...channel, instrument: instrument.name });
  }

  #resync(control: SubscriptionControl): void {
    const subscription = this.#held(control);
    this.#hub.metrics.clientResyncs += 1;
    this.#images.add(subscription);
    this.#sendImages(performance.now());
  }

  #acknowledge(id: MessageId, subscription: Subscription): void {
    const { channel, instrument, stream } = subscription;
    const { state, reason, epoch, seq } = this.#hub.engine.book(instrument.id);
    const scaled = asScaledNow(this.#hub, instrument);
    const { priceExponent, qtyExponent, tickSize, lotSize, qtyUnit } = scaled;
    this.#send({
      op: 'subscribed',
      id,
      ...channel,
      instrument: instrument.name,
      instrumentId: instrument.id,
      stream,
      state,
      reason,
      epoch: String(epoch),
      seq: String(seq),
      priceExponent,
      qtyExponent,
      tickSize,
      lotSize,
      qtyUnit,
    });
  }

  /**
   * The images that are due, as far as the client has room below the soft limit. What waits comes by a later `poll`; a
   * client that never makes room is closed for being slow.
   */
  #sendImages(nowMs: number): void {
    const { backpressureSoftBytes } = this.#hub.limits;
    this.#images.flush(
      nowMs,
      () => this.#connection.bufferedBytes() <= backpressureSoftBytes,
      (subscription) => {
        try {
          this.#sendImage(subscription);
        } catch (error) {
          if (!(error instanceof DepthwireError)) throw error;
          this.#sendError(undefined, error);
        }
      },
    );
  }

  /** The image, if the stream has one that may be trusted; else the status, which says what to wait for. */
  #sendImage(subscription: Subscription): void {
    const { engine, images } = this.#hub;
    const { instrument, stream } = subscription;
    // Joined before the image is made, so that nothing can be published between the two.
    if (!subscription.isJoined) {
      subscription.isJoined = true;
      this.#join(instrument.id, stream);
    }
    const book = engine.book(instrument.id);
    const isTrusted = !followsBook(stream) || book.state === 'synced';
    let frames = isTrusted ? images.get(instrument.id, stream, book) : undefined;
    if (frames === undefined && followsBook(stream)) frames = images.get(instrument.id, STREAM.status, book);
    if (frames !== undefined) this.#connection.sendFrames(frames);
  }

  #instrument(control: SubscriptionControl): InstrumentInfo {
    const { instruments } = this.#hub;
    const instrument = instruments.get(control.instrument);
    if (instrument !== undefined) return instrument;
    throw unknownInstrument(control.instrument, instruments, `${control.op}.instrument`);
  }

  #held(control: SubscriptionControl): Subscription {
    const subscription = this.#subscriptions.get(keyOf(control));
    if (subscription !== undefined) return subscription;
    this.#instrument(control);
    throw new DepthwireError('feed.not_subscribed', {
      what: 'this connection holds no such subscription',
      where: control.op,
      expected: 'the channel and settings of a subscription',
      got: `${channelKey(control.channel)} of ${control.instrument}`,
      fix: 'Subscribe first, and repeat the same depth, intervalMs or source.',
    });
  }

  #join(instrument: number, stream: number): void {
    const name = `${instrument}/${stream}`;
    const held = this.#topics.get(name);
    if (held !== undefined) held.uses += 1;
    else
      this.#topics.set(name, {
        member: this.#hub.fanout.join(instrument, stream, this.#connection),
        uses: 1,
      });
  }

  #leave(instrument: number, stream: number): void {
    const name = `${instrument}/${stream}`;
    const held = this.#topics.get(name);
    if (held === undefined) return;
    held.uses -= 1;
    if (held.uses > 0) return;
    this.#topics.delete(name);
    this.#hub.fanout.leave(held.member);
  }

  #drop(subscription: Subscription): void {
    const { channel, instrument, stream } = subscription;
    this.#images.delete(subscription);
    if (subscription.isJoined) this.#leave(instrument.id, stream);
    if (followsBook(stream)) this.#leave(instrument.id, STREAM.status);
    if (channel.channel === 'depth') closeView(this.#hub, instrument, stream);
    this.#hub.metrics.subscriptions -= 1;
  }

  #leaveAll(): void {
    for (const subscription of this.#subscriptions.values()) this.#drop(subscription);
    this.#subscriptions.clear();
  }

  /** Answers a wrong message, and ends a client that sends too many. */
  #refuse(id: MessageId, error: DepthwireError): void {
    this.#hub.metrics.badMessages += 1;
    this.#sendError(id, error);
    if (this.#bad.isOneTooMany(performance.now())) {
      this.#leaveAll();
      this.#connection.end(4400, 'bad_request', 'too many bad messages');
    }
  }

  #sendError(id: MessageId, error: DepthwireError): void {
    this.#send({ op: 'error', id, ...error.toJSON() });
  }

  #send(message: object): void {
    this.#connection.sendText(JSON.stringify(message));
  }
}

function keyOf(control: SubscriptionControl): string {
  return `${control.instrument}/${channelKey(control.channel)}`;
}

function streamOf(channel: Exclude<Channel, { channel: 'depth' }>): number {
  if (channel.channel === 'bbo') return channel.source === 'venue' ? STREAM.venueBbo : STREAM.bbo;
  return STREAM[channel.channel];
}

/** Trades and the venue's own top of book hold whatever the state of the engine's book is. */
function followsBook(stream: number): boolean {
  return stream !== STREAM.trades && stream !== STREAM.venueBbo;
}
