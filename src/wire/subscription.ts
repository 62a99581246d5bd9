import type { Brought, By, Granted, Mode, Resumed, Topic } from './control.js';
import { ClientError, FeedError } from './errors.js';
import type { FrameReader } from './frame.js';
import { Inbox, type InboxPolicy } from './inbox.js';
import { Listeners } from './listeners.js';
import type { Place } from './local-stream.js';
import { type BookState, SERVER_REASONS, type StateReason } from './protocol.js';

/** Loops over one subscription at the same time. */
const LOOPS_MAX = 64;

/** Channels whose frames are events: none is ever left out. */
const NEVER_MERGED: ReadonlySet<string> = new Set(['trades', 'liquidations', 'orders']);

/** Trust in what a subscription holds. */
export interface SubscriptionState {
  readonly state: BookState;
  readonly reason: StateReason;
}

/**
 * A subscription is at the present again. What lay between the two places was seen frame by frame (`range`), not at all
 * because there was none (`nothing`), or only in its outcome (`net`, `image`): such changes were not seen one by one.
 * `cause`: the connection was lost, frames were missing or did not fit, or this reader was too slow.
 */
export interface Resynced {
  readonly cause: 'reconnect' | 'gap' | 'slow';
  readonly by: Brought;
  readonly from: Place;
  readonly to: Place;
}

/** The server holds back changes because this reader is slow: it is behind from a place on, then brought from one to another. */
export type SlowNotice =
  | { readonly state: 'behind'; readonly from: Place }
  | { readonly state: 'rejoined'; readonly by: Brought; readonly from: number; readonly to: number };

/** What every subscription can report to callbacks. `error` is the last event when it ends the subscription. */
export interface SubscriptionEvents {
  state: SubscriptionState;
  /** It is exact no more: the `state` event of that, by itself. */
  stale: SubscriptionState;
  resync: Resynced;
  slow: SlowNotice;
  error: FeedError;
}

/** What a subscription needs of its feed. */
export interface Host {
  /** Asks the server for an image if the feed is open. */
  resync(subscription: AnySubscription): void;
  /** It is over. */
  ended(subscription: AnySubscription): void;
  count(what: 'gaps' | 'checks' | 'checkFailures'): void;
  /** Makes an error visible at the feed. */
  report(error: FeedError): void;
  callbackFailed(thrown: unknown): void;
}

/** A subscription of whatever items and events. */
export type AnySubscription = Subscription<unknown, SubscriptionEvents>;

/** What every subscription may be given. */
export interface SubscriptionOptions {
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
  /**
   * How to be brought to the present after a lost connection; default `net`, and `range` where the mode is `strict`.
   * Trades, liquidations and orders are always brought by `range`. Where the server cannot, an image comes.
   */
  readonly by?: By;
  /** `strict`: no change is ever merged, and a reader that is too slow is closed. Trades, liquidations and orders are always strict. */
  readonly mode?: Mode;
}

/**
 * One subscription of a feed: an async iterable and a source of callbacks, both at once if wanted. It lives through
 * reconnects; it ends by `close()`, its signal, the feed's end (loops end), an error (loops throw it), or when its last loop is
 * left. Who asks for the same again gets this one: it ends when it has been ended as often as it was asked for.
 */
