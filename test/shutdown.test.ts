import { describe, expect, it } from 'vitest';
import { frame } from './support/fake-engine.js';
import { startServer, TestClient } from './support/server.js';

describe('a server that stops', () => {
  it('tells every client why and closes with 1001, after what waits for it', async () => {
    const { port, server, native, publish, stop } = await startServer();
    const clients = [await TestClient.open(port), await TestClient.open(port)];
    for (const client of clients) {
      client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
      await client.count(2);
    }
    publish(11, 1, frame('last'));
    await stop();
    for (const client of clients) {
      expect(await client.closed()).toBe(1001);
      expect(client.received.slice(2)).toEqual([
        'last',
        { op: 'shutdown', reason: 'test is over', reconnectMs: 2000 },
      ]);
    }
    await expect.poll(() => server.counted.closedFor('drain')).toBe(2);
    expect(native.views.size).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  });

  it('does not wait longer than its time for a client that does not read', async () => {
    const { port, publish, stop, server } = await startServer({ server: { drainMs: 300 } });
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
    await client.count(2);
    client.socket.pause();
    while (!server.pressed()) {
      publish(11, 1, new Uint8Array(400_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const startMs = performance.now();
    await stop();
    expect(performance.now() - startMs).toBeLessThan(1000);
    client.socket.terminate();
  });

  it('takes nothing more from clients once it has said so', async () => {
    const { port, publish, stop, server, native } = await startServer({ server: { drainMs: 2000 } });
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
    await client.count(2);
    client.socket.pause();
    while (!server.pressed()) {
      publish(11, 1, new Uint8Array(400_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const stopped = stop();
    client.send({ op: 'subscribe', id: 2, channel: 'depth', instrument: 'sim:BTCUSDT', depth: 5 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(native.views.size).toBe(0);
    client.socket.resume();
    await stopped;
    expect(await client.closed()).toBe(1001);
    expect(client.control.at(-1)).toMatchObject({ op: 'shutdown', reason: 'test is over' });
  });

  it('is not ready first, and serves on for those who have not noticed yet', async () => {
    const { url, port, publish, stop, server } = await startServer({ server: { unreadyMs: 60_000 } });
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
    await client.count(2);
    void server.leave();
    expect((await fetch(`${url}/health`)).status).toBe(503);
    expect((await fetch(`${url}/v1/instruments`)).status).toBe(200);
    await TestClient.open(port);
    publish(11, 1, frame('goes on'));
    await client.count(3);
    expect(client.received[2]).toBe('goes on');
    await stop();
    expect(await client.closed()).toBe(1001);
  });

  it('stops once however often it is asked', async () => {
    const { stop, server } = await startServer();
    await Promise.all([stop(), server.drain('again')]);
    await server.drain('and again');
  });
});
