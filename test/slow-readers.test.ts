import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type ConfigInput, configFrom } from '../src/config.js';
import { STREAM } from '../src/engine.js';
import { Backlog, type Waiter } from '../src/publish/backlog.js';
import { SlowReader } from '../src/publish/slow-reader.js';
import { TokenBucket } from '../src/publish/token-bucket.js';
import { frame } from './support/fake-engine.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const BTC = 11;
const SOFT = 65_536;
const limits = { backpressureSoftBytes: SOFT, backpressureHardBytes: 1 << 20 };
const running: TestServer[] = [];
const clients: TestClient[] = [];

async function serve(input: ConfigInput = { limits }): Promise<TestServer> {
  const server = await startServer(input);
  running.push(server);
  server.native.images.set(`${BTC}/1`, frame('image'));
  return server;
}

/** A client that holds the book, in a mode. */
async function reader(port: number, mode = 'conflate', channel = 'book'): Promise<TestClient> {
  const client = await TestClient.open(port);
  clients.push(client);
  client.send({ op: 'subscribe', id: 1, channel, instrument: 'sim:BTCUSDT', mode });
  await client.until(() => client.control.some(({ op }) => op === 'subscribed'), 'acknowledgement');
  return client;
}

/** Publishes large frames until something is so. */
async function publishUntil({ publish }: TestServer, isSo: () => boolean): Promise<number> {
  const big = frame('x'.repeat(100_000));
  let sent = 0;
  for (; !isSo() && sent < 2000; sent++) {
    publish(BTC, STREAM.book, big);
    await pause(1);
  }
  expect(isSo()).toBe(true);
  return sent;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  for (const server of running.splice(0)) await server.stop();
});

