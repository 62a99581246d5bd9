import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as NodeSocket } from 'ws';
import { CloseError, channel, connect, type Feed, type FeedError } from '../src/wire/index.js';
import { FeedServer, opened, QUICK, withFeed } from './support/feed-server.js';

const NAME = 'sim:BTCUSDT';

afterEach(() => vi.unstubAllGlobals());

const told = (feed: Feed, event: 'error' | 'state' | 'shutdown', times = 1): Promise<unknown[]> =>
  new Promise((resolve) => {
    const values: unknown[] = [];
    const off = feed.on(event, (value: unknown) => {
      values.push(value);
      if (values.length < times) return;
      off();
      resolve(values);
    });
  });

describe('a close code', () => {
  it.each([
    [1008, 'feed.policy'],
    [1009, 'feed.control_too_big'],
    [4400, 'feed.bad_request'],
    [4401, 'feed.auth'],
    [4403, 'feed.not_entitled'],
  ])('of %i ends the feed with %s, its reason and a fix', (closeCode, code) =>
    withFeed(async ({ feed, peer }) => {
      const loop = feed.subscribe(channel.trades, NAME)[Symbol.asyncIterator]().next();
      const refused = expect(loop).rejects.toMatchObject({ code, closeCode, reconnects: false });
      await peer.next('subscribe');
      const errors = told(feed, 'error');
      peer.close(closeCode, 'because');
      const [error] = (await errors) as [FeedError];
      expect(error).toBeInstanceOf(CloseError);
      expect([error.got, error.fix.length > 20]).toEqual([`close code ${closeCode}, because`, true]);
      expect([feed.state, feed.error]).toEqual(['closed', error]);
      await refused;
    }),
  );

  it.each([
    [1001, 'feed.server_stops', 0],
    [1006, 'feed.disconnected', 0],
    [1011, 'feed.disconnected', 0],
    [4408, 'feed.too_slow', 200],
    [4429, 'feed.rate', 400],
  ])('of %i is %s, and the client comes back after %i ms at least', (closeCode, code, leastMs) =>
    withFeed(
      async ({ server, feed, peer }) => {
        feed.book(NAME);
        await peer.next('subscribe');
        const errors = told(feed, 'error');
        if (closeCode === 1006) peer.cut();
        else peer.close(closeCode);
        const startMs = performance.now();
        expect((await errors)[0]).toMatchObject({ code, closeCode, reconnects: true });
        await (await server.peer()).next('subscribe');
        // Jitter takes half of a pause at most.
        expect(performance.now() - startMs).toBeGreaterThan(leastMs / 2 - 5);
        expect(feed.state).toBe('open');
      },
      { reconnect: { delayMs: 1, delayMsMax: 400 } },
    ),
  );
});

describe('a handshake that the server refuses', () => {
  it.each([
    [401, 'feed.auth', false],
    [403, 'feed.not_entitled', false],
    [429, 'feed.rate', true],
    [503, 'feed.connect_failed', true],
  ])('with status %i is %s, where the platform tells it', async (status, code, reconnects) => {
    const server = await FeedServer.start();
    server.refusal = status;
    const feed = connect(server.url, { reconnect: QUICK, token: 'static' });
    expect(await told(feed, 'error')).toMatchObject([{ code, reconnects, closeCode: 1006 }]);
    expect(feed.state).toBe(reconnects ? 'waiting' : 'closed');
    await feed.close();
    await server[Symbol.asyncDispose]();
  });
});

describe('a shutdown', () => {
  it('is told, and its window decides when the client comes back', () =>
    withFeed(
      async ({ server, feed, peer }) => {
        await opened(feed);
        const notice = told(feed, 'shutdown');
        peer.control({ op: 'shutdown', reason: 'drain', reconnectMs: 20 });
        expect(await notice).toEqual(['drain']);
        peer.close(1001);
        // By its own pauses it would come back after a minute.
        await server.peer();
      },
      { reconnect: { delayMs: 120_000, delayMsMax: 120_000 } },
    ));
});

