import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openTransport } from '../src/publish/transport/open-transport.js';
import type {
  ConnectionLimits,
  RefusalCause,
  Transport,
  TransportHandlers,
  TransportName,
} from '../src/publish/transport.js';
import { frameOf, handshakeOf, OPCODE, RawClient } from './support/raw-websocket.js';
import { HANDLERS, OPTIONS, SESSION } from './support/transport.js';

const transports: Transport[] = [];
const sockets: Socket[] = [];
const clients: RawClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const transport of transports.splice(0)) transport.close();
});

interface Served {
  readonly port: number;
  readonly transport: Transport;
  readonly refused: RefusalCause[];
  /** WebSockets that are open. */
  readonly count: () => number;
}

async function serve(
  name: TransportName,
  limits: Partial<ConnectionLimits> = {},
  handlers: Partial<TransportHandlers> = {},
): Promise<Served> {
  const refused: RefusalCause[] = [];
  let open = 0;
  const transport = await openTransport(
    name,
    { ...OPTIONS, backpressureBytesMax: 1 << 22, limits: { ...OPTIONS.limits, ...limits } },
    {
      ...HANDLERS,
      onRequest: () => ({ status: '200 OK', headers: {}, body: 'well' }),
      onConnectionRefused: (cause) => refused.push(cause),
      onOpen: (connection) => {
        open += 1;
        // The one that behaves comes first.
        if (open === 1) connection.subscribe('feed');
        connection.sendText('hello');
        return {
          ...SESSION,
          onText: (text) => connection.sendText(text),
          onClose: () => {
            open -= 1;
          },
        };
      },
      ...handlers,
    },
  );
  transports.push(transport);
  const port = await transport.listen('127.0.0.1', 0);
  return { port, transport, refused, count: () => open };
}

/** A connection that sends `text` and no more. */
async function halfOpen(port: number, text = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  if (text !== '') socket.write(text);
  return socket;
}

async function client(port: number): Promise<RawClient> {
  const opened = await RawClient.open(port);
  clients.push(opened);
  await opened.until(() => opened.texts.includes('hello'), 'greeting');
  return opened;
}

/** A client that gets every one of the frames that are published, in order, whatever others do. */
async function expectAll(served: Served, good: RawClient, meanwhile: () => Promise<void>): Promise<void> {
  let sent = 0;
  const before = good.frames.length;
  const timer = setInterval(() => served.transport.publish('feed', Buffer.from(String(sent++))), 20);
  try {
    await meanwhile();
  } finally {
    clearInterval(timer);
  }
  await good.until(() => good.frames.length >= before + sent, `${sent} frames`);
  expect(good.frames.slice(before).map(({ payload }) => Number(String(payload)))).toEqual(
    Array.from({ length: sent }, (_, at) => at),
  );
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 10_000; !condition(); await pause(10)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}

function several<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

const REQUEST = 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

