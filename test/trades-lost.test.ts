import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { channel, connect } from '../src/wire/index.js';
import { fakeVenue, until } from './support/fake-venue.js';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const NAME = 'binance-usdm:BTCUSDT';

/** A server of a fake venue, and a client of it. */
async function serve(name: 'binance-usdm' | 'binance') {
  const venue = await fakeVenue({ [name]: ['BTCUSDT'] });
  closing.push(() => venue.stop());
  const cacheDir = mkdtempSync(join(tmpdir(), 'depthwire-lists-'));
  closing.push(() => rmSync(cacheDir, { recursive: true }));
  const config = configFrom({
    server: { port: 0, drainMs: 100 },
    catalogue: { cacheDir },
    sources: {
      [name]: {
        instruments: ['BTCUSDT'],
        channels: ['book', 'trades'],
        urls: Object.fromEntries(venue.hosts().map(({ venue: from, fake }) => [from, fake])),
      },
    },
  });
  const serving = await startServing(config, new Map(), () => {});
  closing.push(() => serving.stop('test is over'));
  const feed = connect(`ws://127.0.0.1:${serving.port}/v1/feed`);
  closing.push(() => feed.close());
  return { venue, serving, feed };
}

it('trades whose own connection is lost are stale at once, and whole where their numbers go on', async () => {
  const { venue, serving, feed } = await serve('binance-usdm');
  const book = feed.book(NAME);
  const trades = feed.subscribe(channel.trades, NAME);
  const ids: bigint[] = [];
  const told: string[] = [];
  trades.on('update', ({ id }) => ids.push(id));
  trades.on('gap', ({ reason }) => told.push(`gap ${reason}`));
  trades.on('state', ({ state, reason }) => told.push(`${state} ${reason}`));
  const ofTrades = (): ReturnType<typeof venue.lines> =>
    venue.lines().filter((line) => line.heard().some(({ wanted }) => wanted.has('trade')));
  const more = async (): Promise<void> => {
    const before = ids.length;
    await until(() => ids.length > before + 3 && trades.state === 'synced');
  };
  const isWhole = (from: number): boolean =>
    ids.slice(from + 1).every((id, at) => id === (ids[from + at] ?? 0n) + 1n);
  const cut = async (): Promise<void> => {
    told.length = 0;
    for (const line of ofTrades()) line.cut();
    await until(() => trades.state === 'stale');
  };

  await until(() => book.state === 'synced');
  await more();
  const losses = (): number => serving.engine.book(book.granted?.instrumentId ?? 0).losses;
  const lossesBefore = losses();
  const from = ids.length - 1;

  // The market stands still meanwhile: nothing is missed.
  venue.pause();
  await cut();
  await until(() => ofTrades().length > 0);
  venue.resume();
  await more();
  expect(told).toEqual(['stale source_failed', 'synced none']);
  expect(isWhole(from)).toBe(true);

  // It goes on: what was traded before the connection came back is missing, and that is said.
  await cut();
  await more();
  expect(told).toEqual(['stale source_failed', 'gap sequence', 'synced none']);
  expect(isWhole(from)).toBe(false);
  expect([book.state, losses() - lossesBefore]).toEqual(['synced', 0]);
});

it('trades of the connection of the book are stale with it, and live again with the book', async () => {
  const { venue, feed } = await serve('binance');
  const trades = feed.subscribe(channel.trades, 'binance:BTCUSDT');
  const book = feed.book('binance:BTCUSDT');
  const ids: bigint[] = [];
  const told: string[] = [];
  let untold = 0;
  let hasGap = true;
  trades.on('update', ({ id }) => {
    if (!hasGap && id !== (ids.at(-1) ?? 0n) + 1n) untold += 1;
    hasGap = false;
    ids.push(id);
  });
  trades.on('gap', ({ reason }) => {
    hasGap = true;
    told.push(`gap ${reason}`);
  });
  trades.on('state', ({ state, reason }) => told.push(`${state} ${reason}`));
  await until(() => book.state === 'synced' && ids.length > 3 && trades.state === 'synced');
  for (let times = 0; times < 2; times += 1) {
    told.length = 0;
    for (const line of venue.lines()) line.cut();
    await until(() => trades.state === 'stale');
    // Before anything else, and before the book is whole.
    expect(told[0]).toBe('stale source_failed');
    expect(book.state).toBe('stale');
    const before = ids.length;
    await until(() => book.state === 'synced' && trades.state === 'synced' && ids.length > before + 3);
    expect(told).toContain('gap reset');
  }
  expect(untold).toBe(0);
});
