import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { type Serving, startServing } from '../src/cli/serve.js';
import { type ConfigInput, configFrom } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import { type BookSubscription, connect, type Feed, type Resynced } from '../src/wire/index.js';
import { until } from './support/served-recording.js';
import { TestClient } from './support/server.js';

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function serve(input: ConfigInput = {}, said: string[] = []): Promise<Serving> {
  const server = { port: 0, drainMs: 300, gateways: 2, ...input.server };
  const serving = await startServing(configFrom({ ...input, server }), new Map(), (line) => {
    said.push(line);
  });
  ended.push(() => serving.stop('test is over'));
  return serving;
}

function feedOf(serving: Serving): Feed {
  const feed = connect(`ws://127.0.0.1:${serving.port}/v1/feed`, {
    reconnect: { delayMs: 10, delayMsMax: 100 },
  });
  ended.push(() => feed.close());
  return feed;
}

const pidsOf = ({ server }: Serving): readonly number[] => server.gateways?.pids ?? [];

/** Clients of both gateways: the kernel spreads them, so of so many none is likely to be alone. */
const CLIENTS = 24;
const NAME = 'sim:BTCUSDT';

it('that is killed costs its own clients their connection, which they resume, and nobody else a frame', async () => {
  const said: string[] = [];
  const serving = await serve({}, said);
  const feeds = Array.from({ length: CLIENTS }, () => feedOf(serving));
  const resyncs: Resynced[] = [];
  const books: BookSubscription[] = feeds.map((feed) => {
    const book = feed.book(NAME);
    book.on('resync', (event) => resyncs.push(event));
    return book;
  });
  await until(() => books.every(({ state }) => state === 'synced'), 'books');
  await until(() => books.every(({ book }) => book.seq > 5), 'changes of all');
  const [victim = 0] = pidsOf(serving);
  process.kill(victim, 'SIGKILL');
  const cut = (): Feed[] => feeds.filter(({ counters }) => counters.reconnects > 0);
  await until(() => serving.server.gateways?.restarts === 1 && cut().length > 0, 'the end of a gateway');
  await until(() => books.every(({ state }) => state === 'synced'), 'books again');
  await until(() => resyncs.length >= cut().length, 'what was missed');
  expect(cut().length).toBeLessThan(CLIENTS);
  const { seq } = books[0]?.book ?? { seq: 0 };
  await until(() => books.every(({ book }) => book.seq > seq), 'changes of all');
  // Those that stay have missed nothing, those that were cut got what they missed.
  expect(feeds.map(({ counters: { checkFailures, gaps } }) => checkFailures + gaps)).toEqual(
    Array(CLIENTS).fill(0),
  );
  expect(resyncs.filter(({ by }) => by === 'image')).toEqual([]);
  expect(said.join()).toContain('gateway  1 of 2 ended (signal SIGKILL)');
  await until(() => serving.server.gateways?.running === 2, 'both gateways');
  expect(pidsOf(serving)).not.toContain(victim);
  // What it had counted is not forgotten.
  await until(() => serving.server.counted.clients === CLIENTS, 'the count of clients');
  expect(serving.server.counted.clientsTotal).toBeGreaterThanOrEqual(CLIENTS + cut().length);
});

it('that stands still holds up nobody, and is ended when it is a ring behind', async () => {
  const said: string[] = [];
  const serving = await serve({}, said);
  const { server, engine } = serving;
  const books = server.sources()[0]?.instruments ?? [];
  const [stopped = 0] = pidsOf(serving);
  process.kill(stopped, 'SIGSTOP');
  const feed = feedOf(serving);
  // Half of all handshakes go to the one that stands still.
  const spread = Array.from({ length: CLIENTS }, () => feedOf(serving).book(NAME));
  const book = feed.book(NAME);
  await until(() => [book, ...spread].filter(({ state }) => state === 'synced').length >= 3, 'some books');
  // A gateway that asks the server's process at this moment would stand still, too: all that can come are to be there.
  await pause(1000);
  const image = new Uint8Array(1 << 20);
  const size = engine.image(books[0] ?? 0, STREAM.book, image);
  // No stream of anybody, all in one turn: what matters is that the ring goes round, which the other one is given time for.
  for (let written = 0; written < 40 << 20; written += size) server.onFrameBytes(9999, 1, image, 0, size);
  await until(() => (server.gateways?.restarts ?? 0) >= 1, 'the end of the one that stood still');
  expect(said.filter((line) => line.includes('ended'))).toHaveLength(1);
  await until(() => server.gateways?.running === 2, 'both gateways');
  await until(() => [book, ...spread].every(({ state }) => state === 'synced'), 'all books');
  expect(said.join()).toContain('was a whole ring behind');
  expect(pidsOf(serving)).not.toContain(stopped);
});