export abstract class Subscription<Item, Events extends SubscriptionEvents>
  implements AsyncIterable<Item>, AsyncDisposable
{
  readonly topic: Topic;
  /** What the server granted last; undefined before its first answer. */
  granted: Granted | undefined;
  /** Why the subscription ended, if by an error. */
  error: FeedError | undefined;
  /** What its signal was aborted with, if that ended it. */
  abortReason: unknown;
  /** Whether a group has made it, which then holds it whatever its loops do. @internal */
  isGrouped = false;

  protected readonly host: Host;
  protected readonly listeners: Listeners<Events>;
  private readonly inboxes = new Set<Inbox<Item>>();
  private readonly options: SubscriptionOptions;
  private readonly by: By;
  /** How often it was asked for and has not been ended yet. */
  private uses = 0;
  private readonly aborts: (() => void)[] = [];
  private away: { readonly cause: Resynced['cause']; readonly from: Place } | undefined;
  private broughtBy: Brought | undefined;
  private ended = false;
  private stateSeen: BookState = 'syncing';
  private reasonSeen: StateReason = 'no_image';

  constructor(host: Host, topic: Topic, options: SubscriptionOptions) {
    const { by, mode } = options;
    this.host = host;
    this.topic = mode === undefined ? topic : { ...topic, mode };
    this.by = NEVER_MERGED.has(topic.channel) ? 'range' : (by ?? (mode === 'strict' ? 'range' : 'net'));
    this.options = options;
    this.listeners = new Listeners<Events>((thrown) => host.callbackFailed(thrown));
    this.use(options.signal);
  }

  abstract get state(): BookState;
  abstract get reason(): StateReason;
  /** Where it is exact, if frames can go on from there. */
  abstract get place(): Place | undefined;
  protected abstract readonly inboxPolicy: InboxPolicy<Item>;
  /** Takes a frame of the stream, or a status frame of the instrument. May throw a `FeedError`, which ends this. */
  protected abstract take(frame: FrameReader): void;
  /** What follows is not arriving for now. */
  protected abstract doubt(reason: 'disconnected' | 'behind'): void;
  /** The server brings this to a place by what follows, and says how it stands with its own book. */
  protected abstract bring(by: Brought, to: Place, state: BookState, reason: StateReason): void;

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
    const inbox = new Inbox<Item>(this.inboxPolicy, (returned) => this.leaveLoop(returned));
    if (this.ended) {
      inbox.end(this.error);
    } else {
      this.inboxes.add(inbox);
      this.greet(inbox);
    }
    return inbox;
  }

  /** Ends the subscription and tells the server, unless it was asked for more often than this has been called. */
  close(): void {
    if (!this.release()) this.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** It was asked for again. False where the options are others. @internal */
  share(options: SubscriptionOptions): boolean {
    const { signal, ...wanted } = options;
    const names = new Set([...Object.keys(wanted), ...Object.keys(this.options)]);
    names.delete('signal');
    for (const name of names) {
      // What names the subscription is the same already, whoever wrote it out.
      if (name !== 'mode' && name in this.topic) continue;
      const key = name as keyof SubscriptionOptions;
      if (options[key] !== this.options[key]) return false;
    }
    this.use(signal);
    return true;
  }

  /** Takes back one use. Whether others are left. @internal */
  release(): boolean {
    this.uses -= 1;
    return this.uses > 0;
  }

  /** The server has answered. @internal */
  grant(granted: Granted): void {
    this.granted = granted;
    const { resume, epoch, state } = granted;
    if (resume !== undefined) {
      const reason = SERVER_REASONS.find((word) => word === granted.reason) ?? 'unknown';
      this.broughtBy = resume.by;
      this.bring(resume.by, { epoch, seq: Number(resume.to) }, state, reason);
    }
    this.reportState();
  }

  /** What to ask the server for after a lost connection; undefined = an image. @internal */
  get resume(): ({ readonly by: By } & Place) | undefined {
    const { place } = this;
    return place && { ...place, by: this.by };
  }

  /** This reader is slow, and the server holds back what follows. @internal */
  fallBehind(from: Place): void {
    this.leave('slow', this.place);
    this.doubt('behind');
    this.listeners.emit('slow', { state: 'behind', from } as Events['slow']);
    this.reportState();
  }

  /** The server goes on, by what follows. @internal */
  rejoin({ by, from, to }: Resumed): void {
    this.broughtBy = by;
    const { place } = this;
    // Of the book's state status frames have told, which are never held back.
    if (place !== undefined) this.bring(by, { epoch: place.epoch, seq: Number(to) }, 'synced', 'none');
    const notice: SlowNotice = { state: 'rejoined', by, from: Number(from), to: Number(to) };
    this.listeners.emit('slow', notice as Events['slow']);
    this.reportState();
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
    this.leave('reconnect', this.place);
    this.doubt('disconnected');
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
    return labelOf(this.topic);
  }

  /** Hands an item to every loop. */
  protected push(item: Item): void {
    for (const inbox of this.inboxes) inbox.push(item);
  }

  /** What follows a place is missing, for a reason that a later `Resynced` names. The first reason counts. */
  protected leave(cause: Resynced['cause'], from: Place | undefined): void {
    if (from === undefined || this.away !== undefined) return;
    this.away = { cause, from };
    this.broughtBy = undefined;
  }

  /** What came has replaced what there was, or was merged. */
  protected brought(by: 'image' | 'net'): void {
    this.broughtBy = by;
  }

  /** What a new loop starts with. */
  protected greet(_inbox: Inbox<Item>): void {}

  /** Called when the state or its reason has changed. */
  protected stateChanged(): void {}

  /** Lets go of what the subscription holds. */
  protected dispose(): void {}

  private reportState(): void {
    const { state, reason } = this;
    if (state !== this.stateSeen || reason !== this.reasonSeen) {
      this.stateSeen = state;
      this.reasonSeen = reason;
      this.stateChanged();
      this.listeners.emit('state', { state, reason } as Events['state']);
      if (state === 'stale') this.listeners.emit('stale', { state, reason } as Events['stale']);
    }
    const { away, place } = this;
    if (away === undefined || state !== 'synced' || place === undefined) return;
    this.away = undefined;
    const resync: Resynced = { ...away, by: this.broughtBy ?? 'range', to: place };
    this.listeners.emit('resync', resync as Events['resync']);
  }

  private use(signal: AbortSignal | undefined): void {
    this.uses += 1;
    if (signal === undefined) return;
    const onAbort = (): void => {
      if (this.uses === 1) this.abortReason = signal.reason;
      this.close();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.aborts.push(() => signal.removeEventListener('abort', onAbort));
  }

  /** A loop was left. Each that was asked for by itself ends what it asked for. */
  private leaveLoop(inbox: Inbox<Item>): void {
    this.inboxes.delete(inbox);
    if (!this.ended && !this.isGrouped && this.uses > this.inboxes.size) this.close();
  }

  private finish(): void {
    this.ended = true;
    for (const forget of this.aborts) forget();
    this.dispose();
    this.host.ended(this as unknown as AnySubscription);
    for (const inbox of this.inboxes) inbox.end(this.error);
    this.inboxes.clear();
  }
}

/** What a topic names, in words; one subscription of a feed has each. */
export function labelOf(topic: Topic): string {
  const { channel, instrument, depth, intervalMs, grouping, source, quantities, bps } = topic;
  const { windowMs, vpinVolume, vpinBuckets = '' } = topic;
  const details = [
    depth && `depth ${depth}`,
    intervalMs !== undefined && `${intervalMs} ms`,
    grouping && `by ${grouping}`,
    quantities?.join(' '),
    bps?.length && `${bps.join(' ')} bps`,
    windowMs && `over ${windowMs} ms`,
    vpinVolume && `VPIN of ${vpinBuckets} × ${vpinVolume}`,
    source,
  ];
  return [`${channel} ${instrument}`, ...details.filter(Boolean)].join(', ');
}
