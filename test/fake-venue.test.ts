import { createHash, createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { openEngine } from '../src/engine.js';
import { FAKE_ACCOUNT, type FakeVenue } from '../src/fake-venue/fake-venue.js';
import { type Fault, FaultPlan, parseFault } from '../src/fake-venue/fault.js';
import { ask, fakeUrl, fakeVenue, type HttpAnswer, PlainClient, until } from './support/fake-venue.js';

const KRAKEN = 'wss://ws.kraken.com/v2';
const BINANCE = 'wss://data-stream.binance.vision/stream';
const DEPTH = 'https://data-api.binance.vision/api/v3/depth';

let venue: FakeVenue | undefined;
const clients: PlainClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await venue?.stop();
  venue = undefined;
});

async function connected(of: FakeVenue, url: string): Promise<PlainClient> {
  const client = new PlainClient(fakeUrl(of, url), of.certificate);
  clients.push(client);
  return client.open();
}

function krakenBook(pairs: readonly string[], depth = 10): unknown {
  return { method: 'subscribe', params: { channel: 'book', symbol: pairs, depth }, req_id: 7 };
}

function binanceStreams(streams: readonly string[], id = 1): unknown {
  return { method: 'SUBSCRIBE', params: streams, id };
}

/** An engine that hears a client's frames, and asks the fake venue for snapshots. */
function engineOf(client: PlainClient, product: string, symbols: readonly string[], snapshotUrl?: string) {
  const faults: string[] = [];
  const asked: Promise<void>[] = [];
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: false, outputBytes: 4 << 20 },
    {
      onFrame: () => {},
      onSay: () => {},
      onAsk: ({ instrument, ticket }) => {
        if (snapshotUrl === undefined) return;
        const { symbol } = engine.instrument(instrument);
        const answered = ask(`${snapshotUrl}?symbol=${symbol}&limit=5000`).then(({ body }) =>
          engine.ingestSnapshot(instrument, ticket, body),
        );
        asked.push(answered);
      },
      onFault: (fault) => faults.push(fault.code),
    },
  );
  const ids = symbols.map((symbol) => engine.addInstrument(`${product}:${symbol}`));
  const source = engine.openSource(product, ids);
  for (const frame of client.heard) engine.ingest(source, Buffer.from(frame, 'latin1'));
  client.socket.on('message', (data: Buffer) => engine.ingest(source, data));
  return { engine, ids, faults };
}

describe('books', () => {
  it.each([
    [10, ['BTC/USD', 'XAA/USD']],
    [100, ['PEPE/USD', 'XAB/EUR', 'XAC/EUR']],
  ])(
    'Kraken of depth %i: several pairs of one connection are the venue’s own books',
    async (depth, pairs) => {
      venue = await fakeVenue({ kraken: [...pairs, 'NOT/ASKED'] });
      const client = await connected(venue, KRAKEN);
      expect(await client.hears('"system":"online"')).toContain('"channel":"status"');
      client.say(krakenBook([...pairs, 'NO/SUCH'], depth));
      for (const pair of pairs)
        expect(await client.hears(`"symbol":"${pair}"},"success":true`)).toContain('"req_id":7');
      await client.hears('Currency pair not supported NO/SUCH');
      const { engine, ids, faults } = engineOf(client, 'kraken', pairs);
      await until(() => client.heard.length > 200);
      venue.pause();
      await until(() => ids.every((id) => engine.book(id).state === 'synced'));
      await heardAll(client);
      for (const [at, pair] of pairs.entries()) {
        expect(engine.digest(ids[at] ?? 0), pair).toBe(venue.hearings(pair)[0]?.truth().digest);
      }
      expect(client.heard.join('')).not.toContain('NOT/ASKED');
      expect(faults.filter((code) => code !== 'decode.venue_refused')).toEqual([]);
      engine.close();
    },
  );

  it('Binance: a book of differences and a snapshot over HTTP is the venue’s own', async () => {
    const symbols = ['BTCUSDT', 'AAAUSDT', 'BBBUSDT'];
    venue = await fakeVenue({ binance: symbols });
    const client = await connected(venue, BINANCE);
    client.say(
      binanceStreams(symbols.flatMap((symbol) => [`${symbol.toLowerCase()}@depth@100ms`, 'x@trade'])),
    );
    expect(await client.hears('"result":null')).toBe('{"result":null,"id":1}');
    const { engine, ids } = engineOf(client, 'binance', symbols, fakeUrl(venue, DEPTH));
    await until(() => ids.every((id) => engine.book(id).state === 'synced'));
    await until(() => client.heard.length > 60);
    venue.pause();
    await heardAll(client);
    for (const [at, symbol] of symbols.entries()) {
      expect(engine.digest(ids[at] ?? 0), symbol).toBe(venue.hearings(symbol)[0]?.truth().digest);
    }
    expect(client.heard.join('')).not.toContain('trade');
    engine.close();
  });

  it('two connections hear the same market', async () => {
    venue = await fakeVenue({ binance: ['BTCUSDT'] });
    const [one, other] = [await connected(venue, BINANCE), await connected(venue, BINANCE)];
    one.say(binanceStreams(['btcusdt@depth@100ms']));
    await until(() => one.heard.length > 5);
    other.say(binanceStreams(['btcusdt@depth@100ms']));
    await until(() => other.heard.length > 10);
    venue.pause();
    await heardAll(one);
    await heardAll(other);
    const [, , ...frames] = other.heard;
    expect(frames.length).toBeGreaterThan(8);
    for (const frame of frames) expect(one.heard).toContain(frame);
  });
});

