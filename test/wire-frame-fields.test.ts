import * as flatbuffers from 'flatbuffers';
import { describe, expect, it } from 'vitest';
import { CostRows, SignalRows, VolumeRows } from '../src/wire/frame-computed.js';
import {
  GapFields,
  SessionFields,
  TickerFields,
  TradingFields,
  ViewFields,
} from '../src/wire/frame-facts.js';
import { NameRows, OrderRows } from '../src/wire/frame-orders.js';
import { Frame, Header, Level } from '../src/wire/generated/depthwire/feed.js';
import { FrameReader, Kind, LocalBook, WireError } from '../src/wire/index.js';
import { frame, I64_MAX, I64_MIN, message } from './support/frames.js';

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

describe('FrameReader', () => {
  it('reads orders with ids of every kind, and the names that they refer to', () => {
    const reader = new FrameReader().reset(
      frame({
        kind: Kind.orders,
        stream: 6,
        orders: [
          { id: 2n ** 64n - 1n, price: I64_MIN, qty: 7, place: 3, action: 1, side: 2, cause: 1 },
          { id: 5, idHigh: 6, price: -5, qty: I64_MAX, action: 3, side: 1, cause: 9, idKind: 2 },
          { action: 5, side: 0, idKind: 0 },
        ],
        names: [
          { number: 2n ** 63n, text: 'é'.repeat(27), size: 255 },
          { number: 2n ** 63n, text: 'end' },
        ],
      }),
    );
    expect(reader.next()).toBe(true);
    const [orders, names] = [new OrderRows(reader), new NameRows(reader)];
    expect([orders.count, names.count]).toEqual([3, 2]);
    expect([orders.idLow(0), orders.idHigh(0), orders.idNearest(1), orders.idHigh(1)]).toEqual([
      2n ** 64n - 1n,
      0n,
      5,
      6n,
    ]);
    expect([orders.idByte(0, 7), orders.idByte(1, 8)]).toEqual([255, 6]);
    expect([orders.price(0), orders.qty(0), orders.place(0)]).toEqual([I64_MIN, 7, 3]);
    expect([orders.price(1), orders.qty(1), orders.place(1)]).toEqual([-5, I64_MAX, 4294967295]);
    expect(
      [0, 1, 2].map((at) => [orders.action(at), orders.side(at), orders.cause(at), orders.idKind(at)]),
    ).toEqual([
      [1, 2, 'new', 1],
      [3, 1, 'unknown', 2],
      [5, 0, 'unknown', 0],
    ]);
    expect([names.number(0), names.goesOn(0), names.goesOn(1)]).toEqual([2n ** 63n, true, false]);
    expect([names.bytes(0).length, new TextDecoder().decode(names.bytes(1))]).toEqual([55, 'end']);
    expect(codeOf(() => orders.qty(3))).toBe('wire.index');
    expect(codeOf(() => names.number(2))).toBe('wire.index');
  });

  it('reads gaps, tickers, trading and what a view shows', () => {
    const reader = new FrameReader().reset(
      message(
        frame({
          kind: Kind.status,
          status: { state: 3, reason: 1 },
          gap: {
            expected: 2n ** 64n - 1n,
            received: 2n,
            lostFrom: 3n,
            noticed: 4n,
            mended: 5n,
            epochBefore: 6n,
            seqBefore: 7n,
            reason: 1,
          },
        }),
        frame({
          kind: Kind.ticker,
          ticker: {
            mask: 0x1_0201,
            priceExponent: -9,
            qtyExponent: 3,
            values: [I64_MAX, 0, ...Array(7).fill(0), -4, ...Array(6).fill(0), -1],
          },
        }),
        frame({ kind: Kind.trading, trading: { tsEvent: 9n, status: 2 } }),
        frame({ kind: Kind.trading, trading: { status: 77 } }),
        frame({ kind: Kind.image, view: { grouping: 50n, intervalNs: 250_000_000n, depth: 20 } }),
        frame({ kind: Kind.delta }),
      ),
    );
    reader.next();
    const [gap, ticker] = [new GapFields(reader), new TickerFields(reader)];
    const [trading, viewInfo] = [new TradingFields(reader), new ViewFields(reader)];
    expect([gap.isPresent, ticker.isPresent]).toEqual([true, false]);
    expect([gap.expected, gap.received, gap.lostFrom, gap.noticed, gap.mended]).toEqual([
      2n ** 64n - 1n,
      2n,
      3n,
      4n,
      5n,
    ]);
    expect([gap.epochBefore, gap.seqBefore, gap.reason]).toEqual([6n, 7n, 1]);
    reader.next();
    expect([gap.isPresent, ticker.mask, ticker.priceExponent, ticker.qtyExponent]).toEqual([
      false,
      0x1_0201,
      -9,
      3,
    ]);
    expect([0, 1, 9, 16].map((at) => ticker.value(at))).toEqual([I64_MAX, 0, -4, -1]);
    reader.next();
    expect([trading.tsEvent, trading.status]).toEqual([9n, 'halted']);
    reader.next();
    expect(trading.status).toBe('unknown');
    reader.next();
    expect([viewInfo.grouping, viewInfo.intervalMs, viewInfo.depth]).toEqual([50, 250, 20]);
    reader.next();
    const reads = [() => gap.reason, () => ticker.mask, () => trading.status, () => viewInfo.depth];
    expect(reads.map(codeOf)).toEqual(reads.map(() => 'wire.missing_field'));
  });

  it('reads what is computed of an instrument', () => {
    const reader = new FrameReader().reset(
      message(
        frame({ kind: Kind.signals, signals: [[I64_MIN, 1n, 2n, 65535, -9, 3]] }),
        frame({
          kind: Kind.volumes,
          volumes: [[-1n, I64_MAX, 3n, 4n, 4294967295]],
          session: { since: 5n, missedAt: 6n },
        }),
        frame({ kind: Kind.costs, costs: [[1n, 2n, 3n, -4n, I64_MAX, -9, 4, 2, 1, 0, 65535]] }),
      ),
    );
    const session = new SessionFields(reader);
    const [signals, volumes, costs] = [new SignalRows(reader), new VolumeRows(reader), new CostRows(reader)];
    reader.next();
    expect([signals.value(0), signals.windowNs(0), signals.tsEvent(0)]).toEqual([I64_MIN, 1n, 2n]);
    expect([signals.id(0), signals.exponent(0), signals.flags(0), volumes.count]).toEqual([65535, -9, 3, 0]);
    reader.next();
    expect([volumes.price(0), volumes.bought(0), volumes.sold(0), volumes.unknown(0)]).toEqual([
      -1,
      I64_MAX,
      3,
      4,
    ]);
    expect([volumes.trades(0), signals.count]).toEqual([4294967295, 0]);
    expect([session.since, session.missedAt]).toEqual([5n, 6n]);
    reader.next();
    expect([costs.qty(0), costs.filled(0), costs.priceAverage(0), costs.priceWorst(0)]).toEqual([
      1, 2, 3, -4,
    ]);
    expect([costs.cost(0), costs.priceExponent(0), costs.costExponent(0)]).toEqual([I64_MAX, -9, 4]);
    expect([costs.side(0), costs.isComplete(0), costs.isKnown(0), costs.bps(0)]).toEqual([
      2,
      true,
      false,
      65535,
    ]);
  });

  it('reads a frame of the future as far as it knows it: fields and flags are ignored, kinds stepped over', () => {
    // A table with two fields behind the last known one, built as the official builder builds it.
    const future = (kind: number): Uint8Array => {
      const builder = new flatbuffers.Builder(256);
      const bytes = builder.createString('what nobody knows yet');
      Frame.startBidsVector(builder, 1);
      Level.createLevel(builder, 100n, 5n);
      const bids = builder.endVector();
      builder.startObject(18);
      builder.addFieldStruct(
        0,
        Header.createHeader(builder, 1n, 2n, 1n, 0n, 0n, 0n, 0n, 7, kind, 1, 0xff00),
        0,
      );
      builder.addFieldOffset(4, bids, 0);
      builder.addFieldOffset(16, bytes, 0);
      builder.addFieldInt64(17, 5n, 0n);
      const root = builder.endObject();
      Frame.finishSizePrefixedFrameBuffer(builder, root);
      // The official builder aligns to the fields that it holds.
      return builder.asUint8Array().slice();
    };
    const bytes = message(future(200), future(Kind.delta));
    expect(bytes.length % 8).toBe(0);
    const reader = new FrameReader().reset(bytes);
    expect(reader.next()).toBe(true);
    expect([reader.skipped, reader.flags, reader.bidPrice(0), new OrderRows(reader).count]).toEqual([
      1, 0xff00, 100, 0,
    ]);
    const book = new LocalBook();
    expect(book.apply(reader)).toEqual({ tag: 'ignored', why: 'awaiting_image' });
    expect(reader.next()).toBe(false);
  });

  it('refuses every further field that reaches beyond the frame', () => {
    const bytes = frame({
      kind: Kind.orders,
      gap: {},
      orders: [{ id: 1, action: 1 }],
      names: [{ number: 1, text: 'one' }],
      ticker: { mask: 0, values: [] },
      trading: { status: 1 },
      view: { grouping: 0n, intervalNs: 0n, depth: 0 },
      signals: [[0n, 0n, 0n, 0, 0, 0]],
      volumes: [[0n, 0n, 0n, 0n, 0]],
      costs: [[0n, 0n, 0n, 0n, 0n, 0, 0, 0, 0, 0, 0]],
      session: {},
    });
    const view = new DataView(bytes.buffer);
    const table = 4 + view.getUint32(4, true);
    const vtable = table - view.getInt32(table, true);
    const entries = [18, 20, 22, 24, 26, 28, 30, 32, 34, 36];
    const codes = entries.map((entry) => {
      const offset = view.getUint16(vtable + entry, true);
      view.setUint16(vtable + entry, bytes.length - table - 2, true);
      const code = codeOf(() => new FrameReader().reset(bytes).next());
      view.setUint16(vtable + entry, offset, true);
      return code;
    });
    expect(codes).toEqual(entries.map(() => 'wire.bounds'));
    expect(new FrameReader().reset(bytes).next()).toBe(true);
  });
});
