import type { FrameReader } from '../wire/frame.js';
import { OrderRows as FrameOrders } from '../wire/frame-orders.js';
import { ORDER_CAUSES, OrderAction, STATE } from '../wire/generated/constants.js';
import { LocalOrders } from '../wire/local-orders.js';
import { NameTable, orderIdAt } from '../wire/order-id.js';
import type { Order, OrderId } from '../wire/order-queue.js';
import { Kind, Stream } from '../wire/protocol.js';
import { decimal, EXPONENTS, integer, placeColumns, type Schema, SIDES, TRUST, word } from './columns.js';
import type { RowMaker } from './level-rows.js';
import { type Market, Markets, PlaceWriter, TrustWriter } from './markets.js';
import type { ByteData, LongData, RowBatch, TextData, WordData } from './row-batch.js';

const EVENTS = ['image', 'change', 'status'] as const;
const [IMAGE, CHANGE, STATUS] = [0, 1, 2];
/** Words of actions by their numbers; the first is of none. */
const ACTIONS = ['none', 'add', 'change', 'move', 'remove', 'clear'] as const;
ACTIONS[OrderAction.clear] satisfies 'clear';
/** Orders that one book may have: as many as the engine's. */
const ORDERS_MAX = 1 << 24;
/** Names that may be kept without an order of theirs. */
const NAMES_SPARE = 4096;
/** The place of an order that joins at the end of its queue. */
const AT_END = 0xffff_ffff;

export function orderSchema(instruments: readonly string[]): Schema {
  const columns = [
    ...placeColumns(instruments),
    word('event', EVENTS),
    ...TRUST,
    word('action', ACTIONS, true),
    word('cause', ORDER_CAUSES, true),
    word('side', SIDES, true),
    { kind: 'text', name: 'order_id' } as const,
    decimal('price', 'price'),
    decimal('quantity', 'quantity'),
    integer('place', true),
    ...EXPONENTS,
  ];
  return { name: 'orders/1', columns };
}

/** The orders of a market as its rows have told them. */
interface Followed {
  readonly orders: LocalOrders;
  readonly names: NameTable;
}

/**
 * What happens to the single orders of books whose venue names them: all of an image, best price first and each queue from its
 * beginning, then each change. The orders are kept and checked as a reader of the feed does; where they are not exact a row
 * without an order says so.
 */
export class OrderRows implements RowMaker {
  readonly streams = [Stream.orders, Stream.status];
  readonly imageOf = Stream.orders;
  readonly followsBook = true;
  readonly #batch: RowBatch;
  readonly #place: PlaceWriter;
  readonly #trust: TrustWriter;
  readonly #event: WordData;
  readonly #action: WordData;
  readonly #cause: WordData;
  readonly #side: WordData;
  readonly #id: TextData;
  readonly #price: LongData;
  readonly #quantity: LongData;
  readonly #queuePlace: LongData;
  readonly #priceExponent: ByteData;
  readonly #quantityExponent: ByteData;
  readonly #followed = new Map<Market, Followed>();

  constructor(batch: RowBatch) {
    this.#batch = batch;
    this.#place = new PlaceWriter(batch);
    this.#trust = new TrustWriter(batch);
    this.#event = batch.words('event');
    this.#action = batch.words('action');
    this.#cause = batch.words('cause');
    this.#side = batch.words('side');
    this.#id = batch.texts('order_id');
    this.#price = batch.longs('price');
    this.#quantity = batch.longs('quantity');
    this.#queuePlace = batch.longs('place');
    this.#priceExponent = batch.bytes('price_exponent');
    this.#quantityExponent = batch.bytes('quantity_exponent');
  }

