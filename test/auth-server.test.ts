import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { ConfigInput } from '../src/config.js';
import type { EntitlementClaim } from '../src/publish/auth/entitlements.js';
import { mint } from '../src/publish/auth/mint.js';
import { TOKEN_BYTES_MAX } from '../src/publish/auth/token.js';
import { connect } from '../src/wire/index.js';
import { startServer, TestClient, type TestServer } from './support/server.js';
import { issuer, jwksOf } from './support/tokens.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-auth-'));
const jwksFile = join(folder, 'jwks.json');
const KEY = issuer('a');
const running: TestServer[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const server of running.splice(0)) await server.stop();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(
  transport: 'uws' | 'ws' = 'uws',
  auth: Partial<NonNullable<ConfigInput['auth']>> = {},
  server: ConfigInput['server'] = {},
): Promise<TestServer> {
  writeFileSync(jwksFile, jwksOf(KEY));
  const started = await startServer({ server: { transport, ...server }, auth: { jwksFile, ...auth } });
  running.push(started);
  return started;
}

interface Wish {
  readonly subject?: string;
  readonly seconds?: number;
  readonly key?: typeof KEY;
  readonly claim?: EntitlementClaim;
  readonly issuedAt?: number;
}

function token({
  subject = 'alice',
  seconds = 60,
  key = KEY,
  claim,
  issuedAt = Math.floor(Date.now() / 1000),
}: Wish = {}): string {
  const entitlements = claim ?? { allow: [{ channels: ['*'], instruments: ['*'] }] };
  return mint(key, {
    issuer: 'depthwire',
    audience: 'depthwire',
    subject,
    issuedAt,
    lifetimeSeconds: seconds,
    entitlements,
  });
}

/** How a handshake with these headers is answered: 101, or the status with its body. */
function handshake(
  port: number,
  headers: Readonly<Record<string, string>> = {},
  protocols: readonly string[] = ['depthwire.v1'],
  path = '/v1/feed',
): Promise<{ status: number; protocol: string; body: string; challenge: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...protocols], { headers });
    socket.on('open', () => {
      resolve({ status: 101, protocol: socket.protocol, body: '', challenge: '' });
      socket.terminate();
    });
    socket.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const challenge = String(response.headers['www-authenticate'] ?? '');
        resolve({
          status: response.statusCode ?? 0,
          protocol: '',
          body: Buffer.concat(chunks).toString(),
          challenge,
        });
      });
    });
    socket.on('error', reject);
  });
}

const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });

function codeOf(body: string): string {
  return (JSON.parse(body) as { readonly error: { readonly code: string } }).error.code;
}

