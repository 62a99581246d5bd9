import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { Engine as NativeEngine } from '#native';
import { ERROR, MORE, RING } from '../src/engine.js';
import { allocateSharedBook, SharedBook } from '../src/shared/index.js';
import { simulatedRecording } from './support/recording.js';
import { messageOf, SpotOracle } from './support/spot-oracle.js';

const RING_BYTES = 4 << 20;
const SYMBOL = 'BTCUSDT';

/** An engine with one book, whose output is thrown away. */
function bookOf(name: string, silenceMs = 0) {
  const output = new SharedArrayBuffer(RING.controlBytes + RING_BYTES);
  const engine = new NativeEngine({ startId: 7, silenceMs, replay: false }, new Uint8Array(output));
  const instrument = engine.instruments().find((listed) => listed.name === name)?.id ?? 0;
  const source = engine.openSource(name.split(':')[0] ?? '', Uint32Array.of(instrument));
  const words = new Uint32Array(output);
  const ingest = engine.ingester();
  const settle = (flags: number): void => {
    expect(flags & ERROR).toBe(0);
    for (let left = flags; left !== 0; left = (left & MORE) === 0 ? 0 : engine.pump()) {
      Atomics.store(words, RING.control.read, Atomics.load(words, RING.control.write));
    }
  };
  const take = (frame: Uint8Array): void => settle(ingest(source, frame));
  const share = (depth: number): Uint8Array => {
    const memory = allocateSharedBook(depth);
    engine.shareBook(instrument, memory);
    return memory;
  };
  return { engine, instrument, source, take, settle, share };
}

const snapshot = (id: number, bids: unknown, asks: unknown) =>
  Buffer.from(JSON.stringify({ lastUpdateId: id, bids, asks }));
const update = (first: number, last: number, bids: unknown, asks: unknown) =>
  Buffer.from(JSON.stringify({ e: 'depthUpdate', E: last, s: SYMBOL, U: first, u: last, b: bids, a: asks }));

/** Both sides as numbers, four a level, 0 where there is none: as a record holds them. */
function rowsOf(oracle: SpotOracle, depth: number): number[] {
  const side = (name: 'bids' | 'asks') =>
    oracle
      .levels(name)
      .map(([price, qty]) => [Math.round(Number(price) * 100), Math.round(Number(qty) * 1e5)]);
  const [bids, asks] = [side('bids'), side('asks')];
  return Array.from({ length: depth }, (_, at) => [bids[at] ?? [0, 0], asks[at] ?? [0, 0]]).flat(2);
}

