import { Agent, createServer, type Server } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { HttpClient } from '../src/ingest/http-client.js';

let server: Server | undefined;
let http: Agent | undefined;
afterEach(() => {
  http?.destroy();
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers as many requests of a connection as it is told, and ends it at the next. */
async function answering(
  requestsMax: number,
): Promise<{ client: HttpClient; url: string; asked: () => number }> {
  const answered = new Map<Socket, number>();
  let asked = 0;
  server = createServer((request, response) => {
    asked += 1;
    const count = (answered.get(request.socket) ?? 0) + 1;
    answered.set(request.socket, count);
    if (count > requestsMax) request.socket.destroy();
    else response.end(`${count}`);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  http = new Agent({ keepAlive: true, maxFreeSockets: 8 });
  const client = new HttpClient({ http, https: new HttpsAgent() }, 'test');
  return { client, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked: () => asked };
}

const text = (body: Uint8Array): string => Buffer.from(body).toString();

it('asks again where a connection that was kept is closed when it is used', async () => {
  const { client, url, asked } = await answering(1);
  // Three at once, each on its own connection: all three are kept, and all three are closed behind them.
  const first = await Promise.all([1, 2, 3].map(() => client.request({ method: 'GET', url })));
  expect(first.map(({ body }) => text(body))).toEqual(['1', '1', '1']);
  const again = await client.request({ method: 'GET', url });
  expect({ status: again.status, body: text(again.body) }).toEqual({ status: 200, body: '1' });
  expect(asked()).toBe(3 + 3 + 1);
});

it('asks again with what it asked', async () => {
  const { client, url, asked } = await answering(1);
  const one = { method: 'POST', url, body: '{"type":"meta"}' } as const;
  await client.request(one);
  expect(text((await client.request(one)).body)).toBe('1');
  expect(asked()).toBe(3);
});

it('does not ask again where a new connection is closed', async () => {
  const { client, url, asked } = await answering(0);
  await expect(client.request({ method: 'GET', url })).rejects.toThrow('socket hang up');
  expect(asked()).toBe(1);
});

it('uses a connection again that the server keeps', async () => {
  const { client, url, asked } = await answering(2);
  for (const body of ['1', '2']) expect(text((await client.request({ method: 'GET', url })).body)).toBe(body);
  expect(asked()).toBe(2);
});
