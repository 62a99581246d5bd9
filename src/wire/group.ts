import type { Topic } from './control.js';
import { ClientError, type FeedError } from './errors.js';
import { Inbox } from './inbox.js';
import { Listeners } from './listeners.js';
import type { AnySubscription } from './subscription.js';

/** Subscriptions that a loop may be behind. */
const QUEUE_MAX = 16_384;

/** A subscription that a group has no longer, and why: the server's word, or the code of its refusal. */
export interface Removed<Kept> {
  readonly subscription: Kept;
  readonly instrument: string;
  readonly reason: string;
}

/** A subscription of a group; `isOwned`: the group has made it, and its end ends it. */
export interface Member<Kept> {
  readonly kept: Kept;
  readonly isOwned: boolean;
}

/** What a group of subscriptions reports to callbacks. */
export interface GroupEvents<Kept> {
  /** An instrument fits: at first, or because it came later. Its subscription has been granted. */
  added: Kept;
  removed: Removed<Kept>;
  /** How many instruments the server has found, after each connect. */
  matched: number;
  error: FeedError;
}

/** What a group needs of its feed. */
export interface GroupHost<Kept> {
  /** Makes the subscription of an instrument. */
  make(topic: Topic): Kept;
  /** The group is over; those were its subscriptions. */
  ended(members: readonly Member<AnySubscription>[]): void;
  report(error: FeedError): void;
  callbackFailed(thrown: unknown): void;
}

/**
 * The subscriptions of all instruments that fit some names and patterns, those that come while it lives included. A loop
 * yields each subscription, those that there are first. It lives through reconnects. It ends by `close()`, its signal, or when its
 * last loop is left, and its end ends them.
 */
export class SubscriptionGroup<Kept extends object> implements AsyncIterable<Kept>, AsyncDisposable {
  /** Names and patterns: `*` stands for any text, `?` for one character. */
  readonly instruments: readonly string[];
  /** Why it ended, if by an error. */
  error: FeedError | undefined;
  /** What its signal was aborted with, if that ended it. */
  abortReason: unknown;
  /** What is asked for of each instrument. @internal */
  readonly ask: Omit<Topic, 'instrument'>;

  private readonly host: GroupHost<Kept>;
  private readonly listeners: Listeners<GroupEvents<Kept>>;
  private readonly members = new Map<string, Member<Kept>>();
  private readonly inboxes = new Set<Inbox<Kept>>();
  private ended = false;
  private isMatched = false;

  /** @internal */
  constructor(host: GroupHost<Kept>, ask: Omit<Topic, 'instrument'>, instruments: readonly string[]) {
    this.host = host;
    this.ask = ask;
    this.instruments = instruments;
    this.listeners = new Listeners((thrown) => host.callbackFailed(thrown));
  }

  /** Whether it is over. */
  get closed(): boolean {
    return this.ended;
  }

  /** By instrument. */
  get subscriptions(): ReadonlyMap<string, Kept> {
    return new Map([...this.members].map(([instrument, { kept }]) => [instrument, kept]));
  }

  /** Calls back on an event until the returned function is called. */
  on<Name extends keyof GroupEvents<Kept>>(
    event: Name,
    callback: (value: GroupEvents<Kept>[Name]) => void,
  ): () => void {
    return this.listeners.on(event, callback);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Kept> {
    const inbox = new Inbox<Kept>({ tag: 'queue', itemsMax: QUEUE_MAX, overflow: tooSlow }, (returned) => {
      this.inboxes.delete(returned);
      if (this.inboxes.size === 0) this.finish();
    });
    if (this.ended) {
      inbox.end(this.error);
    } else {
      this.inboxes.add(inbox);
      for (const { kept } of this.members.values()) inbox.push(kept);
    }
    return inbox;
  }

  /** Ends it and the subscriptions that it has made. */
  close(): void {
    this.finish();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.finish();
    return Promise.resolve();
  }

  /** @internal */
  matched(count: number): void {
    this.isMatched = true;
    this.listeners.emit('matched', count);
  }

  /** Makes the subscription of an instrument that fits. @internal */
  make(instrument: string): Kept {
    return this.host.make({ ...this.ask, instrument });
  }

  /** A subscription is granted; `isOwned`: this group has made it. @internal */
  take(instrument: string, kept: Kept, isOwned: boolean): void {
    if (this.ended || this.members.has(instrument)) return;
    this.members.set(instrument, { kept, isOwned });
    for (const inbox of this.inboxes) inbox.push(kept);
    this.listeners.emit('added', kept);
  }

  /** Takes over a subscription of another group that ends. False where it is none of this one. @internal */
  adopt(subscription: AnySubscription): boolean {
    const { instrument } = subscription.topic;
    const member = this.members.get(instrument);
    if (member === undefined || (member.kept as object) !== subscription) return false;
    this.members.set(instrument, { kept: member.kept, isOwned: true });
    return true;
  }

  /** A subscription is over. Whether it was one of this group's own. @internal */
  drop(instrument: string, subscription: object, reason: string): boolean {
    const member = this.members.get(instrument);
    if (member?.kept !== subscription) return false;
    this.members.delete(instrument);
    this.listeners.emit('removed', { subscription: member.kept, instrument, reason });
    return member.isOwned;
  }

  /** The server refuses something: all of it, as long as it has matched nothing. @internal */
  refuse(error: FeedError): void {
    if (this.isMatched) {
      this.listeners.emit('error', error);
      this.host.report(error);
    } else {
      this.fail(error);
    }
  }

  /** @internal */
  fail(error: FeedError): void {
    if (this.ended) return;
    this.error = error;
    this.finish();
    this.listeners.emit('error', error);
    this.host.report(error);
  }

  /** The feed is over. @internal */
  stop(): void {
    this.finish();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    const members = [...this.members.values()];
    this.members.clear();
    this.host.ended(members as unknown as Member<AnySubscription>[]);
    for (const inbox of this.inboxes) inbox.end(this.error);
    this.inboxes.clear();
  }
}

/** Whether a text may mean several instruments: `*` stands for any text, `?` for one character. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** A group of whatever subscriptions. */
export type AnyGroup = SubscriptionGroup<object>;

function tooSlow(lost: number): never {
  throw new ClientError({
    code: 'client.loop_overflow',
    what: 'a loop over a group of subscriptions is too slow',
    where: 'subscribe',
    expected: `at most ${QUEUE_MAX} behind`,
    got: `${lost} lost`,
    fix: 'do not await inside the loop, or use the `added` event',
  });
}
