import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects, snappyUncompress } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { type Column, columnarName, decimal, EXPONENTS, integer, word } from '../src/export/columns.js';
import { ByteSink } from '../src/export/parquet/byte-sink.js';
import { putSnappy } from '../src/export/parquet/snappy.js';
import { ParquetFormat } from '../src/export/parquet-format.js';
import { BATCH_ROWS, RowBatch } from '../src/export/row-batch.js';
import { TextFormat } from '../src/export/text-format.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-parquet-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WORDS = ['bid', 'ask', '', 'Ünï,"code"', ...Array.from({ length: 300 }, (_, at) => `word ${at}`)];
/** One of each kind, with and without absent values. */
const COLUMNS: readonly Column[] = [
  word('instrument', WORDS),
  word('side', WORDS, true),
  integer('time'),
  integer('count', true),
  decimal('price', 'price'),
  decimal('rate', 'e9'),
  { kind: 'text', name: 'id' },
  ...EXPONENTS,
];

/** Of each column a value; null is none. */
type Row = readonly (number | bigint | string | null)[];

/** The rows of a number of batches, each of which is a row group. */
function written(batches: readonly (readonly Row[])[]): {
  readonly parquet: Uint8Array;
  readonly csv: string;
} {
  const schema = { name: 'test/1', columns: COLUMNS };
  const [parquet, csv] = [new ParquetFormat(schema), new TextFormat(schema, 'csv')];
  const made: Uint8Array[] = [];
  const text: Uint8Array[] = [];
  const drain = (): void => {
    for (const bytes of parquet.drain()) made.push(bytes.slice());
    text.push(...csv.drain());
  };
  const batch = new RowBatch(COLUMNS, (full) => {
    parquet.add(full);
    csv.add(full);
    drain();
  });
  for (const rows of batches) {
    for (const values of rows) {
      const row = batch.next();
      for (const [at, data] of batch.data.entries()) put(data, row, values[at] ?? null);
    }
    batch.flush();
  }
  parquet.end();
  drain();
  return { parquet: Buffer.concat(made), csv: Buffer.concat(text).toString() };
}

function put(data: RowBatch['data'][number], row: number, value: Row[number]): void {
  switch (data.kind) {
    case 'long':
      data.valid[row] = value === null ? 0 : 1;
      // What stands where there is no value is of rows before.
      data.values[row] = BigInt(value ?? -77);
      return;
    case 'byte':
      data.values[row] = Number(value);
      return;
    case 'word':
      data.valid[row] = value === null ? 0 : 1;
      data.codes[row] = WORDS.indexOf(String(value ?? 'bid'));
      return;
    case 'text':
      data.texts[row] = String(value ?? '');
  }
}

async function read(bytes: Uint8Array): Promise<readonly Row[]> {
  const file = new Uint8Array(bytes).buffer;
  const rows = (await parquetReadObjects({ file })) as readonly Readonly<Record<string, unknown>>[];
  return rows.map((row) => COLUMNS.map((column) => (row[columnarName(column)] ?? null) as Row[number]));
}

const MOST = (1n << 63n) - 1n;
const LEAST = -(1n << 63n);
const anyLong: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: LEAST, max: MOST }),
  fc.constantFrom(
    LEAST,
    LEAST + 1n,
    -1n,
    0n,
    1n,
    (1n << 32n) - 1n,
    1n << 32n,
    -(1n << 32n),
    1n << 53n,
    MOST - 1n,
    MOST,
  ),
  fc.bigInt({ min: -5n, max: 5n }),
);
/** Rows one by one, and each again and again as those of one event are. */
function anyBatch(words: readonly string[], unit: 'binary' | 'grapheme-ascii'): fc.Arbitrary<readonly Row[]> {
  const row = fc.tuple(
    fc.constantFrom(...words),
    fc.option(fc.constantFrom(...words.slice(0, 20))),
    anyLong,
    fc.option(anyLong),
    fc.option(anyLong),
    fc.option(fc.bigInt({ min: 0n, max: 1n << 40n })),
    fc.option(fc.string({ minLength: 1, maxLength: 300, unit })),
    fc.integer({ min: -128, max: 127 }),
    fc.constantFrom(-2, -3),
  );
  return fc
    .array(fc.tuple(row, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 }))), { maxLength: 60 })
    .map((runs) => runs.flatMap(([values, times]) => Array.from({ length: times }, () => values)));
}