describe.each(['uws', 'ws'] as const)('a server with auth over %s', (transport) => {
  it('lets a client in by a header, or by a subprotocol that is not told again', async () => {
    const { port } = await serve(transport);
    expect(await handshake(port, bearer(token()))).toMatchObject({ status: 101, protocol: 'depthwire.v1' });
    const protocols = ['depthwire.v1', `depthwire.token.${token()}`];
    expect(await handshake(port, {}, protocols)).toMatchObject({ status: 101, protocol: 'depthwire.v1' });
  });

  it.each<[string, () => Readonly<Record<string, string>>, string, string]>([
    ['no token', () => ({}), 'auth.missing', 'Bearer'],
    [
      'one that has expired',
      () => bearer(token({ issuedAt: 1_700_000_000 })),
      'auth.expired',
      'Bearer error="invalid_token"',
    ],
    [
      'one that another key has signed',
      () => bearer(token({ key: issuer('a') })),
      'auth.signature',
      'Bearer error="invalid_token"',
    ],
    [
      'one of a key that is not known',
      () => bearer(token({ key: issuer('b') })),
      'auth.unknown_key',
      'Bearer error="invalid_token"',
    ],
    [
      'another scheme',
      () => ({ authorization: 'Basic YTpi' }),
      'auth.malformed',
      'Bearer error="invalid_token"',
    ],
  ])('refuses a handshake with %s', async (_what, headers, code, challenge) => {
    const { port, server } = await serve(transport);
    const sent = headers();
    const answer = await handshake(port, sent);
    expect([answer.status, codeOf(answer.body), answer.challenge]).toEqual([401, code, challenge]);
    // A piece of what was sent would be a piece of a token in somebody's log.
    for (const part of (sent.authorization ?? 'Bearer nothing').split(/[ .]/).slice(1))
      expect(answer.body).not.toContain(part);
    await expect.poll(() => server.counted.clientsRefused).toBe(1);
    expect(server.counted.clients).toBe(0);
  });

  it('refuses a handshake with one that holds nothing of the feed, which HTTP takes', async () => {
    const { port, server } = await serve(transport);
    const scraper = bearer(token({ claim: { allow: [], operations: true } }));
    const answer = await handshake(port, scraper);
    expect([answer.status, codeOf(answer.body), answer.challenge]).toEqual([403, 'feed.not_entitled', '']);
    await expect.poll(() => server.counted.clientsRefused).toBe(1);
    expect(server.counted.clients).toBe(0);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { headers: scraper })).status).toBe(200);
    // What it holds may be served later.
    const later = token({ claim: { allow: [{ channels: ['book'], instruments: ['later:*'] }] } });
    expect((await handshake(port, bearer(later))).status).toBe(101);
  });

  it('tells one that is too long from one that is wrong, as far as headers may be long', async () => {
    const { port } = await serve(transport);
    for (const [size, status, code] of [
      [TOKEN_BYTES_MAX, 401, 'auth.malformed'],
      [TOKEN_BYTES_MAX + 1, 401, 'auth.too_big'],
    ] as const) {
      const answer = await handshake(port, bearer('a'.repeat(size)));
      expect([answer.status, codeOf(answer.body)]).toEqual([status, code]);
    }
    expect((await handshake(port, bearer('a'.repeat(20_000)))).status).toBe(431);
  });

  it('does not read a token in the address', async () => {
    const { port } = await serve(transport);
    const path = `/v1/feed?token=${token()}&access_token=${token()}&authorization=Bearer%20${token()}`;
    const answer = await handshake(port, {}, ['depthwire.v1'], path);
    expect([answer.status, codeOf(answer.body)]).toEqual([401, 'auth.missing']);
  });

  it('tells no token again where the subprotocol of the feed is missing', async () => {
    const { port } = await serve(transport);
    const secret = token();
    const answer = await handshake(port, {}, ['other', `depthwire.token.${secret}`]);
    expect([answer.status, codeOf(answer.body)]).toEqual([400, 'feed.subprotocol']);
    expect(answer.body).toContain('other');
    expect(answer.body).not.toContain(secret.slice(0, 10));
  });
});

