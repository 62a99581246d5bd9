import { afterEach, describe, expect, it } from 'vitest';
import { Flag, Kind } from '../src/wire/index.js';
import { FakeNative, instrument } from './support/fake-engine.js';
import { checkOf, frame } from './support/frames.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const BTC = 11;
const ETH = 12;

const running: TestServer[] = [];

/** A server over an engine that has these instruments beside the two that it always has. */
async function serve(...names: readonly string[]): Promise<TestServer> {
  const native = new FakeNative(1 << 24);
  for (const [at, name] of names.entries()) native.catalogue.push(instrument(100 + at, name));
  const server = await startServer({}, new Map(), native);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

describe('HTTP', () => {
  it('is degraded while no book is synced, and names the stale ones with their reasons', async () => {
    const { url, native } = await serve();
    const health = async (): Promise<unknown> => {
      const answer = await fetch(`${url}/health`);
      const { status, stale, books } = (await answer.json()) as Record<string, unknown>;
      return { http: answer.status, status, stale, books };
    };
    const book = native.book(BTC);
    native.books.set(BTC, { ...book, state: 'stale', reason: 'source_failed' });
    expect(await health()).toEqual({
      http: 200,
      status: 'ok',
      stale: [{ instrument: 'sim:BTCUSDT', reason: 'source_failed' }],
      books: { synced: 1, syncing: 0, stale: 1 },
    });
    native.books.set(ETH, { ...book, state: 'syncing' });
    expect(await health()).toMatchObject({ http: 200, status: 'degraded' });
    native.books.set(ETH, book);
    native.books.set(BTC, book);
    expect(await health()).toMatchObject({ http: 200, status: 'ok', stale: [] });
  });

  it('says of each source how its connections and its books do', async () => {
    const { url, native, server } = await serve();
    const connection = {
      url: 'wss://v',
      line: 0,
      state: 'open',
      connectedSinceMs: 5,
      reconnects: 1,
      lastLoss: 'x',
    };
    const lost = { ...connection, line: 1, state: 'waiting', connectedSinceMs: 0 };
    server.sources = () => [
      { name: 'a', kind: 'live', startedMs: 1, instruments: [BTC, ETH], connections: [connection, lost] },
      { name: 'b', kind: 'live', startedMs: 1, instruments: [], connections: [lost] },
      { name: 'c', kind: 'recording', startedMs: 7, instruments: [ETH], connections: [] },
    ];
    const book = native.book(BTC);
    const checked = { checksumsChecked: 3, checksumsMatched: 2, topsChecked: 5, topsMatched: 5 };
    native.books.set(BTC, { ...book, ...checked, losses: 2, lostMs: 90, mendedMs: 40 });
    native.books.set(ETH, {
      ...book,
      ...checked,
      losses: 1,
      lostMs: 80,
      mendedMs: 70,
      state: 'stale',
      reason: 'gap',
    });
    const sources = async (path: string): Promise<unknown> =>
      ((await (await fetch(`${url}${path}`)).json()) as { readonly sources: unknown }).sources;
    const told = await sources('/v1/sources');
    expect(told).toEqual([
      {
        name: 'a',
        kind: 'live',
        connections: [connection, lost],
        connectedSinceMs: 5,
        books: { synced: 1, syncing: 0, stale: 1 },
        checksums: { checked: 6, matched: 4 },
        tops: { checked: 10, matched: 10 },
        lastGap: { instrument: 'sim:BTCUSDT', atMs: 90, mendedMs: 40 },
      },
      expect.objectContaining({ name: 'b', connectedSinceMs: null, lastGap: null }),
      expect.objectContaining({
        name: 'c',
        connectedSinceMs: 7,
        lastGap: { instrument: 'sim:ETHUSDT', atMs: 80, mendedMs: null },
      }),
    ]);
    expect(await sources('/health')).toEqual(told);
  });

  it('serves other instruments from one moment to the next', async () => {
    const { url, native, server } = await serve();
    const names = async (): Promise<readonly string[]> => {
      const { instruments } = (await (await fetch(`${url}/v1/instruments`)).json()) as {
        instruments: { name: string }[];
      };
      return instruments.map(({ name }) => name);
    };
    expect(await names()).toEqual(['sim:BTCUSDT', 'sim:ETHUSDT']);
    server.serve(native.catalogue.slice(1));
    expect(await names()).toEqual(['sim:ETHUSDT']);
    expect((await fetch(`${url}/v1/book/sim:BTCUSDT`)).status).toBe(404);
  });

  it('tells the scale that an instrument has now, there and in acknowledgements', async () => {
    const { url, native, port, engine } = await serve();
    const [btc] = native.catalogue;
    Object.assign(engine, { instrument: (id: number) => ({ ...btc, id, priceExponent: -4, tickSize: 25 }) });
    const listed = await (await fetch(`${url}/v1/instruments`)).json();
    expect(listed).toMatchObject({
      instruments: [{ id: BTC, priceExponent: -4, tickSize: 25 }, { id: ETH }],
    });
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'trades', instrument: 'sim:BTCUSDT' });
    await client.count(2);
    expect(client.control[1]).toMatchObject({ op: 'subscribed', priceExponent: -4, tickSize: 25 });
  });

  it('names no more stale books than a reader takes in, and counts them all', async () => {
    const { url, native } = await serve(...Array.from({ length: 30 }, (_, at) => `sim:X${at}`));
    for (const { id } of native.catalogue)
      native.books.set(id, { ...native.book(id), state: 'stale', reason: 'gap' });
    const { status, stale, books } = (await (await fetch(`${url}/health`)).json()) as {
      readonly status: string;
      readonly stale: readonly unknown[];
      readonly books: object;
    };
    expect([status, stale.length, books]).toEqual(['degraded', 20, { synced: 0, syncing: 0, stale: 32 }]);
  });

  it.each([
    ['kraken:BTC/USD', 'kraken:BTC%2FUSD'],
    ['kraken:BTC/USD', 'kraken:BTC/USD'],
    ['binance:币安人生USDT', `binance:${encodeURIComponent('币安人生USDT')}`],
    ['bitfinex:tBTCF0:USTF0', 'bitfinex:tBTCF0:USTF0'],
    ['nasdaq:AB%2F', 'nasdaq%3AAB%252F'],
    ['hyperliquid:@107', 'hyperliquid:@107'],
  ])('finds the book of %s at %s', async (name, path) => {
    const { url } = await serve(name);
    const answer = await fetch(`${url}/v1/book/${path}`);
    expect([answer.status, ((await answer.json()) as { instrument: string }).instrument]).toEqual([
      200,
      name,
    ]);
    const near = await fetch(`${url}/v1/book/${encodeURIComponent(`${name}Q`)}`);
    const { error } = (await near.json()) as { error: { fix: string } };
    expect(error.fix).toBe(`Ask for /v1/book/${encodeURIComponent(name).replaceAll('%3A', ':')}.`);
  });

  it.each([
    [0, { beyondKnown: false, crossed: false }],
    [Flag.beyondKnown, { beyondKnown: true, crossed: false }],
    [Flag.crossed, { beyondKnown: false, crossed: true }],
  ])('tells of every doubt and every digit of a book whose flags are %i', async (flags, doubts) => {
    const { url, native } = await serve();
    const bids = [[2n ** 60n, 2n ** 63n - 1n]] as const;
    native.images.set(
      `${BTC}/1`,
      frame({
        kind: Kind.image,
        epoch: 7_520_384_216_498_177n,
        seq: 418,
        flags,
        bids,
        asks: [],
        check: checkOf(bids, []),
        info: { bidKnownTo: 2n ** 60n },
      }),
    );
    expect(await (await fetch(`${url}/v1/book/sim:BTCUSDT`)).json()).toMatchObject({
      state: 'synced',
      ...doubts,
      bidKnownTo: '11529215046068469.76',
      askKnownTo: null,
      bids: [['11529215046068469.76', '92233720368547.75807']],
    });
  });
});
