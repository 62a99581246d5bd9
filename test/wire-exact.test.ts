import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  channel,
  connect,
  decimalsOf,
  decimalText,
  type Feed,
  FrameReader,
  formatDecimal,
  Kind,
  LocalBook,
} from '../src/wire/index.js';
import { FeedServer, type Peer } from './support/feed-server.js';
import { checkOf, type FrameSpec, frame, I64_MAX, I64_MIN, type LevelSpec } from './support/frames.js';

const SAFE = 2n ** 53n;
/** Prices and quantities at and around what a number holds. */
const EDGES = [1n, SAFE - 1n, SAFE, SAFE + 1n, SAFE + 2n, I64_MAX - 1n, I64_MAX] as const;
const NAME = 'sim:BTCUSDT';

function image(bids: readonly LevelSpec[], asks: readonly LevelSpec[], more: Partial<FrameSpec> = {}) {
  return frame({
    kind: Kind.image,
    epoch: 1n,
    seq: 1,
    bids,
    asks,
    check: checkOf(bids, asks),
    info: {},
    ...more,
  });
}

function delta(seq: number, bids: readonly LevelSpec[], asks: readonly LevelSpec[] = []): Uint8Array {
  return frame({ kind: Kind.delta, epoch: 1n, prevSeq: seq - 1, seq, bids, asks });
}

function apply(book: LocalBook, bytes: Uint8Array): string {
  const reader = new FrameReader().reset(bytes);
  reader.next();
  return book.apply(reader).tag;
}

/** A side as pairs of 64-bit integers. */
function exactOf(book: LocalBook, side: 'bid' | 'ask'): readonly (readonly [bigint, bigint])[] {
  return Array.from(book.levels(side), ({ price, qty, exact }) =>
    exact === undefined ? [BigInt(price), BigInt(qty)] : [exact.price, exact.qty],
  );
}