describe('a client that falls behind', () => {
  it('is told where streams left it, and is brought back by the net change; others get every frame', async () => {
    const test = await serve();
    const { native, port, server, publish } = test;
    const [slow, good] = [await reader(port), await reader(port)];
    slow.socket.pause();
    native.places.set(`${BTC}/1`, { epoch: 5n, seq: 77n });
    const sent = await publishUntil(test, () => server.counted.slowSteps('behind') === 1);
    publish(BTC, STREAM.book, frame('unseen'));
    publish(BTC, STREAM.status, frame('status'));
    native.places.set(`${BTC}/1`, { epoch: 5n, seq: 99n });
    native.kept.set(`${BTC}/1`, frame('net change'));
    slow.socket.resume();
    await slow.until(() => slow.received.includes('net change'), 'net change');
    publish(BTC, STREAM.book, frame('seen'));
    await slow.until(() => slow.received.includes('seen'), 'live frame');
    const at = slow.received.findIndex((message) => typeof message !== 'string' && message.op === 'slow');
    const names = { instrument: 'sim:BTCUSDT', channel: 'book', stream: 1 };
    expect(slow.received.slice(at)).toEqual([
      { op: 'slow', state: 'behind', streams: [{ ...names, epoch: '5', seq: '77' }] },
      'status',
      { op: 'slow', state: 'rejoined', ...names, from: '77', to: '99', by: 'net' },
      'net change',
      'seen',
    ]);
    expect(native.calls).toContain(`bring ${BTC}/1 from 5/77 by net`);
    await good.until(() => good.received.includes('seen'), 'live frame');
    expect(good.received.filter((message) => typeof message === 'string')).toHaveLength(sent + 4);
    await expect.poll(() => server.counted.slowSteps('rejoined')).toBe(1);
  });

  it('needs nothing where the stream stood still meanwhile', async () => {
    const test = await serve();
    const { native, port, server } = test;
    const slow = await reader(port);
    slow.socket.pause();
    await publishUntil(test, () => server.counted.slowSteps('behind') === 1);
    native.kept.set(`${BTC}/1`, frame('net change'));
    slow.socket.resume();
    const isBack = (): boolean => slow.control.some(({ state }) => state === 'rejoined');
    await slow.until(isBack, 'return');
    expect(slow.control.at(-1)).toMatchObject({ state: 'rejoined', from: '418', to: '418', by: 'nothing' });
    expect(slow.received).not.toContain('net change');
  });

  it('is brought back by an image where it had none, or of another epoch', async () => {
    const test = await serve();
    const { native, port, server } = test;
    native.books.set(BTC, { ...native.book(BTC), state: 'stale', reason: 'gap' });
    const slow = await reader(port);
    native.books.delete(BTC);
    for (const epoch of [1n, 2n]) {
      const before = server.counted.slowSteps('behind');
      slow.received.length = 0;
      slow.socket.pause();
      await publishUntil(test, () => server.counted.slowSteps('behind') === before + 1);
      if (epoch === 2n) native.places.set(`${BTC}/1`, { epoch, seq: 1n });
      slow.socket.resume();
      await slow.until(() => slow.received.includes('image'), 'image');
      const [behind, rejoined] = slow.control;
      expect(behind).toMatchObject({
        state: 'behind',
        streams: [epoch === 1n ? { epoch: '0', seq: '0' } : { epoch: '7520384216498177', seq: '418' }],
      });
      expect(rejoined).toMatchObject({ state: 'rejoined', by: 'image', to: epoch === 1n ? '418' : '1' });
    }
  });

  it('gets every frame of a strict stream, up to the hard limit, and is closed with 4408', async () => {
    const test = await serve();
    const { native, port, server } = test;
    const slow = await reader(port, 'strict');
    slow.send({ op: 'subscribe', id: 2, channel: 'bbo', instrument: 'sim:BTCUSDT' });
    await slow.until(() => server.counted.subscriptions === 2, 'subscription');
    slow.socket.pause();
    await publishUntil(test, () => server.counted.subscriptions === 0);
    await expect.poll(() => server.counted.slowSteps('behind')).toBe(1);
    slow.socket.resume();
    expect(await slow.closed()).toBe(4408);
    expect(slow.control.at(-1)).toMatchObject({ op: 'error', code: 'feed.too_slow' });
    await expect.poll(() => server.counted.closedFor('too_slow')).toBe(1);
    expect(native.calls.join()).not.toContain('bring');
  });

  it('is cut after a second of farewell if it does not read at all', async () => {
    const test = await serve();
    const { port, server } = test;
    const slow = await reader(port, 'strict');
    slow.socket.pause();
    await publishUntil(test, () => server.counted.subscriptions === 0);
    const startMs = performance.now();
    await slow.until(() => server.counted.clients === 0, 'cut');
    expect(performance.now() - startMs).toBeGreaterThan(800);
    await expect.poll(() => server.counted.closedFor('too_slow_cut')).toBe(1);
  });

  it('is closed for staying slow, having cost no more than its soft limit, and holds up no replay', async () => {
    const test = await serve({ limits: { ...limits, slowMs: 400 } });
    const { port, server } = test;
    const slow = await reader(port);
    slow.socket.pause();
    await publishUntil(test, () => server.counted.slowSteps('behind') === 1);
    await publishUntil(test, () => !server.pressed());
    const most = server.waitingBytes;
    await pause(50);
    expect(server.waitingBytes).toBe(most);
    expect(server.pressed()).toBe(false);
    await slow.until(() => server.counted.subscriptions === 0, 'close');
    slow.socket.resume();
    expect(await slow.closed()).toBe(4408);
  });
});

describe('many that never read', () => {
  it('cost no more than their soft limits and what was sent before the next look', async () => {
    const test = await serve();
    const { port, server } = test;
    const slow = await Promise.all(Array.from({ length: 20 }, () => reader(port)));
    for (const client of slow) client.socket.pause();
    await publishUntil(test, () => server.counted.slowSteps('behind') === 20);
    for (let i = 0; i < 50; i++) {
      test.publish(BTC, STREAM.book, frame('x'.repeat(100_000)));
      await pause(1);
    }
    // A frame may come on top of what is just below the limit, and another one before the next look.
    expect(server.waitingBytes).toBeLessThan(20 * (SOFT + 2 * 100_016));
  });
});

