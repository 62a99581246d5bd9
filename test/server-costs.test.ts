import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { type Cost, channel, connect, type LocalBook, type Side } from '../src/wire/index.js';
import { simulatedRecording } from './support/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-costs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'sim:BTCUSDT';
const path = join(folder, 'recording');
writeFileSync(path, simulatedRecording('BTCUSDT', 20_000));

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 20_000; !condition(); await pause(2)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}

/** Quantity within a limit of the levels of a book, and what taking `qty` of them comes to, by the book that a client holds. */
function naive(book: LocalBook, side: Side, row: Cost): object {
  const levels = [...book.levels(side)].map(({ price, qty }) => [BigInt(price), BigInt(qty)] as const);
  const mid = BigInt(book.bestBid?.price ?? 0) + BigInt(book.bestAsk?.price ?? 0);
  const inside = levels.filter(([price]) => {
    const away = side === 'bid' ? mid - 2n * price : 2n * price - mid;
    return row.bps === 0 || away * 10_000n <= mid * BigInt(row.bps);
  });
  const qty = row.bps === 0 ? BigInt(row.qty) : inside.reduce((sum, [, of]) => sum + of, 0n);
  let [left, cost, worst] = [qty, 0n, 0n];
  for (const [price, of] of inside) {
    if (left === 0n) break;
    const part = of < left ? of : left;
    [left, cost, worst] = [left - part, cost + part * price, price];
  }
  return { qty: Number(qty), filled: Number(qty - left), cost: Number(cost), priceWorst: Number(worst) };
}

describe.each([
  ['one process', 0],
  ['gateways', 1],
])('costs of a server of %s', (_, gateways) => {
  it('are those of the book at the end of a recording, also for who comes later', async () => {
    const config = configFrom({
      server: { port: 0, drainMs: 300, gateways },
      instruments: [{ name: NAME }],
      replay: { files: [path], speed: 20 },
    });
    const { port, source, stop } = await startServing(config, new Map(), (line) => {
      throw new Error(line);
    });
    const feed = connect(`ws://127.0.0.1:${port}/v1/feed`);
    try {
      const { book } = feed.book(NAME);
      const options = { quantities: ['0.5', '5', '100000'], bps: [2, 20], intervalMs: 0 };
      const costs = feed.subscribe(channel.costs, NAME, options);
      let updates = 0;
      costs.on('update', () => {
        updates += 1;
      });
      await source.ended;
      await until(() => book.state === 'synced' && costs.state === 'synced' && updates > 20, 'costs');
      const late = feed.subscribe(channel.costs, NAME, { ...options, bps: [2] });
      await until(() => late.state === 'synced', 'late costs');
      await until(() => costs.costs?.rows.length === 10, 'rows');
      const rows = costs.costs?.rows ?? [];
      expect(rows.map(({ side }) => side)).toEqual(Array.from({ length: 5 }, () => ['bid', 'ask']).flat());
      for (const row of rows) expect(row).toMatchObject(naive(book, row.side, row));
      expect(late.costs?.rows).toEqual(rows.slice(0, 8));
      expect(costs.granted).toMatchObject({ channel: 'costs', intervalMs: 0 });
      expect(feed.counters).toMatchObject({ gaps: 0, resyncs: 0 });
      const wrong = feed.subscribe(channel.costs, NAME, { quantities: ['0.0000000001'] });
      await until(() => wrong.closed, 'refusal');
      expect(wrong.error?.code).toBe('feed.bad_field');
    } finally {
      await feed.close();
      await stop('test is over');
    }
  });
});
