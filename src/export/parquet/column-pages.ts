import { doublesOf } from '../doubles.js';
import type { ColumnData, LongData, NumberData, TextData, WordData } from '../row-batch.js';
import { BATCH_ROWS } from '../row-batch.js';
import { ByteSink } from './byte-sink.js';
import { DICTIONARY_MAX, LongDictionary } from './dictionary.js';
import { putDifferences } from './differences.js';
import { putRuns, widthOf } from './run-lengths.js';

/** Parquet's numbers of encodings. */
export const ENCODING = { plain: 0, runs: 3, differences: 5, dictionary: 8 } as const;

/** A value in so many rows, at least, pays for a dictionary. */
const ROWS_A_VALUE = 16;
/** The length that stands before the bytes of a text, and before those that say which rows have a value. */
const LENGTH_BYTES = 4;

/**
 * The pages of one column of a row group, as they are before they are packed: a dictionary, where there is one, and the values. One
 * serves all columns, one after the other; its memory is that of the largest.
 */
export class ColumnPages {
  /** How many values the dictionary has; 0 = there is none. */
  dictionarySize = 0;
  /** How the values are encoded. */
  encoding: number = ENCODING.plain;
  readonly dictionary = new ByteSink(1 << 16);
  readonly values = new ByteSink(1 << 20);
  readonly #longs = new LongDictionary(BATCH_ROWS);
  readonly #given = new Int32Array(2 * BATCH_ROWS);
  readonly #places = new Int32Array(BATCH_ROWS);
  readonly #encoder = new TextEncoder();

  take(data: ColumnData, rows: number): void {
    this.dictionary.clear();
    this.values.clear();
    this.dictionarySize = 0;
    switch (data.kind) {
      case 'long':
        this.#takeLongs(data, rows);
        return;
      case 'number':
        this.#takeNumbers(data, rows);
        return;
      case 'byte':
        this.#takeBytes(data.values, rows);
        return;
      case 'word':
        this.#takeWords(data, rows);
        return;
      case 'text':
        this.#takeTexts(data, rows);
        return;
    }
  }

  /**
   * By a dictionary where each value stands in many rows, as times and sequences do, else by differences: what a dictionary costs is
   * less than it spares then.
   */
  #takeLongs({ words, valid, isNullable }: LongData, rows: number): void {
    let given = words;
    let count = rows;
    if (isNullable) {
      this.#putValid(valid, rows);
      count = this.#gather(words, valid, rows);
      given = this.#given;
    }
    if (this.#takeFew(given, count)) return;
    this.encoding = ENCODING.differences;
    putDifferences(this.values, given, count);
  }

  /** Numbers as doubles, of which there are no differences. */
  #takeNumbers(data: NumberData, rows: number): void {
    this.#putValid(data.valid, rows);
    const doubles = new Int32Array(doublesOf(data, rows).buffer);
    const count = this.#gather(doubles, data.valid, rows);
    if (this.#takeFew(this.#given, count)) return;
    this.encoding = ENCODING.plain;
    this.values.bytes(new Uint8Array(this.#given.buffer, 0, count * 8));
  }

  /** A dictionary of what has 64 bits; false where it would not pay. */
  #takeFew(words: Int32Array, count: number): boolean {
    const sizeMax = Math.min(DICTIONARY_MAX, Math.floor(count / ROWS_A_VALUE));
    if (!this.#longs.take(words, count, sizeMax)) return false;
    const { size } = this.#longs;
    this.dictionary.bytes(new Uint8Array(this.#longs.words.buffer, 0, size * 8));
    this.#putPlaces(this.#longs.places, count, size);
    return true;
  }

  /** The values that there are, one behind the other. */
  #gather(words: Int32Array, valid: Uint8Array, rows: number): number {
    const given = this.#given;
    let to = 0;
    for (let row = 0; row < rows; row += 1) {
      if (valid[row] !== 1) continue;
      given[to] = words[row * 2] as number;
      given[to + 1] = words[row * 2 + 1] as number;
      to += 2;
    }
    return to / 2;
  }

  /** Exponents, of which there are at most 256. */
  #takeBytes(values: Int8Array, rows: number): void {
    const known = new Int16Array(0x100).fill(-1);
    const places = this.#places;
    let size = 0;
    for (let row = 0; row < rows; row += 1) {
      const value = values[row] as number;
      let place = known[value & 0xff] as number;
      if (place === -1) {
        place = size;
        size += 1;
        known[value & 0xff] = place;
        this.dictionary.int32(value);
      }
      places[row] = place;
    }
    this.#putPlaces(places, rows, size);
  }

  /** Words that no row has are left out. */
  #takeWords({ column, codes, valid, isNullable }: WordData, rows: number): void {
    if (isNullable) this.#putValid(valid, rows);
    const known = new Int32Array(column.words.length).fill(-1);
    const places = this.#places;
    let size = 0;
    let count = 0;
    for (let row = 0; row < rows; row += 1) {
      if (isNullable && valid[row] !== 1) continue;
      const code = codes[row] as number;
      let place = known[code] as number;
      if (place === -1) {
        place = size;
        size += 1;
        known[code] = place;
        this.#putText(this.dictionary, column.words[code] as string);
      }
      places[count] = place;
      count += 1;
    }
    this.#putPlaces(places, count, size);
  }

  #takeTexts({ texts }: TextData, rows: number): void {
    const valid = new Uint8Array(rows);
    for (let row = 0; row < rows; row += 1) valid[row] = texts[row] === '' ? 0 : 1;
    this.#putValid(valid, rows);
    this.encoding = ENCODING.plain;
    for (let row = 0; row < rows; row += 1)
      if (valid[row] === 1) this.#putText(this.values, texts[row] as string);
  }

  /** Which rows have a value. */
  #putValid(valid: Uint8Array, rows: number): void {
    const { values } = this;
    values.int32(0);
    putRuns(values, valid, rows, 1);
    new DataView(values.written.buffer).setInt32(0, values.length - LENGTH_BYTES, true);
  }

  #putPlaces(places: Int32Array, count: number, size: number): void {
    // Of no value there is no dictionary either.
    this.encoding = size === 0 ? ENCODING.plain : ENCODING.dictionary;
    this.dictionarySize = size;
    if (size === 0) return;
    const width = widthOf(size - 1);
    this.values.byte(width);
    putRuns(this.values, places, count, width);
  }

  #putText(sink: ByteSink, text: string): void {
    const bytes = this.#encoder.encode(text);
    sink.int32(bytes.byteLength);
    sink.bytes(bytes);
  }
}
