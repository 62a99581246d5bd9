import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ApplyOutcome,
  type FeedError,
  FrameReader,
  Kind,
  LocalOrders,
  type OrderId,
  type Side,
} from '../src/wire/index.js';
import {
  type CheckSpec,
  crc32cBitwise,
  type FrameSpec,
  frame,
  I64_MAX,
  message,
  type NameSpec,
  type OrderSpec,
} from './support/frames.js';

const ORDERS = 6;
const [ADD, CHANGE, MOVE, REMOVE, CLEAR] = [1, 2, 3, 4, 5];
const UUID = '00112233-4455-6677-8899-aabbccddeeff';
const UUID_LOW = 0x7766554433221100n;
const UUID_HIGH = 0xffeeddccbbaa9988n;

/** An order of the naive model: the image's order is theirs. */
interface Naive {
  readonly spec: { readonly id: bigint; readonly idHigh: bigint; readonly idKind: number };
  readonly id: OrderId;
  readonly side: Side;
  readonly price: bigint;
  qty: bigint;
}

/** A book of orders as a plain list, each queue front to back. */
class NaiveOrders {
  readonly orders: Naive[] = [];

  queue(side: Side, price: bigint): Naive[] {
    return this.orders.filter((order) => order.side === side && order.price === price);
  }

  prices(side: Side): bigint[] {
    const prices = new Set(this.orders.filter((order) => order.side === side).map(({ price }) => price));
    return [...prices].sort((a, b) => (a === b ? 0 : a > b === (side === 'bid') ? -1 : 1));
  }

  insert(order: Naive, place: number): void {
    const next = this.queue(order.side, order.price)[place];
    this.orders.splice(next === undefined ? this.orders.length : this.orders.indexOf(next), 0, order);
  }

  remove(order: Naive): void {
    this.orders.splice(this.orders.indexOf(order), 1);
  }

  /** All orders of a side as an image has them. */
  sorted(side: Side): Naive[] {
    return this.prices(side).flatMap((price) => this.queue(side, price));
  }
}

/** The check of orders that stand as in an image, by its definition. */
function checkOf(bids: readonly Naive[], asks: readonly Naive[]): CheckSpec {
  const bytes = (orders: readonly Naive[]): number[] =>
    orders.flatMap(({ spec, price, qty }) => [
      ...new Uint8Array(
        BigUint64Array.of(spec.id, spec.idHigh, BigInt.asUintN(64, price), BigInt.asUintN(64, qty)).buffer,
      ),
    ]);
  return {
    topCrc: crc32cBitwise(Uint8Array.from([...bytes(bids.slice(0, 10)), ...bytes(asks.slice(0, 10))])),
    allCrc: crc32cBitwise(Uint8Array.from([...bytes(bids), ...bytes(asks)])),
    bidCount: bids.length,
    askCount: asks.length,
  };
}

const naive = (id: number, side: Side, price: bigint | number, qty: bigint | number): Naive => ({
  spec: { id: BigInt(id), idHigh: 0n, idKind: 1 },
  id,
  side,
  price: BigInt(price),
  qty: BigInt(qty),
});

const addOf = ({ spec, side, price, qty }: Naive): OrderSpec => ({
  ...spec,
  action: ADD,
  side: side === 'bid' ? 1 : 2,
  price,
  qty,
});

/** An image of what the model holds, in chunks of so many orders. */
function imageOf(
  model: NaiveOrders,
  seq: number,
  spec: Partial<FrameSpec> = {},
  chunk = Infinity,
): Uint8Array {
  const [bids, asks] = [model.sorted('bid'), model.sorted('ask')];
  const all = [...bids, ...asks].map(addOf);
  const chunkCount = Math.max(1, Math.ceil(all.length / chunk));
  return message(
    ...Array.from({ length: chunkCount }, (_, chunkIndex) =>
      frame({
        kind: Kind.image,
        stream: ORDERS,
        epoch: 1n,
        seq,
        check: checkOf(bids, asks),
        orders: chunk === Infinity ? all : all.slice(chunkIndex * chunk, (chunkIndex + 1) * chunk),
        ...spec,
        info: { chunkIndex, chunkCount, ...spec.info },
      }),
    ),
  );
}

const changes = (prevSeq: number, seq: number, orders: readonly OrderSpec[], spec: Partial<FrameSpec> = {}) =>
  frame({ kind: Kind.orders, stream: ORDERS, epoch: 1n, prevSeq, seq, orders, ...spec });

function apply(orders: LocalOrders, bytes: Uint8Array): ApplyOutcome[] {
  const reader = new FrameReader().reset(bytes);
  const outcomes: ApplyOutcome[] = [];
  while (reader.next()) outcomes.push(orders.apply(reader));
  return outcomes;
}

