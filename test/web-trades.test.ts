import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Levels } from '../src/web/levels.js';
import { bidShare, fillOf } from '../src/web/own-size.js';
import { type Fill, RecentTrades, type TapeItem } from '../src/web/recent-trades.js';
import { TradeFlow } from '../src/web/trade-flow.js';
import { grantableGrouping, VolumeProfile } from '../src/web/volume-profile.js';
import { formatDecimal, type Volume } from '../src/wire/index.js';

const aggressor = fc.constantFrom('buy' as const, 'sell' as const, 'unknown' as const);

function side(rows: readonly (readonly [price: number, qty: number])[]): Levels {
  return {
    count: rows.length,
    price: (at) => rows[at]?.[0] ?? Number.NaN,
    qty: (at) => rows[at]?.[1] ?? Number.NaN,
    level: () => undefined,
  };
}

describe('trade tape', () => {
  const tapeOf = (capacity: number) =>
    new RecentTrades(capacity, (qty, exponent) => formatDecimal(qty, exponent));
  const items = (tape: RecentTrades): readonly (TapeItem | null)[] =>
    Array.from({ length: tape.count }, (_, age) => tape.at(age));

  it('holds the newest items, newest first, and counts the others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 70 }), (capacity, total) => {
        const tape = tapeOf(capacity);
        for (let at = 1; at <= total; at += 1) {
          const tsEvent = BigInt(at) * 1_000_000n;
          const qty = BigInt(at);
          tape.add({
            price: String(at),
            qty,
            qtyExponent: 0,
            aggressor: 'buy',
            tsEvent,
            number: qty,
            seq: at,
          });
        }
        expect([tape.total, tape.count]).toEqual([total, Math.min(capacity, total)]);
        expect(items(tape).map((item) => item?.tag === 'trade' && Number(item.price))).toEqual(
          Array.from({ length: tape.count }, (_, age) => total - age),
        );
        expect(tape.at(tape.count)).toBeNull();
      }),
    );
  });

  it('makes one item of what one taker took, and of nothing else', () => {
    const fill = fc.record({
      price: fc.integer({ min: 1, max: 9 }).map(String),
      qty: fc.bigInt({ min: 1n, max: 10n ** 20n }),
      qtyExponent: fc.constantFrom(-3, -8),
      aggressor,
      tsEvent: fc.constantFrom(1_000_000n, 2_000_000n),
      // How far its number is from the one before; undefined where the venue numbers nothing.
      step: fc.constantFrom(1n, 1n, 2n, undefined),
      seq: fc.constantFrom(1, 1, 2),
    });
    fc.assert(
      fc.property(fc.array(fc.option(fill, { freq: 8 }), { maxLength: 40 }), (events) => {
        const tape = tapeOf(100);
        const expected: { price: string; qty: bigint; exponent: number; fills: number }[] = [];
        let last: Fill | null = null;
        let number = 0n;
        for (const event of events) {
          if (event === null) {
            tape.miss();
            expected.push({ price: 'missing', qty: 0n, exponent: 0, fills: 0 });
            last = null;
            continue;
          }
          const { step, ...rest } = event;
          number += step ?? 0n;
          const next: Fill = { ...rest, number: step === undefined ? undefined : number };
          tape.add(next);
          const joins =
            last !== null &&
            next.aggressor !== 'unknown' &&
            last.aggressor === next.aggressor &&
            last.tsEvent === next.tsEvent &&
            last.qtyExponent === next.qtyExponent &&
            (last.number === undefined || next.number === undefined
              ? last.number === next.number && last.seq === next.seq
              : next.number - last.number === 1n);
          const before = joins ? expected.pop() : undefined;
          expected.push({
            price: next.price,
            qty: (before?.qty ?? 0n) + next.qty,
            exponent: next.qtyExponent,
            fills: (before?.fills ?? 0) + 1,
          });
          last = next;
        }
        expect(
          items(tape)
            .map((item) =>
              item?.tag === 'trade' ? [item.price, item.qtyText, item.fills] : ['missing', '0', 0],
            )
            .reverse(),
        ).toEqual(
          expected.map(({ price, qty, exponent, fills }) => [price, formatDecimal(qty, exponent), fills]),
        );
      }),
    );
  });

  it('knows from which size on a trade is among the largest', () => {
    const tape = tapeOf(1000);
    const add = (qty: number, at: number) =>
      tape.add({
        price: '1',
        qty: BigInt(qty),
        qtyExponent: 0,
        aggressor: 'buy',
        tsEvent: BigInt(at),
        number: 0n,
        seq: at,
      });
    for (let at = 1; at <= 63; at += 1) add(at, at);
    expect(tape.largeFrom).toBe(Number.POSITIVE_INFINITY);
    for (let at = 64; at <= 200; at += 1) add(at, at);
    expect(tape.largeFrom).toBe(195);
  });
});

