import { describe, expect, it } from 'vitest';
import {
  channel,
  type InstrumentGap,
  Kind,
  type OrderChange,
  type Ticker,
  type Trade,
  type Trading,
} from '../src/wire/index.js';
import { type Peer, until, withFeed } from './support/feed-server.js';
import { crc32cBitwise, type FrameSpec, frame, message, type OrderSpec } from './support/frames.js';

const NAME = 'deribit:BTC-PERPETUAL';
/** No second request, however slow the machine. */
const NO_REPEAT = { resync: { delayMs: 60_000, delayMsMax: 60_000 } };

/** Answers a subscribe for a stream. */
async function granted(peer: Peer, stream: number): Promise<Record<string, unknown>> {
  const { op: _op, id: _id, ...asked } = await peer.next('subscribe');
  peer.grant({ ...asked, op: 'subscribe', id: _id }, { stream });
  return asked;
}

const orderBytes = (orders: readonly (readonly [number, number, number])[]): Uint8Array =>
  new Uint8Array(
    BigInt64Array.from(orders.flatMap(([id, price, qty]) => [id, 0, price, qty].map(BigInt))).buffer,
  );

/** An image of one bid and one ask. */
const ordersImage = (seq: number, spec: Partial<FrameSpec> = {}): Uint8Array => {
  const crc = crc32cBitwise(
    orderBytes([
      [1, 100, 5],
      [2, 101, 7],
    ]),
  );
  return frame({
    kind: Kind.image,
    stream: 6,
    epoch: 1n,
    seq,
    instrument: 7,
    info: {},
    check: { topCrc: crc, allCrc: crc, bidCount: 1, askCount: 1 },
    orders: [
      { id: 1, action: 1, side: 1, price: 100, qty: 5 },
      { id: 2, action: 1, side: 2, price: 101, qty: 7 },
    ],
    ...spec,
  });
};
const orderFrame = (prevSeq: number, seq: number, orders: readonly OrderSpec[]): Uint8Array =>
  frame({ kind: Kind.orders, stream: 6, epoch: 1n, prevSeq, seq, instrument: 7, orders });

describe('orders', () => {
  it('are kept in their queues, and each change is told', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.orders, NAME);
      const changes: OrderChange[] = [];
      subscription.on('change', (change) => changes.push(change));
      expect(await granted(peer, 6)).toEqual({ channel: 'orders', instrument: NAME });
      const loop = subscription[Symbol.asyncIterator]();
      const third = until(subscription, 'update', ({ seq }: { seq: number }) => seq === 3);
      peer.bytes(
        message(
          ordersImage(1),
          orderFrame(1, 2, [{ id: 3, action: 1, side: 1, price: 100, qty: 9, cause: 1 }]),
          orderFrame(2, 3, [
            { id: 1, action: 4, side: 1, price: 100, cause: 3 },
            { action: 5, side: 0, idKind: 0 },
          ]),
        ),
      );
      await third;
      expect(subscription.orders.count()).toBe(0);
      expect((await loop.next()).value).toBe(subscription.orders);
      expect(changes).toEqual([
        { action: 'add', id: 3, side: 'bid', price: 100, qty: 9, cause: 'new', seq: 2 },
        { action: 'remove', id: 1, side: 'bid', price: 100, qty: 0, cause: 'executed', seq: 3 },
        { action: 'clear', id: undefined, side: undefined, price: 0, qty: 0, cause: 'unknown', seq: 3 },
      ]);
    }));

  it.each([
    ['a missing frame', orderFrame(4, 5, []), 'gap', 'sequence_gap'],
    ['a change that does not fit', orderFrame(1, 2, [{ id: 9, action: 4 }]), 'contradiction', 'check_failed'],
  ])('ask for an image after %s, and are stale until it comes', (_name, bytes, tag, reason) =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.orders, NAME);
      await granted(peer, 6);
      const gap = until<{ readonly tag: string }>(subscription, 'gap');
      peer.bytes(message(ordersImage(1), bytes));
      expect((await gap).tag).toBe(tag);
      expect([subscription.state, subscription.reason]).toEqual(['stale', reason]);
      expect(await peer.next('resync')).toMatchObject({ channel: 'orders', instrument: NAME });
      const back = until(subscription, 'resync');
      peer.bytes(ordersImage(8));
      expect(await back).toEqual({
        cause: 'gap',
        by: 'image',
        from: { epoch: 1n, seq: 1 },
        to: { epoch: 1n, seq: 8 },
      });
      expect([subscription.state, subscription.orders.ordersAhead(1)]).toEqual(['synced', 0]);
    }, NO_REPEAT),
  );
});

