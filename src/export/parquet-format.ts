import { VERSION } from '../version.js';
import { type Column, columnarName, SCHEMA_KEY, type Schema } from './columns.js';
import type { RowFormat } from './format.js';
import { ByteSink } from './parquet/byte-sink.js';
import { ColumnPages, ENCODING } from './parquet/column-pages.js';
import { putSnappy } from './parquet/snappy.js';
import { ThriftWriter } from './parquet/thrift.js';
import type { RowBatch } from './row-batch.js';

/** Numbers of parquet.thrift, of format version 2.9. */
const TYPE = { int32: 1, int64: 2, double: 5, byteArray: 6 } as const;
const REPETITION = { required: 0, optional: 1 } as const;
const CONVERTED = { utf8: 0, int8: 15 } as const;
const PAGE = { data: 0, dictionary: 2 } as const;
const SNAPPY = 1;
const FORMAT_VERSION = 2;
const MAGIC = new TextEncoder().encode('PAR1');

/** How a column is stored, and what it stands for where that is another thing. */
interface Storage {
  readonly name: string;
  readonly type: number;
  readonly converted: number | undefined;
  readonly isOptional: boolean;
}

/**
 * Parquet: a row group a batch, of each column a dictionary or none and one page of values, Snappy. The footer waits in memory: some
 * hundred bytes a column of each row group.
 */
export class ParquetFormat implements RowFormat {
  readonly #schema: Schema;
  readonly #columns: readonly Storage[];
  readonly #out = new ByteSink(1 << 20);
  readonly #pages = new ColumnPages();
  readonly #packed = new ByteSink(1 << 20);
  readonly #groups = new ByteSink(1 << 12);
  #groupCount = 0;
  #rows = 0;
  /** Bytes that have been drained. */
  #offset = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#columns = schema.columns.map(storageOf);
    this.#out.bytes(MAGIC);
  }

  add({ data, length }: RowBatch): void {
    const groups = new ThriftWriter(this.#groups);
    let bytes = 0;
    groups.body(() => {
      groups.structs(1, data, (column) => {
        const storage = this.#columns[data.indexOf(column)] as Storage;
        this.#pages.take(column, length);
        bytes += this.#chunk(groups, storage, length);
      });
      groups.i64(2, bytes);
      groups.i64(3, length);
    });
    this.#groupCount += 1;
    this.#rows += length;
  }

  end(): void {
    const from = this.#out.length;
    const footer = new ThriftWriter(this.#out);
    footer.body(() => {
      footer.i32(1, FORMAT_VERSION);
      footer.structs(2, [undefined, ...this.#columns], (storage) => this.#element(footer, storage));
      footer.i64(3, this.#rows);
      footer.written(4, this.#groupCount, this.#groups.written);
      footer.structs(5, [this.#schema.name], (name) => {
        footer.text(1, SCHEMA_KEY);
        footer.text(2, name);
      });
      footer.text(6, `depthwire version ${VERSION}`);
    });
    this.#out.int32(this.#out.length - from);
    this.#out.bytes(MAGIC);
  }

  drain(): readonly Uint8Array[] {
    const made = this.#out.written;
    this.#offset += made.byteLength;
    this.#out.clear();
    return made.byteLength === 0 ? [] : [made];
  }

  /** Writes the pages of a column and what the footer says of them; returns their bytes before they were packed. */
  #chunk(groups: ThriftWriter, { name, type }: Storage, rows: number): number {
    const { dictionary, dictionarySize, values, encoding } = this.#pages;
    const from = this.#offset + this.#out.length;
    let unpacked = 0;
    if (dictionarySize > 0) {
      unpacked += this.#page(PAGE.dictionary, dictionary.written, (header) => {
        header.struct(7, () => {
          header.i32(1, dictionarySize);
          header.i32(2, ENCODING.plain);
        });
      });
    }
    const valuesFrom = this.#offset + this.#out.length;
    unpacked += this.#page(PAGE.data, values.written, (header) => {
      header.struct(5, () => {
        header.i32(1, rows);
        header.i32(2, encoding);
        header.i32(3, ENCODING.runs);
        header.i32(4, ENCODING.runs);
      });
    });
    groups.i64(2, from);
    groups.struct(3, () => {
      groups.i32(1, type);
      groups.i32s(
        2,
        dictionarySize > 0 ? [ENCODING.plain, ENCODING.runs, encoding] : [ENCODING.runs, encoding],
      );
      groups.texts(3, [name]);
      groups.i32(4, SNAPPY);
      groups.i64(5, rows);
      groups.i64(6, unpacked);
      groups.i64(7, this.#offset + this.#out.length - from);
      groups.i64(9, valuesFrom);
      if (dictionarySize > 0) groups.i64(11, from);
    });
    return unpacked;
  }

  #page(kind: number, bytes: Uint8Array, describe: (header: ThriftWriter) => void): number {
    this.#packed.clear();
    putSnappy(this.#packed, bytes);
    const from = this.#out.length;
    const header = new ThriftWriter(this.#out);
    header.body(() => {
      header.i32(1, kind);
      header.i32(2, bytes.byteLength);
      header.i32(3, this.#packed.length);
      describe(header);
    });
    const headerBytes = this.#out.length - from;
    this.#out.bytes(this.#packed.written);
    return headerBytes + bytes.byteLength;
  }

  /** An element of the schema; the first is the whole of them. */
  #element(footer: ThriftWriter, storage: Storage | undefined): void {
    if (storage === undefined) {
      footer.text(4, 'root');
      footer.i32(5, this.#columns.length);
      return;
    }
    const { name, type, converted, isOptional } = storage;
    footer.i32(1, type);
    footer.i32(3, isOptional ? REPETITION.optional : REPETITION.required);
    footer.text(4, name);
    if (converted !== undefined) footer.i32(6, converted);
  }
}

function storageOf(column: Column): Storage {
  const name = columnarName(column);
  switch (column.kind) {
    case 'integer':
      return { name, type: TYPE.int64, converted: undefined, isOptional: column.isNullable };
    case 'decimal':
      return { name, type: TYPE.int64, converted: undefined, isOptional: true };
    case 'number':
      return { name, type: TYPE.double, converted: undefined, isOptional: true };
    case 'exponent':
      return { name, type: TYPE.int32, converted: CONVERTED.int8, isOptional: false };
    case 'word':
      return { name, type: TYPE.byteArray, converted: CONVERTED.utf8, isOptional: column.isNullable };
    case 'text':
      return { name, type: TYPE.byteArray, converted: CONVERTED.utf8, isOptional: true };
  }
}
