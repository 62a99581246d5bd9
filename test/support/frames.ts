import * as flatbuffers from 'flatbuffers';
import { PLACE_LAST } from '../../src/wire/generated/constants.js';
import {
  Check,
  Cost,
  Frame,
  Gap,
  Header,
  ImageInfo,
  Level,
  Name,
  Order,
  Session,
  Signal,
  Status,
  Ticker,
  Trade,
  Trading,
  ViewInfo,
  Volume,
} from '../../src/wire/generated/depthwire/feed.js';

/** Price and quantity mantissas. */
export type LevelSpec = readonly [price: bigint | number, qty: bigint | number];

export interface TradeSpec {
  readonly price: bigint | number;
  readonly qty: bigint | number;
  readonly id: bigint | number;
  readonly tsEvent: bigint | number;
  readonly aggressor: number;
  /** 1, the venue's number, unless given. */
  readonly idKind?: number;
}

export interface CheckSpec {
  readonly topCrc: number;
  readonly allCrc: number;
  readonly bidCount: number;
  readonly askCount: number;
}

export interface InfoSpec {
  readonly bidKnownTo?: bigint | number;
  readonly askKnownTo?: bigint | number;
  readonly chunkIndex?: number;
  readonly chunkCount?: number;
  readonly depth?: number;
  readonly priceExponent?: number;
  readonly qtyExponent?: number;
  readonly state?: number;
  readonly reason?: number;
}

export interface StatusSpec {
  readonly expected?: bigint | number;
  readonly received?: bigint | number;
  readonly ageNs?: bigint | number;
  readonly state: number;
  readonly reason?: number;
}

export interface GapSpec {
  readonly expected?: bigint;
  readonly received?: bigint;
  readonly lostFrom?: bigint;
  readonly noticed?: bigint;
  readonly mended?: bigint;
  readonly epochBefore?: bigint;
  readonly seqBefore?: bigint;
  readonly reason?: number;
}

export interface OrderSpec {
  readonly id?: bigint | number;
  readonly idHigh?: bigint | number;
  readonly price?: bigint | number;
  readonly qty?: bigint | number;
  /** At the end, unless given. */
  readonly place?: number;
  /** 1 add, 2 change, 3 move, 4 remove, 5 clear. */
  readonly action: number;
  /** 1 bid, 2 ask. */
  readonly side?: number;
  readonly cause?: number;
  /** 1, a number, unless given. */
  readonly idKind?: number;
}

export interface NameSpec {
  readonly number: bigint | number;
  /** 255 = the text goes on; the length of the text unless given. */
  readonly size?: number;
  readonly text: string;
}

export interface TickerSpec {
  readonly mask: number;
  readonly priceExponent?: number;
  readonly qtyExponent?: number;
  /** By bit; the rest is 0. */
  readonly values: readonly (bigint | number)[];
}

/** What a frame holds; numbers left out are 0, parts left out are absent. */
export interface FrameSpec {
  readonly kind: number;
  readonly epoch?: bigint;
  readonly seq?: bigint | number;
  readonly prevSeq?: bigint | number;
  readonly venueSeq?: bigint | number;
  readonly tsEvent?: bigint;
  readonly tsRecv?: bigint;
  readonly tsSend?: bigint;
  readonly instrument?: number;
  readonly stream?: number;
  readonly flags?: number;
  readonly info?: InfoSpec;
  readonly check?: CheckSpec;
  readonly status?: StatusSpec;
  readonly bids?: readonly LevelSpec[];
  readonly asks?: readonly LevelSpec[];
  readonly trades?: readonly TradeSpec[];
  readonly gap?: GapSpec;
  readonly orders?: readonly OrderSpec[];
  readonly names?: readonly NameSpec[];
  readonly ticker?: TickerSpec;
  readonly trading?: { readonly tsEvent?: bigint; readonly status: number };
  readonly session?: { readonly since?: bigint; readonly missedAt?: bigint };
  readonly view?: { readonly grouping: bigint; readonly intervalNs: bigint; readonly depth: number };
  /** The arguments of the official builder, in the schema's order. */
  readonly signals?: readonly (readonly [bigint, bigint, bigint, number, number, number])[];
  readonly volumes?: readonly (readonly [bigint, bigint, bigint, bigint, number])[];
  readonly costs?: readonly (readonly [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    number,
    number,
    number,
    number,
    number,
    number,
  ])[];
  /** Leaves the required header out. */
  readonly noHeader?: boolean;
}

