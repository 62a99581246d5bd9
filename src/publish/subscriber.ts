import type { InstrumentInfo } from '../engine.js';
import { DepthwireError } from '../errors.js';
import type { Grant } from './auth/grant.js';
import type { Waiter } from './backlog.js';
import { BadMessages } from './bad-messages.js';
import { type MessageId, parseControl } from './control.js';
import type { Hub } from './hub.js';
import { PROTOCOL } from './protocol.js';
import * as refusal from './refusals.js';
import { Requests } from './requests.js';
import { SlowReader } from './slow-reader.js';
import { TokenBucket } from './token-bucket.js';
import type { CloseCause, Connection, Session } from './transport.js';

/** Errors of well-formed messages that only a wrong client sends; limits and faults of the server are none of them. */
const WRONG: ReadonlySet<string> = new Set([
  'feed.unknown_instrument',
  'feed.not_subscribed',
  'feed.not_entitled',
]);

/** How long a client that was too slow may still take what waits for it before it is cut. */
const FAREWELL_MS = 1000;

/** One client: its messages, what it has done wrong, and how fast it reads. */
export class Subscriber implements Session, Waiter {
  readonly #connection: Connection;
  readonly #hub: Hub;
  readonly #grant: Grant;
  readonly #onGone: (subscriber: Subscriber, code: number, cause: CloseCause) => void;
  readonly #requests: Requests;
  readonly #bad: BadMessages;
  readonly #bucket: TokenBucket;
  readonly #slow: SlowReader;
  /** Bytes that the server had sent to anybody when this client was looked at last. */
  #lookedAtBytes = 0;
  /** Something was sent to it alone since. */
  #hasSent = true;
  /** Monotonic time at which time alone makes it due. */
  nextLookMs = 0;
  /** Monotonic time of the next heartbeat. */
  #nextBeatMs: number;
  #cutAtMs: number | undefined;
  #announced = false;
  #gone = false;

