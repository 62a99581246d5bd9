import { describe, expect, it } from 'vitest';
import {
  type BookSubscription,
  channel,
  connect,
  type Feed,
  type FeedError,
  Flag,
  Kind,
  type LocalBook,
  type TradeEvent,
} from '../src/wire/index.js';
import { FeedServer, type Peer, until, withFeed } from './support/feed-server.js';
import { checkOf, type FrameSpec, frame, type LevelSpec, message } from './support/frames.js';

/** No second request, however slow the machine. */
const NO_REPEAT = { resync: { delayMs: 60_000, delayMsMax: 60_000 } };
const NAME = 'sim:BTCUSDT';
const BIDS: readonly LevelSpec[] = [
  [100, 5],
  [99, 7],
];
const ASKS: readonly LevelSpec[] = [[101, 2]];

const image = (spec: Partial<FrameSpec> = {}): Uint8Array => {
  const { bids = BIDS, asks = ASKS } = spec;
  return frame({
    kind: Kind.image,
    epoch: 1n,
    seq: 1,
    instrument: 7,
    info: {},
    check: checkOf(bids, asks),
    bids,
    asks,
    ...spec,
  });
};
const delta = (prevSeq: number, seq: number, spec: Partial<FrameSpec> = {}): Uint8Array =>
  frame({ kind: Kind.delta, epoch: 1n, prevSeq, seq, instrument: 7, ...spec });
const badCheck = (seq: number): Uint8Array =>
  frame({ kind: Kind.check, epoch: 1n, seq, instrument: 7, check: { ...checkOf([], []), allCrc: 1 } });
const trade = (
  prevSeq: number,
  seq: number,
  ids: readonly number[],
  spec: Partial<FrameSpec> = {},
): Uint8Array =>
  frame({
    kind: Kind.trade,
    stream: 3,
    epoch: 1n,
    prevSeq,
    seq,
    instrument: 7,
    trades: ids.map((id) => ({ price: 100 + id, qty: 2, id, tsEvent: 5, aggressor: 1 })),
    ...spec,
  });

const untilState = (source: BookSubscription, state: string): Promise<unknown> =>
  until<{ readonly state: string }>(source, 'state', (change) => change.state === state);

/** Subscribes to the book and brings it to the image. */
async function syncedBook(feed: Feed, peer: Peer): Promise<BookSubscription> {
  const subscription = feed.book(NAME);
  const subscribe = await peer.next('subscribe');
  const synced = untilState(subscription, 'synced');
  peer.grant(subscribe);
  peer.bytes(image());
  await synced;
  return subscription;
}

