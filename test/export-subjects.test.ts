import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { EVERYTHING_NS, openEngine } from '../src/index.js';
import { formatDecimal } from '../src/wire/decimal.js';
import { FrameReader } from '../src/wire/frame.js';
import { SignalRows } from '../src/wire/frame-computed.js';
import { SIGNAL_NAMES } from '../src/wire/generated/constants.js';
import { readArrow } from './support/arrow-file.js';
import { type CommandEnd, endOf } from './support/command.js';
import { dropped, kindOf, linesOf, placeOf, textOf } from './support/damage.js';
import { ItchMarket } from './support/itch-bytes.js';
import { simulatedRecording } from './support/recording.js';
import { DATA_FOLDER, hasRecordings, RECORDED } from './support/recordings.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-export-subjects-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIM = ['--instrument', 'sim:BTCUSDT'];
const LINES = linesOf(simulatedRecording('BTCUSDT', 6000));
const NAMES = SIGNAL_NAMES.filter((name) => name !== 'none');

type Row = Readonly<Record<string, string | null>>;

let files = 0;
function named(ending: string): string {
  files += 1;
  return join(folder, `${files}${ending}`);
}

function recorded(bytes: string | Uint8Array): string {
  const file = named('.bin');
  writeFileSync(file, bytes);
  return file;
}

const exportCommand = (...args: readonly string[]): Promise<CommandEnd> => endOf(['export', ...args]);

async function rowsOf(file: string, ...args: readonly string[]): Promise<readonly Row[]> {
  const out = named('.ndjson');
  expect(await exportCommand(file, '-o', out, ...args)).toMatchObject({ code: 0, err: '' });
  return linesOf(readFileSync(out, 'utf8')).map((line) => JSON.parse(line) as Row);
}

async function refused(code: string, ...args: readonly string[]): Promise<void> {
  const out = named('.csv');
  const end = await exportCommand(...args, '-o', out);
  expect(end, code).toMatchObject({ code: 2, err: expect.stringContaining(code) as unknown });
  expect(() => readFileSync(out)).toThrow();
}

/** Each frame of signals of two seconds that the engine puts out, as the texts of those that have a value. */
function signalsOfEngine(text: string): readonly Row[] {
  const told: Row[] = [];
  const frame = new FrameReader();
  let stream = -1;
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: true, outputBytes: 8 << 20 },
    {
      onFrame(_instrument, of, bytes) {
        if (of !== stream) return;
        frame.reset(bytes);
        while (frame.next()) {
          const rows = new SignalRows(frame);
          const values = Array.from({ length: rows.count }, (_, at) => [
            SIGNAL_NAMES[rows.id(at)] ?? '',
            formatDecimal(rows.value(at), rows.exponent(at)),
          ]);
          told.push({ sequence: String(frame.seq), ...Object.fromEntries(values) } as Row);
        }
      },
      onAsk() {},
      onSay() {},
      onFault() {},
    },
  );
  const { id = 0, qtyExponent = 0 } = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT') ?? {};
  const source = engine.openSource('sim', [id]);
  stream = engine.openSignals(id, 0, { windowMs: 2000, vpinVolume: 10n ** BigInt(-qtyExponent - 3) });
  engine.ingestRecording(source, Buffer.from(text), EVERYTHING_NS, true);
  engine.close();
  return told;
}

const valuesOf = (row: Row): readonly (string | null)[] => NAMES.map((name) => row[name] ?? null);