describe('a book of values that no number holds', () => {
  it.each(EDGES)('holds a quantity and a price of %i exactly, by image and by delta', (value) => {
    const bids: readonly LevelSpec[] = [[50n, value]];
    const asks: readonly LevelSpec[] = [[value, 7n]];
    const whole = new LocalBook();
    expect(apply(whole, image(bids, asks))).toBe('image');
    const changed = new LocalBook();
    apply(changed, image([], []));
    expect(apply(changed, delta(2, bids, asks))).toBe('applied');
    for (const book of [whole, changed]) {
      expect([exactOf(book, 'bid'), exactOf(book, 'ask')]).toEqual([bids, asks]);
      const number = value < SAFE ? Number(value) : Number.NaN;
      expect([book.bestBid?.qty, book.bestAsk?.price]).toEqual([number, number]);
      expect([book.qtyAtIndex('bid', 0), book.priceAt('ask', 0)]).toEqual([number, number]);
      expect(book.qtyNearestAt('bid', 0)).toBe(Number(value));
      expect(book.qtyText(book.bestBid ?? 0)).toBe(decimalText(value, -5));
      expect(book.priceText(book.bestAsk ?? 0)).toBe(decimalText(value, -2));
      expect(book.qtyAt('bid', 50)).toBe(value < SAFE ? Number(value) : value);
      expect(book.qtyAt('ask', value)).toBe(7);
      expect(book.check()).toEqual(checkOf(bids, asks));
    }
  });

  it('keeps prices apart that are one number, in their order', () => {
    const book = new LocalBook();
    apply(book, image([], []));
    apply(
      book,
      delta(
        2,
        [
          [SAFE, 1n],
          [SAFE + 1n, 2n],
          [SAFE + 2n, 3n],
        ],
        [
          [SAFE + 9n, 1n],
          [SAFE + 8n, 2n],
        ],
      ),
    );
    expect(exactOf(book, 'bid')).toEqual([
      [SAFE + 2n, 3n],
      [SAFE + 1n, 2n],
      [SAFE, 1n],
    ]);
    expect(exactOf(book, 'ask')).toEqual([
      [SAFE + 8n, 2n],
      [SAFE + 9n, 1n],
    ]);
    apply(book, delta(3, [[SAFE + 1n, 0n]]));
    expect([book.qtyAt('bid', SAFE + 1n), book.qtyAt('bid', SAFE)]).toEqual([0, 1]);
  });

  it('is narrow again, without a BigInt, after an image that numbers hold', () => {
    const book = new LocalBook();
    apply(book, image([[5n, I64_MAX]], []));
    apply(book, image([[5n, 4n]], [], { seq: 2 }));
    expect(book.bestBid).toEqual({ price: 5, qty: 4 });
  });

  it('says unknown behind a price that no number holds', () => {
    const book = new LocalBook();
    apply(book, image([[I64_MAX, 1n]], [], { info: { bidKnownTo: SAFE + 1n } }));
    expect(book.bidKnownTo).toBe(SAFE + 1n);
    expect([book.qtyAt('bid', SAFE + 1n), book.qtyAt('bid', SAFE)]).toEqual([0, 'unknown']);
  });

  const mantissa = fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.constantFrom(...EDGES));
  const change = fc.tuple(
    fc.constantFrom('bid' as const, 'ask' as const),
    mantissa,
    fc.oneof(fc.constant(0n), mantissa),
  );

  it('equals a map of integers after any run of changes', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.boolean(), (changes, isOneFrame) => {
        const book = new LocalBook();
        apply(book, image([], []));
        const model = { bid: new Map<bigint, bigint>(), ask: new Map<bigint, bigint>() };
        let seq = 1;
        const of = (wanted: string): readonly LevelSpec[] =>
          changes.flatMap(([side, price, qty]) => (side === wanted ? [[price, qty] as const] : []));
        for (const [side, price, qty] of changes) {
          if (qty === 0n) model[side].delete(price);
          else model[side].set(price, qty);
          seq += 1;
          if (!isOneFrame)
            apply(book, side === 'bid' ? delta(seq, [[price, qty]]) : delta(seq, [], [[price, qty]]));
        }
        if (isOneFrame) apply(book, delta(2, of('bid'), of('ask')));
        const sorted = (side: 'bid' | 'ask', sign: bigint) =>
          [...model[side]].sort(([a], [b]) => (sign * (a - b) < 0n ? -1 : 1));
        const bids = sorted('bid', -1n);
        const asks = sorted('ask', 1n);
        expect([exactOf(book, 'bid'), exactOf(book, 'ask')]).toEqual([bids, asks]);
        expect(book.check()).toEqual(checkOf(bids, asks));
        const again = new LocalBook();
        // Not best first, so that an image is sorted too.
        apply(again, image(bids.toReversed(), asks, { check: checkOf(bids, asks) }));
        expect([exactOf(again, 'bid'), again.state]).toEqual([bids, 'synced']);
      }),
    );
  });
});