describe('subscribing', () => {
  it('asks for each channel as the protocol says', () =>
    withFeed(async ({ feed, peer }) => {
      feed.book(NAME);
      feed.depth(NAME, { depth: 5, intervalMs: 0 });
      feed.depth(NAME);
      feed.bbo(NAME, { source: 'venue' });
      feed.subscribe(channel.trades, NAME);
      feed.subscribe(channel.status, NAME);
      const asked = [];
      for (let at = 0; at < 6; at += 1) {
        const { id, ...rest } = await peer.next('subscribe');
        expect(id).toBeGreaterThan(0);
        asked.push(rest);
      }
      const common = { op: 'subscribe', instrument: NAME };
      expect(asked).toEqual([
        { ...common, channel: 'book' },
        { ...common, channel: 'depth', depth: 5, intervalMs: 0 },
        { ...common, channel: 'depth', depth: 20, intervalMs: 100 },
        { ...common, channel: 'bbo', source: 'venue' },
        { ...common, channel: 'trades' },
        { ...common, channel: 'status' },
      ]);
    }));

  it('keeps a book by image and deltas, with callbacks and a loop at once', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = await syncedBook(feed, peer);
      expect(subscription.granted).toMatchObject({ instrumentId: 7, tickSize: 1, epoch: 1n, seq: 1n });
      const seen: number[] = [];
      const off = subscription.on('update', (book) => seen.push(book.seq));
      const third = until<LocalBook>(subscription, 'update', (book) => book.seq === 3);
      peer.bytes(message(delta(1, 2, { bids: [[100, 0]] }), delta(2, 3, { asks: [[102, 1]] })));
      await third;
      off();
      const fourth = until<LocalBook>(subscription, 'update');
      peer.bytes(delta(3, 4));
      await fourth;
      expect(seen).toEqual([2, 3]);
      for await (const book of subscription) {
        expect([book.seq, book.bestBid?.price, book.count('ask')]).toEqual([4, 99, 2]);
        break;
      }
    }));

  it('routes frames by instrument and stream, and statuses to every subscription of the instrument', () =>
    withFeed(async ({ feed, peer }) => {
      const book = feed.book(NAME);
      const bbo = feed.bbo(NAME);
      const other = feed.book('sim:ETHUSDT');
      const status = feed.subscribe(channel.status, NAME);
      peer.grant(await peer.next('subscribe'));
      peer.grant(await peer.next('subscribe'), { stream: 2 });
      peer.grant(await peer.next('subscribe'), { instrumentId: 8 });
      peer.grant(await peer.next('subscribe'), { stream: 4 });
      const told = until(status, 'update');
      peer.bytes(
        message(
          image({ seq: 5 }),
          image({ seq: 6, stream: 2, bids: [[1, 1]], asks: [] }),
          image({ instrument: 99, seq: 7 }),
          frame({
            kind: Kind.status,
            stream: 4,
            epoch: 1n,
            seq: 9,
            instrument: 7,
            status: { state: 3, reason: 2, ageNs: 4_000_000 },
          }),
        ),
      );
      await told;
      expect([book.book.seq, bbo.book.seq, other.book.seq]).toEqual([5, 6, 0]);
      expect([book.state, book.reason, bbo.state, other.state]).toEqual([
        'stale',
        'silence',
        'stale',
        'syncing',
      ]);
      expect(status.status).toMatchObject({ state: 'stale', reason: 'silence', epoch: 1n, seq: 9, ageMs: 4 });
      expect(status.state).toBe('stale');
    }));

  it('ends a subscription that the server refuses, by its error, and no other', () =>
    withFeed(async ({ feed, peer }) => {
      const good = await syncedBook(feed, peer);
      const bad = feed.book('sim:NOPE');
      const loop = bad[Symbol.asyncIterator]().next();
      const { id } = await peer.next('subscribe');
      const reported = until<FeedError>(bad, 'error');
      peer.control({
        op: 'error',
        id,
        code: 'feed.unknown_instrument',
        what: 'w',
        where: 'x',
        expected: 'e',
        got: 'g',
        fix: 'f',
      });
      expect((await reported).code).toBe('feed.unknown_instrument');
      await expect(loop).rejects.toMatchObject({ code: 'feed.unknown_instrument', fix: 'f' });
      await expect(bad[Symbol.asyncIterator]().next()).rejects.toMatchObject({
        code: 'feed.unknown_instrument',
      });
      expect([bad.closed, good.closed, good.state]).toEqual([true, false, 'synced']);
      // The server does not hold it, so to end it would be an error of its own.
      good.close();
      expect(await peer.next('unsubscribe')).toMatchObject({ instrument: NAME });
      expect(peer.count('unsubscribe')).toBe(0);
    }));

  it('shares a subscription that there is, until it has been ended as often as it was asked for', () =>
    withFeed(async ({ feed, peer }) => {
      const first = await syncedBook(feed, peer);
      const aborted = new AbortController();
      expect(feed.book(NAME)).toBe(first);
      expect(feed.book(NAME, { signal: aborted.signal })).toBe(first);
      expect(() => feed.book(NAME, { levelsMax: 5 })).toThrow('client.duplicate_subscription');
      first.close();
      aborted.abort('not wanted');
      expect([first.closed, first.abortReason]).toEqual([false, undefined]);
      expect(peer.count('unsubscribe')).toBe(0);
      first.close();
      expect(first.closed).toBe(true);
      expect(await peer.next('unsubscribe')).toMatchObject({ instrument: NAME });
      expect(feed.book(NAME)).not.toBe(first);
      expect(await peer.next('subscribe')).toMatchObject({ instrument: NAME });
    }));

  it('ends when its last loop is left, by break and by a throw', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = await syncedBook(feed, peer);
      const other = subscription[Symbol.asyncIterator]();
      for await (const _ of subscription) break;
      expect(subscription.closed).toBe(false);
      const shared = feed.book(NAME);
      await other.return?.();
      expect(subscription.closed).toBe(false);
      await expect(
        (async () => {
          for await (const _ of shared) throw new Error('enough');
        })(),
      ).rejects.toThrow('enough');
      expect(subscription.closed).toBe(true);
      expect(await peer.next('unsubscribe')).toMatchObject({ instrument: NAME });
    }));

  it('keeps what a signal was aborted with', async () => {
    const server = await FeedServer.start();
    const [whole, part] = [new AbortController(), new AbortController()];
    const feed = connect(server.url, { signal: whole.signal });
    const book = feed.book(NAME, { signal: part.signal });
    const group = feed.books('sim:*', { signal: part.signal });
    part.abort('done with it');
    expect([book.closed, book.abortReason, group.closed, group.abortReason]).toEqual([
      true,
      'done with it',
      true,
      'done with it',
    ]);
    expect(feed.book(NAME, { signal: part.signal }).abortReason).toBe('done with it');
    whole.abort('all of it');
    expect([feed.state, feed.abortReason]).toEqual(['closed', 'all of it']);
    expect(feed.subscribe(channel.trades, NAME).abortReason).toBe('all of it');
    await feed.close();
    await server[Symbol.asyncDispose]();
  });

  it('tells that it is stale by an event of its own', () =>
    withFeed(async ({ feed, peer }) => {
      const subscription = await syncedBook(feed, peer);
      const stale = until(subscription, 'stale');
      peer.bytes(badCheck(1));
      expect(await stale).toEqual({ state: 'stale', reason: 'check_failed' });
    }));

  it('refuses a bad address, and too many loops', () =>
    withFeed(async ({ feed }) => {
      const book = feed.book(NAME);
      for (let at = 0; at < 64; at += 1) book[Symbol.asyncIterator]();
      expect(() => book[Symbol.asyncIterator]()).toThrow('client.loops_limit');
      for (const address of ['ftp://host/', 'ws://', '', 'ws://a b/']) {
        expect(() => connect(address)).toThrow('client.bad_url');
      }
    }));

  it('understands an address of the server in every form that people write', () => {
    const meant = (address: string): string => {
      const feed = connect(address, { signal: AbortSignal.abort() });
      return feed.url;
    };
    expect(
      [
        'ws://127.0.0.1:8642/v1/feed',
        'ws://127.0.0.1:8642',
        'http://127.0.0.1:8642/',
        'HTTPS://host/depth/',
        'localhost:8642',
        'wss://host/depth/v1/feed?x=1#top',
      ].map(meant),
    ).toEqual([
      'ws://127.0.0.1:8642/v1/feed',
      'ws://127.0.0.1:8642/v1/feed',
      'ws://127.0.0.1:8642/v1/feed',
      'wss://host/depth/v1/feed',
      'ws://localhost:8642/v1/feed',
      'wss://host/depth/v1/feed?x=1',
    ]);
  });

  it('tells of a doubt that comes without a change', () =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const doubted = until<LocalBook>(book, 'update', ({ isBeyondKnown }) => isBeyondKnown);
      peer.bytes(
        frame({
          kind: Kind.check,
          epoch: 1n,
          seq: 1,
          instrument: 7,
          flags: Flag.beyondKnown,
          check: checkOf(BIDS, ASKS),
        }),
      );
      await doubted;
      expect([book.state, feed.counters.checks]).toEqual(['synced', 2]);
    }));

  it('ends only the subscription whose frame it cannot hold', () =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const failed = until<FeedError>(book, 'error');
      peer.bytes(delta(1, 2, { bids: [[98, -1]] }));
      expect((await failed).code).toBe('wire.bad_value');
      expect([book.closed, book.state, feed.state]).toEqual([true, 'stale', 'open']);
      expect(await peer.next('unsubscribe')).toMatchObject({ channel: 'book', instrument: NAME });
    }));
});

