import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERYTHING_NS, openEngine } from '../src/index.js';
import { decimalText, formatDecimal } from '../src/wire/decimal.js';
import { readArrow } from './support/arrow-file.js';
import { type CommandEnd, endOf } from './support/command.js';
import { dropped, linesOf, placeOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { DATA_FOLDER, hasRecordings, RECORDED, RECORDED_SETS } from './support/recordings.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const SIM = ['--instrument', 'sim:BTCUSDT'];
const TEXT = simulatedRecording('BTCUSDT', 6000);
const LINES = linesOf(TEXT);

type Row = Readonly<Record<string, string | null>>;

let files = 0;
function named(ending: string): string {
  files += 1;
  return join(folder, `${files}${ending}`);
}

function recorded(text: string): string {
  const file = named('.txt');
  writeFileSync(file, text);
  return file;
}

const exportCommand = (...args: readonly string[]): Promise<CommandEnd> => endOf(['export', ...args]);

/** Rows of an export, as texts. */
async function rowsOf(file: string, ...args: readonly string[]): Promise<readonly Row[]> {
  const out = named('.ndjson');
  const { code, err } = await exportCommand(file, ...SIM, '-o', out, ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return ndjson(out);
}

function ndjson(file: string): readonly Row[] {
  return linesOf(readFileSync(file, 'utf8')).map((line) => JSON.parse(line) as Row);
}

/** Levels by price that rows of levels lead to, best first as `levels` sorts them; undefined while they are not exact. */
function bookFrom(rows: readonly Row[]): { readonly bids: string[]; readonly asks: string[] } | undefined {
  const sides = { bid: new Map<string, string>(), ask: new Map<string, string>() };
  let isSynced = false;
  let image = '';
  for (const { event, state, side, price, quantity, epoch, sequence } of rows) {
    isSynced = state === 'synced' && (event !== 'status' || isSynced);
    if (event === 'image' && image !== `${epoch} ${sequence}`) {
      image = `${epoch} ${sequence}`;
      sides.bid.clear();
      sides.ask.clear();
    }
    if (side !== 'bid' && side !== 'ask') continue;
    if (Number(quantity) === 0) sides[side].delete(price ?? '');
    else sides[side].set(price ?? '', quantity ?? '');
  }
  if (!isSynced) return undefined;
  const levels = (side: ReadonlyMap<string, string>, sign: number) =>
    [...side].sort(([a], [b]) => sign * (Number(a) - Number(b))).map(([price, qty]) => `${price} ${qty}`);
  return { bids: levels(sides.bid, -1), asks: levels(sides.ask, 1) };
}

/** The book that the engine itself has at the end. */
function bookOfEngine(text: string) {
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: true, outputBytes: 8 << 20 },
    { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} },
  );
  const id = engine.addInstrument('sim:BTCUSDT');
  const source = engine.openSource('sim', [id]);
  engine.ingestRecording(source, Buffer.from(text), EVERYTHING_NS, true);
  const { priceExponent, qtyExponent } = engine.instrument(id);
  const { bids, asks } = engine.depth(id, 100_000);
  const textsOf = (levels: typeof bids) =>
    levels.map(
      ({ price, qty }) => `${formatDecimal(price, priceExponent)} ${formatDecimal(qty, qtyExponent)}`,
    );
  engine.close();
  return { bids: textsOf(bids), asks: textsOf(asks) };
}

/** A decimal out of the columns of a row of Parquet. */
function decimalIn(row: Readonly<Record<string, unknown>>, column: string, scale: string): string | null {
  const mantissa = row[`${column}_mantissa`] as bigint | null | undefined;
  return mantissa === null || mantissa === undefined
    ? null
    : formatDecimal(mantissa, Number(row[`${scale}_exponent`]));
}

