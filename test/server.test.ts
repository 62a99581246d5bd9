import { connect as connectTcp } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import type { Site } from '../src/publish/site.js';
import { frame } from './support/fake-engine.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const BTC = 11;
const ETH = 12;

const running: TestServer[] = [];

async function serve(input: ConfigInput = {}, site?: Site): Promise<TestServer> {
  const server = await startServer(input, site);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

function subscribe(channel: string, id = 1, more: object = {}): object {
  return { op: 'subscribe', id, channel, instrument: 'sim:BTCUSDT', ...more };
}

describe('subscribing', () => {
  it('greets, acknowledges, sends the image, then deltas, in that order', async () => {
    const { native, publish, port } = await serve();
    native.images.set(`${BTC}/1`, frame('image'));
    const client = await TestClient.open(port);
    publish(BTC, STREAM.book, frame('before'));
    client.send(subscribe('book'));
    await client.count(3);
    publish(BTC, STREAM.book, frame('delta 1'));
    publish(ETH, STREAM.book, frame('of another'));
    publish(BTC, STREAM.book, frame('delta 2'));
    // What is published in one turn is one message.
    const received = await client.count(4);
    expect(received[0]).toMatchObject({
      op: 'hello',
      protocol: 'depthwire.v1',
      limits: { controlBytesMax: 4096, subscriptionsMax: 256 },
    });
    expect(received[1]).toEqual({
      op: 'subscribed',
      id: 1,
      channel: 'book',
      instrument: 'sim:BTCUSDT',
      instrumentId: BTC,
      stream: 1,
      mode: 'conflate',
      state: 'synced',
      reason: 'none',
      epoch: '7520384216498177',
      seq: '418',
      priceExponent: -2,
      qtyExponent: -5,
      tickSize: 1,
      lotSize: 1,
      qtyUnit: 'base',
    });
    expect(received.slice(2)).toEqual(['image', 'delta 1', 'delta 2']);
  });

  it('keeps the order while frames are published in the same turn', async () => {
    const { native, publish, port } = await serve();
    native.images.set(`${BTC}/1`, frame('image'));
    const client = await TestClient.open(port);
    const timer = setInterval(() => publish(BTC, STREAM.book, frame('delta')), 1);
    for (let round = 0; round < 20; round++) {
      client.received.length = 0;
      client.send(subscribe('book', round));
      await client.count(4);
      const [first, second] = client.received;
      expect(first).toMatchObject({ op: 'subscribed', id: round });
      expect(second).toBe('image');
      client.send({ op: 'unsubscribe', id: -1, channel: 'book', instrument: 'sim:BTCUSDT' });
      await client.until(() => client.control.some(({ op }) => op === 'unsubscribed'), 'answer');
      await pause(3);
    }
    clearInterval(timer);
  });

  it('sends the status in place of an image that is not to be trusted, and every status after it', async () => {
    const { native, publish, port } = await serve();
    native.images.set(`${BTC}/1`, frame('stale image'));
    native.images.set(`${BTC}/4`, frame('status'));
    native.books.set(BTC, { ...native.book(BTC), state: 'stale', reason: 'gap' });
    const client = await TestClient.open(port);
    client.send(subscribe('book'));
    await client.count(3);
    publish(BTC, STREAM.status, frame('synced'));
    publish(BTC, STREAM.book, frame('new image'));
    const received = await client.count(5);
    expect(received[1]).toMatchObject({ state: 'stale', reason: 'gap' });
    expect(received.slice(2)).toEqual(['status', 'synced', 'new image']);
  });

  it('sends one status frame to a client with several subscriptions of an instrument', async () => {
    const { publish, port } = await serve();
    const client = await TestClient.open(port);
    for (const [id, channel] of ['book', 'trades', 'status', 'bbo'].entries())
      client.send(subscribe(channel, id));
    await client.count(5);
    publish(BTC, STREAM.status, frame('status'));
    client.send({ op: 'unsubscribe', id: 8, channel: 'status', instrument: 'sim:BTCUSDT' });
    await client.count(7);
    publish(BTC, STREAM.status, frame('status'));
    const statuses = () => client.received.filter((message) => message === 'status');
    await client.until(() => statuses().length >= 2, 'the second one');
    client.send({ op: 'ping', id: 9 });
    await client.until(() => client.control.some(({ op }) => op === 'pong'), 'pong');
    expect(statuses()).toHaveLength(2);
  });

  it('opens a depth view for each client and closes it when they leave or go', async () => {
    const { native, port, server } = await serve();
    const [one, two] = [await TestClient.open(port), await TestClient.open(port)];
    for (const client of [one, two]) client.send(subscribe('depth', 1, { depth: 5, intervalMs: 0 }));
    for (const client of [one, two]) {
      await client.count(2);
      expect(client.received[1]).toMatchObject({ op: 'subscribed', depth: 5, intervalMs: 0, stream: 21 });
    }
    expect(native.views.get(21)).toBe(2);
    one.send(subscribe('depth', 2, { depth: 5, intervalMs: 0 }));
    await one.count(3);
    expect(native.views.get(21)).toBe(2);
    one.send({
      op: 'unsubscribe',
      id: 3,
      channel: 'depth',
      instrument: 'sim:BTCUSDT',
      depth: 5,
      intervalMs: 0,
    });
    await one.count(4);
    await one.until(() => native.views.get(21) === 1, 'end of one use');
    two.socket.terminate();
    await one.until(() => native.views.get(21) === 0, 'end of the view');
    await expect.poll(() => server.counted.subscriptions).toBe(0);
  });

  it('wants its next tick soon while a depth view waits for its interval, and rests where nothing happens', async () => {
    const { port, server, publish } = await serve();
    await expect.poll(() => server.tick()).toBe('rest');
    publish(BTC, STREAM.book, frame('nobody'));
    expect([server.tick(), server.tick()]).toEqual(['steady', 'rest']);
    const [each, timed] = [await TestClient.open(port), await TestClient.open(port)];
    each.send(subscribe('depth', 1, { depth: 5, intervalMs: 0 }));
    await each.count(2);
    // Once all that was sent has been taken, a view of every change waits for nothing.
    await expect.poll(() => server.tick()).toBe('rest');
    timed.send(subscribe('depth', 1, { depth: 5, intervalMs: 100 }));
    await timed.count(2);
    await pause(300);
    expect([server.tick(), server.tick()]).toEqual(['soon', 'soon']);
    timed.socket.terminate();
    await expect.poll(() => server.tick()).toBe('rest');
  });

  it('sends another image on resync, and only for what is subscribed', async () => {
    const { native, port } = await serve();
    native.images.set(`${BTC}/1`, frame('image'));
    const client = await TestClient.open(port);
    client.send({ op: 'resync', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
    await client.count(2);
    expect(client.received[1]).toMatchObject({ op: 'error', id: 1, code: 'feed.not_subscribed' });
    client.send(subscribe('book'));
    client.send({ op: 'resync', id: 2, channel: 'book', instrument: 'sim:BTCUSDT' });
    expect((await client.count(5)).slice(3)).toEqual(['image', 'image']);
  });

  it('encodes one image for many that join at once', async () => {
    const { native, port, server } = await serve();
    native.images.set(`${BTC}/1`, new Uint8Array(200_000).fill(1));
    const clients = await Promise.all(Array.from({ length: 20 }, () => TestClient.open(port)));
    // One message per client, sent in one turn, so that they wait together in the server's sockets.
    for (const client of clients) client.send(subscribe('book'));
    await Promise.all(clients.map((client) => client.count(3)));
    expect(native.imageCalls).toBeLessThan(20);
    await expect.poll(() => server.counted.subscriptions).toBe(20);
  });

  it('names the instrument that was meant', async () => {
    const { port } = await serve();
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 3, channel: 'book', instrument: 'sim:BTCUSD' });
    await client.count(2);
    expect(client.received[1]).toMatchObject({
      op: 'error',
      id: 3,
      code: 'feed.unknown_instrument',
      where: 'subscribe.instrument',
      got: 'sim:BTCUSD',
      fix: 'Write sim:BTCUSDT.',
    });
  });

  it('holds a client to its number of subscriptions', async () => {
    const { port } = await serve({ limits: { subscriptionsMax: 2 } });
    const client = await TestClient.open(port);
    for (const [id, channel] of ['book', 'trades', 'status'].entries()) client.send(subscribe(channel, id));
    await client.count(4);
    expect(client.received[3]).toMatchObject({ op: 'error', id: 2, code: 'feed.subscriptions_full' });
  });
});

describe('bad clients', () => {
  it('answers garbage, keeps the connection, and disturbs nobody', async () => {
    const { publish, port } = await serve();
    const [bad, good] = [await TestClient.open(port), await TestClient.open(port)];
    good.send(subscribe('book'));
    await good.count(2);
    for (const text of ['{', 'null', '[]', '{"op":1}']) bad.send(text);
    bad.send({ op: 'ping', id: 1 });
    await bad.count(6);
    expect(bad.control.slice(1).map(({ op, code }) => code ?? op)).toEqual([
      'feed.bad_json',
      'feed.bad_json',
      'feed.bad_json',
      'feed.unknown_op',
      'pong',
    ]);
    publish(BTC, STREAM.book, frame('delta'));
    expect((await good.count(3))[2]).toBe('delta');
  });

  it('closes with 4400 after more than ten bad messages', async () => {
    const { port, server } = await serve();
    const client = await TestClient.open(port);
    for (let i = 0; i < 10; i++) client.send('x');
    await client.count(11);
    expect(client.closeCode).toBeUndefined();
    client.send('x');
    expect(await client.closed()).toBe(4400);
    await expect.poll(() => server.counted.closedFor('bad_request')).toBe(1);
  });

  it('closes with 4400 after an error for binary data', async () => {
    const { port } = await serve();
    const client = await TestClient.open(port);
    client.socket.send(Buffer.from([1, 2, 3]));
    expect(await client.closed()).toBe(4400);
    expect(client.received[1]).toMatchObject({ op: 'error', code: 'feed.binary' });
  });

  it('closes with 1009 after an error for control text above the limit', async () => {
    const { port, server } = await serve();
    const client = await TestClient.open(port);
    client.send(subscribe('book', 1, { padding: 'x'.repeat(5000) }));
    expect(await client.closed()).toBe(1009);
    expect(client.received[1]).toMatchObject({
      op: 'error',
      code: 'feed.control_too_big',
      expected: 'at most 4096 bytes',
    });
    await expect.poll(() => server.counted.closedFor('control_too_big')).toBe(1);
  });

  it('is cut bare above the transport’s limit, counted by cause, and others live on', async () => {
    const { publish, port, server, url } = await serve();
    const [bad, good] = [await TestClient.open(port), await TestClient.open(port)];
    good.send(subscribe('book'));
    await good.count(2);
    bad.send('x'.repeat(1 << 20));
    expect(await bad.closed()).toBe(1006);
    await good.until(() => server.counted.closedFor('transport_too_big') === 1, 'count of the cut');
    publish(BTC, STREAM.book, frame('delta'));
    expect((await good.count(3))[2]).toBe('delta');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('depthwire_closes_total{code="1006",cause="transport_too_big"} 1');
  });

  it('is refused without the subprotocol, by a typed error', async () => {
    const { port, server } = await serve();
    const client = new TestClient(port, { protocols: ['something.else'] });
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve) => {
      client.socket.on('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk) => (body += String(chunk)));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      });
    });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: 'feed.subprotocol', expected: 'depthwire.v1' },
    });
    await expect.poll(() => server.counted.clientsRefused).toBe(1);
  });

  it('is refused when it comes from a page of another site, or when the server is full', async () => {
    const { port } = await serve({ limits: { clientsMax: 1 } });
    const status = (client: TestClient): Promise<number | undefined> =>
      new Promise((resolve) => {
        client.socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      });
    expect(await status(new TestClient(port, { origin: 'https://evil.example' }))).toBe(403);
    await TestClient.open(port);
    expect(await status(new TestClient(port))).toBe(503);
  });
});

