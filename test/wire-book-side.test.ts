import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BookSide } from '../src/wire/book-side.js';
import { crc32c, crc32cFinish } from '../src/wire/crc32c.js';
import type { Side } from '../src/wire/protocol.js';
import { checkInvariants } from './support/book-side.js';

/** A level's 16 bytes, as they stand in a frame. */
function bytesOf(levels: readonly (readonly [bigint, bigint])[]): DataView {
  const view = new DataView(new ArrayBuffer(levels.length * 16));
  for (const [at, [price, qty]] of levels.entries()) {
    view.setBigInt64(at * 16, price, true);
    view.setBigInt64(at * 16 + 8, qty, true);
  }
  return view;
}

/** The plain twin: a map, sorted anew for each read. */
class PlainSide {
  readonly levels = new Map<bigint, bigint>();
  private readonly side: Side;

  constructor(side: Side) {
    this.side = side;
  }

  set(price: bigint, qty: bigint): void {
    if (qty === 0n) this.levels.delete(price);
    else this.levels.set(price, qty);
  }

  sorted(): readonly (readonly [bigint, bigint])[] {
    const sign = this.side === 'bid' ? -1 : 1;
    return [...this.levels].sort(([a], [b]) => (a === b ? 0 : a < b ? -sign : sign));
  }
}

function expectSame(side: BookSide, plain: PlainSide, depth: number): void {
  const sorted = plain.sorted();
  expect(side.length).toBe(sorted.length);
  const count = Math.min(depth, sorted.length);
  const got = Array.from({ length: count }, (_, at) => {
    const { price, qty, exact } = side.levelAt(at);
    return [exact?.price ?? BigInt(price), exact?.qty ?? BigInt(qty)];
  });
  expect(got).toEqual(sorted.slice(0, count));
  const top = bytesOf(sorted.slice(0, count));
  expect(crc32cFinish(side.crc32c(count))).toBe(crc32c(new Uint8Array(top.buffer)));
}

/** Prices that lie together, so that they come back; some beyond 2^53, where neighbours are one number. */
const price = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: 1n, max: 400n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: (1n << 60n) - 4n, max: (1n << 60n) + 4n }) },
);
const qty = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0n) },
  { weight: 6, arbitrary: fc.bigInt({ min: 1n, max: 1n << 40n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: (1n << 63n) - 1n }) },
);
const step = fc.record({
  change: fc.tuple(price, qty),
  /** How deep is read after it; 0 = not at all. */
  depth: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 600 })),
});