export const I64_MIN = -(2n ** 63n);
export const I64_MAX = 2n ** 63n - 1n;

/** A size-prefixed frame as the official builder writes it: the oracle of the reader under test. */
export function frame(spec: FrameSpec): Uint8Array {
  const builder = new flatbuffers.Builder(256);
  const bids = spec.bids && levels(builder, spec.bids, Frame.startBidsVector);
  const asks = spec.asks && levels(builder, spec.asks, Frame.startAsksVector);
  const trades = spec.trades && tradeVector(builder, spec.trades);
  const orders = spec.orders && orderVector(builder, spec.orders);
  const names = spec.names && nameVector(builder, spec.names);
  const signals =
    spec.signals &&
    rows(builder, spec.signals, Frame.startSignalsVector, (row) => Signal.createSignal(builder, ...row));
  const volumes =
    spec.volumes &&
    rows(builder, spec.volumes, Frame.startVolumesVector, (row) => Volume.createVolume(builder, ...row));
  const costs =
    spec.costs &&
    rows(builder, spec.costs, Frame.startCostsVector, (row) => Cost.createCost(builder, ...row));
  Frame.startFrame(builder);
  if (!spec.noHeader) Frame.addHeader(builder, header(builder, spec));
  if (spec.info) Frame.addInfo(builder, info(builder, spec.info));
  if (spec.check) {
    const { topCrc, allCrc, bidCount, askCount } = spec.check;
    Frame.addCheck(builder, Check.createCheck(builder, topCrc, allCrc, bidCount, askCount));
  }
  if (spec.status) {
    const { expected = 0, received = 0, ageNs = 0, state, reason = 0 } = spec.status;
    const written = Status.createStatus(
      builder,
      BigInt(expected),
      BigInt(received),
      BigInt(ageNs),
      state,
      reason,
    );
    Frame.addStatus(builder, written);
  }
  if (bids !== undefined) Frame.addBids(builder, bids);
  if (asks !== undefined) Frame.addAsks(builder, asks);
  if (trades !== undefined) Frame.addTrades(builder, trades);
  if (spec.gap) Frame.addGap(builder, gap(builder, spec.gap));
  if (orders !== undefined) Frame.addOrders(builder, orders);
  if (names !== undefined) Frame.addNames(builder, names);
  if (spec.ticker) Frame.addTicker(builder, ticker(builder, spec.ticker));
  if (spec.trading) {
    const { tsEvent = 0n, status } = spec.trading;
    Frame.addTrading(builder, Trading.createTrading(builder, tsEvent, status));
  }
  if (spec.view) {
    const { grouping, intervalNs, depth } = spec.view;
    Frame.addView(builder, ViewInfo.createViewInfo(builder, grouping, intervalNs, depth));
  }
  if (signals !== undefined) Frame.addSignals(builder, signals);
  if (volumes !== undefined) Frame.addVolumes(builder, volumes);
  if (costs !== undefined) Frame.addCosts(builder, costs);
  if (spec.session) {
    const { since = 0n, missedAt = 0n } = spec.session;
    Frame.addSession(builder, Session.createSession(builder, since, missedAt));
  }
  const root = spec.noHeader ? builder.endObject() : Frame.endFrame(builder);
  Frame.finishSizePrefixedFrameBuffer(builder, root);
  return builder.asUint8Array().slice();
}

/** Frames back to back, as in one message. */
export function message(...frames: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(frames));
}

/** The check of levels that stand best first, by a bitwise CRC32C over their bytes. */
export function checkOf(bids: readonly LevelSpec[], asks: readonly LevelSpec[]): CheckSpec {
  return {
    topCrc: crc32cBitwise(levelBytes([...bids.slice(0, 10), ...asks.slice(0, 10)])),
    allCrc: crc32cBitwise(levelBytes([...bids, ...asks])),
    bidCount: bids.length,
    askCount: asks.length,
  };
}

/** CRC32C by its definition, one bit at a time. */
export function crc32cBitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** Raw little-endian levels. */
export function levelBytes(specs: readonly LevelSpec[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(specs.flat().map(BigInt)).buffer);
}

