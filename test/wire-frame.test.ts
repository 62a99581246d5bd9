import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CostRows, SignalRows, VolumeRows } from '../src/wire/frame-computed.js';
import { GapFields, TickerFields, TradingFields, ViewFields } from '../src/wire/frame-facts.js';
import { NameRows, OrderRows } from '../src/wire/frame-orders.js';
import { TradeRows } from '../src/wire/frame-trades.js';
import { crc32c, FrameReader, Kind, WireError } from '../src/wire/index.js';
import {
  checkOf,
  crc32cBitwise,
  type FrameSpec,
  frame,
  I64_MAX,
  I64_MIN,
  levelBytes,
  message,
} from './support/frames.js';

const DELTA: FrameSpec = {
  kind: Kind.delta,
  epoch: (7n << 32n) | 3n,
  seq: 42,
  prevSeq: 41,
  venueSeq: 2n ** 60n,
  tsEvent: 1_732_262_400_123_456_789n,
  tsRecv: 1_732_262_400_223_456_789n,
  tsSend: 1_732_262_400_323_456_789n,
  instrument: 4_000_000_000,
  stream: 200,
  flags: 0x8021,
  bids: [
    [6_180_020, 5],
    [-3, 0],
  ],
  asks: [[9_007_199_254_740_991n, 1]],
};

/** The code of what `run` throws. */
function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

/** Reads everything that can be read; returns how many frames. Throws only a WireError on bad bytes. */
function readAll(bytes: Uint8Array): number {
  const reader = new FrameReader().reset(bytes);
  let frames = 0;
  while (reader.next()) {
    frames += 1;
    for (let at = 0; at < reader.bidCount; at += 1) reader.bidPriceBigInt(at);
    for (let at = 0; at < reader.askCount; at += 1) reader.askQtyBigInt(at);
    const trades = new TradeRows(reader);
    for (let at = 0; at < trades.count; at += 1) trades.aggressor(at);
    if (reader.hasInfo) reader.infoReason;
    if (reader.hasCheck) reader.checkAskCount;
    if (reader.hasStatus) reader.statusReason;
    const [orders, names] = [new OrderRows(reader), new NameRows(reader)];
    const [costs, signals, volumes] = [new CostRows(reader), new SignalRows(reader), new VolumeRows(reader)];
    const [gap, ticker] = [new GapFields(reader), new TickerFields(reader)];
    const [trading, viewInfo] = [new TradingFields(reader), new ViewFields(reader)];
    for (let at = 0; at < orders.count; at += 1) orders.cause(at);
    for (let at = 0; at < names.count; at += 1) names.bytes(at);
    for (let at = 0; at < costs.count; at += 1) costs.isKnown(at);
    for (let at = 0; at < signals.count; at += 1) signals.flags(at);
    for (let at = 0; at < volumes.count; at += 1) volumes.trades(at);
    if (gap.isPresent) gap.reason;
    if (ticker.isPresent) ticker.value(16);
    if (trading.isPresent) trading.status;
    if (viewInfo.isPresent) viewInfo.depth;
  }
  return frames;
}

