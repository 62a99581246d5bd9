import { describe, expect, it, type TestContext } from 'vitest';
import { type Engine, instrumentName, openEngine } from '../src/engine.js';
import type { DepthwireError } from '../src/errors.js';
import { FAKE_ACCOUNT, FakeVenue, type FakeVenueOptions } from '../src/fake-venue/fake-venue.js';
import { SYSTEM_CLOCK } from '../src/ingest/clock.js';
import { type LiveSource, LiveVenues } from '../src/ingest/live-venues.js';
import { productFacts } from '../src/ingest/venues/index.js';
import { until } from './support/fake-venue.js';

/** Products that the fake venue speaks with several instruments on one connection, and their instruments. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  binance: ['BTCUSDT', 'ETHUSDT', 'AAAUSDT'],
  'binance-usdm': ['BTCUSDT', 'ETHUSDT', 'AAAUSDT'],
  'binance-coinm': ['BTCUSD_PERP', 'ETHUSD_PERP'],
  'bybit-inverse': ['BTCUSD'],
  'bybit-option': ['BTC-27MAR26-100000-C-USDT'],
  deribit: ['BTC-PERPETUAL', 'BTC-25JUN27', 'BTC-27MAR26-100000-C'],
  kraken: ['BTC/USD', 'PEPE/USD', 'XAA/USD'],
};
const PRODUCTS = Object.keys(CODES);

interface Rig {
  readonly venue: FakeVenue;
  readonly engine: Engine;
  readonly live: LiveVenues;
  readonly ids: readonly number[];
  readonly names: readonly string[];
  readonly faults: DepthwireError[];
}

/** A product over the sockets of a fake venue that keeps its limits, for one test. */
async function rig(
  { onTestFinished }: TestContext,
  product: string,
  codes = CODES[product] ?? [],
  more: Partial<LiveSource> = {},
  options: Omit<FakeVenueOptions, 'products'> = {},
): Promise<Rig> {
  const facts = productFacts(product);
  if (facts === undefined) throw new Error(`no facts of ${product}`);
  const venue = new FakeVenue({ products: [{ ...facts, codes }], ...options });
  await venue.listen();
  onTestFinished(() => venue.stop());
  const wiring: { live?: LiveVenues } = {};
  const faults: DepthwireError[] = [];
  const engine = openEngine(
    { startId: 1, replay: false, outputBytes: 32 << 20 },
    {
      onFrame() {},
      onAsk: (ask) => wiring.live?.ask(ask),
      onSay: (source, text) => wiring.live?.say(source, text),
      onFault: (fault) => faults.push(fault),
    },
  );
  onTestFinished(() => engine.close());
  const names = codes.map((code) => instrumentName(`${product}:${code}`));
  for (const name of names) engine.addInstrument(name);
  const source: LiveSource = {
    name: product,
    venue: product,
    instruments: names,
    depth: product === 'binance' ? 5000 : undefined,
    urls: Object.fromEntries(venue.hosts().map(({ venue: from, fake }) => [from, fake])),
    ...(venue.certificate === null ? {} : { ca: venue.certificate }),
    ...more,
  };
  const live = new LiveVenues([source], {
    clock: SYSTEM_CLOCK,
    random: Math.random,
    onFault: (fault) => faults.push(fault),
  });
  wiring.live = live;
  onTestFinished(() => live.stop());
  const ids = live.open(engine);
  live.start();
  const timer = setInterval(() => engine.tick(), 10);
  onTestFinished(() => clearInterval(timer));
  return { venue, engine, live, ids, names, faults };
}

function isSynced({ engine, ids }: Rig): boolean {
  return ids.every((id) => engine.book(id).state === 'synced');
}

/** Waits until every book is synced. */
async function synced(all: Rig, msMax = 15_000): Promise<void> {
  await until(() => isSynced(all), msMax).catch((cause: unknown) => {
    const books = all.ids.map((id) => `${all.engine.book(id).state} ${all.engine.book(id).reason}`);
    throw new Error(`${books.join(', ')}: ${JSON.stringify(all.live.status())}`, { cause });
  });
}

/** Waits until the stream has gone on behind the snapshots. */
async function heardOn({ engine }: Rig): Promise<void> {
  const before = engine.stats().applied;
  await until(() => engine.stats().applied > before + 50);
}

/**
 * Stops the market and compares every book with the venue's own: whole, or by the venue's number where a snapshot does not
 * reach to its end.
 */
