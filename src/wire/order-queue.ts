import { differenceOf, sumOf } from './level.js';
import type { Side } from './protocol.js';

/** What an order is called by its owner: a number, a UUID in lower case, or any other text. */
export type OrderId = number | bigint | string;

/** An order that rests in a book. It is live: it changes with the book. Mantissas beyond 2^53 are BigInts. */
export interface Order {
  readonly id: OrderId;
  readonly side: Side;
  readonly price: number | bigint;
  readonly qty: number | bigint;
}

/** The 16 bytes of an id as they came, as little-endian words: what checksums are computed of. */
export type IdWords = readonly [number, number, number, number];

/** An order in its queue. */
export class QueuedOrder implements Order {
  readonly id: OrderId;
  readonly words: IdWords;
  readonly side: Side;
  qty: number | bigint;
  queue: PriceQueue;
  before: QueuedOrder | undefined;
  behind: QueuedOrder | undefined;

  constructor(id: OrderId, words: IdWords, side: Side, qty: number | bigint, queue: PriceQueue) {
    this.id = id;
    this.words = words;
    this.side = side;
    this.qty = qty;
    this.queue = queue;
  }

  get price(): number | bigint {
    return this.queue.price;
  }
}

/**
 * The orders at one price, the first to be filled first. Joining at either end and leaving are constant; joining at another
 * place walks to it from the nearer end.
 */
export class PriceQueue {
  readonly price: number | bigint;
  /** Orders, and what they have left in all. */
  count = 0;
  qty: number | bigint = 0;
  first: QueuedOrder | undefined;
  private last: QueuedOrder | undefined;

  constructor(price: number | bigint) {
    this.price = price;
  }

  /** Puts an order behind `place` others. `place` is at most `count`. */
  insert(order: QueuedOrder, place: number): void {
    const behind = this.at(place);
    const before = behind === undefined ? this.last : behind.before;
    order.queue = this;
    order.before = before;
    order.behind = behind;
    if (before === undefined) this.first = order;
    else before.behind = order;
    if (behind === undefined) this.last = order;
    else behind.before = order;
    this.count += 1;
    this.qty = sumOf(this.qty, order.qty);
  }

  remove(order: QueuedOrder): void {
    const { before, behind } = order;
    if (before === undefined) this.first = behind;
    else before.behind = behind;
    if (behind === undefined) this.last = before;
    else behind.before = before;
    order.before = undefined;
    order.behind = undefined;
    this.count -= 1;
    this.qty = differenceOf(this.qty, order.qty);
  }

  /** Changes what an order has left; it keeps its place. */
  change(order: QueuedOrder, qty: number | bigint): void {
    this.qty = sumOf(differenceOf(this.qty, order.qty), qty);
    order.qty = qty;
  }

  /** The order behind `place` others; undefined at the end. */
  private at(place: number): QueuedOrder | undefined {
    if (place >= this.count) return undefined;
    if (place > this.count / 2) {
      let order = this.last;
      for (let at = this.count - 1; at > place; at -= 1) order = order?.before;
      return order;
    }
    let order = this.first;
    for (let at = 0; at < place; at += 1) order = order?.behind;
    return order;
  }
}