describe('rows of signals', () => {
  const text = textOf(LINES);
  const args = [...SIM, '--what', 'signals', '--window', '2', '--vpin-volume', '0.001'];

  it('are what the engine tells after each event', async () => {
    const rows = await rowsOf(recorded(text), ...args);
    const told = signalsOfEngine(text);
    expect(told.length).toBeGreaterThan(80);
    const synced = rows.filter(({ state }) => state === 'synced');
    expect(synced.map(({ sequence }) => sequence)).toEqual(told.map(({ sequence }) => sequence));
    expect(synced.map(valuesOf)).toEqual(told.map(valuesOf));
    const last = synced.at(-1) as Row;
    expect(NAMES.filter((name) => last[name] === null)).not.toContain('vpin');
    expect(last).toMatchObject({ partial: '0', reason: 'none' });
    // What is of a window covers less than all of it at first.
    expect(Number(synced[5]?.partial)).toBeGreaterThan(0);
  });

  it('are the nearest doubles in Parquet and Arrow', async () => {
    const file = recorded(text);
    const rows = await rowsOf(file, ...args);
    const [parquet, arrow] = [named('.parquet'), named('.arrow')];
    for (const out of [parquet, arrow]) expect((await exportCommand(file, ...args, '-o', out)).code).toBe(0);
    const numbers = rows.map((row) => NAMES.map((name) => (row[name] === null ? null : Number(row[name]))));
    const read = (await parquetReadObjects({
      file: new Uint8Array(readFileSync(parquet)).buffer,
    })) as readonly Readonly<Record<string, number | null>>[];
    expect(read.map((row) => NAMES.map((name) => row[name] ?? null))).toEqual(numbers);
    const { columns, metadata } = readArrow(readFileSync(arrow));
    expect(metadata.get('depthwire.schema')).toBe('signals/1');
    for (const [at, name] of NAMES.entries())
      expect(columns.get(name), name).toEqual(numbers.map((row) => row[at]));
  });

  it('have no value where the book is not exact', async () => {
    const rows = await rowsOf(recorded(textOf(dropped(LINES, placeOf(LINES, 'depth', 20)))), ...args);
    expect(rows.at(-1)).toMatchObject({ state: 'stale', reason: 'gap', mid: null, cvd: null, partial: '0' });
    for (const row of rows.filter(({ state }) => state !== 'synced'))
      expect(valuesOf(row)).toEqual(NAMES.map(() => null));
  });

  it('at an interval are those that were told last', async () => {
    const file = recorded(text);
    const events = await rowsOf(file, ...args);
    const rows = await rowsOf(file, ...args, '--interval', '250');
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      const ns = BigInt(row.ts_ns ?? '');
      expect(ns % 250_000_000n).toBe(0n);
      const at = events.findIndex(({ sequence }) => sequence === row.sequence);
      expect(valuesOf(row)).toEqual(valuesOf(events[at] as Row));
      expect(BigInt(events[at]?.ts_ns ?? '')).toBeLessThanOrEqual(ns);
      // Trades without a change of the book are told by the engine's next tick.
      const next = events[at + 1];
      if (next !== undefined) expect(BigInt(next.ts_ns ?? '') + 100_000_000n).toBeGreaterThan(ns);
    }
  });

  it('of a time begin with those of that time, of windows that began before it', async () => {
    const file = recorded(text);
    const all = await rowsOf(file, ...args);
    const part = await rowsOf(file, ...args, '--from', '2023-11-14T22:13:24Z');
    const fromNs = BigInt(Date.parse('2023-11-14T22:13:24Z')) * 1_000_000n;
    const inside = all.filter(({ ts_received_ns: ns }) => BigInt(ns ?? '') >= fromNs);
    expect(part.length).toBeGreaterThan(10);
    expect(part.slice(1).map(valuesOf)).toEqual(inside.map(valuesOf));
    expect(valuesOf(part[0] as Row)).toEqual(valuesOf(all[all.length - inside.length - 1] as Row));
  });

  it('are not begun for parameters that are not possible', async () => {
    const file = recorded(text);
    await refused('Give an integer from 1 to 3600', file, ...SIM, '--what', 'signals', '--window', '0');
    await refused('Give an integer from 1 to 3600', file, ...SIM, '--what', 'signals', '--window', '3601');
    await refused('Give a decimal', file, ...SIM, '--what', 'signals', '--vpin-volume', '-5');
    for (const volume of ['0', '0.00000000000000001', '99999999999999999'])
      await refused('export.signals', file, ...SIM, '--what', 'signals', '--vpin-volume', volume);
    await refused('export.signals', file, ...SIM, '--what', 'trades', '--window', '5');
    await refused('export.snapshots', file, ...SIM, '--what', 'signals', '--depth', '5', '--interval', '9');
  });
});

interface Resting {
  readonly side: string;
  readonly price: string;
  readonly quantity: string;
}

/** The orders that rows lead to, by instrument and name. */
function restingAfter(rows: readonly Row[]): ReadonlyMap<string, Resting> {
  const orders = new Map<string, Resting>();
  let image = '';
  for (const row of rows) {
    const { instrument, event, action, side, price, quantity, order_id: id, epoch, sequence } = row;
    if (event === 'image' && image !== `${instrument} ${epoch} ${sequence}`) {
      image = `${instrument} ${epoch} ${sequence}`;
      for (const key of orders.keys()) if (key.startsWith(`${instrument} `)) orders.delete(key);
    }
    const key = `${instrument} ${id}`;
    if (action === 'remove') {
      expect(orders.delete(key), key).toBe(true);
    } else if (action !== null && action !== 'clear') {
      expect(orders.has(key), key).toBe(action !== 'add');
      orders.set(key, { side: side ?? '', price: price ?? '', quantity: quantity ?? '' });
    }
  }
  return orders;
}