describe('a side of a book', () => {
  it.each(['bid', 'ask'] as const)(
    'is that of a plain map, whenever and however deep it is read: %s',
    (name) => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(price, qty), { maxLength: 300 }),
          fc.array(step, { minLength: 1, maxLength: 600 }),
          (image, steps) => {
            const side = new BookSide(name, 1 << 20);
            const plain = new PlainSide(name);
            const first = bytesOf(image);
            for (const [at, [price, qty]] of image.entries()) {
              side.append(first, at * 16);
              // An image only adds.
              if (qty !== 0n) plain.set(price, qty);
            }
            side.seal();
            checkInvariants(side);
            for (const { change, depth } of steps) {
              side.set(bytesOf([change]), 0);
              plain.set(...change);
              checkInvariants(side);
              expect(BigInt(side.get(change[0]))).toBe(change[1]);
              if (depth > 0) expectSame(side, plain, depth);
            }
            checkInvariants(side);
            expectSame(side, plain, Number.POSITIVE_INFINITY);
            checkInvariants(side);
          },
        ),
        { numRuns: 120 },
      );
    },
  );

  it.each(['bid', 'ask'] as const)('fills its top again when the market runs through it: %s', (name) => {
    const deep = fc.tuple(fc.bigInt({ min: 1n, max: 900n }), qty);
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant('best') }, deep), {
          minLength: 400,
          maxLength: 900,
        }),
        (steps) => {
          const side = new BookSide(name, 1 << 20);
          const plain = new PlainSide(name);
          const set = (price: bigint, qty: bigint) => {
            side.set(bytesOf([[price, qty]]), 0);
            plain.set(price, qty);
          };
          // Every third price; the others come while the book is used.
          for (let at = 0n; at < 300n; at += 1n) set(at * 3n + 1n, at + 1n);
          for (const [at, step] of steps.entries()) {
            if (typeof step !== 'string') set(step[0], step[1]);
            else if (side.length > 0) set(BigInt(side.levelAt(0).price), 0n);
            if (at % 9 === 0) checkInvariants(side);
            if (at % 40 === 0) expectSame(side, plain, 8);
          }
          checkInvariants(side);
          expectSame(side, plain, 40);
          expectSame(side, plain, Number.POSITIVE_INFINITY);
          checkInvariants(side);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(['bid', 'ask'] as const)(
    'is that of a plain map where few levels come and go at both ends: %s',
    (name) => {
      const turn = fc.record({
        end: fc.constantFrom(0, 1),
        isRemoved: fc.boolean(),
        count: fc.integer({ min: 1, max: 6 }),
        apart: fc.integer({ min: 1, max: 9 }),
      });
      fc.assert(
        fc.property(fc.array(turn, { minLength: 20, maxLength: 60 }), (turns) => {
          const side = new BookSide(name, 1 << 20);
          const plain = new PlainSide(name);
          const set = (price: bigint, qty: bigint) => {
            side.set(bytesOf([[price, qty]]), 0);
            plain.set(price, qty);
            checkInvariants(side);
          };
          for (let at = 0n; at < 20n; at += 1n) set(1_000n + at, 1n);
          for (const { end, isRemoved, count, apart } of turns) {
            for (let each = 0; each < count; each += 1) {
              const prices = [...plain.levels.keys()].sort((x, y) => (x < y ? -1 : 1));
              const [least = 1_000n, most = 1_000n] = [prices[0], prices.at(-1)];
              const price = end === 0 ? least : most;
              if (isRemoved) set(price, 0n);
              else set(end === 0 ? price - BigInt(apart) : price + BigInt(apart), 1n);
            }
          }
          expectSame(side, plain, 12);
          expectSame(side, plain, Number.POSITIVE_INFINITY);
        }),
        { numRuns: 150 },
      );
    },
  );

  it('keeps its order when room is made while all that lay below the top is gone', () => {
    const side = new BookSide('bid', 1 << 20);
    const plain = new PlainSide('bid');
    const set = (price: number, qty: bigint) => {
      side.set(bytesOf([[BigInt(price), qty]]), 0);
      plain.set(BigInt(price), qty);
      checkInvariants(side);
    };
    const image = Array.from({ length: 20 }, (_, at) => [BigInt(119 - at), 1n] as const);
    for (const [at, [price, qty]] of image.entries()) {
      side.append(bytesOf(image), at * 16);
      plain.set(price, qty);
    }
    side.seal();
    for (let price = 100; price < 104; price += 1) set(price, 0n);
    for (let price = 50; price < 62; price += 1) set(price, 1n);
    set(40, 1n);
    expectSame(side, plain, 18);
    set(50, 0n);
    expectSame(side, plain, Number.POSITIVE_INFINITY);
  });

  it('has few cells on the way to a price, whatever prices a server makes up', () => {
    // Of those the two words mix to one where the mixing is known.
    const high = 5;
    const levels = Array.from({ length: 20_000 }, (_, k) => {
      const low = Math.imul(high, 0x85ebca6b) ^ Math.imul(k, 0x9e3779b1);
      return [(BigInt(high) << 32n) | BigInt(low >>> 0), 1n] as const;
    });
    const same = Array.from({ length: 20_000 }, (_, k) => {
      const low = Math.imul(k, 0x85ebca6b) ^ 7;
      return [(BigInt(k) << 32n) | BigInt(low >>> 0), 1n] as const;
    });
    const plain = Array.from({ length: 20_000 }, (_, k) => [BigInt(k + 1), 1n] as const);
    // The least of some runs: others use this machine too.
    const costOf = (list: readonly (readonly [bigint, bigint])[]) => {
      const view = bytesOf(list);
      const times = Array.from({ length: 5 }, () => {
        const side = new BookSide('bid', 1 << 20);
        const started = performance.now();
        for (let at = 0; at < list.length; at += 1) side.append(view, at * 16);
        expect(side.length).toBe(list.length);
        return performance.now() - started;
      });
      return Math.min(...times);
    };
    const usual = costOf(plain);
    // A row of cells that is walked for each price takes a hundred times as long.
    expect(costOf(levels) / usual).toBeLessThan(15);
    expect(costOf(same) / usual).toBeLessThan(15);
  });

  it('reads its checksum without keeping all of it in order from then on', () => {
    const side = new BookSide('bid', 1 << 20);
    const levels = Array.from({ length: 6_000 }, (_, at) => [BigInt(10_000 - at), 1n] as const);
    const view = bytesOf(levels);
    for (let at = 0; at < levels.length; at += 1) side.append(view, at * 16);
    side.seal();
    side.set(bytesOf([[20_000n, 1n]]), 0);
    side.set(bytesOf([[4_500n, 0n]]), 0);
    side.crc32c(side.length);
    expect((side as unknown as { topLevels: number }).topLevels).toBe(16);
  });

  it('stays small where prices wander, and is that of a plain map on the way', () => {
    const side = new BookSide('ask', 1 << 20);
    const plain = new PlainSide('ask');
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 4_294_967_296) * below);
    };
    for (let turn = 0; turn < 60_000; turn += 1) {
      const at = BigInt(Math.floor(turn / 4) + random(200));
      const amount = random(3) === 0 ? BigInt(1 + random(1000)) : 0n;
      side.set(bytesOf([[at, amount]]), 0);
      plain.set(at, amount);
      // What lies behind is taken away, as a market does that moves.
      const gone = BigInt(Math.floor(turn / 4) - 1);
      side.set(bytesOf([[gone, 0n]]), 0);
      plain.set(gone, 0n);
      if (turn % 50 === 0) expectSame(side, plain, 20);
      if (turn % 5_000 === 0) checkInvariants(side);
    }
    expectSame(side, plain, Number.POSITIVE_INFINITY);
    expect(side.room).toBeLessThanOrEqual(1024);
  });

  it('takes no more levels than it is told, and takes one again for one that has gone', () => {
    const side = new BookSide('bid', 3);
    const set = (price: bigint, qty: bigint) => side.set(bytesOf([[price, qty]]), 0);
    expect([set(1n, 1n), set(2n, 1n), set(3n, 1n), set(4n, 1n)]).toEqual([true, true, true, false]);
    expect([set(2n, 0n), set(4n, 1n), set(2n, 1n), set(4n, 9n)]).toEqual([true, true, false, true]);
    expect([0, 1, 2].map((at) => side.levelAt(at))).toEqual([
      { price: 4, qty: 9 },
      { price: 3, qty: 1 },
      { price: 1, qty: 1 },
    ]);
  });

  it('refuses a quantity below 0 and stays as it was', () => {
    const side = new BookSide('bid', 3);
    side.set(bytesOf([[1n, 5n]]), 0);
    for (const price of [1n, 2n]) {
      expect(() => side.set(bytesOf([[price, -1n]]), 0)).toThrow(/wire.bad_value.*bids.qty/);
    }
    expect(side.levelAt(0)).toEqual({ price: 1, qty: 5 });
    expect(side.length).toBe(1);
  });
});
