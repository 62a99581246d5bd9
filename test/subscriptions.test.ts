import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import { type ChannelName, EVERYTHING, type Grant } from '../src/publish/auth/grant.js';
import { Subscriber } from '../src/publish/subscriber.js';
import type { Connection } from '../src/publish/transport.js';
import { grantedView } from '../src/publish/views.js';
import { FakeNative, frame, instrument } from './support/fake-engine.js';
import { hubOver } from './support/hub.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const BTC = 11;
const running: TestServer[] = [];

/** A server of so many instruments beside the two that the fake has: `k:C0`, `k:C1` and so on, numbered from 1000. */
async function serve(more = 0, input: ConfigInput = {}): Promise<TestServer> {
  const native = new FakeNative(1 << 24);
  for (let at = 0; at < more; at++) native.catalogue.push(instrument(1000 + at, `k:C${at}`));
  const server = await startServer(input, new Map(), native);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

/** The control messages of one kind that a client got. */
function of(client: { readonly control: readonly Readonly<Record<string, unknown>>[] }, op: string) {
  return client.control.filter((message) => message.op === op);
}

describe('a subscription to several instruments', () => {
  it('is answered by their number, an error for each wrong name, and one acknowledgement each', async () => {
    const { native, port, publish, server } = await serve(3);
    native.images.set('1001/3', frame('image'));
    const client = await TestClient.open(port);
    client.send({
      op: 'subscribe',
      id: 7,
      channel: 'trades',
      instruments: ['k:C*', 'sim:BTCUSDT', 'k:C1', 'k:X'],
    });
    await client.count(8);
    expect(client.received.slice(1, 3)).toMatchObject([
      { op: 'matched', id: 7, channel: 'trades', instruments: 4 },
      { op: 'error', id: 7, code: 'feed.unknown_instrument', where: 'subscribe.instruments', got: 'k:X' },
    ]);
    const acknowledged = of(client, 'subscribed');
    expect(acknowledged.map((one) => [one.id, one.instrument, one.stream, one.mode])).toEqual([
      [7, 'k:C0', 3, 'strict'],
      [7, 'k:C1', 3, 'strict'],
      [7, 'k:C2', 3, 'strict'],
      [7, 'sim:BTCUSDT', 3, 'strict'],
    ]);
    const at = client.received.indexOf('image');
    expect(client.received[at - 1]).toMatchObject({ op: 'subscribed' });
    publish(1002, STREAM.trades, frame('trade'));
    await client.until(() => client.received.includes('trade'), 'trade');
    client.send({ op: 'unsubscribe', id: 8, channel: 'trades', instruments: ['k:C*'] });
    await client.until(() => of(client, 'unsubscribed').length === 1, 'answer');
    expect(of(client, 'unsubscribed')).toEqual([
      { op: 'unsubscribed', id: 8, channel: 'trades', instruments: 3 },
    ]);
    await expect.poll(() => server.counted.subscriptions).toBe(1);
  });

  it('is one bad message, however many of its names are wrong, and each error names its own', async () => {
    const { port, server } = await serve(1);
    const client = await TestClient.open(port);
    const names = Array.from({ length: 40 }, (_, at) => `k:GONE${at}`);
    client.send({ op: 'subscribe', id: 5, channel: 'book', instruments: [...names, 'k:C0'] });
    await client.until(() => of(client, 'subscribed').length === 1, 'acknowledgement');
    expect(of(client, 'error').map(({ instrument }) => instrument)).toEqual(names);
    await expect.poll(() => server.counted.badMessages).toBe(1);
  });

  it('leaves what is held already where it stands, unless it is named', async () => {
    const { native, port } = await serve(2);
    native.images.set('1000/3', frame('image of 0')).set('1001/3', frame('image of 1'));
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'trades', instrument: 'k:C1' });
    await client.until(() => client.received.includes('image of 1'), 'image');
    client.send({ op: 'subscribe', id: 2, channel: 'trades', instrument: 'k:C*' });
    await client.until(() => client.received.includes('image of 0'), 'image');
    await client.until(() => of(client, 'subscribed').length === 3, 'acknowledgements');
    client.send({ op: 'ping', id: 3 });
    await client.until(() => of(client, 'pong').length === 1, 'answer');
    expect(client.received.filter((one) => one === 'image of 1')).toHaveLength(1);
  });

  it('of 5000 is acknowledged whole, a bounded number a tick', async () => {
    const { native, port, server } = await serve(5000, { limits: { subscriptionsMax: 6000 } });
    const client = await TestClient.open(port);
    const other = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'bbo', instrument: 'k:*' });
    await client.until(() => of(client, 'subscribed').length >= 1, 'first acknowledgement');
    expect(of(client, 'matched')).toEqual([
      { op: 'matched', id: 1, channel: 'bbo', source: 'book', instruments: 5000 },
    ]);
    expect(server.counted.subscriptions).toBeLessThan(5000);
    const before = server.counted.subscriptions;
    const calls = native.calls.length;
    server.tick();
    expect(server.counted.subscriptions - before).toBeLessThanOrEqual(256);
    expect(native.calls.length).toBe(calls);
    // Another client's turn comes in between.
    other.send({ op: 'subscribe', id: 1, channel: 'bbo', instruments: ['k:C1', 'k:C2'] });
    await other.until(() => of(other, 'subscribed').length === 2, 'acknowledgements');
    await client.until(() => of(client, 'subscribed').length === 5000, 'all acknowledgements', 20_000);
    expect(new Set(of(client, 'subscribed').map((one) => one.instrument)).size).toBe(5000);
    await expect.poll(() => server.counted.subscriptions).toBe(5002);
  }, 30_000);

  it('is refused whole beyond the limit of all together', async () => {
    const { port, server } = await serve(11, { limits: { subscriptionsMax: 11 } });
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'trades', instrument: 'sim:BTCUSDT' });
    client.send({ op: 'subscribe', id: 2, channel: 'trades', instrument: 'k:*' });
    await client.count(3);
    expect(client.control[2]).toMatchObject({
      op: 'error',
      id: 2,
      code: 'feed.subscriptions_full',
      expected: 'at most 11',
      got: '12',
    });
    await expect.poll(() => server.counted.subscriptions).toBe(1);
    // What is held already counts once.
    client.send({ op: 'subscribe', id: 3, channel: 'trades', instruments: ['k:C?', 'sim:BTCUSDT'] });
    await client.until(() => server.counted.subscriptions === 11, 'subscriptions');
    client.send({ op: 'subscribe', id: 4, channel: 'trades', instruments: ['sim:BTCUSDT'] });
    await client.until(() => of(client, 'matched').length === 2, 'answer');
    expect(of(client, 'error')).toHaveLength(1);
    await expect.poll(() => server.counted.subscriptions).toBe(11);
  });

  it('that waits for its turn can be taken back, and what does not fit the mode is told', async () => {
    const { port, server } = await serve(100);
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'k:*' });
    client.send({ op: 'unsubscribe', id: 2, channel: 'book', instrument: 'k:*' });
    await client.until(() => of(client, 'unsubscribed').length === 1, 'answer');
    expect(of(client, 'unsubscribed')[0]).toMatchObject({ id: 2, instruments: 100 });
    await expect.poll(() => server.counted.subscriptions).toBe(0);
    client.send({ op: 'unsubscribe', id: 3, channel: 'book', instrument: 'k:*' });
    await client.until(() => of(client, 'error').length === 1, 'error');
    expect(of(client, 'error')[0]).toMatchObject({ id: 3, code: 'feed.not_subscribed' });
  });
});

