// @ts-check
/** Clients of every kind, who hold all that they have against the truth. */
import { channel, connect, WireError } from '../../dist/wire/index.js';
import { Tape } from './judge.mjs';
import { Line } from './line.mjs';

const BACKOFF = { delayMs: 10, delayMsMax: 200 };
const RESYNC = { delayMs: 50, delayMsMax: 500 };
export const PING_INTERVAL_MS = 250;
/** Books are compared at so many of their changes. */
const COMPARED_SHARE = 0.05;

/**
 * @typedef {import('./judge.mjs').Judge} Judge
 * @typedef {import('../../dist/wire/index.js').Feed} Feed
 *
 * @typedef {object} Surroundings
 * @property {Judge} judge
 * @property {readonly string[]} instruments of one venue
 * @property {boolean} hasOrders the venue tells of orders, and not of its own top
 * @property {() => number} random
 *
 * What a client has of each instrument, as far as there is any, how it wants to be brought back, and what its line is like.
 * @typedef {object} Kind
 * @property {string} name
 * @property {readonly ('book' | 'books' | 'orders' | 'trades' | 'bbo' | 'venue' | 'depth5' | 'depth20' | 'status')[]} has
 * @property {import('../../dist/wire/index.js').SubscriptionOptions} [options]
 * @property {number} [bytesPerSecond] of its line
 * @property {boolean} [hasLine] it comes over a line that can be cut
 * @property {boolean} [isCut] its line is cut now and then
 * @property {boolean} [leaves] its subscriptions come and go
 */

/** @type {readonly Kind[]} */
export const KINDS = [
  { name: 'direct', has: ['book', 'orders', 'trades', 'status'] },
  { name: 'cut', has: ['book', 'orders', 'trades', 'depth5', 'bbo'], hasLine: true, isCut: true },
  { name: 'slow', has: ['book', 'depth20', 'venue'], hasLine: true, bytesPerSecond: 300_000 },
  { name: 'coming and going', has: ['book', 'orders', 'depth5', 'trades'], leaves: true },
  { name: 'patterns', has: ['books', 'bbo', 'venue', 'depth20'], hasLine: true },
  {
    name: 'cut, by range',
    has: ['book', 'orders', 'trades', 'venue', 'depth5'],
    options: { by: 'range' },
    hasLine: true,
    isCut: true,
  },
  { name: 'strict', has: ['book', 'orders', 'bbo', 'trades'], options: { mode: 'strict' }, hasLine: true },
  { name: 'tops', has: ['bbo', 'venue', 'depth5', 'depth20', 'status'] },
];

/**
 * A subscription as far as it is looked at here.
 * @typedef {object} Held
 * @property {import('../../dist/wire/index.js').BookSubscription | import('../../dist/wire/index.js').OrdersSubscription | import('../../dist/wire/index.js').TradesSubscription | import('../../dist/wire/index.js').StatusSubscription} subscription
 * @property {() => void} compare
 */

export class Client {
  /** When the server's last greeting came. */
  greetedMs = 0;
  /** How it was brought back, by cause and way. @type {Map<string, number>} */
  brought = new Map();
  /** @type {Map<string, Held>} */
  #held = new Map();