  /** `nowMs` is monotonic, as in all of its methods. */
  constructor(
    connection: Connection,
    hub: Hub,
    onGone: (subscriber: Subscriber, code: number, cause: CloseCause) => void,
    grant: Grant,
    nowMs = performance.now(),
  ) {
    this.#connection = connection;
    this.#hub = hub;
    this.#grant = grant;
    this.#onGone = onGone;
    const { limits, heartbeatMs } = hub;
    const { controlBytesMax, controlPerSecond, controlBurst, badMessagesMax } = limits;
    const subscriptionsMax = Math.min(limits.subscriptionsMax, grant.subscriptionsMax);
    this.#requests = new Requests(connection, hub, grant, subscriptionsMax, {
      send: (message) => this.#send(message),
      answerError: (id, error, instrument, isCounted) => this.#answerError(id, error, instrument, isCounted),
      takeTokens: (tokens, atMs) => this.#takeTokens(tokens, atMs),
      hasRoom: () => this.#hasRoom(),
    });
    this.#bad = new BadMessages(badMessagesMax);
    this.#bucket = new TokenBucket(controlPerSecond, controlBurst, nowMs);
    this.#slow = new SlowReader(limits);
    this.#nextBeatMs = heartbeatMs === 0 ? Number.POSITIVE_INFINITY : nowMs + heartbeatMs;
    const told = { controlBytesMax, controlPerSecond, subscriptionsMax };
    const { version, isReplay: replay } = hub;
    this.#send({ op: 'hello', protocol: PROTOCOL, version, replay, heartbeatMs, limits: told });
  }

  get waitingBytes(): number {
    return this.#slow.waitingBytes;
  }

  get isBusy(): boolean {
    return (
      this.#hasSent ||
      this.#slow.waitingBytes > 0 ||
      this.#requests.streams.isOwed ||
      this.#slow.isBehind ||
      this.#cutAtMs !== undefined
    );
  }

  get isBehind(): boolean {
    return this.#slow.isBehind;
  }

  /** Whether subscriptions wait for their turn. */
  get hasWishes(): boolean {
    return this.#requests.isWaiting;
  }

  onText(text: string): void {
    const nowMs = performance.now();
    if (this.#isLeaving || !this.#takeTokens(1, nowMs)) return;
    // Answers add to what waits, and many messages may come in one turn.
    this.poll(nowMs);
    if (!this.#isLeaving) this.#take(text, nowMs);
    this.#attend();
  }

  onBinary(): void {
    if (this.#isLeaving) return;
    this.#hub.metrics.badMessages += 1;
    this.#sendError(undefined, refusal.binary());
    this.#leave(4400, 'bad_request', 'binary data');
  }

  onOversize(bytes: number): void {
    if (this.#isLeaving) return;
    this.#hub.metrics.badMessages += 1;
    this.#sendError(undefined, refusal.tooBig(bytes, this.#hub.limits.controlBytesMax));
    this.#leave(1009, 'control_too_big', 'control message too long');
  }

  onPing(): void {
    if (!this.#isLeaving) this.#takeTokens(1, performance.now());
  }

  onClose(code: number, cause: CloseCause): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#requests.clear();
    this.#hub.backlog.totalBytes -= this.#slow.waitingBytes;
    this.#slow.waitingBytes = 0;
    this.#hub.backlog.forget(this);
    this.#hub.wishing.delete(this);
    this.#hub.metrics.closed(code, cause);
    this.#onGone(this, code, cause);
  }

  isDue(nowMs: number, sentBytes: number, lookBytes: number): boolean {
    return this.isBusy || nowMs >= this.nextLookMs || sentBytes - this.#lookedAtBytes >= lookBytes;
  }

  /** Looks at what waits, holds the client to its limits, and sends what it is owed. */
  poll(nowMs: number): void {
    if (this.#gone) return;
    const waiting = this.#look();
    if (this.#cutAtMs !== undefined) this.#sayFarewell(waiting, nowMs, this.#cutAtMs);
    else if (!this.#announced) this.#serve(waiting, nowMs);
  }

  yieldStreams(nowMs: number): void {
    if (this.#isLeaving) return;
    this.#slow.yield(nowMs);
    this.#requests.streams.fallBehind();
  }

  cutForMemory(): void {
    this.#requests.clear();
    this.#connection.cut('too_slow_cut');
  }

  /** Grants up to `max` subscriptions that wait; returns how many. */
  grantWishes(max: number, nowMs: number): number {
    return this.#isLeaving ? 0 : this.#requests.grantWishes(max, nowMs);
  }

  /** Whether a replay at full speed should wait for it, as it stood at the last look. */
  isWorthWaiting(nowMs: number): boolean {
    return !this.#isLeaving && this.#slow.isWorthWaiting(nowMs);
  }

  /** Bytes that wait for this client, or 0 when it is closed for being slow and so holds up nobody. */
  bytesToDrain(): number {
    return this.#cutAtMs === undefined ? this.#connection.bufferedBytes() : 0;
  }

  /** Instruments have come and gone. */
  served(added: readonly InstrumentInfo[], removed: ReadonlySet<string>): void {
    if (!this.#isLeaving) this.#requests.served(added, removed);
    this.#attend();
  }

  /** Tells the client that the server ends, why, and within how long it should come back, at a moment of its own. */
  announceShutdown(reason: string, reconnectMs: number): void {
    this.#announced = true;
    this.#requests.clear();
    this.#send({ op: 'shutdown', reason, reconnectMs });
  }

  /** Ends the connection of a server that stops. */
  closeForShutdown(): void {
    this.#connection.end(1001, 'drain', 'server stops');
  }

  /** Whether it is too late for anything that the client may say. */
  get #isLeaving(): boolean {
    return this.#gone || this.#announced || this.#cutAtMs !== undefined;
  }

  #take(text: string, nowMs: number): void {
    const parsed = parseControl(text);
    if (!parsed.ok) {
      this.#refuse(parsed.id, parsed.error);
      return;
    }
    const { control } = parsed;
    const requests = this.#requests;
    try {
      if (control.op === 'ping')
        this.#send({ op: 'pong', id: control.id, ts: String(this.#hub.engine.nowNs()) });
      else if (control.op === 'subscribe') requests.subscribe(control, nowMs);
      else if (control.op === 'unsubscribe') requests.unsubscribe(control);
      else requests.resync(control, nowMs);
    } catch (error) {
      this.#answerError(control.id, error);
    }
  }

  #serve(waiting: number, nowMs: number): void {
    const lastsMs = this.#grant.expiresAtMs - Date.now();
    if (lastsMs <= 0) {
      this.#sendError(undefined, refusal.expired());
      this.#leave(4401, 'auth', 'token expired');
      return;
    }
    const step = this.#slow.look(waiting, nowMs);
    if (step === 'close') {
      // Nothing more is sent, so what waits can only shrink; the code follows once it is gone.
      this.#requests.clear();
      this.#cutAtMs = nowMs + FAREWELL_MS;
      this.#sendError(undefined, refusal.tooSlow(waiting, this.#hub.limits));
      return;
    }
    if (step === 'fall_behind') this.#requests.streams.fallBehind();
    if (nowMs >= this.#nextBeatMs) {
      this.#nextBeatMs = nowMs + this.#hub.heartbeatMs;
      // Nothing to look after: what waits of it is seen before the next one.
      this.#connection.sendText(JSON.stringify({ op: 'heartbeat', ts: String(this.#hub.engine.nowNs()) }));
    }
    this.nextLookMs = Math.min(this.#nextBeatMs, nowMs + lastsMs);
    this.#requests.streams.sendOwed(nowMs);
  }

  #sayFarewell(waiting: number, nowMs: number, cutAtMs: number): void {
    if (waiting === 0) this.#connection.end(4408, 'too_slow', 'too slow');
    else if (nowMs >= cutAtMs) this.#connection.cut('too_slow_cut');
  }

  /** Takes tokens for a message; without enough of them the client is told and closed. */
  #takeTokens(tokens: number, nowMs: number): boolean {
    if (this.#bucket.take(tokens, nowMs)) return true;
    const { controlPerSecond, controlBurst } = this.#hub.limits;
    this.#hub.metrics.floods += 1;
    this.#sendError(undefined, refusal.tooMany(controlPerSecond, controlBurst));
    this.#leave(4429, 'rate', 'too many messages');
    return false;
  }

  /** Reads what waits for the client, and keeps the sum of all right. */
  #look(): number {
    const { backlog, fanout } = this.#hub;
    const waiting = this.#connection.bufferedBytes();
    backlog.totalBytes += waiting - this.#slow.waitingBytes;
    this.#slow.waitingBytes = waiting;
    this.#lookedAtBytes = fanout.bytes;
    this.#hasSent = false;
    return waiting;
  }

  /** Whether images and what brings readers back may be sent: to this client, and to any. */
  #hasRoom(): boolean {
    if (this.#isLeaving || this.#slow.isBehind) return false;
    const waiting = this.#look();
    this.#hasSent = true;
    return waiting <= this.#hub.limits.backpressureSoftBytes && this.#hub.backlog.hasRoom;
  }

  #leave(code: number, cause: CloseCause, reason: string): void {
    this.#requests.clear();
    this.#connection.end(code, cause, reason);
  }

  /** Answers with an error; one that only a wrong client causes counts against it. */
  #answerError(id: MessageId, error: unknown, instrument?: string, isCounted = true): void {
    if (!(error instanceof DepthwireError)) throw error;
    if (isCounted && WRONG.has(error.code)) this.#refuse(id, error, instrument);
    else this.#sendError(id, error, instrument);
  }

  /** Answers a wrong message, and ends a client that sends too many. */
  #refuse(id: MessageId, error: DepthwireError, instrument?: string): void {
    if (this.#isLeaving) return;
    this.#hub.metrics.badMessages += 1;
    this.#sendError(id, error, instrument);
    if (!this.#bad.isOneTooMany(performance.now())) return;
    if (error.code === 'feed.not_entitled')
      this.#leave(4403, 'not_entitled', 'asks for what its token does not hold');
    else this.#leave(4400, 'bad_request', 'too many bad messages');
  }

  #sendError(id: MessageId, error: DepthwireError, instrument?: string): void {
    this.#send({ op: 'error', id, ...(instrument === undefined ? {} : { instrument }), ...error.toJSON() });
  }

  /** Has itself looked at where it is busy, and given its turn where subscriptions wait. */
  #attend(): void {
    if (this.#gone) return;
    const { backlog, wishing } = this.#hub;
    if (this.isBusy) backlog.attend(this);
    if (this.hasWishes) wishing.add(this);
  }

  #send(message: object): void {
    this.#hasSent = true;
    this.#hub.backlog.attend(this);
    this.#connection.sendText(JSON.stringify(message));
  }
}
