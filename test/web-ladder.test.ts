import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf } from '../src/web/grouping.js';
import { LadderPosition } from '../src/web/ladder-position.js';
import { centredTop, followTop, LadderWindow } from '../src/web/ladder-window.js';
import type { Levels } from '../src/web/levels.js';

type Rows = readonly (readonly [price: number, qty: number])[];

function side(rows: Rows): Levels {
  return {
    count: rows.length,
    price: (levelIndex) => rows[levelIndex]?.[0] ?? Number.NaN,
    qty: (levelIndex) => rows[levelIndex]?.[1] ?? Number.NaN,
    level: (levelIndex) => {
      const row = rows[levelIndex];
      return row === undefined ? undefined : { price: row[0], qty: row[1] };
    },
  };
}

const book = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 60 }),
    fc.uniqueArray(fc.integer({ min: 401, max: 800 }), { maxLength: 60 }),
    fc.array(fc.integer({ min: 1, max: 10 ** 12 }), { minLength: 120, maxLength: 120 }),
  )
  .map(([bids, asks, qtys]) => ({
    bids: bids.sort((a, b) => b - a).map((price, at) => [price, qtys[at] ?? 1] as const),
    asks: asks.sort((a, b) => a - b).map((price, at) => [price, qtys[60 + at] ?? 1] as const),
  }));

describe('ladder window', () => {
  it('shows in each row the sum of the levels of its bucket', () => {
    fc.assert(
      fc.property(
        book,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: -20, max: 900 }),
        fc.integer({ min: 0, max: 40 }),
        ({ bids, asks }, size, top, rows) => {
          const window = new LadderWindow(rows);
          window.top = top;
          window.fill(side(bids), side(asks), size);
          const sum = (of: 'bid' | 'ask', levels: Rows, bucket: number) =>
            levels
              .filter(([price]) => bucketOf(of, price, size) === bucket)
              .reduce((all, [, qty]) => all + qty, 0);
          let qtyMax = 0;
          for (let row = 0; row < rows; row += 1) {
            const bid = sum('bid', bids, top - row);
            const ask = sum('ask', asks, top - row);
            expect(window.bidQty[row]).toBe(bid);
            expect(window.askQty[row]).toBe(ask);
            const upTo = (of: 'bid' | 'ask', levels: Rows, isWithin: (bucket: number) => boolean) =>
              levels
                .filter(([price]) => isWithin(bucketOf(of, price, size)))
                .reduce((all, [, qty]) => all + qty, 0);
            if (bid > 0) expect(window.bidSum[row]).toBe(upTo('bid', bids, (at) => at >= top - row));
            if (ask > 0) expect(window.askSum[row]).toBe(upTo('ask', asks, (at) => at <= top - row));
            qtyMax = Math.max(qtyMax, bid, ask);
          }
          expect(window.qtyMax).toBe(qtyMax);
        },
      ),
    );
  });

  it('forgets what an earlier fill has shown', () => {
    const window = new LadderWindow(4);
    window.top = 3;
    window.fill(side([[2, 7]]), side([]), 1);
    window.fill(side([]), side([[3, 5]]), 1);
    expect([...window.bidQty]).toEqual([0, 0, 0, 0]);
    expect([...window.askQty]).toEqual([5, 0, 0, 0]);
  });
});

describe('following the touch', () => {
  it('rests while the touch moves in the calm centre and centres it when it leaves', () => {
    const top = centredTop(21, 100, 101);
    expect(followTop(top, 21, 101, 102)).toBe(top);
    expect(followTop(top, 21, 104, 105)).toBe(top);
    expect(followTop(top, 21, 106, 107)).toBe(centredTop(21, 106, 107));
  });

  it('always keeps the touch in view when the spread fits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 80 }),
        fc.array(fc.integer({ min: -30, max: 30 }), { maxLength: 50 }),
        (rows, moves) => {
          let bid = 1000;
          let top = 0;
          for (const by of moves) {
            bid += by;
            top = followTop(top, rows, bid, bid + 1);
            expect(top - bid).toBeLessThan(rows);
            expect(top - (bid + 1)).toBeGreaterThanOrEqual(0);
          }
        },
      ),
    );
  });

  it('follows one side alone and rests without any', () => {
    expect(followTop(0, 11, 500, Number.NaN)).toBe(505);
    expect(followTop(7, 11, Number.NaN, Number.NaN)).toBe(7);
  });
});