describe('Parquet', () => {
  it('gives a reader the rows that were written, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyBatch(WORDS, 'binary'), { maxLength: 5 }), async (batches) => {
        const { parquet } = written(batches);
        const rows = await read(parquet);
        expect(rows.length).toBe(batches.flat().length);
        expect(rows).toEqual(batches.flat());
      }),
      { numRuns: 150 },
    );
  });

  it('has a row group a batch, and rows without a value at all', async () => {
    const bare: Row = ['bid', null, 0n, null, null, null, null, 0, 0];
    const batches = [[bare], Array.from({ length: 500 }, () => bare), [bare, bare]];
    const { parquet } = written(batches);
    const { row_groups, num_rows } = parquetMetadata(new Uint8Array(parquet).buffer);
    expect([row_groups.map((group) => Number(group.num_rows)), Number(num_rows)]).toEqual([[1, 500, 2], 503]);
    expect(await read(parquet)).toEqual(batches.flat());
  });

  it('of no rows is a file', async () => {
    const { parquet } = written([]);
    expect(await read(parquet)).toEqual([]);
    expect(parquetMetadata(new Uint8Array(parquet).buffer).key_value_metadata).toEqual([
      { key: 'depthwire.schema', value: 'test/1' },
    ]);
  });

  it('holds full batches, of many values and of few', async () => {
    const rows = Array.from({ length: BATCH_ROWS + 3 }, (_, at): Row => {
      const time = 1_700_000_000_000_000_000n + BigInt(at >> 5) * 1_000_003n;
      const price = at % 3 === 0 ? null : BigInt(6_000_000 + ((at * 7919) % 8191));
      const noise = BigInt.asIntN(64, BigInt(at) * 0x9e37_79b9_7f4a_7c15n);
      return [
        WORDS[at % 304] as string,
        WORDS[(at >> 9) % 4] as string,
        time,
        noise,
        price,
        noise >> 20n,
        `${at}`,
        at % 7,
        -3,
      ];
    });
    expect(await read(written([rows]).parquet)).toEqual(rows);
  });

  it('packs bytes so that they can be unpacked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 90 }), fc.integer({ min: 1, max: 2000 })), {
          maxLength: 40,
        }),
        (parts) => {
          const input = Buffer.concat(
            parts.flatMap(([part, times]) => Array.from({ length: times }, () => part)),
          );
          const sink = new ByteSink(16);
          putSnappy(sink, input);
          const output = new Uint8Array(input.byteLength);
          snappyUncompress(sink.written, output);
          expect(Buffer.compare(output, input)).toBe(0);
          expect(sink.length).toBeLessThanOrEqual(32 + input.byteLength + Math.ceil(input.byteLength / 6));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Prints how many rows pyarrow and DuckDB read, all of them as the text has them. */
const PROGRAM = `
import csv, duckdb, pyarrow.parquet as parquet
from decimal import Decimal
names = [f.name for f in parquet.read_schema('rows.parquet')]
arrow = list(zip(*[column.to_pylist() for column in parquet.read_table('rows.parquet').columns]))
duck = duckdb.sql("select * from 'rows.parquet'").fetchall()
assert [tuple(row) for row in duck] == arrow, 'DuckDB and pyarrow differ'
with open('rows.csv', newline='', encoding='utf-8') as file:
    head, *text = csv.reader(file)
assert len(text) == len(arrow), (len(text), len(arrow))
for line, row in zip(text, arrow):
    got = dict(zip(names, row))
    for name, value in zip(head, line):
        if name in got:
            assert ('' if got[name] is None else str(got[name])) == value, (name, got[name], value)
            continue
        is_e9 = name + '_e9' in got
        mantissa = got[name + '_e9'] if is_e9 else got[name + '_mantissa']
        exponent = -9 if is_e9 else got[name + '_exponent']
        if mantissa is None: assert value == '', (name, value)
        else: assert Decimal(value) == Decimal(mantissa).scaleb(exponent), (name, value, mantissa)
print(len(arrow))
`;
const python = async (program: string): Promise<string> =>
  (await promisify(execFile)('python3', ['-c', program], { cwd: folder })).stdout.trim();
/** DuckDB and pyarrow are of who reads, and on few machines that build this. */
const canQuery = await python('import duckdb, pyarrow.parquet').then(
  () => true,
  () => false,
);

describe('Parquet in DuckDB and pyarrow', () => {
  if (canQuery) {
    it('has what the text has', async () => {
      // An empty word is nothing in the text, as none is.
      const batch = anyBatch(
        WORDS.filter((each) => each !== ''),
        'grapheme-ascii',
      );
      const batches = fc.sample(batch, { numRuns: 60, seed: 7 });
      const { parquet, csv } = written(batches);
      writeFileSync(join(folder, 'rows.parquet'), parquet);
      writeFileSync(join(folder, 'rows.csv'), csv);
      expect(await python(PROGRAM)).toBe(String(batches.flat().length));
    }, 60_000);
  } else {
    it('is not run: python3 has no duckdb, pyarrow', async () => {
      await expect(python('import duckdb, pyarrow.parquet')).rejects.toThrow();
    });
  }
});