describe('volume profile', () => {
  const trade = fc.record({
    price: fc.integer({ min: -20, max: 300 }),
    qty: fc.integer({ min: 1, max: 1000 }),
    aggressor,
  });
  type PlainTrade = { readonly price: number; readonly qty: number; readonly aggressor: string };

  /** What the engine tells of some trades, in rows of a width. */
  function rowsOf(trades: readonly PlainTrade[], width: number): readonly Volume[] {
    const rows = new Map<number, Record<'price' | 'bought' | 'sold' | 'unknown' | 'trades', number>>();
    for (const one of trades) {
      const price = Math.floor(one.price / width) * width;
      const row = rows.get(price) ?? { price, bought: 0, sold: 0, unknown: 0, trades: 0 };
      rows.set(price, row);
      row[one.aggressor === 'buy' ? 'bought' : one.aggressor === 'sell' ? 'sold' : 'unknown'] += one.qty;
      row.trades += 1;
    }
    return [...rows.values()].sort((one, other) => one.price - other.price);
  }

  /** By a table and a walk. */
  function plainProfile(trades: readonly PlainTrade[], size: number) {
    const table = new Map<number, number>();
    for (const one of trades) {
      const bucket = Math.floor(one.price / size);
      table.set(bucket, (table.get(bucket) ?? 0) + one.qty);
    }
    const rows = [...table].sort(([one], [other]) => other - one);
    const most = Math.max(...table.values());
    const poc = rows.findIndex(([, qty]) => qty === most);
    const total = trades.reduce((sum, { qty }) => sum + qty, 0);
    let [above, below, held] = [poc, poc, most];
    while (held < total * 0.7) {
      const up = rows[above - 1]?.[1] ?? 0;
      const down = rows[below + 1]?.[1] ?? 0;
      if (up >= down) above -= 1;
      else below += 1;
      held += Math.max(up, down);
    }
    return { table, poc: rows[poc]?.[0], high: rows[above]?.[0], low: rows[below]?.[0] };
  }

  it('has volume, point of control and value area of a plain one, however the engine groups and scales its rows', () => {
    fc.assert(
      fc.property(
        fc.array(trade, { minLength: 1, maxLength: 80 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 2 }),
        (trades, width, times, finer) => {
          const profile = new VolumeProfile();
          const size = width * times;
          const rows = rowsOf(trades, width);
          profile.take({ priceExponent: -2, qtyExponent: -3, grouping: width === 1 ? 0 : width, rows });
          // The ladder's prices may have more decimals, for a moment.
          profile.settle({ priceExponent: -2 - finer, qtyExponent: -3, size: size * 10 ** finer });
          const expected = plainProfile(trades, size);
          for (const [bucket, qty] of expected.table) expect(profile.at(bucket)).toBe(qty);
          expect([profile.poc, profile.valueLow, profile.valueHigh, profile.qtyMax]).toEqual([
            expected.poc,
            expected.low,
            expected.high,
            expected.table.get(expected.poc ?? 0),
          ]);
        },
      ),
    );
  });

  it('is empty, and says why, where rows are wider than buckets', () => {
    const profile = new VolumeProfile();
    const rows = [{ price: 100, bought: 5, sold: 0, unknown: 0, trades: 1 }];
    profile.take({ priceExponent: -2, qtyExponent: 0, grouping: 100, rows });
    profile.settle({ priceExponent: -2, qtyExponent: 0, size: 50 });
    expect([profile.tooWide, profile.at(2), profile.poc]).toEqual([100, 0, Number.NaN]);
    profile.settle({ priceExponent: -2, qtyExponent: 0, size: 500 });
    expect([profile.tooWide, profile.at(0), profile.poc]).toEqual([0, 5, 0]);
  });

  it('asks for what the engine grants as it is, else for single prices', () => {
    const asked = (text: string, step: number) => grantableGrouping(text, step);
    expect(['0.5', '2.5', '250', '0.02', '1000'].map((text) => asked(text, 2))).toEqual([
      '0.5',
      '2.5',
      '250',
      '0.02',
      '1000',
    ]);
    expect([asked('0.0625', 2), asked('3', 3), asked('0.25', 1)]).toEqual([undefined, undefined, undefined]);
  });
});

