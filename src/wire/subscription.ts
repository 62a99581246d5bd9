import type { Granted, Topic } from './control.js';
import { ClientError, FeedError } from './errors.js';
import type { FrameReader } from './frame.js';
import { Inbox, type InboxPolicy } from './inbox.js';
import { Listeners } from './listeners.js';
import type { BookState, StateReason } from './protocol.js';

/** Loops over one subscription at the same time. */
const LOOPS_MAX = 64;

/** Trust in what a subscription holds. */
export interface SubscriptionState {
  readonly state: BookState;
  readonly reason: StateReason;
}

/** What every subscription can report to callbacks. `error` is the last event when it ends the subscription. */
export interface SubscriptionEvents {
  state: SubscriptionState;
  error: FeedError;
}

/** What a subscription needs of its feed. */
export interface Host {
  /** Sends a message about the subscription if the feed is open. */
  request(op: 'resync' | 'unsubscribe', subscription: AnySubscription): void;
  ended(subscription: AnySubscription): void;
  count(what: 'gaps' | 'checks' | 'checkFailures'): void;
  /** Makes an error visible at the feed. */
  report(error: FeedError): void;
  callbackFailed(thrown: unknown): void;
}

/** A subscription of whatever items and events. */
export type AnySubscription = Subscription<unknown, SubscriptionEvents>;

export interface SubscriptionOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

/**
 * One subscription of a feed: an async iterable and a source of callbacks, both at once if wanted. It lives through
 * reconnects; it ends by `close()`, its signal, the feed's end (loops end), or an error (loops throw it).
 */
export abstract class Subscription<Item, Events extends SubscriptionEvents>
  implements AsyncIterable<Item>, AsyncDisposable
{
  readonly topic: Topic;
  /** What the server granted last; undefined before its first answer. */
  granted: Granted | undefined;
  /** Why the subscription ended, if by an error. */
  error: FeedError | undefined;

  protected readonly host: Host;
  protected readonly listeners: Listeners<Events>;
  private readonly inboxes = new Set<Inbox<Item>>();
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = (): void => this.stop();
  private ended = false;
  private stateSeen: BookState = 'syncing';
  private reasonSeen: StateReason = 'no_image';

  constructor(host: Host, topic: Topic, signal: AbortSignal | undefined) {
    this.host = host;
    this.topic = topic;
    this.signal = signal;
    this.listeners = new Listeners<Events>((thrown) => host.callbackFailed(thrown));
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  abstract get state(): BookState;
  abstract get reason(): StateReason;
  protected abstract readonly inboxPolicy: InboxPolicy<Item>;
  /** Takes a frame of the stream, or a status frame of the instrument. May throw a `FeedError`, which ends this. */
  protected abstract take(frame: FrameReader): void;
  protected abstract disconnect(): void;

  /** Whether it is over. */
  get closed(): boolean {
    return this.ended;
  }

  /** Calls back on an event until the returned function is called. Callbacks run inside the socket's handler. */
  on<Name extends keyof Events>(event: Name, callback: (value: Events[Name]) => void): () => void {
    return this.listeners.on(event, callback);
  }

  /** Each loop has an inbox of its own, whose limit the kind of subscription states. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Item> {
    if (this.inboxes.size >= LOOPS_MAX) {
      throw new ClientError({
        code: 'client.loops_limit',
        what: 'too many loops over one subscription',
        where: this.label(),
        expected: `at most ${LOOPS_MAX}`,
        got: 'one more',
        fix: 'end a loop by break or return(), or use callbacks',
      });
    }
    const inbox = new Inbox<Item>(this.inboxPolicy, (returned) => this.inboxes.delete(returned));
    if (this.ended) {
      inbox.end(this.error);
    } else {
      this.inboxes.add(inbox);
      this.greet(inbox);
    }
    return inbox;
  }

  /** Ends the subscription and tells the server. */
  close(): void {
    this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    return Promise.resolve();
  }

  /** The server has answered. @internal */
  grant(granted: Granted): void {
    this.granted = granted;
  }

  /** @internal */
  receive(frame: FrameReader): void {
    if (this.ended) return;
    try {
      this.take(frame);
    } catch (error) {
      if (!(error instanceof FeedError)) throw error;
      this.reportState();
      this.fail(error);
      return;
    }
    this.reportState();
  }

  /** The connection is gone. @internal */
  lose(): void {
    if (this.ended) return;
    this.disconnect();
    this.reportState();
  }

  /** Reports an error that does not end the subscription. @internal */
  report(error: FeedError): void {
    this.listeners.emit('error', error as Events['error']);
    this.host.report(error);
  }

  /** Ends by an error. @internal */
  fail(error: FeedError): void {
    if (this.ended) return;
    this.error = error;
    this.finish();
    this.report(error);
  }

  /** Ends without an error. @internal */
  stop(): void {
    if (!this.ended) this.finish();
  }

  /** The subscription in words, for errors. */
  label(): string {
    const { channel, instrument, depth, intervalMs, source } = this.topic;
    const details = [depth && `depth ${depth}`, intervalMs !== undefined && `${intervalMs} ms`, source];
    return [`${channel} ${instrument}`, ...details.filter(Boolean)].join(', ');
  }

  /** Hands an item to every loop. */
  protected push(item: Item): void {
    for (const inbox of this.inboxes) inbox.push(item);
  }

  /** What a new loop starts with. */
  protected greet(_inbox: Inbox<Item>): void {}

  /** Called when the state or its reason has changed. */
  protected stateChanged(): void {}

  /** Releases what the subscription holds. */
  protected release(): void {}

  private reportState(): void {
    if (this.state === this.stateSeen && this.reason === this.reasonSeen) return;
    this.stateSeen = this.state;
    this.reasonSeen = this.reason;
    this.stateChanged();
    this.listeners.emit('state', { state: this.state, reason: this.reason } as Events['state']);
  }

  private finish(): void {
    this.ended = true;
    this.signal?.removeEventListener('abort', this.onAbort);
    this.release();
    this.host.request('unsubscribe', this as unknown as AnySubscription);
    this.host.ended(this as unknown as AnySubscription);
    for (const inbox of this.inboxes) inbox.end(this.error);
    this.inboxes.clear();
  }
}
