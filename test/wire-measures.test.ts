import { describe, expect, it } from 'vitest';
import { FrameReader, Kind, LocalBook } from '../src/wire/index.js';
import { checkOf, type FrameSpec, frame, type LevelSpec } from './support/frames.js';

/** A synced book of an image, cents and whole units unless said otherwise. */
function bookOf(
  bids: readonly LevelSpec[],
  asks: readonly LevelSpec[],
  info: NonNullable<FrameSpec['info']> = {},
): LocalBook {
  const book = new LocalBook();
  const exponents = { priceExponent: -2, qtyExponent: 0, ...info };
  const bytes = frame({
    kind: Kind.image,
    seq: 1,
    epoch: 5n,
    info: exponents,
    check: checkOf(bids, asks),
    bids,
    asks,
  });
  const reader = new FrameReader().reset(bytes);
  reader.next();
  book.apply(reader);
  expect(book.state).toBe('synced');
  return book;
}

describe('plain numbers of a book', () => {
  // The published output of the notebook of sstoikov/microprice, and the vectors beside it.
  it.each([
    [1433, 20, 1434, 471, 14.330407, 0.040733],
    [1433, 25, 1434, 148, 14.331445, 0.144509],
    [1433, 31, 1434, 95, 14.33246, 0.246032],
  ])('weights the middle by the touch: %d × %d, %d × %d', (bid, bidQty, ask, askQty, weighted, share) => {
    const book = bookOf([[bid, bidQty]], [[ask, askQty]]);
    expect(book.microprice()).toBeCloseTo(weighted, 6);
    expect(book.bidShare()).toBeCloseTo(share, 6);
    expect(book.imbalance(1)).toBeCloseTo(2 * share - 1, 5);
    expect(book.mid()).toBe(14.335);
  });

  it('walks the side that is taken from', () => {
    const book = bookOf(
      [[10_000, 1]],
      [
        [10_100, 3],
        [10_200, 5],
        [10_400, 10],
      ],
    );
    expect(book.vwap(10)).toBe(102.1);
    expect(1e4 * (((book.vwap(10) ?? 0) - (book.mid() ?? 0)) / (book.mid() ?? 0))).toBeCloseTo(159.204, 3);
    expect(book.vwap(18)).toBeCloseTo((303 + 510 + 1040) / 18, 12);
    expect([book.vwap(3), book.vwap(18.5), book.vwap(1, 'bid'), book.vwap(2, 'bid')]).toEqual([
      101,
      undefined,
      100,
      undefined,
    ]);
    expect([book.vwap(0), book.vwap(-1), book.vwap(Number.NaN)]).toEqual([undefined, undefined, undefined]);
  });

  it('counts the imbalance over so many levels', () => {
    const book = bookOf(
      [
        [100, 4],
        [99, 2],
      ],
      [
        [101, 1],
        [102, 1],
        [103, 6],
      ],
    );
    expect([book.imbalance(), book.imbalance(2), book.imbalance(10)]).toEqual([3 / 5, 4 / 8, -2 / 14]);
    expect([book.imbalance(0), book.imbalance(Number.NaN)]).toEqual([undefined, undefined]);
  });

  it('has none where a side is empty or the book is crossed, and has them where it is locked', () => {
    const numbers = (book: LocalBook) => [book.mid(), book.microprice(), book.bidShare(), book.imbalance(3)];
    const none = [undefined, undefined, undefined, undefined];
    expect(numbers(bookOf([], []))).toEqual(none);
    expect(numbers(bookOf([[1, 1]], []))).toEqual(none);
    expect(numbers(bookOf([[102, 1]], [[101, 1]]))).toEqual(none);
    expect(numbers(bookOf([[101, 1]], [[101, 3]]))).toEqual([1.01, 1.01, 0.25, -0.5]);
    expect(bookOf([], []).top()).toEqual({ bid: undefined, ask: undefined });
  });

  it('counts nothing that lies beyond what the venue has made known', () => {
    const info = { bidKnownTo: 99, askKnownTo: 102 };
    const book = bookOf(
      [
        [100, 1],
        [90, 5],
      ],
      [
        [101, 1],
        [110, 9],
      ],
      info,
    );
    expect([book.vwap(1), book.vwap(2), book.vwap(1, 'bid'), book.vwap(2, 'bid')]).toEqual([
      1.01,
      undefined,
      1,
      undefined,
    ]);
    expect([book.imbalance(1), book.imbalance(2)]).toEqual([0, undefined]);
  });

  it('is the nearest double of an exact number, of any exponent and of 64 bits', () => {
    const price = 2n ** 62n + 1n;
    const book = bookOf([[price, 3]], [[price + 2n, 2n ** 60n]], { priceExponent: -9, qtyExponent: 3 });
    const { bid, ask } = book.top();
    expect(bid && [bid.price, book.priceText(bid), book.priceNumber(bid), book.qtyNumber(bid)]).toEqual([
      Number.NaN,
      '4611686018.427387905',
      4611686018.427388,
      3000,
    ]);
    expect(ask && book.qtyNumber(ask)).toBe(Number('1152921504606846976000'));
    expect(book.priceNumber(123_456_789)).toBe(0.123456789);
    const tiny = bookOf([[7, 1]], [[9, 1]], { priceExponent: -30, qtyExponent: -25 });
    expect([tiny.priceNumber(7), tiny.qtyNumber(1), tiny.mid()]).toEqual([7e-30, 1e-25, 8e-30]);
  });

  it('is written as JSON in exact decimals, levels of 64 bits included', () => {
    const book = bookOf(
      [
        [100, 5],
        [99, 2n ** 60n],
      ],
      [[102, 1]],
      { bidKnownTo: 99 },
    );
    expect(JSON.parse(JSON.stringify(book))).toEqual({
      state: 'synced',
      reason: 'none',
      epoch: '5',
      seq: '1',
      venueSeq: '0',
      beyondKnown: false,
      crossed: false,
      bidKnownTo: '0.99',
      askKnownTo: null,
      bids: [
        ['1', '5'],
        ['0.99', '1152921504606846976'],
      ],
      asks: [['1.02', '1']],
    });
    expect(JSON.parse(JSON.stringify(book.levelAt('bid', 1)))).toEqual({
      price: 99,
      qty: null,
      exact: { price: '99', qty: '1152921504606846976' },
    });
    expect(JSON.parse(JSON.stringify({ place: book.place }))).toEqual({ place: { epoch: '5', seq: 1 } });
  });
});
