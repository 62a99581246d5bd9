import * as flatbuffers from 'flatbuffers';
import {
  Check,
  Frame,
  Header,
  ImageInfo,
  Level,
  Status,
  Trade,
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
