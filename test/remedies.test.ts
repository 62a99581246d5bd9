import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type RecordedFacts, remedyOf } from '../src/cli/remedies.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-remedies-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('what helps a book', () => {
  const facts: RecordedFacts = {
    venue: 'binance',
    bookMessages: 5,
    snapshots: 0,
    ordersPassedOver: 0,
    unattributed: 0,
  };
  const fix = (instrument: string, more: Partial<RecordedFacts> = {}, reason = 'none') => {
    const venue = instrument.slice(0, instrument.indexOf(':'));
    const state = reason === 'none' ? 'syncing' : 'stale';
    return remedyOf(instrument, state, reason, { ...facts, venue, ...more });
  };

  it.each<[string, string, string]>([
    [
      'binance:BTCUSDT',
      'https://data-api.binance.vision/api/v3/depth?symbol=BTCUSDT&limit=5000',
      'file of its own',
    ],
    [
      'coinbase-exchange:BTC-USD',
      'https://api.exchange.coinbase.com/products/BTC-USD/book?level=3',
      'after the first',
    ],
    ['kraken:BTC/USD', 'behind the subscription', 'before this one'],
    ['databento:ESH4', 'a clear or an image', 'records with the flag snapshot'],
    ['nasdaq:AAPL', 'from the feed’s first message on', 'beginning of the day'],
  ])('of %s that was never whole is %s', (instrument, text, more) => {
    expect(fix(instrument, { ordersPassedOver: 3 })).toContain(text);
    expect(fix(instrument, { ordersPassedOver: 3 })).toContain(more);
  });

  it('is a recording of books where it has none', () => {
    const none = { bookMessages: 0 };
    expect(fix('binance:BTCUSDT', none)).toContain('give one of the channel of the book');
    expect(fix('databento:ESH4', none)).toContain('the schema mbo');
    expect(fix('databento:ESH4', { ...none, ordersPassedOver: 1 })).toContain('a clear or an image');
  });

  it('is what heals books of its venue, and no other', () => {
    for (const reason of ['gap', 'contradiction', 'unreadable', 'source_failed', 'skipped', 'venue_doubt']) {
      expect(fix('binance:A', {}, reason)).toContain('a later snapshot heals it');
      expect(fix('okx:A', {}, reason)).toContain('a later subscription');
      expect(fix('databento:A', {}, reason)).toContain('the next clear or image');
      expect(fix('nasdaq:A', {}, reason)).toContain('nothing heals it before the feed begins anew');
      expect(fix('nasdaq:A', {}, reason)).not.toContain('snapshot');
    }
  });
});

describe('verify', () => {
  const update = (symbol: string, from: number, to: number, time: string): string =>
    `${time} {"stream":"${symbol.toLowerCase()}@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"${symbol}","U":${from},"u":${to},"b":[["1.00","${to}"]],"a":[["2.00","1"]]}}\n`;
  const SNAPSHOT = '{"lastUpdateId":1,"bids":[["1.00","1"]],"asks":[["2.00","1"]]}\n';
  const ts = (second: number): string => `17000000${String(second).padStart(2, '0')}000000000`;

  it('takes a snapshot in a file of its own for that of the book that another file names', async () => {
    const updates = file('updates.txt', update('BTCUSDT', 1, 2, ts(1)) + update('BTCUSDT', 3, 4, ts(2)));
    const snapshot = file('snapshot.json', SNAPSHOT);
    const alone = await verifyCommand('--instrument', 'binance:BTCUSDT', updates);
    expect([alone.code, alone.report.books[0]?.fix]).toEqual([
      1,
      expect.stringContaining('as a file of its own'),
    ]);
    for (const files of [
      [updates, snapshot],
      [snapshot, updates],
    ]) {
      const { code, report } = await verifyCommand('--instrument', 'binance:BTCUSDT', ...files);
      expect([code, report.applied > 0]).toEqual([0, true]);
    }
    const { error } = await verifyCommand(snapshot);
    expect([error.code, error.fix]).toEqual(['recording.no_streams', expect.stringContaining('beside')]);
  });

  it('finds out all of a product by one option', async () => {
    const several = file(
      'several.txt',
      update('BTCUSDT', 1, 2, ts(1)) + update('ETHUSDT', 1, 2, ts(1)) + update('BTCUSDC', 1, 2, ts(2)),
    );
    const { report } = await verifyCommand('--instrument', 'binance:*USDT', several);
    expect(report.books.map(({ instrument }) => instrument)).toEqual(['binance:BTCUSDT', 'binance:ETHUSDT']);
    const { error } = await verifyCommand('--instrument', 'kraken:*', several);
    expect(error.code).toBe('recording.no_such_instrument');
  });

  it('does not ask for another order of the lines of one file', async () => {
    const back = `${update('BTCUSDT', 1, 2, ts(9))}${ts(5)} ${SNAPSHOT}${update('BTCUSDT', 3, 4, ts(6))}`;
    const { code, report } = await verifyCommand('--instrument', 'binance:BTCUSDT', file('back.txt', back));
    expect([code, report.backward]).toEqual([0, 1]);
  });
});