  /**
   * @param {string} name
   * @param {Kind} kind
   * @param {Feed} feed
   * @param {Line | undefined} line
   * @param {Surroundings} surroundings
   */
  constructor(name, kind, feed, line, surroundings) {
    this.name = name;
    this.kind = kind;
    this.feed = feed;
    this.line = line;
    this.surroundings = surroundings;
    const { judge, instruments, hasOrders } = surroundings;
    feed.on('hello', () => {
      this.greetedMs = performance.now();
    });
    feed.on('error', (error) => {
      if (error instanceof WireError || error.code === 'client.callback_failed')
        judge.fail(`${name}: ${error.code}: ${error.message}`);
    });
    const [venue] = (instruments[0] ?? '').split(':');
    for (const what of kind.has) {
      if (what === (hasOrders ? 'venue' : 'orders')) continue;
      if (what === 'books') {
        const group = feed.books(`${venue}:*`, kind.options);
        group.on('added', (subscription) => this.#keepBook(subscription.topic.instrument, subscription, 0));
      } else for (const instrument of instruments) this.#open(what, instrument);
    }
  }

  /**
   * @param {string} name
   * @param {Kind} kind
   * @param {number} port
   * @param {Surroundings} surroundings
   */
  static async open(name, kind, port, surroundings) {
    const line = kind.hasLine ? new Line(port, surroundings.random) : undefined;
    if (line !== undefined && kind.bytesPerSecond !== undefined) line.bytesPerSecond = kind.bytesPerSecond;
    const through = line === undefined ? port : await line.listen();
    const feed = connect(`ws://127.0.0.1:${through}/v1/feed`, {
      reconnect: BACKOFF,
      resync: RESYNC,
      pingIntervalMs: PING_INTERVAL_MS,
    });
    return new Client(name, kind, feed, line, surroundings);
  }

  /** What it calls synced. @returns {readonly string[]} */
  synced() {
    return [...this.#held]
      .filter(([, { subscription }]) => subscription.state === 'synced')
      .map(([name]) => name);
  }

  /** What it does not call synced of what a server brings that has greeted it since. @param {number} sinceMs @returns {readonly string[]} */
  missing(sinceMs) {
    if (this.greetedMs < sinceMs) return [`${this.name}: no connection`];
    const count = this.kind.has.includes('books') ? this.surroundings.instruments.length : 0;
    const books = [...this.#held.keys()].filter((name) => name.startsWith('books')).length;
    return [
      ...(books < count ? [`${this.name}: ${books} of ${count} books`] : []),
      ...[...this.#held]
        .filter(([, { subscription }]) => subscription.state !== 'synced')
        .map(
          ([name, { subscription }]) => `${this.name} ${name}: ${subscription.state}, ${subscription.reason}`,
        ),
    ];
  }

  /** Where its books stand. @returns {Map<string, { epoch: bigint, seq: number }>} */
  places() {
    const places = new Map();
    for (const [name, { subscription }] of this.#held)
      if (/^books? /.test(name)) places.set(name.replace('books', 'book'), subscription.place);
    return places;
  }

  /** Holds all that it has against the truth. */
  compare() {
    for (const { compare } of this.#held.values()) compare();
  }

  /** Does what its kind does now and then. */
  act() {
    const { random } = this.surroundings;
    const { kind, line } = this;
    if (kind.isCut && random() < 0.3) line?.cut(random() < 0.5 ? 'half' : 'reset');
    if (kind.leaves && random() < 0.5) {
      const names = [...this.#held.keys()];
      const name = names[Math.floor(random() * names.length)] ?? '';
      const [what = '', instrument = ''] = name.split(' ');
      this.#held.get(name)?.subscription.close();
      this.#held.delete(name);
      this.#open(/** @type {Kind['has'][number]} */ (what), instrument);
    }
  }

  async close() {
    await this.feed.close();
    this.line?.close();
  }

  /** @param {Kind['has'][number]} what @param {string} instrument */
  #open(what, instrument) {
    const { feed, kind } = this;
    const { judge } = this.surroundings;
    if (what === 'trades') {
      const subscription = feed.subscribe(channel.trades, instrument, kind.options);
      const tape = new Tape(judge, `${this.name} trades ${instrument}`, instrument, subscription);
      this.#keep(`trades ${instrument}`, subscription, () => tape.compare());
    } else if (what === 'orders') {
      const subscription = feed.subscribe(channel.orders, instrument, kind.options);
      const name = `orders ${instrument}`;
      const compare = () => judge.orders(`${this.name} ${name}`, instrument, subscription.orders);
      this.#keepCompared(name, subscription, compare);
    } else if (what === 'status') {
      this.#keep(`status ${instrument}`, feed.subscribe(channel.status, instrument), () => {});
    } else if (what === 'bbo' || what === 'venue') {
      const source = what === 'bbo' ? 'book' : 'venue';
      this.#keepBook(instrument, feed.bbo(instrument, { ...kind.options, source }), 0);
    } else if (what === 'depth5') {
      this.#keepBook(instrument, feed.depth(instrument, { ...kind.options, depth: 5, intervalMs: 0 }), 5);
    } else if (what === 'depth20') {
      this.#keepBook(instrument, feed.depth(instrument, { ...kind.options, depth: 20, intervalMs: 100 }), 20);
    } else {
      this.#keepBook(instrument, feed.book(instrument, kind.options), 0);
    }
  }

  /** @param {string} instrument @param {import('../../dist/wire/index.js').BookSubscription} subscription @param {number} depth */
  #keepBook(instrument, subscription, depth) {
    const { channel, source } = subscription.topic;
    const what = depth > 0 ? `${channel}${depth}` : source === 'venue' ? 'venue' : channel;
    const name = `${what}${this.kind.has.includes('books') && what === 'book' ? 's' : ''} ${instrument}`;
    const { judge } = this.surroundings;
    this.#keepCompared(name, subscription, () =>
      judge.book(`${this.name} ${name}`, instrument, subscription.book, depth),
    );
  }

  /**
   * Something that is compared when it becomes synced, and now and then.
   * @param {string} name
   * @param {import('../../dist/wire/index.js').BookSubscription | import('../../dist/wire/index.js').OrdersSubscription} subscription
   * @param {() => void} compare
   */
  #keepCompared(name, subscription, compare) {
    const { judge, random } = this.surroundings;
    const kept = /** @type {import('../../dist/wire/index.js').BookSubscription} */ (subscription);
    kept.on('update', () => {
      if (random() < COMPARED_SHARE) compare();
    });
    kept.on('state', ({ state }) => {
      if (state === 'synced') compare();
    });
    kept.on('resync', ({ cause, by }) => {
      const way = `${cause} ${by}`;
      this.brought.set(way, 1 + (this.brought.get(way) ?? 0));
    });
    // What is missing after an end is brought by the server: nothing is left for the client to find out by itself.
    kept.on('gap', ({ tag }) => judge.fail(`${this.name} ${name}: ${tag}`));
    this.#keep(name, subscription, compare);
  }

  /** @param {string} name @param {Held['subscription']} subscription @param {() => void} compare */
  #keep(name, subscription, compare) {
    this.#held.set(name, { subscription, compare });
    const any = /** @type {import('../../dist/wire/index.js').BookSubscription} */ (subscription);
    any.on('error', (error) => {
      if (subscription.closed) this.surroundings.judge.fail(`${this.name} ${name} ended: ${error.code}`);
    });
  }
}