/** A client as the backlog sees it. */
class FakeWaiter implements Waiter {
  waitingBytes = 0;
  isBehind = false;
  isCut = false;
  polls = 0;
  looked = 0;
  nextLookMs = Number.POSITIVE_INFINITY;
  readonly #backlog: () => Backlog;

  constructor(backlog: () => Backlog, waitingBytes: number) {
    this.#backlog = backlog;
    this.waitingBytes = waitingBytes;
  }
  get isBusy(): boolean {
    return this.waitingBytes > 0;
  }
  isDue(_nowMs: number, sentBytes: number, lookBytes: number): boolean {
    return this.isBusy || sentBytes - this.looked >= lookBytes;
  }
  poll(): void {
    this.polls += 1;
  }
  yieldStreams(): void {
    this.isBehind = true;
  }
  cutForMemory(): void {
    this.isCut = true;
    this.#backlog().totalBytes -= this.waitingBytes;
    this.waitingBytes = 0;
  }
}

describe('the budget of all waiting bytes', () => {
  const MIB = 1 << 20;
  const { limits: preset } = configFrom({ limits: { waitingBytesMax: 16 * MIB } });

  function backlogOf(...waiting: readonly number[]) {
    let sent = 0;
    const clients = new Set<FakeWaiter>();
    const backlog: Backlog = new Backlog(
      clients,
      preset,
      () => sent,
      () => {},
    );
    const waiters = waiting.map((mib) => new FakeWaiter(() => backlog, mib * MIB));
    for (const waiter of waiters) {
      clients.add(waiter);
      backlog.totalBytes += waiter.waitingBytes;
    }
    const send = (bytes: number): void => {
      sent += bytes;
    };
    return { backlog, waiters, send };
  }

  it('looks at those alone that are busy while nothing is sent, and at all ten times a second', () => {
    const { backlog, waiters, send } = backlogOf(0, 0, 0);
    const [idle, busy, gone] = waiters;
    if (idle === undefined || busy === undefined || gone === undefined) throw new Error('three');
    let asked = 0;
    idle.isDue = () => {
      asked += 1;
      return false;
    };
    busy.waitingBytes = 1;
    gone.waitingBytes = 1;
    backlog.attend(busy);
    backlog.attend(gone);
    backlog.forget(gone);
    for (let ms = 1010; ms < 1100; ms += 10) backlog.sweep(ms);
    expect([asked, busy.polls, gone.polls]).toEqual([0, 9, 0]);
    expect(backlog.isBusy).toBe(true);
    // One that is busy no more is left alone from then on.
    busy.waitingBytes = 0;
    backlog.sweep(1100);
    backlog.sweep(1110);
    expect([asked, busy.polls]).toEqual([0, 10]);
    expect(backlog.isBusy).toBe(false);
    send(1);
    backlog.sweep(1120);
    expect(asked).toBe(1);
  });

  it('looks at clients whose time has come, within a quarter of a second', () => {
    const { backlog, waiters } = backlogOf(0, 0);
    const [early, late] = waiters;
    if (early === undefined || late === undefined) throw new Error('two');
    for (const [waiter, everyMs] of [
      [early, 1000],
      [late, 1100],
    ] as const) {
      waiter.nextLookMs = everyMs;
      waiter.poll = () => {
        waiter.polls += 1;
        waiter.nextLookMs += everyMs;
      };
    }
    for (let ms = 0; ms < 1000; ms += 10) backlog.sweep(ms);
    expect([early.polls, late.polls]).toEqual([0, 0]);
    backlog.sweep(1000);
    expect([early.polls, late.polls]).toEqual([1, 0]);
    for (let ms = 1010; ms <= 1250; ms += 10) backlog.sweep(ms);
    expect([early.polls, late.polls]).toEqual([1, 1]);
  });

  it('has room for images in its first quarter only', () => {
    expect(backlogOf(2, 2).backlog.hasRoom).toBe(true);
    expect(backlogOf(2, 2, 1).backlog.hasRoom).toBe(false);
  });

  it('leaves all alone up to its half', () => {
    const { backlog, waiters } = backlogOf(3, 3, 2);
    backlog.sweep(0);
    expect(waiters.some(({ isBehind, isCut }) => isBehind || isCut)).toBe(false);
  });

  it('takes streams from those with most waiting beyond its half, and cuts those beyond the whole', () => {
    const { backlog, waiters } = backlogOf(1, 5, 2, 3);
    backlog.sweep(0);
    expect(waiters.map(({ isBehind }) => isBehind)).toEqual([false, true, false, true]);
    const full = backlogOf(1, 9, 2, 8);
    full.backlog.sweep(0);
    expect(full.waiters.map(({ isCut }) => isCut)).toEqual([false, true, false, false]);
    expect(full.waiters.map(({ isBehind }) => isBehind)).toEqual([false, false, false, true]);
    expect(full.backlog.totalBytes).toBe(11 * MIB);
  });

  it('looks at idle clients only when what was sent could matter', () => {
    const { backlog, waiters, send } = backlogOf(0, 0);
    backlog.sweep(0);
    send(preset.backpressureSoftBytes / 4 - 1);
    backlog.sent();
    backlog.sweep(0);
    expect(waiters.map(({ polls }) => polls)).toEqual([0, 0]);
    send(1);
    backlog.sweep(0);
    expect(waiters.map(({ polls }) => polls)).toEqual([1, 1]);
  });
});

