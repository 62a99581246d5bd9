import { Builder } from 'flatbuffers';
import { type Column, columnarName, SCHEMA_KEY, type Schema } from './columns.js';
import { doublesOf } from './doubles.js';
import type { RowFormat } from './format.js';
import type { ColumnData, RowBatch } from './row-batch.js';

/** Numbers of Arrow's flatbuffers: Schema.fbs, Message.fbs and File.fbs of format version 1.0 and later. */
const VERSION_V5 = 4;
const HEADER = { schema: 1, dictionaryBatch: 2, recordBatch: 3 } as const;
const TYPE = { int: 2, floatingPoint: 3, utf8: 5 } as const;
const DOUBLE = 2;
const MAGIC = new TextEncoder().encode('ARROW1');
/** Says that no message follows. */
const END_OF_STREAM = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
/** Every buffer and message begins at a multiple of it. */
const ALIGNMENT = 8;

/** Where a message stands in the file. */
interface Block {
  readonly offset: number;
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

/** The body of a batch: of each column how many rows and how many without a value, and its buffers. */
interface Body {
  readonly rows: number;
  readonly nodes: readonly (readonly [rows: number, absent: number])[];
  readonly buffers: readonly Uint8Array[];
}

/**
 * Arrow's file format (Feather version 2), uncompressed: a record batch a batch; columns of words are dictionaries, which stand in
 * front. Its messages are some flatbuffers of a few tables, written here.
 */
export class ArrowFormat implements RowFormat {
  readonly #schema: Schema;
  readonly #dictionaries: Block[] = [];
  readonly #batches: Block[] = [];
  #made: Uint8Array[] = [];
  #offset = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#put(padded(MAGIC));
    this.#message(HEADER.schema, (builder) => schemaTable(builder, schema), []);
    for (const [id, column] of schema.columns.entries()) {
      if (column.kind !== 'word') continue;
      const body = textBody(column.words);
      const block = this.#message(
        HEADER.dictionaryBatch,
        (builder) => {
          const batch = recordBatchTable(builder, body);
          builder.startObject(3);
          builder.addFieldInt64(0, BigInt(id), 0n);
          builder.addFieldOffset(1, batch, 0);
          return builder.endObject();
        },
        body.buffers,
      );
      this.#dictionaries.push(block);
    }
  }

  add({ data, length }: RowBatch): void {
    const parts = data.map((column) => partOf(column, length));
    const body: Body = {
      rows: length,
      nodes: parts.map(({ absent }) => [length, absent]),
      buffers: parts.flatMap(({ buffers }) => buffers),
    };
    this.#batches.push(
      this.#message(HEADER.recordBatch, (builder) => recordBatchTable(builder, body), body.buffers),
    );
  }

  end(): void {
    this.#put(END_OF_STREAM);
    const builder = new Builder(1024);
    const schema = schemaTable(builder, this.#schema);
    const batches = blockVector(builder, this.#batches);
    const dictionaries = blockVector(builder, this.#dictionaries);
    builder.startObject(5);
    builder.addFieldInt16(0, VERSION_V5, 0);
    builder.addFieldOffset(1, schema, 0);
    builder.addFieldOffset(2, dictionaries, 0);
    builder.addFieldOffset(3, batches, 0);
    builder.finish(builder.endObject());
    const footer = builder.asUint8Array();
    this.#put(footer);
    this.#put(int32(footer.byteLength));
    this.#put(MAGIC);
  }

  drain(): readonly Uint8Array[] {
    const made = this.#made;
    this.#made = [];
    return made;
  }

  /** A message: its size, a flatbuffer that describes it, and its buffers. */
  #message(header: number, table: (builder: Builder) => number, buffers: readonly Uint8Array[]): Block {
    const bodyBytes = buffers.reduce((sum, buffer) => sum + aligned(buffer.byteLength), 0);
    const builder = new Builder(1024);
    const inner = table(builder);
    builder.startObject(5);
    builder.addFieldInt16(0, VERSION_V5, 0);
    builder.addFieldInt8(1, header, 0);
    builder.addFieldOffset(2, inner, 0);
    builder.addFieldInt64(3, BigInt(bodyBytes), 0n);
    builder.finish(builder.endObject());
    const metadata = padded(builder.asUint8Array());
    const block = { offset: this.#offset, metadataBytes: ALIGNMENT + metadata.byteLength, bodyBytes };
    this.#put(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    this.#put(int32(metadata.byteLength));
    this.#put(metadata);
    for (const buffer of buffers) this.#put(padded(buffer));
    return block;
  }

  #put(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#made.push(bytes);
    this.#offset += bytes.byteLength;
  }
}

function schemaTable(builder: Builder, { name, columns }: Schema): number {
  const fields = columns.map((column, id) => fieldTable(builder, column, id));
  const key = builder.createString(SCHEMA_KEY);
  const value = builder.createString(name);
  builder.startObject(2);
  builder.addFieldOffset(0, key, 0);
  builder.addFieldOffset(1, value, 0);
  const metadata = offsetVector(builder, [builder.endObject()]);
  const vector = offsetVector(builder, fields);
  builder.startObject(4);
  builder.addFieldOffset(1, vector, 0);
  builder.addFieldOffset(2, metadata, 0);
  return builder.endObject();
}

function fieldTable(builder: Builder, column: Column, id: number): number {
  const name = builder.createString(columnarName(column));
  const [kind, type] = typeOf(builder, column);
  const children = offsetVector(builder, []);
  let dictionary = 0;
  if (column.kind === 'word') {
    const indexes = intTable(builder, 16);
    builder.startObject(4);
    builder.addFieldInt64(0, BigInt(id), 0n);
    builder.addFieldOffset(1, indexes, 0);
    dictionary = builder.endObject();
  }
  builder.startObject(7);
  builder.addFieldOffset(0, name, 0);
  builder.addFieldInt8(1, 1, 0);
  builder.addFieldInt8(2, kind, 0);
  builder.addFieldOffset(3, type, 0);
  builder.addFieldOffset(4, dictionary, 0);
  builder.addFieldOffset(5, children, 0);
  return builder.endObject();
}

function typeOf(builder: Builder, { kind }: Column): readonly [kind: number, table: number] {
  switch (kind) {
    case 'integer':
    case 'decimal':
      return [TYPE.int, intTable(builder, 64)];
    case 'exponent':
      return [TYPE.int, intTable(builder, 8)];
    case 'number':
      builder.startObject(1);
      builder.addFieldInt16(0, DOUBLE, 0);
      return [TYPE.floatingPoint, builder.endObject()];
    case 'word':
    case 'text':
      return [TYPE.utf8, emptyTable(builder)];
  }
}

function emptyTable(builder: Builder): number {
  builder.startObject(0);
  return builder.endObject();
}

/** A signed integer. */
function intTable(builder: Builder, bits: number): number {
  builder.startObject(2);
  builder.addFieldInt32(0, bits, 0);
  builder.addFieldInt8(1, 1, 0);
  return builder.endObject();
}

function recordBatchTable(builder: Builder, { rows, nodes, buffers }: Body): number {
  let end = buffers.reduce((sum, buffer) => sum + aligned(buffer.byteLength), 0);
  builder.startVector(16, buffers.length, 8);
  for (const buffer of buffers.toReversed()) {
    end -= aligned(buffer.byteLength);
    builder.writeInt64(BigInt(buffer.byteLength));
    builder.writeInt64(BigInt(end));
  }
  const places = builder.endVector();
  builder.startVector(16, nodes.length, 8);
  for (const [length, absent] of nodes.toReversed()) {
    builder.writeInt64(BigInt(absent));
    builder.writeInt64(BigInt(length));
  }
  const lengths = builder.endVector();
  builder.startObject(4);
  builder.addFieldInt64(0, BigInt(rows), 0n);
  builder.addFieldOffset(1, lengths, 0);
  builder.addFieldOffset(2, places, 0);
  return builder.endObject();
}

function blockVector(builder: Builder, blocks: readonly Block[]): number {
  builder.startVector(24, blocks.length, 8);
  for (const { offset, metadataBytes, bodyBytes } of blocks.toReversed()) {
    builder.writeInt64(BigInt(bodyBytes));
    builder.writeInt32(0);
    builder.writeInt32(metadataBytes);
    builder.writeInt64(BigInt(offset));
  }
  return builder.endVector();
}

function offsetVector(builder: Builder, offsets: readonly number[]): number {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

/** The buffers of a column: which rows have a value, then the values. They are copies: a batch is filled anew. */
function partOf(
  data: ColumnData,
  length: number,
): { readonly absent: number; readonly buffers: readonly Uint8Array[] } {
  switch (data.kind) {
    case 'long': {
      const { absent, bits } = validity(data.valid, length, data.isNullable);
      return { absent, buffers: [bits, copyOf(data.values.subarray(0, length))] };
    }
    case 'number': {
      const { absent, bits } = validity(data.valid, length, true);
      return { absent, buffers: [bits, new Uint8Array(doublesOf(data, length).buffer)] };
    }
    case 'byte':
      return { absent: 0, buffers: [new Uint8Array(), copyOf(data.values.subarray(0, length))] };
    case 'word': {
      const { absent, bits } = validity(data.valid, length, data.isNullable);
      return { absent, buffers: [bits, copyOf(data.codes.subarray(0, length))] };
    }
    case 'text': {
      const texts = data.texts.slice(0, length);
      const { absent, bits } = validity(
        Uint8Array.from(texts, (text) => (text === '' ? 0 : 1)),
        length,
        true,
      );
      return { absent, buffers: [bits, ...textBuffers(texts)] };
    }
  }
}

/** A bit a row, the lowest first; none where every row has a value. */
function validity(
  valid: Uint8Array,
  length: number,
  isNullable: boolean,
): { readonly absent: number; readonly bits: Uint8Array } {
  if (!isNullable || !valid.subarray(0, length).includes(0)) return { absent: 0, bits: new Uint8Array() };
  const bits = new Uint8Array((length + 7) >> 3);
  let absent = 0;
  for (let row = 0; row < length; row += 1) {
    if (valid[row] === 1) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
    else absent += 1;
  }
  return { absent, bits };
}

function textBody(texts: readonly string[]): Body {
  return {
    rows: texts.length,
    nodes: [[texts.length, 0]],
    buffers: [new Uint8Array(), ...textBuffers(texts)],
  };
}

/** Where each text begins, and all their bytes. */
function textBuffers(texts: readonly string[]): readonly Uint8Array[] {
  const encoder = new TextEncoder();
  const encoded = texts.map((text) => encoder.encode(text));
  const offsets = new Int32Array(texts.length + 1);
  for (const [index, { byteLength }] of encoded.entries())
    offsets[index + 1] = (offsets[index] as number) + byteLength;
  return [new Uint8Array(offsets.buffer), new Uint8Array(Buffer.concat(encoded))];
}

function copyOf(values: BigInt64Array | Int8Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength % ALIGNMENT === 0) return bytes;
  const all = new Uint8Array(aligned(bytes.byteLength));
  all.set(bytes);
  return all;
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