describe.each(['uws', 'ws'] as const)('over %s', (name) => {
  it('1,290 silent connections of one address shut out no client of the same address', async () => {
    const served = await serve(name);
    const good = await client(served.port);
    await expectAll(served, good, async () => {
      // Not all at once, for the kernel would keep those waiting that nobody has accepted yet.
      const silent: Socket[] = [];
      while (silent.length < 1290)
        silent.push(...(await Promise.all(several(129, () => halfOpen(served.port)))));
      for (let at = 0; at < 20; at++) {
        await client(served.port);
        await halfOpen(served.port);
      }
      expect((await fetch(`http://127.0.0.1:${served.port}/health`)).status).toBe(200);
      await until(() => silent.filter(({ destroyed }) => destroyed).length >= 266, 'cuts');
      // The first to come went first.
      expect(silent.slice(0, 266).every(({ destroyed }) => destroyed)).toBe(true);
    });
    expect(served.count()).toBe(21);
    expect(new Set(served.refused)).toEqual(new Set(['pending']));
  });

  it.each([
    ['that say nothing', ''],
    ['that stop within the request line', 'GET /v1/fe'],
    ['that stop within their headers', handshakeOf().slice(0, -2)],
  ])('connections %s are cut after their time', async (_what, text) => {
    const served = await serve(name, { pendingMs: 500 });
    const good = await client(served.port);
    await expectAll(served, good, async () => {
      const silent = await Promise.all(several(20, () => halfOpen(served.port, text)));
      await until(() => silent.every(({ destroyed }) => destroyed), 'cuts');
    });
    expect(served.count()).toBe(1);
  });

  it('headers of one byte at a time do not hold a connection open', async () => {
    const served = await serve(name, { pendingMs: 500 });
    const good = await client(served.port);
    await expectAll(served, good, async () => {
      const slow = await halfOpen(served.port);
      const bytes = handshakeOf({ 'X-Long': 'x'.repeat(2000) });
      let at = 0;
      const timer = setInterval(() => slow.write(bytes.charAt(at++)), 20);
      await until(() => slow.destroyed, 'cut');
      clearInterval(timer);
      expect(at).toBeLessThan(bytes.length);
    });
  });

  it('a connection may ask again and again within its time, and is cut when it rests', async () => {
    const served = await serve(name, { pendingMs: 500 });
    const socket = await halfOpen(served.port);
    let got = '';
    socket.on('data', (data) => {
      got += data.toString();
    });
    for (let at = 1; at <= 6; at++) {
      socket.write(REQUEST);
      await until(() => got.split('well').length - 1 === at, 'answer');
      await pause(150);
    }
    await until(() => socket.destroyed, 'cut');
  });

  it('a thousand handshakes at once all succeed', async () => {
    const served = await serve(name);
    const good = await client(served.port);
    await expectAll(served, good, async () => {
      const many = several(1000, () => new RawClient(served.port));
      clients.push(...many);
      for (const each of many) each.send(handshakeOf());
      await until(() => many.every(({ frames }) => frames.length > 0), 'greetings');
      expect(served.count()).toBe(1001);
      // And they are clients like any other.
      for (const each of many.slice(0, 20)) each.send(frameOf(OPCODE.text, 'echo'));
      for (const each of many.slice(0, 20)) await each.until(() => each.texts.includes('echo'), 'echo');
      for (const each of many) each.destroy();
      await until(() => served.count() === 1, 'end of all');
    });
    expect(served.refused).toEqual([]);
  });

  it('one address has so many clients, and is told', async () => {
    const served = await serve(name, { clientsPerAddressMax: 3 });
    const held = [await client(served.port), await client(served.port), await client(served.port)];
    const more = new RawClient(served.port);
    more.send(handshakeOf());
    await more.until(() => more.hasEnded, 'end');
    expect(more.head).toMatch(/^HTTP\/1\.1 429 /);
    expect(JSON.parse(more.body)).toMatchObject({ error: { code: 'feed.address_full', fix: /./ } });
    expect(served.refused).toEqual(['address']);
    held[0]?.destroy();
    await until(() => served.count() === 2, 'room');
    await client(served.port);
  });

  it('one address shakes hands so often, and is told before anything is asked of the server', async () => {
    let asked = 0;
    const served = await serve(
      name,
      { handshakesPerSecond: 1 },
      {
        refuse: () => {
          asked += 1;
          return { status: '401 Unauthorized', headers: {}, body: '' };
        },
      },
    );
    const heads: string[] = [];
    for (let at = 0; at < 30; at++) {
      const each = new RawClient(served.port);
      clients.push(each);
      each.send(handshakeOf());
      await each.until(() => each.hasEnded, 'end');
      heads.push(each.head);
    }
    const refused = heads.filter((head) => head.startsWith('HTTP/1.1 429 '));
    expect(refused.length).toBeGreaterThan(15);
    expect(refused[0]).toMatch(/retry-after: 10/i);
    expect(asked).toBe(30 - refused.length);
    expect(new Set(served.refused)).toEqual(new Set(['rate']));
  });

  it('readers that take nothing hold a bounded number of answers', async () => {
    const body = Buffer.alloc(8 << 20, 'x');
    const served = await serve(name, {}, { onRequest: () => ({ status: '200 OK', headers: {}, body }) });
    const good = await client(served.port);
    await expectAll(served, good, async () => {
      const readers = await Promise.all(several(80, () => halfOpen(served.port)));
      for (const reader of readers) {
        reader.pause();
        reader.write(REQUEST);
        await pause(2);
      }
      await pause(100);
      // Whoever was cut sees the end when it reads on.
      let whole = 0;
      await Promise.all(
        readers.map(async (reader) => {
          let bytes = 0;
          reader.on('data', (data) => {
            bytes += data.byteLength;
            if (bytes > body.byteLength) {
              whole += 1;
              reader.destroy();
            }
          });
          reader.resume();
          await once(reader, 'close');
        }),
      );
      expect(whole).toBe(64);
    });
  });

  it('clients that reset their connection behind the handshake leave nothing behind', async () => {
    const served = await serve(name, { pendingMs: 500 });
    const good = await client(served.port);
    await expectAll(served, good, async () => {
      for (let round = 0; round < 20; round++) {
        const many = await Promise.all(several(50, () => halfOpen(served.port, handshakeOf())));
        for (const [at, socket] of many.entries()) {
          if (at % 3 === 0) await pause(0);
          socket.resetAndDestroy();
        }
      }
      await pause(1600);
    });
    expect(served.count()).toBe(1);
    await client(served.port);
  });

  it('a body that nobody asked for ends its connection', async () => {
    const served = await serve(name);
    for (const [headers, sent] of [
      [{ 'Content-Length': '50' }, 'hello'],
      [{ 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n'],
      [{ 'Content-Length': '99999999999999999999' }, 'x'],
    ] as const) {
      const each = new RawClient(served.port);
      clients.push(each);
      each.send(handshakeOf({ ...headers, Upgrade: undefined }, 'POST /health HTTP/1.1'), sent);
      await each.until(() => each.hasEnded, 'end');
    }
    await client(served.port);
  });
});