describe('ladder position', () => {
  it('chooses a first grouping once, when both sides have levels', () => {
    const position = new LadderPosition(1);
    position.chooseStep(side([]), side([[1200, 1]]), 25);
    position.chooseStep(side([[1000, 1]]), side([]), 25);
    position.chooseStep(side([[1000, 1]]), side([[1200, 1]]), 0);
    expect(position.step).toBe(0);
    position.chooseStep(side([[1000, 1]]), side([[1200, 1]]), 25);
    expect(position.step).toBe(20);
    position.chooseStep(side([[1000, 1]]), side([[1001, 1]]), 25);
    expect(position.step).toBe(20);
  });

  it('looks at the best levels alone for the first grouping', () => {
    const position = new LadderPosition(1);
    const near = Array.from({ length: 8 }, (_, at) => at);
    const bids = side([...near.map((at) => [1000 - at, 1] as const), [3, 1]]);
    const asks = side([...near.map((at) => [1001 + at, 1] as const), [9000, 1]]);
    position.chooseStep(bids, asks, 25);
    expect(position.step).toBe(1);
  });

  it('keeps the middle price in view when it regroups', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 80 }),
        fc.integer({ min: 1000, max: 10 ** 7 }),
        fc.array(fc.constantFrom(-1, 1), { maxLength: 12 }),
        (rows, price, turns) => {
          const position = new LadderPosition(1);
          position.step = 10;
          position.follow = false;
          position.top = position.bid(price) + Math.floor(rows / 2);
          for (const by of turns) {
            const middle = (position.top - (rows - 1) / 2) * position.size;
            position.regroup(by, rows);
            const after = (position.top - (rows - 1) / 2) * position.size;
            expect(Math.abs(after - middle)).toBeLessThanOrEqual(position.size / 2);
          }
        },
      ),
    );
  });

  it('starts the cursor at the touch and scrolls only at the edge', () => {
    const position = new LadderPosition(1);
    position.step = 1;
    position.followTouch(11, 100, 101);
    const top = position.top;
    position.move(1, 11, 100, 101);
    expect(position.cursor).toBe(100);
    position.move(1, 11, 100, 101);
    expect([position.cursor, position.top, position.follow]).toEqual([99, top, true]);
    for (let at = 0; at < 6; at += 1) position.move(1, 11, 100, 101);
    expect(position.cursor).toBe(93);
    expect(position.top - position.cursor).toBe(10);
    expect(position.follow).toBe(false);
  });

  it('groups by the step of the prices where the tick is not known', () => {
    const position = new LadderPosition(0);
    const level = (price: number) => [price, 1] as const;
    const bids = side([4_810_250_000_000, 4_810_000_000_000, 4_809_750_000_000].map(level));
    const asks = side([4_810_500_000_000, 4_811_000_000_000].map(level));
    position.chooseStep(bids, asks, 40);
    expect([position.step, position.size]).toEqual([1, 250_000_000]);
    const empty = new LadderPosition(0);
    empty.chooseStep(side([[0, 1]]), side([[0, 1]]), 40);
    expect(empty.size).toBe(1);
  });

  it('takes the grouping that its reader wants, and keeps it when the prices become finer', () => {
    const position = new LadderPosition(25, -2);
    position.choose('2.5');
    position.chooseStep(side([[500_000, 1]]), side([[500_025, 1]]), 25);
    expect([position.size, position.chosen]).toEqual([250, '2.5']);
    position.regroup(-1, 25);
    expect([position.size, position.chosen]).toEqual([100, '1']);
    position.rescale(-4);
    expect([position.size, position.chosen]).toEqual([10_000, '1']);
    // No multiple of the tick: what fits is taken, and the address says nothing of it.
    position.choose('0.3');
    position.chooseStep(side([[50_000_000, 1]]), side([[50_002_500, 1]]), 25);
    expect([position.size, position.chosen]).toEqual([2500, undefined]);
    // An exponent that cannot say the tick: it is found anew.
    position.rescale(0);
    expect(position.step).toBe(0);
  });

  it('stops following when it is scrolled and centres when told to follow', () => {
    const position = new LadderPosition(5);
    position.step = 2;
    position.followTouch(20, 1000, 1010);
    position.scroll(7);
    position.settle(20, 2000, 2010);
    expect(position.follow).toBe(false);
    position.followTouch(20, 2000, 2010);
    expect(position.top).toBe(centredTop(20, 200, 201));
  });
});