describe('the HTTP interface', () => {
  const page: Site = new Map([
    ['/index.html', { type: 'text/html; charset=utf-8', body: Buffer.from('<p>page</p>') }],
    ['/assets/app.js', { type: 'text/javascript; charset=utf-8', body: Buffer.from('1') }],
  ]);

  it('says how it is, what it has, and counts', async () => {
    const { url, native } = await serve();
    native.books.set(ETH, { ...native.book(ETH), state: 'syncing' });
    const health = await fetch(`${url}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({
      status: 'ok',
      clients: 0,
      books: { synced: 1, syncing: 1, stale: 0 },
    });
    expect(await (await fetch(`${url}/v1/instruments`)).json()).toMatchObject({
      instruments: [
        { name: 'sim:BTCUSDT', id: BTC, state: 'synced', epoch: '7520384216498177', seq: '418', ageMs: 1.5 },
        { name: 'sim:ETHUSDT', id: ETH, state: 'syncing' },
      ],
    });
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
    const text = await metrics.text();
    expect(text).toContain('depthwire_frames_received_total 5\n');
    expect(text).toContain('depthwire_books{state="syncing"} 1\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  it('answers a book that never synced with its state and no levels', async () => {
    const { url, native } = await serve();
    native.books.set(BTC, { ...native.book(BTC), state: 'syncing', reason: 'none', seq: 0n });
    expect(await (await fetch(`${url}/v1/book/sim:BTCUSDT`)).json()).toMatchObject({
      instrument: 'sim:BTCUSDT',
      state: 'syncing',
      seq: '0',
      bids: [],
      asks: [],
    });
  });

  it.each([
    ['/v1/book/sim:BTCUSD', 404, 'feed.unknown_instrument'],
    ['/v1/book/%FF%', 400, 'http.bad_encoding'],
    ['/v1/book/kraken:BTC%2', 400, 'http.bad_encoding'],
    ['/v1/book/sim:BTCUSDT?depth=0', 400, 'http.bad_depth'],
    ['/v1/book/sim:BTCUSDT?depth=-1', 400, 'http.bad_depth'],
    ['/v1/book/sim:BTCUSDT?depth=x', 400, 'http.bad_depth'],
    ['/v1/feed', 426, 'http.upgrade_required'],
    ['/nothing', 404, 'http.not_found'],
    ['/', 503, 'http.page_not_built'],
  ])('answers %s with %i %s', async (path, status, code) => {
    const { url } = await serve();
    const answer = await fetch(url + path);
    expect(answer.status).toBe(status);
    const { error } = (await answer.json()) as { error: { code: string; fix: string } };
    expect(error.code).toBe(code);
    expect(error.fix).not.toBe('');
  });

  it('refuses other methods', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/health`, { method: 'POST', body: 'x' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('serves the page from memory, allows it nothing from elsewhere, and answers HEAD without a body', async () => {
    const { url, port } = await serve({}, page);
    const answer = await fetch(url);
    expect(await answer.text()).toBe('<p>page</p>');
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain(
      `default-src 'self'; connect-src 'self' ws://127.0.0.1:${port};`,
    );
    const script = await fetch(`${url}/assets/app.js`, { method: 'HEAD' });
    expect(script.headers.get('content-length')).toBe('1');
    expect(await script.text()).toBe('');
    expect(await raw(port, 'GET /assets/../../package.json HTTP/1.1\r\nHost: localhost\r\n\r\n')).toContain(
      '404',
    );
    expect(await raw(port, 'GET /%2e%2e/package.json HTTP/1.1\r\nHost: localhost\r\n\r\n')).toContain('404');
  });

  it('answers only under its own names', async () => {
    const { port } = await serve({ server: { allowHosts: ['feed.example.com'] } });
    const status = async (lines: string): Promise<string> =>
      (await raw(port, `GET /health HTTP/1.1\r\n${lines}\r\n\r\n`)).slice(9, 12);
    expect(await status(`Host: 127.0.0.1:${port}`)).toBe('200');
    expect(await status('Host: LOCALHOST:1')).toBe('200');
    expect(await status('Host: [::1]')).toBe('200');
    expect(await status('Host: feed.example.com')).toBe('200');
    expect(await status('Host: rebound.example.com')).toBe('403');
    expect(await status('Host: localhost.example.com')).toBe('403');
    expect(await status(`Host: localhost:${port}\r\nOrigin: http://localhost:${port}`)).toBe('200');
    expect(await status(`Host: localhost:${port}\r\nOrigin: http://localhost:3000`)).toBe('403');
    expect(await status('Host: localhost\r\nOrigin: https://feed.example.com')).toBe('200');
    expect(await status('Host: localhost\r\nOrigin: http://rebound.example.com')).toBe('403');
    expect(await status('Host: localhost\r\nOrigin: null')).toBe('403');
  });
});

/** The answer to bytes that no well-behaved client would send. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(request));
    socket.on('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