describe('resync', () => {
  it.each([
    ['a gap', delta(5, 6), 'sequence_gap', 'gap'],
    ['a failed check', badCheck(1), 'check_failed', 'check_failed'],
  ])('is asked for after %s, and the book is stale until the image', (_name, breaking, reason, tag) =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const states: string[] = [];
      book.on('state', (change) => states.push(`${change.state} ${change.reason}`));
      const gap = until<{ readonly tag: string }>(book, 'gap');
      peer.bytes(breaking);
      expect((await gap).tag).toBe(tag);
      expect(await peer.next('resync')).toMatchObject({ channel: 'book', instrument: NAME });
      const synced = untilState(book, 'synced');
      peer.bytes(image({ seq: 9 }));
      await synced;
      expect([book.book.seq, states]).toEqual([9, [`stale ${reason}`, 'synced none']]);
      const { gaps, checkFailures, resyncs, checks } = feed.counters;
      expect([gaps, checkFailures, resyncs]).toEqual(tag === 'gap' ? [1, 0, 1] : [0, 1, 1]);
      expect(checks).toBe(tag === 'gap' ? 2 : 3);
    }, NO_REPEAT),
  );

  it('has one request in flight for many gaps, and repeats it with growing pauses while no image comes', () =>
    withFeed(
      async ({ feed, peer }) => {
        const book = await syncedBook(feed, peer);
        const startMs = performance.now();
        const second = until(book, 'gap', () => feed.counters.gaps === 3);
        peer.bytes(message(delta(5, 6), delta(6, 7), delta(7, 8)));
        await second;
        expect(feed.counters.resyncs).toBe(1);
        await peer.next('resync');
        await peer.next('resync');
        await peer.next('resync');
        // Pauses of 20 ms and 40 ms stand between three requests.
        expect(performance.now() - startMs).toBeGreaterThan(50);
        const synced = untilState(book, 'synced');
        peer.bytes(image({ seq: 9 }));
        await synced;
        const count = feed.counters.resyncs;
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(feed.counters.resyncs).toBe(count);
      },
      { resync: { delayMs: 10, delayMsMax: 80 } },
    ));

  it('waits for the server instead when it says that its own book is not synced', () =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const told = untilState(book, 'syncing');
      peer.bytes(
        message(
          delta(5, 6),
          frame({ kind: Kind.status, stream: 4, epoch: 2n, instrument: 7, status: { state: 1 } }),
        ),
      );
      await told;
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(feed.counters.resyncs).toBe(1);
      const synced = untilState(book, 'synced');
      peer.bytes(image({ epoch: 2n }));
      await synced;
    }));

  it('reports a refused resync and goes on asking', () =>
    withFeed(
      async ({ feed, peer }) => {
        const book = await syncedBook(feed, peer);
        peer.bytes(delta(5, 6));
        const { id } = await peer.next('resync');
        const reported = until<FeedError>(book, 'error');
        peer.control({ op: 'error', id, code: 'feed.rate' });
        expect(await reported).toMatchObject({ code: 'feed.rate', fix: 'not said' });
        await peer.next('resync');
        expect(book.closed).toBe(false);
        // The answer to a request that has been repeated is nobody's.
      },
      { resync: { delayMs: 250, delayMsMax: 500 } },
    ));
});

