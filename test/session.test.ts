import { createHmac, generateKeyPairSync, verify } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AccountKey } from '../src/ingest/account-key.js';
import { Connection, type ConnectionListener } from '../src/ingest/connection.js';
import type { Loss } from '../src/ingest/session.js';
import { type Subscription, subscriptionsOf } from '../src/ingest/subscription.js';
import { VenueNet } from '../src/ingest/venue-net.js';
import {
  PLAIN,
  type SocketFacts,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from '../src/ingest/venues/facts.js';
import { ManualClock, until } from './support/manual-clock.js';
import { SocketVenue, type SocketVenueOptions } from './support/socket-venue.js';

const closing: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const STREAM: StreamFacts = {
  name: 'book',
  channels: ['book'],
  subscribe: '{"op":"subscribe","args":[{args}],"id":{id}}',
  unsubscribe: '{"op":"unsubscribe","args":[{args}],"id":{id}}',
  args: ['"book.{symbol}"'],
  argsMax: 10,
  bytesMax: null,
  depths: [],
  needsKey: false,
  silenceMs: null,
};

const SOCKET: SocketFacts = {
  ...PLAIN,
  url: 'wss://venue.example/ws',
  streams: [STREAM],
  beat: { from: 'venue', everyMs: 20_000, deadMs: 60_000 },
  limits: UNLIMITED,
};

function books(count: number, stream = STREAM): readonly Subscription[] {
  return Array.from({ length: count }, (_, at) =>
    subscriptionsOf(stream, 0, { symbol: `S${at}`, code: `S${at}` }),
  ).flat();
}

interface Rig {
  readonly venue: SocketVenue;
  readonly clock: ManualClock;
  readonly connection: Connection;
  readonly heard: string[];
  readonly losses: (Loss & { readonly wasOpen: boolean; readonly retryMs: number })[];
  readonly asked: string[];
  opened: number;
}

interface Given extends SocketVenueOptions {
  readonly facts?: Partial<SocketFacts>;
  readonly account?: AccountKey;
  readonly proxy?: string;
  readonly budgets?: VenueFacts['budgets'];
}

/** A connection to a server of this machine, of which the test drives the time. */
async function rig(given: Given, subscriptions = books(1)): Promise<Rig> {
  const venue = new SocketVenue(given);
  const port = await venue.listen();
  const clock = new ManualClock();
  const net = new VenueNet(
    { sources: ['a test'], heard: 'sockets', products: [], budgets: given.budgets ?? {} },
    {
      clock,
      random: () => 0.5,
      proxy: given.proxy,
      addresses: {
        'wss://venue.example': `ws://127.0.0.1:${port}`,
        'https://venue.example': `http://127.0.0.1:${port}`,
      },
    },
  );
  const made: Omit<Rig, 'connection'> = { venue, clock, heard: [], losses: [], asked: [], opened: 0 };
  const listener: ConnectionListener = {
    onOpened: () => {
      rigged.opened += 1;
    },
    onAsked: (text) => made.asked.push(text),
    onMessage: (bytes) => made.heard.push(Buffer.from(bytes).toString()),
    onFarewell: () => made.heard.push('farewell'),
    onSubscribed: () => {},
    onLost: (loss, wasOpen, retryMs) => made.losses.push({ ...loss, wasOpen, retryMs }),
  };
  const connection = new Connection(
    { facts: { ...SOCKET, ...given.facts }, account: given.account, net },
    listener,
  );
  const rigged: Rig = { ...made, connection };
  connection.add(subscriptions);
  connection.start();
  clock.pass(1);
  closing.push(
    () => venue.close(),
    () => {
      connection.stop();
      net.stop();
    },
  );
  return rigged;
}

/** What the last visitor has said, as JSON where it is. */
function said({ venue }: Rig): readonly unknown[] {
  return (venue.visitors.at(-1)?.said ?? []).map((text) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  });
}

