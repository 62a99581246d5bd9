import { describe, expect, it } from 'vitest';
import {
  type BookSubscription,
  type ConnectOptions,
  channel,
  type Feed,
  Flag,
  Kind,
  type LocalBook,
  type Resynced,
  type SlowNotice,
  type TradeEvent,
} from '../src/wire/index.js';
import { type Control, type FeedServer, opened, type Peer, until, withFeed } from './support/feed-server.js';
import { checkOf, type FrameSpec, frame, type LevelSpec, message } from './support/frames.js';

const NAME = 'kraken:BTC/USD';
const NO_REPEAT: ConnectOptions = { resync: { delayMs: 60_000, delayMsMax: 60_000 } };
/** A server that takes lists. */
const LISTS = { heartbeatMs: 5000 };
const BIDS: readonly LevelSpec[] = [
  [100, 5],
  [99, 7],
];
const ASKS: readonly LevelSpec[] = [[101, 2]];

const image = (seq: number, spec: Partial<FrameSpec> = {}): Uint8Array => {
  const { bids = BIDS, asks = ASKS } = spec;
  const common = { kind: Kind.image, epoch: 1n, seq, instrument: 7, info: {} };
  return frame({ ...common, check: checkOf(bids, asks), bids, asks, ...spec });
};
const delta = (prevSeq: number, seq: number, spec: Partial<FrameSpec> = {}): Uint8Array =>
  frame({ kind: Kind.delta, epoch: 1n, prevSeq, seq, instrument: 7, ...spec });

/** A book at a sequence, and what it reports from there on. */
async function bookAt(
  feed: Feed,
  peer: Peer,
  seq: number,
): Promise<{ book: BookSubscription; told: string[] }> {
  const book = feed.book(NAME);
  const synced = until(book, 'state');
  peer.grant(await peer.next('subscribe'));
  peer.bytes(image(seq));
  await synced;
  const told: string[] = [];
  book.on('state', ({ state, reason }) => told.push(`${state} ${reason}`));
  book.on('resync', ({ cause, by, from, to }) => told.push(`${cause} by ${by} ${from.seq}-${to.seq}`));
  book.on('slow', (notice) => told.push(notice.state));
  book.on('update', ({ seq, state }) => told.push(`${seq} ${state}`));
  return { book, told };
}

/** Cuts the connection; the next one, and what it was asked for first. */
async function comeBack(server: FeedServer, peer: Peer): Promise<{ next: Peer; asked: Control }> {
  peer.cut();
  const next = await server.peer();
  return { next, asked: await next.next('subscribe') };
}

const resumed = (subscription: BookSubscription): Promise<Resynced> => until(subscription, 'resync');