describe('reconnect', () => {
  it('makes books stale at once, comes back and subscribes again', () =>
    withFeed(async ({ server, feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const states: string[] = [];
      feed.on('state', (state) => states.push(state));
      const stale = untilState(book, 'stale');
      const lost = until<FeedError>(feed, 'error');
      peer.cut();
      await stale;
      expect(book.reason).toBe('disconnected');
      expect((await lost).code).toBe('feed.disconnected');
      const next = await server.peer();
      const synced = untilState(book, 'synced');
      next.grant(await next.next('subscribe'));
      next.bytes(image({ epoch: 3n }));
      await synced;
      expect([book.book.epoch, feed.counters.reconnects, states]).toEqual([
        3n,
        1,
        ['waiting', 'connecting', 'open'],
      ]);
    }));

  it('does not take frames before the new grant', () =>
    withFeed(async ({ server, feed, peer }) => {
      const book = await syncedBook(feed, peer);
      peer.cut();
      const next = await server.peer();
      const subscribe = await next.next('subscribe');
      next.bytes(image({ seq: 50 }));
      next.control({ op: 'something new' });
      const pause = until(feed, 'error');
      next.control({ op: 'error', code: 'feed.marker' });
      await pause;
      expect([book.state, book.book.seq]).toEqual(['stale', 1]);
      const synced = untilState(book, 'synced');
      next.grant(subscribe);
      next.bytes(image({ seq: 51 }));
      await synced;
    }));

  it('tries again, with growing pauses, while nothing listens', async () => {
    const closed = await FeedServer.start();
    await closed[Symbol.asyncDispose]();
    const feed = connect(closed.url, { reconnect: { delayMs: 4, delayMsMax: 16 } });
    const book = feed.book(NAME);
    await until(feed, 'error', () => feed.counters.reconnects === 3);
    expect([book.state, book.closed]).toEqual(['syncing', false]);
    await feed.close();
    expect([feed.state, book.closed, feed.error]).toEqual(['closed', true, undefined]);
  });

  it.each([
    ['garbage', (peer: Peer) => peer.bytes(new Uint8Array(100)), 'wire.frame_size'],
    ['a cut frame', (peer: Peer) => peer.bytes(image().subarray(0, 60)), 'wire.truncated'],
    ['bad control text', (peer: Peer) => peer.text('{"op":'), 'feed.bad_control'],
    [
      'a control message without its fields',
      (peer: Peer) => peer.text('{"op":"subscribed","id":1}'),
      'feed.bad_control',
    ],
  ])('leaves a server that sends %s', (_name, send, code) =>
    withFeed(async ({ server, feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const error = until<FeedError>(feed, 'error');
      send(peer);
      expect((await error).code).toBe(code);
      expect([book.state, book.reason]).toEqual(['stale', 'disconnected']);
      await (await server.peer()).next('subscribe');
    }),
  );

  it('leaves a server that has fallen silent', () =>
    withFeed(
      async ({ server, feed, peer }) => {
        const book = await syncedBook(feed, peer);
        const stale = untilState(book, 'stale');
        peer.freeze();
        await stale;
        await server.peer();
      },
      { pingIntervalMs: 100 },
    ));

  it('makes one attempt only when told so', async () => {
    const gone = await FeedServer.start();
    await gone[Symbol.asyncDispose]();
    const feed = connect(gone.url, { reconnect: false });
    const loop = feed.subscribe(channel.trades, NAME)[Symbol.asyncIterator]().next();
    await expect(loop).rejects.toMatchObject({ code: 'feed.connect_failed' });
    expect([feed.state, feed.counters.reconnects]).toEqual(['closed', 0]);
  });

  it('passes on the notice of a shutdown', () =>
    withFeed(async ({ server, feed, peer }) => {
      const notice = until<string>(feed, 'shutdown');
      peer.control({ op: 'shutdown', reason: 'drain' });
      peer.close(1001);
      expect(await notice).toBe('drain');
      await server.peer();
    }));
});

describe('ending', () => {
  it('ends one subscription by its signal and tells the server', () =>
    withFeed(async ({ feed, peer }) => {
      const abort = new AbortController();
      const book = feed.book(NAME, { signal: abort.signal });
      peer.grant(await peer.next('subscribe'));
      const loop = book[Symbol.asyncIterator]().next();
      abort.abort();
      expect(await loop).toEqual({ done: true, value: undefined });
      expect(await peer.next('unsubscribe')).toMatchObject({ channel: 'book', instrument: NAME });
      expect([book.closed, book.error, feed.state]).toEqual([true, undefined, 'open']);
      const late = feed.book(NAME, { signal: abort.signal });
      expect(late.closed).toBe(true);
    }));

  it('ends everything by the signal of the feed', async () => {
    const abort = new AbortController();
    await withFeed(
      async ({ feed, peer }) => {
        const book = await syncedBook(feed, peer);
        const loop = book[Symbol.asyncIterator]();
        await loop.next();
        const waiting = loop.next();
        abort.abort();
        expect(await waiting).toEqual({ done: true, value: undefined });
        expect([feed.state, feed.error, book.closed]).toEqual(['closed', undefined, true]);
        expect(feed.book(NAME).closed).toBe(true);
      },
      { signal: abort.signal },
    );
    const feed = connect('ws://127.0.0.1:1/', { signal: abort.signal });
    expect(feed.state).toBe('closed');
    await feed.close();
  });

  it('ends by `await using`', async () => {
    const server = await FeedServer.start();
    let kept: Feed | undefined;
    {
      await using feed = connect(server.url);
      await using book = feed.book(NAME);
      expect(book.closed).toBe(false);
      kept = feed;
    }
    expect(kept.state).toBe('closed');
    await server[Symbol.asyncDispose]();
  });

  it('lets go of a server that does not answer the closing', () =>
    withFeed(async ({ feed, peer }) => {
      await syncedBook(feed, peer);
      peer.freeze();
      const startMs = performance.now();
      await feed.close();
      expect(performance.now() - startMs).toBeLessThan(3000);
    }));
});

describe('loops and callbacks', () => {
  it('conflates a book for a slow loop, which sees the latest state and not the ones between', () =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const loop = book[Symbol.asyncIterator]();
      expect((await loop.next()).value?.seq).toBe(1);
      const last = until<LocalBook>(book, 'update', (live) => live.seq === 100);
      peer.bytes(message(...Array.from({ length: 99 }, (_, at) => delta(at + 1, at + 2))));
      await last;
      expect((await loop.next()).value?.seq).toBe(100);
      const waiting = loop.next();
      peer.bytes(delta(100, 101));
      expect((await waiting).value?.seq).toBe(101);
      await loop.return?.();
      expect(await loop.next()).toEqual({ done: true, value: undefined });
    }));

  it('wakes a loop when only the state changes', () =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const loop = book[Symbol.asyncIterator]();
      await loop.next();
      const waiting = loop.next();
      peer.bytes(delta(8, 9));
      expect((await waiting).value?.state).toBe('stale');
    }));

  it('goes on when a callback throws, and reports it', () =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      const seen: number[] = [];
      book.on('update', () => {
        throw new Error('mine');
      });
      book.on('update', (live) => seen.push(live.seq));
      const errors: FeedError[] = [];
      feed.on('error', (error) => errors.push(error));
      const third = until<LocalBook>(book, 'update', (live) => live.seq === 3);
      peer.bytes(message(delta(1, 2), delta(2, 3)));
      await third;
      expect(errors.map(({ code }) => code)).toEqual(['client.callback_failed', 'client.callback_failed']);
      expect(errors[0]?.cause).toMatchObject({ message: 'mine' });
      expect([seen, book.state]).toEqual([[2, 3], 'synced']);
    }));

  it('survives a callback that closes the feed in the middle of a message', () =>
    withFeed(async ({ feed, peer }) => {
      const book = await syncedBook(feed, peer);
      book.on('update', () => void feed.close());
      const closed = until(feed, 'state', (state) => state === 'closed');
      const { frames } = feed.counters;
      peer.bytes(message(delta(1, 2), delta(2, 3)));
      await closed;
      expect([book.book.seq, feed.counters.frames - frames]).toEqual([2, 1]);
    }));
});