describe('a client with a token', () => {
  const claim: EntitlementClaim = {
    allow: [
      { channels: ['book', 'bbo'], instruments: ['sim:BTC*'] },
      { channels: ['depth'], instruments: ['sim:BTC*'], depthMax: 10 },
    ],
  };

  async function client(port: number, wish: Wish = { claim }): Promise<TestClient> {
    const opened = new TestClient(port, { protocols: ['depthwire.v1', `depthwire.token.${token(wish)}`] });
    await opened.count(1);
    return opened;
  }

  /** What the answers to one message are, without what is of no matter here. */
  async function answers(
    to: TestClient,
    message: object,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const before = to.control.length;
    to.send({ id: 'q', ...message });
    to.send({ op: 'ping', id: 'end' });
    await to.until(() => to.control.some(({ id }, at) => at >= before && id === 'end'), 'pong');
    return to.control.slice(before).filter(({ op }) => op !== 'pong');
  }

  it('has what the token holds, and is told what it holds where it asks for more', async () => {
    const { port } = await serve();
    const one = await client(port);
    const ask = (channel: string, instrument: string, more = {}) =>
      answers(one, { op: 'subscribe', channel, instrument, ...more });
    expect(await ask('book', 'sim:BTCUSDT')).toMatchObject([{ op: 'subscribed', channel: 'book' }]);
    expect(await ask('depth', 'sim:BTCUSDT', { depth: 10 })).toMatchObject([{ op: 'subscribed', depth: 10 }]);
    expect(await ask('depth', 'sim:BTCUSDT', { depth: 11 })).toMatchObject([
      { op: 'error', code: 'feed.not_entitled' },
    ]);
    const [refused] = await ask('trades', 'sim:BTCUSDT');
    expect(refused).toMatchObject({
      op: 'error',
      code: 'feed.not_entitled',
      expected: 'book, bbo of sim:BTC*; depth with depth up to 10 of sim:BTC*',
      got: 'trades of "sim:BTCUSDT"',
    });
  });

  it('learns nothing of what it may not have, by whatever message', async () => {
    const { port } = await serve();
    const one = await client(port);
    const bare = (list: readonly object[], name: string): string =>
      JSON.stringify(list).replaceAll(name, 'NAME');
    for (const op of ['subscribe', 'unsubscribe', 'resync']) {
      const there = await answers(one, { op, channel: 'book', instrument: 'sim:ETHUSDT' });
      const nowhere = await answers(one, { op, channel: 'book', instrument: 'sim:ETHUSDX' });
      expect(bare(there, 'sim:ETHUSDT')).toBe(bare(nowhere, 'sim:ETHUSDX'));
    }
    // What it may have is suggested, and nothing else.
    const [near] = await answers(one, { op: 'subscribe', channel: 'book', instrument: 'sim:BTCUSDX' });
    expect([near?.code, near?.fix]).toEqual(['feed.unknown_instrument', 'Write sim:BTCUSDT.']);
    const wide = await client(port, { claim: { allow: [{ channels: ['book'], instruments: ['*X'] }] } });
    const [far] = await answers(wide, { op: 'subscribe', channel: 'book', instrument: 'sim:ETHUSDX' });
    expect([far?.code, JSON.stringify(far).includes('sim:ETHUSDT')]).toEqual([
      'feed.unknown_instrument',
      false,
    ]);
  });

  it('has of a pattern what it may have, as if there were nothing else', async () => {
    const { port } = await serve();
    const one = await client(port);
    const [matched, ...rest] = await answers(one, {
      op: 'subscribe',
      channel: 'book',
      instruments: ['sim:*'],
    });
    expect(matched).toMatchObject({ op: 'matched', instruments: 1 });
    expect(rest).toMatchObject([{ op: 'subscribed', instrument: 'sim:BTCUSDT' }]);
    expect(await answers(one, { op: 'subscribe', channel: 'book', instruments: ['sim:ETH*'] })).toMatchObject(
      [{ op: 'matched', instruments: 0 }],
    );
    expect(await answers(one, { op: 'subscribe', channel: 'trades', instruments: ['*'] })).toMatchObject([
      { op: 'matched', instruments: 0 },
    ]);
  });

  it('is closed for probing with a code of its own, for another token is what helps', async () => {
    const { port, server } = await serve();
    const one = await client(port);
    for (let at = 0; at < 12; at++) one.send({ op: 'subscribe', channel: 'book', instrument: `sim:X${at}` });
    expect(await one.closed()).toBe(4403);
    await expect.poll(() => server.counted.closedFor('not_entitled')).toBe(1);
    const wrong = await client(port);
    for (let at = 0; at < 12; at++) wrong.send({ op: 'nonsense' });
    expect(await wrong.closed()).toBe(4400);
  });

  it('is held to the subscriptions and connections of its token', async () => {
    const { port } = await serve();
    const allow: EntitlementClaim['allow'] = [{ channels: ['*'], instruments: ['*'] }];
    const wish = { claim: { allow, subscriptionsMax: 1, connectionsMax: 2 } };
    const one = await client(port, wish);
    expect(one.control[0]).toMatchObject({ op: 'hello', limits: { subscriptionsMax: 1 } });
    await answers(one, { op: 'subscribe', channel: 'book', instrument: 'sim:BTCUSDT' });
    expect(await answers(one, { op: 'subscribe', channel: 'bbo', instrument: 'sim:BTCUSDT' })).toMatchObject([
      { code: 'feed.subscriptions_full' },
    ]);
    const two = await client(port, wish);
    const third = await handshake(port, bearer(token(wish)));
    expect([third.status, codeOf(third.body)]).toEqual([429, 'auth.connections_full']);
    expect((await handshake(port, bearer(token({ ...wish, subject: 'bob' })))).status).toBe(101);
    two.socket.close();
    await two.closed();
    await expect.poll(async () => (await handshake(port, bearer(token(wish)))).status).toBe(101);
  });

  it('is closed with 4401 when the token ends with its leeway, and not before', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    // The time of another process cannot be set.
    const { port } = await serve('uws', {}, { gateways: 0 });
    const nowMs = Date.now();
    const one = await client(port, { seconds: 60 });
    vi.setSystemTime(nowMs + 88_000);
    expect(await answers(one, { op: 'subscribe', channel: 'book', instrument: 'sim:BTCUSDT' })).toHaveLength(
      1,
    );
    vi.setSystemTime(nowMs + 91_000);
    expect(await one.closed()).toBe(4401);
    expect(one.control.at(-1)).toMatchObject({ op: 'error' });
  });

  it('stays when its key goes, while new ones with that key are refused', async () => {
    const { port, server } = await serve();
    const one = await client(port);
    writeFileSync(jwksFile, jwksOf(issuer('b')));
    await server.reloadKeys();
    const late = await handshake(port, bearer(token()));
    expect([late.status, codeOf(late.body)]).toEqual([401, 'auth.unknown_key']);
    expect(await answers(one, { op: 'subscribe', channel: 'book', instrument: 'sim:BTCUSDT' })).toMatchObject(
      [{ op: 'subscribed' }],
    );
  });

  it('is one of the SDK that was given the token', async () => {
    const { port } = await serve();
    const feed = connect(`ws://127.0.0.1:${port}/v1/feed`, { token: token() });
    await expect.poll(() => feed.state).toBe('open');
    await feed.close();
  });
});