describe('subscriptions', () => {
  it('go out in messages as full as they may be, as fast as they may go, each with a number of its own', async () => {
    // One of three is kept for a beat.
    const limits = { ...UNLIMITED, rates: [{ of: 'messages', max: 3, windowMs: 1000 }] as const };
    const all = await rig({ facts: { limits } }, books(45));
    await until(() => said(all).length === 2, 'the first two');
    all.clock.pass(1300);
    await until(() => said(all).length === 4, 'two more');
    all.clock.pass(1300);
    await until(() => said(all).length === 5, 'the last');
    const messages = said(all) as readonly { op: string; args: readonly string[]; id: number }[];
    expect(messages.map(({ args }) => args.length)).toEqual([10, 10, 10, 10, 5]);
    expect(messages.flatMap(({ args }) => args)).toEqual(
      Array.from({ length: 45 }, (_, at) => `book.S${at}`),
    );
    expect(new Set(messages.map(({ id }) => id)).size).toBe(5);
    expect(all.asked).toEqual([expect.stringMatching(/^ws:.*\/ws$/), ...(all.venue.visitors[0]?.said ?? [])]);
  });

  it('keep to the bytes of a message', async () => {
    const bytesMax = 400;
    const stream = { ...STREAM, argsMax: 1000, bytesMax };
    const all = await rig({ facts: { streams: [stream] } }, books(60, stream));
    await until(
      () => said(all).flatMap((message) => (message as { args: string[] }).args).length === 60,
      'all',
    );
    for (const text of all.venue.visitors[0]?.said ?? []) expect(text.length).toBeLessThanOrEqual(bytesMax);
  });

  it('are renewed alone, removed, and made again by the next connection', async () => {
    const all = await rig({}, books(3));
    await until(() => said(all).length === 1, 'the subscription');
    const [, second] = books(3);
    if (second === undefined) throw new Error('no second');
    all.connection.renew([second]);
    all.connection.renew([second]);
    all.connection.remove(books(1));
    await until(() => said(all).length === 6, 'what was said');
    expect(said(all).slice(1)).toMatchObject([
      { op: 'unsubscribe', args: ['book.S1'] },
      { op: 'subscribe', args: ['book.S1'] },
      { op: 'unsubscribe', args: ['book.S1'] },
      { op: 'subscribe', args: ['book.S1'] },
      { op: 'unsubscribe', args: ['book.S0'] },
    ]);
    all.venue.visitors[0]?.socket.close(1001, 'maintenance');
    await until(() => all.losses.length === 1, 'the loss');
    expect(all.losses[0]).toMatchObject({ cause: 'closed', detail: 'code 1001 maintenance', wasOpen: true });
    all.clock.pass(1000);
    await until(() => said(all).length === 1 && all.venue.visitors.length === 2, 'the next');
    expect(said(all)).toMatchObject([{ op: 'subscribe', args: ['book.S1', 'book.S2'] }]);
    expect(all.opened).toBe(2);
  });
});

