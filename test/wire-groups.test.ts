import { describe, expect, it } from 'vitest';
import {
  type BookSubscription,
  channel,
  connect,
  type Feed,
  type FeedError,
  Kind,
  type Removed,
  type SubscriptionGroup,
  type TradesSubscription,
} from '../src/wire/index.js';
import { type Control, opened, type Peer, until, withFeed } from './support/feed-server.js';
import { checkOf, frame, message } from './support/frames.js';

const PATTERN = 'deribit:BTC-*';
const LISTS = { heartbeatMs: 5000 };

const image = (instrument: number, seq = 1, epoch = 1n): Uint8Array =>
  frame({
    kind: Kind.image,
    epoch,
    seq,
    instrument,
    info: {},
    check: checkOf([[100, 5]], []),
    bids: [[100, 5]],
  });

/** Answers the subscribe of a pattern by two instruments, 1 and 2. */
function match(
  peer: Peer,
  asked: Control,
  names: readonly string[] = ['deribit:BTC-1', 'deribit:BTC-2'],
): void {
  peer.control({ op: 'matched', id: asked.id, instruments: names.length });
  for (const [at, instrument] of names.entries()) {
    peer.grant({ ...asked, instrument }, { instrumentId: at + 1 });
  }
}

const book = (group: SubscriptionGroup<BookSubscription>, name: string): BookSubscription =>
  group.subscriptions.get(`deribit:BTC-${name}`) as BookSubscription;

/** A group of two books, both synced, and the message that asked for them. */
async function twoBooksAsked(
  feed: Feed,
  peer: Peer,
): Promise<{ group: SubscriptionGroup<BookSubscription>; asked: Control }> {
  const group = feed.books(PATTERN);
  const second = until<BookSubscription>(group, 'added', ({ topic }) => topic.instrument.endsWith('2'));
  const asked = await peer.next('subscribe');
  match(peer, asked);
  const synced = until(await second, 'state');
  peer.bytes(message(image(1), image(2)));
  await synced;
  return { group, asked };
}

const twoBooks = async (feed: Feed, peer: Peer): Promise<SubscriptionGroup<BookSubscription>> =>
  (await twoBooksAsked(feed, peer)).group;