function header(builder: flatbuffers.Builder, spec: FrameSpec): flatbuffers.Offset {
  return Header.createHeader(
    builder,
    spec.epoch ?? 0n,
    BigInt(spec.seq ?? 0),
    BigInt(spec.prevSeq ?? spec.seq ?? 0),
    BigInt(spec.venueSeq ?? 0),
    spec.tsEvent ?? 0n,
    spec.tsRecv ?? 0n,
    spec.tsSend ?? 0n,
    spec.instrument ?? 0,
    spec.kind,
    spec.stream ?? 1,
    spec.flags ?? 0,
  );
}

function info(builder: flatbuffers.Builder, spec: InfoSpec): flatbuffers.Offset {
  return ImageInfo.createImageInfo(
    builder,
    BigInt(spec.bidKnownTo ?? I64_MIN),
    BigInt(spec.askKnownTo ?? I64_MAX),
    spec.chunkIndex ?? 0,
    spec.chunkCount ?? 1,
    spec.depth ?? 0,
    spec.priceExponent ?? -2,
    spec.qtyExponent ?? -5,
    spec.state ?? 2,
    spec.reason ?? 0,
  );
}

function levels(
  builder: flatbuffers.Builder,
  specs: readonly LevelSpec[],
  start: (builder: flatbuffers.Builder, count: number) => void,
): flatbuffers.Offset {
  start(builder, specs.length);
  for (const [price, qty] of specs.toReversed()) Level.createLevel(builder, BigInt(price), BigInt(qty));
  return builder.endVector();
}

function tradeVector(builder: flatbuffers.Builder, specs: readonly TradeSpec[]): flatbuffers.Offset {
  Frame.startTradesVector(builder, specs.length);
  for (const { price, qty, id, tsEvent, aggressor, idKind = 1 } of specs.toReversed()) {
    Trade.createTrade(builder, BigInt(price), BigInt(qty), BigInt(id), BigInt(tsEvent), aggressor, idKind);
  }
  return builder.endVector();
}

/** Structs of any kind, in the order in which they stand. */
function rows<Row>(
  builder: flatbuffers.Builder,
  specs: readonly Row[],
  start: (builder: flatbuffers.Builder, count: number) => void,
  create: (row: Row) => void,
): flatbuffers.Offset {
  start(builder, specs.length);
  for (const row of specs.toReversed()) create(row);
  return builder.endVector();
}

function orderVector(builder: flatbuffers.Builder, specs: readonly OrderSpec[]): flatbuffers.Offset {
  return rows(builder, specs, Frame.startOrdersVector, (spec) => {
    const { id = 0, idHigh = 0, price = 0, qty = 0, place = PLACE_LAST } = spec;
    const { action, side = 1, cause = 0, idKind = 1 } = spec;
    Order.createOrder(
      builder,
      BigInt(id),
      BigInt(idHigh),
      BigInt(price),
      BigInt(qty),
      place,
      action,
      side,
      cause,
      idKind,
    );
  });
}

function nameVector(builder: flatbuffers.Builder, specs: readonly NameSpec[]): flatbuffers.Offset {
  return rows(builder, specs, Frame.startNamesVector, ({ number, text, size }) => {
    const bytes = [...new TextEncoder().encode(text)];
    const padded = [...bytes, ...new Array<number>(55 - bytes.length).fill(0)];
    Name.createName(builder, BigInt(number), size ?? bytes.length, padded);
  });
}

function gap(builder: flatbuffers.Builder, spec: GapSpec): flatbuffers.Offset {
  const { expected = 0n, received = 0n, lostFrom = 0n, noticed = 0n, mended = 0n } = spec;
  const { epochBefore = 0n, seqBefore = 0n, reason = 0 } = spec;
  return Gap.createGap(
    builder,
    expected,
    received,
    lostFrom,
    noticed,
    mended,
    epochBefore,
    seqBefore,
    reason,
  );
}

function ticker(builder: flatbuffers.Builder, spec: TickerSpec): flatbuffers.Offset {
  const { mask, priceExponent = -2, qtyExponent = -5, values } = spec;
  const at = (index: number): bigint => BigInt(values[index] ?? 0);
  return Ticker.createTicker(
    builder,
    mask,
    priceExponent,
    qtyExponent,
    at(0),
    at(1),
    at(2),
    at(3),
    at(4),
    at(5),
    at(6),
    at(7),
    at(8),
    at(9),
    at(10),
    at(11),
    at(12),
    at(13),
    at(14),
    at(15),
    at(16),
  );
}
