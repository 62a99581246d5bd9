import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BucketBook, COLUMN_LEVELS, GAP_COLUMNS, HeatmapColumns } from '../src/web/heatmap-columns.js';
import { bucketWidth } from '../src/web/heatmap-feed.js';
import {
  baseBucket,
  NO_PRICE,
  NOT_TOLD,
  TEXEL_FACTS,
  TEXEL_ROWS,
  writeTexels,
} from '../src/web/heatmap-texels.js';
import { HeatmapView } from '../src/web/heatmap-view.js';

const SIZE = 50;
const COLUMN_MS = 500;
const CAPACITY = 16;

type Cells = readonly (readonly [price: number, qty: number])[];

interface Sides {
  readonly bids: Cells;
  readonly asks: Cells;
}

function bookOf({ bids, asks }: Sides, depthMax = COLUMN_LEVELS): BucketBook {
  return {
    bidCount: bids.length,
    askCount: asks.length,
    depthMax,
    bidPrice: (at) => bids[at]?.[0] ?? Number.NaN,
    bidQty: (at) => bids[at]?.[1] ?? Number.NaN,
    askPrice: (at) => asks[at]?.[0] ?? Number.NaN,
    askQty: (at) => asks[at]?.[1] ?? Number.NaN,
  };
}

/** A book whose buckets may lie far apart, and whose best prices may be anywhere. */
const sides: fc.Arbitrary<Sides> = fc
  .tuple(
    fc.integer({ min: -400, max: 4000 }),
    fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { maxLength: COLUMN_LEVELS }),
    fc.uniqueArray(fc.integer({ min: 1, max: 300 }), { maxLength: COLUMN_LEVELS }),
    fc.array(fc.integer({ min: 1, max: 2 ** 52 }), { minLength: 200, maxLength: 200 }),
  )
  .map(([middle, below, above, qtys]) => ({
    bids: below.sort((a, b) => a - b).map((off, at) => [(middle - off) * SIZE, qtys[at] ?? 1] as const),
    asks: above.sort((a, b) => a - b).map((off, at) => [(middle + off) * SIZE, qtys[100 + at] ?? 1] as const),
  }));

type Step =
  | { readonly tag: 'book'; readonly afterMs: number; readonly book: Sides; readonly isExact: boolean }
  | { readonly tag: 'doubt' }
  | { readonly tag: 'quiet'; readonly afterMs: number }
  | {
      readonly tag: 'trade';
      readonly price: number;
      readonly qty: number;
      readonly aggressor: 'buy' | 'sell';
    };

