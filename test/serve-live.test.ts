import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Serving, startServing } from '../src/cli/serve.js';
import { changedKeys } from '../src/config/changes.js';
import { type Config, type ConfigInput, configFrom } from '../src/config.js';
import type { FakeVenue } from '../src/fake-venue/fake-venue.js';
import type { Clock } from '../src/ingest/clock.js';
import { fakeUrl, fakeVenue, until } from './support/fake-venue.js';
import { ManualClock } from './support/manual-clock.js';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type SourceInput = NonNullable<ConfigInput['sources']>[string];

/** A server whose sources are products of a fake venue. */
async function served(
  venue: FakeVenue,
  sources: Readonly<Record<string, SourceInput>>,
  env: Readonly<Record<string, string>> = {},
  clock?: Clock,
): Promise<{ readonly serving: Serving; readonly told: readonly string[]; readonly config: Config }> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'depthwire-lists-'));
  closing.push(() => rmSync(cacheDir, { recursive: true }));
  const urls = Object.fromEntries(venue.hosts().map(({ venue: from, fake }) => [from, fake]));
  const config = configFrom({
    server: { port: 0, drainMs: 100 },
    catalogue: { cacheDir },
    sources: Object.fromEntries(
      Object.entries(sources).map(([name, source]) => [
        name,
        { ...source, urls: { ...urls, ...source.urls } },
      ]),
    ),
  });
  const told: string[] = [];
  const serving = await startServing(config, new Map(), (line) => told.push(line), env, clock);
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
  expect(told.join()).toContain('kraken goes by the names as they were given');
});

it('a source whose patterns wait for a list does not keep the others waiting, and comes by itself', async () => {
  const venue = await fakeVenue({ kraken: ['BTC/USD'], binance: ['BTCUSDT'] });
  closing.push(() => venue.stop());
  const lists = { isThere: false };
  const kraken = createServer((request, response) => {
    if (!lists.isThere) {
      response.destroy();
      return;
    }
    void fetch(fakeUrl(venue, 'https://api.kraken.com') + (request.url ?? ''))
      .then((answer) => answer.text())
      .then((text) => response.end(text));
  });
  await once(kraken.listen(0, '127.0.0.1'), 'listening');
  closing.push(() => void kraken.close());
  const clock = new ManualClock(Date.now());
  const urls = { 'https://api.kraken.com': `http://127.0.0.1:${(kraken.address() as AddressInfo).port}` };
  const { serving, told } = await served(
    venue,
    { kraken: { instruments: ['BTC*'], depth: 10, urls }, binance: { instruments: ['BTC*'] } },
    {},
    clock,
  );
  await until(() => serving.server.books().synced === 1);
  expect(serving.name).toBe('kraken, binance');
  const waiting = (await health(serving)).sources;
  expect(waiting).toMatchObject([
    {
      name: 'kraken',
      connections: [],
      books: { synced: 0, syncing: 0, stale: 0 },
      list: {
        fetchedMs: null,
        failingSinceMs: clock.wallMs(),
        error: { code: 'http_get.unreachable' },
      },
    },
    { name: 'binance', list: { fetchedMs: clock.wallMs(), failingSinceMs: null, error: null } },
  ]);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain('kraken waits for this list');
  // It is asked for again, ever more rarely, and that is told once.
  const pauses: number[] = [];
  for (let tries = 0; tries < 3; tries += 1) {
    const { list } = serving.server.sources()[0] ?? {};
    const pauseMs = (list?.retryMs ?? 0) - clock.wallMs();
    pauses.push(pauseMs);
    if (tries === 2) lists.isThere = true;
    clock.pass(pauseMs + 1);
    if (tries < 2) await until(() => (serving.server.sources()[0]?.list?.retryMs ?? 0) > clock.wallMs());
  }
  await until(() => serving.server.books().synced === 2);
  for (const [at, leastMs] of [2500, 5000, 10_000].entries())
    expect(pauses[at]).toBeGreaterThanOrEqual(leastMs);
  expect(told.slice(1)).toEqual([
    'kraken: opened with kraken:BTC/USD',
    'kraken: the list of instruments of kraken is as it should be again',
  ]);
  expect((await health(serving)).sources).toMatchObject([{ connections: [{ state: 'ready' }] }, {}]);
});

