import { Rows } from './frame-rows.js';
import { Field, type FrameTable } from './frame-table.js';
import { NAME_GOES_ON, NAME_TEXT_BYTES, ORDER_CAUSES } from './generated/constants.js';
import type { OrderCause } from './protocol.js';

/** What happened to orders, or the orders of an image. Codes are numbers of docs/protocol.md. */
export class OrderRows extends Rows {
  constructor(frame: FrameTable) {
    super(frame, Field.orders);
  }

  /** The halves of the id: see `idKind`. */
  idLow(index: number): bigint {
    return this.frame.unsignedBigInt(this.at(index));
  }
  idHigh(index: number): bigint {
    return this.frame.unsignedBigInt(this.at(index) + 8);
  }
  /** The nearest number to the id's lower half: the id itself where that is a number within 2^53. */
  idNearest(index: number): number {
    return this.frame.unsignedNearest(this.at(index));
  }
  /** A byte of the id, 0 to 15. */
  idByte(index: number, byte: number): number {
    return this.frame.view.getUint8(this.at(index) + byte);
  }
  /** All 16, where they stand: copy what is kept. */
  idBytes(index: number): Uint8Array {
    const { view } = this.frame;
    return new Uint8Array(view.buffer, view.byteOffset + this.at(index), 16);
  }
  /** The same as little-endian words, 0 to 3. */
  idWord(index: number, word: number): number {
    return this.frame.view.getInt32(this.at(index) + word * 4, true);
  }
  /** A BigInt where no number holds it. */
  price(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 16);
  }
  /** What is left, absolute. */
  qty(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 24);
  }
  /** Orders before it in the queue of its price after the change; 4294967295 = at the end. */
  place(index: number): number {
    return this.frame.view.getUint32(this.at(index) + 32, true);
  }
  /** One of `OrderAction`. */
  action(index: number): number {
    return this.frame.view.getUint8(this.at(index) + 36);
  }
  /** 1 bid, 2 ask, 0 none. */
  side(index: number): number {
    return this.frame.view.getUint8(this.at(index) + 37);
  }
  /** Why it happened. */
  cause(index: number): OrderCause {
    return ORDER_CAUSES[this.frame.view.getUint8(this.at(index) + 38)] ?? 'unknown';
  }
  /** 0 none, 1 number, 2 UUID, 3 text of up to 16 bytes, 4 number of an entry of `names`. */
  idKind(index: number): number {
    return this.frame.view.getUint8(this.at(index) + 39);
  }
}

/** Texts that ids refer to by number. One that is longer than an entry goes on in the next, which has the same number. */
export class NameRows extends Rows {
  constructor(frame: FrameTable) {
    super(frame, Field.names);
  }

  number(index: number): bigint {
    return this.frame.unsignedBigInt(this.at(index));
  }
  /** Whether the text goes on in the next entry. */
  goesOn(index: number): boolean {
    return this.frame.view.getUint8(this.at(index) + 8) === NAME_GOES_ON;
  }
  /** The bytes of this entry, where they stand: copy what is kept. */
  bytes(index: number): Uint8Array {
    const at = this.at(index);
    const { view } = this.frame;
    const size = view.getUint8(at + 8);
    return new Uint8Array(view.buffer, view.byteOffset + at + 9, Math.min(size, NAME_TEXT_BYTES));
  }
}
