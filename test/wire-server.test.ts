import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { connect } from '../src/wire/index.js';
import { FeedServer, opened, until } from './support/feed-server.js';
import { startServer } from './support/server.js';

it('a feed says what its server carries, and why it cannot where there is none', async () => {
  const server = await startServer();
  const feed = connect(server.url);
  const instruments = await feed.instruments();
  expect(instruments.map(({ name }) => name)).toContain('sim:BTCUSDT');
  expect(instruments[0]).toMatchObject({
    venue: 'sim',
    state: expect.any(String),
    tickSize: expect.any(Number),
  });
  await feed.close();
  await server.stop();
  const nobody = connect(server.url, { reconnect: false });
  await expect(nobody.instruments()).rejects.toMatchObject({
    code: 'feed.no_instruments',
    where: `${server.url}/v1/instruments`,
  });
  const signal = AbortSignal.abort(new Error('not now'));
  await expect(connect(server.url, { signal }).instruments()).rejects.toThrow('not now');
});

it('a feed is back within a second of a server that was away for longer than its pauses grow', async () => {
  const server = await FeedServer.start();
  const feed = connect(server.url);
  await opened(feed);
  const gone = until<string>(feed, 'state', (state) => state === 'waiting');
  await server[Symbol.asyncDispose]();
  await gone;
  // Pauses of 0.25, 0.5 and 1 s, and 1 s from there on.
  await pause(4_000);
  const back = until<string>(feed, 'state', (state) => state === 'open');
  await using _again = await FeedServer.start(Number(new URL(server.url).port));
  const from = performance.now();
  await back;
  // The second, and the time that a busy machine takes to connect.
  expect(performance.now() - from).toBeLessThan(1_300);
  await feed.close();
}, 20_000);