it('share the count of clients', async () => {
  const serving = await serve({ limits: { clientsMax: 10 } });
  const clients = await Promise.all(Array.from({ length: 10 }, () => TestClient.open(serving.port)));
  const more = new TestClient(serving.port);
  expect(await more.closed()).toBe(1006);
  clients[0]?.socket.close();
  await until(() => serving.server.counted.clients === 9, 'the end of a client');
  await TestClient.open(serving.port);
  await until(() => serving.server.counted.clients === 10, 'another client');
  expect(serving.server.counted.clientsRefused).toBe(1);
});

it('answer HTTP as the server does, and are told of there', async () => {
  const serving = await serve();
  for (let i = 0; i < 8; i++) {
    const health = (await (await fetch(`${serving.url}health`)).json()) as Record<string, unknown>;
    expect(health).toMatchObject({ transport: 'uws', gateways: { wanted: 2, running: 2, restarts: 0 } });
    const book = await fetch(`${serving.url}v1/book/${encodeURIComponent(NAME)}?depth=5`);
    expect(book.status).toBe(200);
  }
  const metrics = await (await fetch(`${serving.url}metrics`)).text();
  expect(metrics).toContain('depthwire_gateways 2\n');
});

it('refuse a port that another server has, and a transport that cannot share it', async () => {
  const serving = await serve();
  await expect(serve({ server: { port: serving.port, gateways: 2 } })).rejects.toMatchObject({
    code: 'serve.port_taken',
  });
  await expect(serve({ server: { transport: 'ws', gateways: 2 } })).rejects.toMatchObject({
    code: 'serve.gateways_transport',
  });
});

it('say goodbye to their clients', async () => {
  const serving = await serve();
  const clients = await Promise.all(Array.from({ length: 8 }, () => TestClient.open(serving.port)));
  const pids = pidsOf(serving);
  await serving.stop('the day is over');
  expect(await Promise.all(clients.map((client) => client.closed()))).toEqual(Array(8).fill(1001));
  for (const client of clients)
    expect(client.control.at(-1)).toMatchObject({ op: 'shutdown', reason: 'the day is over' });
  await pause(0);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
});

it('keep every book right while clients come, go, ask again and are killed', async () => {
  const serving = await serve({ limits: { controlPerSecond: 10_000, controlBurst: 10_000 } });
  const names = ['sim:BTCUSDT', 'sim:ETHUSDT', 'sim:SOLUSDT'];
  let state = 7;
  const chance = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const feeds = Array.from({ length: 12 }, () => feedOf(serving));
  const open = new Map<Feed, Map<string, BookSubscription>>(feeds.map((feed) => [feed, new Map()]));
  const checked = (): number => feeds.reduce((sum, { counters }) => sum + counters.checks, 0);
  for (let step = 0; step < 600; step++) {
    const feed = feeds[chance(feeds.length)] ?? feedOf(serving);
    const held = open.get(feed) ?? new Map<string, BookSubscription>();
    const name = names[chance(names.length)] ?? NAME;
    const depth = [0, 5, 10, 20][chance(4)] ?? 0;
    const key = `${name} ${depth}`;
    const book = held.get(key);
    if (book !== undefined) {
      book.close();
      held.delete(key);
    } else {
      held.set(key, depth === 0 ? feed.book(name) : feed.depth(name, { depth, intervalMs: 0 }));
    }
    if (step === 300) process.kill(pidsOf(serving)[0] ?? 0, 'SIGKILL');
    if (step % 4 === 0) await pause(5);
  }
  const all = [...open.values()].flatMap((held) => [...held.values()]);
  await until(() => all.every((book) => book.state === 'synced'), 'all books');
  const before = checked();
  // A check each second of every book that changes: each of them compares the whole.
  await until(() => checked() >= before + all.length, 'checks of all');
  for (const { counters } of feeds) expect([counters.checkFailures, counters.gaps]).toEqual([0, 0]);
  await until(() => serving.server.counted.subscriptions >= all.length, 'counts');
});

it('is started again where its process cannot be had at first, and none outlives the server', async () => {
  const serving = await serve();
  const { server } = serving;
  for (let round = 1; round <= 3; round++) {
    for (const pid of pidsOf(serving)) process.kill(pid, 'SIGKILL');
    await until(
      () => (server.gateways?.restarts ?? 0) >= round * 2 && server.gateways?.running === 2,
      'both again',
    );
    const client = await TestClient.open(serving.port);
    client.socket.close();
  }
  // One that is beginning is ended with the others.
  process.kill(pidsOf(serving)[0] ?? 0, 'SIGKILL');
  await until(() => server.gateways?.running === 1, 'the end of one');
  const startMs = performance.now();
  await serving.stop('test is over');
  expect(performance.now() - startMs).toBeLessThan(2500);
});