async function agrees(all: Rig, codes: readonly string[]): Promise<void> {
  all.venue.pause();
  await until(() =>
    all.ids.every((id, at) => {
      const { seq = -1n, digest, bids = 0, asks = 0 } = all.venue.hearings(codes[at] ?? '')[0]?.truth() ?? {};
      const book = all.engine.book(id);
      const isWhole = book.bids === bids && book.asks === asks;
      return isWhole ? all.engine.digest(id) === digest : seq > 0n && book.venueSeq === seq;
    }),
  );
  expect(isSynced(all)).toBe(true);
  all.venue.resume();
}

// Products beside each other, as most of it is waiting.
describe.concurrent.each(PRODUCTS)('%s', (product) => {
  const codes = CODES[product] ?? [];

  it('is heard: every book becomes the venue’s own, within its limits', async (test) => {
    const all = await rig(test, product);
    await synced(all);
    await heardOn(all);
    await agrees(all, codes);
    const { gaps, decodeErrors, contradictions } = all.engine.stats();
    expect([gaps, decodeErrors, contradictions]).toEqual([0, 0, 0]);
    expect(all.venue.breaches()).toEqual([]);
    expect(all.faults).toEqual([]);
  });

  it('is cut: books are stale at once, and the venue’s own again', async (test) => {
    const all = await rig(test, product);
    await synced(all);
    all.venue.cutAll();
    await until(() => all.ids.every((id) => all.engine.book(id).state === 'stale'));
    await synced(all);
    await heardOn(all);
    await agrees(all, codes);
    expect(all.ids.map((id) => all.engine.book(id).losses)).toEqual(codes.map(() => 1));
    expect(all.faults.map(({ code }) => code)).toContain('live.connection');
    expect(all.venue.breaches()).toEqual([]);
  });

  it('loses frames, breaks off, answers with pages and stalls: no book is ever wrong, all come back', async (test) => {
    const all = await rig(
      test,
      product,
      codes,
      {},
      {
        faults: [
          { kind: 'drop', at: 40, every: 97, channel: 'book' },
          { kind: 'truncate', at: 60, every: 211, channel: 'book' },
          { kind: 'cut', at: 300 },
          { kind: 'connect-refused', at: 2, ms: 1 },
          { kind: 'answer-html', at: 2 },
          { kind: 'answer-500', at: 4 },
          { kind: 'answer-429', at: 5 },
        ],
      },
    );
    await until(() => (all.venue.faults.happened.get('drop') ?? 0) >= 2, 40_000);
    await synced(all);
    expect(all.venue.breaches()).toEqual([]);
  }, 90_000);

  it('speaks over TLS', async (test) => {
    const all = await rig(test, product, codes, {}, { tls: true });
    await synced(all);
    expect(all.live.status()[0]?.connections[0]?.url).toMatch(/^wss:/);
  });
});

describe('orders with a key', () => {
  it('Kraken level3: a token for each connection, signed, and true queues', async (test) => {
    const all = await rig(test, 'kraken', ['BTC/USD'], {
      channels: ['orders'],
      depth: 10,
      keys: { key: FAKE_ACCOUNT.key, secret: FAKE_ACCOUNT.secret },
    });
    await synced(all);
    await until(() => all.engine.stats().checksumsChecked > 20);
    all.venue.cutAll();
    await until(() => all.engine.book(all.ids[0] ?? 0).losses === 1);
    await synced(all);
    const { checksumsChecked, checksumsMatched, orders } = all.engine.stats();
    expect(checksumsMatched).toBe(checksumsChecked);
    expect(orders.adds).toBeGreaterThan(0);
    const logins = all.venue.ledger.requests.filter(({ where }) => where.includes('GetWebSocketsToken'));
    expect(logins).toHaveLength(2);
    expect(all.venue.breaches()).toEqual([]);
  });

  it('without one they are refused before anything is connected', async (test) => {
    await expect(rig(test, 'kraken', ['BTC/USD'], { channels: ['orders'] })).rejects.toMatchObject({
      code: 'live.needs_key',
    });
  });
});

describe('sources that come and go', () => {
  it('use the engine’s connections again, and one that cannot be opened leaves nothing', async (test) => {
    const all = await rig(test, 'kraken', ['BTC/USD']);
    const source: LiveSource = { name: 'more', venue: 'kraken', instruments: all.names };
    // More than an engine has.
    for (let times = 0; times < 1100; times += 1) {
      all.live.add(source);
      all.live.remove('more');
    }
    expect(() => all.live.add({ ...source, channels: ['orders'] })).toThrow(
      expect.objectContaining({ code: 'live.needs_key' }) as Error,
    );
    expect(all.live.status().map(({ name }) => name)).toEqual(['kraken']);
    await synced(all);
    expect(all.faults).toEqual([]);
  });
});
