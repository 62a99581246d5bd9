import type { ControlMessage, Granted, StreamName } from './control.js';
import { type FeedError, ServerError } from './errors.js';
import type { AnyGroup, Member } from './group.js';
import { type Ask, askOfAll, byAsk, type Entry, messagesOf } from './messages.js';
import { type AnySubscription, labelOf } from './subscription.js';

/** What the roster needs of its feed. */
export interface RosterHost {
  send(text: string): void;
  nextId(): number;
  /** An error that belongs to no subscription. */
  report(error: FeedError): void;
  fellBehind(): void;
}

/** A message that the server has yet to answer, by instrument. */
interface Request {
  readonly op: 'subscribe' | 'resync';
  readonly waiting: Map<string, AnySubscription>;
  /** It names one instrument, which the server may know by another name. */
  readonly isSingle: boolean;
  /** The server has found the instruments that it serves: what it refuses now are single ones. */
  isMatched: boolean;
  /** Refusals that do not say of whom. They come in the order in which the message names those. */
  readonly nameless: ServerError[];
}

const NOBODY: readonly AnySubscription[] = [];

/**
 * The subscriptions of a feed and the groups that make some of them: tells the server of them, anew after each connect, and
 * finds whom an answer or a frame is for. What is asked in one turn goes out in as few messages as the server allows.
 */
export class Roster {
  private readonly host: RosterHost;
  private readonly subscriptions = new Map<string, AnySubscription>();
  private readonly groups = new Set<AnyGroup>();
  /** Granted subscriptions by the instrument's number. The arrays are replaced, never changed. */
  private readonly routes = new Map<number, readonly AnySubscription[]>();
  private readonly requests = new Map<number, Request>();
  private readonly groupRequests = new Map<number, AnyGroup>();
  private readonly joining = new Set<AnySubscription>();
  private readonly leaving = new Set<AnySubscription>();
  private readonly stale = new Set<AnySubscription>();
  private isLive = false;
  /** The longest control message of a server that takes lists; 0 = it takes none. */
  private listBytesMax = 0;
  private isScheduled = false;

  constructor(host: RosterHost) {
    this.host = host;
  }

  get size(): number {
    return this.subscriptions.size;
  }

  get(label: string): AnySubscription | undefined {
    return this.subscriptions.get(label);
  }

  /** The subscriptions that take frames of an instrument. */
  routed(instrumentId: number): readonly AnySubscription[] {
    return this.routes.get(instrumentId) ?? NOBODY;
  }

  add(subscription: AnySubscription): void {
    this.subscriptions.set(subscription.label(), subscription);
    this.joining.add(subscription);
    this.schedule();
  }

  addGroup(group: AnyGroup): void {
    this.groups.add(group);
    if (this.isLive) this.askFor(group);
  }

  /** The server has greeted: everything is asked for. */
  opened(listBytesMax: number): void {
    this.isLive = true;
    this.listBytesMax = listBytesMax;
    this.leaving.clear();
    for (const subscription of this.subscriptions.values()) this.joining.add(subscription);
    this.flush();
    // Behind what is known by name, so that what there is of it goes on where it stands.
    for (const group of this.groups) this.askFor(group);
  }

  /** The connection is gone. */
  lost(): void {
    this.isLive = false;
    this.requests.clear();
    this.groupRequests.clear();
    this.routes.clear();
    this.joining.clear();
    this.leaving.clear();
    this.stale.clear();
    for (const subscription of [...this.subscriptions.values()]) subscription.lose();
  }

  /** The feed is over. */
  end(error: FeedError | undefined): void {
    this.isLive = false;
    for (const subscription of [...this.subscriptions.values()]) {
      if (error) subscription.fail(error);
      else subscription.stop();
    }
    for (const group of [...this.groups]) {
      if (error) group.fail(error);
      else group.stop();
    }
  }

  /** Asks for an image. False where the server would not know of what. */
  resync(subscription: AnySubscription): boolean {
    if (!this.isLive || !this.holds(subscription) || subscription.granted === undefined) return false;
    this.stale.add(subscription);
    this.schedule();
    return true;
  }

  /** A subscription is over: the server is told, and nothing more reaches it. */
  leave(subscription: AnySubscription): void {
    if (!this.holds(subscription)) return;
    // One that has not been asked for yet is no news to the server.
    if (!this.joining.has(subscription)) {
      this.leaving.add(subscription);
      this.schedule();
    }
    this.forget(subscription, 'closed');
  }

  /** A group is over. Its subscriptions are, too, unless others have them. */
  leaveGroup(group: AnyGroup, members: readonly Member<AnySubscription>[]): void {
    if (!this.groups.delete(group)) return;
    // Of a group that a refusal has ended the server may yet grant what other messages ask for.
    if (group.error === undefined) {
      for (const [id, other] of this.groupRequests) if (other === group) this.groupRequests.delete(id);
    }
    // The server takes away all that a pattern means, whoever asked for it.
    const isTold = this.isLive && group.error === undefined;
    if (isTold) {
      const entries = group.instruments.map((instrument) => ({ instrument }));
      for (const { text } of this.messages('unsubscribe', group.ask, entries)) this.host.send(text);
    }
    for (const { kept, isOwned } of members) {
      const isKept = !isOwned || [...this.groups].some((other) => other.adopt(kept)) || kept.release();
      if (!isKept) {
        if (isTold) this.forget(kept, 'closed');
        kept.stop();
      } else if (isTold && this.holds(kept)) {
        this.joining.add(kept);
        this.schedule();
      }
    }
  }