describe('a group', () => {
  it('has a subscription for each instrument that fits, in a loop and by callbacks', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const group = feed.books(PATTERN, { by: 'range', mode: 'strict' });
      const found = until<number>(group, 'matched');
      const loop = group[Symbol.asyncIterator]();
      const asked = await peer.next('subscribe');
      expect(asked).toEqual({
        op: 'subscribe',
        id: asked.id,
        channel: 'book',
        mode: 'strict',
        instrument: PATTERN,
      });
      match(peer, asked);
      const names = [(await loop.next()).value, (await loop.next()).value].map(
        ({ topic }) => topic.instrument,
      );
      expect([await found, names]).toEqual([2, ['deribit:BTC-1', 'deribit:BTC-2']]);
      const synced = until(book(group, '2'), 'state');
      peer.bytes(message(image(1), image(2, 9)));
      await synced;
      expect([book(group, '1').book.seq, book(group, '2').book.seq]).toEqual([1, 9]);
      // A loop that starts later begins with those that there are.
      expect((await group[Symbol.asyncIterator]().next()).value.topic.instrument).toBe('deribit:BTC-1');
    }));

  it('gets instruments that come, and loses those that go', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const { group, asked } = await twoBooksAsked(feed, peer);
      const gone = book(group, '1');
      const removed = until<Removed<BookSubscription>>(group, 'removed');
      const loop = gone[Symbol.asyncIterator]();
      peer.control({ op: 'removed', channel: 'book', instrument: 'deribit:BTC-1', reason: 'expired' });
      expect(await removed).toEqual({ subscription: gone, instrument: 'deribit:BTC-1', reason: 'expired' });
      await loop.next();
      expect([await loop.next(), gone.closed, gone.error]).toEqual([
        { done: true, value: undefined },
        true,
        undefined,
      ]);
      const added = until<BookSubscription>(group, 'added');
      peer.grant({ ...asked, instrument: 'deribit:BTC-3' }, { instrumentId: 3, added: true });
      expect((await added).granted?.isAdded).toBe(true);
      expect([...group.subscriptions.keys()]).toEqual(['deribit:BTC-2', 'deribit:BTC-3']);
      // The server knows that it has gone.
      expect(peer.count('unsubscribe')).toBe(0);
    }));

  it('goes on after a lost connection where each book stands', () =>
    withFeed(
      async ({ server, feed, peer }) => {
        await opened(feed);
        const group = await twoBooks(feed, peer);
        const [one, two] = [book(group, '1'), book(group, '2')];
        peer.cut();
        const next = await server.peer();
        const known = await next.next('subscribe');
        expect(known).toMatchObject({
          instruments: ['deribit:BTC-1', 'deribit:BTC-2'],
          resume: [
            { instrument: 'deribit:BTC-1', epoch: '1', seq: '1', by: 'net' },
            { instrument: 'deribit:BTC-2', epoch: '1', seq: '1', by: 'net' },
          ],
        });
        const pattern = await next.next('subscribe');
        expect(pattern).toMatchObject({ instrument: PATTERN });
        const back = until(one, 'resync');
        const removed = until<Removed<BookSubscription>>(group, 'removed');
        const resume = { by: 'nothing', from: '1', to: '1' };
        next.grant({ ...known, instrument: 'deribit:BTC-1' }, { instrumentId: 1, resume });
        // The other one has gone meanwhile, and a new one has come.
        next.control({
          op: 'error',
          id: known.id,
          instrument: 'deribit:BTC-2',
          code: 'feed.unknown_instrument',
        });
        const added = until<BookSubscription>(group, 'added');
        match(next, pattern, ['deribit:BTC-1', 'deribit:BTC-4']);
        expect(await back).toMatchObject({ by: 'nothing' });
        expect(await removed).toMatchObject({ subscription: two, reason: 'feed.unknown_instrument' });
        expect((await added).topic.instrument).toBe('deribit:BTC-4');
        expect([two.closed, two.error, [...group.subscriptions.values()][0]]).toEqual([true, undefined, one]);
      },
      {},
      LISTS,
    ));

  it('ends with its subscriptions, and the server is told once', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        const abort = new AbortController();
        const group = feed.subscribeAll(channel.trades, ['a*', 'b'], { signal: abort.signal });
        const asked = await peer.next('subscribe');
        expect(asked).toMatchObject({ channel: 'trades', instruments: ['a*', 'b'] });
        const second = until<TradesSubscription>(group, 'added', ({ topic }) => topic.instrument === 'b');
        match(peer, asked, ['a1', 'b']);
        await second;
        const loop = group[Symbol.asyncIterator]();
        const members = [...group.subscriptions.values()];
        abort.abort();
        expect(await peer.next('unsubscribe')).toMatchObject({ channel: 'trades', instruments: ['a*', 'b'] });
        expect(await loop.next()).toEqual({ done: true, value: undefined });
        expect([group.closed, members.map(({ closed }) => closed)]).toEqual([true, [true, true]]);
        // What the server may have ended with the pattern is no error of anybody.
        let errors = 0;
        feed.on('error', () => {
          errors += 1;
        });
        peer.control({ op: 'error', id: 999, code: 'feed.not_subscribed' });
        const marker = until(feed, 'error');
        peer.control({ op: 'error', code: 'feed.marker' });
        await marker;
        expect([errors, peer.count('unsubscribe')]).toEqual([1, 0]);
      },
      {},
      LISTS,
    ));

  it('that is refused fails, with the server’s error', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const group = feed.books(PATTERN);
      const loop = group[Symbol.asyncIterator]().next();
      const failed = until<FeedError>(group, 'error');
      peer.control({ op: 'error', id: (await peer.next('subscribe')).id, code: 'feed.patterns_full' });
      expect((await failed).code).toBe('feed.patterns_full');
      await expect(loop).rejects.toMatchObject({ code: 'feed.patterns_full' });
      expect([group.closed, group.error?.code]).toEqual([true, 'feed.patterns_full']);
    }));

  it('gives back what is granted to it after a refusal has ended it', () =>
    withFeed(
      async ({ feed, peer }) => {
        await opened(feed);
        const own = feed.book('own');
        peer.grant(await peer.next('subscribe'), { instrumentId: 1 });
        // More names than a message holds.
        const names = Array.from({ length: 300 }, (_, at) => `sim:${`${at}`.padStart(20, '0')}`);
        const group = feed.books(['own', ...names]);
        const [first, second] = [await peer.next('subscribe'), await peer.next('subscribe')];
        peer.control({ op: 'error', id: first.id, code: 'feed.subscriptions_full' });
        const [name] = second.instruments as readonly [string];
        match(peer, second, ['own', name]);
        expect(await peer.next('unsubscribe')).toMatchObject({ channel: 'book', instrument: name });
        expect([group.error?.code, group.subscriptions.size]).toEqual(['feed.subscriptions_full', 0]);
        expect([own.closed, peer.count('unsubscribe')]).toEqual([false, 0]);
      },
      {},
      LISTS,
    ));

  it('reports a refusal of one instrument and goes on', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const group = feed.books(PATTERN);
      const asked = await peer.next('subscribe');
      const told = until<FeedError>(group, 'error');
      match(peer, asked);
      peer.control({ op: 'error', id: asked.id, code: 'feed.subscriptions_full' });
      expect((await told).code).toBe('feed.subscriptions_full');
      expect([group.closed, group.subscriptions.size]).toEqual([false, 2]);
    }));

  it('takes as many as a feed holds, and gives back the rest', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const group = feed.subscribeAll(channel.trading, '*');
      const full = until<FeedError>(group, 'error');
      match(
        peer,
        await peer.next('subscribe'),
        Array.from({ length: 16_385 }, (_, at) => `a${at}`),
      );
      expect((await full).code).toBe('client.subscriptions_limit');
      expect(await peer.next('unsubscribe')).toMatchObject({ channel: 'trading', instrument: 'a16384' });
      expect([group.subscriptions.size, group.closed]).toEqual([16_384, false]);
    }));

  it('shares a subscription that there is, and leaves it to who made it', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const own = feed.book('deribit:BTC-1');
      peer.grant(await peer.next('subscribe'), { instrumentId: 1 });
      const group = feed.books(PATTERN);
      const added = until<BookSubscription>(group, 'added');
      match(peer, await peer.next('subscribe'), ['deribit:BTC-1']);
      expect(await added).toBe(own);
      group.close();
      expect([own.closed, group.subscriptions.size]).toEqual([false, 0]);
      // The server takes away all that the pattern means: what is left of it is asked for anew.
      expect(await peer.next('unsubscribe')).toMatchObject({ instrument: PATTERN });
      expect(await peer.next('subscribe')).toMatchObject({ instrument: 'deribit:BTC-1' });
      expect(feed.book('deribit:BTC-1')).toBe(own);
    }));

  it('leaves a subscription to who asked for it, too, and ends when its loop is left', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const group = await twoBooks(feed, peer);
      const shared = feed.book('deribit:BTC-1');
      const other = group.subscriptions.get('deribit:BTC-2');
      expect(shared).toBe(group.subscriptions.get('deribit:BTC-1'));
      // A loop over a book of a group is no end of it.
      const loop = other?.[Symbol.asyncIterator]();
      await loop?.return?.();
      expect(other?.closed).toBe(false);
      for await (const _ of group) break;
      expect([group.closed, shared.closed, other?.closed]).toEqual([true, false, true]);
      shared.close();
      expect(shared.closed).toBe(true);
    }));

  it('takes over what another one has made', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const narrow = await twoBooks(feed, peer);
      const wide = feed.books('deribit:*');
      const second = until<BookSubscription>(wide, 'added', ({ topic }) => topic.instrument.endsWith('2'));
      match(peer, await peer.next('subscribe'));
      const kept = await second;
      narrow.close();
      expect([kept.closed, wide.subscriptions.size]).toEqual([false, 2]);
      expect(await peer.next('unsubscribe')).toMatchObject({ instrument: PATTERN });
      const again = [await peer.next('subscribe'), await peer.next('subscribe')];
      expect(again.map(({ instrument }) => instrument)).toEqual(['deribit:BTC-1', 'deribit:BTC-2']);
      expect(again[1]?.resume).toEqual({ epoch: '1', seq: '1', by: 'net' });
      wide.close();
      expect(kept.closed).toBe(true);
    }));

  it('forgets a subscription that is closed by itself', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const group = await twoBooks(feed, peer);
      const removed = until<Removed<BookSubscription>>(group, 'removed');
      book(group, '1').close();
      expect(await removed).toMatchObject({ instrument: 'deribit:BTC-1', reason: 'closed' });
      expect(await peer.next('unsubscribe')).toMatchObject({ instrument: 'deribit:BTC-1' });
      expect(group.closed).toBe(false);
    }));

  it('ends with its feed, and by the feed’s error', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const group = await twoBooks(feed, peer);
      const loop = group[Symbol.asyncIterator]();
      await loop.next();
      await loop.next();
      const waiting = expect(loop.next()).rejects.toMatchObject({ code: 'feed.not_entitled' });
      peer.close(4403);
      await waiting;
      expect([group.error, feed.state]).toEqual([feed.error, 'closed']);
      const late = feed.books(PATTERN);
      expect(late.closed).toBe(true);
      const ended = connect('ws://127.0.0.1:9/');
      const open = ended.books(PATTERN);
      await ended.close();
      expect([open.closed, open.error]).toEqual([true, undefined]);
    }));
});

