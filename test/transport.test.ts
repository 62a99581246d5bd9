import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type CloseCause, payloadBytesMax, Transport } from '../src/publish/transport.js';
import { frame } from './support/fake-engine.js';
import { startServer, TestClient } from './support/server.js';

describe('the port', () => {
  it('that another server of this kind holds is refused with the way to find it', async () => {
    const first = await startServer();
    await expect(startServer({ server: { port: first.port } })).rejects.toMatchObject({
      code: 'serve.port_taken',
      where: `127.0.0.1:${first.port}`,
      fix: expect.stringMatching(
        new RegExp(`ss -ltnp 'sport = :${first.port}'.*--port ${first.port + 1}`),
      ) as unknown as string,
    });
    // The refused one must not have taken clients away.
    const client = await TestClient.open(first.port);
    expect(client.received).toHaveLength(1);
    await first.stop();
  });

  it('that any other process holds is refused too', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startServer({ server: { port } })).rejects.toMatchObject({ code: 'serve.port_taken' });
    await new Promise((resolve) => other.close(resolve));
  });

  it('is free again at once after a stop', async () => {
    const first = await startServer();
    await first.stop();
    const second = await startServer({ server: { port: first.port } });
    expect(second.port).toBe(first.port);
    await second.stop();
  });
});

describe('the transport’s own limit', () => {
  it('is above ours, so that a client still gets an explanation', () => {
    for (const bytes of [256, 4096, 16_384, 65_536]) expect(payloadBytesMax(bytes)).toBeGreaterThan(bytes);
  });

  it('of waiting bytes ends a connection rather than leave a hole in it', async () => {
    const causes: CloseCause[] = [];
    const transport = new Transport(
      {
        path: '/v1/feed',
        protocol: 'depthwire.v1',
        controlBytesMax: 4096,
        backpressureBytesMax: 65_536,
        connectionsMax: 10,
        idleTimeoutSeconds: 60,
      },
      {
        onRequest: () => ({ status: '404 Not Found', headers: {}, body: '' }),
        onConnectionRefused() {},
        refuse: () => undefined,
        onOpen: (connection) => {
          connection.subscribe('topic');
          connection.sendText('{}');
          return {
            onText() {},
            onBinary() {},
            onOversize() {},
            onPing() {},
            onClose: (_code, cause) => causes.push(cause),
          };
        },
      },
    );
    const port = await transport.listen('127.0.0.1', 0);
    const client = await TestClient.open(port);
    client.socket.pause();
    let sent = 0;
    while (causes.length === 0 && sent < 2000) {
      for (let burst = 0; burst < 40; burst++) {
        transport.publish('topic', frame(`${sent} ${'x'.repeat(5000)}`));
        sent += 1;
      }
      await pause(1);
    }
    expect(causes).toEqual(['transport_backpressure']);
    client.socket.resume();
    await client.closed();
    const numbers = client.received.slice(1).map((text) => Number.parseInt(String(text), 10));
    expect(numbers.length).toBeGreaterThan(0);
    expect(numbers.length).toBeLessThan(sent);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    transport.close();
  });
});

describe('connections', () => {
  it('that end by themselves are counted by code and cause', async () => {
    const server = await startServer();
    const [polite, gone] = [await TestClient.open(server.port), await TestClient.open(server.port)];
    polite.socket.close(4321, 'own code');
    gone.socket.terminate();
    await polite.until(() => server.server.metrics.clients === 0, 'end of both');
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('depthwire_closes_total{code="other",cause="client"} 1');
    expect(text).toContain('depthwire_closes_total{code="1006",cause="lost"} 1');
    await server.stop();
  });
});