/** Waits until nothing has come for a while. */
async function heardAll(client: PlainClient): Promise<void> {
  let before = -1;
  while (before !== client.heard.length) {
    before = client.heard.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

describe('faults', () => {
  /** What two connections hear of Binance from the moment at which a fault is planned; it happens to the first. */
  async function spoiled(kind: Fault['kind'], ms?: number) {
    venue = await fakeVenue({ binance: ['BTCUSDT'] });
    const [one, other] = [await connected(venue, BINANCE), await connected(venue, BINANCE)];
    for (const client of [one, other]) client.say(binanceStreams(['btcusdt@depth@100ms']));
    await until(() => one.heard.length > 2 && other.heard.length > 2);
    venue.pause();
    await heardAll(other);
    const [begun, otherBegun] = [one.heard.length, other.heard.length];
    venue.faults.add({ kind, at: 1, channel: 'book', ...(ms === undefined ? {} : { ms }) });
    venue.resume();
    await until(() => other.heard.length > otherBegun + 4);
    venue.pause();
    await heardAll(other);
    await heardAll(one);
    expect([...venue.faults.happened]).toEqual([[kind, 1]]);
    return { one, got: one.heard.slice(begun), due: other.heard.slice(otherBegun) };
  }

  it.each<[Fault['kind'], (due: readonly string[]) => readonly string[]]>([
    ['drop', ([, ...rest]) => rest],
    ['duplicate', ([first = '', ...rest]) => [first, first, ...rest]],
    ['reorder', ([first = '', second = '', ...rest]) => [second, first, ...rest]],
    ['truncate', ([first = '', ...rest]) => [first.slice(0, first.length >> 1), ...rest]],
    ['html', ([, ...rest]) => [expect.stringContaining('<!DOCTYPE html>') as string, ...rest]],
    ['split', (due) => due],
    ['merge', (due) => due],
  ])('%s', async (kind, expected) => {
    const { got, due } = await spoiled(kind);
    expect(got).toEqual(expected(due));
  });

  it('corrupt: one digit of one frame', async () => {
    const { got, due } = await spoiled('corrupt');
    const [first = '', ...rest] = got;
    const [true_ = '', ...others] = due;
    expect(rest).toEqual(others);
    const bent = [...first].filter((letter, at) => letter !== true_[at]);
    expect(bent).toEqual([expect.stringMatching(/^\d$/)]);
    expect(first.length).toBe(true_.length);
  });

  it('late: nothing is lost, and nothing overtakes', async () => {
    const { got, due } = await spoiled('late', 40);
    expect(got).toEqual(due);
  });

  it('stall: open and silent', async () => {
    const { one, got } = await spoiled('stall');
    expect(got).toEqual([]);
    expect(one.closed).toBeUndefined();
  });

  it.each([
    ['cut', 1006],
    ['garble', 1006],
  ] as const)('%s ends the connection at its other side', async (kind, code) => {
    const { one, got } = await spoiled(kind);
    expect(got).toEqual([]);
    expect(one.closed?.code).toBe(code);
  });

  it.each<[Fault['kind'], Partial<HttpAnswer>]>([
    ['answer-429', { status: 429 }],
    ['answer-418', { status: 418 }],
    ['answer-500', { status: 500 }],
    ['answer-503', { status: 503 }],
    ['answer-refused', { status: 400 }],
  ])('%s', async (kind, answer) => {
    venue = await fakeVenue({ binance: ['BTCUSDT'] }, { faults: [{ kind, at: 1 }] });
    const url = `${fakeUrl(venue, DEPTH)}?symbol=BTCUSDT&limit=5000`;
    const first = await ask(url);
    expect(first).toMatchObject(answer);
    if (first.status !== 400) expect(first.headers['retry-after']).toBe('1');
    // A ban holds for every request; every other fault is over.
    expect((await ask(url)).status).toBe(kind === 'answer-418' ? 418 : 200);
  });

  it('answers that are pages, cut, another instrument’s, old or late', async () => {
    const faults = [
      'answer-html',
      'answer-truncate',
      'answer-cut',
      'answer-other',
      'answer-old',
      'answer-late',
    ] as const;
    const of = await fakeVenue(
      { binance: ['BTCUSDT', 'AAAUSDT'] },
      { faults: faults.map((kind, at) => ({ kind, at: at + 3, ms: 200 })) },
    );
    venue = of;
    const answer = async (symbol = 'BTCUSDT'): Promise<string> =>
      (await ask(`${fakeUrl(of, DEPTH)}?symbol=${symbol}&limit=5000`)).body.toString();
    of.pause();
    const [own, other] = [await answer(), await answer('AAAUSDT')];
    expect(own).not.toBe(other);
    expect(await answer()).toContain('<!DOCTYPE html>');
    expect(await answer()).toBe(own.slice(0, own.length >> 1));
    await expect(answer()).rejects.toThrow();
    expect(await answer()).toBe(other);
    of.resume();
    const client = await connected(of, BINANCE);
    client.say(binanceStreams(['btcusdt@depth@100ms']));
    await until(() => client.heard.length > 3);
    of.pause();
    expect(await answer()).toBe(own);
    const beforeMs = performance.now();
    const late = await answer();
    expect(performance.now() - beforeMs).toBeGreaterThan(190);
    expect(late).not.toBe(own);
  });

  it('connections that are refused, never answered, or answered and silent', async () => {
    venue = await fakeVenue(
      { binance: ['BTCUSDT'] },
      {
        faults: [
          { kind: 'connect-refused', at: 1 },
          { kind: 'connect-silent', at: 2 },
          { kind: 'connect-mute', at: 3 },
        ],
      },
    );
    const refused = await connected(venue, BINANCE);
    await until(() => refused.closed !== undefined);
    expect(refused.failed?.message).toContain('503');
    const silent = new PlainClient(fakeUrl(venue, BINANCE));
    clients.push(silent);
    await until(() => venue?.ledger.requests.length === 2);
    const mute = await connected(venue, BINANCE);
    mute.say(binanceStreams(['btcusdt@depth@100ms']));
    const well = await connected(venue, BINANCE);
    well.say(binanceStreams(['btcusdt@depth@100ms']));
    await until(() => well.heard.length > 3);
    expect(silent.socket.readyState).toBe(0);
    expect([mute.socket.readyState, mute.heard]).toEqual([1, []]);
  });

  it.each([
    ['drop@100', { kind: 'drop', at: 100 }],
    ['drop:book@1/50', { kind: 'drop', at: 1, every: 50, channel: 'book' }],
    ['late@20=1500', { kind: 'late', at: 20, ms: 1500 }],
    ['answer-429@2', { kind: 'answer-429', at: 2 }],
  ])('%s is read', (text, fault) => {
    expect(parseFault(text)).toEqual(fault);
  });

  it.each(['dorp@1', 'drop', 'drop@0', 'drop@1/0', 'drop@-1', 'drop@1=x', ''])('%s is refused', (text) => {
    expect(() => parseFault(text)).toThrow(expect.objectContaining({ code: 'config.fault' }));
  });

  it('a fault that repeats happens at each of its turns', () => {
    const plan = new FaultPlan([{ kind: 'drop', at: 2, every: 3 }]);
    const hit = Array.from({ length: 9 }, () => plan.next(['drop']) !== undefined);
    expect(hit).toEqual([false, true, false, false, true, false, false, true, false]);
  });
});

describe('limits', () => {
  it('too many messages in a second end the connection', async () => {
    venue = await fakeVenue({ binance: ['BTCUSDT'] });
    const client = await connected(venue, BINANCE);
    for (let id = 0; id < 5; id++) client.say(binanceStreams(['btcusdt@trade'], id));
    await client.hears('"id":4');
    expect(venue.breaches()).toEqual([]);
    client.say(binanceStreams(['btcusdt@trade'], 5));
    await until(() => client.closed !== undefined);
    expect(client.closed).toEqual({ code: 1008, reason: 'more than 5 messages in a window' });
    expect(venue.breaches()).toMatchObject([{ kind: 'message', where: BINANCE }]);
  });

  it('more subscriptions than a connection may have end it', async () => {
    venue = await fakeVenue({ binance: ['BTCUSDT'] });
    const client = await connected(venue, BINANCE);
    const names = Array.from({ length: 1024 }, (_, at) => `s${at}usdt@trade`);
    client.say(binanceStreams(names));
    await client.hears('"id":1');
    expect(client.closed).toBeUndefined();
    client.say(binanceStreams(['btcusdt@trade'], 2));
    await until(() => client.closed !== undefined);
    expect(client.closed?.reason).toContain('1024 subscriptions');
  });

  it('more connections than a window allows are refused', async () => {
    venue = await fakeVenue({ kraken: ['BTC/USD'] });
    const of = venue;
    for (let count = 0; count < 150; count++) (await connected(of, KRAKEN)).close();
    expect(of.breaches()).toEqual([]);
    const late = await connected(of, KRAKEN);
    await until(() => late.closed !== undefined);
    expect(late.failed?.message).toContain('429');
    expect(of.breaches()).toMatchObject([{ kind: 'connect', units: 1 }]);
  });

  it('weight beyond the budget is refused, and those who go on are banned', async () => {
    venue = await fakeVenue({ binance: ['BTCUSDT'] });
    const url = `${fakeUrl(venue, DEPTH)}?symbol=BTCUSDT&limit=5000`;
    for (let count = 1; count <= 24; count++) {
      const { status, headers } = await ask(url);
      expect([status, headers['x-mbx-used-weight-1m']]).toEqual([200, String(250 * count)]);
    }
    expect((await ask(`${fakeUrl(venue, DEPTH)}?symbol=NOSUCH&limit=5`)).status).toBe(429);
    const { status, headers } = await ask(url);
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeGreaterThan(50);
    await ask(url);
    const banned = await ask(url);
    expect([banned.status, banned.headers['retry-after']]).toEqual([418, '120']);
    expect(venue.breaches()).toHaveLength(4);
  });
});

describe('logins', () => {
  const TOKENS = 'https://api.kraken.com/0/private/GetWebSocketsToken';
  const ORDERS = 'wss://ws-l3.kraken.com/v2';
  let nonce = 1_000;

  async function token(of: FakeVenue, secret = FAKE_ACCOUNT.secret): Promise<HttpAnswer> {
    nonce += 1;
    const body = `nonce=${nonce}`;
    const digest = createHash('sha256').update(`${nonce}${body}`).digest();
    const signature = createHmac('sha512', Buffer.from(secret, 'base64'))
      .update('/0/private/GetWebSocketsToken')
      .update(digest)
      .digest('base64');
    const headers = { 'API-Key': FAKE_ACCOUNT.key, 'API-Sign': signature };
    return ask(fakeUrl(of, TOKENS), { method: 'POST', headers, body });
  }

  function orders(token: string): unknown {
    return { method: 'subscribe', params: { channel: 'level3', symbol: ['BTC/USD'], depth: 10, token } };
  }

  it('orders need a token, and a token needs a signature', async () => {
    venue = await fakeVenue({ kraken: ['BTC/USD'] });
    const wrong = await token(venue, 'AAAA');
    expect([wrong.status, wrong.body.toString()]).toEqual([403, '{"error":["the signature is wrong"]}']);
    const right = await token(venue);
    const { result } = JSON.parse(right.body.toString()) as { result: { token: string } };
    const client = await connected(venue, ORDERS);
    client.say(orders('no token'));
    expect(await client.hears('"success":false')).toContain('Invalid token');
    client.say(orders(result.token));
    await client.hears('"success":true');
    expect(await client.hears('"order_id"')).toContain('"channel":"level3","type":"snapshot"');
  });

  it('a login that is planned to fail does so once', async () => {
    venue = await fakeVenue({ kraken: ['BTC/USD'] }, { faults: [{ kind: 'login-refused', at: 1 }] });
    expect((await token(venue)).status).toBe(403);
    expect((await token(venue)).status).toBe(200);
  });
});

it('speaks over TLS, with a certificate that holds for this machine', async () => {
  venue = await fakeVenue({ binance: ['BTCUSDT'] }, { tls: true });
  const client = await connected(venue, BINANCE);
  client.say(binanceStreams(['btcusdt@depth@100ms']));
  await until(() => client.heard.length > 2);
  const url = `${fakeUrl(venue, DEPTH)}?symbol=BTCUSDT&limit=5`;
  expect(url).toMatch(/^https:/);
  expect((await ask(url, { ca: venue.certificate ?? '' })).status).toBe(200);
  await expect(ask(url)).rejects.toThrow('self-signed');
});
