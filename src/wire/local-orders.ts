import {
  APPLIED,
  type ApplyOutcome,
  AWAITING_IMAGE,
  type BookCheck,
  CHECKED,
  CHUNK,
  CHUNK_DISCARDED,
  IMAGE,
  OLD,
  OTHER_KIND,
  OTHER_SEQ,
} from './apply-outcome.js';
import { decimalText } from './decimal.js';
import { badFrame, ClientError } from './errors.js';
import type { FrameReader } from './frame.js';
import { OrderRows } from './frame-orders.js';
import { ORDER_SIDES, OrderAction } from './generated/constants.js';
import { narrowed, sumOf } from './level.js';
import { LocalStream } from './local-stream.js';
import { OrderBook, type OrderLevel } from './order-book.js';
import { NameTable, orderIdAt } from './order-id.js';
import { type Order, type OrderId, QueuedOrder } from './order-queue.js';
import { Kind, type Side } from './protocol.js';

/** Orders that a book holds at most, unless told otherwise. */
export const ORDERS_MAX = 1 << 20;
/** Names that may be kept without an order of theirs. */
const NAMES_SPARE = 4096;

/**
 * The orders of an instrument in the venue's queues, rebuilt from the frames of its `orders` stream.
 *
 * It keeps the rules of docs/protocol.md and never says `synced` of orders that are not exactly the server's at
 * (`epoch`, `seq`): a change that does not fit what is kept makes them stale until the next image. While they are, the
 * last content stays readable. Prices and quantities are mantissas, BigInts beyond 2^53. What it returns is live.
 */
export class LocalOrders extends LocalStream {
  private readonly ordersMax: number;
  private orders = new OrderBook();
  private staged = new OrderBook();
  private names = new NameTable();
  private stagedNames = new NameTable();

  constructor(ordersMax: number = ORDERS_MAX) {
    super();
    this.ordersMax = ordersMax;
  }

  /**
   * Applies the reader's current frame. Throws a `FeedError` when it cannot be held exactly: the orders are then stale
   * with reason `bad_frame`. Cost: a look-up a change, and a walk of its queue for a place that is neither end; a check
   * and an image are linear in the orders.
   */
  apply(frame: FrameReader): ApplyOutcome {
    try {
      switch (frame.kind) {
        case Kind.image:
          return this.applyImage(frame);
        case Kind.orders:
          return this.applyChanges(frame);
        case Kind.check:
          return this.applyCheck(frame);
        case Kind.status:
          return this.applyStatus(frame);
        default:
          return OTHER_KIND;
      }
    } catch (error) {
      this.failFrame();
      throw error;
    }
  }

  /** Number of orders, of one side or of both. */
  count(side?: Side): number {
    return side === undefined ? this.orders.size : this.orders.countOf(side);
  }

  /** The order of that name: a number or BigInt, a UUID in lower case, or another text, as the venue writes it. */
  get(id: OrderId): Order | undefined {
    return this.orders.get(keyOf(id));
  }

  /** How many orders stand before that one at its price: 0 = it is filled next. Undefined where there is no such order. Walks them. */
  ordersAhead(id: OrderId): number | undefined {
    const order = this.orders.get(keyOf(id));
    if (order === undefined) return undefined;
    let ahead = 0;
    for (let other = order.before; other !== undefined; other = other.before) ahead += 1;
    return ahead;
  }

  /** What those orders have left in all. */
  qtyAhead(id: OrderId): number | bigint | undefined {
    const order = this.orders.get(keyOf(id));
    if (order === undefined) return undefined;
    let ahead: number | bigint = 0;
    for (let other = order.before; other !== undefined; other = other.before) ahead = sumOf(ahead, other.qty);
    return ahead;
  }

  /** The orders at a price, the first to be filled first. */
  *queue(side: Side, price: number | bigint): Generator<Order, void, undefined> {
    const queue = this.orders.sideOf(side).find(typeof price === 'bigint' ? narrowed(price) : price);
    for (let order = queue?.first; order !== undefined; order = order.behind) yield order;
  }