describe('a ticker', () => {
  const ticker = (kind: number, prevSeq: number, seq: number, spec: Partial<FrameSpec> = {}): Uint8Array =>
    frame({
      kind,
      stream: 7,
      epoch: 1n,
      prevSeq,
      seq,
      instrument: 7,
      tsRecv: 9n,
      ticker: {
        mask: 0b10_0011,
        priceExponent: -2,
        qtyExponent: 0,
        values: [6_180_020, 2n ** 60n, 0, 0, 0, -125_000],
      },
      ...spec,
    });

  it('is the last word whole: what the venue does not tell is absent', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.ticker, NAME);
      expect(await granted(peer, 7)).toEqual({ channel: 'ticker', instrument: NAME });
      const first = until<Ticker>(subscription, 'update');
      peer.bytes(ticker(Kind.image, 1, 1));
      const image = await first;
      expect(image).toEqual({
        last: 6_180_020,
        mark: 2n ** 60n,
        fundingRateE9: -125_000,
        priceExponent: -2,
        qtyExponent: 0,
        tsRecv: 9n,
        tsEvent: 0n,
        seq: 1,
      });
      expect([subscription.priceText(image, 'last'), subscription.qtyText(image, 'volume')]).toEqual([
        '61800.20',
        undefined,
      ]);
      const next = until<Ticker>(subscription, 'update');
      // Merged for a slow reader: it begins before what is known.
      const values = [...Array(4).fill(0), 55];
      peer.bytes(
        message(ticker(Kind.ticker, 0, 1), ticker(Kind.ticker, 0, 4, { ticker: { mask: 1 << 4, values } })),
      );
      expect(await next).toMatchObject({ openInterest: 55, seq: 4 });
      expect(subscription.ticker).not.toHaveProperty('last');
      expect([subscription.state, (await subscription[Symbol.asyncIterator]().next()).value.seq]).toEqual([
        'synced',
        4,
      ]);
    }));

  it('is stale after a missing frame, and does not depend on the book', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.ticker, NAME);
      await granted(peer, 7);
      const gap = until(subscription, 'gap');
      peer.bytes(
        message(
          ticker(Kind.image, 1, 1),
          frame({ kind: Kind.status, stream: 4, epoch: 1n, instrument: 7, status: { state: 3, reason: 2 } }),
          ticker(Kind.ticker, 1, 2),
          ticker(Kind.ticker, 5, 6),
        ),
      );
      await gap;
      expect([subscription.state, subscription.reason, subscription.ticker?.seq]).toEqual([
        'stale',
        'sequence_gap',
        2,
      ]);
      await peer.next('resync');
    }, NO_REPEAT));
});

describe('trading', () => {
  it('says whether the instrument trades', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.trading, NAME);
      expect(await granted(peer, 9)).toEqual({ channel: 'trading', instrument: NAME });
      const second = until<Trading>(subscription, 'update', ({ seq }) => seq === 2);
      const common = { stream: 9, epoch: 1n, instrument: 7 };
      peer.bytes(
        message(
          frame({ ...common, kind: Kind.image, seq: 1, trading: { status: 1 } }),
          frame({ ...common, kind: Kind.trading, prevSeq: 1, seq: 2, trading: { status: 2, tsEvent: 5n } }),
        ),
      );
      expect(await second).toEqual({ status: 'halted', tsEvent: 5n, seq: 2 });
      expect([subscription.state, subscription.trading?.status]).toEqual(['synced', 'halted']);
    }));
});