  take(market: Market, frame: FrameReader): void {
    const { orders, names } = this.#followedOf(market);
    const { tag } = orders.apply(frame);
    this.#place.take(market, frame);
    if (frame.kind === Kind.status) {
      market.state = frame.statusState;
      market.reason = frame.statusReason;
      // Orders that are exact again are told by an image.
      if (market.state !== STATE.synced) this.#bare(market, STATUS);
    } else if (tag === 'image') {
      Markets.takeImage(market, frame);
      names.clear();
      if (orders.state !== 'synced') this.#bare(market, STATUS);
      else if (orders.count() === 0) this.#bare(market, IMAGE);
      else this.#image(market, orders);
    } else if (tag === 'applied') {
      names.take(frame);
      this.#changes(market, frame, names);
      if (names.size > orders.count() + NAMES_SPARE) names.keepOnly((text) => orders.get(text) !== undefined);
      this.#followDoubt(market, orders);
    } else {
      this.#followDoubt(market, orders);
    }
  }

  begin(market: Market, ns: bigint): void {
    this.#place.takeTime(market, ns);
    this.#bare(market, STATUS);
  }

  #followedOf(market: Market): Followed {
    const known = this.#followed.get(market);
    if (known !== undefined) return known;
    const followed = { orders: new LocalOrders(ORDERS_MAX), names: new NameTable() };
    this.#followed.set(market, followed);
    return followed;
  }

  /** A row where orders have ceased to be exact though the status of the book does not say so. */
  #followDoubt(market: Market, { state, reason }: LocalOrders): void {
    if (market.state !== STATE.synced || state === 'synced') return;
    Markets.takeWords(market, state, reason);
    this.#bare(market, STATUS);
  }

  #image(market: Market, orders: LocalOrders): void {
    for (const side of SIDES) {
      for (const { price } of orders.levels(side)) {
        let place = 0;
        for (const order of orders.queue(side, price)) {
          this.#resting(market, order, place);
          place += 1;
        }
      }
    }
  }

  #resting(market: Market, order: Order, place: number): void {
    const row = this.#row(market, IMAGE);
    this.#order(row, OrderAction.add, SIDES.indexOf(order.side), order.id);
    this.#cause.valid[row] = 0;
    this.#long(this.#price, row, order.price);
    this.#long(this.#quantity, row, order.qty);
    this.#long(this.#queuePlace, row, place);
  }

  #changes(market: Market, frame: FrameReader, names: NameTable): void {
    const changes = new FrameOrders(frame);
    for (let at = 0; at < changes.count; at += 1) {
      const row = this.#row(market, CHANGE);
      const action = changes.action(at);
      this.#order(row, action, changes.side(at) - 1, orderIdAt(changes, at, names));
      this.#cause.codes[row] = ORDER_CAUSES.indexOf(changes.cause(at));
      this.#cause.valid[row] = 1;
      const isOrder = action !== OrderAction.clear;
      this.#long(this.#price, row, isOrder ? changes.price(at) : undefined);
      this.#long(this.#quantity, row, isOrder ? changes.qty(at) : undefined);
      const place = changes.place(at);
      const isPlaced = action === OrderAction.add || action === OrderAction.move;
      this.#long(this.#queuePlace, row, isPlaced && place !== AT_END ? place : undefined);
    }
  }

  #order(row: number, action: number, side: number, id: OrderId | undefined): void {
    this.#action.codes[row] = action < ACTIONS.length ? action : 0;
    this.#action.valid[row] = 1;
    this.#side.codes[row] = Math.max(0, side);
    this.#side.valid[row] = side < 0 ? 0 : 1;
    this.#id.texts[row] = id === undefined ? '' : String(id);
  }

  #long({ values, valid }: LongData, row: number, value: number | bigint | undefined): void {
    values[row] = BigInt(value ?? 0);
    valid[row] = value === undefined ? 0 : 1;
  }

  /** A row without an order. */
  #bare(market: Market, event: number): void {
    const row = this.#row(market, event);
    this.#id.texts[row] = '';
    for (const { valid } of [
      this.#action,
      this.#cause,
      this.#side,
      this.#price,
      this.#quantity,
      this.#queuePlace,
    ])
      valid[row] = 0;
  }

  #row(market: Market, event: number): number {
    const row = this.#batch.next();
    this.#place.write(row);
    this.#trust.write(row, market);
    this.#event.codes[row] = event;
    this.#priceExponent.values[row] = market.priceExponent;
    this.#quantityExponent.values[row] = market.qtyExponent;
    return row;
  }
}