describe('a replay at full speed', () => {
  const { limits: preset } = configFrom({});
  const half = preset.backpressureSoftBytes / 2;

  it('waits for a client that is behind as long as it takes bytes', () => {
    const slow = new SlowReader(preset);
    slow.look(half, 0);
    expect(slow.isWorthWaiting(0)).toBe(false);
    slow.look(half + 50_000, 10);
    expect(slow.isWorthWaiting(10)).toBe(true);
    slow.look(half + 30_000, 200);
    expect(slow.isWorthWaiting(400)).toBe(true);
    slow.look(half + 29_000, 440);
    expect(slow.isWorthWaiting(440)).toBe(true);
    expect(slow.isWorthWaiting(451)).toBe(false);
    // What one byte at a time takes is nothing.
    for (let ms = 460; ms < 1000; ms += 10) slow.look(half + 29_000 - ms, ms);
    expect(slow.isWorthWaiting(1000)).toBe(false);
    slow.look(half + 10_000, 1010);
    expect(slow.isWorthWaiting(1010)).toBe(true);
  });

  it('waits for none that streams have left', () => {
    const slow = new SlowReader(preset);
    expect(slow.look(2 * half + 1, 0)).toBe('fall_behind');
    expect(slow.isWorthWaiting(0)).toBe(false);
    expect(slow.look(half, 10)).toBe('none');
    expect(slow.look(half - 1, 20)).toBe('rejoin');
  });
});

describe('control messages', () => {
  it('may come at a rate and in bursts', () => {
    const bucket = new TokenBucket(50, 100, 0);
    const taken = (nowMs: number): number => {
      let count = 0;
      while (count < 1000 && bucket.take(1, nowMs)) count += 1;
      return count;
    };
    expect(taken(0)).toBe(100);
    expect(bucket.take(1, 0)).toBe(false);
    const other = new TokenBucket(50, 100, 0);
    for (let ms = 0; ms < 60_000; ms += 20) expect(other.take(1, ms)).toBe(true);
    expect(other.take(99, 60_000)).toBe(true);
    expect(other.take(2, 60_000)).toBe(false);
  });
});
