import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import { frame } from './support/fake-engine.js';
import { frameOf, OPCODE, RawClient } from './support/raw-websocket.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const BTC = 11;
const SUBSCRIBE = { op: 'subscribe', id: 1, channel: 'trades', instrument: 'sim:BTCUSDT' };

const servers: TestServer[] = [];
const clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) await server.stop();
});

describe.each(['uws', 'ws'] as const)('a server over %s', (transport) => {
  async function serve(input: ConfigInput = {}): Promise<TestServer> {
    const server = await startServer({ ...input, server: { transport } });
    servers.push(server);
    return server;
  }

  async function subscribed(port: number): Promise<TestClient> {
    const client = await TestClient.open(port);
    client.send(SUBSCRIBE);
    await client.until(() => client.control.some(({ op }) => op === 'subscribed'), 'grant');
    return client;
  }

  async function raw(port: number): Promise<RawClient> {
    const client = await RawClient.open(port);
    clients.push(client);
    return client;
  }

  /** A client that behaves gets each of `count` frames once and in order while `meanwhile` happens. */
  async function expectAll(
    { publish, port }: TestServer,
    size: number,
    meanwhile: () => Promise<void>,
  ): Promise<void> {
    const good = await subscribed(port);
    const frames = (): string[] => good.received.filter((message) => typeof message === 'string');
    let sent = 0;
    const timer = setInterval(() => publish(BTC, STREAM.trades, frame(`${sent++} ${'x'.repeat(size)}`)), 2);
    try {
      await meanwhile();
    } finally {
      clearInterval(timer);
    }
    await good.until(() => Number.parseInt(frames().at(-1) ?? '', 10) === sent - 1, 'last frame');
    const numbers = frames().map((text) => Number.parseInt(text, 10));
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, at) => sent - numbers.length + at));
    expect(good.closeCode).toBeUndefined();
  }

  it.each([
    ['pings without payload', frameOf(OPCODE.ping)],
    ['pings of 125 bytes', frameOf(OPCODE.ping, 'x'.repeat(125))],
  ])('closes a flood of %s with 4429, and others lose nothing', async (_what, ping) => {
    const server = await serve();
    await expectAll(server, 10, async () => {
      const bad = await raw(server.port);
      const flood = Buffer.concat(Array.from({ length: 5000 }, () => ping));
      const startMs = performance.now();
      bad.send(flood);
      expect(await bad.ended()).toBe(4429);
      expect(performance.now() - startMs).toBeLessThan(1000);
    });
    await expect.poll(() => server.server.counted.closedFor('rate')).toBe(1);
  });

  it('holds a bounded part of the feed for a client that takes a byte a second, and others lose nothing', async () => {
    const server = await serve({
      limits: { backpressureSoftBytes: 65_536, backpressureHardBytes: 262_144, slowMs: 60_000 },
    });
    let waitingMax = 0;
    await expectAll(server, 20_000, async () => {
      const bad = await raw(server.port);
      bad.send(frameOf(OPCODE.text, JSON.stringify(SUBSCRIBE)));
      await bad.until(() => bad.texts.some((text) => text.includes('"subscribed"')), 'grant');
      bad.socket.pause();
      const timer = setInterval(() => bad.socket.read(1), 1000);
      const cut = (): number =>
        server.server.counted.closedFor('too_slow') + server.server.counted.closedFor('too_slow_cut');
      for (const late = performance.now() + 10_000; cut() === 0; await new Promise(setImmediate)) {
        waitingMax = Math.max(waitingMax, server.server.waitingBytes);
        if (performance.now() > late) break;
      }
      clearInterval(timer);
      expect(cut()).toBe(1);
    });
    // The limit, and what one turn adds to it.
    expect(waitingMax).toBeGreaterThan(0);
    expect(waitingMax).toBeLessThan(4 << 20);
  });
});
