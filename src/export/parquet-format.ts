import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer';
import { VERSION } from '../version.js';
import { type Column, columnarName, SCHEMA_KEY, type Schema } from './columns.js';
import type { RowFormat } from './format.js';
import type { ColumnData, LongData, RowBatch } from './row-batch.js';

/** Parquet: a row group a batch, Snappy, integers by their differences. */
export class ParquetFormat implements RowFormat {
  readonly #bytes = new ByteWriter(1 << 20);
  readonly #writer: ParquetWriter;

  constructor({ name, columns }: Schema) {
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)],
      statistics: false,
      kvMetadata: [{ key: SCHEMA_KEY, value: name }],
      createdBy: `depthwire version ${VERSION}`,
    });
  }

  add({ data, length }: RowBatch): void {
    const columnData = data.map((column) => sourceOf(column, length));
    // Nothing is awaited: its writer is memory.
    void this.#writer.write({ columnData, rowGroupSize: length });
  }

  end(): void {
    void this.#writer.finish();
  }

  drain(): readonly Uint8Array[] {
    const made = this.#bytes.getBytes();
    // What follows is written over it; `offset` goes on counting.
    this.#bytes.index = 0;
    return made.byteLength === 0 ? [] : [made];
  }
}

function elementOf(column: Column): SchemaElement {
  const name = columnarName(column);
  const required = { name, repetition_type: 'REQUIRED' } as const;
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  switch (column.kind) {
    case 'integer':
      return { type: 'INT64', ...(column.isNullable ? optional : required) };
    case 'decimal':
      return { type: 'INT64', ...optional };
    case 'exponent':
      return { type: 'INT32', converted_type: 'INT_8', ...required };
    case 'word':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', ...(column.isNullable ? optional : required) };
    case 'text':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', ...optional };
  }
}

function sourceOf(data: ColumnData, length: number): ColumnSource {
  switch (data.kind) {
    case 'long':
      return longSource(data, length);
    case 'byte': {
      const values = Int32Array.from(data.values.subarray(0, length));
      return { name: data.name, data: values, encoding: 'DELTA_BINARY_PACKED' };
    }
    case 'word': {
      const { name, valid, codes } = data;
      const { words } = data.column;
      const values = new Array<string | null>(length);
      for (let row = 0; row < length; row += 1)
        values[row] = valid[row] === 1 ? (words[codes[row] as number] as string) : null;
      return { name, data: values, encoding: 'RLE_DICTIONARY' };
    }
    case 'text': {
      const values = data.texts.slice(0, length).map((text) => (text === '' ? null : text));
      return { name: data.name, data: values };
    }
  }
}

/**
 * Small numbers as such, which the encoder packs without a BigInt each, by their differences: less than half of the time. Others,
 * which are times, stand in runs: their dictionary is the smallest that they can be, and needs no arithmetic.
 */
function longSource({ name, values, words, valid, isNullable }: LongData, length: number): ColumnSource {
  let isSmall = true;
  let hasNone = false;
  for (let row = 0; row < length; row += 1) {
    if (valid[row] !== 1) hasNone = true;
    else if (words[row * 2 + 1] !== (words[row * 2] as number) >> 31) isSmall = false;
  }
  const encoding = isSmall ? 'DELTA_BINARY_PACKED' : 'RLE_DICTIONARY';
  if (isNullable && hasNone) {
    const given = new Array<number | bigint | null>(length).fill(null);
    let count = 0;
    for (let row = 0; row < length; row += 1) {
      if (valid[row] !== 1) continue;
      given[row] = isSmall ? (words[row * 2] as number) : (values[row] as bigint);
      count += 1;
    }
    // Of no value at all there are no differences.
    return { name, data: given, encoding: count === 0 ? 'PLAIN' : encoding };
  }
  if (!isSmall) return { name, data: values.subarray(0, length), encoding };
  const small = new Int32Array(length);
  for (let row = 0; row < length; row += 1) small[row] = words[row * 2] as number;
  return { name, data: small, encoding };
}