describe('a venue that', () => {
  it('is not there is tried ever more rarely, and at once like new after a connection that lasted', async () => {
    let isDown = true;
    const all = await rig({ refuse: () => (isDown ? 403 : undefined) });
    for (let attempt = 1; attempt <= 4; attempt++) {
      await until(() => all.losses.length === attempt, `loss ${attempt}`);
      all.clock.pass(all.losses.at(-1)?.retryMs ?? 0);
    }
    await until(() => all.losses.length === 5, 'loss 5');
    expect(all.losses.map(({ cause, wasOpen }) => [cause, wasOpen])).toEqual(
      all.losses.map(() => ['refused', false]),
    );
    expect(all.losses.map(({ retryMs }) => retryMs)).toEqual([11_250, 22_500, 45_000, 90_000, 180_000]);
    expect(all.losses[0]?.pauseMs).toBe(7000);
    isDown = false;
    all.clock.pass(180_000);
    await until(() => all.opened === 1, 'the connection');
    all.clock.pass(1);
    all.venue.visitors[0]?.socket.terminate();
    await until(() => all.losses.length === 6, 'loss 6');
    expect(all.losses.at(-1)).toMatchObject({ cause: 'closed', retryMs: 375 });
  });

  it('greets first is not spoken to before', async () => {
    const all = await rig({
      facts: { welcome: { type: 'welcome' }, opening: ['{"event":"conf","flags":{id}}'] },
    });
    await until(() => all.opened === 1, 'the connection');
    await all.clock.passSlowly(500);
    expect(said(all)).toEqual([]);
    all.venue.visitors[0]?.socket.send('{"id":"x","type":"welcome"}');
    await until(() => said(all).length === 2, 'the subscription');
    expect(said(all)).toMatchObject([
      { event: 'conf', flags: 1 },
      { op: 'subscribe', id: 2 },
    ]);
    expect(all.heard).toEqual([]);
  });

  it('does not greet is left', async () => {
    const all = await rig({ facts: { welcome: { type: 'welcome' } } });
    await until(() => all.opened === 1, 'the connection');
    all.clock.pass(10_000);
    expect(all.losses).toMatchObject([{ cause: 'unreachable', detail: 'no first message in 10 s' }]);
  });

  it('packs messages is understood', async () => {
    const all = await rig({ isPacked: true, facts: { isPacked: true } });
    await until(() => said(all).length === 1, 'the subscription');
    expect(all.venue.visitors[0]?.socket.extensions).toContain('permessage-deflate');
    const long = JSON.stringify({ text: 'x'.repeat(100_000) });
    all.venue.visitors[0]?.socket.send(long);
    await until(() => all.heard.length === 1, 'the message');
    expect(all.heard).toEqual([long]);
  });

  it('gives out addresses is connected to there, with its token and its beat', async () => {
    const address = {
      request: { method: 'POST', url: 'https://venue.example/bullet', weight: 1, budget: 'rest' },
      token: 'data.token',
      endpoint: 'data.servers.0.endpoint',
      beatMs: 'data.servers.0.pingInterval',
    } as const;
    const budgets = {
      rest: {
        weightMax: 10,
        windowMs: 1000,
        usedHeader: null,
        leftHeader: null,
        ban: { statuses: [], pauseMs: 1 },
      },
    };
    let requests = 0;
    const all = await rig({
      budgets,
      onRequest: (request, response) => {
        requests += request.method === 'POST' ? 1 : 0;
        const servers = [{ endpoint: 'wss://venue.example/end', pingInterval: 1000 }];
        response.end(
          requests === 1 ? '<html>later</html>' : JSON.stringify({ data: { token: 'a/b', servers } }),
        );
      },
      facts: {
        url: '{endpoint}?token={token}',
        address,
        beat: { from: 'us', text: '{"id":"{id}","type":"ping"}', everyMs: 18_000, deadMs: 30_000 },
      },
    });
    await until(() => all.losses.length === 1, 'the first answer');
    expect(all.losses[0]).toMatchObject({
      cause: 'unreachable',
      detail: 'no address: the answer has no data.token',
    });
    all.clock.pass(1000);
    await until(() => said(all).length === 1, 'the subscription');
    expect(all.venue.visitors[0]?.request.url).toBe('/end?token=a%2Fb');
    all.clock.pass(1000);
    await until(() => said(all).length === 2, 'the beat');
    expect(said(all)[1]).toEqual({ id: '2', type: 'ping' });
  });
});