describe('a book whose connection was lost', () => {
  it('says where it stands, and is stale until all that it missed has come', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { book, told } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      expect(asked.resume).toEqual({ epoch: '1', seq: '41', by: 'net' });
      const back = resumed(book);
      next.grant(asked, { seq: '44', resume: { by: 'range', from: '41', to: '44' } });
      next.bytes(
        message(delta(41, 42, { bids: [[98, 1]] }), delta(42, 44, { bids: [[100, 0]] }), delta(44, 45)),
      );
      expect(await back).toEqual({
        cause: 'reconnect',
        by: 'range',
        from: { epoch: 1n, seq: 41 },
        to: { epoch: 1n, seq: 44 },
      });
      expect(told.slice(0, 5)).toEqual([
        'stale disconnected',
        '42 stale',
        '44 synced',
        'synced none',
        'reconnect by range 41-44',
      ]);
      expect([book.book.bestBid?.price, feed.counters.gaps, feed.counters.resyncs]).toEqual([99, 0, 0]);
    }));

  it('is brought by the net change, and told so', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      const back = resumed(book);
      next.grant(asked, { seq: '99', resume: { by: 'net', from: '41', to: '99' } });
      next.bytes(delta(41, 99, { flags: Flag.conflated, asks: [[101, 9]] }));
      expect(await back).toMatchObject({ by: 'net', from: { seq: 41 }, to: { seq: 99 } });
      expect([book.state, book.book.bestAsk?.qty]).toEqual(['synced', 9]);
    }));

  it('is synced at once where it has missed nothing', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      const back = resumed(book);
      next.grant(asked, { seq: '41', resume: { by: 'nothing', from: '41', to: '41' } });
      expect(await back).toMatchObject({ by: 'nothing', to: { seq: 41 } });
      expect(book.state).toBe('synced');
    }));

  it('is told of a doubt that began while it was away and missed nothing', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      const told = until<LocalBook>(book, 'update', ({ isBeyondKnown }) => isBeyondKnown);
      next.grant(asked, { seq: '41', resume: { by: 'nothing', from: '41', to: '41' } });
      const check = { kind: Kind.check, epoch: 1n, seq: 41, instrument: 7, check: checkOf(BIDS, ASKS) };
      next.bytes(frame({ ...check, flags: Flag.beyondKnown }));
      expect(await told).toMatchObject({ state: 'synced', seq: 41, isCrossed: false });
    }));

  it.each([
    ['nothing', '41', []],
    ['range', '42', [delta(41, 42)]],
  ])('stays stale after %s where the server’s own book is stale', (by, to, frames) =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      const told = until<{ readonly reason: string }>(book, 'state');
      next.grant(asked, { state: 'stale', reason: 'gap', seq: to, resume: { by, from: '41', to } });
      for (const bytes of frames) next.bytes(bytes);
      expect(await told).toEqual({ state: 'stale', reason: 'gap' });
      const back = resumed(book);
      next.bytes(image(1, { epoch: 2n }));
      expect(await back).toMatchObject({ by: 'image', to: { epoch: 2n, seq: 1 } });
    }),
  );

  it.each([
    ['because the server says so', { resume: { by: 'image', from: '41', to: '9' } }, 1n],
    ['in a new epoch, whatever is said', { epoch: '2', resume: { by: 'range', from: '41', to: '9' } }, 2n],
    ['of a server that knows nothing of it', {}, 1n],
    ['by a word of the future', { resume: { by: 'magic', from: '41', to: '9' } }, 1n],
  ])('takes an image %s', (_name, fields, epoch) =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      const back = resumed(book);
      next.grant(asked, { seq: '9', ...fields });
      next.bytes(image(9, { epoch }));
      expect(await back).toMatchObject({ by: 'image', from: { epoch: 1n, seq: 41 }, to: { epoch, seq: 9 } });
      expect(book.state).toBe('synced');
    }),
  );

  it('asks for an image when what comes does not follow', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      next.grant(asked, { seq: '44', resume: { by: 'range', from: '41', to: '44' } });
      const gap = until(book, 'gap');
      next.bytes(delta(42, 44));
      await gap;
      await next.next('resync');
      expect([book.state, book.reason]).toEqual(['stale', 'sequence_gap']);
      const back = resumed(book);
      next.bytes(image(44));
      expect(await back).toMatchObject({ cause: 'reconnect', by: 'image', from: { seq: 41 } });
    }, NO_REPEAT));

  it('lost again before it was brought goes on where it is', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const { next, asked } = await comeBack(server, peer);
      const first = until(book, 'update');
      next.grant(asked, { seq: '44', resume: { by: 'range', from: '41', to: '44' } });
      next.bytes(delta(41, 42));
      await first;
      expect([book.state, book.book.seq]).toEqual(['stale', 42]);
      const again = await comeBack(server, next);
      expect(again.asked.resume).toMatchObject({ seq: '42' });
      const back = resumed(book);
      again.next.grant(again.asked, { seq: '44', resume: { by: 'range', from: '42', to: '44' } });
      again.next.bytes(message(delta(42, 43), delta(43, 44)));
      expect(await back).toMatchObject({ from: { seq: 41 }, to: { seq: 44 }, by: 'range' });
    }));

  it('of a view that has another number now starts anew, whatever the server sends', () =>
    withFeed(async ({ server, feed, peer }) => {
      const view = feed.depth(NAME);
      const ready = until(view, 'state');
      peer.grant(await peer.next('subscribe'), { stream: 16 });
      peer.bytes(image(41, { stream: 16 }));
      await ready;
      const { next, asked } = await comeBack(server, peer);
      next.grant(asked, { stream: 17, seq: '50', resume: { by: 'net', from: '41', to: '50' } });
      next.bytes(delta(41, 50, { stream: 17 }));
      await next.next('resync');
      expect([view.state, view.book.seq]).toEqual(['stale', 41]);
      const back = resumed(view);
      next.bytes(image(50, { stream: 17 }));
      expect(await back).toMatchObject({ by: 'image', from: { seq: 41 }, to: { seq: 50 } });
    }, NO_REPEAT));

  it('does not resume what is not exact', () =>
    withFeed(async ({ server, feed, peer }) => {
      const { book } = await bookAt(feed, peer, 41);
      const failed = until(book, 'gap');
      peer.bytes(frame({ kind: Kind.check, epoch: 1n, seq: 41, instrument: 7, check: checkOf([], []) }));
      await failed;
      const { asked } = await comeBack(server, peer);
      expect(asked).not.toHaveProperty('resume');
    }, NO_REPEAT));

  it('is brought by every frame where that is asked for', () =>
    withFeed(async ({ server, feed, peer }) => {
      const wanted = [
        feed.book(NAME, { by: 'range' }),
        feed.bbo(NAME, { mode: 'strict' }),
        feed.depth(NAME, { by: 'net' }),
      ];
      for (const stream of [1, 2, 16]) peer.grant(await peer.next('subscribe'), { stream });
      const ready = until<LocalBook>(wanted[2] as BookSubscription, 'update');
      peer.bytes(message(image(1), image(1, { stream: 2 }), image(1, { stream: 16 })));
      await ready;
      const { next, asked } = await comeBack(server, peer);
      const all = [asked, await next.next('subscribe'), await next.next('subscribe')];
      expect(all.map(({ resume }) => (resume as { by: string }).by)).toEqual(['range', 'range', 'net']);
    }));
});

