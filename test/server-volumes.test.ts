import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type Serving, startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { channel, connect, type Trade, type Volume } from '../src/wire/index.js';
import { simulatedRecording } from './support/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-volumes-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'sim:BTCUSDT';
const path = join(folder, 'recording');
writeFileSync(path, simulatedRecording('BTCUSDT', 20_000));

function serving(gateways: number, volumes: readonly string[] = []): Promise<Serving> {
  const config = configFrom({
    server: { port: 0, drainMs: 300, gateways },
    instruments: [{ name: NAME }],
    replay: { files: [path], speed: 20 },
    engine: { volumes: [...volumes] },
  });
  return startServing(config, new Map(), (line) => {
    throw new Error(line);
  });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 20_000; !condition(); await pause(2)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}

/** The rows of trades, by themselves. */
function naive(trades: readonly Trade[]): readonly Volume[] {
  const rows = new Map<number, { bought: number; sold: number; unknown: number; trades: number }>();
  for (const { price, qty, aggressor } of trades) {
    const row = rows.get(price) ?? { bought: 0, sold: 0, unknown: 0, trades: 0 };
    rows.set(price, row);
    row[aggressor === 'buy' ? 'bought' : aggressor === 'sell' ? 'sold' : 'unknown'] += qty;
    row.trades += 1;
  }
  return [...rows].sort(([a], [b]) => a - b).map(([price, row]) => ({ price, ...row }));
}

/** What all trades of some rows come to. */
const tradesOf = (rows: readonly Volume[]): number => rows.reduce((sum, { trades }) => sum + trades, 0);

/** Rows and rows of later trades together. */
function together(rows: readonly Volume[], later: readonly Volume[]): readonly Volume[] {
  const sums = new Map(rows.map((row) => [row.price, { ...row }]));
  for (const row of later) {
    const sum = sums.get(row.price);
    if (sum === undefined) sums.set(row.price, { ...row });
    else {
      for (const field of ['bought', 'sold', 'unknown'] as const)
        sum[field] = Number(sum[field]) + Number(row[field]);
      sum.trades += row.trades;
    }
  }
  return [...sums.values()].sort((a, b) => Number(a.price) - Number(b.price));
}

/** The same rows in wider buckets. */
function grouped(rows: readonly Volume[], width: number): readonly Volume[] {
  return together(
    [],
    rows.map((row) => ({ ...row, price: Math.floor(Number(row.price) / width) * width })),
  );
}

describe.each([
  ['one process', 0],
  ['gateways', 1],
])('volumes of a server of %s', (_, gateways) => {
  it('are the sums of its trades, each price or in buckets, also for who comes later', async () => {
    const { port, source, stop } = await serving(gateways);
    const feed = connect(`ws://127.0.0.1:${port}/v1/feed`);
    try {
      const trades: Trade[] = [];
      const tape = feed.subscribe(channel.trades, NAME);
      tape.on('update', (trade) => trades.push(trade));
      const exact = feed.subscribe(channel.volumes, NAME, { intervalMs: 0 }).volumes;
      const coarse = feed.subscribe(channel.volumes, NAME, { intervalMs: 20, grouping: '5' });
      await until(() => trades.length > 20 && exact.state === 'synced', 'trades');
      const before = [...exact.rows];
      await until(() => trades.length > 100, 'more trades');
      const late = feed.subscribe(channel.volumes, NAME, { intervalMs: 50, grouping: '5' });
      await source.ended;
      await until(() => tradesOf(late.volumes.rows) === tradesOf(exact.rows), 'end');
      const since = tradesOf(exact.rows) - tradesOf(before);
      expect(since).toBeGreaterThan(50);
      await until(() => trades.length >= since, 'trades behind the first rows');
      const { rows } = exact;
      expect(rows).toEqual(together(before, naive(trades.slice(-since))));
      expect(coarse.volumes.grouping).toBe(500);
      expect(coarse.volumes.rows).toEqual(grouped(rows, 500));
      expect(late.volumes.rows).toEqual(coarse.volumes.rows);
      expect(late.granted).toMatchObject({ grouping: '5', intervalMs: 50 });
      expect(exact.since).toBeGreaterThan(0n);
      expect(exact.missedAt).toBe(0n);
      expect(feed.counters).toMatchObject({ resyncs: 0, reconnects: 0 });
    } finally {
      await feed.close();
      await stop('test is over');
    }
  });
});

describe('a profile that is kept from the start', () => {
  it('has what was traded before anybody asked, and says since when', async () => {
    const { port, source, engine, stop } = await serving(0, ['binance-spot:*', 'sim:BTC*']);
    const feed = connect(`ws://127.0.0.1:${port}`);
    try {
      await source.ended;
      const { volumes } = feed.subscribe(channel.volumes, NAME);
      await until(() => volumes.state === 'synced', 'volumes');
      expect(tradesOf(volumes.rows)).toBe(engine.stats().trades);
      expect(volumes).toMatchObject({ missedAt: 0n });
      // The recording begins less than a second before its first trade.
      const [first = ''] = readFileSync(path, 'utf8').split(' ');
      expect(Number(volumes.since / 1_000_000n) - Number(first.slice(0, 13))).toBeLessThan(1_000);
    } finally {
      await feed.close();
      await stop('test is over');
    }
  });
});
