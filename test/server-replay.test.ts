import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Serving, startServing } from '../src/cli/serve.js';
import { type ConfigInput, configFrom } from '../src/config.js';
import { openEngine } from '../src/engine.js';
import { FrameReader } from '../src/wire/frame.js';
import { type BookSubscription, channel, connect, type LocalBook, type Side } from '../src/wire/index.js';
import { Kind } from '../src/wire/protocol.js';
import { simulatedRecording } from './support/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-serve-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'sim:BTCUSDT';
const path = join(folder, 'recording');
writeFileSync(path, simulatedRecording('BTCUSDT', 20_000));

function serving(replay: Partial<NonNullable<ConfigInput['replay']>>, gateways = 0): Promise<Serving> {
  const config = configFrom({
    server: { port: 0, drainMs: 300, gateways },
    instruments: [{ name: NAME }],
    replay: { files: [path], ...replay },
  });
  return startServing(config, new Map(), (line) => {
    throw new Error(line);
  });
}

function shortest(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** The digest of a book as the engine defines it, from what a client holds. */
function digestOf(book: LocalBook): string {
  const hash = createHash('sha256');
  for (const side of ['bid', 'ask'] as const satisfies readonly Side[]) {
    for (const { price, qty } of book.levels(side)) {
      hash.update(
        `${side === 'bid' ? 'B' : 'A'} ${shortest(book.priceText(price))} ${shortest(book.qtyText(qty))}\n`,
      );
    }
  }
  return hash.digest('hex');
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 10_000; !condition(); await pause(2)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}

function atSeq(subscription: BookSubscription, seq: bigint): () => boolean {
  return () => subscription.book.state === 'synced' && BigInt(subscription.book.seq) === seq;
}

describe('a recording that is served', () => {
  it('ends as the engine’s book at a client from its start and at one that joined in its middle', async () => {
    const { engine, port, source, stop } = await serving({ speed: 20 });
    const [instrument] = engine.instruments().filter(({ name }) => name === NAME);
    const id = instrument?.id ?? 0;
    const feeds = [
      connect(`ws://127.0.0.1:${port}/v1/feed`),
      connect(`ws://127.0.0.1:${port}/v1/feed`),
    ] as const;
    const first = feeds[0].book(NAME);
    await until(() => first.book.seq > 40, 'frames');
    const second = feeds[1].book(NAME);
    let joinedAt = 0;
    second.on('update', (book) => {
      joinedAt ||= book.seq;
    });
    await source.ended;
    const { seq, state } = engine.book(id);
    expect(state).toBe('synced');
    for (const subscription of [first, second]) {
      await until(atSeq(subscription, seq), `book at ${seq}`);
      expect(digestOf(subscription.book)).toBe(engine.digest(id));
    }
    expect(joinedAt).toBeGreaterThan(40);
    expect(joinedAt).toBeLessThan(Number(seq));
    for (const feed of feeds) {
      expect(feed.counters).toMatchObject({ gaps: 0, checkFailures: 0, resyncs: 0, reconnects: 0 });
      await feed.close();
    }
    await stop('test is over');
  });

  it('answers over HTTP what the feed holds at the same epoch and seq', async () => {
    const { port, source, stop } = await serving({ speed: 'max' });
    const feed = connect(`ws://127.0.0.1:${port}/v1/feed`);
    const subscription = feed.book(NAME);
    await source.ended;
    await until(() => subscription.book.state === 'synced', 'synced book');
    const answer = await fetch(`http://127.0.0.1:${port}/v1/book/${NAME}?depth=5000`);
    const book = (await answer.json()) as Record<'bids' | 'asks', readonly (readonly [string, string])[]> &
      object;
    const local = subscription.book;
    expect(book).toMatchObject({ state: 'synced', epoch: String(local.epoch), seq: String(local.seq) });
    const levels = (side: Side): readonly string[][] =>
      [...local.levels(side)].map(({ price, qty }) => [
        shortest(local.priceText(price)),
        shortest(local.qtyText(qty)),
      ]);
    expect(book.bids).toEqual(levels('bid'));
    expect(book.asks).toEqual(levels('ask'));
    await feed.close();
    await stop('test is over');
  });

  it('gives a depth view that follows another at once its own image, not the one before', async () => {
    const { port, source, stop } = await serving({ speed: 'max' });
    await source.ended;
    const url = `ws://127.0.0.1:${port}/v1/feed`;
    const socket = new WebSocket(url, 'depthwire.v1');
    const bids: number[] = [];
    const reader = new FrameReader();
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!isBinary) return;
      reader.reset(data);
      while (reader.next()) {
        if (reader.kind === Kind.image) bids.push(reader.bidCount);
      }
    });
    await once(socket, 'open');
    const send = (op: string, depth: number): void =>
      socket.send(JSON.stringify({ op, id: 1, channel: 'depth', instrument: NAME, depth, intervalMs: 0 }));
    for (const depth of [5, 10, 20]) {
      send('subscribe', depth);
      if (depth < 20) send('unsubscribe', depth);
    }
    await until(() => bids.length >= 2, 'image of the last view');
    // The one in between was gone before its turn.
    expect(bids).toEqual([5, 20]);
    socket.close();

    const feed = connect(url);
    await until(() => feed.state === 'open', 'connection');
    for (const depth of [5, 10, 20]) {
      const view = feed.depth(NAME, { depth, intervalMs: 0 });
      await until(() => view.state === 'synced', `view of ${depth} levels`);
      expect([...view.book.levels('bid')]).toHaveLength(depth);
      view.close();
    }
    expect(feed.counters).toMatchObject({ gaps: 0, checkFailures: 0, resyncs: 0 });
    await feed.close();
    await stop('test is over');
  });

  it('begins a loop in a new epoch, which clients follow by themselves', async () => {
    const { port, stop } = await serving({ speed: 'max', loop: true });
    const feed = connect(`ws://127.0.0.1:${port}/v1/feed`);
    const subscription = feed.book(NAME);
    const epochs = new Set<bigint>();
    subscription.on('update', ({ epoch }) => epochs.add(epoch));
    await until(() => epochs.size >= 3, 'third epoch');
    expect(feed.counters.gaps).toBe(0);
    expect(feed.counters.checkFailures).toBe(0);
    await feed.close();
    await stop('test is over');
  });
});

