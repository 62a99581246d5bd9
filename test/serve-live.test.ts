import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Serving, startServing } from '../src/cli/serve.js';
import { type Config, type ConfigInput, configFrom } from '../src/config.js';
import type { FakeVenue } from '../src/fake-venue/fake-venue.js';
import { fakeVenue, until } from './support/fake-venue.js';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type SourceInput = NonNullable<ConfigInput['sources']>[string];

/** A server whose sources are products of a fake venue. */
async function served(
  venue: FakeVenue,
  sources: Readonly<Record<string, Omit<SourceInput, 'urls'>>>,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly serving: Serving; readonly told: readonly string[]; readonly config: Config }> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'depthwire-lists-'));
  closing.push(() => rmSync(cacheDir, { recursive: true }));
  const urls = Object.fromEntries(venue.hosts().map(({ venue: from, fake }) => [from, fake]));
  const config = configFrom({
    server: { port: 0, drainMs: 100 },
    catalogue: { cacheDir },
    sources: Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, { ...source, urls }])),
  });
  const told: string[] = [];
  const serving = await startServing(config, new Map(), (line) => told.push(line), env);
  closing.push(() => serving.stop('test is over'));
  return { serving, told, config };
}

async function health({ port }: Serving): Promise<Record<string, unknown>> {
  return (await fetch(`http://127.0.0.1:${port}/health`)).json() as Promise<Record<string, unknown>>;
}

it('two venues are served by patterns of their own lists, and /health says where each stands', async () => {
  const venue = await fakeVenue({
    kraken: ['BTC/USD', 'PEPE/USD', 'BTC/EUR'],
    binance: ['BTCUSDT', 'ETHUSDT'],
  });
  closing.push(() => venue.stop());
  const { serving, told } = await served(venue, {
    kraken: { instruments: ['BTC/*'], depth: 10 },
    spot: { venue: 'binance', instruments: ['BTCUSDT'], lines: 2 },
  });
  await until(() => serving.server.books().synced === 3);
  expect(told).toEqual([]);
  const names = serving.engine.instruments().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['kraken:BTC/USD', 'kraken:BTC/EUR', 'binance:BTCUSDT']));
  venue.cutAll();
  await until(() => serving.server.books().synced === 0);
  await until(() => serving.server.books().synced === 3);
  const { sources } = await health(serving);
  const connection = { state: 'ready', reconnects: 1, lastLoss: 'closed: code 1006' };
  expect(sources).toMatchObject([
    {
      name: 'kraken',
      kind: 'live',
      connections: [{ ...connection, connectedSinceMs: expect.any(Number) as unknown }],
      books: { synced: 2, syncing: 0, stale: 0 },
      lastGap: { mendedMs: expect.any(Number) as unknown },
    },
    { name: 'spot', connections: [connection, connection], books: { synced: 1 } },
  ]);
  const [{ checksums }, { clockSkewMs }] = sources as [
    { readonly checksums: { readonly checked: number; readonly matched: number } },
    { readonly clockSkewMs: readonly [number, number] },
  ];
  expect(checksums.checked).toBeGreaterThan(0);
  expect(checksums.matched).toBe(checksums.checked);
  expect(clockSkewMs[0]).toBeLessThanOrEqual(50);
  expect(clockSkewMs[1]).toBeGreaterThanOrEqual(-50);
  const metrics = await (await fetch(`http://127.0.0.1:${serving.port}/metrics`)).text();
  expect(metrics).toMatch(/depthwire_resync_seconds_count 3\n/);
});

it('without the venue’s list, names are taken as they stand, and that is said', async () => {
  const venue = await fakeVenue(
    { kraken: ['BTC/USD'] },
    { faults: [{ kind: 'answer-503', at: 1, every: 1 }] },
  );
  closing.push(() => venue.stop());
  const { serving, told } = await served(venue, { kraken: { instruments: ['XBT/USD'], depth: 10 } });
  await until(() => serving.server.books().synced === 1);
  expect(told.join()).toContain('http_get.refused');
  await expect(served(venue, { kraken: { instruments: ['B*'] } })).rejects.toMatchObject({
    code: 'http_get.refused',
  });
});

it('keys lie where the configuration says, and are told nowhere', async () => {
  const venue = await fakeVenue({ kraken: ['BTC/USD'] });
  closing.push(() => venue.stop());
  const source = { instruments: ['BTC/USD'], channels: ['orders'] as const };
  const keys = { keyEnv: 'KRAKEN_KEY', secretEnv: 'KRAKEN_SECRET' };
  const env = { KRAKEN_KEY: 'my-own-key', KRAKEN_SECRET: Buffer.from('my-own-secret').toString('base64') };
  await expect(served(venue, { kraken: { ...source, channels: ['orders'] } })).rejects.toMatchObject({
    code: 'live.needs_key',
  });
  await expect(served(venue, { kraken: { ...source, channels: ['orders'], keys } })).rejects.toMatchObject({
    code: 'live.keys',
    got: 'none',
  });
  const { serving, told } = await served(venue, { kraken: { ...source, channels: ['orders'], keys } }, env);
  await until(() => told.length > 0);
  // The account is not one that the venue knows.
  expect(told.join()).toContain('live.connection');
  const shown = `${told.join()} ${JSON.stringify(await health(serving))}`;
  expect(shown).not.toMatch(/my-own|bXktb3du/);
});

it('a configuration that is read anew changes the instruments of what runs', async () => {
  const venue = await fakeVenue({ kraken: ['BTC/USD', 'XAA/USD'] });
  closing.push(() => venue.stop());
  const { serving, told, config } = await served(venue, { kraken: { instruments: ['BTC/USD'], depth: 10 } });
  await until(() => serving.server.books().synced === 1);
  const sources = { kraken: { ...config.sources.kraken, instruments: ['XAA/*'] } };
  const lines = await serving.takeOver(configFrom({ catalogue: config.catalogue, sources }));
  expect(lines).toEqual(['kraken: added kraken:XAA/USD', 'kraken: dropped kraken:BTC/USD']);
  await until(() => serving.server.books().synced === 1);
  const { instruments } = (await (await fetch(`http://127.0.0.1:${serving.port}/v1/instruments`)).json()) as {
    readonly instruments: readonly { readonly name: string }[];
  };
  expect(instruments.map(({ name }) => name)).toEqual(['kraken:XAA/USD']);
  expect(told).toEqual([]);
});