describe.each([['plain'], ['atomic']] as const)('a shared book, read by %s loads', (loads) => {
  it('states the scale of its numbers as it is refined', () => {
    const { engine } = bookOf(`sim:${SYMBOL}`);
    const id = engine.addInstrument('binance:ANEWUSDT');
    const memory = allocateSharedBook(1);
    const source = engine.openSource('binance', Uint32Array.of(id));
    engine.shareBook(id, memory);
    const book = new SharedBook(memory, { loads });
    const ingest = engine.ingester();
    const tell = (number: number, price: string, qty: string): void => {
      const told = { e: 'depthUpdate', E: 1, s: 'ANEWUSDT', U: number, u: number, b: [[price, qty]], a: [] };
      ingest(source, Buffer.from(JSON.stringify(told)));
    };
    const best = (): readonly number[] => [
      book.bidPrice / 10 ** -book.priceExponent,
      book.bidQty / 10 ** -book.qtyExponent,
    ];
    ingest(source, snapshot(1, [['5', '1']], [['9', '1']]));
    tell(2, '6.25', '0.5');
    expect(book.readTop()).toBe('synced');
    expect(best()).toEqual([6.25, 0.5]);
    tell(3, '6.2501', '0.0625');
    book.readTop();
    expect(best()).toEqual([6.2501, 0.0625]);
  });

  it.each([[1], [5], [20]])('is after each message what a plain book is, %i levels deep', (depth) => {
    const { take, share, engine, instrument } = bookOf(`sim:${SYMBOL}`);
    const book = new SharedBook(share(depth), { loads });
    const oracle = new SpotOracle();
    let compared = 0;
    for (const line of simulatedRecording(SYMBOL, 12_000, depth).trim().split('\n')) {
      take(Buffer.from(line.slice(line.indexOf(' ') + 1)));
      const before = oracle.lastId;
      oracle.take(messageOf(line));
      if (oracle.lastId === before) continue;
      compared += 1;
      expect(book.readTop()).toBe('synced');
      expect(Array.from(book.levels)).toEqual(rowsOf(oracle, depth));
      expect(book.venueSeq).toBe(BigInt(oracle.lastId ?? 0));
      expect(book.readBbo()).toBe('synced');
      expect([book.bidPrice, book.bidQty, book.askPrice, book.askQty]).toEqual(rowsOf(oracle, 1));
    }
    expect(compared).toBeGreaterThan(50);
    const { epoch, seq, venueSeq, state } = engine.book(instrument);
    expect(book).toMatchObject({
      epoch,
      seq,
      venueSeq,
      state,
      instrument,
      priceExponent: -2,
      qtyExponent: -5,
    });
  });

  it('says when its book is stale, empty or nobody’s', async () => {
    const closed = await (async () => {
      const { take, share, settle, engine, source, instrument } = bookOf(`sim:${SYMBOL}`);
      const memory = share(2);
      const book = new SharedBook(memory, { loads });
      expect(book.readBbo()).toBe('syncing');
      take(
        snapshot(
          10,
          [['100.00', '1']],
          [
            ['101.00', '1'],
            ['102.00', '2'],
          ],
        ),
      );
      take(update(11, 11, [['99.00', '3']], []));
      expect(book.readTop()).toBe('synced');
      expect([book.bidCount, book.certainBidCount, book.askCount, book.certainAskCount]).toEqual([
        2, 1, 2, 2,
      ]);
      expect([book.isCrossed, book.reason]).toEqual([false, 'none']);
      take(update(12, 12, [['101.50', '1']], []));
      expect(book.readBbo()).toBe('synced');
      expect([book.bidPrice, book.isCrossed]).toEqual([10150, true]);
      take(update(15, 15, [], []));
      expect([book.readBbo(), book.reason, book.venueSeq]).toEqual(['stale', 'gap', 12n]);
      settle(engine.resetSource(source));
      expect([book.readTop(), book.bidCount, book.askCount]).toEqual(['syncing', 0, 0]);
      take(snapshot(20, [['100.00', '1']], []));
      expect([book.readTop(), book.bidCount, book.askCount]).toEqual(['synced', 1, 0]);
      // Shared anew, at once as it stands; what it had before is nobody’s.
      const other = new SharedBook(share(3), { loads });
      expect([other.readTop(), other.bidCount, other.venueSeq]).toEqual(['synced', 1, 20n]);
      expect(book.readTop()).toBe('closed');
      engine.shareBook(instrument, memory);
      expect(book.readTop()).toBe('synced');
      return book;
    })();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    for (let round = 0; closed.readBbo() !== 'closed'; round += 1) {
      expect(round, 'rounds of collection').toBeLessThan(100);
      await setImmediate();
      collect();
    }
  });

  it('goes on in the same memory when it is shared twice', () => {
    const { engine, instrument, take, share } = bookOf(`sim:${SYMBOL}`);
    const memory = share(2);
    const book = new SharedBook(memory, { loads });
    take(snapshot(10, [['100.00', '1']], [['101.00', '1']]));
    expect(book.readTop()).toBe('synced');
    const words = new Uint32Array(memory.buffer);
    const before = Atomics.load(words, 0);
    engine.shareBook(instrument, memory);
    expect([book.readTop(), book.bidPrice]).toEqual(['synced', 10000]);
    expect(Atomics.load(words, 0)).toBeGreaterThan(before + 2);
    take(update(11, 11, [['100.50', '1']], []));
    expect([book.readTop(), book.bidPrice]).toEqual(['synced', 10050]);
  });

  it('never rounds: a level beyond 2^53 is refused where it would be read', () => {
    const { take, share } = bookOf(`sim:${SYMBOL}`);
    const book = new SharedBook(share(2), { loads });
    const [exact, inexact] = ['90071992547.40992', '90071992547.40993'];
    take(
      snapshot(
        10,
        [
          ['100.00', exact],
          ['99.00', inexact],
        ],
        [['101.00', '1']],
      ),
    );
    expect(book.readBbo()).toBe('synced');
    expect(book.bidQty).toBe(2 ** 53);
    const refused = expect.objectContaining({ code: 'shared.inexact' });
    expect(() => book.readTop()).toThrow(refused);
    take(update(11, 11, [['100.00', '0']], []));
    expect(() => book.readBbo()).toThrow(refused);
    take(update(12, 12, [['99.00', '1']], []));
    expect(book.readTop()).toBe('synced');
  });

  it('gives up with a typed error when each attempt meets a writer', () => {
    const memory = bookOf(`sim:${SYMBOL}`).share(2);
    const words = new Uint32Array(memory.buffer);
    Atomics.add(words, 0, 1);
    const book = new SharedBook(memory, { loads, attemptsMax: 100 });
    expect(() => book.readBbo()).toThrow(expect.objectContaining({ code: 'shared.busy' }));
    Atomics.add(words, 0, 1);
    expect(book.readBbo()).toBe('syncing');
  });

  it('is never torn under a writer at full speed', async () => {
    const market = { depth: 20, basePrice: 6_000_000, stamps: 997, first: 1_000_000 };
    const { take, share, settle, engine, source } = bookOf(`sim:${SYMBOL}`);
    const control = new Int32Array(new SharedArrayBuffer(8));
    const workerData = { memory: share(market.depth), control, loads, market };
    const worker = new Worker(new URL('support/shared-book-reader.mjs', import.meta.url), { workerData });
    try {
      await once(worker, 'message');
      const frames = steadyMarket(market, 2_000);
      const start = performance.now();
      const isEnough = () =>
        Atomics.load(control, 1) >= MOMENTS_MIN && performance.now() - start >= WRITING_MS_MIN;
      while (!isEnough() && performance.now() - start < WRITING_MS_MAX) {
        settle(engine.resetSource(source));
        for (const frame of frames) take(frame);
      }
      Atomics.store(control, 0, 1);
      const [seen] = (await once(worker, 'message')) as [Seen];
      expect(seen).toMatchObject({ wrong: 0, example: '' });
      expect(seen.moments).toBeGreaterThanOrEqual(MOMENTS_MIN);
    } finally {
      await worker.terminate();
    }
  });
});