describe('trades after a lost connection', () => {
  const trade = (prevSeq: number, seq: number): Uint8Array =>
    frame({
      kind: Kind.trade,
      stream: 3,
      epoch: 1n,
      prevSeq,
      seq,
      instrument: 7,
      trades: [{ price: seq, qty: 1, id: seq, tsEvent: 0, aggressor: 1 }],
    });
  const place = (seq: number): Uint8Array =>
    frame({ kind: Kind.image, stream: 3, epoch: 1n, seq, instrument: 7 });

  it.each<[string, object, Uint8Array[], unknown[]]>([
    [
      'have all that was missed',
      { by: 'range', from: '2', to: '4' },
      [trade(2, 3), trade(3, 4)],
      [3, 'disconnected', 4, 'none'],
    ],
    ['go on where nothing was missed', { by: 'nothing', from: '2', to: '2' }, [trade(2, 3)], [3, 'none']],
    [
      'tell the gap where an image is all there is',
      { by: 'image', from: '2', to: '9' },
      [place(9), trade(9, 10)],
      ['sequence', 'none', 10, 'none'],
    ],
  ])('%s', (_name, resume, frames, expected) =>
    withFeed(async ({ server, feed, peer }) => {
      const trades = feed.subscribe(channel.trades, NAME);
      const synced = until(trades, 'update');
      peer.grant(await peer.next('subscribe'), { stream: 3 });
      peer.bytes(message(place(1), trade(1, 2)));
      await synced;
      const seen: unknown[] = [];
      const note = (event: TradeEvent): void => {
        seen.push(event.tag === 'trade' ? Number(event.id) : event.reason, trades.reason);
      };
      trades.on('update', note);
      trades.on('gap', note);
      const { next, asked } = await comeBack(server, peer);
      expect(asked.resume).toEqual({ epoch: '1', seq: '2', by: 'range' });
      const back = until<Resynced>(trades, 'resync');
      const marker = until(feed, 'error', ({ code }: { code: string }) => code === 'feed.marker');
      next.grant(asked, { stream: 3, seq: '4', resume });
      next.bytes(message(...frames));
      next.control({ op: 'error', code: 'feed.marker' });
      await marker;
      expect(await back).toMatchObject({ cause: 'reconnect', from: { seq: 2 } });
      expect(seen).toEqual(expected);
      expect([trades.state, trades.reason]).toEqual(['synced', 'none']);
    }),
  );
});