describe('signs of life', () => {
  it('our beat goes out on time, and a venue that answers it lives', async () => {
    const all = await rig({
      facts: { beat: { from: 'us', text: 'ping', everyMs: 5000, deadMs: 12_000 } },
      onText: ({ socket }, text) => {
        if (text === 'ping') socket.send('pong');
      },
    });
    await until(() => said(all).length === 1, 'the subscription');
    await all.clock.passSlowly(60_000, 500);
    expect(all.losses).toEqual([]);
    expect(said(all).filter((text) => text === 'ping').length).toBeGreaterThanOrEqual(11);
    expect(all.heard.every((text) => text === 'pong')).toBe(true);
  });

  it('a half-open connection is dead after its time, and is made anew', async () => {
    const all = await rig({ facts: { beat: { from: 'us', text: 'ping', everyMs: 5000, deadMs: 12_000 } } });
    await until(() => said(all).length === 1, 'the subscription');
    await all.clock.passSlowly(12_100, 100);
    expect(all.losses).toMatchObject([{ cause: 'silent', wasOpen: true }]);
    all.clock.pass(1000);
    await until(() => all.opened === 2, 'another connection');
  });

  it('a quiet venue is asked for a sign, which any must give', async () => {
    const alive = await rig({});
    await until(() => said(alive).length === 1, 'the subscription');
    await alive.clock.passSlowly(50_000, 500);
    expect(alive.losses).toEqual([]);
    expect(alive.venue.visitors[0]?.pings).toBeGreaterThanOrEqual(2);
    const dead = await rig({ autoPong: false });
    await until(() => said(dead).length === 1, 'the subscription');
    await dead.clock.passSlowly(30_100, 100);
    expect(dead.losses).toMatchObject([{ cause: 'silent' }]);
  });

  it('a connection of a channel that is never quiet is made anew when it is', async () => {
    const stream = { ...STREAM, silenceMs: 3000 };
    const all = await rig({ facts: { streams: [stream] } }, books(1, stream));
    await until(() => said(all).length === 1, 'the subscription');
    await all.clock.passSlowly(2000, 100);
    all.venue.visitors[0]?.socket.send('{}');
    await until(() => all.heard.length === 1, 'the message');
    await all.clock.passSlowly(2900, 100);
    expect(all.losses).toEqual([]);
    await all.clock.passSlowly(200, 50);
    expect(all.losses).toMatchObject([{ cause: 'silent' }]);
  });

  it('pings are answered within the limits, and of several at once the last', async () => {
    const limits = { ...UNLIMITED, rates: [{ of: 'messages', max: 3, windowMs: 1000 }] as const };
    const all = await rig({ facts: { limits } }, books(30));
    await until(() => said(all).length === 2, 'what one message less than the limit lets through');
    const [visitor] = all.venue.visitors;
    const answers: string[] = [];
    visitor?.socket.on('pong', (data) => answers.push(data.toString()));
    for (let ping = 0; ping < 10; ping++) visitor?.socket.ping(String(ping));
    await until(() => answers.length === 1, 'an answer at once');
    await new Promise((resolve) => setTimeout(resolve, 50));
    all.clock.pass(1300);
    await until(() => answers.length === 2, 'one more');
    expect(answers).toEqual(['0', '9']);
    expect(said(all).length + answers.length).toBeLessThanOrEqual(6);
  });

  it('an answer that the engine wants to give goes before what waits', async () => {
    const limits = { ...UNLIMITED, rates: [{ of: 'messages', max: 1, windowMs: 1000 }] as const };
    const all = await rig({ facts: { limits } }, books(30));
    await until(() => said(all).length === 1, 'the first');
    all.connection.say('{"op":"pong"}');
    all.clock.pass(1300);
    await until(() => said(all).length === 2, 'the answer');
    expect(said(all)[1]).toEqual({ op: 'pong' });
  });
});

const LOGIN: NonNullable<SocketFacts['login']> = {
  kind: 'message',
  text: '{"op":"login","args":[{"apiKey":"{key}","passphrase":"{passphrase}","timestamp":"{seconds}","sign":"{signature}"}]}',
  signature: {
    hash: 'sha256',
    secret: 'text',
    over: '{seconds}GET/users/self/verify',
    encoding: 'base64',
    expiresMs: 0,
  },
  accepted: { event: 'login', code: '0' },
  refused: { event: 'error' },
  renewMs: null,
};
const KEYED = { ...STREAM, needsKey: true };
const ACCOUNT = { key: 'the-key', secret: 'the-secret', passphrase: 'the-word' };