describe('trades', () => {
  const opening = (seq: number, epoch = 1n): Uint8Array =>
    frame({ kind: Kind.image, stream: 3, epoch, seq, instrument: 7, trades: [] });

  async function tradesOf(feed: Feed, peer: Peer, queueMax?: number) {
    const trades = feed.subscribe(channel.trades, NAME, queueMax === undefined ? {} : { queueMax });
    const loop = trades[Symbol.asyncIterator]();
    const events: TradeEvent[] = [];
    trades.on('update', (event) => events.push(event));
    trades.on('gap', (event) => events.push(event));
    peer.grant(await peer.next('subscribe'), { stream: 3 });
    return { trades, loop, events };
  }
  const words = (events: readonly TradeEvent[]): unknown[] =>
    events.map((event) => (event.tag === 'trade' ? Number(event.id) : event.reason));

  it('ask for the image that opens an epoch when they missed it, and pass over an epoch that is over', () =>
    withFeed(async ({ feed, peer }) => {
      const { trades, events } = await tradesOf(feed, peer);
      const first = until(trades, 'update');
      peer.bytes(message(opening(1, 5n), trade(1, 2, [1], { epoch: 5n }), trade(7, 8, [9], { epoch: 4n })));
      await first;
      expect([trades.state, words(events)]).toEqual(['synced', [1]]);
      peer.bytes(trade(1, 2, [2], { epoch: 6n }));
      expect(await peer.next('resync')).toMatchObject({ channel: 'trades', instrument: NAME });
      expect([trades.state, trades.reason, words(events)]).toEqual(['stale', 'no_image', [1]]);
      const second = until(trades, 'update');
      peer.bytes(message(opening(2, 6n), trade(2, 3, [3], { epoch: 6n })));
      await second;
      expect([trades.state, words(events)]).toEqual(['synced', [1, 'reset', 3]]);
      expect(peer.count('resync')).toBe(0);
    }, NO_REPEAT));

  it.each<[string, Uint8Array[], unknown[]]>([
    ['before an image nothing', [trade(1, 2, [1])], []],
    ['in sequence everything', [opening(1), trade(1, 2, [1, 2]), trade(2, 5, [3])], [1, 2, 3]],
    ['a repeated frame once', [opening(1), trade(1, 2, [1]), trade(1, 2, [1]), trade(2, 3, [2])], [1, 2]],
    [
      'after a lost frame a gap, then the rest',
      [opening(1), trade(1, 2, [1]), trade(3, 4, [3]), trade(4, 5, [4])],
      [1, 'sequence', 3, 4],
    ],
    [
      'of an overlap nothing but a gap',
      [opening(1), trade(1, 2, [1]), trade(1, 3, [1, 2]), trade(3, 4, [3])],
      [1, 'sequence', 3],
    ],
    ['of another epoch nothing', [opening(1), trade(1, 2, [1], { epoch: 2n }), trade(1, 2, [2])], []],
    ['after a new epoch a gap', [opening(1), opening(1, 2n), trade(1, 2, [1], { epoch: 2n })], ['reset', 1]],
    [
      'after an image of the same place no gap',
      [opening(1), trade(1, 2, [1]), opening(2), trade(2, 3, [2])],
      [1, 2],
    ],
    ['after an image further on a gap', [opening(1), opening(4), trade(4, 5, [5])], ['sequence', 5]],
  ])('delivers %s', (_name, frames, expected) =>
    withFeed(async ({ feed, peer }) => {
      const { events } = await tradesOf(feed, peer);
      const marker = until(feed, 'error');
      peer.bytes(message(...frames));
      peer.control({ op: 'error', code: 'feed.marker' });
      await marker;
      expect(words(events)).toEqual(expected);
    }),
  );

  it('gives each trade whole', () =>
    withFeed(async ({ feed, peer }) => {
      const { trades, loop } = await tradesOf(feed, peer);
      peer.bytes(message(opening(1), trade(1, 2, [9])));
      expect((await loop.next()).value).toEqual({
        tag: 'trade',
        price: 109,
        qty: 2,
        priceExponent: -2,
        qtyExponent: -5,
        id: 9n,
        idKind: 'number',
        aggressor: 'buy',
        tsEvent: 5n,
        seq: 2,
      });
      expect([trades.state, trades.seq, trades.epoch]).toEqual(['synced', 2, 1n]);
      expect([trades.priceText(109), trades.qtyText(2)]).toEqual(['1.09', '0.00002']);
    }));

  it('tells a loop that is too slow what it has lost, in its place', () =>
    withFeed(async ({ feed, peer }) => {
      const { trades, loop } = await tradesOf(feed, peer, 3);
      const taken = async (): Promise<TradeEvent> => (await loop.next()).value as TradeEvent;
      const arrived = (last: bigint) =>
        until<{ readonly id: bigint }>(trades, 'update', ({ id }) => id === last);
      const fifth = arrived(5n);
      peer.bytes(message(opening(1), trade(1, 2, [1, 2, 3, 4]), trade(2, 3, [5])));
      await fifth;
      expect(words([await taken()])).toEqual([1]);
      // There is room again, but a trade behind the lost ones must not stand before their gap.
      const sixth = arrived(6n);
      peer.bytes(trade(3, 4, [6]));
      await sixth;
      expect(words([await taken(), await taken()])).toEqual([2, 3]);
      expect(await taken()).toEqual({ tag: 'gap', reason: 'overflow', lost: 3 });
      peer.bytes(trade(4, 5, [7]));
      expect(words([await taken()])).toEqual([7]);
    }));

  it('is stale while disconnected and says whether something was missed', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { trades, events } = await tradesOf(feed, peer);
      const synced = until(trades, 'state');
      peer.bytes(opening(5));
      await synced;
      const stale = until<{ readonly state: string }>(trades, 'state');
      peer.cut();
      expect((await stale).state).toBe('stale');
      const next = await server.peer();
      next.grant(await next.next('subscribe'), { stream: 3 });
      const back = until(trades, 'gap');
      next.bytes(message(opening(5), trade(5, 6, [1]), opening(9)));
      await back;
      expect(words(events)).toEqual([1, 'sequence']);
    }));
});

