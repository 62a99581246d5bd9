import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openEngine } from '../src/engine.js';
import type { DepthwireError } from '../src/errors.js';
import { type LiveSource, LiveVenues } from '../src/ingest/live-venues.js';
import { refusedSubscription, tokenOf } from '../src/ingest/login.js';
import { KRAKEN } from '../src/ingest/venues/kraken.js';
import { ManualClock, until } from './support/manual-clock.js';
import { SocketVenue } from './support/socket-venue.js';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const TOKEN = '{"error":[],"result":{"token":"T","expires":900}}';

/** Kraken's orders with a key and its books without one, over a server whose answers are the test's. */
async function rig(answer: () => string, subscribed?: string, folder?: string) {
  const requests: number[] = [];
  const clock = new ManualClock();
  const venue = new SocketVenue({
    onRequest: (_request, response) => {
      requests.push(clock.nowMs());
      response.end(answer());
    },
    onText: ({ socket }, text) => {
      if (text.includes('"token"') && subscribed !== undefined) socket.send(subscribed);
    },
  });
  const port = await venue.listen();
  const faults: DepthwireError[] = [];
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: false, outputBytes: 4 << 20 },
    {
      onFrame() {},
      onAsk: (ask) => live.ask(ask),
      onSay: (source, text) => live.say(source, text),
      onFault: (fault) => faults.push(fault),
    },
  );
  if (folder !== undefined) engine.record({ folder, seal: false });
  engine.addInstrument('kraken:BTC/USD');
  const source = (name: string, more: Partial<LiveSource>): LiveSource => ({
    name,
    venue: 'kraken',
    instruments: ['kraken:BTC/USD'],
    urls: {
      'wss://ws.kraken.com': `ws://127.0.0.1:${port}/public`,
      'wss://ws-l3.kraken.com': `ws://127.0.0.1:${port}/orders`,
      'https://api.kraken.com': `http://127.0.0.1:${port}`,
    },
    ...more,
  });
  const live: LiveVenues = new LiveVenues(
    [
      source('orders', { channels: ['orders'], keys: { key: 'my-own-key', secret: 'bXktb3duLXNlY3JldA==' } }),
      source('trades', { channels: ['trades'] }),
    ],
    { clock, random: () => 0.999, onFault: (fault) => faults.push(fault) },
  );
  live.open(engine);
  live.start();
  clock.pass(1);
  closing.push(
    () => engine.close(),
    () => venue.close(),
    () => live.stop(),
  );
  const orders = () => live.status()[0]?.connections[0];
  return { venue, engine, clock, live, faults, requests, orders };
}

