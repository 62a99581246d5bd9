import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Serving, startServing } from '../src/cli/serve.js';
import { type Config, type ConfigInput, configFrom } from '../src/config.js';
import { fakeVenue, until } from './support/fake-venue.js';
import { ManualClock } from './support/manual-clock.js';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A served venue whose list is the test's. */
interface Listed {
  readonly serving: Serving;
  readonly config: Config;
  readonly clock: ManualClock;
  readonly told: readonly string[];
  /** Lists these from now on, and lets the list be read anew with this configuration. */
  list(symbols: readonly string[], config?: Config): Promise<readonly string[]>;
}

async function listed(
  symbols: readonly string[],
  instruments: readonly string[],
  scales: ConfigInput['instruments'] = [],
): Promise<Listed> {
  let now = symbols;
  const lists = createServer((_request, response) => {
    const filters = [
      { filterType: 'PRICE_FILTER', tickSize: '0.01' },
      { filterType: 'LOT_SIZE', stepSize: '0.00001' },
    ];
    response.end(JSON.stringify({ symbols: now.map((symbol) => ({ symbol, status: 'TRADING', filters })) }));
  });
  await once(lists.listen(0, '127.0.0.1'), 'listening');
  closing.push(() => void lists.close());
  const venue = await fakeVenue({ binance: ['BTCUSDT', 'ETHUSDT', 'AAAUSDT'] });
  closing.push(() => venue.stop());
  const cacheDir = mkdtempSync(join(tmpdir(), 'depthwire-listed-'));
  closing.push(() => rmSync(cacheDir, { recursive: true, force: true }));
  const urls = Object.fromEntries(venue.hosts().map(({ venue: from, fake }) => [from, fake]));
  const list = 'https://data-api.binance.vision/api/v3/exchangeInfo';
  const config = configFrom({
    server: { port: 0, drainMs: 100 },
    catalogue: { cacheDir },
    instruments: scales,
    sources: {
      binance: {
        instruments: [...instruments],
        urls: { ...urls, [list]: `http://127.0.0.1:${(lists.address() as AddressInfo).port}/` },
      },
    },
  });
  const told: string[] = [];
  const clock = new ManualClock(Date.now());
  const serving = await startServing(config, new Map(), (line) => told.push(line), {}, clock);
  closing.push(() => serving.stop('test is over'));
  return {
    serving,
    config,
    clock,
    told,
    list: (next, other = config) => {
      now = next;
      clock.pass(1);
      rmSync(cacheDir, { recursive: true, force: true });
      return serving.takeOver(other);
    },
  };
}

/** What /health says of the list of the one source. */
async function standing({ serving }: Listed): Promise<unknown> {
  const answer = (await (await fetch(`${serving.url}health`)).json()) as {
    readonly sources: readonly { readonly list: unknown }[];
  };
  return answer.sources[0]?.list;
}

function servedNames({ serving }: Listed): Promise<readonly string[]> {
  return fetch(`${serving.url}v1/instruments`)
    .then(
      (answer) => answer.json() as Promise<{ readonly instruments: readonly { readonly name: string }[] }>,
    )
    .then(({ instruments }) => instruments.map(({ name }) => name));
}

it('what a venue lists and delists is taken over while a source runs', async () => {
  const venue = await listed(['BTCUSDT', 'ETHUSDT'], ['*USDT']);
  await until(() => venue.serving.server.books().synced === 2);
  expect(await venue.list(['BTCUSDT', 'AAAUSDT'])).toEqual([
    'binance: added binance:AAAUSDT',
    'binance: dropped binance:ETHUSDT',
  ]);
  await until(() => venue.serving.server.books().synced === 2);
  expect(await servedNames(venue)).toEqual(['binance:AAAUSDT', 'binance:BTCUSDT']);
  expect(await venue.list(['BTCUSDT', 'AAAUSDT'])).toEqual([]);
  expect(venue.told).toEqual([]);
});

it('an instrument that is named and listed no more is dropped and told, the last one kept and told', async () => {
  const venue = await listed(['BTCUSDT', 'ETHUSDT'], ['BTCUSDT', 'ETHUSDT']);
  expect(await venue.list(['BTCUSDT'])).toEqual(['binance: dropped binance:ETHUSDT']);
  expect(venue.told).toEqual(['sources.binance.instruments: the venue lists ETHUSDT no more']);
  await expect(venue.list([])).resolves.toEqual([]);
  await expect(venue.list(['AAAUSDT'])).rejects.toMatchObject({
    code: 'instruments.no_such',
    got: 'BTCUSDT',
  });
  expect(await servedNames(venue)).toEqual(['binance:BTCUSDT']);
});