describe('measuring', () => {
  it('finds the offset of the clocks and the latency, frames without a time excluded', async () => {
    const server = await FeedServer.start();
    server.clockOffsetMs = 5_000_000;
    const feed = connect(server.url, { pingIntervalMs: 10 });
    const peer = await server.peer();
    expect(feed.latency).toBeUndefined();
    const book = await syncedBook(feed, peer);
    const tsSend =
      BigInt(Math.round(performance.timeOrigin + performance.now() + 5_000_000 - 1000)) * 1_000_000n;
    const third = until<LocalBook>(book, 'update', (live) => live.seq === 3);
    peer.bytes(message(delta(1, 2, { tsSend }), delta(2, 3, { tsSend: 0n })));
    await third;
    const summary = feed.latency;
    expect(summary?.samples).toBe(1);
    expect(Math.abs((summary?.offsetMs ?? 0) - 5_000_000)).toBeLessThan(300);
    expect(summary?.p50Ms).toBeGreaterThan(700);
    expect(summary?.p99Ms).toBeLessThan(5000);
    await feed.close();
    await server[Symbol.asyncDispose]();
  });

  it('counts messages, bytes and frames', () =>
    withFeed(async ({ feed, peer }) => {
      const before = feed.counters;
      const book = await syncedBook(feed, peer);
      const second = until(book, 'update');
      const bytes = message(delta(1, 2), frame({ kind: 88 }));
      peer.bytes(bytes);
      await second;
      const { messages, frames, bytes: counted } = feed.counters;
      expect(messages - before.messages).toBeGreaterThanOrEqual(3);
      expect(frames - before.frames).toBe(2);
      expect(counted - before.bytes).toBeGreaterThanOrEqual(bytes.length + image().length);
    }));
});