  /** The best bid with its orders summed; undefined in an empty side. */
  get bestBid(): OrderLevel | undefined {
    return this.levelAt('bid', 0);
  }

  /** The best ask likewise. */
  get bestAsk(): OrderLevel | undefined {
    return this.levelAt('ask', 0);
  }

  /** Prices with orders. */
  levelCount(side: Side): number {
    return this.orders.sideOf(side).length;
  }

  /** A copy of the level at an index from the best, 0 = best; undefined beyond the last. */
  levelAt(side: Side, levelIndex: number): OrderLevel | undefined {
    const queue = this.orders.sideOf(side).at(levelIndex);
    return queue && { price: queue.price, qty: queue.qty, orders: queue.count };
  }

  /** The levels of a side, best first. */
  *levels(side: Side): Generator<OrderLevel, void, undefined> {
    for (let at = 0; at < this.levelCount(side); at += 1) yield this.levelAt(side, at) as OrderLevel;
  }

  /** The exact decimal of a price mantissa. */
  priceText(price: number | bigint): string {
    return decimalText(price, this.priceExponent, this.priceDecimalsMin);
  }

  /** The exact decimal of a quantity mantissa. */
  qtyText(qty: number | bigint): string {
    return decimalText(qty, this.qtyExponent, this.qtyDecimalsMin);
  }

  /** Checksums of the orders as the protocol defines them. Linear in the orders. */
  check(): BookCheck {
    return this.orders.check();
  }

  /** The name of an order of a frame that was applied; undefined for one that has none. */
  idAt(orders: OrderRows, index: number): OrderId | undefined {
    return orderIdAt(orders, index, this.names);
  }

  private applyImage(frame: FrameReader): ApplyOutcome {
    const { chunkIndex, chunkCount, seq } = frame;
    const orders = new OrderRows(frame);
    if (chunkIndex >= chunkCount)
      throw badFrame('info.chunk_index', `below the chunk count ${chunkCount}`, String(chunkIndex));
    const turn = this.takeChunk(frame, chunkIndex, chunkCount, seq);
    if (turn === undefined) return CHUNK_DISCARDED;
    if (turn === 'first') {
      this.staged = new OrderBook();
      this.stagedNames.clear();
    }
    this.stagedNames.take(frame);
    for (let at = 0; at < orders.count; at += 1) {
      const id = orderIdAt(orders, at, this.stagedNames);
      const what =
        orders.action(at) === OrderAction.add ? this.add(this.staged, orders, at, id) : 'it only adds';
      if (what !== undefined) throw badFrame('orders', 'an image of orders, each once', what);
    }
    return chunkIndex + 1 < chunkCount ? CHUNK : this.takeImage(frame, seq);
  }

  private takeImage(frame: FrameReader, seq: number): ApplyOutcome {
    this.priceExponent = frame.priceExponent;
    this.qtyExponent = frame.qtyExponent;
    this.orders = this.staged;
    this.staged = new OrderBook();
    [this.names, this.stagedNames] = [this.stagedNames, this.names];
    this.takeImagePlace(frame, seq);
    const failed = this.verify(frame);
    if (failed) return failed;
    this.takeImageState(frame);
    return IMAGE;
  }

  /** Rules 2 and 4. */
  private applyChanges(frame: FrameReader): ApplyOutcome {
    if (this.awaitingImage) return AWAITING_IMAGE;
    if (!this.isMine(frame)) return this.otherEpoch(frame);
    const { seq, prevSeq } = frame;
    if (seq <= this.seq) return OLD;
    if (prevSeq !== this.seq) return this.missed(prevSeq);
    const orders = new OrderRows(frame);
    this.names.take(frame);
    for (let at = 0; at < orders.count; at += 1) {
      const what = this.change(orders, at);
      if (what === undefined) continue;
      this.loseTruth('check_failed');
      return { tag: 'contradiction', what };
    }
    if (this.names.size > this.orders.size + NAMES_SPARE) {
      this.names.keepOnly((text) => this.orders.get(text) !== undefined);
    }
    this.takeHeader(frame, seq);
    this.settle(frame.flags);
    return APPLIED;
  }

