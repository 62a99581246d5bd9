import { WireError } from './errors.js';
import { KIND_MAX } from './generated/constants.js';
import { isExact } from './level.js';

/** `DWF1`, read as a little-endian word. */
const IDENTIFIER = 0x31465744;
/** Root offset, identifier, the smallest vtable with a header, the table of that header alone. */
const FRAME_BYTES_MIN = 4 + 4 + 6 + 4 + 64;

const HEADER_BYTES = 64;
/** Its entry in the vtable. */
const HEADER_ENTRY = 4;

/** Where the header stands while there is no frame: beyond any buffer, so that reading it is a RangeError. */
const NOWHERE = 0x3fffffff;

const EMPTY = new DataView(new ArrayBuffer(0));

/** A struct of the table: its name, its entry in the vtable, its size. */
export class StructField {
  readonly name: string;
  readonly entry: number;
  readonly bytes: number;
  /** Where it starts in the buffer; 0 = the frame has none. */
  at = 0;

  constructor(name: string, entry: number, bytes: number) {
    this.name = name;
    this.entry = entry;
    this.bytes = bytes;
  }
}

/** A vector of structs: its name, its entry in the vtable, the size of an element. */
export class VectorField extends StructField {
  count = 0;
}

/**
 * Steps through size-prefixed feed frames that stand back to back in one message, and finds the table, the header and
 * the given fields of each once. It checks in constant time that all of them lie inside the frame; numbers are then read
 * in place, by absolute positions in the buffer.
 */
export class FrameTable {
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
  /** @internal */
  view: DataView = EMPTY;

  protected headerAt = NOWHERE;
  private readonly structs: readonly StructField[];
  private readonly vectors: readonly VectorField[];
  private messageStart = 0;
  private messageEnd = 0;
  private position = 0;
  private frameStart = 0;
  private frameEnd = 0;

  /** Both in the order of their entries. */
  constructor(structs: readonly StructField[], vectors: readonly VectorField[]) {
    this.structs = structs;
    this.vectors = vectors;
  }

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

  private forget(): void {
    this.kind = 0;
    this.headerAt = NOWHERE;
    for (const field of this.structs) field.at = 0;
    for (const field of this.vectors) field.count = 0;
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
    const header = this.offset(vtable, vtableBytes, HEADER_ENTRY);
    if (header === 0) throw this.bad('missing_field', 'a header', 'none');
    this.headerAt = this.inside(table + header, HEADER_BYTES, 'header');
    for (const field of this.structs) {
      if (field.entry >= vtableBytes) break;
      const offset = this.offset(vtable, vtableBytes, field.entry);
      if (offset !== 0) field.at = this.inside(table + offset, field.bytes, field.name);
    }
    for (const field of this.vectors) {
      if (field.entry >= vtableBytes) break;
      const offset = this.offset(vtable, vtableBytes, field.entry);
      if (offset === 0) continue;
      field.at = this.elements(table + offset, field.bytes, field.name);
      field.count = view.getUint32(field.at - 4, true);
    }
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

  /** Where a struct stands. Throws `wire.missing_field`. @internal */
  structAt({ name, at }: StructField): number {
    if (at === 0) throw this.bad('missing_field', `a field ${name}`, 'none');
    return at;
  }

  /** Where an element of a vector stands. Throws `wire.index`. @internal */
  elementAt({ name, at, bytes, count }: VectorField, index: number): number {
    if (!(index >= 0 && index < count)) throw this.noElement(name, index, count);
    return at + index * bytes;
  }

  /** @internal */
  nearest(at: number): number {
    return this.view.getInt32(at + 4, true) * 4294967296 + this.view.getUint32(at, true);
  }

  /** @internal */
  exact(at: number): number | bigint {
    const value = this.nearest(at);
    return isExact(value) ? value : this.view.getBigInt64(at, true);
  }

  /** @internal */
  signed(at: number, name: string): number {
    const value = this.nearest(at);
    if (!isExact(value)) throw this.unsafe(name, this.view.getBigInt64(at, true));
    return value;
  }

  /** @internal */
  unsigned(at: number, name: string): number {
    const value = this.unsignedNearest(at);
    if (value > 9007199254740991) throw this.unsafe(name, this.view.getBigUint64(at, true));
    return value;
  }

  /** @internal */
  unsignedNearest(at: number): number {
    return this.view.getUint32(at + 4, true) * 4294967296 + this.view.getUint32(at, true);
  }

  /** @internal */
  unsignedBigInt(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }

  /** @internal */
  milliseconds(at: number): number {
    return this.unsignedNearest(at) / 1e6;
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
