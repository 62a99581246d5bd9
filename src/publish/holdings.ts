import { STREAM } from '../engine.js';
import { followsBook, isView, type ViewChannel } from './channels.js';
import type { Hub } from './hub.js';
import type { Subscription } from './subscription.js';
import type { Member, Receiver } from './topics.js';

/** What one client holds, and the topics that it is a member of for that. */
export class Holdings {
  readonly #hub: Hub;
  readonly #receiver: Receiver;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Memberships by stream, with the number of subscriptions that need each: the status stream serves several. */
  readonly #members = new Map<string, { readonly member: Member; uses: number }>();

  constructor(hub: Hub, receiver: Receiver) {
    this.#hub = hub;
    this.#receiver = receiver;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  get(key: string): Subscription | undefined {
    return this.#subscriptions.get(key);
  }

  /** All of them; those that are removed meanwhile are left out. */
  all(): IterableIterator<Subscription> {
    return this.#subscriptions.values();
  }

  /** Streams of the views of a kind of an instrument that the client holds. */
  views(instrument: number, kind: ViewChannel['channel']): ReadonlySet<number> {
    const held = new Set<number>();
    for (const { channel, instrument: of, stream } of this.#subscriptions.values())
      if (channel.channel === kind && of.id === instrument) held.add(stream);
    return held;
  }

  add(subscription: Subscription): void {
    this.#subscriptions.set(subscription.key, subscription);
    const { instrument, stream } = subscription;
    if (followsBook(stream)) this.#join(instrument.id, STREAM.status);
    this.#hub.metrics.subscriptions += 1;
  }

  remove(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription.key)) return;
    const { channel, instrument, stream } = subscription;
    this.leave(subscription);
    if (followsBook(stream)) this.#leave(instrument.id, STREAM.status);
    if (isView(channel)) this.#hub.engine.closeView(instrument.id, stream);
    if (channel.channel === 'orders') this.#hub.engine.closeOrders(instrument.id);
    this.#hub.metrics.subscriptions -= 1;
  }

  clear(): void {
    for (const subscription of this.#subscriptions.values()) this.remove(subscription);
  }

  /** Frames of the stream go to the client from now on. */
  join(subscription: Subscription): void {
    if (subscription.isLive) return;
    subscription.isLive = true;
    this.#join(subscription.instrument.id, subscription.stream);
  }

  leave(subscription: Subscription): void {
    if (!subscription.isLive) return;
    subscription.isLive = false;
    this.#leave(subscription.instrument.id, subscription.stream);
  }

  #join(instrument: number, stream: number): void {
    const name = `${instrument}/${stream}`;
    const held = this.#members.get(name);
    if (held !== undefined) held.uses += 1;
    else {
      const member = this.#hub.fanout.join(instrument, stream, this.#receiver);
      this.#members.set(name, { member, uses: 1 });
    }
  }

  #leave(instrument: number, stream: number): void {
    const name = `${instrument}/${stream}`;
    const held = this.#members.get(name);
    if (held === undefined) return;
    held.uses -= 1;
    if (held.uses > 0) return;
    this.#members.delete(name);
    this.#hub.fanout.leave(held.member);
  }
}