describe('silence', () => {
  it('of three heartbeats is a lost connection, however rare the pings', () =>
    withFeed(
      async ({ server, peer }) => {
        peer.freeze();
        await server.peer();
      },
      { pingIntervalMs: 60_000 },
      { heartbeatMs: 20 },
    ));

  it('is that of pings alone where the server promises no heartbeats', () =>
    withFeed(
      async ({ server, peer }) => {
        peer.freeze();
        await server.peer();
      },
      { pingIntervalMs: 30 },
      { heartbeatMs: 0 },
    ));

  it('is none while heartbeats come', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        for (let beat = 0; beat < 12; beat += 1) {
          peer.control({ op: 'heartbeat', ts: '1' });
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        expect([feed.state, feed.counters.reconnects]).toEqual(['open', 0]);
      },
      { pingIntervalMs: 60_000 },
      { heartbeatMs: 40 },
    ));
});

describe('a token', () => {
  it('is sent once the function has one', () => {
    let asked = 0;
    return withFeed(
      async ({ server, feed, peer }) => {
        await opened(feed);
        expect(peer.headers.authorization).toBeUndefined();
        peer.close(4401, 'auth');
        const next = await server.peer();
        expect(next.headers.authorization).toBe('Bearer token-2');
      },
      {
        reconnect: QUICK,
        token: () => {
          asked += 1;
          return asked > 1 ? `token-${asked}` : undefined;
        },
      },
    );
  });

  it('goes as a header in Node, over the WebSocket of a Node that has one too', async () => {
    await withFeed(
      async ({ peer }) => {
        expect(peer.headers.authorization).toBe('Bearer a.b-c_d.e');
        expect(peer.headers['sec-websocket-protocol']).toBe('depthwire.v1');
      },
      { token: 'a.b-c_d.e' },
    );
    let made: unknown[] = [];
    vi.stubGlobal(
      'WebSocket',
      class extends NodeSocket {
        constructor(url: string, options: { protocols: string[]; headers: Record<string, string> }) {
          super(url, options.protocols, { headers: options.headers });
          made = [options];
        }
      },
    );
    await withFeed(async ({ peer }) => expect(peer.headers.authorization).toBe('Bearer a.b.c'), {
      token: () => 'a.b.c',
    });
    expect(made).toEqual([{ protocols: ['depthwire.v1'], headers: { authorization: 'Bearer a.b.c' } }]);
  });

  it('goes as second subprotocol from a page', async () => {
    vi.stubGlobal('WebSocket', NodeSocket);
    vi.stubGlobal('document', {});
    await withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        expect(peer.headers.authorization).toBeUndefined();
        expect(peer.headers['sec-websocket-protocol']).toBe('depthwire.v1,depthwire.token.a.b.c');
      },
      { token: async () => 'a.b.c' },
    );
  });

  it('is asked for again when it has expired, and the feed goes on', () => {
    let asked = 0;
    return withFeed(
      async ({ server, feed, peer }) => {
        feed.book(NAME);
        await peer.next('subscribe');
        peer.close(4401, 'expired');
        const next = await server.peer();
        expect(next.headers.authorization).toBe('Bearer token-2');
        await next.next('subscribe');
      },
      {
        token: () => {
          asked += 1;
          return `token-${asked}`;
        },
      },
    );
  });

  it('that was refused is not offered again', () =>
    withFeed(
      async ({ feed, peer }) => {
        const errors = told(feed, 'error', 2);
        peer.close(4401, 'bad signature');
        expect(await errors).toMatchObject([
          { code: 'feed.auth', reconnects: true },
          { code: 'client.token_refused' },
        ]);
        expect([feed.state, feed.error?.code]).toEqual(['closed', 'client.token_refused']);
      },
      { token: async () => 'same' },
    ));

  it('that cannot be had is asked for again', async () => {
    const server = await FeedServer.start();
    let asked = 0;
    const feed = connect(server.url, {
      reconnect: QUICK,
      token: () => {
        asked += 1;
        if (asked === 1) throw new Error('the issuer is down');
        return 'late';
      },
    });
    expect(await told(feed, 'error')).toMatchObject([{ code: 'client.token_failed' }]);
    expect((await server.peer()).headers.authorization).toBe('Bearer late');
    await feed.close();
    await server[Symbol.asyncDispose]();
  });

  it.each(['', 'Bearer x', 'two\r\nlines', 'a b', 'x'.repeat(8193)])(
    'that is none ends the feed and is not printed: %j',
    async (token) => {
      const feed = connect('ws://127.0.0.1:9/', { token });
      const [error] = (await told(feed, 'error')) as [FeedError];
      expect([error.code, feed.state]).toEqual(['client.bad_token', 'closed']);
      if (token !== '') expect(error.message).not.toContain(token);
    },
  );
});