describe('instruments that come and go', () => {
  it('are taken from who held them, and given to whose pattern they fit', async () => {
    const { native, port, server } = await serve(1);
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'k:*' });
    client.send({ op: 'subscribe', id: 2, channel: 'trades', instrument: 'sim:BTCUSDT' });
    await client.until(() => of(client, 'subscribed').length === 2, 'acknowledgements');
    const [, eth, first] = native.catalogue;
    if (eth === undefined || first === undefined) throw new Error('instruments');
    const second = instrument(2000, 'k:NEW');
    native.catalogue.push(second);
    server.serve([eth, first, second]);
    await client.until(() => of(client, 'subscribed').length === 3, 'the new one');
    expect(of(client, 'removed')).toEqual([
      { op: 'removed', channel: 'trades', instrument: 'sim:BTCUSDT', stream: 3, reason: 'not_served' },
    ]);
    expect(of(client, 'subscribed').at(-1)).toMatchObject({ id: 1, instrument: 'k:NEW', added: true });
    server.serve([eth]);
    await client.until(() => of(client, 'removed').length === 3, 'what is gone');
    await expect.poll(() => server.counted.subscriptions).toBe(0);
    // By its pattern it comes back, by its name it does not.
    server.serve([...native.catalogue]);
    await client.until(() => of(client, 'subscribed').length === 5, 'what is back');
    await expect.poll(() => server.counted.subscriptions).toBe(2);
    client.send({ op: 'unsubscribe', id: 3, channel: 'book', instrument: 'k:*' });
    await client.until(() => of(client, 'unsubscribed').length === 1, 'answer');
    server.serve([eth]);
    server.serve([...native.catalogue]);
    client.send({ op: 'ping', id: 4 });
    await client.until(() => of(client, 'pong').length === 1, 'pong');
    await expect.poll(() => server.counted.subscriptions).toBe(0);
  });
});

