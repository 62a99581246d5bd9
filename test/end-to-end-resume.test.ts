import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import { type BookSubscription, channel, connect, type Resynced } from '../src/wire/index.js';
import { until } from './support/served-recording.js';

afterEach(() => vi.restoreAllMocks());

/** Connections to a port, which a test can cut. */
class Cable implements AsyncDisposable {
  readonly server: Server;
  private readonly sockets = new Set<Socket>();

  constructor(port: number) {
    this.server = createServer((near) => {
      const far = dial(port, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  async url(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/feed`;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

it('a group of books, and trades, go on where they stand after each of many lost connections', async () => {
  const serving = await startServing(configFrom({ server: { port: 0, drainMs: 300 } }), new Map(), () => {});
  await using cable = new Cable(serving.port);
  const feed = connect(await cable.url(), { reconnect: { delayMs: 10, delayMsMax: 200 } });
  const group = feed.books('sim:*');
  const trades = feed.subscribeAll(channel.trades, 'sim:*');
  const resyncs: Resynced[] = [];
  const tradeGaps: string[] = [];
  group.on('added', (book) => book.on('resync', (event) => resyncs.push(event)));
  trades.on('added', (tape) => {
    tape.on('resync', (event) => resyncs.push(event));
    tape.on('gap', ({ reason }) => tradeGaps.push(reason));
  });
  const books = (): BookSubscription[] => [...group.subscriptions.values()];
  const areSynced = (): boolean =>
    books().length === 4 &&
    [...books(), ...trades.subscriptions.values()].every(({ state }) => state === 'synced');
  await until(areSynced, 'four books and their trades');
  const kept = books();
  // While the books begin, the first epoch of the trades ends.
  await until(() => kept.every(({ book }) => book.seq > 1), 'first changes');
  tradeGaps.length = 0;
  const { gaps } = feed.counters;
  for (let round = 1; round <= 5; round += 1) {
    const seqs = kept.map(({ book }) => book.seq);
    await until(() => kept.every(({ book }, at) => book.seq > (seqs[at] ?? 0)), 'changes of every book');
    cable.cut();
    await until(() => kept.every(({ state }) => state !== 'synced'), 'stale books');
    await until(() => areSynced() && resyncs.length >= round * 8, `what was missed, round ${round}`);
  }
  expect(books()).toEqual(kept);
  expect(feed.counters.reconnects).toBeGreaterThanOrEqual(5);
  expect([feed.counters.checkFailures, feed.counters.gaps]).toEqual([0, gaps]);
  // The server keeps what was missed: nobody needs an image, and no trade is lost.
  expect([tradeGaps, resyncs.filter(({ by }) => by === 'image')]).toEqual([[], []]);
  expect(resyncs.some(({ by }) => by === 'net' || by === 'range')).toBe(true);
  for (const { cause, from, to } of resyncs) {
    expect(cause).toBe('reconnect');
    expect(to.epoch).toBe(from.epoch);
    expect(to.seq).toBeGreaterThanOrEqual(from.seq);
  }
  await feed.close();
  await serving.stop('test is over');
});

it('servers that start at the same moment do not take the places of one another for their own', async () => {
  vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000);
  const start = (seed: number) =>
    startServing(configFrom({ server: { port: 0, drainMs: 300 }, sim: { seed } }), new Map(), () => {});
  const servers = [await start(1), await start(2)] as const;
  const places = () =>
    servers.map(({ engine }) => {
      const { id } = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT') ?? { id: 0 };
      return { engine, id, ...engine.place(id, STREAM.book) };
    });
  await until(() => places().every(({ seq }) => seq > 3n), 'books');
  const [one, other] = places().sort((a, b) => Number(a.seq - b.seq));
  if (one === undefined || other === undefined) throw new Error('no servers');
  await until(() => other.engine.place(other.id, STREAM.book).seq > one.seq, 'a later sequence');
  const out = new Uint8Array(1 << 20);
  expect(other.engine.bring(other.id, STREAM.book, one.epoch, one.seq, 'net', out)).toBeGreaterThan(0);
  expect(other.engine.brought).toBe('image');
  expect(one.epoch).not.toBe(other.epoch);
  // Of the same start, for all that the clock says.
  expect(one.epoch >> 32n).toBe(other.epoch >> 32n);
  for (const server of servers) await server.stop('test is over');
});
