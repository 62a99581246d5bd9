import { type Column, columnarName } from './columns.js';

/** Rows of a batch: a row group of Parquet, a record batch of Arrow. */
export const BATCH_ROWS = 1 << 17;

/** 64-bit integers and decimals; `words` is the same memory, the low word of each first. */
export interface LongData {
  readonly kind: 'long';
  readonly column: Column & { readonly kind: 'integer' | 'decimal' };
  readonly name: string;
  readonly values: BigInt64Array;
  readonly words: Int32Array;
  /** 1 = there is a value. */
  readonly valid: Uint8Array;
  readonly isNullable: boolean;
}

/** Numbers, by their mantissas and exponents. */
export interface NumberData {
  readonly kind: 'number';
  readonly column: Column & { readonly kind: 'number' };
  readonly name: string;
  readonly values: BigInt64Array;
  readonly words: Int32Array;
  readonly exponents: Int8Array;
  /** 1 = there is a number. */
  readonly valid: Uint8Array;
}

/** Exponents. */
export interface ByteData {
  readonly kind: 'byte';
  readonly column: Column & { readonly kind: 'exponent' };
  readonly name: string;
  readonly values: Int8Array;
}

/** Words by their places among the column's. */
export interface WordData {
  readonly kind: 'word';
  readonly column: Column & { readonly kind: 'word' };
  readonly name: string;
  readonly codes: Uint16Array;
  /** 1 = there is a word. */
  readonly valid: Uint8Array;
  readonly isNullable: boolean;
}

/** Texts; an empty one is none. */
export interface TextData {
  readonly kind: 'text';
  readonly column: Column & { readonly kind: 'text' };
  readonly name: string;
  readonly texts: string[];
}

export type ColumnData = LongData | NumberData | ByteData | WordData | TextData;

/** What takes full batches. It must be done with one when it returns: its memory is filled anew. */
export type BatchTaker = (batch: RowBatch) => void;

/**
 * Rows by columns, filled row by row: `next` gives the index of a new row, whose values all have to be set. Full batches go to the
 * taker. Nothing is allocated a row, texts excepted.
 */
export class RowBatch {
  readonly data: readonly ColumnData[];
  /** Rows that are filled. */
  length = 0;
  /** Rows of all batches. */
  rows = 0;
  readonly #take: BatchTaker;

  constructor(columns: readonly Column[], take: BatchTaker) {
    this.data = columns.map(dataOf);
    this.#take = take;
  }

  /** The index of a new row. */
  next(): number {
    if (this.length === BATCH_ROWS) this.flush();
    this.rows += 1;
    return this.length++;
  }

  /** Hands over what is there. */
  flush(): void {
    if (this.length === 0) return;
    this.#take(this);
    this.length = 0;
  }

  /** The integers or decimals of that column. */
  longs(name: string): LongData {
    return this.#find(name, 'long') as LongData;
  }
  numbers(name: string): NumberData {
    return this.#find(name, 'number') as NumberData;
  }
  bytes(name: string): ByteData {
    return this.#find(name, 'byte') as ByteData;
  }
  words(name: string): WordData {
    return this.#find(name, 'word') as WordData;
  }
  texts(name: string): TextData {
    return this.#find(name, 'text') as TextData;
  }

  #find(name: string, kind: ColumnData['kind']): ColumnData {
    const found = this.data.find((data) => data.column.name === name && data.kind === kind);
    if (found === undefined) throw new Error(`no column ${name} of ${kind}s`);
    return found;
  }
}

function dataOf(column: Column): ColumnData {
  const name = columnarName(column);
  switch (column.kind) {
    case 'integer':
    case 'decimal': {
      const values = new BigInt64Array(BATCH_ROWS);
      const isNullable = column.kind === 'decimal' || column.isNullable;
      const valid = new Uint8Array(BATCH_ROWS).fill(1);
      return { kind: 'long', column, name, values, words: new Int32Array(values.buffer), valid, isNullable };
    }
    case 'number': {
      const values = new BigInt64Array(BATCH_ROWS);
      const exponents = new Int8Array(BATCH_ROWS);
      const valid = new Uint8Array(BATCH_ROWS);
      return { kind: 'number', column, name, values, words: new Int32Array(values.buffer), exponents, valid };
    }
    case 'exponent':
      return { kind: 'byte', column, name, values: new Int8Array(BATCH_ROWS) };
    case 'word': {
      const valid = new Uint8Array(BATCH_ROWS).fill(1);
      const { isNullable } = column;
      return { kind: 'word', column, name, codes: new Uint16Array(BATCH_ROWS), valid, isNullable };
    }
    case 'text':
      return { kind: 'text', column, name, texts: new Array<string>(BATCH_ROWS).fill('') };
  }
}
