import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { mint } from '../src/publish/auth/mint.js';
import { CloseError, channel, connect, type FeedError } from '../src/wire/index.js';
import { opened, until } from './support/feed-server.js';
import { startServer } from './support/server.js';
import { issuer, jwksOf } from './support/tokens.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-token-'));
const KEY = issuer('a');

afterEach(() => void vi.useRealTimers());
afterAll(() => rmSync(folder, { recursive: true }));

const token = (): string =>
  mint(KEY, {
    issuer: 'depthwire',
    audience: 'depthwire',
    subject: 'alice',
    issuedAt: Math.floor(Date.now() / 1000),
    lifetimeSeconds: 60,
    entitlements: { allow: [{ channels: ['*'], instruments: ['*'] }] },
  });

it('a feed goes on with another token when its own has ended, and ends where there is none', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const jwksFile = join(folder, 'jwks.json');
  writeFileSync(jwksFile, jwksOf(KEY));
  const server = await startServer({ auth: { jwksFile } });
  const url = `ws://127.0.0.1:${server.port}/v1/feed`;
  const reconnect = { delayMs: 5, delayMsMax: 40 };
  let asked = 0;
  const renewed = connect(url, {
    reconnect,
    token: () => {
      asked += 1;
      return token();
    },
  });
  const fixed = connect(url, { reconnect, token: token() });
  await Promise.all([opened(renewed), opened(fixed)]);
  const trades = renewed.subscribe(channel.trades, 'sim:BTCUSDT');
  await vi.waitFor(() => expect(trades.granted).toBeDefined());
  // The server says why before it closes.
  const errors = [renewed, fixed].map((feed) =>
    until<FeedError>(feed, 'error', (error) => error instanceof CloseError),
  );
  const back = until<string>(renewed, 'state', (state) => state === 'open');
  const over = until<string>(fixed, 'state', (state) => state === 'closed');
  vi.setSystemTime(Date.now() + 100_000);
  expect((await Promise.all(errors)).map(({ code }) => code)).toEqual(['feed.auth', 'feed.auth']);
  await Promise.all([back, over]);
  expect([asked, renewed.state, trades.closed, fixed.error?.code]).toEqual([2, 'open', false, 'feed.auth']);
  const none = connect(url, { reconnect });
  expect(await until<FeedError>(none, 'error')).toMatchObject({ code: 'feed.auth', reconnects: false });
  await Promise.all([renewed.close(), none.close()]);
  await server.stop();
});