const tags = (outcomes: readonly ApplyOutcome[]): string[] =>
  outcomes.map((outcome) => (outcome.tag === 'ignored' ? outcome.why : outcome.tag));

/** Two queues: bids 1, 2, 3 at 100 and 4 at 99; asks 5, 6 at 101. */
function started(): { orders: LocalOrders; model: NaiveOrders } {
  const model = new NaiveOrders();
  for (const [id, price] of [
    [1, 100],
    [2, 100],
    [3, 100],
    [4, 99],
  ] as const)
    model.insert(naive(id, 'bid', price, id * 10), Infinity);
  model.insert(naive(5, 'ask', 101, 50), Infinity);
  model.insert(naive(6, 'ask', 101, 60), Infinity);
  const orders = new LocalOrders();
  expect(tags(apply(orders, imageOf(model, 1)))).toEqual(['image']);
  return { orders, model };
}

const ids = (orders: LocalOrders, side: Side, price: number): OrderId[] =>
  [...orders.queue(side, price)].map(({ id }) => id);

describe('LocalOrders', () => {
  it('answers where an order stands in its queue', () => {
    const { orders } = started();
    expect([orders.state, orders.reason, orders.seq, orders.epoch]).toEqual(['synced', 'none', 1, 1n]);
    expect([1, 2, 3, 4].map((id) => orders.ordersAhead(id))).toEqual([0, 1, 2, 0]);
    expect([1, 2, 3, 4].map((id) => orders.qtyAhead(id))).toEqual([0, 10, 30, 0]);
    expect([orders.ordersAhead(99), orders.qtyAhead(99), orders.get(99)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(orders.get(3n)).toMatchObject({ id: 3, side: 'bid', price: 100, qty: 30 });
    expect([orders.count(), orders.count('bid'), orders.count('ask')]).toEqual([6, 4, 2]);
    expect([orders.bestBid, orders.bestAsk]).toEqual([
      { price: 100, qty: 60, orders: 3 },
      { price: 101, qty: 110, orders: 2 },
    ]);
    expect([...orders.levels('bid')].map(({ price }) => price)).toEqual([100, 99]);
    expect([orders.levelAt('bid', 2), [...orders.queue('bid', 5)]]).toEqual([undefined, []]);
    expect([orders.priceText(100), orders.qtyText(50)]).toEqual(['1', '0.0005']);
  });

  it('keeps, loses and takes places as each action says', () => {
    const { orders } = started();
    apply(
      orders,
      message(
        changes(1, 2, [{ id: 2, action: CHANGE, price: 100, qty: 5 }]),
        changes(2, 3, [{ id: 1, action: MOVE, price: 100, qty: 11 }]),
      ),
    );
    expect(ids(orders, 'bid', 100)).toEqual([2, 3, 1]);
    expect([orders.qtyAhead(1), orders.bestBid?.qty]).toEqual([35, 46]);
    apply(
      orders,
      message(
        changes(3, 4, [
          { id: 7, action: ADD, price: 100, qty: 1, place: 1 },
          { id: 4, action: MOVE, price: 100, qty: 40, place: 0 },
        ]),
        changes(4, 5, [{ id: 3, action: REMOVE, price: 100 }]),
      ),
    );
    expect(ids(orders, 'bid', 100)).toEqual([4, 2, 7, 1]);
    expect([orders.levelCount('bid'), orders.seq, orders.get(3)]).toEqual([1, 5, undefined]);
    apply(
      orders,
      changes(5, 6, [
        { action: CLEAR, side: 0, idKind: 0 },
        { id: 8, action: ADD, price: 1, qty: 1 },
      ]),
    );
    expect([orders.count(), ids(orders, 'bid', 1), orders.state]).toEqual([1, [8], 'synced']);
  });

  it('names orders as their owners do', () => {
    const orders = new LocalOrders();
    const model = new NaiveOrders();
    const long = 'a text that is far longer than what one entry of names could ever hold';
    const names: NameSpec[] = [
      { number: 2n ** 63n, text: long.slice(0, 55), size: 255 },
      { number: 2n ** 63n, text: long.slice(55) },
      { number: 9, text: 'short but named' },
    ];
    const kinds: [OrderId, bigint, bigint, number][] = [
      [2n ** 64n - 1n, 2n ** 64n - 1n, 0n, 1],
      [UUID, UUID_LOW, UUID_HIGH, 2],
      ['OABCDE-XY', textWord('OABCDE-X'), textWord('Y'), 3],
      [long, 2n ** 63n, 0n, 4],
      ['short but named', 9n, 0n, 4],
    ];
    for (const [id, low, idHigh, idKind] of kinds) {
      model.insert({ spec: { id: low, idHigh, idKind }, id, side: 'bid', price: 1n, qty: 1n }, Infinity);
    }
    expect(tags(apply(orders, imageOf(model, 1, { names })))).toEqual(['image']);
    expect(ids(orders, 'bid', 1)).toEqual(kinds.map(([id]) => id));
    expect(kinds.map(([id]) => orders.ordersAhead(id))).toEqual([0, 1, 2, 3, 4]);
    const accented = changes(
      1,
      2,
      [
        { id: textWord('é12'), action: ADD, idKind: 3, price: 1, qty: 1 },
        { id: 77, action: ADD, idKind: 4, price: 1, qty: 1 },
        { id: 9, action: REMOVE, idKind: 4 },
      ],
      { names: [{ number: 77, text: 'new' }] },
    );
    expect(tags(apply(orders, accented))).toEqual(['applied']);
    expect([orders.ordersAhead('é12'), orders.ordersAhead('new'), orders.count()]).toEqual([4, 5, 6]);
  });

  it('is exact beyond 2^53', () => {
    const orders = new LocalOrders();
    const model = new NaiveOrders();
    model.insert(naive(1, 'bid', I64_MAX, I64_MAX), Infinity);
    model.insert(naive(2, 'bid', I64_MAX - 1n, 2n ** 53n - 1n), Infinity);
    model.insert(naive(3, 'bid', I64_MAX - 1n, 2n ** 53n - 1n), Infinity);
    model.insert(naive(4, 'bid', -5, 1), Infinity);
    apply(orders, imageOf(model, 1));
    expect(orders.bestBid).toEqual({ price: I64_MAX, qty: I64_MAX, orders: 1 });
    expect(orders.levelAt('bid', 1)).toEqual({ price: I64_MAX - 1n, qty: 2n ** 54n - 2n, orders: 2 });
    expect([orders.levelAt('bid', 2)?.price, orders.qtyAhead(3)]).toEqual([-5, 2 ** 53 - 1]);
    apply(orders, changes(1, 2, [{ id: 2, action: REMOVE }]));
    expect(orders.levelAt('bid', 1)).toEqual({ price: I64_MAX - 1n, qty: 2 ** 53 - 1, orders: 1 });
  });

  it.each<[string, Uint8Array[], string[], string]>([
    ['an old frame is ignored', [changes(0, 1, [])], ['old'], 'synced none'],
    ['a missing frame is a gap', [changes(2, 3, [])], ['gap'], 'stale sequence_gap'],
    [
      'a frame that overlaps is a gap',
      [changes(1, 2, []), changes(1, 3, [])],
      ['applied', 'gap'],
      'stale sequence_gap',
    ],
    [
      'what fills the gap repairs it',
      [changes(2, 3, []), changes(1, 2, []), changes(2, 3, [])],
      ['gap', 'applied', 'applied'],
      'synced none',
    ],
    [
      'a later epoch is a gap, an earlier one nothing',
      [changes(1, 2, [], { epoch: 0n }), changes(1, 2, [], { epoch: 2n }), changes(1, 2, [])],
      ['other_epoch', 'gap', 'awaiting_image'],
      'stale sequence_gap',
    ],
    [
      'no delta is applied',
      [frame({ kind: Kind.delta, epoch: 1n, prevSeq: 1, seq: 2 })],
      ['kind'],
      'synced none',
    ],
    [
      'a status makes it stale',
      [
        frame({ kind: Kind.status, stream: 4, epoch: 1n, status: { state: 3, reason: 2 } }),
        changes(1, 2, []),
      ],
      ['status', 'awaiting_image'],
      'stale silence',
    ],
    [
      'a check of an earlier sequence says nothing, one of a later is a gap',
      [
        frame({ kind: Kind.check, stream: ORDERS, epoch: 1n, seq: 0, check: checkOf([], []) }),
        frame({ kind: Kind.check, stream: ORDERS, epoch: 1n, seq: 5, check: checkOf([], []) }),
      ],
      ['other_seq', 'gap'],
      'stale sequence_gap',
    ],
    [
      'a check that differs',
      [
        frame({ kind: Kind.check, stream: ORDERS, epoch: 1n, seq: 1, check: checkOf([], []) }),
        changes(1, 2, []),
      ],
      ['check_failed', 'awaiting_image'],
      'stale check_failed',
    ],
  ])('follows the rules: %s', (_name, frames, expected, state) => {
    const { orders, model } = started();
    expect(tags(apply(orders, message(...frames)))).toEqual(expected);
    expect(`${orders.state} ${orders.reason}`).toBe(state);
    expect(tags(apply(orders, imageOf(model, 9, { epoch: 3n })))).toEqual(['image']);
    expect([orders.state, orders.seq, orders.count()]).toEqual(['synced', 9, 6]);
  });

  it.each<[string, OrderSpec, string]>([
    ['an order twice', { id: 1, action: ADD, price: 1, qty: 1 }, 'order 1 is there already'],
    ['a change of none', { id: 8, action: CHANGE, price: 1, qty: 1 }, 'there is no order 8'],
    ['an end of none', { id: 8, action: REMOVE }, 'there is no order 8'],
    ['a change at another price', { id: 1, action: CHANGE, price: 1, qty: 1 }, 'order 1 is at another price'],
    [
      'a place beyond the queue',
      { id: 8, action: ADD, price: 100, qty: 1, place: 4 },
      'order 8 has no such place',
    ],
    [
      'a move beyond the queue',
      { id: 1, action: MOVE, price: 100, qty: 1, place: 3 },
      'order 1 has no such place',
    ],
    ['an order of no side', { id: 8, action: ADD, side: 0, price: 1, qty: 1 }, 'order 8 has no side'],
    ['an order without a name', { action: ADD, idKind: 0, price: 1, qty: 1 }, 'an order has no name'],
    ['a name that was never told', { id: 8, action: REMOVE, idKind: 4 }, 'there is no order of that name'],
    ['an action of the future', { id: 1, action: 9 }, 'action 9 is not known'],
  ])('is stale after what does not fit: %s', (_name, spec, what) => {
    const { orders, model } = started();
    expect(apply(orders, changes(1, 2, [{ id: 2, action: REMOVE }, spec]))).toEqual([
      { tag: 'contradiction', what },
    ]);
    expect([orders.state, orders.reason, orders.place]).toEqual(['stale', 'check_failed', undefined]);
    expect(tags(apply(orders, changes(2, 3, [])))).toEqual(['awaiting_image']);
    apply(orders, imageOf(model, 4));
    expect([orders.state, ids(orders, 'bid', 100)]).toEqual(['synced', [1, 2, 3]]);
  });

  it('takes an image at its last chunk, and discards one out of turn', () => {
    const { orders, model } = started();
    model.insert(naive(7, 'ask', 100, 7), Infinity);
    const chunks: Uint8Array[] = [];
    const reader = new FrameReader().reset(imageOf(model, 5, {}, 3));
    let at = 0;
    const all = imageOf(model, 5, {}, 3);
    while (reader.next()) {
      chunks.push(all.subarray(at, at + reader.frameBytes));
      at += reader.frameBytes;
    }
    const [a, b, c] = chunks as [Uint8Array, Uint8Array, Uint8Array];
    expect(tags(apply(orders, message(a, c)))).toEqual(['chunk', 'chunk_discarded']);
    expect([orders.seq, orders.count()]).toEqual([1, 6]);
    expect(tags(apply(orders, message(a, b, c)))).toEqual(['chunk', 'chunk', 'image']);
    expect([orders.seq, orders.bestAsk?.price, orders.state]).toEqual([5, 100, 'synced']);
  });

  it.each<[string, Uint8Array, string]>([
    [
      'a negative quantity',
      changes(1, 2, [{ id: 1, action: CHANGE, price: 100, qty: -1 }]),
      'wire.bad_value',
    ],
    [
      'an image that removes',
      frame({
        kind: Kind.image,
        epoch: 2n,
        seq: 1,
        info: {},
        check: checkOf([], []),
        orders: [{ id: 1, action: REMOVE }],
      }),
      'wire.bad_value',
    ],
    [
      'more orders than it may hold',
      changes(1, 2, [{ id: 9, action: ADD, price: 1, qty: 1 }]),
      'client.orders_limit',
    ],
  ])('refuses %s and is stale', (_name, bytes, code) => {
    const { model } = started();
    const orders = new LocalOrders(6);
    apply(orders, imageOf(model, 1));
    let thrown: FeedError | undefined;
    try {
      apply(orders, bytes);
    } catch (error) {
      thrown = error as FeedError;
    }
    expect([thrown?.code, orders.state, orders.reason]).toEqual([code, 'stale', 'bad_frame']);
  });

  it('forgets names that no order has', () => {
    const orders = new LocalOrders();
    apply(orders, imageOf(new NaiveOrders(), 1));
    for (let at = 0; at < 3; at += 1) {
      const numbers = Array.from({ length: 2000 }, (_, index) => at * 2000 + index);
      const add = numbers.map((id) => ({ id, action: ADD, idKind: 4, price: 1, qty: 1 }));
      const names = numbers.map((number) => ({ number, text: `order ${number}` }));
      const remove = numbers.slice(1).map((id) => ({ id, action: REMOVE, idKind: 4 }));
      apply(
        orders,
        message(changes(at * 2 + 1, at * 2 + 2, add, { names }), changes(at * 2 + 2, at * 2 + 3, remove)),
      );
    }
    expect([orders.count(), orders.state]).toEqual([3, 'synced']);
    expect((orders as unknown as { names: { size: number } }).names.size).toBe(3);
    apply(orders, changes(7, 8, [{ id: 2000, action: CHANGE, idKind: 4, price: 1, qty: 5 }]));
    expect(orders.get('order 2000')?.qty).toBe(5);
  });

  it('equals a plain list after any run of changes and images', () => {
    const price = fc.oneof(
      fc.integer({ min: -2, max: 3 }).map(BigInt),
      fc.constantFrom(I64_MAX, -(2n ** 53n)),
    );
    const qty = fc.oneof(fc.integer({ min: 0, max: 50 }).map(BigInt), fc.constantFrom(2n ** 53n, 2n ** 60n));
    const step = fc.record({
      act: fc.integer({ min: 0, max: 19 }),
      pick: fc.nat(1000),
      side: fc.constantFrom<Side>('bid', 'ask'),
      price,
      qty,
      place: fc.nat(6),
      chunk: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const model = new NaiveOrders();
        const orders = new LocalOrders();
        apply(orders, imageOf(model, 1));
        let seq = 1;
        let lastId = 0;
        const frames: Uint8Array[] = [];
        for (const { act, pick, side, price, qty, place, chunk } of steps) {
          const victim = model.orders[pick % Math.max(1, model.orders.length)];
          seq += 1;
          if (act === 0) {
            frames.push(imageOf(model, seq, {}, chunk));
            continue;
          }
          let spec: OrderSpec;
          if (act === 1) {
            model.orders.length = 0;
            spec = { action: CLEAR, side: 0, idKind: 0 };
          } else if (act < 10 || victim === undefined) {
            lastId += 1;
            const order = naive(lastId, side, price, qty);
            const length = model.queue(side, price).length;
            const at = Math.min(place, length);
            model.insert(order, at);
            spec = { ...addOf(order), ...(place <= length ? { place: at } : {}) };
          } else if (act < 13) {
            victim.qty = qty;
            spec = { ...addOf(victim), action: CHANGE };
          } else if (act < 16) {
            model.remove(victim);
            const moved = { ...victim, price, qty };
            const length = model.queue(moved.side, price).length;
            const at = Math.min(place, length);
            model.insert(moved, at);
            spec = { ...addOf(moved), action: MOVE, ...(place <= length ? { place: at } : {}) };
          } else {
            model.remove(victim);
            spec = { ...addOf(victim), action: REMOVE, qty: 0 };
          }
          frames.push(changes(seq - 1, seq, [spec]));
        }
        frames.push(
          frame({
            kind: Kind.check,
            stream: ORDERS,
            epoch: 1n,
            seq,
            check: checkOf(model.sorted('bid'), model.sorted('ask')),
          }),
        );
        const outcomes = apply(orders, message(...frames));
        expect(outcomes.at(-1)).toEqual({ tag: 'checked' });
        expect([orders.state, orders.seq, orders.count()]).toEqual(['synced', seq, model.orders.length]);
        for (const side of ['bid', 'ask'] as const) {
          const prices = model.prices(side);
          expect([...orders.levels(side)].map((level) => BigInt(level.price))).toEqual(prices);
          for (const price of prices) {
            const queue = model.queue(side, price);
            expect([...orders.queue(side, price)].map(({ id, qty }) => [id, BigInt(qty)])).toEqual(
              queue.map(({ id, qty }) => [id, qty]),
            );
            queue.forEach((order, at) => {
              const ahead = queue.slice(0, at).reduce((sum, { qty }) => sum + qty, 0n);
              expect([orders.ordersAhead(order.id), BigInt(orders.qtyAhead(order.id) ?? -1)]).toEqual([
                at,
                ahead,
              ]);
            });
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Up to eight ASCII or UTF-8 bytes as the word that they are in a frame. */
function textWord(text: string): bigint {
  const bytes = new Uint8Array(8);
  bytes.set(new TextEncoder().encode(text));
  return new DataView(bytes.buffer).getBigUint64(0, true);
}
