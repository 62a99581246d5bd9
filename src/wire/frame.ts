import { WireError } from './errors.js';
import { AGGRESSORS, KIND_MAX, TRADE_ID_KINDS } from './generated/constants.js';
import { isExact } from './level.js';
import type { Aggressor, TradeIdKind } from './protocol.js';

/** `DWF1`, read as a little-endian word. */
const IDENTIFIER = 0x31465744;
/** Root offset, identifier, the smallest vtable with a header, the table of that header alone. */
const FRAME_BYTES_MIN = 4 + 4 + 6 + 4 + 64;

const HEADER_BYTES = 64;
const INFO_BYTES = 32;
const CHECK_BYTES = 16;
const STATUS_BYTES = 32;
/** The header's 64-bit fields behind its sequences: the venue's sequence and the three times. */
export const ORIGIN_BYTES = 32;
const LEVEL_BYTES = 16;
const TRADE_BYTES = 40;

/** Positions of the fields in the vtable, in the schema's order. */
const FIELD = { header: 4, info: 6, check: 8, status: 10, bids: 12, asks: 14, trades: 16 } as const;

/** Where the header stands while there is no frame: beyond any buffer, so that reading it is a RangeError. */
const NOWHERE = 0x3fffffff;

const EMPTY = new DataView(new ArrayBuffer(0));

/**
 * Reads size-prefixed feed frames that stand back to back in one message. One reader serves any number of messages.
 *
 * `next()` finds the table, its header and its vectors once and checks that they lie inside the frame, in constant
 * time; the accessors then read numbers in place. Nothing is copied, so the bytes must stay as they are until the next
 * `next()` or `reset()`. Cost: one view for each buffer that messages lie in, nothing a frame or a level; a few ns a
 * level read.
 *
 * Mantissas and sequences are numbers, exact to 2^53; beyond it the accessor throws `wire.unsafe_integer`, its twin that
 * ends in `BigInt` has the value, and its twin that ends in `Nearest` has the nearest number, whose magnitude is then above
 * `Number.MAX_SAFE_INTEGER` too. Bytes that are no frame make `next()` throw a `WireError`; what follows in that
 * message is then not readable, and `next()` returns false until `reset()`.
 */
export class FrameReader {
  /** Frames of unknown kinds that were stepped over, since the reader was made. */
  skipped = 0;
  /** The frame's kind, one of `Kind`. */
  kind = 0;
  /** The stream's number within its instrument. */
  stream = 0;
  /** Bits of `Flag`; unknown bits are to be ignored. */
  flags = 0;
  /** The instrument's number. */
  instrument = 0;
  /** The epoch's halves: compare both, without a BigInt. */
  epochHigh = 0;
  epochLow = 0;
  /** Whether the frame holds an info struct, a check struct, a status struct. */
  hasInfo = false;
  hasCheck = false;
  hasStatus = false;
  /** Lengths of the frame's vectors. */
  bidCount = 0;
  askCount = 0;
  tradeCount = 0;

  private view: DataView = EMPTY;
  private messageStart = 0;
  private messageEnd = 0;
  private position = 0;
  private frameStart = 0;
  private frameEnd = 0;
  private headerAt = NOWHERE;
  private infoAt = 0;
  private checkAt = 0;
  private statusAt = 0;
  private bidsAt = 0;
  private asksAt = 0;
  private tradesAt = 0;

  /** Starts on a new message. */
  reset(bytes: Uint8Array): this {
    // Messages often lie in one buffer, and a view costs more than the rest of a small message.
    if (bytes.buffer !== this.view.buffer) this.view = new DataView(bytes.buffer);
    this.messageStart = bytes.byteOffset;
    this.messageEnd = bytes.byteOffset + bytes.byteLength;
    this.position = this.messageStart;
    this.forget();
    return this;
  }