/**
 * Long enough for many reads that meet a writer. Threads that share a processor meet only where one is interrupted, so what
 * counts is how many moments the reader has told apart.
 */
const WRITING_MS_MIN = 2_000;
const WRITING_MS_MAX = 25_000;
const MOMENTS_MIN = 500;

interface Market {
  readonly depth: number;
  readonly basePrice: number;
  readonly stamps: number;
  /** Number of the snapshot. */
  readonly first: number;
}

interface Seen {
  readonly reads: number;
  readonly moments: number;
  readonly wrong: number;
  readonly example: string;
}

/**
 * A snapshot, then updates of which each replaces every level: prices of alternating parity, all quantities a stamp of the
 * update’s number. A read that mixes two moments cannot look like one.
 */
function steadyMarket(market: Market, updates: number) {
  const price = (mantissa: number) => (mantissa / 100).toFixed(2);
  const qty = (mantissa: number) => (mantissa / 1e5).toFixed(5);
  const levels = (number: number, sign: number) =>
    Array.from({ length: market.depth }, (_, at) => 1 + 2 * at).flatMap((away) => {
      const even = price(market.basePrice + sign * away);
      const odd = price(market.basePrice + sign * (away + 1));
      const stamp = qty(1 + (number % market.stamps));
      return number % 2 === 0
        ? [
            [even, stamp],
            [odd, '0'],
          ]
        : [
            [odd, stamp],
            [even, '0'],
          ];
    });
  return [
    snapshot(market.first, levels(market.first, -1), levels(market.first, 1)),
    ...Array.from({ length: updates }, (_, at) => market.first + 1 + at).map((number) =>
      update(number, number, levels(number, -1), levels(number, 1)),
    ),
  ];
}

it('many books share one buffer, each in its own view', () => {
  const engine = new NativeEngine(
    { startId: 7, silenceMs: 0, replay: false },
    new Uint8Array(new SharedArrayBuffer(RING.controlBytes + RING_BYTES)),
  );
  const ids = ['sim:BTCUSDT', 'sim:ETHUSDT'].map(
    (name) => engine.instruments().find((listed) => listed.name === name)?.id ?? 0,
  );
  engine.openSource('sim', Uint32Array.from(ids));
  const { byteLength } = allocateSharedBook(20);
  const buffer = new SharedArrayBuffer(2 * byteLength);
  const books = ids.map((id, at) => {
    const memory = new Uint8Array(buffer, at * byteLength, byteLength);
    engine.shareBook(id, memory);
    return new SharedBook(memory);
  });
  engine.ingester()(0, snapshot(1, [], []));
  for (const [at, book] of books.entries()) {
    expect(book.readTop()).toBe('syncing');
    expect(book.instrument).toBe(ids[at]);
  }
});

it('memory that holds no record is refused by a typed error, on both sides', () => {
  const { engine, instrument } = bookOf(`sim:${SYMBOL}`);
  const shared = (bytes: number, at = 0) => new Uint8Array(new SharedArrayBuffer(bytes + at), at);
  const wrong = [shared(0), shared(64), shared(95), shared(96, 4), shared(64 + 32 * 101), new Uint8Array(96)];
  for (const memory of wrong) {
    expect(() => engine.shareBook(instrument, memory)).toThrow(
      expect.objectContaining({ code: 'addon.book_memory' }),
    );
    expect(() => new SharedBook(memory)).toThrow(expect.objectContaining({ code: 'shared.memory' }));
  }
  expect(() => engine.shareBook(1, shared(96))).toThrow(
    expect.objectContaining({ code: 'engine.unknown_instrument' }),
  );
});

it('a number that is no integer of its range is refused by a typed error', () => {
  const notAnInteger = expect.objectContaining({
    code: 'shared.not_an_integer',
    expected: expect.stringMatching(/^an integer from 1/),
  });
  for (const depth of [0, -1, 1.5, 101, NaN, 2 ** 32 + 1]) {
    expect(() => allocateSharedBook(depth)).toThrow(notAnInteger);
  }
  const memory = allocateSharedBook(3);
  for (const attemptsMax of [0, 0.5, NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new SharedBook(memory, { attemptsMax })).toThrow(notAnInteger);
  }
  const book = new SharedBook(memory);
  for (const depth of [0, -1, 1.5, NaN]) expect(() => book.readTop(depth)).toThrow(notAnInteger);
  expect(book.readTop(100)).toBe('closed');
});