it('a source that comes with the configuration waits for its list, and goes while it waits', async () => {
  const venue = await fakeVenue({ binance: ['BTCUSDT'] });
  closing.push(() => venue.stop());
  const clock = new ManualClock(Date.now());
  const { serving, told, config } = await served(venue, { binance: { instruments: ['BTCUSDT'] } }, {}, clock);
  await until(() => serving.server.books().synced === 1);
  const { binance } = config.sources;
  const kraken = { instruments: ['BTC*'], urls: { 'https://api.kraken.com': 'http://127.0.0.1:1' } };
  const wanted = (sources: object): Config => configFrom({ ...config, sources });
  const lines = await serving.takeOver(wanted({ binance, kraken }));
  expect(lines).toEqual(['kraken: waits for the list of instruments of kraken']);
  expect(told.join()).toContain('kraken waits for this list');
  expect(serving.server.sources().map(({ name, list }) => [name, list?.fetchedMs === null])).toEqual([
    ['binance', false],
    ['kraken', true],
  ]);
  expect(await serving.takeOver(wanted({ binance }))).toEqual([]);
  expect(serving.server.sources().map(({ name }) => name)).toEqual(['binance']);
  // Nobody asks for its list any more.
  const before = told.length;
  clock.pass(600_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(told).toHaveLength(before);
  expect(clock.timers).toBe(0);
});

it('a source whose list is slow is served when it comes, and the others before', async () => {
  const venue = await fakeVenue({ kraken: ['BTC/USD'], binance: ['BTCUSDT'] });
  closing.push(() => venue.stop());
  const waiting: (() => void)[] = [];
  const slow = createServer((request, response) => {
    waiting.push(() => {
      void fetch(fakeUrl(venue, 'https://api.kraken.com') + (request.url ?? ''))
        .then((answer) => answer.text())
        .then((text) => response.end(text));
    });
  });
  await once(slow.listen(0, '127.0.0.1'), 'listening');
  closing.push(() => void slow.close());
  const urls = { 'https://api.kraken.com': `http://127.0.0.1:${(slow.address() as AddressInfo).port}` };
  const { serving, told } = await served(venue, {
    kraken: { instruments: ['BTC*'], depth: 10, urls },
    binance: { instruments: ['BTC*'] },
  });
  expect(serving.server.sources()[0]?.list).toMatchObject({ fetchedMs: null, error: null, retryMs: null });
  for (const answer of waiting) answer();
  await until(() => serving.server.books().synced === 2);
  expect(told).toEqual(['kraken: opened with kraken:BTC/USD']);
});

it('sources come and go with the configuration, and the others do not notice', async () => {
  const venue = await fakeVenue({
    kraken: ['BTC/USD', 'XAA/USD'],
    binance: ['BTCUSDT'],
    deribit: ['BTC-PERPETUAL'],
  });
  closing.push(() => venue.stop());
  const { serving, told, config } = await served(venue, {
    kraken: { instruments: ['*'], depth: 10 },
    binance: { instruments: ['BTCUSDT'] },
  });
  await until(() => serving.server.books().synced === 3);
  const { kraken, binance } = config.sources;
  // Times of before and after are worked out from running clocks, which differ by parts of a millisecond.
  const since = (): number =>
    Math.round(
      (serving.server.reports().find(({ name }) => name === 'binance')?.connectedSinceMs ?? 0) / 100,
    );
  const before = since();
  const bookOf = () => {
    const { id = 0 } = serving.engine.instruments().find(({ name }) => name === 'binance:BTCUSDT') ?? {};
    return serving.engine.book(id);
  };
  const { epoch } = bookOf();
  const deribit = { ...kraken, instruments: ['BTC-PERPETUAL'], depth: undefined };
  const wanted = (sources: object): Config => configFrom({ ...config, sources });
  const lines = await serving.takeOver(wanted({ binance, deribit }));
  expect(lines).toEqual([
    'deribit: opened with deribit:BTC-PERPETUAL',
    'kraken: closed with kraken:BTC/USD, kraken:XAA/USD',
  ]);
  expect(changedKeys(serving.running(), wanted({ binance, deribit }))).toEqual([]);
  await until(() => serving.server.books().synced === 2);
  // Those of Kraken have closed.
  await until(() => venue.lines().length === 2);
  expect(venue.hearings('BTC/USD')).toEqual([]);
  const names = (await health(serving)).sources as readonly { readonly name: string }[];
  expect(names.map(({ name }) => name)).toEqual(['binance', 'deribit']);
  expect(Math.abs(since() - before)).toBeLessThanOrEqual(1);
  expect([bookOf().epoch, bookOf().losses]).toEqual([epoch, 0]);
  // One that is there again is another one: nothing of before is left.
  await serving.takeOver(wanted({ binance, deribit, kraken }));
  await until(() => serving.server.books().synced === 4);
  expect(bookOf().epoch).toBe(epoch);
  // A server without any source would be another one, and a source that cannot be had leaves all as it is.
  expect(await serving.takeOver(wanted({}))).toEqual([]);
  expect(changedKeys(serving.running(), wanted({}))).toContain('sources.kraken');
  await expect(
    serving.takeOver(wanted({ binance, wrong: { ...kraken, venue: 'kraken', instruments: ['NOTHERE'] } })),
  ).rejects.toMatchObject({ code: 'instruments.no_such' });
  expect(serving.server.books().synced).toBe(4);
  expect(told).toEqual([]);
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
  expect(told.join()).toContain('live.login');
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
