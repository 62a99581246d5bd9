import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { listOf } from '../src/cli/instrument-lists.js';
import type { ListedInstrument } from '../src/engine.js';
import { codesLike } from '../src/fake-venue/codes.js';
import type { FakeVenue } from '../src/fake-venue/fake-venue.js';
import { ownCodes } from '../src/fake-venue/simulated-market.js';
import { VENUE_FACTS } from '../src/ingest/venues/index.js';
import { ask, fakeUrl, fakeVenue } from './support/fake-venue.js';
import { LIVE_PRODUCTS } from './support/live-rig.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-lists-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a product's list is in the end, by the loader of `depthwire instruments`. */
async function loaded(venue: FakeVenue, product: string): Promise<readonly ListedInstrument[]> {
  const urls = Object.fromEntries(venue.hosts().map(({ venue: own, fake }) => [own, fake]));
  const catalogue = { cacheDir: folder, refreshMinutes: 60 };
  const list = await listOf(product, catalogue, { env: {} }, { refresh: true, urls });
  expect([list.stale, list.passedOver]).toEqual([undefined, 0]);
  return list.instruments;
}

/** The venue's code of an instrument, as subscriptions name it. */
function codeOf(product: string, { symbol, codes }: ListedInstrument): string {
  return product === 'lighter' ? (codes[0] ?? symbol) : symbol;
}

/** Digits of prices and quantities, which venues of some products do not list. */
function expectSteps(
  product: string,
  code: string,
  instrument: ListedInstrument,
  digits: readonly number[],
): void {
  const { priceExponent, qtyExponent, tickSize, lotSize } = instrument;
  const [price = 0, qty = 0] = digits;
  if (product === 'bitfinex') return;
  // Six digits together, whatever the simulator's market prints.
  const tick = product === 'hyperliquid' ? 6 - qty : price;
  expect([code, priceExponent, qtyExponent, tickSize, lotSize]).toEqual([code, 0 - tick, 0 - qty, 1, 1]);
}

it('every product that is heard over sockets is in the table', () => {
  const heard = VENUE_FACTS.flatMap(({ products }) => products.filter(({ sockets }) => sockets.length > 0));
  expect(LIVE_PRODUCTS).toEqual(heard.map(({ name }) => name));
  expect(LIVE_PRODUCTS.length).toBeGreaterThanOrEqual(29);
  for (const { name, instruments } of heard) expect(instruments, name).not.toBeNull();
});

it.each(LIVE_PRODUCTS)('%s lists the instruments that it has, with their steps', async (product) => {
  const own = ownCodes(product);
  const codes = [...own, ...codesLike(own[0] ?? '', 3, own)];
  const venue = await fakeVenue({ [product]: codes });
  try {
    const instruments = await loaded(venue, product);
    const due = venue.market(product)?.listings() ?? [];
    expect(instruments.map((each) => codeOf(product, each)).sort()).toEqual([...codes].sort());
    for (const { code, priceDigits, qtyDigits } of due) {
      const found = instruments.find((each) => codeOf(product, each) === code);
      if (found === undefined) throw new Error(`no ${code}`);
      expect(found.status, code).toBe('trading');
      expectSteps(product, code, found, [priceDigits, qtyDigits]);
    }
    expect(venue.breaches()).toEqual([]);
  } finally {
    await venue.stop();
  }
});

it('addresses of a list may be empty, but not all of them', async () => {
  const [some, none] = [await fakeVenue({ okx: ['ETH-USD-SWAP'] }), await fakeVenue({ okx: [] })];
  try {
    expect((await loaded(some, 'okx')).map(({ symbol }) => symbol)).toEqual(['ETH-USD-SWAP']);
    rmSync(folder, { recursive: true });
    await expect(loaded(none, 'okx')).rejects.toMatchObject({ code: 'decode.no_instruments' });
  } finally {
    await Promise.all([some.stop(), none.stop()]);
  }
});

it.each([
  ['BTCUSDT', ['QAAAUSDT', 'QAABUSDT']],
  ['btcusd', ['qaaausd', 'qaabusd']],
  ['tKNCBTC', ['tQAAABTC', 'tQAABBTC']],
  ['BTC-27MAR26-100000-C-USDT', ['BTC-27MAR26-101000-C-USDT', 'BTC-27MAR26-102000-C-USDT']],
  ['1', ['0', '2']],
])('codes like %s are other ones', (code, codes) => {
  expect(codesLike(code, 2)).toEqual(codes);
  expect(new Set(codesLike(code, 1000)).size).toBe(1000);
});

it('a list that is posted for is told by what is posted', async () => {
  const venue = await fakeVenue({ hyperliquid: ['BTC', 'PURR/USDC', '@107'] });
  try {
    const url = fakeUrl(venue, 'https://api.hyperliquid.xyz/info');
    const names = async (body: string): Promise<readonly [number, unknown]> => {
      const answer = await ask(url, { method: 'POST', body });
      if (answer.status !== 200) return [answer.status, answer.body.toString()];
      const { universe } = JSON.parse(answer.body.toString()) as { universe: readonly { name: string }[] };
      return [answer.status, universe.map(({ name }) => name)];
    };
    expect(await names('{"type":"meta"}')).toEqual([200, ['BTC']]);
    expect(await names('{"type":"spotMeta"}')).toEqual([200, ['PURR/USDC', '@107']]);
    for (const body of ['{"type":"nothing"}', 'x', '']) expect((await names(body))[0]).toBe(422);
    expect((await ask(url)).status).toBe(404);
    expect((await loaded(venue, 'hyperliquid')).map(({ symbol }) => symbol)).toEqual([
      'BTC',
      'PURR/USDC',
      '@107',
    ]);
  } finally {
    await venue.stop();
  }
});