describe('rows of orders', () => {
  const STOCKS = ['ABCD', 'ZVZZT'];
  const market = new ItchMarket(STOCKS, 3_000, 5);

  it('lead to the book of the venue, order by order', async () => {
    const rows = await rowsOf(recorded(market.file), '--what', 'orders');
    expect(new Set(rows.map(({ action }) => action))).toContain('remove');
    const resting = restingAfter(rows);
    for (const [index, stock] of STOCKS.entries()) {
      for (const [side, letter] of [
        ['bid', 'B'],
        ['ask', 'S'],
      ] as const) {
        const levels = new Map<string, bigint>();
        for (const [key, order] of resting) {
          if (!key.startsWith(`nasdaq:${stock} `) || order.side !== side) continue;
          levels.set(order.price, (levels.get(order.price) ?? 0n) + BigInt(order.quantity));
        }
        const sums = [...levels].map(([price, quantity]) => [price, String(quantity)]).sort();
        const oracle = market
          .levels(index + 1, letter)
          .map(([price, shares]) => [formatDecimal(price, -4), String(shares)]);
        expect(sums).toEqual(oracle.sort());
      }
    }
  });

  it('are refused of a venue that names none', async () => {
    await refused('export.no_orders', recorded(textOf(LINES)), ...SIM, '--what', 'orders');
  });
});

describe('rows of liquidations', () => {
  it('are the positions that were closed by force, and nothing else', async () => {
    const order = {
      s: 'BTCUSDT',
      S: 'SELL',
      q: '0.014',
      p: '9910.5',
      ap: '9910.5',
      X: 'FILLED',
      l: '0.014',
      z: '0.014',
      T: 1_700_000_000_123,
    };
    const data = { e: 'forceOrder', E: 1_700_000_000_124, o: order };
    const line = `1700000000200000000 ${JSON.stringify({ stream: 'btcusdt@forceOrder', data })}`;
    const args = ['--instrument', 'binance-usdm:BTCUSDT', '--what'];
    const file = recorded(textOf([line]));
    const rows = await rowsOf(file, ...args, 'liquidations');
    expect(rows).toMatchObject([
      { event: 'liquidation', aggressor: 'sell', trade_time_ns: '1700000000123000000', trade_id: null },
    ]);
    expect([Number(rows[0]?.price), Number(rows[0]?.quantity)]).toEqual([9910.5, 0.014]);
    expect(await rowsOf(file, ...args, 'trades')).toEqual([]);
  });
});

describe('rows of trades', () => {
  const args = [...SIM, '--what', 'trades'];

  it('are told without a book, too', async () => {
    const trades = LINES.filter((line) => kindOf(line) === 'trade');
    const rows = await rowsOf(recorded(textOf(trades)), ...args);
    expect(rows.map(({ event }) => event)).toEqual(trades.map(() => 'trade'));
  });

  it('of a time begin with the first trade of that time', async () => {
    const file = recorded(textOf(LINES));
    const from = '2023-11-14T22:13:23Z';
    const fromNs = BigInt(Date.parse(from)) * 1_000_000n;
    const all = await rowsOf(file, ...args);
    const part = await rowsOf(file, ...args, '--from', from);
    expect(part.length).toBeGreaterThan(10);
    expect(part).toEqual(all.filter(({ ts_received_ns: ns }) => BigInt(ns ?? '') >= fromNs));
  });
});

describe.skipIf(!hasRecordings)(`recordings of venues ${RECORDED}`, () => {
  it('tell each order with its name', async () => {
    const file = join(DATA_FOLDER, 'bitfinex/bitfinex_raw_l3_202103.json.zst');
    const rows = await rowsOf(file, '--what', 'orders');
    const changes = rows.filter(({ event }) => event !== 'status');
    expect(changes.length).toBeGreaterThan(50_000);
    expect(changes.every(({ order_id: id }) => id !== null)).toBe(true);
    expect(restingAfter(rows).size).toBeGreaterThan(20);
  }, 60_000);
});