describe('a reader that comes back', () => {
  it.each([
    ['net', { epoch: '5', seq: '77' }, { by: 'net', from: '77', to: '99' }, 'net change'],
    ['range', { epoch: '5', seq: '77', by: 'range' }, { by: 'range', from: '77', to: '99' }, 'net change'],
    ['nothing', { epoch: '5', seq: '99' }, { by: 'nothing', from: '99', to: '99' }, undefined],
    ['image', { epoch: '4', seq: '500' }, { by: 'image', from: '500', to: '99' }, 'image'],
  ])('is brought to the present by %s, and told so before', async (_by, resume, told, brings) => {
    const { native, port, publish } = await serve();
    native.images.set(`${BTC}/1`, frame('image'));
    native.places.set(`${BTC}/1`, { epoch: 5n, seq: 99n });
    native.kept.set(`${BTC}/1`, frame('net change'));
    const client = await TestClient.open(port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT', resume });
    await client.until(() => of(client, 'subscribed').length === 1, 'acknowledgement');
    publish(BTC, STREAM.book, frame('live'));
    await client.until(() => client.received.includes('live'), 'live frame');
    expect(client.received[1]).toMatchObject({
      op: 'subscribed',
      id: 1,
      epoch: '5',
      seq: '99',
      resume: told,
    });
    expect(client.received.slice(2)).toEqual(brings === undefined ? ['live'] : [brings, 'live']);
  });

  it('may come back to several at once', async () => {
    const { native, port } = await serve(2);
    for (const id of [1000, 1001]) {
      native.places.set(`${id}/2`, { epoch: 5n, seq: 99n });
      native.kept.set(`${id}/2`, frame(`net ${id}`));
    }
    const client = await TestClient.open(port);
    const resume = [0, 1].map((at) => ({ instrument: `k:C${at}`, epoch: '5', seq: `${at + 1}` }));
    client.send({ op: 'subscribe', id: 1, channel: 'bbo', instruments: ['k:C0', 'k:C1'], resume });
    await client.count(6);
    expect(client.received.slice(2)).toMatchObject([
      { op: 'subscribed', instrument: 'k:C0', resume: { by: 'net', from: '1', to: '99' } },
      'net 1000',
      { op: 'subscribed', instrument: 'k:C1', resume: { by: 'net', from: '2', to: '99' } },
      'net 1001',
    ]);
  });
});

/** A client without a socket, of a grant. */
function granted(native: FakeNative, grant: Partial<Grant>, input: ConfigInput = {}) {
  const hub = hubOver(native, input);
  const texts: Readonly<Record<string, unknown>>[] = [];
  const frames: Uint8Array[] = [];
  const ended: number[] = [];
  const connection: Connection = {
    sendText: (text) => void texts.push(JSON.parse(text) as Readonly<Record<string, unknown>>),
    sendFrames: (bytes) => void frames.push(bytes.slice()),
    subscribe() {},
    unsubscribe() {},
    bufferedBytes: () => 0,
    end: (code) => void ended.push(code),
    cut() {},
  };
  const nowMs = performance.now();
  const subscriber = new Subscriber(connection, hub, () => {}, { ...EVERYTHING, ...grant }, nowMs);
  const say = (message: object): void => subscriber.onText(JSON.stringify(message));
  return { subscriber, say, control: texts, frames, ended, nowMs };
}

describe('a grant', () => {
  const grant: Partial<Grant> = {
    allows: (channel: ChannelName, name: string) => channel === 'book' && name.startsWith('k:'),
    terms: 'book of k:*',
    subscriptionsMax: 3,
  };
  const native = new FakeNative();
  for (let at = 0; at < 2; at++) native.catalogue.push(instrument(1000 + at, `k:C${at}`));

  it('refuses what it does not hold, by name, and leaves it out of patterns', () => {
    const client = granted(native, grant);
    expect(client.control[0]).toMatchObject({ op: 'hello', limits: { subscriptionsMax: 3 } });
    client.say({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
    client.say({ op: 'subscribe', id: 2, channel: 'trades', instrument: 'k:C0' });
    client.say({ op: 'subscribe', id: 3, channel: 'book', instruments: ['sim:ETHUSDT', '*'] });
    expect(
      client.control
        .slice(1)
        .map(({ id, op, code, instrument: name, instruments }) => [id, code ?? op, name ?? instruments]),
    ).toEqual([
      [1, 'feed.not_entitled', undefined],
      [2, 'feed.not_entitled', undefined],
      [3, 'matched', 2],
      [3, 'feed.not_entitled', 'sim:ETHUSDT'],
      [3, 'subscribed', 'k:C0'],
      [3, 'subscribed', 'k:C1'],
    ]);
    // An instrument that comes later is held to it, too.
    client.subscriber.served([instrument(3000, 'sim:LATER')], new Set());
    expect(client.subscriber.hasWishes).toBe(false);
  });

  it('ends the connection with 4401 when it has run out', () => {
    const client = granted(native, { expiresAtMs: Date.now() + 60_000 });
    client.subscriber.poll(client.nowMs);
    expect(client.ended).toEqual([]);
    expect(client.subscriber.isDue(client.nowMs + 1000, 0, 1000)).toBe(false);
    const late = granted(native, { expiresAtMs: Date.now() - 1 });
    late.subscriber.poll(late.nowMs);
    expect(late.control.at(-1)).toMatchObject({ op: 'error', code: 'feed.expired' });
    expect(late.ended).toEqual([4401]);
  });
});

describe('a heartbeat', () => {
  it('comes in its interval, and nothing else makes a quiet client due', () => {
    const client = granted(new FakeNative(), {}, { server: { heartbeatMs: 1000 } });
    const beats = (): number => of(client, 'heartbeat').length;
    client.subscriber.poll(client.nowMs);
    expect(client.subscriber.isDue(client.nowMs + 999, 1e6, 1e7)).toBe(false);
    expect(client.subscriber.isDue(client.nowMs + 999, 1e7, 1e7)).toBe(true);
    expect(client.subscriber.isDue(client.nowMs + 1000, 0, 1e7)).toBe(true);
    client.subscriber.poll(client.nowMs + 999);
    expect(beats()).toBe(0);
    client.subscriber.poll(client.nowMs + 1000);
    client.subscriber.poll(client.nowMs + 1500);
    expect(beats()).toBe(1);
    client.subscriber.poll(client.nowMs + 2000);
    expect(of(client, 'heartbeat')).toEqual(Array(2).fill({ op: 'heartbeat', ts: '1732262400000000000' }));
  });
});

describe('a reader that falls behind', () => {
  it('while it waits for an image that it asked for gets that image, whatever it had', () => {
    const native = new FakeNative();
    native.images.set(`${BTC}/1`, frame('image'));
    const client = granted(native, {});
    client.say({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
    // Within the pause after the first image.
    client.say({ op: 'resync', id: 2, channel: 'book', instrument: 'sim:BTCUSDT' });
    expect(client.frames).toHaveLength(1);
    client.subscriber.yieldStreams(client.nowMs);
    client.subscriber.poll(client.nowMs + 1000);
    expect(client.control.slice(2)).toMatchObject([
      { op: 'slow', state: 'behind', streams: [{ epoch: '0', seq: '0' }] },
      { op: 'slow', state: 'rejoined', by: 'image' },
    ]);
    expect(client.frames).toHaveLength(2);
  });
});

describe('a depth view', () => {
  const granted = (grouping: string, priceExponent: number): unknown => {
    const { channel, view } = grantedView(
      { channel: 'depth', depth: 7, intervalMs: 3, grouping },
      { priceExponent, qtyExponent: 0 },
    );
    if (channel.channel !== 'depth' || view.channel !== 'depth') throw new Error('a depth view');
    return [channel.grouping, view.step];
  };

  it('is granted with a step of 1, 2, 2.5 or 5 times a power of ten, which many share', () => {
    expect(granted('0.5', -2)).toEqual(['0.5', 50n]);
    expect(granted('0.01', -2)).toEqual(['0.01', 1n]);
    expect(granted('0.03', -2)).toEqual(['0.05', 5n]);
    expect(granted('0.21', -2)).toEqual(['0.25', 25n]);
    expect(granted('7', 0)).toEqual(['10', 10n]);
    expect(granted('99999999999999', 0)).toEqual(['100000000000000', 100_000_000_000_000n]);
  });

  it('is refused with a step that the prices do not have', () => {
    expect(() => granted('0.001', -2)).toThrow(
      expect.objectContaining({
        code: 'feed.bad_field',
        expected: expect.stringContaining('0.01') as unknown,
      }),
    );
  });
});