describe('a login', () => {
  it('by a message is signed as the venue checks it, and comes before every subscription', async () => {
    const problems: string[] = [];
    const all = await rig(
      {
        facts: { streams: [KEYED], login: LOGIN },
        account: new AccountKey(ACCOUNT),
        onText: ({ socket }, text) => {
          const { op, args } = JSON.parse(text) as { op: string; args: readonly Record<string, string>[] };
          if (op !== 'login') return;
          const [{ apiKey, passphrase, timestamp = '', sign } = {}] = args;
          const expected = createHmac('sha256', 'the-secret')
            .update(`${timestamp}GET/users/self/verify`)
            .digest('base64');
          if (sign !== expected || apiKey !== 'the-key' || passphrase !== 'the-word') problems.push(text);
          if (Math.abs(Number(timestamp) - all.clock.wallMs() / 1000) > 30) problems.push('expired');
          socket.send('{"event":"login","msg":"","code":"0","connId":"a4d3ae55"}');
        },
      },
      books(2, KEYED),
    );
    await until(() => said(all).length === 2, 'the subscription');
    expect(said(all).map((message) => (message as { op: string }).op)).toEqual(['login', 'subscribe']);
    expect(problems).toEqual([]);
    expect(all.heard).toEqual([]);
    expect(all.asked.join()).not.toContain('the-key');
  });

  it('that is refused is told, and tried ever more rarely', async () => {
    const all = await rig(
      {
        facts: { streams: [KEYED], login: LOGIN },
        account: new AccountKey(ACCOUNT),
        onText: ({ socket }) => socket.send('{"event":"error","code":"60009","msg":"Login failed."}'),
      },
      books(1, KEYED),
    );
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(() => all.losses.length === attempt, `refusal ${attempt}`);
      all.clock.pass(all.losses.at(-1)?.retryMs ?? 0);
    }
    expect(all.losses.slice(0, 3).map(({ retryMs }) => retryMs)).toEqual([11_250, 22_500, 45_000]);
    expect(all.losses[0]).toMatchObject({
      cause: 'login',
      detail: expect.stringContaining('60009') as unknown,
    });
  });

  it('is renewed before it ends', async () => {
    const all = await rig(
      {
        facts: { streams: [KEYED], login: { ...LOGIN, renewMs: 600_000 } },
        account: new AccountKey(ACCOUNT),
        onText: ({ socket }, text) => {
          if (text.includes('"login"')) socket.send('{"event":"login","code":"0"}');
        },
      },
      books(1, KEYED),
    );
    await until(() => said(all).length === 2, 'the subscription');
    const before = JSON.stringify(said(all)[0]);
    await all.clock.passSlowly(600_100, 5000);
    await until(() => said(all).length === 3, 'the renewal');
    expect(JSON.stringify(said(all)[2])).not.toBe(before);
    expect(all.losses).toEqual([]);
  });

  it('by a token of ES256 stands in each subscription, fresh', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    const stream = { ...KEYED, argsMax: 1, subscribe: '{"product":{args},"jwt":"{jwt}"}' };
    const login = { kind: 'jwt', issuer: 'cdp', lifeMs: 120_000 } as const;
    const key = { key: 'organizations/o/apiKeys/k', secret: pem.replaceAll('\n', '\\n') };
    const all = await rig(
      { facts: { streams: [stream], login }, account: new AccountKey(key) },
      books(2, stream),
    );
    await until(() => said(all).length === 2, 'both subscriptions');
    const tokens = (said(all) as readonly { jwt: string }[]).map(({ jwt }) => jwt);
    expect(new Set(tokens).size).toBe(2);
    for (const token of tokens) {
      const [head = '', claims = '', signature = ''] = token.split('.');
      const text = Buffer.from(`${head}.${claims}`);
      const signed = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      expect(verify('sha256', text, signed, Buffer.from(signature, 'base64url'))).toBe(true);
      expect(JSON.parse(Buffer.from(head, 'base64url').toString())).toMatchObject({
        alg: 'ES256',
        kid: key.key,
      });
      const { iss, sub, nbf, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
        string,
        unknown
      >;
      expect([iss, sub, Number(exp) - Number(nbf)]).toEqual(['cdp', key.key, 120]);
    }
  });

  it('shows the key nowhere', () => {
    const account = new AccountKey(ACCOUNT);
    const shown = [String(account), JSON.stringify({ account }), `${Object.values(account).join()}`].join();
    expect(shown).not.toMatch(/the-(key|secret|word)/);
  });
});

describe('a proxy', () => {
  it('carries the socket, with its user, and is told where it refuses', async () => {
    const asked: string[] = [];
    const sockets: Socket[] = [];
    const proxy = createServer();
    proxy.on('connect', ({ url = '', headers }, socket: Socket) => {
      asked.push(`${url} ${headers['proxy-authorization'] ?? ''}`);
      sockets.push(socket);
      if (asked.length === 1) return void socket.end('HTTP/1.1 407 No\r\n\r\n');
      const [host, port] = url.split(':');
      const target = connectTcp(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Yes\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      sockets.push(target);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    const all = await rig({ proxy: `http://me:my%20word@127.0.0.1:${port}` });
    await until(() => all.losses.length === 1, 'the refusal');
    expect(all.losses[0]?.detail).toMatch(/refused .*: 407/);
    all.clock.pass(1000);
    await until(() => said(all).length === 1, 'the subscription');
    const user = `Basic ${Buffer.from('me:my word').toString('base64')}`;
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatch(new RegExp(`^127.0.0.1:\\d+ ${user.replace(/[+/=]/g, '\\$&')}$`));
  });
});