const afterMs = fc.oneof(fc.integer({ min: -300, max: 900 }), fc.integer({ min: 0, max: 12_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      tag: fc.constant('book' as const),
      afterMs,
      book: sides,
      isExact: fc.oneof(
        { weight: 9, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ tag: 'doubt' as const }) },
  { weight: 2, arbitrary: fc.record({ tag: fc.constant('quiet' as const), afterMs }) },
  {
    weight: 2,
    arbitrary: fc.record({
      tag: fc.constant('trade' as const),
      price: fc.integer({ min: 1, max: 10 ** 6 }),
      qty: fc.integer({ min: 1, max: 10 ** 6 }),
      aggressor: fc.constantFrom('buy' as const, 'sell' as const),
    }),
  },
);

/** What a column is, by the plainest way: the whole history is kept, and each column looked up in it. */
class PlainHeatmap {
  readonly #moments: { column: number; book: Sides | null; broken: boolean }[] = [];
  readonly #trades: { column: number; price: number; qty: number; aggressor: 'buy' | 'sell' }[] = [];
  #nowMs = Number.NaN;

  get open(): number {
    return Math.floor(this.#nowMs / COLUMN_MS);
  }

  book(atMs: number, book: Sides, isExact: boolean): void {
    this.pass(atMs);
    if (Number.isNaN(this.#nowMs)) this.#nowMs = atMs;
    const before = this.#moments.at(-1)?.book ?? null;
    this.#moments.push({
      column: this.open,
      book: isExact ? book : before,
      broken: !isExact && before !== null,
    });
  }

  doubt(): void {
    const last = this.#moments.at(-1);
    if (last?.book != null) this.#moments.push({ column: this.open, book: last.book, broken: true });
  }

  trade(price: number, qty: number, aggressor: 'buy' | 'sell'): void {
    this.#trades.push({ column: this.open, price, qty, aggressor });
  }

  /** Time goes on, and never back past a column. */
  pass(toMs: number): void {
    if (Math.floor(toMs / COLUMN_MS) > this.open) this.#nowMs = toMs;
  }

  column(column: number) {
    const before = this.#moments.filter((moment) => moment.column < column).at(-1);
    const within = this.#moments.filter((moment) => moment.column === column);
    const last = within.at(-1) ?? before;
    const broken = [...(before === undefined ? [] : [before]), ...within].some((moment) => moment.broken);
    const mark = last?.book == null ? 'none' : broken ? 'broken' : 'market';
    const sums = (aggressor: 'buy' | 'sell') => {
      const own = this.#trades.filter((trade) => trade.column === column && trade.aggressor === aggressor);
      const qty = own.reduce((sum, trade) => sum + trade.qty, 0);
      return { qty, price: own.reduce((sum, trade) => sum + trade.price * trade.qty, 0) / qty };
    };
    return { mark, book: mark === 'market' ? last?.book : undefined, buy: sums('buy'), sell: sums('sell') };
  }
}

function run(steps: readonly Step[]): { readonly columns: HeatmapColumns; readonly plain: PlainHeatmap } {
  const columns = new HeatmapColumns(CAPACITY, COLUMN_MS, SIZE);
  const plain = new PlainHeatmap();
  let nowMs = 1_700_000_000_000;
  for (const one of steps) {
    if (one.tag === 'book' || one.tag === 'quiet') nowMs += one.afterMs;
    if (one.tag === 'book') {
      columns.take(nowMs, bookOf(one.book), one.isExact);
      plain.book(nowMs, one.book, one.isExact);
    } else if (one.tag === 'quiet') {
      columns.advance(nowMs);
      plain.pass(nowMs);
    } else if (one.tag === 'doubt') {
      columns.doubt();
      plain.doubt();
    } else if (!Number.isNaN(columns.open)) {
      columns.trade(one.price, one.qty, one.aggressor);
      plain.trade(one.price, one.qty, one.aggressor);
    }
  }
  return { columns, plain };
}

describe('columns of the heatmap', () => {
  it('are cell for cell those of a plain history of the same frames', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { columns, plain } = run(steps);
        if (Number.isNaN(columns.open)) return;
        expect(columns.open).toBe(plain.open);
        for (let column = columns.oldest; column < columns.open; column += 1) {
          const expected = plain.column(column);
          const got = columns.column(column);
          expect(got?.mark).toBe(expected.mark);
          const cells: unknown[] = [];
          columns.cellsOf(column, (side, bucket, qty) => cells.push([side, bucket * SIZE, qty]));
          const { bids = [], asks = [] } = expected.book ?? {};
          expect(cells).toEqual([
            ...bids.map(([price, qty]) => ['bid', price + 0, qty]),
            ...asks.map(([price, qty]) => ['ask', price + 0, qty]),
          ]);
          expect([got?.bought, got?.sold]).toEqual([expected.buy.qty, expected.sell.qty]);
          expect([got?.boughtPrice, got?.soldPrice]).toEqual([expected.buy.price, expected.sell.price]);
        }
      }),
    );
  });

  it('are written to the texture cell for cell, and nothing where they are not told', () => {
    fc.assert(
      fc.property(sides, fc.integer({ min: 1, max: COLUMN_LEVELS }), (book, depthMax) => {
        const cut = { bids: book.bids.slice(0, depthMax), asks: book.asks.slice(0, depthMax) };
        const columns = new HeatmapColumns(CAPACITY, COLUMN_MS, SIZE);
        columns.take(0, bookOf(cut, depthMax), true);
        columns.advance(COLUMN_MS);
        const origin = 7;
        const out = new Float32Array((TEXEL_FACTS + TEXEL_ROWS) * 2).fill(9);
        writeTexels(columns, 0, origin, out);
        const base = baseBucket(columns, 0);
        expect([out[0], out[1]]).toEqual([base - origin, 1]);
        const best = (cells: Cells) => (cells[0] === undefined ? NO_PRICE : cells[0][0] / SIZE - origin);
        expect([out[2], out[3]]).toEqual([best(cut.bids), best(cut.asks)]);
        const cell = (side: 'bid' | 'ask', bucket: number): number => {
          const cells = side === 'bid' ? cut.bids : cut.asks;
          const qty = cells.find(([price]) => price === bucket * SIZE)?.[1];
          if (qty !== undefined) return Math.fround(qty);
          const edge = cells.at(-1)?.[0];
          if (cells.length < depthMax || edge === undefined) return 0;
          return (side === 'bid' ? bucket * SIZE < edge : bucket * SIZE > edge) ? NOT_TOLD : 0;
        };
        for (let row = 0; row < TEXEL_ROWS; row += 1) {
          const at = (TEXEL_FACTS + row) * 2;
          expect([out[at], out[at + 1]]).toEqual([cell('bid', base + row), cell('ask', base + row)]);
        }
      }),
    );
  });

  it('say nothing of a time at which the book was not exact', () => {
    const columns = new HeatmapColumns(CAPACITY, COLUMN_MS, SIZE);
    const book = bookOf({ bids: [[100, 5]], asks: [[150, 5]] });
    const marks = () =>
      Array.from(
        { length: columns.open - columns.oldest },
        (_, at) => columns.column(columns.oldest + at)?.mark,
      );
    columns.take(10, book, true);
    columns.take(600, book, true);
    columns.doubt();
    columns.advance(1600);
    columns.take(1700, book, true);
    columns.take(2600, book, true);
    expect(marks()).toEqual(['market', 'broken', 'broken', 'broken', 'market']);
  });

  it('begin again behind a gap where time goes on elsewhere, before or after', () => {
    const book = bookOf({ bids: [[100, 5]], asks: [[150, 5]] });
    for (const elsewhereMs of [-3_600_000, 3_600_000]) {
      const columns = new HeatmapColumns(32, COLUMN_MS, SIZE);
      const startMs = 1_700_000_000_000;
      columns.take(startMs, book, true);
      columns.take(startMs + 2 * COLUMN_MS, book, true);
      columns.cut();
      columns.cut();
      // Nothing has a time until the next book does.
      columns.advance(startMs + 10 * COLUMN_MS);
      expect(columns.columnsTo(startMs)).toBe(Number.NaN);
      columns.take(startMs + elsewhereMs, book, true);
      columns.advance(startMs + elsewhereMs + 2 * COLUMN_MS);
      const held = Array.from({ length: columns.open - columns.oldest }, (_, at) => {
        const { mark, endMs } = columns.column(columns.oldest + at) ?? {};
        return [mark, (endMs ?? 0) - startMs];
      });
      expect(held).toEqual([
        ['market', 500],
        ['market', 1000],
        ['market', 1500],
        ...Array.from({ length: GAP_COLUMNS }, () => ['gap', Number.NaN]),
        ['market', elsewhereMs + 500],
        ['market', elsewhereMs + 1000],
      ]);
    }
  });

  it('hold as many as their ring, however long a silence was', () => {
    const columns = new HeatmapColumns(CAPACITY, COLUMN_MS, SIZE);
    columns.take(0, bookOf({ bids: [[100, 5]], asks: [] }), true);
    columns.advance(3_600_000);
    expect(columns.open - columns.oldest).toBe(CAPACITY);
    expect(columns.column(columns.oldest)?.mark).toBe('market');
    expect(columns.column(columns.oldest - 1)).toBeUndefined();
    expect(columns.column(columns.open)).toBeUndefined();
  });

  it('know below which quantity a share of their cells lies', () => {
    const columns = new HeatmapColumns(4, COLUMN_MS, SIZE);
    const cells = (qty: number): Cells =>
      Array.from({ length: 100 }, (_, at) => [5000 - at * SIZE, qty] as const);
    expect(columns.qtyAtShare(0.5)).toBe(0);
    columns.take(0, bookOf({ bids: cells(1000), asks: [] }), true);
    columns.take(500, bookOf({ bids: [...cells(1000).slice(0, 99), [1, 10 ** 15]], asks: [] }), true);
    columns.advance(1000);
    expect(columns.qtyAtShare(0.9)).toBeGreaterThanOrEqual(1000);
    expect(columns.qtyAtShare(0.99)).toBeLessThan(1100);
    expect(columns.qtyAtShare(1)).toBeGreaterThanOrEqual(10 ** 15);
    columns.advance(10_000);
    expect(columns.qtyAtShare(0.9)).toBeGreaterThanOrEqual(1000);
  });
});

