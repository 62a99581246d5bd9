import { expect, test } from 'vitest';
import { WatchLimits } from '../src/cli/watch-limits.js';
import { stream } from '../src/cli/watch-stream.js';
import { configFrom } from '../src/config.js';
import { ConsolidatedBooks } from '../src/consolidated-books.js';
import { type Engine, STREAM } from '../src/engine.js';
import { serveFeed } from '../src/served-feed.js';
import { channel, connect, memberOf } from '../src/wire/index.js';

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

const NAMES = ['hyperliquid:AAA', 'hyperliquid:BBB'] as const;

/** Two instruments of a venue that tells whole books. */
class TwoBooks {
  readonly name = 'two books';
  engine: Engine | undefined;
  sources: readonly number[] = [];

  open(engine: Engine): readonly number[] {
    this.engine = engine;
    const ids = NAMES.map((name) => engine.addInstrument(name));
    this.sources = ids.map((id) => engine.openSource('hyperliquid', [id]));
    return ids;
  }

  tell(at: number, timeMs: number, bid: readonly [string, string], ask: readonly [string, string]): void {
    const row = ([px, sz]: readonly [string, string]): object => ({ px, sz, n: 1 });
    const data = { coin: NAMES[at]?.slice(-3), time: timeMs, levels: [[row(bid)], [row(ask)]] };
    const text = JSON.stringify({ channel: 'l2Book', data });
    this.engine?.ingest(this.sources[at] as number, new TextEncoder().encode(text));
  }
}

test('a consolidated book is an instrument like any other, and says whose its levels are', async () => {
  const source = new TwoBooks();
  const config = { server: { port: 0 }, consolidated: { X: { of: [...NAMES] } } };
  await using served = await serveFeed({ source, config, page: false });
  expect(served.instruments.map(({ name }) => name)).toContain('consolidated:X');
  const id = served.instruments.find(({ name }) => name === 'consolidated:X')?.id as number;
  const [first, second] = NAMES.map((name) => served.instruments.find((one) => one.name === name)?.id);
  expect(served.engine.members(id)).toEqual([
    { instrument: first, isIn: false, reason: 'syncing' },
    { instrument: second, isIn: false, reason: 'syncing' },
  ]);
  expect(served.engine.members(first as number)).toBeNull();
  source.tell(0, 1000, ['10.5', '2'], ['11', '1']);
  source.tell(1, 1001, ['10.5', '3'], ['10.75', '4']);

  const feed = connect(`${served.url.replace('http', 'ws')}v1/feed`);
  const orders = feed.subscribe(channel.orders, 'consolidated:X');
  for await (const book of feed.book('consolidated:X')) {
    if (book.state !== 'synced') continue;
    expect([book.bestBid, book.bestAsk]).toEqual([
      { price: 1050, qty: 5 },
      { price: 1075, qty: 4 },
    ]);
    break;
  }
  await expect.poll(() => orders.orders.state).toBe('synced');
  const owners = [...orders.orders.queue('bid', 1050)].map((order) => [memberOf(order.id, NAMES), order.qty]);
  expect(owners).toEqual([
    [NAMES[0], 2],
    [NAMES[1], 3],
  ]);
  const answer = async (path: string): Promise<Record<string, unknown>> =>
    (await fetch(`${served.url}v1/${path}`)).json() as Promise<Record<string, unknown>>;
  const told = expect.stringMatching(/^\d{19}$/);
  expect(await answer('book/consolidated:X')).toMatchObject({
    bids: [['10.5', '5']],
    bidParts: [
      [
        [NAMES[0], '2', told],
        [NAMES[1], '3', told],
      ],
    ],
    askParts: [[[NAMES[1], '4', told]], [[NAMES[0], '1', told]]],
  });

  // One is lost: its levels are gone with the same call, and it is named.
  served.engine.sourceFailed(source.sources[1] as number);
  expect(served.engine.venueParts(id, 5).asks.map((part) => part.instrument)).toEqual([first]);
  await expect.poll(() => orders.orders.count()).toBe(2);
  const { instruments } = (await answer('instruments')) as { instruments: Record<string, unknown>[] };
  expect(instruments.find(({ name }) => name === 'consolidated:X')).toMatchObject({
    state: 'synced',
    members: [
      { instrument: NAMES[0], isIn: true, reason: 'none' },
      { instrument: NAMES[1], isIn: false, reason: 'source_failed' },
    ],
  });
  expect(instruments.find(({ name }) => name === NAMES[0])).not.toHaveProperty('members');
  expect(await answer(`book/${NAMES[0]}`)).not.toHaveProperty('bidParts');
  feed.close();
});