  /** Steps to the next frame of a known kind; false at the end of the message. Throws `WireError`. */
  next(): boolean {
    this.forget();
    while (this.position < this.messageEnd) {
      const start = this.position;
      try {
        this.open(start);
      } catch (error) {
        this.position = this.messageEnd;
        this.forget();
        throw error;
      }
      this.position = this.frameEnd;
      if (this.kind >= 1 && this.kind <= KIND_MAX) return true;
      this.skipped += 1;
      this.forget();
    }
    return false;
  }

  /** Bytes of the current frame, its size prefix included. */
  get frameBytes(): number {
    return this.frameEnd - this.frameStart;
  }

  get seq(): number {
    return this.unsigned(this.headerAt + 8, 'seq');
  }
  get prevSeq(): number {
    return this.unsigned(this.headerAt + 16, 'prev_seq');
  }
  /** The venue's own sequence; 0 = none. */
  get venueSeq(): number {
    return this.unsigned(this.headerAt + 24, 'venue_seq');
  }
  get venueSeqBigInt(): bigint {
    return this.unsignedBigInt(this.headerAt + 24);
  }
  get epoch(): bigint {
    return this.unsignedBigInt(this.headerAt);
  }
  /** The venue's time, ns since the Unix epoch; 0 = not given. */
  get tsEvent(): bigint {
    return this.unsignedBigInt(this.headerAt + 32);
  }
  /** When the server received it, ns. */
  get tsRecv(): bigint {
    return this.unsignedBigInt(this.headerAt + 40);
  }
  /** When the server wrote the frame, ns. */
  get tsSend(): bigint {
    return this.unsignedBigInt(this.headerAt + 48);
  }
  /** The same times in ms since the Unix epoch, to within a microsecond. */
  get tsEventMs(): number {
    return this.milliseconds(this.headerAt + 32);
  }
  get tsRecvMs(): number {
    return this.milliseconds(this.headerAt + 40);
  }
  get tsSendMs(): number {
    return this.milliseconds(this.headerAt + 48);
  }

  /** Copies the venue's sequence and the three times, `ORIGIN_BYTES` as they stand, without a BigInt. */
  copyOrigin(to: DataView): void {
    for (let at = 0; at < ORIGIN_BYTES; at += 4) {
      to.setUint32(at, this.view.getUint32(this.headerAt + 24 + at, true), true);
    }
  }

  bidPrice(index: number): number {
    return this.signed(this.bidAt(index), 'bids.price');
  }
  bidQty(index: number): number {
    return this.signed(this.bidAt(index) + 8, 'bids.qty');
  }
  askPrice(index: number): number {
    return this.signed(this.askAt(index), 'asks.price');
  }
  askQty(index: number): number {
    return this.signed(this.askAt(index) + 8, 'asks.qty');
  }
  bidPriceNearest(index: number): number {
    return this.nearest(this.bidAt(index));
  }
  bidQtyNearest(index: number): number {
    return this.nearest(this.bidAt(index) + 8);
  }
  askPriceNearest(index: number): number {
    return this.nearest(this.askAt(index));
  }
  askQtyNearest(index: number): number {
    return this.nearest(this.askAt(index) + 8);
  }
  bidPriceBigInt(index: number): bigint {
    return this.view.getBigInt64(this.bidAt(index), true);
  }
  bidQtyBigInt(index: number): bigint {
    return this.view.getBigInt64(this.bidAt(index) + 8, true);
  }
  askPriceBigInt(index: number): bigint {
    return this.view.getBigInt64(this.askAt(index), true);
  }
  askQtyBigInt(index: number): bigint {
    return this.view.getBigInt64(this.askAt(index) + 8, true);
  }