describe('rows', () => {
  it('of levels lead to the book that the engine has', async () => {
    const rows = await rowsOf(recorded(TEXT));
    const book = bookFrom(rows);
    expect(book?.bids.length).toBeGreaterThan(500);
    expect(book).toEqual(bookOfEngine(TEXT));
  });

  it('are the same each time', async () => {
    const file = recorded(TEXT);
    const [first, second] = [named('.csv'), named('.csv')];
    await exportCommand(file, ...SIM, '-o', first);
    await exportCommand(file, ...SIM, '-o', second);
    expect(readFileSync(first)).toEqual(readFileSync(second));
  });

  it('say where a book is not exact, and have no price there', async () => {
    // The venue's own numbers say that one is missing.
    const gapped = dropped(LINES, placeOf(LINES, 'depth', 20));
    const file = recorded(textOf(gapped));
    const levels = await rowsOf(file);
    const lost = levels.findIndex(({ event, state }) => event === 'status' && state === 'stale');
    expect(levels[lost]).toMatchObject({ reason: 'gap', side: null, price: null, quantity: null });
    expect(levels.slice(lost).filter(({ price }) => price !== null)).toEqual([]);
    expect(bookFrom(levels)).toBeUndefined();
    const tops = await rowsOf(file, '--what', 'top');
    expect(tops.at(-1)).toMatchObject({ state: 'stale', reason: 'gap', bid_price: null, ask_price: null });
    const snapshots = await rowsOf(file, '--what', 'top', '--depth', '3', '--interval', '100');
    expect(snapshots.at(-1)).toMatchObject({ state: 'stale', reason: 'gap', side: null, price: null });
    expect(snapshots.some(({ state, price }) => state === 'synced' && price !== null)).toBe(true);
    expect(snapshots.some(({ state, price }) => state !== 'synced' && price !== null)).toBe(false);
  });

  it('of tops are the best of the rows of levels', async () => {
    const file = recorded(TEXT);
    const book = bookFrom(await rowsOf(file));
    const top = (await rowsOf(file, '--what', 'top')).at(-1);
    expect(`${top?.bid_price} ${top?.bid_quantity}`).toBe(book?.bids[0]);
    expect(`${top?.ask_price} ${top?.ask_quantity}`).toBe(book?.asks[0]);
    expect(top).toMatchObject({ state: 'synced', doubt: 'none' });
  });

  it('of snapshots are the book at each multiple of the interval', async () => {
    const file = recorded(TEXT);
    const rows = await rowsOf(file, '--what', 'top', '--depth', '4', '--interval', '500');
    const times = [...new Set(rows.map(({ ts_ns }) => ts_ns ?? ''))];
    expect(times.length).toBeGreaterThan(8);
    expect(times.every((time) => BigInt(time) % 500_000_000n === 0n)).toBe(true);
    const at = times[7] ?? '';
    const until = LINES.filter((line) => BigInt(line.split(' ', 1)[0] ?? '') <= BigInt(at));
    const { bids, asks } = bookOfEngine(textOf(until));
    const shown = (side: string) =>
      rows
        .filter((row) => row.ts_ns === at && row.side === side)
        .map(({ price, quantity }) => `${price} ${quantity}`);
    expect([shown('bid'), shown('ask')]).toEqual([bids.slice(0, 4), asks.slice(0, 4)]);
  });

  it('of trades are all of them', async () => {
    const file = recorded(TEXT);
    const { report } = await verifyCommand(...SIM, file);
    const rows = await rowsOf(file, '--what', 'trades');
    const trades = rows.filter(({ event }) => event === 'trade');
    expect(trades.length).toBe(report.trades);
    expect(trades[0]?.trade_id).toMatch(/^\d+$/);
    expect(trades.every(({ price, aggressor }) => price !== null && aggressor !== 'unknown')).toBe(true);
  });

  it('of a time begin with the book of that time, and end before the other', async () => {
    const file = recorded(TEXT);
    const all = await rowsOf(file);
    const [from, to] = [
      '2023-11-14T22:13:23Z',
      `${BigInt(Date.parse('2023-11-14T22:13:24Z')) * 1_000_000n + 500_000_000n}`,
    ];
    const fromNs = BigInt(Date.parse(from)) * 1_000_000n;
    const part = await rowsOf(file, '--from', from, '--to', to);
    const inside = all.filter(
      ({ ts_received_ns: ns }) => BigInt(ns ?? '') >= fromNs && BigInt(ns ?? '') < BigInt(to),
    );
    const images = part.filter(({ event }) => event === 'image');
    expect(part.slice(images.length)).toEqual(inside.filter(({ event }) => event === 'change'));
    const before = LINES.filter((line) => BigInt(line.split(' ', 1)[0] ?? '') < fromNs);
    expect(bookFrom(images)).toEqual(bookOfEngine(textOf(before)));
  });

  it('of a time at which the book is not exact begin with that', async () => {
    const file = recorded(textOf(dropped(LINES, placeOf(LINES, 'depth', 20))));
    const [first, ...rest] = await rowsOf(file, '--from', '2023-11-14T22:13:24Z');
    expect(first).toMatchObject({ event: 'status', state: 'stale', reason: 'gap', price: null });
    expect(rest.filter(({ state }) => state === 'synced')).toEqual([]);
  });
});

