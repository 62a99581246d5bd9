import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Engine, openEngine } from '../src/engine.js';
import { FakeVenue } from '../src/fake-venue/fake-venue.js';
import { SYSTEM_CLOCK } from '../src/ingest/clock.js';
import { LiveVenues } from '../src/ingest/live-venues.js';
import { productFacts } from '../src/ingest/venues/index.js';
import { bookOf, codesOf } from './support/live-rig.js';

const TICK_MS = 10;
const WAIT_MS = 20_000;

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Hands everything on between clients and a venue, and can say something itself. */
class Relay {
  readonly clients: { readonly socket: WebSocket; isClosed: boolean }[] = [];
  readonly #server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

  constructor(venue: string) {
    this.#server.on('connection', (socket, request) => {
      const client = { socket, isClosed: false };
      this.clients.push(client);
      const onward = new WebSocket(`${venue}${request.url ?? '/'}`);
      const waiting: string[] = [];
      socket.on('message', (data) => {
        if (onward.readyState === WebSocket.OPEN) onward.send(String(data));
        else waiting.push(String(data));
      });
      onward.on('open', () => {
        for (const text of waiting) onward.send(text);
      });
      onward.on('message', (data) => socket.send(data, { binary: false }));
      onward.on('close', () => socket.terminate());
      onward.on('error', () => socket.terminate());
      socket.on('close', () => {
        client.isClosed = true;
        onward.terminate();
      });
    });
  }

  get url(): string {
    const address = this.#server.address();
    return `ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  async listening(): Promise<void> {
    if (this.#server.address() === null)
      await new Promise((resolve) => this.#server.once('listening', resolve));
  }

  close(): Promise<void> {
    for (const { socket } of this.clients) socket.terminate();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
}

/** Two books of a product, whose sockets lead over a relay, all synced. */
async function heard(name: string): Promise<{ relay: Relay; engine: Engine; ids: readonly number[] }> {
  const found = productFacts(name);
  if (found === undefined) throw new Error(name);
  const codes = codesOf(name, 2);
  const venue = new FakeVenue({ products: [{ ...found, codes }] });
  await venue.listen();
  const wiring: { live?: LiveVenues } = {};
  const engine = openEngine(
    { startId: 1, replay: false, outputBytes: 16 << 20 },
    {
      onFrame() {},
      onAsk: (ask) => wiring.live?.ask(ask),
      onSay: (source, text) => wiring.live?.say(source, text),
      onFault() {},
    },
  );
  const ids = codes.map((code) => engine.addInstrument(`${name}:${code}`));
  const [relayed] = venue.hosts().filter(({ venue }) => venue.startsWith('ws'));
  const relay = new Relay(relayed?.fake ?? '');
  await relay.listening();
  const urls = venue.hosts().map(({ venue, fake }) => [venue, fake.startsWith('ws') ? relay.url : fake]);
  const live = new LiveVenues(
    [
      {
        name,
        venue: name,
        instruments: ids.map((id) => engine.instrument(id).name),
        channels: [bookOf(found.product)],
        urls: Object.fromEntries(urls) as Record<string, string>,
      },
    ],
    { clock: SYSTEM_CLOCK, random: Math.random, onFault: () => {} },
  );
  wiring.live = live;
  live.open(engine);
  const timer = setInterval(() => engine.tick(), TICK_MS);
  closing.push(
    () => engine.close(),
    () => venue.stop(),
    () => relay.close(),
    () => live.stop(),
    () => clearInterval(timer),
  );
  live.start();
  await until(() => ids.every((id) => engine.book(id).state === 'synced'), 'all books');
  return { relay, engine, ids };
}

describe('a connection whose end the venue announces', () => {
  it.each([
    ['binance', '{"event":{"e":"serverShutdown","E":1770123456789}}'],
    ['binance', '{"e":"serverShutdown","E":1770123456789}'],
    [
      'okx',
      '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.","connId":"a4d3ae55"}',
    ],
    ['bitstamp', '{"event":"bts:request_reconnect","channel":"","data":""}'],
  ])('%s: is succeeded at once, and no book is stale for a moment', async (name, farewell) => {
    const { relay, engine, ids } = await heard(name);
    const [first] = relay.clients;
    first?.socket.send(farewell);
    first?.socket.send(farewell);
    await until(() => first?.isClosed === true, 'the end of the first connection');
    expect(relay.clients.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    const before = ids.map((id) => engine.book(id).seq);
    await until(() => ids.every((id, at) => engine.book(id).seq !== before[at]), 'what follows');
    expect(ids.map((id) => engine.book(id))).toEqual(
      ids.map(() => expect.objectContaining({ state: 'synced', losses: 0 }) as unknown),
    );
    expect(engine.stats().gaps + engine.stats().decodeErrors).toBe(0);
  });

  it('is kept to its end where a book of orders could not be handed over', async () => {
    const { relay } = await heard('bitstamp-orders');
    relay.clients[0]?.socket.send('{"event":"bts:request_reconnect","channel":"","data":""}');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(relay.clients.map(({ isClosed }) => isClosed)).toEqual([false]);
  });
});
