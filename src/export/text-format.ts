import { formatDecimal } from '../wire/decimal.js';
import type { Schema } from './columns.js';
import type { RowFormat } from './format.js';
import type { ByteData, ColumnData, LongData, RowBatch } from './row-batch.js';

/** Exponent of what is told in 10^-9. */
const E9 = -9;
/** Rows that become one piece of text. */
const PIECE_ROWS = 4096;

/** How a kind of text writes a row. */
interface Style {
  /** What stands before the rows. */
  head(names: readonly string[]): string;
  /** What comes before and behind the values of a row. */
  readonly before: string;
  readonly behind: string;
  /** What stands before a value, its comma included. */
  label(name: string, index: number): string;
  integer(digits: string): string;
  text(text: string): string;
  readonly absent: string;
}

/** Values as they are; text in quotes where it has to be (RFC 4180); nothing where there is no value. */
const CSV: Style = {
  head: (names) => `${names.join(',')}\n`,
  before: '',
  behind: '\n',
  label: (_name, index) => (index === 0 ? '' : ','),
  integer: (digits) => digits,
  text: (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text),
  absent: '',
};

/** An object a line. Numbers are texts, for most readers of JSON round those that have 64 bits. */
const NDJSON: Style = {
  head: () => '',
  before: '{',
  behind: '}\n',
  label: (name, index) => `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
  integer: (digits) => `"${digits}"`,
  text: (text) => JSON.stringify(text),
  absent: 'null',
};

/** Rows as lines of text, with all digits of every number. */
export class TextFormat implements RowFormat {
  readonly #style: Style;
  readonly #encoder = new TextEncoder();
  #made: Uint8Array[] = [];

  constructor({ columns }: Schema, form: 'csv' | 'ndjson') {
    this.#style = form === 'csv' ? CSV : NDJSON;
    const names = columns.filter(({ kind }) => kind !== 'exponent').map(({ name }) => name);
    this.#put(this.#style.head(names));
  }

  add({ data, length }: RowBatch): void {
    const { before, behind } = this.#style;
    const columns = data
      .filter(({ kind }) => kind !== 'byte')
      .map((column, index) => this.#writerOf(column, data, index));
    for (let from = 0; from < length; from += PIECE_ROWS) {
      let piece = '';
      for (let row = from; row < Math.min(length, from + PIECE_ROWS); row += 1) {
        piece += before;
        for (const write of columns) piece += write(row);
        piece += behind;
      }
      this.#put(piece);
    }
  }

  end(): void {}

  drain(): readonly Uint8Array[] {
    const made = this.#made;
    this.#made = [];
    return made;
  }

  #put(text: string): void {
    if (text !== '') this.#made.push(this.#encoder.encode(text));
  }

  /** What writes the value of a row of a column. */
  #writerOf(data: ColumnData, all: readonly ColumnData[], index: number): (row: number) => string {
    const style = this.#style;
    const label = style.label(data.column.name, index);
    const absent = label + style.absent;
    switch (data.kind) {
      case 'long': {
        const { column, values, valid } = data;
        if (column.kind === 'integer')
          return (row) => (valid[row] === 1 ? label + style.integer(String(values[row])) : absent);
        const exponentAt = exponentsOf(data, all);
        return (row) =>
          valid[row] === 1
            ? label + style.integer(formatDecimal(values[row] as bigint, exponentAt(row)))
            : absent;
      }
      case 'number': {
        const { values, exponents, valid } = data;
        return (row) =>
          valid[row] === 1
            ? label + style.integer(formatDecimal(values[row] as bigint, exponents[row] as number))
            : absent;
      }
      case 'word': {
        const texts = data.column.words.map((word) => label + style.text(word));
        return (row) => (data.valid[row] === 1 ? (texts[data.codes[row] ?? 0] ?? absent) : absent);
      }
      case 'text':
        return (row) => {
          const text = data.texts[row] ?? '';
          return text === '' ? absent : label + style.text(text);
        };
      case 'byte':
        return () => '';
    }
  }
}

/** The exponent that the decimals of a column have in a row. */
function exponentsOf({ column }: LongData, all: readonly ColumnData[]): (row: number) => number {
  if (column.kind !== 'decimal' || column.scale === 'e9') return () => E9;
  const found = all.find(
    (data): data is ByteData => data.kind === 'byte' && data.column.scale === column.scale,
  );
  return (row) => found?.values[row] ?? 0;
}