describe('a file', () => {
  const out = { parquet: '', arrow: '', csv: '', ndjson: '' };
  let recording = '';

  beforeAll(async () => {
    recording = recorded(textOf(dropped(LINES, placeOf(LINES, 'depth', 40))));
    for (const form of ['parquet', 'arrow', 'csv', 'ndjson'] as const) {
      out[form] = named(`.${form}`);
      expect(await exportCommand(recording, ...SIM, '-o', out[form])).toMatchObject({ code: 0, err: '' });
    }
  });

  it('of Parquet has the digits of the text, every one, and says its schema', async () => {
    const rows = ndjson(out.ndjson);
    const bytes = readFileSync(out.parquet);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    expect(parquetMetadata(file).key_value_metadata).toEqual([
      { key: 'depthwire.schema', value: 'levels/1' },
    ]);
    const read = (await parquetReadObjects({ file })) as readonly Readonly<Record<string, unknown>>[];
    expect(read.length).toBe(rows.length);
    for (const [index, row] of read.entries()) {
      const expected = rows[index] as Row;
      const text = (name: string) => {
        const value = row[name] as string | bigint | null | undefined;
        return value === null || value === undefined ? null : String(value);
      };
      const found = Object.fromEntries(
        Object.keys(expected).map((name) => [
          name,
          name === 'price' || name === 'quantity' ? decimalIn(row, name, name) : text(name),
        ]),
      );
      if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
    }
  });

  it('of Arrow has them, too', () => {
    const rows = ndjson(out.ndjson);
    const { metadata, columns } = readArrow(readFileSync(out.arrow));
    expect(metadata).toEqual(new Map([['depthwire.schema', 'levels/1']]));
    const column = (name: string) => columns.get(name) ?? [];
    for (const name of ['instrument', 'event', 'state', 'reason', 'side'])
      expect(column(name), name).toEqual(rows.map((row) => row[name]));
    for (const name of ['ts_event_ns', 'ts_received_ns', 'epoch', 'sequence', 'venue_sequence'])
      expect(column(name).map(String), name).toEqual(rows.map((row) => row[name]));
    for (const name of ['price', 'quantity']) {
      const exponents = column(`${name}_exponent`);
      const decimals = column(`${name}_mantissa`).map((mantissa, row) =>
        mantissa === null ? null : formatDecimal(mantissa as bigint, Number(exponents[row])),
      );
      expect(decimals, name).toEqual(rows.map((row) => row[name]));
    }
  });

  it('of CSV has them under the names of the schema', () => {
    const rows = ndjson(out.ndjson);
    const [head, ...lines] = linesOf(readFileSync(out.csv, 'utf8'));
    const names = head?.split(',') ?? [];
    expect(names).toEqual(Object.keys(rows[0] ?? {}));
    expect(lines.length).toBe(rows.length);
    for (const [index, line] of lines.entries()) {
      const values = names.map((name) => rows[index]?.[name] ?? '').join(',');
      if (line !== values) expect(line).toBe(values);
    }
  });

  it('that is there is replaced only when that is said, and then as a whole', async () => {
    const name = named('.csv');
    writeFileSync(name, 'mine');
    const refused = await exportCommand(recording, ...SIM, '-o', name);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('export.exists') as unknown });
    expect(readFileSync(name, 'utf8')).toBe('mine');
    expect((await exportCommand(recording, ...SIM, '-o', name, '--force')).code).toBe(0);
    expect(readFileSync(name)).toEqual(readFileSync(out.csv));
    expect(readdirSync(folder).filter((file) => file.endsWith('.partial'))).toEqual([]);
  });

  // A limit of the process on the size of files stands for a disk that is full.
  it.each(['csv', 'parquet'])(
    'of %s for which there is no room is told, and leaves nothing',
    async (form) => {
      const name = named(`.${form}`);
      const program = `ulimit -f 8; exec '${process.execPath}' '${MAIN}' export '${recording}' ${SIM.join(' ')} -o '${name}'`;
      const full: unknown = await promisify(execFile)('bash', ['-c', program]).catch(
        (error: unknown) => error,
      );
      expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('export.full') as unknown });
      expect(existsSync(name)).toBe(false);
      expect(readdirSync(folder).filter((file) => file.endsWith('.partial'))).toEqual([]);
    },
  );

  it('is not begun for what cannot be understood', async () => {
    const refused = async (code: string, ...args: readonly string[]) => {
      const end = await exportCommand(...args);
      expect(end, code).toMatchObject({ code: 2, err: expect.stringContaining(code) as unknown });
    };
    await refused('export.form', recording, ...SIM, '-o', join(folder, 'rows.xlsx'));
    await refused('export.form', recording, ...SIM, '-o', join(folder, 'rows'));
    const csv = join(folder, 'never.csv');
    await refused('export.snapshots', recording, ...SIM, '-o', csv, '--depth', '5');
    await refused(
      'export.snapshots',
      recording,
      ...SIM,
      '-o',
      csv,
      '--what',
      'trades',
      '--depth',
      '5',
      '--interval',
      '9',
    );
    await refused('Give an integer', recording, ...SIM, '-o', csv, '--depth', '0', '--interval', '9');
    await refused('with its zone', recording, ...SIM, '-o', csv, '--from', 'noon');
    await refused('recording.missing', '/nowhere', '-o', csv);
    const unwritable = await exportCommand(recording, ...SIM, '-o', join(folder, 'no', 'folder.csv'));
    expect(unwritable).toMatchObject({
      code: 1,
      err: expect.stringContaining('export.unwritable') as unknown,
    });
    expect(existsSync(csv)).toBe(false);
  });

  it('is not made of times that the recording has not', async () => {
    // Neither the times of receipt nor those of the venue.
    const messages = LINES.map((line) => line.slice(line.indexOf(' ') + 1).replace(/"T":\d+,/, ''));
    const timeless = recorded(textOf(messages.filter((message) => !message.includes('"E"'))));
    const name = named('.csv');
    const args = [timeless, ...SIM, '-o', name];
    const end = await exportCommand(...args, '--what', 'top', '--depth', '5', '--interval', '100');
    expect(end).toMatchObject({ code: 2, err: expect.stringContaining('export.no_times') as unknown });
    expect(existsSync(name)).toBe(false);
  });

  it('says as JSON what it came to, and fails where the recording is damaged', async () => {
    const name = named('.csv');
    const { code, out: said } = await exportCommand(recording, ...SIM, '-o', name, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(said)).toMatchObject({
      file: name,
      schema: 'levels/1',
      instruments: ['sim:BTCUSDT'],
      recordingErrors: 0,
      rows: linesOf(readFileSync(name, 'utf8')).length - 1,
      bytes: readFileSync(name).length,
    });
    const broken = recorded(textOf([...LINES.slice(0, 200), 'no line', ...LINES.slice(200)]));
    const end = await exportCommand(broken, ...SIM, '-o', named('.csv'));
    expect(end).toMatchObject({ code: 1, out: expect.stringContaining('could not be read') as unknown });
  });
});