  tradePrice(index: number): number {
    return this.signed(this.tradeAt(index), 'trades.price');
  }
  tradeQty(index: number): number {
    return this.signed(this.tradeAt(index) + 8, 'trades.qty');
  }
  tradePriceNearest(index: number): number {
    return this.nearest(this.tradeAt(index));
  }
  tradeQtyNearest(index: number): number {
    return this.nearest(this.tradeAt(index) + 8);
  }
  tradePriceBigInt(index: number): bigint {
    return this.view.getBigInt64(this.tradeAt(index), true);
  }
  tradeQtyBigInt(index: number): bigint {
    return this.view.getBigInt64(this.tradeAt(index) + 8, true);
  }
  /** The venue's number of the trade. */
  tradeId(index: number): bigint {
    return this.unsignedBigInt(this.tradeAt(index) + 16);
  }
  tradeTsEvent(index: number): bigint {
    return this.unsignedBigInt(this.tradeAt(index) + 24);
  }
  tradeTsEventMs(index: number): number {
    return this.milliseconds(this.tradeAt(index) + 24);
  }
  tradeAggressor(index: number): Aggressor {
    return AGGRESSORS[this.view.getUint8(this.tradeAt(index) + 32)] ?? 'unknown';
  }
  tradeIdKind(index: number): TradeIdKind {
    return TRADE_ID_KINDS[this.view.getUint8(this.tradeAt(index) + 33)] ?? 'unknown';
  }

  /**
   * Worst bid price that the venue has made known, a BigInt where no number holds it; -Infinity = all. Images only, like the
   * next seven.
   */
  get bidKnownTo(): number | bigint {
    const at = this.inInfo(0);
    const all = this.view.getInt32(at + 4, true) === -0x80000000 && this.view.getUint32(at, true) === 0;
    return all ? -Infinity : this.exact(at);
  }
  /** Worst ask price that the venue has made known; Infinity = all. */
  get askKnownTo(): number | bigint {
    const at = this.inInfo(8);
    const all =
      this.view.getInt32(at + 4, true) === 0x7fffffff && this.view.getUint32(at, true) === 0xffffffff;
    return all ? Infinity : this.exact(at);
  }
  get chunkIndex(): number {
    return this.view.getUint32(this.inInfo(16), true);
  }
  get chunkCount(): number {
    return this.view.getUint32(this.inInfo(20), true);
  }
  /** Levels a side that the stream carries at most; 0 = all. */
  get depth(): number {
    return this.view.getUint32(this.inInfo(24), true);
  }
  get priceExponent(): number {
    return this.view.getInt8(this.inInfo(28));
  }
  get qtyExponent(): number {
    return this.view.getInt8(this.inInfo(29));
  }
  /** State and reason of the book behind an image, as numbers: see `stateOf` and `reasonOf`. */
  get infoState(): number {
    return this.view.getUint8(this.inInfo(30));
  }
  get infoReason(): number {
    return this.view.getUint8(this.inInfo(31));
  }

  /** CRC32C over the best ten levels a side. Images and check frames only, like the next three. */
  get checkTopCrc(): number {
    return this.view.getUint32(this.inCheck(0), true);
  }
  get checkAllCrc(): number {
    return this.view.getUint32(this.inCheck(4), true);
  }
  get checkBidCount(): number {
    return this.view.getUint32(this.inCheck(8), true);
  }
  get checkAskCount(): number {
    return this.view.getUint32(this.inCheck(12), true);
  }

  /** For a gap, the venue's sequence that was due and the one that came. Status frames only, like the next three. */
  get statusExpected(): bigint {
    return this.unsignedBigInt(this.inStatus(0));
  }
  get statusReceived(): bigint {
    return this.unsignedBigInt(this.inStatus(8));
  }
  /** Time since the last input for the instrument, ms. */
  get statusAgeMs(): number {
    return this.milliseconds(this.inStatus(16));
  }
  get statusState(): number {
    return this.view.getUint8(this.inStatus(24));
  }
  get statusReason(): number {
    return this.view.getUint8(this.inStatus(25));
  }

  private forget(): void {
    this.kind = 0;
    this.headerAt = NOWHERE;
    this.hasInfo = false;
    this.hasCheck = false;
    this.hasStatus = false;
    this.bidCount = 0;
    this.askCount = 0;
    this.tradeCount = 0;
  }