describe('HTTP with auth', () => {
  const claim: EntitlementClaim = { allow: [{ channels: ['book'], instruments: ['sim:BTC*'] }] };

  async function get(
    url: string,
    text?: string,
  ): Promise<{ status: number; body: Record<string, unknown>; challenge: string | null }> {
    const answer = await fetch(url, { headers: text === undefined ? {} : bearer(text) });
    const body = await answer.text();
    const challenge = answer.headers.get('www-authenticate');
    return {
      status: answer.status,
      body: body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : { body },
      challenge,
    };
  }

  it('answers of the feed only what a token holds', async () => {
    const { url } = await serve();
    const none = await get(`${url}/v1/instruments`);
    expect([none.status, none.challenge]).toEqual([401, 'Bearer']);
    const mine = await get(`${url}/v1/instruments`, token({ claim }));
    expect((mine.body.instruments as { name: string }[]).map(({ name }) => name)).toEqual(['sim:BTCUSDT']);
    expect((await get(`${url}/v1/book/sim:BTCUSDT`, token({ claim }))).status).toBe(200);
    const there = await get(`${url}/v1/book/sim:ETHUSDT`, token({ claim }));
    const nowhere = await get(`${url}/v1/book/sim:ETHUSDX`, token({ claim }));
    expect([there.status, nowhere.status]).toEqual([403, 403]);
    expect(JSON.stringify(there.body).replaceAll('ETHUSDT', 'N')).toBe(
      JSON.stringify(nowhere.body).replaceAll('ETHUSDX', 'N'),
    );
    const near = await get(`${url}/v1/book/sim:BTCUSDX`, token({ claim }));
    expect([near.status, JSON.stringify(near.body)]).toEqual([404, expect.stringContaining('sim:BTCUSDT')]);
  });

  it.each(['/metrics', '/v1/sources'])(
    'answers %s to those who run the server, or to all where that is said',
    async (path) => {
      const { url } = await serve();
      expect((await get(url + path)).status).toBe(401);
      expect(await get(url + path, token())).toMatchObject({
        status: 403,
        body: { error: { code: 'auth.operations' } },
      });
      expect((await get(url + path, token({ claim: { allow: [], operations: true } }))).status).toBe(200);
      const open = await serve('uws', { openPaths: [path] });
      expect((await get(open.url + path)).status).toBe(200);
    },
  );

  it('answers /health and /ready to everybody, and what they say of the feed to those who run the server', async () => {
    const { url } = await serve();
    for (const wrong of [undefined, 'x', token({ key: issuer('a') })]) {
      expect(await get(`${url}/health`, wrong)).toMatchObject({ status: 200, body: { status: 'ok' } });
      expect(JSON.stringify((await get(`${url}/health`, wrong)).body)).not.toContain('sources');
      expect(JSON.stringify((await get(`${url}/ready`, wrong)).body)).not.toContain('books');
    }
    const { body } = await get(`${url}/health`, token({ claim: { allow: [], operations: true } }));
    expect(body).toHaveProperty('sources');
  });
});
