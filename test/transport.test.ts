import * as uws from 'uWebSockets.js';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openTransport, whyNotLoaded } from '../src/publish/transport/open-transport.js';
import { UwsTransport } from '../src/publish/transport/uws-transport.js';
import { type CloseCause, payloadBytesMax } from '../src/publish/transport.js';
import { frame } from './support/fake-engine.js';
import { startServer, TestClient } from './support/server.js';
import { HANDLERS, OPTIONS, SESSION } from './support/transport.js';

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

  it.each(['uws', 'ws'] as const)('is free again at once after a stop, over %s', async (transport) => {
    const first = await startServer({ server: { transport } });
    // A connection that the server closes waits out its end in the kernel for a minute, with this port.
    const client = await TestClient.open(first.port);
    await first.stop();
    await client.closed();
    const second = await startServer({ server: { transport, port: first.port } });
    expect(second.port).toBe(first.port);
    await second.stop();
  });
});

// uWebSockets takes the time for an answer to its ping off the timeout. Of 0 that leaves 65,532 seconds, of which its clock of 240
// steps makes 252: then it pings, and cuts those who do not answer within 4 seconds. No test waits for so long.
it.each([
  [0, false],
  [60, true],
])('of an idle timeout of %i seconds clients are pinged: %s', async (idleTimeoutSeconds, isPinged) => {
  const asked: object[] = [];
  const watched = (app: uws.TemplatedApp): uws.TemplatedApp => {
    const ws = app.ws.bind(app);
    app.ws = <D>(pattern: uws.RecognizedString, behavior: uws.WebSocketBehavior<D>) => {
      asked.push({ idle: behavior.idleTimeout, isPinged: behavior.sendPingsAutomatically });
      return ws(pattern, behavior);
    };
    return app;
  };
  const spied = { ...uws, App: () => watched(uws.App()) };
  expect(new UwsTransport(spied, { ...OPTIONS, idleTimeoutSeconds }, HANDLERS).name).toBe('uws');
  expect(asked).toEqual([{ idle: idleTimeoutSeconds, isPinged }]);
});

describe('the transport’s own limit', () => {
  it('is above ours, so that a client still gets an explanation', () => {
    for (const bytes of [256, 4096, 16_384, 65_536]) expect(payloadBytesMax(bytes)).toBeGreaterThan(bytes);
  });

  it.each(['uws', 'ws'] as const)(
    'of waiting bytes ends a connection over %s rather than leave a hole in it',
    async (choice) => {
      const causes: CloseCause[] = [];
      const transport = await openTransport(choice, OPTIONS, {
        ...HANDLERS,
        onOpen: (connection) => {
          connection.subscribe('topic');
          connection.sendText('{}');
          return { ...SESSION, onClose: (_code, cause) => causes.push(cause) };
        },
      });
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
    },
  );
});

describe('the choice of a transport', () => {
  const noUws = (message: string) => () => Promise.reject(new Error(message));
  const missing = noUws("uWS.js supports only…\n\nError: Cannot find module './uws_linux_x64_141.node'");

  it('falls back to ws where uWebSockets.js does not load, and says why', async () => {
    const transport = await openTransport('auto', OPTIONS, HANDLERS, missing);
    expect(transport.name).toBe('ws');
    expect(transport.reason).toMatch(/^no binary of it is installed for Node .* \(ABI \d+\) on /);
  });

  it('prefers uWebSockets.js, and has nothing to say then', async () => {
    expect(await openTransport('auto', OPTIONS, HANDLERS)).toMatchObject({ name: 'uws', reason: '' });
    expect(await openTransport('ws', OPTIONS, HANDLERS)).toMatchObject({ name: 'ws' });
  });

  it('of uws refuses to fall back, with the reason', async () => {
    await expect(openTransport('uws', OPTIONS, HANDLERS, missing)).rejects.toMatchObject({
      code: 'serve.transport',
      got: expect.stringMatching(/^no binary/) as unknown as string,
    });
  });

  it('names the wrong C library and the wrong Node', () => {
    const machine = { platform: 'linux', arch: 'x64', node: '20.20.2', abi: '115', glibc: '2.31' };
    const here = 'Node 20.20.2 (ABI 115) on linux-x64';
    const needs = new Error("/lib/libc.so.6: version `GLIBC_2.38' not found (required by uws.node)");
    expect(whyNotLoaded(needs, machine)).toBe(`it needs GLIBC_2.38, this is glibc 2.31 (${here})`);
    const abi = new Error('compiled against a different Node.js version using\nNODE_MODULE_VERSION 127.');
    expect(whyNotLoaded(abi, machine)).toBe(`its binary is for another Node than ${here}`);
    const musl = new Error('Error relocating uws.node: __strdup: symbol not found');
    expect(whyNotLoaded(musl, { ...machine, glibc: undefined })).toBe(
      `this C library is not glibc (${here})`,
    );
    expect(whyNotLoaded(new Error('x\n\ndlopen failed'), machine)).toBe(`dlopen failed (${here})`);
  });

  it('is a setting of the server', async () => {
    const server = await startServer({ server: { transport: 'ws' } });
    expect(server.server.transport).toMatchObject({ name: 'ws', reason: 'server.transport is ws' });
    const client = await TestClient.open(server.port);
    expect(client.control[0]).toMatchObject({ op: 'hello' });
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await server.stop();
  });
});

describe('connections', () => {
  it('that end by themselves are counted by code and cause', async () => {
    const server = await startServer();
    const [polite, gone] = [await TestClient.open(server.port), await TestClient.open(server.port)];
    polite.socket.close(4321, 'own code');
    gone.socket.terminate();
    await polite.until(() => server.server.counted.clients === 0, 'end of both');
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toContain('depthwire_closes_total{code="other",cause="client"} 1');
    expect(text).toContain('depthwire_closes_total{code="1006",cause="lost"} 1');
    await server.stop();
  });
});