  /** Takes what the server says about subscriptions. */
  take(message: ControlMessage): void {
    switch (message.op) {
      case 'subscribed':
        this.granted(message);
        break;
      case 'matched': {
        const request = this.requests.get(message.id);
        if (request !== undefined) request.isMatched = true;
        const group = this.groupRequests.get(message.id);
        if (group?.closed === false) group.matched(message.instruments);
        break;
      }
      case 'removed':
        for (const subscription of this.named(message)) this.removed(subscription, message.reason);
        break;
      case 'slow':
        if (message.state === 'rejoined') {
          for (const subscription of this.named(message)) subscription.rejoin(message);
          break;
        }
        this.host.fellBehind();
        this.behind(message.streams);
        break;
      case 'error':
        this.refused(message.id, message.instrument, message.error);
        break;
      default:
        break;
    }
  }

  private granted(message: Granted): void {
    const { id, instrument } = message;
    const request = this.requests.get(id);
    if (request !== undefined) {
      // Of several some may be over before they are granted: who is left is not meant by their answers.
      const subscription =
        request.waiting.get(instrument) ?? (request.isSingle ? only(request.waiting) : undefined);
      if (subscription === undefined) return;
      request.waiting.delete(subscription.topic.instrument);
      this.join(subscription, message);
      this.settle(id, request);
      return;
    }
    const group = this.groupRequests.get(id);
    if (group === undefined) return;
    const known = this.subscriptions.get(labelOf({ ...group.ask, instrument }));
    if (group.closed) {
      // Whoever has asked for it alone keeps it.
      if (known === undefined) this.giveBack(group, instrument);
      return;
    }
    const subscription = known ?? this.made(group, instrument);
    if (subscription === undefined) return;
    this.join(subscription, message);
    group.take(instrument, subscription, known === undefined);
  }

  /** The subscription of an instrument that has come; undefined where the feed has no room for it. */
  private made(group: AnyGroup, instrument: string): AnySubscription | undefined {
    try {
      const subscription = group.make(instrument) as AnySubscription;
      this.joining.delete(subscription);
      return subscription;
    } catch (error) {
      group.refuse(error as FeedError);
      this.giveBack(group, instrument);
      return undefined;
    }
  }

  /** What is granted to a group that does not take it is over. */
  private giveBack({ ask }: AnyGroup, instrument: string): void {
    for (const { text } of this.messages('unsubscribe', ask, [{ instrument }])) this.host.send(text);
  }

  private join(subscription: AnySubscription, message: Granted): void {
    subscription.grant(message);
    if (!this.holds(subscription)) return;
    const routed = this.routed(message.instrumentId).filter((other) => other !== subscription);
    this.routes.set(message.instrumentId, [...routed, subscription]);
  }

  private refused(id: number | undefined, instrument: string | undefined, error: ServerError): void {
    const request = id === undefined ? undefined : this.requests.get(id);
    if (id === undefined || request === undefined) {
      const group = id === undefined ? undefined : this.groupRequests.get(id);
      if (id !== undefined && group?.closed === false) {
        group.refuse(error);
        if (group.closed) this.groupRequests.delete(id);
      }
      // The server may have ended it by itself at the same time.
      else if (error.code !== 'feed.not_subscribed') this.host.report(error);
      return;
    }
    const { op, waiting, isSingle, isMatched, nameless } = request;
    const isNamed = instrument !== undefined && !isSingle;
    const subscription = isNamed ? waiting.get(instrument) : only(waiting);
    if (subscription !== undefined) {
      waiting.delete(subscription.topic.instrument);
      this.refuse(op, subscription, error);
    } else if (isNamed) {
      // Whom it names is over already.
    } else if (isMatched) {
      nameless.push(error);
    } else {
      // All of the message.
      for (const each of waiting.values()) this.refuse(op, each, error);
      waiting.clear();
    }
    this.settle(id, request);
  }

  /** A request is answered when nobody waits, or as many as were refused namelessly. */
  private settle(id: number, { op, waiting, nameless }: Request): void {
    if (waiting.size > nameless.length) return;
    this.requests.delete(id);
    const refused = [...waiting.values()];
    for (const [at, subscription] of refused.entries()) {
      this.refuse(op, subscription, nameless[at] as ServerError);
    }
  }

  private refuse(op: Request['op'], subscription: AnySubscription, error: ServerError): void {
    if (op === 'resync') subscription.report(error);
    // The server does not hold it, so its end is no news to the server.
    else if (this.forget(subscription, error.code)) subscription.stop();
    else subscription.fail(error);
  }