  /** One change; what does not fit, in words. */
  private change(orders: OrderRows, at: number): string | undefined {
    const action = orders.action(at);
    if (action === OrderAction.clear) {
      this.orders = new OrderBook();
      return undefined;
    }
    const id = orderIdAt(orders, at, this.names);
    if (action === OrderAction.add) return this.add(this.orders, orders, at, id);
    const order = id === undefined ? undefined : this.orders.get(id);
    if (order === undefined) return `there is no order ${id ?? 'of that name'}`;
    switch (action) {
      case OrderAction.change:
        if (orders.price(at) !== order.price) return `order ${id} is at another price`;
        order.queue.change(order, qtyAt(orders, at));
        return undefined;
      case OrderAction.move: {
        const qty = qtyAt(orders, at);
        this.orders.remove(order);
        order.qty = qty;
        return this.orders.insert(order, orders.price(at), orders.place(at))
          ? undefined
          : `order ${id} has no such place`;
      }
      case OrderAction.remove:
        this.orders.remove(order);
        return undefined;
      default:
        return `action ${action} is not known`;
    }
  }

  private add(book: OrderBook, orders: OrderRows, at: number, id: OrderId | undefined): string | undefined {
    const side = ORDER_SIDES[orders.side(at)];
    if (id === undefined) return 'an order has no name';
    if (side !== 'bid' && side !== 'ask') return `order ${id} has no side`;
    if (book.get(id) !== undefined) return `order ${id} is there already`;
    if (book.size >= this.ordersMax) throw tooManyOrders(this.ordersMax);
    const words = [
      orders.idWord(at, 0),
      orders.idWord(at, 1),
      orders.idWord(at, 2),
      orders.idWord(at, 3),
    ] as const;
    const price = orders.price(at);
    const order = new QueuedOrder(id, words, side, qtyAt(orders, at), book.sideOf(side).open(price));
    return book.insert(order, price, orders.place(at)) ? undefined : `order ${id} has no such place`;
  }

  /** Rule 5. */
  private applyCheck(frame: FrameReader): ApplyOutcome {
    if (this.awaitingImage) return AWAITING_IMAGE;
    if (!this.isMine(frame)) return this.otherEpoch(frame);
    if (frame.seq > this.seq) return this.missed(frame.seq);
    if (frame.seq < this.seq) return OTHER_SEQ;
    return this.verify(frame) ?? CHECKED;
  }

  private verify(frame: FrameReader): ApplyOutcome | undefined {
    const expected: BookCheck = {
      topCrc: frame.checkTopCrc,
      allCrc: frame.checkAllCrc,
      bidCount: frame.checkBidCount,
      askCount: frame.checkAskCount,
    };
    const got = this.check();
    const agrees =
      got.topCrc === expected.topCrc &&
      got.allCrc === expected.allCrc &&
      got.bidCount === expected.bidCount &&
      got.askCount === expected.askCount;
    if (agrees) return undefined;
    this.loseTruth('check_failed');
    return { tag: 'check_failed', expected, got };
  }
}

/** How an id is kept: a number that fits in one is never a BigInt. */
function keyOf(id: OrderId): OrderId {
  return typeof id === 'bigint' ? narrowed(id) : id;
}

function qtyAt(orders: OrderRows, at: number): number | bigint {
  const qty = orders.qty(at);
  if (qty < 0) throw badFrame('orders.qty', 'a quantity of 0 or more', String(qty));
  return qty;
}

function tooManyOrders(ordersMax: number): ClientError {
  return new ClientError({
    code: 'client.orders_limit',
    what: 'a book has more orders than this client holds',
    where: 'ordersMax',
    expected: `at most ${ordersMax} orders`,
    got: 'more',
    fix: 'raise ordersMax, or subscribe to the book',
  });
}
