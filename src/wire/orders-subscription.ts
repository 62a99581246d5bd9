import type { Channel } from './channel.js';
import type { Topic } from './control.js';
import type { FrameReader } from './frame.js';
import { OrderRows } from './frame-orders.js';
import { ORDER_SIDES, OrderAction } from './generated/constants.js';
import { type KeptEvents, KeptSubscription } from './kept-subscription.js';
import { LocalOrders } from './local-orders.js';
import type { OrderId } from './order-queue.js';
import type { OrderCause, Side } from './protocol.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/** What a subscription of orders may be given. */
export interface OrdersOptions extends SubscriptionOptions {
  /** Orders that are held at most; default 2^20. Beyond it the subscription fails. */
  readonly ordersMax?: number;
}

/** What happened to one order. Mantissas beyond 2^53 are BigInts. */
export interface OrderChange {
  /** `clear`: all orders left; the other fields say nothing then. */
  readonly action: keyof typeof OrderAction;
  readonly id: OrderId | undefined;
  readonly side: Side | undefined;
  readonly price: number | bigint;
  /** What is left. */
  readonly qty: number | bigint;
  readonly cause: OrderCause;
  /** Sequence of the frame that brought it. */
  readonly seq: number;
}

export interface OrdersEvents extends KeptEvents<LocalOrders> {
  /** Each change in turn; all changes of its frame are in already. Images tell none. */
  change: OrderChange;
}

const ACTIONS = Object.keys(OrderAction) as (keyof typeof OrderAction)[];

/** The orders of an instrument in the venue's queues. A loop over it yields the live orders. */
export class OrdersSubscription extends KeptSubscription<LocalOrders, LocalOrders, OrdersEvents> {
  readonly orders: LocalOrders;

  /** @internal */
  constructor(host: Host, topic: Topic, options: OrdersOptions, backoff: Backoff) {
    const orders = new LocalOrders(options.ordersMax);
    super(host, topic, options, backoff, orders);
    this.orders = orders;
  }

  protected get item(): LocalOrders {
    return this.orders;
  }

  protected override applied(frame: FrameReader): void {
    if (!this.listeners.has('change')) return;
    const orders = new OrderRows(frame);
    const { seq } = frame;
    for (let at = 0; at < orders.count; at += 1) {
      const side = ORDER_SIDES[orders.side(at)];
      this.listeners.emit('change', {
        action: ACTIONS[orders.action(at) - 1] ?? 'change',
        id: this.orders.idAt(orders, at),
        side: side === 'bid' || side === 'ask' ? side : undefined,
        price: orders.price(at),
        qty: orders.qty(at),
        cause: orders.cause(at),
        seq,
      });
    }
  }
}

/** Every order in the venue's queues, where the venue tells them. */
export const orders: Channel<OrdersOptions, OrdersSubscription> = {
  name: 'orders',
  Subscription: OrdersSubscription,
};