describe.skipIf(!hasRecordings)(`recordings of venues ${RECORDED}`, () => {
  it.each(RECORDED_SETS.map((set) => [set.title, set] as const))(
    '%s: the rows of levels are as many as the published level changes, and lead to the published top',
    async (_title, { files: paths }) => {
      const out = named('.ndjson');
      const { report } = await verifyCommand(...paths);
      const { code } = await exportCommand(...paths, '-o', out);
      expect(code).toBe(0);
      const book = bookFrom(ndjson(out));
      const [verified] = report.books;
      expect([book?.bids.length, book?.asks.length]).toEqual([verified?.bids, verified?.asks]);
      expect(shortest(book?.bids[0])).toBe(verified?.bestBid);
      expect(shortest(book?.asks[0])).toBe(verified?.bestAsk);
      rmSync(out);
    },
    60_000,
  );

  it('tell statistics as the venue does', async () => {
    const out = named('.ndjson');
    const file = join(DATA_FOLDER, 'deribit/deribit_options_20210722.jsonl.zst');
    const { code } = await exportCommand(file, '-o', out, '--what', 'tickers');
    expect(code).toBe(0);
    const rows = ndjson(out);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.every(({ delta, mark_iv: iv }) => delta !== null && Number(iv) > 0.1)).toBe(true);
  });
});

/** The price of a level as the shortest decimal. */
function shortest(level: string | undefined): string {
  const [price = ''] = level?.split(' ') ?? [];
  const [whole = '', decimals = ''] = price.split('.');
  return decimalText(BigInt(whole + decimals), -decimals.length);
}