describe('a token', () => {
  it.each([
    'EAPI:Invalid key',
    'EAPI:Invalid signature',
    'EGeneral:Permission denied',
    'ESession:Invalid session',
  ])(
    'that is refused with %s is a login that fails: told with the permission, tried ever more rarely',
    async (error) => {
      const all = await rig(() => `{"error":["${error}"]}`);
      await until(() => all.faults.length === 1, 'the refusal');
      expect(all.faults[0]?.toJSON()).toMatchObject({
        code: 'live.login',
        where: 'kraken wss://ws-l3.kraken.com/v2',
        got: `login: no token: ${error}`,
        fix: expect.stringContaining('permission “WebSocket interface') as unknown,
      });
      expect(all.faults[0]?.fix).toMatch(/tried again in 15\.0 s, then ever more rarely/);
      expect(JSON.stringify([all.faults, all.live.status()])).not.toMatch(/my-own|bXktb3du/);
      // What anybody may hear goes on.
      await until(() => all.venue.visitors.length === 1, 'the public connection');
      await until(() => all.live.status()[1]?.connections[0]?.state === 'ready', 'trades');
      for (const pauseMs of [15_000, 30_000, 60_000]) {
        const before = all.requests.length;
        all.clock.pass(pauseMs * 0.9);
        await new Promise((resolve) => setTimeout(resolve, 20));
        expect(all.requests).toHaveLength(before);
        all.clock.pass(pauseMs * 0.1);
        await until(
          () => all.faults.filter(({ code }) => code === 'live.login').length === before + 1,
          'the next one',
        );
      }
      expect(all.requests).toHaveLength(4);
    },
  );

  it('that comes at last is used', async () => {
    let answers = 0;
    const all = await rig(() => (++answers === 1 ? '{"error":["EAPI:Invalid key"]}' : TOKEN));
    await until(() => all.faults.length === 1, 'the refusal');
    all.clock.pass(15_000);
    await until(() => all.orders()?.state === 'ready', 'the connection');
  });

  it('stands in no journal, nor does the key that it was had by', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'depthwire-token-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    const all = await rig(() => TOKEN, undefined, folder);
    const said = () => all.venue.visitors.flatMap((visitor) => visitor.said).join('\n');
    await until(() => /"token"[\s\S]*"trade"|"trade"[\s\S]*"token"/.test(said()), 'both subscriptions');
    expect(said()).toContain('"token":"T"');
    await until(() => all.live.status()[1]?.connections[0]?.state === 'ready', 'trades');
    all.engine.endRecording();
    const [name = ''] = readdirSync(folder);
    const journal = readFileSync(join(folder, name)).toString('latin1');
    expect(journal).toContain('"token":"-"');
    expect(journal).toContain('kraken:BTC/USD');
    expect(journal).not.toMatch(/"token":"T"|my-own|bXktb3du/);
  });

  it('that the socket does not take ends its connection, and the next one comes late', async () => {
    const all = await rig(
      () => TOKEN,
      '{"error":"ESession:Invalid session","method":"subscribe","req_id":1,"success":false}',
    );
    const logins = () => all.faults.filter(({ code }) => code === 'live.login');
    await until(() => logins().length === 1, 'the refusal');
    expect(logins()[0]?.got).toBe('login: no subscription: ESession:Invalid session');
    expect(all.orders()).toMatchObject({
      state: 'waiting',
      lastLoss: 'login: no subscription: ESession:Invalid session',
    });
    all.clock.pass(14_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(all.requests).toHaveLength(1);
    all.clock.pass(1001);
    await until(() => logins().length === 2, 'the next one');
  });
});

describe('an answer to the request for a token', () => {
  const login = KRAKEN.products[0]?.sockets[1]?.login;
  if (login?.kind !== 'token') throw new Error('Kraken has tokens');
  const answered = (text: string, status = 200): unknown => {
    try {
      return tokenOf({ status, headers: {}, body: Buffer.from(text) }, login);
    } catch (error) {
      return error;
    }
  };

  it('is the token, a refusal of the account, one that passes, or none', () => {
    expect(answered(TOKEN)).toBe('T');
    expect(answered('{"error":["EAPI:Invalid key"]}')).toMatchObject({ loss: { cause: 'login' } });
    expect(answered('<html>', 403)).toMatchObject({
      loss: { cause: 'login', detail: 'no token: HTTP status 403' },
    });
    expect(answered('{"error":["EAPI:Rate limit exceeded"]}')).toMatchObject({
      loss: { cause: 'refused', detail: 'no token: EAPI:Rate limit exceeded' },
    });
    for (const [text, status] of [
      ['<html>', 200],
      ['{"error":[]}', 200],
      ['', 502],
    ] as const) {
      expect(answered(text, status)).not.toHaveProperty('loss');
      expect(answered(text, status)).toBeInstanceOf(Error);
    }
  });

  it('is looked for among answers to subscriptions only', () => {
    const said = (text: string) => refusedSubscription(Buffer.from(text), login)?.detail;
    expect(said('{"error":"EGeneral:Permission denied","success":false}')).toBe(
      'no subscription: EGeneral:Permission denied',
    );
    for (const text of [
      '{"error":"Currency pair not supported XX/YY","success":false}',
      '{"channel":"level3","data":[]}',
      '{"error":{"a":1}}',
      'ESession:Invalid session "error"',
      `{"error":"ESession:Invalid session","x":"${'x'.repeat(1024)}"}`,
    ])
      expect(said(text)).toBeUndefined();
  });
});
