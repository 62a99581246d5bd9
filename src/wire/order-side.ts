import { PriceQueue } from './order-queue.js';
import type { Side } from './protocol.js';

/** One side of a book of orders: a queue a price, best last, because most changes lie near to the top. */
export class OrderSide {
  readonly side: Side;
  private readonly queues: PriceQueue[] = [];

  constructor(side: Side) {
    this.side = side;
  }

  /** Prices with orders. */
  get length(): number {
    return this.queues.length;
  }

  /** The queue at an index from the best. */
  at(index: number): PriceQueue | undefined {
    return this.queues[this.queues.length - 1 - index];
  }

  find(price: number | bigint): PriceQueue | undefined {
    const queue = this.queues[this.lowerBound(price)];
    return queue !== undefined && queue.price === price ? queue : undefined;
  }

  /** The queue of a price, made where there is none. */
  open(price: number | bigint): PriceQueue {
    const at = this.lowerBound(price);
    const found = this.queues[at];
    if (found !== undefined && found.price === price) return found;
    const queue = new PriceQueue(price);
    this.queues.splice(at, 0, queue);
    return queue;
  }

  /** Takes an empty queue out. */
  drop(queue: PriceQueue): void {
    const at = this.lowerBound(queue.price);
    if (this.queues[at] === queue) this.queues.splice(at, 1);
  }

  /** The first index whose price is not worse than `price`. */
  private lowerBound(price: number | bigint): number {
    let low = 0;
    let high = this.queues.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = (this.queues[middle] as PriceQueue).price;
      if (this.side === 'bid' ? other < price : other > price) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
