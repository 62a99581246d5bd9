import type { BookCheck } from './apply-outcome.js';
import { CRC32C_START, crc32cFinish, crc32cLevel, crc32cLevelBigInt, crc32cWord } from './crc32c.js';
import { PLACE_LAST, TOP_LEVELS } from './generated/constants.js';
import type { OrderId, QueuedOrder } from './order-queue.js';
import { OrderSide } from './order-side.js';
import type { Side } from './protocol.js';

/** A price with its orders. Mantissas beyond 2^53 are BigInts. */
export interface OrderLevel {
  readonly price: number | bigint;
  /** What its orders have left in all. */
  readonly qty: number | bigint;
  readonly orders: number;
}

/** Orders by name and by place. */
export class OrderBook {
  private readonly byId = new Map<OrderId, QueuedOrder>();
  private readonly bids = new OrderSide('bid');
  private readonly asks = new OrderSide('ask');
  private bidCount = 0;

  get size(): number {
    return this.byId.size;
  }

  countOf(side: Side): number {
    return side === 'bid' ? this.bidCount : this.byId.size - this.bidCount;
  }

  sideOf(side: Side): OrderSide {
    return side === 'bid' ? this.bids : this.asks;
  }

  get(id: OrderId): QueuedOrder | undefined {
    return this.byId.get(id);
  }

  /** Puts an order that is in no queue behind `place` others of a price. False where there are not so many. */
  insert(order: QueuedOrder, price: number | bigint, place: number): boolean {
    const queue = this.sideOf(order.side).open(price);
    const at = place === PLACE_LAST ? queue.count : place;
    if (at > queue.count) return false;
    queue.insert(order, at);
    this.byId.set(order.id, order);
    if (order.side === 'bid') this.bidCount += 1;
    return true;
  }

  remove(order: QueuedOrder): void {
    const { queue, side } = order;
    queue.remove(order);
    if (queue.count === 0) this.sideOf(side).drop(queue);
    this.byId.delete(order.id);
    if (side === 'bid') this.bidCount -= 1;
  }

  check(): BookCheck {
    return {
      topCrc: crc32cFinish(crcOf(this.asks, TOP_LEVELS, crcOf(this.bids, TOP_LEVELS, CRC32C_START))),
      allCrc: crc32cFinish(crcOf(this.asks, Infinity, crcOf(this.bids, Infinity, CRC32C_START))),
      bidCount: this.countOf('bid'),
      askCount: this.countOf('ask'),
    };
  }
}

/** Feeds the first `count` orders of a side to a CRC32C register, in the order of an image. */
function crcOf(side: OrderSide, count: number, start: number): number {
  let crc = start;
  let left = count;
  for (let at = 0; at < side.length; at += 1) {
    for (let order = side.at(at)?.first; order !== undefined; order = order.behind) {
      if (left === 0) return crc;
      left -= 1;
      for (const word of order.words) crc = crc32cWord(crc, word);
      const { price, qty } = order;
      crc =
        typeof price === 'number' && typeof qty === 'number'
          ? crc32cLevel(crc, price, qty)
          : crc32cLevelBigInt(crc, BigInt(price), BigInt(qty));
    }
  }
  return crc;
}
