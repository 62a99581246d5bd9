import type { InstrumentInfo } from '../engine.js';
import type { DepthwireError } from '../errors.js';
import { isPattern, NamePattern } from '../name-pattern.js';
import type { Grant } from './auth/grant.js';
import { channelKey } from './channels.js';
import { ClientStreams, type Wish } from './client-streams.js';
import type { MessageId, Resync, Subscribe, Unsubscribe } from './control.js';
import type { Hub } from './hub.js';
import * as refusal from './refusals.js';
import { seenBy, unknownInstrument } from './served-instrument.js';
import { namesOf, type Subscription } from './subscription.js';
import type { Connection } from './transport.js';
import { Wishes } from './wishes.js';

/** Wishes of a message that are granted in its own turn; the others follow with the ticks. */
const WISHES_AT_ONCE = 32;
/** A message that names patterns counts as one more for so many instruments that they are compared with. */
const COMPARISONS_PER_TOKEN = 1000;

/** What requests need of the client that makes them. */
export interface Requester {
  send(message: object): void;
  /** Answers with an error; one of a wrong message counts against the client. */
  /** `isCounted`: it counts as a mistake of the client, where it is one. */
  answerError(id: MessageId, error: unknown, instrument?: string, isCounted?: boolean): void;
  /** Takes tokens for work that a message asks for; false = the client is being closed for want of them. */
  takeTokens(tokens: number, nowMs: number): boolean;
  /** Whether images and what brings readers back may be sent. */
  hasRoom(): boolean;
}

/** What one client asks for, and what it has of that: single names at once, the rest in turns. */
export class Requests {
  readonly streams: ClientStreams;
  readonly #hub: Hub;
  readonly #terms: Grant;
  readonly #requester: Requester;
  readonly #wishes: Wishes;
  readonly #subscriptionsMax: number;

  constructor(
    connection: Connection,
    hub: Hub,
    grant: Grant,
    subscriptionsMax: number,
    requester: Requester,
  ) {
    this.#hub = hub;
    this.#terms = grant;
    this.#requester = requester;
    this.#wishes = new Wishes(grant);
    this.#subscriptionsMax = subscriptionsMax;
    this.streams = new ClientStreams(connection, hub, () => requester.hasRoom());
  }

  /** Whether wishes wait for their turn. */
  get isWaiting(): boolean {
    return this.#wishes.waiting > 0;
  }

  clear(): void {
    this.#wishes.clear();
    this.streams.clear();
  }