test('an order is a member’s where there are members', () => {
  expect([memberOf(4, NAMES), memberOf(2n ** 60n + 1n, NAMES)]).toEqual([NAMES[0], NAMES[1]]);
  expect([memberOf(4, []), memberOf('text', NAMES), memberOf(undefined, NAMES)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('depthwire watch names the venue of each order', async () => {
  const source = new TwoBooks();
  const config = { server: { port: 0 }, consolidated: { X: { of: [...NAMES] } } };
  await using served = await serveFeed({ source, config, page: false });
  source.tell(0, 1000, ['10', '2'], ['11', '1']);
  const feed = connect(`${served.url.replace('http', 'ws')}v1/feed`);
  const lines: string[] = [];
  const limits = new WatchLimits({ countMax: 3, timeoutMs: 5000 }, new AbortController().signal);
  limits.signal.addEventListener('abort', () => feed.close());
  const write = async (text: string): Promise<void> => {
    lines.push(text);
    // Behind each image the other one comes in, or changes.
    for (const qty of ['3', '5'])
      source.tell(1, 1000 + 10 * lines.length + Number(qty), ['10', qty], ['11', '4']);
  };
  const options = {
    instruments: ['consolidated:X'],
    channel: 'orders',
    depth: 5,
    grouping: undefined,
    limits,
  };
  await stream(feed, options as Parameters<typeof stream>[1], { write });
  expect(lines.join('')).toContain(`"venue":"${NAMES[1]}"`);
});

test('a depth view and costs of a consolidated book are those of any other', async () => {
  const source = new TwoBooks();
  const config = { server: { port: 0 }, consolidated: { X: { of: [...NAMES] } } };
  await using served = await serveFeed({ source, config, page: false });
  const id = served.instruments.find(({ name }) => name === 'consolidated:X')?.id as number;
  const [depth, costs] = [served.engine.openDepth(id, 5, 0), served.engine.openCosts(id, 0, [3n])];
  source.tell(0, 1000, ['10', '2'], ['11', '1']);
  source.tell(1, 1001, ['10', '3'], ['11', '4']);
  const out = new Uint8Array(1 << 16);
  for (const stream of [depth, costs, STREAM.bbo, STREAM.status])
    expect(served.engine.image(id, stream, out)).toBeGreaterThan(0);
  expect(served.engine.depth(id, 1).bids).toEqual([{ price: 10, qty: 5 }]);
});

test('a book whose instruments are not there is refused at the start, or waits for a list', () => {
  const instruments = [{ name: 'kraken:BTC/USD', id: 7 }] as unknown as ReturnType<Engine['instruments']>;
  const made: unknown[] = [];
  const maker = {
    instruments: () => instruments,
    consolidate: (...given: unknown[]) => made.push(given),
  };
  const { consolidated } = configFrom({
    consolidated: { 'BTC-USD': { of: ['kraken:BTC/USD', 'coinbase:BTC-USD'], same: ['USD=USDC'] } },
  });
  const refused = thrownBy(() => new ConsolidatedBooks(maker, consolidated, () => {}).begin(() => false));
  expect(refused).toMatchObject({
    code: 'consolidated.instrument',
    where: 'consolidated.BTC-USD.of.1',
    got: 'coinbase:BTC-USD',
  });
  const books = new ConsolidatedBooks(maker, consolidated, () => {});
  books.begin((name) => name.startsWith('coinbase:'));
  expect([made, books.ids]).toEqual([[], []]);
  (instruments as unknown[] as { name: string; id: number }[]).push({ name: 'coinbase:BTC-USD', id: 9 });
  books.goOn();
  books.goOn();
  expect([made, books.ids]).toEqual([[['BTC-USD', [7, 9], ['USD=USDC']]], [1]]);
});

test('one that the engine refuses later is told once', () => {
  const told: string[] = [];
  const maker = {
    instruments: () =>
      [
        { name: 'a:A', id: 1 },
        { name: 'b:B', id: 2 },
      ] as unknown as ReturnType<Engine['instruments']>,
    consolidate: () => {
      throw new Error('another asset');
    },
  };
  const books = new ConsolidatedBooks(maker, { X: { of: ['a:A', 'b:B'], same: [] } }, (line) =>
    told.push(line),
  );
  books.goOn();
  books.goOn();
  expect(told).toHaveLength(1);
});

test('what is wrong in a configuration is named with its key', () => {
  const wrong = (consolidated: unknown) => thrownBy(() => configFrom({ consolidated }));
  expect(wrong({ X: { of: ['a:A'] } })).toMatchObject({ code: 'config.invalid' });
  expect(wrong({ X: { of: ['a:A', 'b'] } })).toMatchObject({ code: 'config.invalid' });
  expect(wrong({ X: { of: ['a:A', 'b:B'], same: ['USD'] } })).toMatchObject({ code: 'config.invalid' });
  expect(wrong({ X: { of: ['a:A', 'b:B'], and: [] } })).toMatchObject({ code: 'config.unknown_key' });
});
