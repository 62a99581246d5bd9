import type { InstrumentInfo } from '../engine.js';
import { Connection, type ConnectionListener, type ConnectionOptions } from './connection.js';
import { bringsBook, type SocketChoice } from './stream-choice.js';
import { type Subscription, subscriptionsOf } from './subscription.js';

/** What one instrument takes of a connection. */
interface Carried {
  readonly subscriptions: readonly Subscription[];
  /** Those of its book. */
  readonly book: readonly Subscription[];
}

export interface LinkOptions extends Pick<ConnectionOptions, 'account' | 'net'> {
  readonly choice: SocketChoice;
  /** Of several that carry the same: 0, 1. */
  readonly line: number;
  /** The engine's number of it. */
  readonly source: number;
}

/** A connection, the engine's source that it feeds, and the instruments that both are about. */
export class Link {
  readonly choice: SocketChoice;
  readonly line: number;
  readonly source: number;
  readonly connection: Connection;
  readonly #subscriptionsMax: number;
  readonly #carried = new Map<number, Carried>();
  /** How many instruments use a subscription. */
  readonly #uses = new Map<string, number>();
  /** When a subscription was sent last on the connection that is open, by the clock. */
  readonly #sentMs = new Map<string, number>();
  /** Connections made, and what the last loss was. */
  connects = 0;
  lastLoss = '';

  constructor({ choice, line, source, account, net }: LinkOptions, listener: ConnectionListener) {
    this.choice = choice;
    this.line = line;
    this.source = source;
    this.#subscriptionsMax = subscriptionsMaxOf(choice);
    this.connection = new Connection(
      { facts: choice.facts, account, net },
      {
        ...listener,
        onOpened: () => {
          this.connects += 1;
          this.#sentMs.clear();
          listener.onOpened();
        },
        onSubscribed: (subscriptions) => {
          const nowMs = net.clock.nowMs();
          for (const { key } of subscriptions) this.#sentMs.set(key, nowMs);
          listener.onSubscribed(subscriptions);
        },
        onLost: (loss, wasOpen, retryMs) => {
          this.lastLoss = `${loss.cause}: ${loss.detail}`;
          this.#sentMs.clear();
          listener.onLost(loss, wasOpen, retryMs);
        },
      },
    );
  }

  get instruments(): IterableIterator<number> {
    return this.#carried.keys();
  }

  get size(): number {
    return this.#carried.size;
  }

  carries(instrument: number): boolean {
    return this.#carried.has(instrument);
  }

  /** Whether there is room for what an instrument takes. */
  hasRoomFor(instrument: InstrumentInfo): boolean {
    const most = this.#subscriptionsMax;
    const more = this.#taken(instrument).filter(({ key }) => !this.#uses.has(key)).length;
    return this.#carried.size === 0 || this.#uses.size + more <= most;
  }

  add(instruments: readonly InstrumentInfo[]): void {
    const news: Subscription[] = [];
    for (const instrument of instruments) {
      const subscriptions = this.#taken(instrument);
      const book = subscriptions.filter(({ stream }) => bringsBook(stream));
      this.#carried.set(instrument.id, { subscriptions, book });
      for (const subscription of subscriptions) {
        const uses = this.#uses.get(subscription.key) ?? 0;
        if (uses === 0) news.push(subscription);
        this.#uses.set(subscription.key, uses + 1);
      }
    }
    // In the order of the venue's streams: definitions come before what they define.
    const order = this.choice.choices.map(({ stream }) => stream);
    this.connection.add(news.sort((a, b) => order.indexOf(a.stream) - order.indexOf(b.stream)));
  }

  remove(instrument: number): void {
    const carried = this.#carried.get(instrument);
    if (carried === undefined) return;
    this.#carried.delete(instrument);
    const gone = carried.subscriptions.filter(({ key }) => {
      const uses = (this.#uses.get(key) ?? 1) - 1;
      if (uses > 0) this.#uses.set(key, uses);
      else this.#uses.delete(key);
      return uses === 0;
    });
    this.connection.remove(gone);
  }

  /** Subscribes a book anew, alone. */
  renewBook(instrument: number): void {
    this.connection.renew(this.#carried.get(instrument)?.book ?? []);
  }

  /** How long ago the book was subscribed on the connection that is open; undefined where it was not. */
  bookSentMs(instrument: number): number | undefined {
    const book = this.#carried.get(instrument)?.book ?? [];
    let last: number | undefined;
    for (const { key } of book) {
      const sentMs = this.#sentMs.get(key);
      if (sentMs === undefined) return undefined;
      last = Math.max(last ?? sentMs, sentMs);
    }
    return last;
  }

  /** Whether all that is carried has been subscribed on the connection that is open. */
  get isSubscribed(): boolean {
    return [...this.#uses.keys()].every((key) => this.#sentMs.has(key));
  }

  #taken({ symbol, codes }: InstrumentInfo): readonly Subscription[] {
    const code = codes[0] ?? symbol;
    return this.choice.choices.flatMap(({ stream, depth }) =>
      subscriptionsOf(stream, depth, { symbol, code }),
    );
  }
}

/** Windows of rates that are waited for rather than left to another connection. */
const WINDOW_MS_MAX = 10_000;

/**
 * Subscriptions of a connection that the venue allows, and no more than can be made without waiting for the next window of a rate
 * that lasts long: beside them the beats of the window go out.
 */
function subscriptionsMaxOf({ facts, choices }: SocketChoice): number {
  const { limits, beat, opening } = facts;
  const argsMax = Math.min(...choices.map(({ stream }) => stream.argsMax));
  const byRate = limits.rates
    .filter(({ of, windowMs }) => windowMs > WINDOW_MS_MAX && of !== 'subscriptions')
    .map(({ of, max, windowMs }) => {
      const beats = of === 'messages' ? 1 + Math.ceil(windowMs / beat.everyMs) : 0;
      return Math.max(1, max - beats - opening.length) * argsMax;
    });
  return Math.min(limits.subscriptionsMax ?? Number.POSITIVE_INFINITY, ...byRate);
}
