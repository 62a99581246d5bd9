import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type ConfigInput, configFrom } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import { EVERYTHING } from '../src/publish/auth/grant.js';
import { BadMessages } from '../src/publish/bad-messages.js';
import { Owed } from '../src/publish/owed.js';
import { Subscriber } from '../src/publish/subscriber.js';
import type { Connection } from '../src/publish/transport.js';
import { openView } from '../src/publish/views.js';
import { FakeNative, frame, label } from './support/fake-engine.js';
import { hubOver } from './support/hub.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const BTC = 11;
const NAME = 'sim:BTCUSDT';

const running: TestServer[] = [];
const sockets: Socket[] = [];

async function serve(input: ConfigInput = {}): Promise<TestServer> {
  const server = await startServer(input);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of running.splice(0)) await server.stop();
});

function depth(op: string, levels: number, intervalMs: number): object {
  return { op, id: 1, channel: 'depth', instrument: NAME, depth: levels, intervalMs };
}

/** A bare connection that keeps what it receives. */
async function tcp(port: number): Promise<{ socket: Socket; text: () => string; ended: () => boolean }> {
  const socket = connectTcp(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  let ended = false;
  socket.on('data', (data) => {
    text += data.toString('latin1');
  });
  socket.on('close', () => {
    ended = true;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, text: () => text, ended: () => ended };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 5000; !condition(); await pause(5)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}

describe('HTTP answers', () => {
  it.each(['GET', 'HEAD'])(
    'to %s are one at a time: a pipelined request ends the connection',
    async (method) => {
      const { server, url, port } = await serve();
      let made = 0;
      Object.defineProperty(server.metrics, 'text', {
        value: () => {
          made += 1;
          return 'x'.repeat(5000);
        },
      });
      const request = `${method} /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const clients = await Promise.all(Array.from({ length: 4 }, () => tcp(port)));
      for (const { socket } of clients) socket.write(request.repeat(100_000));
      const startMs = performance.now();
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect(performance.now() - startMs).toBeLessThan(1000);
      await until(() => clients.every(({ ended }) => ended()), 'end of the connections');
      expect(made).toBeLessThanOrEqual(4 * 3);
      for (const { text } of clients) expect(text().split('HTTP/1.1 200').length - 1).toBeLessThanOrEqual(1);
    },
  );

  it('that are larger than the kernel takes arrive whole at a reader that rests', async () => {
    const { server, port } = await serve();
    const body = `${'x'.repeat(12_000_000)}end`;
    Object.defineProperty(server.metrics, 'text', { value: () => body });
    const { socket, text } = await tcp(port);
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => text().length > 0, 'start of the answer');
    socket.pause();
    await pause(100);
    socket.resume();
    await until(() => text().endsWith('end'), 'end of the answer');
    expect(text()).toContain('Content-Length: 12000003');
    expect(text().length - text().indexOf('\r\n\r\n') - 4).toBe(body.length);
  });

  it('of a book hold at most 5000 levels a side', async () => {
    const { url } = await serve();
    expect((await fetch(`${url}/v1/book/${NAME}?depth=5000`)).status).toBe(200);
    expect((await fetch(`${url}/v1/book/${NAME}?depth=5001`)).status).toBe(400);
  });

  it('of health say how the source is', async () => {
    const { url, server } = await serve();
    const health = async (): Promise<unknown> => {
      const answer = await fetch(`${url}/health`);
      const { status, source } = (await answer.json()) as { status: string; source: string };
      return [answer.status, status, source];
    };
    expect(await health()).toEqual([200, 'ok', 'running']);
    server.sourceState = 'finished';
    expect(await health()).toEqual([200, 'ok', 'finished']);
    server.sourceState = 'failed';
    expect(await health()).toEqual([503, 'failed', 'failed']);
  });
});

describe('connections', () => {
  it('that do nothing make room for those that come, and are counted', async () => {
    const { port, server, url } = await serve({ limits: { pendingPerAddressMax: 256 } });
    // A WebSocket that came and went must leave no trace in the count.
    const client = await TestClient.open(port);
    client.socket.close(1000);
    await until(() => server.counted.clients === 0, 'end of the client');
    const idle = await Promise.all(Array.from({ length: 256 }, () => tcp(port)));
    await pause(50);
    expect(idle.filter(({ ended }) => ended())).toHaveLength(0);
    const more = await Promise.all(Array.from({ length: 20 }, () => tcp(port)));
    await until(() => idle.filter(({ ended }) => ended()).length === 20, 'cut');
    expect(more.filter(({ ended }) => ended())).toHaveLength(0);
    await expect.poll(() => server.counted.connectionsRefused).toBe(20);
    for (const { socket } of idle) socket.destroy();
    await pause(50);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'depthwire_connections_refused_total 20\n',
    );
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'depthwire_refusals_total{cause="connection.pending"} 20\n',
    );
  });

  it('that are ended while much waits for them are cut, and counted by their cause', async () => {
    const { port, server, publish } = await serve();
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: NAME });
    await client.count(2);
    client.socket.pause();
    while (!server.pressed()) {
      publish(BTC, STREAM.book, new Uint8Array(400_000));
      await pause(1);
    }
    for (let i = 0; i < 11; i++) client.send('x');
    await until(() => server.counted.clients === 0, 'end');
    await expect.poll(() => server.counted.closedFor('bad_request')).toBe(1);
    client.socket.resume();
    expect(await client.closed()).toBe(1006);
  });
});

describe('images', () => {
  it('of one stream are 100 ms apart however often they are asked for', async () => {
    const { native, port } = await serve({ limits: { controlBurst: 1000 } });
    native.images.set(`${BTC}/1`, frame('image'));
    const client = await TestClient.open(port);
    const startMs = performance.now();
    for (let i = 0; i < 200; i++) {
      client.send({ op: 'subscribe', id: i, channel: 'book', instrument: NAME });
      client.send({ op: 'resync', id: i, channel: 'book', instrument: NAME });
    }
    for (let i = 0; i < 100; i++) {
      client.send({ op: 'unsubscribe', id: i, channel: 'book', instrument: NAME });
      client.send({ op: 'subscribe', id: i, channel: 'book', instrument: NAME });
    }
    const images = (): number => client.received.filter((message) => message === 'image').length;
    await client.until(() => images() >= 2, 'second image');
    expect(performance.now() - startMs).toBeGreaterThan(99);
    await pause(250);
    expect(images()).toBe(2);
  });

  it('wait while a client does not read, and the stream begins with them', async () => {
    const { native, port, server, publish } = await serve();
    native.images.set(`${BTC}/1`, frame('image'));
    native.images.set(`${BTC}/2`, frame('top'));
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: NAME });
    await client.count(3);
    client.socket.pause();
    while (server.counted.slowSteps('behind') === 0) {
      publish(BTC, STREAM.book, new Uint8Array(400_000));
      await pause(1);
    }
    client.send({ op: 'subscribe', id: 2, channel: 'bbo', instrument: NAME });
    await until(() => server.counted.subscriptions === 2, 'subscription');
    publish(BTC, STREAM.bbo, frame('missed'));
    client.socket.resume();
    await client.until(() => client.received.includes('top'), 'image');
    publish(BTC, STREAM.bbo, frame('next'));
    await client.until(() => client.received.includes('next'), 'frame after the image');
    expect(client.received).not.toContain('missed');
  });

  it('cannot bring a client that never reads beyond the hard limit', async () => {
    const { native, port, server } = await serve({
      limits: {
        backpressureSoftBytes: 65_536,
        backpressureHardBytes: 131_072,
        slowMs: 300,
        controlBurst: 1000,
      },
    });
    native.images.set(`${BTC}/1`, new Uint8Array(8_000_000));
    const client = await TestClient.open(port);
    client.socket.pause();
    for (let i = 0; i < 300; i++) {
      client.send({ op: i < 1 ? 'subscribe' : 'resync', id: i, channel: 'book', instrument: NAME });
    }
    await until(() => server.counted.clients === 0, 'end of the client');
    await expect.poll(() => server.counted.closedFor('too_slow_cut')).toBe(1);
    client.socket.terminate();
  });

  it('are owed once per subscription and forgotten with it', () => {
    const queue = new Owed<{ stream: number; instrument: { id: number } }>();
    const [one, two] = [1, 2].map((stream) => ({ stream, instrument: { id: 7 } }));
    const sent: number[] = [];
    const flush = (nowMs: number, room = true): void =>
      queue.flush(
        nowMs,
        () => room,
        ({ stream }) => sent.push(stream),
      );
    if (one === undefined || two === undefined) throw new Error('two subscriptions');
    for (const subscription of [one, two, one]) queue.add(subscription);
    flush(0, false);
    expect(sent).toEqual([]);
    flush(0);
    expect(sent).toEqual([1, 2]);
    queue.add(one);
    queue.add(two);
    queue.delete(two);
    flush(99);
    expect(sent).toEqual([1, 2]);
    flush(100);
    flush(300);
    expect(sent).toEqual([1, 2, 1]);
  });
});

describe('depth views', () => {
  it('are granted from a ladder, and known by what was asked for', async () => {
    const { native, port } = await serve();
    const client = await TestClient.open(port);
    client.send(depth('subscribe', 7, 3));
    client.send(depth('subscribe', 99, 59_999));
    await client.count(3);
    expect(client.received[1]).toMatchObject({ op: 'subscribed', depth: 10, intervalMs: 20 });
    expect(client.received[2]).toMatchObject({ op: 'subscribed', depth: 100, intervalMs: 60_000 });
    client.send(depth('resync', 7, 3));
    client.send(depth('unsubscribe', 7, 3));
    await client.count(4);
    expect(client.received[3]).toMatchObject({ op: 'unsubscribed', depth: 7, intervalMs: 3 });
    expect(native.views.get(26)).toBe(0);
    expect(native.calls).toEqual(['view 10/20', 'view 100/60000']);
  });

  it('are four different ones for a client and instrument, and any number of the same', async () => {
    const { native, port } = await serve();
    const client = await TestClient.open(port);
    for (const levels of [1, 5, 10, 20, 50, 4, 9]) client.send(depth('subscribe', levels, 0));
    await client.count(8);
    expect(client.control.slice(1).map(({ op, code }) => code ?? op)).toEqual([
      ...Array(4).fill('subscribed'),
      'feed.views_full',
      'subscribed',
      'subscribed',
    ]);
    expect(client.control[5]).toMatchObject({
      expected: expect.stringContaining('at most 4 different views') as unknown,
      got: '5',
    });
    expect(native.views.get(66)).toBe(0);
  });

  it('that reuse the stream of one that was closed have their own image', () => {
    const native = new FakeNative();
    const hub = hubOver(native);
    const [instrument] = native.catalogue;
    if (instrument === undefined) throw new Error('an instrument');
    const imageOf = (levels: number): string => {
      native.openDepth = () => 16;
      native.images.set(`${BTC}/16`, frame(`best ${levels}`));
      const stream = openView(
        hub,
        instrument,
        { channel: 'depth', depth: levels, intervalMs: 0, step: 0n },
        new Set(),
      );
      const { frames } = hub.engine.image(BTC, stream);
      hub.engine.closeView(instrument.id, stream);
      return label(frames ?? frame(''));
    };
    expect([5, 10].map(imageOf)).toEqual(['best 5', 'best 10']);
  });

  it('that the engine has no room for are refused with what to do instead', async () => {
    const { native, port, server } = await serve();
    native.viewsFull = true;
    const client = await TestClient.open(port);
    for (let i = 0; i < 20; i++) client.send(depth('subscribe', 20, 100));
    await client.count(21);
    expect(client.control[1]).toMatchObject({
      code: 'feed.views_full',
      expected: 'at most 32 different ones',
      got: expect.stringContaining('depth 20, intervalMs 100') as unknown,
      fix: expect.stringContaining('subscribe to book') as unknown,
    });
    // A full server is no fault of the client's.
    expect(client.closeCode).toBeUndefined();
    await expect.poll(() => server.counted.badMessages).toBe(0);
  });
});

describe('wrong messages', () => {
  it('that are well-formed count too', async () => {
    const { port, server } = await serve();
    const client = await TestClient.open(port);
    for (let i = 0; i < 6; i++) {
      client.send({ op: 'subscribe', id: i, channel: 'book', instrument: 'sim:NOTHING' });
      client.send({ op: 'resync', id: i, channel: 'book', instrument: NAME });
    }
    expect(await client.closed()).toBe(4400);
    await expect.poll(() => server.counted.badMessages).toBe(11);
  });

  it('are forgiven by half every ten seconds', () => {
    const bad = new BadMessages(3);
    const at = (ms: number): boolean => bad.isOneTooMany(ms);
    expect([at(0), at(0), at(0)]).toEqual([false, false, false]);
    // 3 halved is 1.5, and one more 2.5.
    expect(at(10_000)).toBe(false);
    expect(at(10_000)).toBe(true);
    const rare = new BadMessages(3);
    for (let ms = 0; ms < 1_000_000; ms += 10_000) expect(rare.isOneTooMany(ms)).toBe(false);
  });
});

describe('what does not depend on the engine’s book', () => {
  it.each([{ channel: 'trades' }, { channel: 'bbo', source: 'venue' }])(
    '$channel comes without its status frames, and is acknowledged with its state',
    async (channel) => {
      const { native, port, publish } = await serve();
      native.images.set(`${BTC}/4`, frame('status'));
      native.books.set(BTC, { ...native.book(BTC), state: 'stale', reason: 'gap' });
      const client = await TestClient.open(port);
      client.send({ op: 'subscribe', id: 1, instrument: NAME, ...channel });
      await client.count(2);
      expect(client.received[1]).toMatchObject({ op: 'subscribed', state: 'stale', reason: 'gap' });
      publish(BTC, STREAM.status, frame('status'));
      const stream = channel.channel === 'trades' ? STREAM.trades : STREAM.venueBbo;
      publish(BTC, stream, frame('frame'));
      expect((await client.count(3))[2]).toBe('frame');
    },
  );
});

describe('a client that hovers around the soft limit', () => {
  it('is slow until it has caught up half of it', () => {
    const native = new FakeNative();
    const { limits } = configFrom({});
    const soft = limits.backpressureSoftBytes;
    let waiting = 0;
    const texts: string[] = [];
    const connection: Connection = {
      sendText: (text) => texts.push(text),
      sendFrames() {},
      subscribe() {},
      unsubscribe() {},
      bufferedBytes: () => waiting,
      end() {},
      cut() {},
    };
    const subscriber = new Subscriber(connection, hubOver(native), () => {}, EVERYTHING);
    const isClosedFor = (...bytes: readonly number[]): boolean => {
      texts.length = 0;
      for (const [at, now] of bytes.entries()) {
        waiting = now;
        subscriber.poll(at * limits.slowMs * 0.6);
      }
      return texts.some((text) => text.includes('feed.too_slow'));
    };
    expect(isClosedFor(soft + 1, soft / 2 - 1, soft + 1)).toBe(false);
    expect(isClosedFor(0, soft - 1, soft - 1, soft - 1)).toBe(false);
    expect(isClosedFor(soft + 1, soft - 1, soft + 1)).toBe(true);
  });
});