describe('trades of a connection that the server has lost', () => {
  const tape = (prevSeq: number, seq: number, isLost = false): Uint8Array =>
    frame({
      kind: Kind.trade,
      stream: 3,
      epoch: 1n,
      prevSeq,
      seq,
      instrument: 7,
      flags: isLost ? Flag.stale : 0,
      trades: isLost ? [] : [{ price: seq, qty: 1, id: seq, tsEvent: 0, aggressor: 1 }],
    });
  const place = (seq: number, flags = 0): Uint8Array =>
    frame({ kind: Kind.image, stream: 3, epoch: 1n, seq, instrument: 7, flags });

  it('are stale at once and go on with the next one, behind a gap only where some may be missing', () =>
    withFeed(async ({ feed, peer }) => {
      const trades = feed.subscribe(channel.trades, NAME);
      const seen: unknown[] = [];
      trades.on('state', ({ state, reason }) => seen.push(state, reason));
      trades.on('update', ({ seq }) => seen.push(seq));
      trades.on('gap', ({ reason }) => seen.push(reason));
      const last = until(trades, 'update', ({ seq }: { seq: number }) => seq === 7);
      peer.grant(await peer.next('subscribe'), { stream: 3 });
      for (const bytes of [place(1), tape(1, 2), tape(2, 3, true), tape(3, 4), tape(5, 6, true), tape(6, 7)])
        peer.bytes(bytes);
      await last;
      const lost = ['stale', 'source_failed'];
      expect(seen.slice(seen.indexOf('synced'))).toEqual([
        ...['synced', 'none', 2],
        ...[...lost, 4, 'synced', 'none'],
        ...['sequence', ...lost, 7, 'synced', 'none'],
      ]);
    }));

  it('stay stale for who joins, and for who comes back', () =>
    withFeed(async ({ server, feed, peer }) => {
      const trades = feed.subscribe(channel.trades, NAME);
      const joined = until(trades, 'state', ({ reason }: { reason: string }) => reason === 'source_failed');
      peer.grant(await peer.next('subscribe'), { stream: 3 });
      peer.bytes(place(3, Flag.stale));
      await joined;
      const { next, asked } = await comeBack(server, peer);
      const back = until(trades, 'state', ({ reason }: { reason: string }) => reason === 'source_failed');
      next.grant(asked, { stream: 3, seq: '3', resume: { by: 'nothing', from: '3', to: '3' } });
      await back;
      expect(trades.state).toBe('stale');
    }));
});

describe('a slow reader', () => {
  it('is stale while it is held back, and is told from where to where it did not see each change', () =>
    withFeed(async ({ feed, peer }) => {
      const { book, told } = await bookAt(feed, peer, 41);
      const notices: SlowNotice[] = [];
      book.on('slow', (notice) => notices.push(notice));
      const name = { channel: 'book', instrument: NAME, stream: 1 };
      const back = resumed(book);
      peer.control({ op: 'slow', state: 'behind', streams: [{ ...name, epoch: '1', seq: '41' }] });
      peer.control({ op: 'slow', state: 'rejoined', ...name, from: '41', to: '90', by: 'net' });
      peer.bytes(delta(41, 90, { flags: Flag.conflated }));
      expect(await back).toMatchObject({ cause: 'slow', by: 'net', from: { seq: 41 }, to: { seq: 90 } });
      expect(notices).toEqual([
        { state: 'behind', from: { epoch: 1n, seq: 41 } },
        { state: 'rejoined', by: 'net', from: 41, to: 90 },
      ]);
      expect(told).toEqual([
        'behind',
        'stale behind',
        'rejoined',
        '90 synced',
        'synced none',
        'slow by net 41-90',
      ]);
      expect(feed.counters.fellBehind).toBe(1);
    }));

  it('that has missed nothing is synced again, and one of another stream is not touched', () =>
    withFeed(async ({ feed, peer }) => {
      const { book, told } = await bookAt(feed, peer, 41);
      const other = { channel: 'bbo', source: 'book', instrument: NAME, stream: 2 };
      peer.control({ op: 'slow', state: 'behind', streams: [{ ...other, epoch: '1', seq: '1' }] });
      peer.control({ op: 'slow', state: 'behind', channel: 'book', instrument: NAME, epoch: '1', seq: '41' });
      const back = resumed(book);
      peer.control({
        op: 'slow',
        state: 'rejoined',
        channel: 'book',
        instrument: NAME,
        from: '41',
        to: '41',
        by: 'nothing',
      });
      expect(await back).toMatchObject({ cause: 'slow', by: 'nothing' });
      expect(told).toEqual(['behind', 'stale behind', 'rejoined', 'synced none', 'slow by nothing 41-41']);
    }));
});