describe('a feed of values that no number holds', () => {
  async function withFeed(run: (feed: Feed, peer: Peer) => Promise<void>): Promise<void> {
    const server = await FeedServer.start();
    const feed = connect(server.url, { reconnect: false });
    try {
      await run(feed, await server.peer());
    } finally {
      await feed.close();
      await server[Symbol.asyncDispose]();
    }
  }

  it.each([
    ['book', 1, Kind.delta],
    ['bbo', 2, Kind.bbo],
  ] as const)('ends no %s subscription', (channel, stream, kind) =>
    withFeed(async (feed, peer) => {
      const subscription = channel === 'book' ? feed.book(NAME) : feed.bbo(NAME);
      peer.grant(await peer.next('subscribe'), { stream });
      const updates = subscription[Symbol.asyncIterator]();
      const bids: readonly LevelSpec[] = [[SAFE + 1n, I64_MAX]];
      peer.bytes(image(bids, [[2n ** 60n, 1n]], { instrument: 7, stream }));
      await updates.next();
      peer.bytes(
        frame({ kind, epoch: 1n, prevSeq: 1, seq: 2, instrument: 7, stream, bids: [[SAFE + 3n, 2n]] }),
      );
      const { book } = subscription;
      while (book.seq < 2) await updates.next();
      expect([subscription.closed, book.state, book.seq]).toEqual([false, 'synced', 2]);
      expect(book.priceText(book.bestBid ?? 0)).toBe('90071992547409.95');
      expect(book.bestBid).toEqual({ price: Number.NaN, qty: 2, exact: { price: SAFE + 3n, qty: 2n } });
    }),
  );

  it('gives trades exactly, each at the scale that it came with', () =>
    withFeed(async (feed, peer) => {
      const trades = feed.subscribe(channel.trades, NAME);
      peer.grant(await peer.next('subscribe'), { stream: 3 });
      const loop = trades[Symbol.asyncIterator]();
      const common = { stream: 3, instrument: 7 };
      const trade = (qty: bigint, epoch: bigint) =>
        frame({
          ...common,
          kind: Kind.trade,
          epoch,
          prevSeq: 1,
          seq: 2,
          trades: [{ price: SAFE - 1n, qty, id: 1, tsEvent: 1, aggressor: 1 }],
        });
      peer.bytes(image([], [], common));
      peer.bytes(trade(I64_MAX, 1n));
      peer.bytes(image([], [], { ...common, epoch: 2n, info: { priceExponent: -8, qtyExponent: -8 } }));
      peer.bytes(trade(3n, 2n));
      const first = (await loop.next()).value;
      expect(await loop.next()).toMatchObject({ value: { tag: 'gap', reason: 'reset' } });
      const second = (await loop.next()).value;
      if (first?.tag !== 'trade' || second?.tag !== 'trade') throw new Error('no trades came');
      expect(first).toMatchObject({ price: Number(SAFE - 1n), qty: Number.NaN, exact: { qty: I64_MAX } });
      expect([trades.priceText(first), trades.qtyText(first)]).toEqual([
        '90071992547409.91',
        '92233720368547.75807',
      ]);
      expect([trades.priceText(second), trades.qtyText(second)]).toEqual(['90071992.54740991', '0.00000003']);
      expect(trades.closed).toBe(false);
    }));
});

describe('decimalText', () => {
  it.each([
    [4_810_250_000_000, -9, 2, '4810.25'],
    [4_810_000_000_000, -9, 2, '4810.00'],
    [4_810_000_000_001, -9, 2, '4810.000000001'],
    [4_810_000_000_000, -9, 0, '4810'],
    [6_180_020, -2, 2, '61800.20'],
    [61_800, 0, 1, '61800.0'],
    [5, 3, 0, '5000'],
    [5, 3, 2, '5000.00'],
    [0, -9, 2, '0.00'],
    [0, -9, 0, '0'],
    [-4_810_500_000_000n, -9, 2, '-4810.50'],
    [I64_MIN, -18, 0, '-9.223372036854775808'],
  ])('of %s at 10^%i with %i decimals is %s', (value, exponent, decimals, text) => {
    expect(decimalText(value, exponent, decimals)).toBe(text);
  });

  it('is exact whatever the decimals, and never ends in a zero that was not asked for', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: I64_MIN, max: I64_MAX }),
        fc.integer({ min: -18, max: 4 }),
        fc.integer({ min: 0, max: 12 }),
        (value, exponent, decimals) => {
          const text = decimalText(value, exponent, decimals);
          const [whole = '', fraction = ''] = text.split('.');
          const [exactWhole = '', exactFraction = ''] = formatDecimal(value, exponent).split('.');
          const length = Math.max(fraction.length, exactFraction.length);
          expect([whole, fraction.padEnd(length, '0')]).toEqual([
            exactWhole,
            exactFraction.padEnd(length, '0'),
          ]);
          expect(fraction.length).toBeGreaterThanOrEqual(decimals);
          if (fraction.length > decimals) expect(fraction.at(-1)).not.toBe('0');
          expect(text.endsWith('.')).toBe(false);
        },
      ),
    );
  });

  it.each([
    [250_000_000, -9, 2],
    [1, -2, 2],
    [100, -2, 0],
    [0, -9, 0],
    [5, 1, 0],
  ])('a step of %i at 10^%i has %i decimals', (step, exponent, decimals) => {
    expect(decimalsOf(step, exponent)).toBe(decimals);
  });
});
