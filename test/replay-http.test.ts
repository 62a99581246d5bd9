import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ConfigInput } from '../src/config.js';
import { mint } from '../src/publish/auth/mint.js';
import { errorSchema, replaySchema } from '../src/publish/http-schemas.js';
import { timeNs } from '../src/time-text.js';
import { fakeReplay } from './support/fake-replay.js';
import { startServer, type TestServer } from './support/server.js';
import { issuer, jwksOf } from './support/tokens.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-replay-http-'));
afterAll(() => rmSync(folder, { recursive: true }));

const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function serve(input: ConfigInput = {}, hasReplay = true) {
  const served = await startServer(input);
  running.push(served);
  const replay = fakeReplay();
  if (hasReplay) served.server.replay = replay;
  const url = `${served.url}/v1/replay`;
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(url, { method: 'POST', body, headers });
  return { ...served, replay, url, base: served.url, post };
}

async function codeOf(answer: Response): Promise<string> {
  return errorSchema.parse(await answer.json()).error.code;
}

describe.each(['uws', 'ws'] as const)('/v1/replay over %s', (transport) => {
  const over = { server: { transport } };

  it('tells where the recording is, with its times as texts', async () => {
    const { url } = await serve(over);
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    expect(replaySchema.parse(await answer.json())).toEqual({
      state: 'running',
      clockNs: '1723161254000000001',
      beginNs: '1723161253000000000',
      endNs: null,
      seekNs: null,
      speed: 2,
      paused: false,
      skipIdle: false,
      loop: false,
      passes: 1,
    });
  });

  it('changes what is named and nothing else, and answers how it stands then', async () => {
    const { post, replay } = await serve(over);
    const bodies = [
      '{"paused":true}',
      '{"speed":"max"}',
      '{"speed":0.5,"skipIdle":true}',
      '{"seek":"1723161260000000007"}',
      '{"seek":"2024-08-09T00:00:00.000000001+02:00","paused":false}',
      '{}',
    ];
    for (const body of bodies) {
      const answer = await post(body);
      expect(answer.status, body).toBe(200);
      replaySchema.parse(await answer.json());
    }
    expect(replay.changes).toEqual([
      { isPaused: true },
      { speed: 'max' },
      { speed: 0.5, skipsIdle: true },
      { seekNs: 1_723_161_260_000_000_007n },
      { seekNs: 1_723_154_400_000_000_001n, isPaused: false },
      {},
    ]);
    const [last] = [await post('{"paused":true}')];
    expect(await last?.json()).toMatchObject({ paused: true, state: 'seeking', speed: 0.5 });
  });

  it.each([
    ['no JSON', '{paused', 'body'],
    ['nothing', '', 'body'],
    ['no object', '[]', 'body'],
    ['an unknown member', '{"pause":true}', 'body'],
    ['no flag', '{"paused":"yes"}', 'paused'],
    ['no speed', '{"speed":0}', 'speed'],
    ['a speed that is too high', '{"speed":10001}', 'speed'],
    ['a time without its zone', '{"seek":"2024-08-09T00:00:00"}', 'seek'],
    ['a time as a number, which holds no ns', '{"seek":1723161260000000007}', 'seek'],
    ['a time that is none', '{"seek":"2024-13-09T00:00:00Z"}', 'seek'],
  ])('refuses %s, and changes nothing', async (_, body, where) => {
    const { post, replay } = await serve(over);
    const answer = await post(body);
    expect(answer.status).toBe(400);
    const { error } = errorSchema.parse(await answer.json());
    expect([error.code, error.where]).toEqual(['replay.bad_change', where]);
    expect(error.fix).not.toBe('');
    expect(replay.changes).toEqual([]);
  });

  it('says so where nothing is replayed, and where a replay has failed', async () => {
    const live = await serve(over, false);
    for (const answer of [await fetch(live.url), await live.post('{"paused":true}')])
      expect([answer.status, await codeOf(answer)]).toEqual([404, 'replay.none']);
    const { server, post } = await serve(over);
    server.replay = fakeReplay({ state: 'failed' });
    const failed = await post('{"seek":"0"}');
    expect([failed.status, await codeOf(failed)]).toEqual([409, 'replay.failed']);
  });

  it('is no matter of other pages, and takes POST alone', async () => {
    const { post, url, replay, base } = await serve(over);
    const foreign = await post('{"paused":true}', { origin: 'https://elsewhere.example' });
    expect([foreign.status, await codeOf(foreign)]).toEqual([403, 'http.foreign_origin']);
    expect(replay.changes).toEqual([]);
    expect((await post('{"paused":true}', { origin: base })).status).toBe(200);
    const allowed = await fetch(url, { method: 'OPTIONS', headers: { origin: base } });
    expect(allowed.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS');
    expect(allowed.headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST');
    expect(allowed.headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type');
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      expect((await fetch(url, { method, body: '{}' })).status).toBe(405);
  });

  it('takes a body in pieces, none that is too long, and waits for none for long', async () => {
    const { port, url, replay } = await serve({ ...over, limits: { pendingMs: 1000 } });
    const send = (head: string, ...parts: string[]): Promise<string> =>
      new Promise((resolve) => {
        let heard = '';
        const socket = createConnection(port, '127.0.0.1');
        socket.on('data', (piece) => {
          heard += piece.toString();
          if (heard.includes('}')) socket.end();
        });
        socket.on('close', () => resolve(heard));
        socket.on('error', () => {});
        void (async () => {
          for (const part of [
            `POST /v1/replay HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${head}\r\n\r\n`,
            ...parts,
          ]) {
            socket.write(part);
            await pause(40);
          }
        })();
      });
    expect(await send('Content-Length: 15', '{"pau', 'sed":', 'true}')).toMatch(
      /^HTTP\/1\.1 200[\s\S]*"paused":true/,
    );
    expect(replay.changes).toEqual([{ isPaused: true }]);
    const long = ' '.repeat(5000);
    expect(await send('Content-Length: 5015', long, '{"paused":true}')).toMatch(
      /^HTTP\/1\.1 413[\s\S]*http\.body_too_long/,
    );
    const startMs = performance.now();
    expect(await send('Content-Length: 100', '{"pau')).toBe('');
    expect(performance.now() - startMs).toBeLessThan(5000);
    expect(replay.changes).toHaveLength(1);
    // Many in a row on one connection, and the server goes on.
    for (let at = 0; at < 20; at++) {
      const answer = await fetch(url, { method: 'POST', body: `{"speed":${at + 1}}` });
      expect((await answer.json()) as object).toMatchObject({ speed: at + 1 });
    }
  }, 30_000);

  it('takes who may see all clients for one who may change what all of them see', async () => {
    const key = issuer('a');
    const jwksFile = join(folder, 'jwks.json');
    writeFileSync(jwksFile, jwksOf(key));
    const auth = { jwksFile, openPaths: ['/v1/replay'] };
    const { url, post, replay } = await serve({ ...over, auth });
    const token = (operations: boolean): Record<string, string> => ({
      authorization: `Bearer ${mint(key, {
        issuer: 'depthwire',
        audience: 'depthwire',
        subject: 'alice',
        issuedAt: Math.floor(Date.now() / 1000),
        lifetimeSeconds: 60,
        entitlements: { allow: [{ channels: ['*'], instruments: ['*'] }], operations },
      })}`,
    });
    // The path was opened to those who ask, and not to those who change.
    expect((await fetch(url)).status).toBe(200);
    const without = await post('{"paused":true}');
    expect([without.status, await codeOf(without)]).toEqual([401, 'auth.missing']);
    const reader = await post('{"paused":true}', token(false));
    expect([reader.status, await codeOf(reader)]).toEqual([403, 'auth.operations']);
    expect(replay.changes).toEqual([]);
    expect((await post('{"paused":true}', token(true))).status).toBe(200);
    expect(replay.changes).toHaveLength(1);
  });
});

it('the greeting, the list, a book and the health say that it is a replay', async () => {
  const { base, port } = await serve({ replay: { files: ['recording'] } });
  const ask = async (path: string): Promise<unknown> => (await fetch(base + path)).json();
  expect(await ask('/v1/instruments')).toMatchObject({ replay: true });
  expect(await ask('/v1/book/sim:BTCUSDT')).toMatchObject({ replay: true });
  expect(await ask('/health')).toMatchObject({ replay: { state: 'running', speed: 2 } });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/feed`, 'depthwire.v1');
  const hello = await new Promise<string>((resolve) =>
    socket.once('message', (text: Buffer) => resolve(text.toString())),
  );
  expect(JSON.parse(hello)).toMatchObject({ op: 'hello', replay: true });
  socket.terminate();
  const live = await serve({}, false);
  const of = async (path: string): Promise<unknown> => (await fetch(live.base + path)).json();
  expect(await of('/v1/instruments')).toMatchObject({ replay: false });
  expect(await of('/health')).toMatchObject({ replay: null });
});

it('times are read to the ns', () => {
  expect(timeNs('0')).toBe(0n);
  expect(timeNs('1970-01-01T00:00:01.5Z')).toBe(1_500_000_000n);
  expect(timeNs('1970-01-01T01:00+01:00')).toBe(0n);
  for (const wrong of ['', '-1', '1.5', 'now', '1960-01-01T00:00:00Z', '12345678901234567890'])
    expect(timeNs(wrong), wrong).toBeUndefined();
});