  private removed(subscription: AnySubscription, reason: string): void {
    if (this.forget(subscription, reason)) {
      subscription.stop();
      return;
    }
    subscription.fail(
      new ServerError({
        code: 'feed.instrument_removed',
        what: 'the server does not have this instrument any more',
        where: subscription.label(),
        expected: 'an instrument that it serves',
        got: reason,
        fix: 'subscribe by a pattern, which also takes instruments that come back',
      }),
    );
  }

  private behind(streams: readonly (StreamName & { readonly epoch: bigint; readonly seq: bigint })[]): void {
    const wanted = new Set(streams.map(({ instrument }) => instrument));
    const held = [...this.subscriptions.values()].filter(({ topic }) => wanted.has(topic.instrument));
    for (const stream of streams) {
      const from = { epoch: stream.epoch, seq: Number(stream.seq) };
      for (const subscription of held) if (isNamed(subscription, stream)) subscription.fallBehind(from);
    }
  }

  private named(stream: StreamName): readonly AnySubscription[] {
    return [...this.subscriptions.values()].filter((subscription) => isNamed(subscription, stream));
  }

  private holds(subscription: AnySubscription): boolean {
    return this.subscriptions.get(subscription.label()) === subscription;
  }

  /** Takes a subscription out of everything. Whether a group has made it. */
  private forget(subscription: AnySubscription, reason: string): boolean {
    if (!this.holds(subscription)) return false;
    this.subscriptions.delete(subscription.label());
    this.joining.delete(subscription);
    this.stale.delete(subscription);
    this.dropRequests(subscription);
    const instrumentId = subscription.granted?.instrumentId;
    if (instrumentId !== undefined) {
      const rest = this.routed(instrumentId).filter((other) => other !== subscription);
      if (rest.length > 0) this.routes.set(instrumentId, rest);
      else this.routes.delete(instrumentId);
    }
    let isOwned = false;
    for (const group of this.groups) {
      if (group.drop(subscription.topic.instrument, subscription, reason)) isOwned = true;
    }
    return isOwned;
  }

  /** Requests that only an error would answer must not pile up. */
  private dropRequests(subscription: AnySubscription): void {
    const { instrument } = subscription.topic;
    for (const [id, request] of this.requests) {
      if (request.waiting.get(instrument) !== subscription) continue;
      request.waiting.delete(instrument);
      this.settle(id, request);
    }
  }

  private schedule(): void {
    if (!this.isLive || this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      if (this.isLive) this.flush();
    });
  }

  /** Tells the server what has changed: first what is over, for it may be asked for anew. */
  private flush(): void {
    for (const list of this.lists(this.leaving)) {
      const entries = list.map(({ topic: { instrument } }) => ({ instrument }));
      for (const { text } of this.messages('unsubscribe', askOfAll(list), entries)) this.host.send(text);
    }
    this.leaving.clear();
    for (const list of this.lists(this.joining)) this.ask('subscribe', list);
    this.joining.clear();
    // Images that are asked for again.
    for (const subscription of this.stale) this.dropRequests(subscription);
    for (const list of this.lists(this.stale)) this.ask('resync', list);
    this.stale.clear();
  }

  /** What goes out together: the same of several instruments, where the server takes that. */
  private lists(subscriptions: ReadonlySet<AnySubscription>): readonly (readonly AnySubscription[])[] {
    return this.listBytesMax > 0 ? byAsk(subscriptions) : [...subscriptions].map((each) => [each]);
  }

  private ask(op: Request['op'], list: readonly AnySubscription[]): void {
    const byName = new Map(list.map((subscription) => [subscription.topic.instrument, subscription]));
    const entries = list.map(({ topic: { instrument }, resume }) =>
      op === 'resync' ? { instrument } : { instrument, resume },
    );
    for (const { text, id, instruments } of this.messages(op, askOfAll(list), entries)) {
      const waiting = new Map(instruments.map((name) => [name, byName.get(name) as AnySubscription]));
      this.requests.set(id, { op, waiting, isSingle: waiting.size === 1, isMatched: false, nameless: [] });
      this.host.send(text);
    }
  }

  private askFor(group: AnyGroup): void {
    const entries = group.instruments.map((instrument) => ({ instrument }));
    for (const { text, id } of this.messages('subscribe', group.ask, entries)) {
      this.groupRequests.set(id, group);
      this.host.send(text);
    }
  }

  private messages(
    op: 'subscribe' | 'unsubscribe' | 'resync',
    ask: Ask,
    entries: readonly Entry[],
  ): ReturnType<typeof messagesOf> {
    return messagesOf(op, ask, entries, this.listBytesMax, () => this.host.nextId());
  }
}

function isNamed({ topic, granted }: AnySubscription, { channel, instrument, stream }: StreamName): boolean {
  return (
    topic.channel === channel &&
    topic.instrument === instrument &&
    (stream === undefined || granted?.stream === stream)
  );
}

/** The only one that waits; undefined where there are several. */
function only(waiting: ReadonlyMap<string, AnySubscription>): AnySubscription | undefined {
  return waiting.size === 1 ? waiting.values().next().value : undefined;
}