  /** Finds everything in the frame at `start`; the checks are those of the schema's verifier, in constant time. */
  private open(start: number): void {
    const view = this.view;
    const left = this.messageEnd - start;
    this.frameStart = start;
    if (left < 4) throw this.bad('truncated', 'a size prefix of 4 bytes', `${left} bytes`);
    const size = view.getUint32(start, true);
    if (size > left - 4)
      throw this.bad('truncated', `${size} bytes after the size prefix`, `${left - 4} bytes`);
    if (size < FRAME_BYTES_MIN)
      throw this.bad('frame_size', `a frame of at least ${FRAME_BYTES_MIN} bytes`, `${size}`);
    if ((size & 7) !== 4) throw this.bad('frame_size', 'size and prefix a multiple of 8', `${size} + 4`);
    const base = start + 4;
    const end = base + size;
    this.frameEnd = end;
    if (view.getUint32(base + 4, true) !== IDENTIFIER) {
      throw this.bad('identifier', 'the identifier DWF1', `0x${view.getUint32(base + 4).toString(16)}`);
    }
    const table = base + view.getUint32(base, true);
    if (table > end - 4)
      throw this.bad('table', 'the table inside the frame', `its start at byte ${table - start}`);
    const vtable = table - view.getInt32(table, true);
    if (vtable < base || vtable > end - 4) {
      throw this.bad('vtable', 'the vtable inside the frame', `its start at byte ${vtable - start}`);
    }
    const vtableBytes = view.getUint16(vtable, true);
    if (vtableBytes < 4 || (vtableBytes & 1) !== 0 || vtable + vtableBytes > end) {
      throw this.bad('vtable', 'a vtable of whole entries inside the frame', `${vtableBytes} bytes`);
    }
    const header = this.offset(vtable, vtableBytes, FIELD.header);
    if (header === 0) throw this.bad('missing_field', 'a header', 'none');
    this.headerAt = this.inside(table + header, HEADER_BYTES, 'header');
    const info = this.offset(vtable, vtableBytes, FIELD.info);
    this.infoAt = info === 0 ? 0 : this.inside(table + info, INFO_BYTES, 'info');
    const check = this.offset(vtable, vtableBytes, FIELD.check);
    this.checkAt = check === 0 ? 0 : this.inside(table + check, CHECK_BYTES, 'check');
    const status = this.offset(vtable, vtableBytes, FIELD.status);
    this.statusAt = status === 0 ? 0 : this.inside(table + status, STATUS_BYTES, 'status');
    const bids = this.offset(vtable, vtableBytes, FIELD.bids);
    if (bids !== 0) {
      this.bidsAt = this.elements(table + bids, LEVEL_BYTES, 'bids');
      this.bidCount = view.getUint32(this.bidsAt - 4, true);
    }
    const asks = this.offset(vtable, vtableBytes, FIELD.asks);
    if (asks !== 0) {
      this.asksAt = this.elements(table + asks, LEVEL_BYTES, 'asks');
      this.askCount = view.getUint32(this.asksAt - 4, true);
    }
    const trades = this.offset(vtable, vtableBytes, FIELD.trades);
    if (trades !== 0) {
      this.tradesAt = this.elements(table + trades, TRADE_BYTES, 'trades');
      this.tradeCount = view.getUint32(this.tradesAt - 4, true);
    }
    this.hasInfo = this.infoAt !== 0;
    this.hasCheck = this.checkAt !== 0;
    this.hasStatus = this.statusAt !== 0;
    const at = this.headerAt;
    this.epochLow = view.getUint32(at, true);
    this.epochHigh = view.getUint32(at + 4, true);
    this.instrument = view.getUint32(at + 56, true);
    this.kind = view.getUint8(at + 60);
    this.stream = view.getUint8(at + 61);
    this.flags = view.getUint16(at + 62, true);
  }

