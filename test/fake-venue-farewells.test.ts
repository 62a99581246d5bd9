import { afterEach, expect, it } from 'vitest';
import type { FakeVenue } from '../src/fake-venue/fake-venue.js';
import { farewellOf } from '../src/fake-venue/farewells.js';
import { ownCodes } from '../src/fake-venue/simulated-market.js';
import { productFacts } from '../src/ingest/venues/index.js';
import { fakeUrl, fakeVenue, PlainClient, until } from './support/fake-venue.js';
import { LiveRig } from './support/live-rig.js';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A client of a product's books, and the fake venue that it hears. */
async function hearing(product: string, ms?: number): Promise<{ of: FakeVenue; client: PlainClient }> {
  const [code = ''] = ownCodes(product);
  const channel = product === 'bitstamp-orders' ? 'orders' : 'book';
  const fault = { kind: 'farewell', at: 3, channel, ...(ms === undefined ? {} : { ms }) } as const;
  const of = await fakeVenue({ [product]: [code] }, { faults: [fault] });
  closing.push(() => of.stop());
  const socket = productFacts(product)?.product.sockets[0];
  const stream = socket?.streams.find(
    ({ channels }) => channels.includes('book') || channels.includes('orders'),
  );
  const filled = (text = ''): string =>
    text
      .replace(/\{(symbol|code)\}/g, code)
      .replace('{lower}', code.toLowerCase())
      .replace('{depth}', String(stream?.depths[0]?.levels))
      .replace('{id}', '1');
  const client = await new PlainClient(fakeUrl(of, socket?.url ?? '')).open();
  closing.push(() => client.close());
  client.say(filled(stream?.subscribe.replace('{args}', stream.args[0] ?? '')));
  return { of, client };
}

it.each([
  ['binance', '"e":"serverShutdown"', 600_000],
  ['okx', '"code":"64008"', 60_000],
  ['bitstamp', 'bts:request_reconnect', 5000],
  ['bitstamp-orders', 'bts:request_reconnect', 5000],
  ['bitfinex', '"code":20051', 5000],
])('%s announces the end, tells on, and ends the connection', async (product, text, afterMs) => {
  expect(farewellOf(product)?.afterMs).toBe(afterMs);
  const { client, of } = await hearing(product, 700);
  const said = await client.hears(text);
  expect(() => JSON.parse(said) as unknown).not.toThrow();
  const [saidMs, { length }] = [performance.now(), client.heard];
  await until(() => client.closed !== undefined);
  expect(client.closed?.code).toBe(1001);
  expect(performance.now() - saidMs).toBeGreaterThan(600);
  expect(client.heard.length).toBeGreaterThan(length);
  expect([...of.faults.happened]).toEqual([['farewell', 1]]);
});

it('waits for as long as the venue does', async () => {
  const { client } = await hearing('bitstamp');
  await client.hears('bts:request_reconnect');
  const saidMs = performance.now();
  await until(() => client.closed !== undefined);
  expect(performance.now() - saidMs).toBeGreaterThan(4500);
});

it('of a venue that documents none the connection just ends', async () => {
  const { client } = await hearing('kraken');
  await until(() => client.closed !== undefined);
  expect(client.closed?.code).toBe(1001);
});

/** A connector of the first instrument of a product, to which the venue says farewell. */
async function farewelled(product: string, ms: number): Promise<LiveRig> {
  const rig = await LiveRig.start(product, ownCodes(product).slice(0, 1), {
    faults: [{ kind: 'farewell', at: 10, channel: 'book', ms }],
  });
  closing.push(() => rig.stop());
  await until(() => rig.venue.faults.happened.size > 0);
  return rig;
}

it.each(['binance', 'okx', 'bitstamp'])(
  '%s: a connector has another connection before, and no book is stale',
  async (product) => {
    const rig = await farewelled(product, 3000);
    const connects = (): number => rig.venue.ledger.requests.filter(({ kind }) => kind === 'connect').length;
    await until(() => connects() === 2 && rig.venue.lines().length === 1);
    await rig.expectTrue();
    const [code = ''] = ownCodes(product);
    expect([rig.engine.book(rig.id(code)).losses, rig.engine.stats().decodeErrors]).toEqual([0, 0]);
    expect(rig.connector.status().map(({ reconnects }) => reconnects)).toEqual([0]);
  },
);

it('bitfinex: a connector is back after it', async () => {
  const rig = await farewelled('bitfinex', 300);
  await until(() => rig.connector.status().some(({ reconnects }) => reconnects > 0));
  await rig.synced();
  await rig.expectTrue();
  expect(rig.engine.stats().decodeErrors).toBe(0);
});
