import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import {
  channel,
  connect,
  decimalText,
  type LocalBook,
  type SignalName,
  type SignalsOptions,
  type SignalsSubscription,
} from '../src/wire/index.js';
import { simulatedRecording } from './support/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-signals-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'sim:BTCUSDT';
const path = join(folder, 'recording');
writeFileSync(path, simulatedRecording('BTCUSDT', 20_000));

/** Parameters that are not possible, and the field that is. */
const WRONG: readonly (readonly [SignalsOptions, string])[] = [
  [{ windowMs: 999 }, 'windowMs'],
  [{ windowMs: 3_600_001 }, 'windowMs'],
  [{ windowMs: 1000.5 }, 'windowMs'],
  [{ vpinVolume: '0' }, 'vpinVolume'],
  [{ vpinVolume: '-1' }, 'vpinVolume'],
  [{ vpinVolume: '0.0000000000001' }, 'vpinVolume'],
  [{ vpinVolume: '9'.repeat(18) }, 'vpinVolume'],
  [{ vpinVolume: '1', vpinBuckets: 0 }, 'vpinBuckets'],
  [{ vpinVolume: '1', vpinBuckets: 257 }, 'vpinBuckets'],
  [{ intervalMs: 60_001 }, 'intervalMs'],
];

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 20_000; !condition(); await pause(2)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}

/** (bids − asks) / (bids + asks) over some levels, as it is told. */
function imbalance(book: LocalBook, depth: number): string {
  const sum = (side: 'bid' | 'ask'): number =>
    [...book.levels(side)].slice(0, depth).reduce((of, { qty }) => of + Number(qty), 0);
  const [bid, ask] = [sum('bid'), sum('ask')];
  return decimalText(Math.round(((bid - ask) / (bid + ask)) * 1e9), -9);
}

function text(signals: SignalsSubscription, name: SignalName): string | undefined {
  const row = signals.signal(name);
  return row && decimalText(row.value, row.exponent);
}

describe.each([
  ['one process', 0],
  ['gateways', 1],
])('signals of a server of %s', (_, gateways) => {
  it('are those of the book and the trades at the end of a recording, also for who comes later', async () => {
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
      const options = { intervalMs: 0, windowMs: 4000, vpinVolume: '0.5', vpinBuckets: 10 };
      const signals = feed.subscribe(channel.signals, NAME, options);
      let updates = 0;
      signals.on('update', () => {
        updates += 1;
      });
      await source.ended;
      await until(() => book.state === 'synced' && signals.state === 'synced' && updates > 20, 'signals');
      await until(() => signals.signal('vpin') !== undefined, 'VPIN');
      // The window is the next that is offered, so that both are one stream.
      const late = feed.subscribe(channel.signals, NAME, { ...options, windowMs: 5000 });
      await until(() => late.state === 'synced', 'late signals');
      expect(late.signals?.rows).toEqual(signals.signals?.rows);
      const [bid, ask] = [book.bestBid, book.bestAsk];
      const mid = BigInt(bid?.price ?? 0) + BigInt(ask?.price ?? 0);
      expect(text(signals, 'mid')).toBe(decimalText(mid * 5n, book.priceExponent - 1));
      for (const depth of [1, 5, 10] as const)
        expect(text(signals, `imbalance_${depth}`)).toBe(imbalance(book, depth));
      expect(signals.signal('twap')).toMatchObject({
        windowNs: 5_000_000_000n,
        isPartial: false,
        unit: 'price',
      });
      const names = signals.signals?.rows.map(({ name }) => name);
      for (const name of ['order_flow_5', 'vwap', 'cvd', 'trade_rate', 'volatility', 'vpin', 'kyle_lambda'])
        expect(names).toContain(name);
      expect(signals.granted).toMatchObject({ channel: 'signals', intervalMs: 0 });
      expect(feed.counters).toMatchObject({ gaps: 0, resyncs: 0 });
      // What is not possible is refused by its field, and nothing else is disturbed.
      for (const [asked, where] of WRONG) {
        const wrong = feed.subscribe(channel.signals, NAME, asked);
        await until(() => wrong.closed, 'refusal');
        expect(wrong.error).toMatchObject({ code: 'feed.bad_field', where: `subscribe.${where}` });
        expect(wrong.signals).toBeUndefined();
      }
      expect([signals.state, late.state, book.state]).toEqual(['synced', 'synced', 'synced']);
    } finally {
      await feed.close();
      await stop('test is over');
    }
  });
});
