import type { ByteSink } from './byte-sink.js';

/** Types of Thrift's compact protocol that Parquet's structs use here. */
const TYPE = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;
const STOP = 0;

/** Writes structs in Thrift's compact protocol: fields in the order of their numbers, each begun by its distance to the one before. */
export class ThriftWriter {
  readonly #sink: ByteSink;
  readonly #encoder = new TextEncoder();
  #last = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** A whole number from 0 on: the sizes, counts and numbers of kinds of Parquet. */
  i32(field: number, value: number): void {
    this.#begin(field, TYPE.i32);
    this.#sink.varint(2 * value);
  }

  i64(field: number, value: number): void {
    this.#begin(field, TYPE.i64);
    this.#sink.varint(2 * value);
  }

  text(field: number, text: string): void {
    this.#begin(field, TYPE.binary);
    this.#binary(text);
  }

  struct(field: number, body: () => void): void {
    this.#begin(field, TYPE.struct);
    this.body(body);
  }

  i32s(field: number, values: readonly number[]): void {
    this.#list(field, TYPE.i32, values.length);
    for (const value of values) this.#sink.varint(2 * value);
  }

  texts(field: number, texts: readonly string[]): void {
    this.#list(field, TYPE.binary, texts.length);
    for (const text of texts) this.#binary(text);
  }

  structs<T>(field: number, items: readonly T[], body: (item: T) => void): void {
    this.#list(field, TYPE.struct, items.length);
    for (const item of items) this.body(() => body(item));
  }

  /** A list whose structs have been written elsewhere. */
  written(field: number, count: number, structs: Uint8Array): void {
    this.#list(field, TYPE.struct, count);
    this.#sink.bytes(structs);
  }

  /** The fields of a struct and its end. */
  body(body: () => void): void {
    const outer = this.#last;
    this.#last = 0;
    body();
    this.#sink.byte(STOP);
    this.#last = outer;
  }

  #begin(field: number, type: number): void {
    this.#sink.byte(((field - this.#last) << 4) | type);
    this.#last = field;
  }

  #list(field: number, type: number, count: number): void {
    this.#begin(field, TYPE.list);
    if (count < 15) {
      this.#sink.byte((count << 4) | type);
    } else {
      this.#sink.byte(0xf0 | type);
      this.#sink.varint(count);
    }
  }

  #binary(text: string): void {
    const bytes = this.#encoder.encode(text);
    this.#sink.varint(bytes.byteLength);
    this.#sink.bytes(bytes);
  }
}