it('a list that lacks several of the instruments that are carried takes them away when a second one agrees', async () => {
  const venue = await listed(['BTCUSDT', 'ETHUSDT', 'AAAUSDT'], ['*USDT']);
  const all = ['binance:AAAUSDT', 'binance:BTCUSDT', 'binance:ETHUSDT'];
  expect(await venue.list(['BTCUSDT'])).toEqual([]);
  expect(await venue.list(['BTCUSDT'])).toEqual([]);
  expect(await servedNames(venue)).toEqual(all);
  // Told once, however often it is asked.
  expect(venue.told).toHaveLength(1);
  expect(venue.told[0]).toContain('instruments.shrunken');
  expect(venue.told[0]).toContain('2 are missing: ETHUSDT, AAAUSDT');
  expect(await standing(venue)).toMatchObject({
    failingSinceMs: expect.any(Number) as unknown,
    error: { code: 'instruments.shrunken' },
  });
  const { retryMs } = (await standing(venue)) as { readonly retryMs: number };
  expect(retryMs - venue.clock.wallMs()).toBeGreaterThanOrEqual(60_000);
  venue.clock.pass(retryMs - venue.clock.wallMs() + 1);
  await until(() => venue.told.length === 3);
  expect(venue.told.slice(1)).toEqual([
    'binance: dropped binance:ETHUSDT, binance:AAAUSDT',
    'binance: the list of instruments of binance is as it should be again',
  ]);
  expect(await servedNames(venue)).toEqual(['binance:BTCUSDT']);
  expect(await standing(venue)).toMatchObject({ failingSinceMs: null, retryMs: null, error: null });
});

it('a list that fails while a source runs leaves its instruments as they are', async () => {
  const venue = await listed(['BTCUSDT'], ['BTC*']);
  expect(await venue.list([])).toEqual([]);
  expect(await servedNames(venue)).toEqual(['binance:BTCUSDT']);
  expect(venue.told.join()).toContain('decode.no_instruments');
  expect(await standing(venue)).toMatchObject({ error: { code: 'decode.no_instruments' } });
});

it('a list that is larger than a source can carry leaves its instruments as they are', async () => {
  const venue = await listed(['BTCUSDT'], ['*']);
  const many = Array.from({ length: 10_001 }, (_, at) => `S${at}USDT`);
  await expect(venue.list(['BTCUSDT', ...many])).rejects.toMatchObject({
    code: 'instruments.too_many',
    where: 'sources.binance.instruments',
    got: '10002',
  });
  expect(await servedNames(venue)).toEqual(['binance:BTCUSDT']);
});

it('of two configurations that come at once the later one holds', async () => {
  const venue = await listed(['BTCUSDT', 'ETHUSDT', 'AAAUSDT'], ['BTCUSDT']);
  const { binance } = venue.config.sources;
  const wanted = (...instruments: readonly string[]): Config => ({
    ...venue.config,
    sources: { binance: { ...binance, instruments: [...instruments] } as NonNullable<typeof binance> },
  });
  const [first, second] = await Promise.all([
    venue.serving.takeOver(wanted('ETHUSDT')),
    venue.serving.takeOver(wanted('AAAUSDT')),
  ]);
  expect([first, second]).toEqual([
    ['binance: added binance:ETHUSDT', 'binance: dropped binance:BTCUSDT'],
    ['binance: added binance:AAAUSDT', 'binance: dropped binance:ETHUSDT'],
  ]);
  expect(await servedNames(venue)).toEqual(['binance:AAAUSDT']);
});

it('the scale that the user gave goes before the one that the venue lists', async () => {
  const { serving } = await listed(['BTCUSDT'], ['BTCUSDT'], [{ name: 'binance:BTCUSDT', tick: '0.5' }]);
  const instrument = serving.engine.instruments().find(({ name }) => name === 'binance:BTCUSDT');
  expect([instrument?.tickSize, instrument?.priceExponent]).toEqual([50, -2]);
});