describe('view of the heatmap', () => {
  const filled = (): HeatmapColumns => {
    const columns = new HeatmapColumns(CAPACITY, COLUMN_MS, SIZE);
    columns.take(0, bookOf({ bids: [[5000, 5]], asks: [[5050, 5]] }), true);
    columns.advance(10 * COLUMN_MS);
    return columns;
  };

  it('follows the newest column until it is scrolled, and again when it comes back', () => {
    const columns = filled();
    const view = new HeatmapView();
    view.widthPx = 4;
    view.heightPx = 80;
    view.settle(columns);
    expect([view.end, view.low]).toEqual([9, 91]);
    view.scroll(-3, columns);
    columns.advance(12 * COLUMN_MS);
    view.settle(columns);
    expect([view.end, view.isLive]).toEqual([6, false]);
    view.scroll(100, columns);
    expect([view.end, view.isLive]).toEqual([11, true]);
  });

  it('keeps a cursor in view', () => {
    const columns = filled();
    const view = new HeatmapView();
    view.widthPx = 4;
    view.heightPx = 80;
    view.settle(columns);
    view.move(0, 0, columns);
    expect(view.cursor).toEqual({ column: 9, bucket: 100 });
    view.move(-6, 30, columns);
    expect(view.cursor).toEqual({ column: 3, bucket: 130 });
    expect([view.end, view.low, view.isLive]).toEqual([6, 111, false]);
    expect(view.at(0, 79)).toEqual({ column: 2, bucket: 111 });
    view.goLive();
    view.settle(columns);
    expect([view.end, view.cursor]).toEqual([9, null]);
  });
});

describe('width of a bucket', () => {
  it('is a ten-thousandth of the price in steps of the tick, or as much coarser as is asked for', () => {
    expect(bucketWidth(6_180_000, 1, 0)).toBe(1000);
    expect(bucketWidth(6_180_000, 1, 1)).toBe(2000);
    expect(bucketWidth(500_000, 25, 0)).toBe(50);
    expect(bucketWidth(50, 5, 0)).toBe(5);
    expect(bucketWidth(50, 5, -3)).toBe(5);
    expect(bucketWidth(10 ** 15, 1, 3)).toBe(10 ** 6);
  });
});