  /** Distance of a field from the table, 0 = absent. */
  private offset(vtable: number, vtableBytes: number, entry: number): number {
    return entry + 2 > vtableBytes ? 0 : this.view.getUint16(vtable + entry, true);
  }

  private inside(at: number, bytes: number, name: string): number {
    if (at + bytes > this.frameEnd) throw this.outside(name, at);
    return at;
  }

  /** Where the elements of a vector start, behind its length. */
  private elements(at: number, bytes: number, name: string): number {
    const vector = this.inside(at, 4, name) + this.view.getUint32(at, true);
    const length = this.view.getUint32(this.inside(vector, 4, name), true);
    return this.inside(vector + 4, length * bytes, name);
  }

  private bidAt(index: number): number {
    if (!(index >= 0 && index < this.bidCount)) throw this.noElement('bids', index, this.bidCount);
    return this.bidsAt + index * LEVEL_BYTES;
  }

  private askAt(index: number): number {
    if (!(index >= 0 && index < this.askCount)) throw this.noElement('asks', index, this.askCount);
    return this.asksAt + index * LEVEL_BYTES;
  }

  private tradeAt(index: number): number {
    if (!(index >= 0 && index < this.tradeCount)) throw this.noElement('trades', index, this.tradeCount);
    return this.tradesAt + index * TRADE_BYTES;
  }

  private inInfo(offset: number): number {
    if (!this.hasInfo) throw this.bad('missing_field', 'an info struct', 'none');
    return this.infoAt + offset;
  }

  private inCheck(offset: number): number {
    if (!this.hasCheck) throw this.bad('missing_field', 'a check struct', 'none');
    return this.checkAt + offset;
  }

  private inStatus(offset: number): number {
    if (!this.hasStatus) throw this.bad('missing_field', 'a status struct', 'none');
    return this.statusAt + offset;
  }

  private nearest(at: number): number {
    return this.view.getInt32(at + 4, true) * 4294967296 + this.view.getUint32(at, true);
  }

  private exact(at: number): number | bigint {
    const value = this.nearest(at);
    return isExact(value) ? value : this.view.getBigInt64(at, true);
  }

  private signed(at: number, name: string): number {
    const value = this.nearest(at);
    if (!isExact(value)) throw this.unsafe(name, this.view.getBigInt64(at, true));
    return value;
  }

  private unsigned(at: number, name: string): number {
    const value = this.view.getUint32(at + 4, true) * 4294967296 + this.view.getUint32(at, true);
    if (value > 9007199254740991) throw this.unsafe(name, this.view.getBigUint64(at, true));
    return value;
  }

  private unsignedBigInt(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }

  private milliseconds(at: number): number {
    return (this.view.getUint32(at + 4, true) * 4294967296 + this.view.getUint32(at, true)) / 1e6;
  }

  private unsafe(name: string, value: bigint): WireError {
    return new WireError({
      code: 'wire.unsafe_integer',
      what: 'an integer is too great for a number',
      where: name,
      expected: 'a magnitude below 2^53',
      got: String(value),
      fix: 'read it by the accessor that ends in BigInt',
    });
  }

  private noElement(name: string, index: number, length: number): WireError {
    return new WireError({
      code: 'wire.index',
      what: 'no such element',
      where: name,
      expected: `an index from 0 to ${length - 1}`,
      got: String(index),
      fix: 'stay below the count of the frame',
    });
  }

  private outside(name: string, at: number): WireError {
    return this.bad('bounds', `${name} inside the frame`, `bytes from ${at - this.frameStart} on`);
  }

  private bad(code: string, expected: string, got: string): WireError {
    return new WireError({
      code: `wire.${code}`,
      what: 'these bytes are no feed frame',
      where: `byte ${this.frameStart - this.messageStart} of the message`,
      expected,
      got,
      fix: 'pass whole messages of a depthwire.v1 feed, unchanged',
    });
  }
}
