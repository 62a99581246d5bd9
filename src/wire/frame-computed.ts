import { Rows } from './frame-rows.js';
import { Field, type FrameTable } from './frame-table.js';

/** Numbers that are computed of an instrument. */
export class SignalRows extends Rows {
  constructor(frame: FrameTable) {
    super(frame, Field.signals);
  }

  /** value × 10^exponent; a BigInt where no number holds it, as with all mantissas here. */
  value(index: number): number | bigint {
    return this.frame.exact(this.at(index));
  }
  /** The time that it is computed over, ns; 0 = a moment. */
  windowNs(index: number): bigint {
    return this.frame.unsignedBigInt(this.at(index) + 8);
  }
  /** The end of that time, ns since the Unix epoch. */
  tsEvent(index: number): bigint {
    return this.frame.unsignedBigInt(this.at(index) + 16);
  }
  id(index: number): number {
    return this.frame.view.getUint16(this.at(index) + 24, true);
  }
  exponent(index: number): number {
    return this.frame.view.getInt8(this.at(index) + 26);
  }
  /** 2 = of less than the whole window. */
  flags(index: number): number {
    return this.frame.view.getUint8(this.at(index) + 27);
  }
}

/** What has traded at prices, or in the buckets that begin at them. */
export class VolumeRows extends Rows {
  constructor(frame: FrameTable) {
    super(frame, Field.volumes);
  }

  price(index: number): number | bigint {
    return this.frame.exact(this.at(index));
  }
  /** By who took; `unknown` where the venue does not say. */
  bought(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 8);
  }
  sold(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 16);
  }
  unknown(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 24);
  }
  /** How many trades that were. */
  trades(index: number): number {
    return this.frame.view.getUint32(this.at(index) + 32, true);
  }
}

/** What taking quantities from a side costs. */
export class CostRows extends Rows {
  constructor(frame: FrameTable) {
    super(frame, Field.costs);
  }

  qty(index: number): number | bigint {
    return this.frame.exact(this.at(index));
  }
  /** What the side holds of it. */
  filled(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 8);
  }
  /** Average price of what is filled, at `priceExponent`, rounded to nearest. */
  priceAverage(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 16);
  }
  /** Worst price of what is filled, at the instrument's exponent. */
  priceWorst(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 24);
  }
  /** What that comes to, at `costExponent`. */
  cost(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 32);
  }
  priceExponent(index: number): number {
    return this.frame.view.getInt8(this.at(index) + 40);
  }
  costExponent(index: number): number {
    return this.frame.view.getInt8(this.at(index) + 41);
  }
  /** 1 = taken from the bids, 2 = from the asks. */
  side(index: number): number {
    return this.frame.view.getUint8(this.at(index) + 42);
  }
  /** Whether all of `qty` is filled. */
  isComplete(index: number): boolean {
    return this.frame.view.getUint8(this.at(index) + 43) !== 0;
  }
  /** Whether the venue has made the book known as deep as was needed. */
  isKnown(index: number): boolean {
    return this.frame.view.getUint8(this.at(index) + 44) !== 0;
  }
  /** Not 0: `qty` is all that the side holds within so many basis points of the mid. */
  bps(index: number): number {
    return this.frame.view.getUint16(this.at(index) + 46, true);
  }
}