describe('a pattern', () => {
  it('is no name of an instrument', () =>
    withFeed(async ({ feed }) => {
      expect(() => feed.book(PATTERN)).toThrow('client.pattern');
      expect(() => feed.subscribe(channel.trades, 'a?')).toThrow('client.pattern');
    }));
});

describe('a name where a channel belongs', () => {
  it('is an error that says what to pass', () =>
    withFeed(async ({ feed }) => {
      const wrong = 'trades' as never;
      for (const use of [() => feed.subscribe(wrong, 'a'), () => feed.subscribeAll(wrong, 'a*')]) {
        expect(use).toThrow(/client.bad_channel.*got trades.*import \{ channel \}/);
      }
    }));
});

describe('an instrument that the server has no longer', () => {
  it('ends a subscription by its name with an error', () =>
    withFeed(async ({ feed, peer }) => {
      await opened(feed);
      const subscription = feed.book('kraken:A/B');
      peer.grant(await peer.next('subscribe'));
      const failed = until<FeedError>(subscription, 'error');
      peer.control({
        op: 'removed',
        channel: 'book',
        instrument: 'kraken:A/B',
        stream: 1,
        reason: 'delisted',
      });
      expect(await failed).toMatchObject({ code: 'feed.instrument_removed', got: 'delisted' });
      expect(peer.count('unsubscribe')).toBe(0);
    }));
});
