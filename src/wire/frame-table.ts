import { WireError } from './errors.js';
import { KIND_MAX } from './generated/constants.js';
import { isExact } from './level.js';

/** `DWF1`, read as a little-endian word. */
const IDENTIFIER = 0x31465744;
/** Root offset, identifier, the smallest vtable with a header, the table of that header alone. */
const FRAME_BYTES_MIN = 4 + 4 + 6 + 4 + 64;

/** Where the header stands while there is no frame: beyond any buffer, so that reading it is a RangeError. */
const NOWHERE = 0x3fffffff;

/** The largest message that is copied, which costs less than a view of its buffer. */
const COPIED_BYTES_MAX = 1 << 16;

const EMPTY = new DataView(new ArrayBuffer(0));

/** Fields of the table, in the order of the schema. */
export const Field = {
  header: 0,
  info: 1,
  check: 2,
  status: 3,
  bids: 4,
  asks: 5,
  trades: 6,
  gap: 7,
  orders: 8,
  names: 9,
  ticker: 10,
  trading: 11,
  view: 12,
  signals: 13,
  volumes: 14,
  costs: 15,
  session: 16,
} as const;
/** A price and a quantity. */
export const LEVEL_BYTES = 16;
const FIELD_NAMES = Object.keys(Field);

/** Bytes of a struct, or below 0 those of each element of a vector. */
const FIELD_BYTES = Int16Array.of(
  64,
  32,
  16,
  32,
  -16,
  -16,
  -40,
  64,
  -40,
  -64,
  144,
  16,
  24,
  -32,
  -40,
  -48,
  16,
);
const FIELDS = FIELD_BYTES.length;

/**
 * Steps through size-prefixed feed frames that stand back to back in one message, and finds the table, the header and
 * the fields of each once. It checks in constant time that all of them lie inside the frame; numbers are then read
 * in place, by positions in the message.
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
  /** Levels of the frame. */
  bidCount = 0;
  askCount = 0;
  /** @internal */
  view: DataView = EMPTY;

  protected headerAt = NOWHERE;
  protected bidsAt = 0;
  protected asksAt = 0;
  /** Where each field stands in the buffer, 0 = the frame has none, and the elements of each vector. */
  private readonly places = new Int32Array(FIELDS);
  private readonly counts = new Int32Array(FIELDS);
  /** Fields that may have a place. */
  private fieldsFound = 0;
  private readonly copy = new Uint8Array(COPIED_BYTES_MAX);
  private readonly copyView = new DataView(this.copy.buffer);
  private messageEnd = 0;
  private position = 0;
  private frameStart = 0;
  private frameEnd = 0;

  /** Starts on a new message. */
  reset(bytes: Uint8Array): this {
    const { length } = bytes;
    if (length <= COPIED_BYTES_MAX) {
      this.copy.set(bytes);
      this.view = this.copyView;
    } else {
      this.view = new DataView(bytes.buffer, bytes.byteOffset, length);
    }
    this.messageEnd = length;
    this.position = 0;
    if (this.kind !== 0) this.forget();
    return this;
  }

  /** Steps to the next frame of a known kind; false at the end of the message. Throws `WireError`. */
  next(): boolean {
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
    }
    this.forget();
    return false;
  }

  /** Bytes of the current frame, its size prefix included. */
  get frameBytes(): number {
    return this.frameEnd - this.frameStart;
  }

  private forget(): void {
    this.kind = 0;
    this.headerAt = NOWHERE;
    for (let field = 0; field < this.fieldsFound; field += 1) {
      this.places[field] = 0;
      this.counts[field] = 0;
    }
    this.fieldsFound = 0;
    this.bidCount = 0;
    this.askCount = 0;
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
    const { places, counts } = this;
    // A newer schema may have more of them.
    const fields = Math.min(FIELDS, (vtableBytes - 4) >>> 1);
    for (let field = fields; field < this.fieldsFound; field += 1) {
      places[field] = 0;
      counts[field] = 0;
    }
    this.fieldsFound = fields;
    for (let field = 0; field < fields; field += 1) {
      const offset = view.getUint16(vtable + 4 + field * 2, true);
      if (offset === 0) {
        places[field] = 0;
        counts[field] = 0;
        continue;
      }
      const bytes = FIELD_BYTES[field] as number;
      let place = this.inside(table + offset, bytes < 0 ? 4 : bytes, field);
      if (bytes < 0) {
        const vector = this.inside(place + view.getUint32(place, true), 4, field);
        const count = view.getUint32(vector, true);
        place = this.inside(vector + 4, -bytes * count, field);
        counts[field] = count;
      }
      places[field] = place;
    }
    if (places[Field.header] === 0) throw this.bad('missing_field', 'a header', 'none');
    this.headerAt = places[Field.header] as number;
    this.bidsAt = places[Field.bids] as number;
    this.asksAt = places[Field.asks] as number;
    this.bidCount = counts[Field.bids] as number;
    this.askCount = counts[Field.asks] as number;
    const at = this.headerAt;
    this.epochLow = view.getUint32(at, true);
    this.epochHigh = view.getUint32(at + 4, true);
    this.instrument = view.getUint32(at + 56, true);
    this.kind = view.getUint8(at + 60);
    this.stream = view.getUint8(at + 61);
    this.flags = view.getUint16(at + 62, true);
  }

  private inside(at: number, bytes: number, field: number): number {
    if (at + bytes > this.frameEnd) {
      throw this.bad(
        'bounds',
        `${FIELD_NAMES[field]} inside the frame`,
        `bytes from ${at - this.frameStart} on`,
      );
    }
    return at;
  }

  /** Whether the frame has a field. @internal */
  has(field: number): boolean {
    return this.places[field] !== 0;
  }

  /** Elements of a vector. @internal */
  count(field: number): number {
    return this.counts[field] as number;
  }

  /** Where a field stands, a vector by its first element. Throws `wire.missing_field`. @internal */
  placeOf(field: number): number {
    const place = this.places[field] as number;
    if (place === 0) throw this.bad('missing_field', `a field ${FIELD_NAMES[field]}`, 'none');
    return place;
  }

  /** Where an element of a vector stands. Throws `wire.index`. @internal */
  elementAt(field: number, index: number): number {
    const count = this.counts[field] as number;
    if (!(index >= 0 && index < count)) throw this.noElement(field, index, count);
    return (this.places[field] as number) - index * (FIELD_BYTES[field] as number);
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
    const high = this.view.getInt32(at + 4, true);
    const value = high * 4294967296 + this.view.getUint32(at, true);
    // By the high word alone where that says it, which is nearly always.
    if ((high + 0x1fffff) >>> 0 > 0x3ffffe && !isExact(value)) {
      throw this.unsafe(name, this.view.getBigInt64(at, true));
    }
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

  protected noElement(field: number, index: number, length: number): WireError {
    return new WireError({
      code: 'wire.index',
      what: 'no such element',
      where: `${FIELD_NAMES[field]}`,
      expected: `an index from 0 to ${length - 1}`,
      got: String(index),
      fix: 'stay below the count of the frame',
    });
  }

  private bad(code: string, expected: string, got: string): WireError {
    return new WireError({
      code: `wire.${code}`,
      what: 'these bytes are no feed frame',
      where: `byte ${this.frameStart} of the message`,
      expected,
      got,
      fix: 'pass whole messages of a depthwire.v1 feed, unchanged',
    });
  }
}