  /** Throws `feed.unknown_instrument`, `feed.not_entitled`, `feed.subscriptions_full`, `feed.views_full`, `feed.bad_field`. */
  subscribe(control: Subscribe, nowMs: number): void {
    const { instruments } = this.#hub;
    const patterns = control.instruments.filter(isPattern).length;
    const tokens = (patterns * instruments.size) / COMPARISONS_PER_TOKEN;
    if (patterns > 0 && !this.#requester.takeTokens(tokens, nowMs)) return;
    const { wishes, errors } = this.#wishes.find(control, instruments);
    const [first] = errors;
    if (control.isSingle && first !== undefined) throw first.error;
    const held = wishes.filter(({ instrument }) => this.streams.get(instrument.name, control.channel)).length;
    const size = this.streams.size + this.#wishes.waiting + wishes.length - held;
    if (size > this.#subscriptionsMax) throw refusal.subscriptionsFull(size, this.#subscriptionsMax);
    if (this.#wishes.isFull(control)) throw refusal.patternsFull();
    if (control.isSingle) {
      for (const wish of wishes) this.streams.grant(wish);
      this.streams.sendOwed(nowMs);
      return;
    }
    const { id, channel } = control;
    this.#requester.send({ op: 'matched', id, ...channel, instruments: wishes.length });
    this.#wishes.add(control, wishes);
    // One message is one mistake: names of a reader that comes back may have gone meanwhile, however many.
    for (const { instrument, error } of errors)
      this.#requester.answerError(id, error, instrument, error === first?.error);
    this.grantWishes(WISHES_AT_ONCE, nowMs);
  }

  /** Grants up to `max` wishes that wait; returns how many. */
  grantWishes(max: number, nowMs: number): number {
    let granted = 0;
    for (; granted < max; granted++) {
      const wish = this.#wishes.take();
      if (wish === undefined) break;
      this.#grant(wish);
    }
    if (granted > 0) this.streams.sendOwed(nowMs);
    return granted;
  }

  /** Throws `feed.not_subscribed` and `feed.unknown_instrument`. */
  unsubscribe(control: Unsubscribe): void {
    const { id, channel, instruments, isSingle } = control;
    let isKnown = false;
    for (const text of instruments) if (isPattern(text) && this.#wishes.forget(text, channel)) isKnown = true;
    const dropped = this.#meant(control);
    const key = channelKey(channel);
    const isMeant = meaning(instruments);
    const waiting = this.#wishes.drop(
      (wish) => channelKey(wish.channel) === key && isMeant(wish.instrument.name),
    );
    if (dropped.length + waiting === 0 && !isKnown) throw this.#notHeld(control);
    for (const subscription of dropped) this.streams.drop(subscription);
    const [first = ''] = instruments;
    this.#requester.send({
      op: 'unsubscribed',
      id,
      ...channel,
      ...(isSingle ? { instrument: first } : { instruments: dropped.length + waiting }),
    });
  }

  /** Throws `feed.not_subscribed` and `feed.unknown_instrument`. */
  resync(control: Resync, nowMs: number): void {
    const meant = this.#meant(control);
    if (meant.length === 0) throw this.#notHeld(control);
    this.#hub.metrics.clientResyncs += meant.length;
    for (const subscription of meant) this.streams.resync(subscription);
    this.streams.sendOwed(nowMs);
  }

  /** Instruments have come and gone. */
  served(added: readonly InstrumentInfo[], removed: ReadonlySet<string>): void {
    if (removed.size > 0) {
      this.#wishes.drop(({ instrument }) => removed.has(instrument.name));
      for (const subscription of this.streams.all()) {
        if (!removed.has(subscription.instrument.name)) continue;
        this.streams.drop(subscription);
        this.#requester.send({ op: 'removed', ...namesOf(subscription), reason: 'not_served' });
      }
    }
    this.#wishes.appeared(added, (name, channel) => this.streams.get(name, channel) !== undefined);
  }

  #grant(wish: Wish): void {
    const { instrument, id, channel } = wish;
    try {
      // What is served may have changed while it waited, and instruments that come later are counted only now.
      if (this.#hub.instruments.get(instrument.name)?.id !== instrument.id) return;
      const isHeld = this.streams.get(instrument.name, channel) !== undefined;
      if (!isHeld && this.streams.size >= this.#subscriptionsMax)
        throw refusal.subscriptionsFull(this.streams.size + 1, this.#subscriptionsMax);
      this.streams.grant(wish);
    } catch (error) {
      this.#requester.answerError(id, error, instrument.name);
    }
  }

  /** The subscriptions that a message is about. */
  #meant({ instruments, channel }: Resync | Unsubscribe): readonly Subscription[] {
    if (!instruments.some(isPattern))
      return instruments.flatMap((name) => this.streams.get(name, channel) ?? []);
    const key = channelKey(channel);
    const isMeant = meaning(instruments);
    return [...this.streams.all()].filter(
      ({ asked, instrument }) => channelKey(asked) === key && isMeant(instrument.name),
    );
  }

  #notHeld({ op, channel, instruments, isSingle }: Resync | Unsubscribe): DepthwireError {
    const { instruments: served } = this.#hub;
    const [first = ''] = instruments;
    // Where it may know of no such instrument the answer is the same whether there is one.
    if (isSingle && !served.has(first) && this.#terms.sees(first))
      return unknownInstrument(first, seenBy(this.#terms, served), `${op}.instrument`);
    return refusal.notSubscribed(op, `${channelKey(channel)} of ${instruments.join(', ')}`);
  }
}

/** Whether a name is one of these, or fits a pattern among them. */
function meaning(instruments: readonly string[]): (name: string) => boolean {
  const names = new Set(instruments);
  const patterns = instruments.filter(isPattern).map((text) => new NamePattern(text));
  return (name) => names.has(name) || patterns.some((pattern) => pattern.fits(name));
}