describe('flow of trades', () => {
  it('has the delta of each second and their running sum', () => {
    const event = fc.record({
      after: fc.integer({ min: 0, max: 4 }),
      qty: fc.integer({ min: 1, max: 99 }),
      aggressor,
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 60 }), (events) => {
        const flow = new TradeFlow(8);
        const signed: { second: number; by: number }[] = [];
        let second = 100;
        for (const { after, qty, aggressor: taker } of events) {
          second += after;
          flow.add(second, qty, taker);
          signed.push({ second, by: taker === 'buy' ? qty : taker === 'sell' ? -qty : 0 });
        }
        const first = Math.max(signed[0]?.second ?? 0, second - 7);
        const seconds = Array.from({ length: second - first + 1 }, (_, at) => first + at);
        const sum = (of: (one: number) => boolean) =>
          signed.filter((one) => of(one.second)).reduce((all, { by }) => all + by, 0);
        expect(flow.series()).toEqual({
          second: seconds.map((one) => one - second),
          delta: seconds.map((one) => sum((at) => at === one)),
          cumulative: seconds.map((one) => sum((at) => at <= one)),
        });
        expect(flow.cumulative).toBe(sum(() => true));
      }),
    );
  });

  it('goes on without trades, and forgets a long silence', () => {
    const flow = new TradeFlow(4);
    expect(flow.series().second).toEqual([]);
    flow.add(10, 5, 'buy');
    flow.advance(12);
    expect(flow.series()).toEqual({ second: [-2, -1, 0], delta: [5, 0, 0], cumulative: [5, 5, 5] });
    flow.advance(5000);
    expect(flow.series()).toEqual({ second: [-3, -2, -1, 0], delta: [0, 0, 0, 0], cumulative: [5, 5, 5, 5] });
  });
});

describe('own size', () => {
  it('is traded level by level, and told where the book is too thin', () => {
    const asks = side([
      [101, 3],
      [102, 5],
      [104, 10],
    ]);
    expect(fillOf(asks, 10)).toEqual({ filled: 10, mean: 102.1, worst: 104 });
    expect(fillOf(asks, 3)).toEqual({ filled: 3, mean: 101, worst: 101 });
    expect(fillOf(asks, 100)).toMatchObject({ filled: 18, worst: 104 });
    expect(fillOf(side([]), 1)).toEqual({ filled: 0, mean: Number.NaN, worst: Number.NaN });
  });

  it('stands beside the share of bids in the best levels, which an empty side has not', () => {
    const bids = side([
      [100, 6],
      [99, 1],
    ]);
    expect(bidShare(bids, side([[101, 2]]), 1)).toBe(0.75);
    expect(bidShare(bids, side([[101, 1]]), 10)).toBe(7 / 8);
    expect(bidShare(bids, side([]), 10)).toBeNaN();
  });
});