describe('liquidations', () => {
  it('come as trades do, and only they', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.liquidations, NAME);
      expect(await granted(peer, 8)).toEqual({ channel: 'liquidations', instrument: NAME });
      const seen: Trade[] = [];
      subscription.on('update', (trade) => seen.push(trade));
      const gap = until(subscription, 'gap');
      const common = { stream: 8, epoch: 1n, instrument: 7 };
      const trades = [{ price: 1, qty: 2, id: 3, tsEvent: 4, aggressor: 2 }];
      peer.bytes(
        message(
          frame({ ...common, kind: Kind.image, seq: 1 }),
          frame({ ...common, kind: Kind.trade, prevSeq: 1, seq: 2, trades }),
          frame({ ...common, kind: Kind.liquidation, prevSeq: 1, seq: 2, trades }),
          frame({ ...common, kind: Kind.liquidation, prevSeq: 3, seq: 4, trades }),
        ),
      );
      expect(await gap).toEqual({ tag: 'gap', reason: 'sequence', expected: 2, received: 3 });
      expect(seen.map(({ seq, aggressor }) => [seq, aggressor])).toEqual([
        [2, 'sell'],
        [4, 'sell'],
      ]);
    }));
});

describe('trades whose ids are texts', () => {
  it('have those texts', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.trades, NAME);
      await granted(peer, 3);
      const seen: (string | undefined)[] = [];
      subscription.on('update', ({ name }) => seen.push(name));
      const third = until(subscription, 'update', ({ seq }: { seq: number }) => seq === 3);
      const common = { stream: 3, epoch: 1n, instrument: 7 };
      const trade = (id: bigint) => ({ price: 1, qty: 2, id, idKind: 2, tsEvent: 4, aggressor: 2 });
      peer.bytes(
        message(
          frame({ ...common, kind: Kind.image, seq: 1 }),
          frame({
            ...common,
            kind: Kind.trade,
            prevSeq: 1,
            seq: 2,
            trades: [trade(9n), trade(2n ** 63n)],
            names: [{ number: 2n ** 63n, text: 'ETH-1234' }],
          }),
          frame({ ...common, kind: Kind.trade, prevSeq: 2, seq: 3, trades: [trade(2n ** 63n)] }),
        ),
      );
      await third;
      expect(seen).toEqual([undefined, 'ETH-1234', undefined]);
    }));
});

describe('a status', () => {
  const status = (state: number, gap?: FrameSpec['gap']): Uint8Array =>
    frame({
      kind: Kind.status,
      stream: 4,
      epoch: 2n,
      instrument: 7,
      status: { state, reason: state === 3 ? 1 : 0 },
      ...(gap === undefined ? {} : { gap }),
    });

  it('tells what was lost once when it is, and once when it is mended', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = feed.subscribe(channel.status, NAME);
      await granted(peer, 4);
      const gaps: InstrumentGap[] = [];
      subscription.on('gap', (gap) => gaps.push(gap));
      const lost = {
        expected: 8n,
        received: 11n,
        lostFrom: 1000n,
        noticed: 2000n,
        epochBefore: 1n,
        seqBefore: 90n,
        reason: 1,
      };
      const again = until<InstrumentGap>(subscription, 'gap', ({ noticed }) => noticed === 5000n);
      peer.bytes(
        message(
          status(2),
          status(3, lost),
          status(3, lost),
          status(2, { ...lost, mended: 3000n }),
          status(2, { ...lost, mended: 3000n }),
          status(3, { ...lost, noticed: 5000n }),
        ),
      );
      await again;
      const told = {
        reason: 'gap',
        expected: 8n,
        received: 11n,
        lostFrom: 1000n,
        noticed: 2000n,
        mended: undefined,
        before: { epoch: 1n, seq: 90 },
      };
      expect(gaps).toEqual([told, { ...told, mended: 3000n }, { ...told, noticed: 5000n }]);
      expect(subscription.status?.gap?.noticed).toBe(5000n);
    }));
});

describe('what is asked of a view', () => {
  it('goes to the server as it was given', () =>
    withFeed(async ({ feed, peer }) => {
      feed.depth(NAME, { depth: 5, intervalMs: 0, grouping: '0.5', mode: 'strict' });
      feed.book(NAME, { mode: 'conflate' });
      const { id: _id, op: _op, ...view } = await peer.next('subscribe');
      expect(view).toEqual({
        channel: 'depth',
        instrument: NAME,
        depth: 5,
        intervalMs: 0,
        grouping: '0.5',
        mode: 'strict',
      });
      expect(await peer.next('subscribe')).toMatchObject({ channel: 'book', mode: 'conflate' });
      expect(() => feed.book(NAME, { mode: 'strict' })).toThrow('client.duplicate_subscription');
      feed.depth(NAME, { depth: 5, intervalMs: 0 });
      expect(await peer.next('subscribe')).not.toHaveProperty('grouping');
    }));
});