describe('FrameReader', () => {
  it('reads every field of a frame of the official builder', () => {
    const reader = new FrameReader().reset(frame(DELTA));
    expect(reader.next()).toBe(true);
    expect([reader.kind, reader.stream, reader.flags, reader.instrument]).toEqual([
      2, 200, 0x8021, 4_000_000_000,
    ]);
    expect([reader.epoch, reader.epochHigh, reader.epochLow]).toEqual([(7n << 32n) | 3n, 7, 3]);
    expect([reader.seq, reader.prevSeq, reader.venueSeqBigInt]).toEqual([42, 41, 2n ** 60n]);
    expect(reader.tsEvent).toBe(1_732_262_400_123_456_789n);
    expect([reader.tsEventMs, reader.tsRecvMs, reader.tsSendMs].map((ms) => ms.toFixed(3))).toEqual([
      '1732262400123.457',
      '1732262400223.457',
      '1732262400323.457',
    ]);
    expect([reader.bidCount, reader.askCount, new TradeRows(reader).count]).toEqual([2, 1, 0]);
    expect([reader.bidPrice(0), reader.bidQty(0), reader.bidPrice(1), reader.bidQty(1)]).toEqual([
      6_180_020, 5, -3, 0,
    ]);
    expect([reader.askPrice(0), reader.askQty(0)]).toEqual([9_007_199_254_740_991, 1]);
    expect([reader.hasInfo, reader.hasCheck, reader.hasStatus]).toEqual([false, false, false]);
    expect(reader.next()).toBe(false);
    expect(reader.next()).toBe(false);
  });

  it('reads images, statuses and trades', () => {
    const reader = new FrameReader().reset(
      message(
        frame({
          kind: Kind.image,
          info: {
            bidKnownTo: -5,
            chunkIndex: 1,
            chunkCount: 3,
            depth: 20,
            priceExponent: -8,
            state: 3,
            reason: 2,
          },
          check: { topCrc: 0xffffffff, allCrc: 2, bidCount: 3, askCount: 4 },
        }),
        frame({
          kind: Kind.status,
          status: { expected: 2n ** 63n, received: 9, ageNs: 1_500_000, state: 3, reason: 1 },
        }),
        frame({
          kind: Kind.trade,
          trades: [
            { price: 10, qty: 20, id: 2n ** 64n - 1n, tsEvent: 1_000_000_000, aggressor: 1 },
            { price: 11, qty: 21, id: 2, tsEvent: 0, aggressor: 2 },
            { price: 12, qty: 22, id: 3, tsEvent: 0, aggressor: 9 },
          ],
        }),
      ),
    );
    expect(reader.next()).toBe(true);
    expect([reader.bidKnownTo, reader.askKnownTo]).toEqual([-5, Infinity]);
    expect([reader.chunkIndex, reader.chunkCount, reader.depth]).toEqual([1, 3, 20]);
    expect([reader.priceExponent, reader.qtyExponent, reader.infoState, reader.infoReason]).toEqual([
      -8, -5, 3, 2,
    ]);
    expect([reader.checkTopCrc, reader.checkAllCrc]).toEqual([0xffffffff, 2]);
    expect([reader.checkBidCount, reader.checkAskCount]).toEqual([3, 4]);
    expect(reader.next()).toBe(true);
    expect([reader.statusExpected, reader.statusReceived, reader.statusAgeMs]).toEqual([2n ** 63n, 9n, 1.5]);
    expect([reader.statusState, reader.statusReason]).toEqual([3, 1]);
    expect(reader.next()).toBe(true);
    const trades = new TradeRows(reader);
    expect([0, 1, 2].map((at) => trades.aggressor(at))).toEqual(['buy', 'sell', 'unknown']);
    expect([trades.price(1), trades.qty(1), trades.id(0)]).toEqual([11, 21, 2n ** 64n - 1n]);
    expect(trades.tsEvent(0)).toBe(1_000_000_000n);
    expect(reader.next()).toBe(false);
  });

  it('reads frames that stand at any offset of a larger buffer', () => {
    const bytes = frame(DELTA);
    for (let shift = 0; shift < 9; shift += 1) {
      const buffer = new Uint8Array(bytes.length + shift + 3).fill(0xff);
      buffer.set(bytes, shift);
      const reader = new FrameReader().reset(buffer.subarray(shift, shift + bytes.length));
      expect(reader.next()).toBe(true);
      expect(reader.bidPrice(0)).toBe(6_180_020);
      expect(reader.next()).toBe(false);
    }
  });

  it('copies a message of 64 KiB and reads a longer one where it is', () => {
    const bytes = frame(DELTA);
    const one = Math.floor(65_536 / bytes.length);
    for (const [count, isCopied] of [
      [one, true],
      [one + 1, false],
    ] as const) {
      const buffer = new Uint8Array(bytes.length * count + 5);
      for (let at = 0; at < count; at += 1) buffer.set(bytes, 5 + at * bytes.length);
      const reader = new FrameReader().reset(buffer.subarray(5));
      for (let at = 0; at < count; at += 1)
        expect([reader.next(), reader.bidPrice(0)]).toEqual([true, 6_180_020]);
      expect(reader.next()).toBe(false);
      reader.reset(buffer.subarray(5));
      buffer.fill(0);
      if (isCopied) expect([reader.next(), reader.bidPrice(0)]).toEqual([true, 6_180_020]);
      else expect(() => reader.next()).toThrow(WireError);
      // The next message is read as if there had been none.
      expect(reader.reset(bytes).next()).toBe(true);
      expect([reader.bidPrice(0), reader.next()]).toEqual([6_180_020, false]);
    }
  });

  it('steps over frames of unknown kinds and counts them', () => {
    const reader = new FrameReader().reset(message(frame({ kind: 77 }), frame(DELTA), frame({ kind: 0 })));
    expect(reader.next()).toBe(true);
    expect(reader.kind).toBe(Kind.delta);
    expect(reader.next()).toBe(false);
    expect(reader.skipped).toBe(2);
  });

  it.each([
    ['price', 2n ** 53n],
    ['price', -(2n ** 53n)],
    ['price', I64_MAX],
    ['price', I64_MIN],
    ['price', 2n ** 53n + 1n],
  ])('refuses to round a %s of %s and gives it as a bigint', (_name, value) => {
    const reader = new FrameReader().reset(
      frame({ ...DELTA, seq: 2n ** 53n, bids: [[value, value]], asks: [[value, value]] }),
    );
    reader.next();
    const reads = [
      () => reader.bidPrice(0),
      () => reader.bidQty(0),
      () => reader.askPrice(0),
      () => reader.askQty(0),
      () => reader.seq,
      () => reader.venueSeq,
    ];
    expect(reads.map(codeOf)).toEqual(reads.map(() => 'wire.unsafe_integer'));
    expect([reader.bidPriceBigInt(0), reader.bidQtyBigInt(0)]).toEqual([value, value]);
    expect([reader.askPriceBigInt(0), reader.askQtyBigInt(0)]).toEqual([value, value]);
  });

  it('reads every mantissa within 2^53 exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeNat(), (price, qty) => {
        const reader = new FrameReader().reset(frame({ kind: 2, bids: [[price, qty]] }));
        reader.next();
        expect([reader.bidPrice(0), reader.bidQty(0)]).toEqual([price, qty]);
      }),
    );
  });

  it('throws a typed error for an element that is not there', () => {
    const reader = new FrameReader().reset(frame(DELTA));
    reader.next();
    const reads = [
      () => reader.bidPrice(2),
      () => reader.askQty(-1),
      () => new TradeRows(reader).id(0),
      () => reader.bidQty(NaN),
    ];
    expect(reads.map(codeOf)).toEqual(reads.map(() => 'wire.index'));
    expect(codeOf(() => reader.checkAllCrc)).toBe('wire.missing_field');
    expect(reader.next()).toBe(false);
    expect(() => reader.seq).toThrow(RangeError);
    reader.reset(frame(DELTA));
    expect(() => reader.epoch).toThrow(RangeError);
    reader.next();
    expect(codeOf(() => reader.depth)).toBe('wire.missing_field');
    expect(codeOf(() => reader.statusState)).toBe('wire.missing_field');
  });

  it('throws on a message cut at any byte, and then is at its end', () => {
    const bytes = message(frame(DELTA), frame({ kind: Kind.check, check: checkOf([], []) }));
    const first = frame(DELTA).length;
    for (let length = 1; length < bytes.length; length += 1) {
      if (length === first) continue;
      const reader = new FrameReader().reset(bytes.subarray(0, length));
      if (length > first) expect(reader.next()).toBe(true);
      expect(codeOf(() => reader.next())).toBe('wire.truncated');
      expect(reader.next()).toBe(false);
      expect(reader.bidCount).toBe(0);
    }
    expect(new FrameReader().reset(new Uint8Array()).next()).toBe(false);
  });

  it.each<[string, string, (bytes: Uint8Array, view: DataView) => void]>([
    ['another identifier', 'wire.identifier', (bytes) => bytes.set([0x32], 11)],
    ['a table beyond the frame', 'wire.table', (_bytes, view) => view.setUint32(4, 0x7fffffff, true)],
    [
      'a vtable before the frame',
      'wire.vtable',
      (_bytes, view) => view.setInt32(4 + view.getUint32(4, true), 9999, true),
    ],
    [
      'a vtable behind the frame',
      'wire.vtable',
      (_b, view) => view.setInt32(4 + view.getUint32(4, true), -9999, true),
    ],
    ['a size of no multiple of 8', 'wire.frame_size', (_bytes, view) => view.setUint32(0, 100 - 8 + 2, true)],
    ['a size of 0', 'wire.frame_size', (_bytes, view) => view.setUint32(0, 0, true)],
  ])('refuses %s', (_name, code, damage) => {
    const bytes = frame(DELTA);
    damage(bytes, new DataView(bytes.buffer));
    expect(codeOf(() => new FrameReader().reset(bytes).next())).toBe(code);
  });

  it('refuses a frame without a header', () => {
    const bytes = frame({
      kind: 2,
      noHeader: true,
      bids: [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
      ],
    });
    expect(codeOf(() => new FrameReader().reset(bytes).next())).toBe('wire.missing_field');
  });

  it('refuses vectors and structs that reach beyond the frame', () => {
    const bytes = frame(DELTA);
    const view = new DataView(bytes.buffer);
    const table = 4 + view.getUint32(4, true);
    const vtable = table - view.getInt32(table, true);
    const codes = [4, 12, 14].map((entry) => {
      const offset = view.getUint16(vtable + entry, true);
      view.setUint16(vtable + entry, bytes.length - table - 2, true);
      const code = codeOf(() => new FrameReader().reset(bytes).next());
      view.setUint16(vtable + entry, offset, true);
      return code;
    });
    expect(codes).toEqual(['wire.bounds', 'wire.bounds', 'wire.bounds']);
    const bids = table + view.getUint16(vtable + 12, true);
    view.setUint32(bids + view.getUint32(bids, true), 0xffffffff, true);
    expect(codeOf(() => new FrameReader().reset(bytes).next())).toBe('wire.bounds');
  });

  it('ends with frames or a typed error on any bytes', () => {
    const check = (bytes: Uint8Array): void => {
      try {
        readAll(bytes);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), check), { numRuns: 500 });
    const good = message(
      frame(DELTA),
      frame({ kind: Kind.check, check: checkOf([], []) }),
      frame({
        kind: Kind.orders,
        orders: [{ id: 1, action: 1 }],
        names: [{ number: 1, text: 'one' }],
        gap: {},
        ticker: { mask: 1, values: [1] },
        trading: { status: 1 },
        view: { grouping: 1n, intervalNs: 1n, depth: 1 },
        signals: [[1n, 1n, 1n, 1, 1, 1]],
        volumes: [[1n, 1n, 1n, 1n, 1]],
        costs: [[1n, 1n, 1n, 1n, 1n, 1, 1, 1, 1, 1, 1]],
      }),
    );
    const damages = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damages, (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        check(bytes);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('crc32c', () => {
  it('has the published check value', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  });

  it('equals the definition on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => crc32c(bytes) === crc32cBitwise(bytes)));
  });

  it('is fed by raw little-endian levels', () => {
    expect([...levelBytes([[-2, 1]])]).toEqual([
      0xfe, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });
});
