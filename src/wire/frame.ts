import { Field, FrameTable, LEVEL_BYTES } from './frame-table.js';

/** The header's 64-bit fields behind its sequences: the venue's sequence and the three times. */
export const ORIGIN_BYTES = 32;

/**
 * Reads size-prefixed feed frames that stand back to back in one message. One reader serves any number of messages.
 *
 * `next()` finds the table, its header and its vectors once and checks that they lie inside the frame, in constant
 * time; the accessors then read numbers in place. A message of at most 64 KiB is copied by `reset()`; a longer one is read where
 * it is, and must stay as it is until the next `reset()`. Cost: nothing on the heap a frame or a level; a few ns a level read.
 * Fields that are read rarely have readers of their own (`TradeRows`, `GapFields`, …), made over this one, with the same rules.
 *
 * Mantissas and sequences are numbers, exact to 2^53; beyond it the accessor throws `wire.unsafe_integer`, its twin that
 * ends in `BigInt` has the value, and its twin that ends in `Nearest` has the nearest number, whose magnitude is then above
 * `Number.MAX_SAFE_INTEGER` too. Bytes that are no frame make `next()` throw a `WireError`; what follows in that
 * message is then not readable, and `next()` returns false until `reset()`.
 */
export class FrameReader extends FrameTable {
  /** Whether the frame holds an info struct, a check struct, a status struct. */
  get hasInfo(): boolean {
    return this.has(Field.info);
  }
  get hasCheck(): boolean {
    return this.has(Field.check);
  }
  get hasStatus(): boolean {
    return this.has(Field.status);
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

  /**
   * Worst bid price that the venue has made known, a BigInt where no number holds it; -Infinity = all. Images only, like the
   * next seven.
   */
  get bidKnownTo(): number | bigint {
    const at = this.placeOf(Field.info);
    const all = this.view.getInt32(at + 4, true) === -0x80000000 && this.view.getUint32(at, true) === 0;
    return all ? -Infinity : this.exact(at);
  }
  /** Worst ask price that the venue has made known; Infinity = all. */
  get askKnownTo(): number | bigint {
    const at = this.placeOf(Field.info) + 8;
    const all =
      this.view.getInt32(at + 4, true) === 0x7fffffff && this.view.getUint32(at, true) === 0xffffffff;
    return all ? Infinity : this.exact(at);
  }
  get chunkIndex(): number {
    return this.view.getUint32(this.placeOf(Field.info) + 16, true);
  }
  get chunkCount(): number {
    return this.view.getUint32(this.placeOf(Field.info) + 20, true);
  }
  /** Levels a side that the stream carries at most; 0 = all. */
  get depth(): number {
    return this.view.getUint32(this.placeOf(Field.info) + 24, true);
  }
  get priceExponent(): number {
    return this.view.getInt8(this.placeOf(Field.info) + 28);
  }
  get qtyExponent(): number {
    return this.view.getInt8(this.placeOf(Field.info) + 29);
  }
  /** State and reason of the book behind an image, as numbers: see `stateOf` and `reasonOf`. */
  get infoState(): number {
    return this.view.getUint8(this.placeOf(Field.info) + 30);
  }
  get infoReason(): number {
    return this.view.getUint8(this.placeOf(Field.info) + 31);
  }

  /** CRC32C over the best ten levels a side. Images and check frames only, like the next three. */
  get checkTopCrc(): number {
    return this.view.getUint32(this.placeOf(Field.check), true);
  }
  get checkAllCrc(): number {
    return this.view.getUint32(this.placeOf(Field.check) + 4, true);
  }
  get checkBidCount(): number {
    return this.view.getUint32(this.placeOf(Field.check) + 8, true);
  }
  get checkAskCount(): number {
    return this.view.getUint32(this.placeOf(Field.check) + 12, true);
  }

  /** For a gap, the venue's sequence that was due and the one that came. Status frames only, like the next three. */
  get statusExpected(): bigint {
    return this.unsignedBigInt(this.placeOf(Field.status));
  }
  get statusReceived(): bigint {
    return this.unsignedBigInt(this.placeOf(Field.status) + 8);
  }
  /** Time since the last input for the instrument, ms. */
  get statusAgeMs(): number {
    return this.milliseconds(this.placeOf(Field.status) + 16);
  }
  get statusState(): number {
    return this.view.getUint8(this.placeOf(Field.status) + 24);
  }
  get statusReason(): number {
    return this.view.getUint8(this.placeOf(Field.status) + 25);
  }

  // As `elementAt`, of the vectors that are read most.
  private bidAt(index: number): number {
    if (index >= 0 && index < this.bidCount) return this.bidsAt + index * LEVEL_BYTES;
    throw this.noElement(Field.bids, index, this.bidCount);
  }
  private askAt(index: number): number {
    if (index >= 0 && index < this.askCount) return this.asksAt + index * LEVEL_BYTES;
    throw this.noElement(Field.asks, index, this.askCount);
  }
}