describe('lists', () => {
  it('ask the same of several instruments in one message, as far as the server takes it', () =>
    withFeed(
      async ({ server, feed, peer }) => {
        const names = Array.from({ length: 60 }, (_, at) => `deribit:BTC-27DEC26-${at}000-C`);
        await opened(feed);
        const books = names.map((name) => feed.book(name));
        const bbo = feed.bbo(names[0] as string);
        const asked: Control[] = [];
        while (asked.flatMap(({ instruments = [] }) => instruments).length < 60)
          asked.push(await peer.next('subscribe'));
        expect(asked.length).toBeLessThan(10);
        expect(asked.flatMap(({ instruments = [] }) => instruments)).toEqual(names);
        expect(Math.max(...asked.map((control) => JSON.stringify(control).length))).toBeLessThanOrEqual(500);
        expect(await peer.next('subscribe')).toMatchObject({ channel: 'bbo', instrument: names[0] });
        for (const control of asked) {
          peer.control({ op: 'matched', id: control.id, instruments: control.instruments?.length });
          for (const instrument of control.instruments ?? []) {
            peer.grant({ ...control, instrument }, { instrumentId: names.indexOf(instrument) + 1 });
          }
        }
        const last = until(books[59] as BookSubscription, 'state');
        peer.bytes(message(...names.map((_, at) => image(at + 1, { instrument: at + 1 }))));
        await last;
        expect(books.every(({ state, book }, at) => state === 'synced' && book.seq === at + 1)).toBe(true);
        // Come back: where each stands goes with its name.
        peer.cut();
        const next = await server.peer();
        const again: Control[] = [];
        while (again.flatMap(({ instruments = [] }) => instruments).length < 60)
          again.push(await next.next('subscribe'));
        const places = again.flatMap(({ resume }) => resume as object[]);
        expect(places).toEqual(
          names.map((instrument, at) => ({ instrument, epoch: '1', seq: String(at + 1), by: 'net' })),
        );
        expect(Math.max(...again.map((control) => JSON.stringify(control).length))).toBeLessThanOrEqual(500);
        // All that end in one turn are told of at once.
        for (const book of books.slice(0, 5)) book.close();
        bbo.close();
        expect(await next.next('unsubscribe')).toMatchObject({
          channel: 'book',
          instruments: names.slice(0, 5),
        });
        expect(await next.next('unsubscribe')).toMatchObject({ channel: 'bbo', instrument: names[0] });
      },
      {},
      { ...LISTS, limits: { controlBytesMax: 500 } },
    ));

  it('of which some are refused cost the others nothing, whether the server says which or not', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        const books = ['a', 'b', 'c', 'd'].map((name) => feed.book(name));
        const list = await peer.next('subscribe');
        const last = until(books[3] as BookSubscription, 'error');
        const synced = until(books[2] as BookSubscription, 'state');
        peer.control({ op: 'matched', id: list.id, instruments: 2 });
        peer.control({ op: 'error', id: list.id, code: 'feed.not_entitled' });
        peer.control({ op: 'error', id: list.id, code: 'feed.unknown_instrument' });
        peer.control({ op: 'error', id: list.id, instrument: 'b', code: 'feed.views_full' });
        peer.grant({ ...list, instrument: 'c' });
        peer.bytes(image(1));
        await Promise.all([last, synced]);
        expect(books.map(({ error, state }) => error?.code ?? state)).toEqual([
          'feed.not_entitled',
          'feed.views_full',
          'synced',
          'feed.unknown_instrument',
        ]);
        expect([peer.count('subscribe'), peer.count('unsubscribe')]).toEqual([0, 0]);
      },
      {},
      LISTS,
    ));

  it('of which one is over before its answer do not take that for their own', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        const [a, b, c] = ['a', 'b', 'c'].map((name) => feed.book(name)) as [
          BookSubscription,
          BookSubscription,
          BookSubscription,
        ];
        const list = await peer.next('subscribe');
        b.close();
        c.close();
        await peer.next('unsubscribe');
        peer.control({ op: 'matched', id: list.id, instruments: 2 });
        peer.control({ op: 'error', id: list.id, instrument: 'c', code: 'feed.unknown_instrument' });
        peer.grant({ ...list, instrument: 'b' }, { instrumentId: 8 });
        peer.grant({ ...list, instrument: 'a' }, { instrumentId: 7 });
        const synced = until(a, 'state');
        peer.bytes(message(image(3, { instrument: 8 }), image(5, { instrument: 7 })));
        await synced;
        expect([a.error, a.granted?.instrument, a.book.seq]).toEqual([undefined, 'a', 5]);
        const updated = until(a, 'update');
        peer.bytes(message(delta(5, 6, { instrument: 8 }), delta(5, 7, { instrument: 7 })));
        await updated;
        expect([a.state, a.book.seq]).toEqual(['synced', 7]);
      },
      {},
      LISTS,
    ));

  it('that are refused as a whole fail as a whole', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        const books = ['a', 'b'].map((name) => feed.book(name));
        const last = until(books[1] as BookSubscription, 'error');
        peer.control({ op: 'error', id: (await peer.next('subscribe')).id, code: 'feed.subscriptions_full' });
        await last;
        expect(books.map(({ error }) => error?.code)).toEqual([
          'feed.subscriptions_full',
          'feed.subscriptions_full',
        ]);
      },
      {},
      LISTS,
    ));

  it('ask for the images of several books', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        const [a, b] = ['a', 'b'].map((name) => feed.book(name)) as [BookSubscription, BookSubscription];
        const list = await peer.next('subscribe');
        for (const [at, instrument] of ['a', 'b'].entries())
          peer.grant({ ...list, instrument }, { instrumentId: at });
        const reported = until<{ readonly code: string }>(b, 'error');
        peer.bytes(
          message(...[0, 1].flatMap((instrument) => [image(1, { instrument }), delta(5, 6, { instrument })])),
        );
        const resync = await peer.next('resync');
        expect(resync).toEqual({ op: 'resync', id: resync.id, channel: 'book', instruments: ['a', 'b'] });
        peer.control({ op: 'error', id: resync.id, code: 'feed.rate' });
        expect((await reported).code).toBe('feed.rate');
        expect([a.closed, b.closed, feed.counters.resyncs]).toEqual([false, false, 2]);
      },
      NO_REPEAT,
      LISTS,
    ));

  it('are not sent to a server that does not name its heartbeats', () =>
    withFeed(async ({ feed, peer }) => {
      feed.book('a');
      feed.book('b');
      expect([await peer.next('subscribe'), await peer.next('subscribe')]).toMatchObject([
        { instrument: 'a' },
        { instrument: 'b' },
      ]);
    }));

  it('hold nothing of what was closed in the same turn', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        feed.book('a').close();
        const b = feed.book('b');
        expect(await peer.next('subscribe')).toMatchObject({ instrument: 'b' });
        b.close();
        feed.book('b');
        expect(await peer.next('unsubscribe')).toMatchObject({ instrument: 'b' });
        expect(await peer.next('subscribe')).toMatchObject({ instrument: 'b' });
        expect([peer.count('subscribe'), peer.count('unsubscribe')]).toEqual([0, 0]);
      },
      {},
      LISTS,
    ));
});