describe.each([0, 2])('a recording that is sent elsewhere, with %s gateways', (gateways) => {
  const START_NS = 1_700_000_000_000_000_000n;
  const at = (ms: number): bigint => START_NS + BigInt(ms) * 1_000_000n;
  const recorded = readFileSync(path);

  /** The book of the recording at a time, by an engine that has read it up to there and nothing else. */
  function digestAt(untilNs: bigint): string {
    const engine = openEngine(
      { startId: 1, replay: true, outputBytes: 8 << 20, silenceMs: 0 },
      { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} },
    );
    const id = engine.instruments().find(({ name }) => name === NAME)?.id ?? 0;
    engine.ingestRecording(engine.openSource('sim', [id]), recorded, untilNs, true);
    const digest = engine.digest(id);
    engine.close();
    return digest;
  }

  it('is the recording’s book at that time, in a new epoch, and of no time between', async () => {
    const { server, port, engine, stop } = await serving({ speed: 1 }, gateways);
    const id = engine.instruments().find(({ name }) => name === NAME)?.id ?? 0;
    const url = `http://127.0.0.1:${port}/v1/replay`;
    const post = async (change: object): Promise<{ state: string; clockNs: string }> => {
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(change) });
      expect(answer.status).toBe(200);
      return (await answer.json()) as { state: string; clockNs: string };
    };
    const status = async (): Promise<string> =>
      ((await (await fetch(url)).json()) as { state: string }).state;
    const feed = connect(`ws://127.0.0.1:${port}/v1/feed`);
    const book = feed.book(NAME);
    // To who reads trades, those on the way there are missing.
    const tape = connect(`ws://127.0.0.1:${port}/v1/feed`);
    const trades = tape.subscribe(channel.trades, NAME);
    await until(() => book.state === 'synced', 'synced book');
    await post({ paused: true });
    // Where each state of the book began: epoch, state.
    const seen: string[] = [];
    const note = (): void => {
      const now = `${book.book.epoch} ${book.state}`;
      if (seen.at(-1) !== now) seen.push(now);
    };
    book.on('update', note);
    book.on('state', note);
    for (const ms of [12_000, 17_340, 3000, 12_000]) {
      const before = book.book.epoch;
      seen.length = 0;
      expect(await post({ seek: String(at(ms)) })).toMatchObject({ state: 'seeking' });
      await until(() => server.replay?.status().state === 'paused', 'the time');
      await until(() => book.state === 'synced' && book.book.epoch > before, 'an image');
      expect(digestOf(book.book), `book at ${ms} ms`).toBe(digestAt(at(ms)));
      expect(engine.digest(id)).toBe(digestAt(at(ms)));
      // It was said to be syncing, and then to be the book of that time: nothing of the way there.
      expect(seen.map((one) => one.split(' ')[1])).toEqual(['syncing', 'synced']);
      expect(await status()).toBe('paused');
    }
    // Who comes meanwhile waits, too.
    const long = connect(`ws://127.0.0.1:${port}/v1/feed`);
    await post({ seek: String(at(19_000)) });
    const late = long.book(NAME);
    await until(() => late.state === 'synced', 'image for who came late');
    expect(digestOf(late.book)).toBe(digestAt(at(19_000)));
    expect(feed.counters).toMatchObject({ gaps: 0, checkFailures: 0, resyncs: 0 });
    // And it goes on from there to its end.
    await post({ paused: false, speed: 50 });
    await until(() => server.replay?.status().state === 'ended', 'the end');
    await until(() => digestOf(book.book) === digestAt(2n ** 63n - 1n), 'the last book');
    expect(trades.error).toBeUndefined();
    expect(feed.counters).toMatchObject({ gaps: 0, checkFailures: 0 });
    expect(server.sourceState).toBe('finished');
    await post({ seek: '0' });
    await until(() => server.sourceState === 'running', 'a beginning');
    expect(tape.counters.gaps).toBeGreaterThan(0);
    for (const one of [feed, tape, long]) await one.close();
    await stop('test is over');
  }, 60_000);
});
