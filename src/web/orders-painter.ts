import { type LocalOrders, memberOf, type Order, type Side } from '../wire/index.js';
import type { BookView } from './book-view.js';
import { withThousands } from './decimal-text.js';
import { bucketOf } from './grouping.js';
import type { LadderPosition } from './ladder-position.js';
import { sideOfBucket } from './sweep.js';
import { addElement, setData, TextCell } from './text-cell.js';

/** Orders of a price that are listed; the rest are counted. */
export const ORDERS_SHOWN_MAX = 100;

/** The orders in one bucket of the ladder, the first to be filled first. */
export interface BucketOrders {
  readonly side: Side | null;
  /** The first of them, at most `ORDERS_SHOWN_MAX`. */
  readonly orders: readonly Order[];
  readonly count: number;
}

/** Finds the orders whose price is in a bucket: best price first, then by their place in its queue. */
export function ordersIn(orders: LocalOrders, side: Side | null, bucket: number, size: number): BucketOrders {
  if (side === null) return { side, orders: [], count: 0 };
  const found: Order[] = [];
  let count = 0;
  for (let at = 0; at < orders.levelCount(side); at += 1) {
    const level = orders.levelAt(side, at);
    if (level === undefined || typeof level.price === 'bigint') continue;
    const own = bucketOf(side, level.price, size);
    if (side === 'bid' ? own < bucket : own > bucket) break;
    if (own !== bucket) continue;
    count += level.orders;
    for (const order of orders.queue(side, level.price)) {
      if (found.length >= ORDERS_SHOWN_MAX) break;
      found.push(order);
    }
  }
  return { side, orders: found, count };
}

class OrderRow {
  readonly element: HTMLElement;
  readonly #place: TextCell;
  readonly #price: TextCell;
  readonly #qty: TextCell;
  readonly #id: TextCell;

  constructor(parent: HTMLElement) {
    this.element = addElement(parent, 'div', 'order');
    this.element.setAttribute('role', 'row');
    const cell = (className: string): TextCell => {
      const element = addElement(this.element, 'span', className);
      element.setAttribute('role', 'cell');
      return new TextCell(element);
    };
    this.#place = cell('order-place');
    this.#price = cell('order-price');
    this.#qty = cell('order-qty');
    this.#id = cell('order-id');
  }

  set(place: number, order: Order, orders: LocalOrders, members: readonly string[]): void {
    setData(this.element, 'side', order.side);
    this.#place.set(String(place + 1));
    this.#price.set(withThousands(orders.priceText(order.price)));
    this.#qty.set(withThousands(orders.qtyText(order.qty)));
    this.#id.set(memberOf(order.id, members) ?? String(order.id));
  }
}

/** Lists the orders at the chosen row of the ladder. */
export class OrdersPainter {
  readonly #parent: HTMLElement;
  readonly #title: TextCell;
  readonly #note: TextCell;
  readonly #rows: OrderRow[] = [];
  #drawn = '';

  constructor(part: (selector: string) => HTMLElement) {
    this.#parent = part('.order-list');
    this.#parent.setAttribute('role', 'table');
    this.#parent.tabIndex = 0;
    this.#parent.ariaLabel = 'Orders: place in the queue, price, quantity, id';
    this.#title = new TextCell(part('.orders-at'));
    this.#note = new TextCell(part('.orders-note'));
  }

  /** `error`: why there are none, in words. `members`: what a consolidated book is made of, whose orders are theirs. */
  paint(
    orders: LocalOrders,
    error: string,
    book: BookView,
    position: LadderPosition,
    members: readonly string[] = [],
  ): void {
    const { cursor, size } = position;
    const key = `${error} ${orders.state} ${orders.epoch} ${orders.seq} ${cursor} ${size}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    const side = Number.isNaN(cursor)
      ? null
      : sideOfBucket(cursor, position.bid(book.bestBid), position.ask(book.bestAsk));
    const found = ordersIn(orders, side, cursor, size);
    const isShown = error === '' && orders.state === 'synced';
    setData(this.#parent, 'dim', isShown ? null : '');
    this.#title.set(side === null ? '' : `${side} ${found.count}`);
    this.#note.set(noteOf(error, orders.state, cursor, found));
    while (this.#rows.length < found.orders.length) this.#rows.push(new OrderRow(this.#parent));
    while (this.#rows.length > found.orders.length) this.#rows.pop()?.element.remove();
    for (const [place, order] of found.orders.entries())
      this.#rows[place]?.set(place, order, orders, members);
  }
}

function noteOf(error: string, state: string, cursor: number, found: BucketOrders): string {
  if (error !== '') return error;
  if (state !== 'synced') return `The orders are ${state}.`;
  if (Number.isNaN(cursor)) return 'Choose a price of the ladder.';
  if (found.count === 0) return 'No orders here.';
  const more = found.count - found.orders.length;
  return more > 0 ? `and ${more} more` : '';
}
