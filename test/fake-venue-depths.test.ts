import { afterEach, expect, it } from 'vitest';
import { openEngine } from '../src/engine.js';
import type { FakeVenue } from '../src/fake-venue/fake-venue.js';
import { fakeUrl, fakeVenue, PlainClient, until } from './support/fake-venue.js';

const KRAKEN = 'wss://ws.kraken.com/v2';
const DEPTHS = [10, 25, 100, 500, 1000];

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function kraken(pair: string): Promise<FakeVenue> {
  const venue = await fakeVenue({ kraken: [pair] });
  closing.push(() => venue.stop());
  return venue;
}

async function client(venue: FakeVenue): Promise<PlainClient> {
  const client = await new PlainClient(fakeUrl(venue, KRAKEN)).open();
  closing.push(() => client.close());
  return client;
}

function book(method: string, pair: string, depth?: number): string {
  return JSON.stringify({ method, params: { channel: 'book', symbol: [pair], depth } });
}

/** Levels a side of the snapshots that a client has heard. */
function snapshots({ heard }: PlainClient): readonly (readonly number[])[] {
  return heard
    .filter((text) => text.includes('"type":"snapshot"') && text.includes('"channel":"book"'))
    .map((text) => {
      const [{ bids, asks }] = (JSON.parse(text) as { data: [{ bids: unknown[]; asks: unknown[] }] }).data;
      return [bids.length, asks.length];
    });
}

it.each([
  ['BTC/USD', [-1, -8]],
  ['PEPE/USD', [-9, -5]],
  ['QAAA/EUR', [-1, -8]],
])(
  '%s is one market at every depth, and each book is cut to its own with checksums that are right',
  async (pair, scale) => {
    const venue = await kraken(pair);
    const engines = [];
    for (const depth of DEPTHS) {
      const of = await client(venue);
      const engine = openEngine(
        { startId: 1, silenceMs: 0, replay: false, outputBytes: 16 << 20 },
        { onFrame: () => {}, onAsk: () => {}, onSay: () => {}, onFault: () => {} },
      );
      closing.push(() => engine.close());
      const id = engine.addInstrument(`kraken:${pair}`);
      const source = engine.openSource('kraken', [id]);
      of.socket.on('message', (data: Buffer) => engine.ingest(source, data));
      closing.push(() => void of.socket.removeAllListeners('message'));
      const text = book('subscribe', pair, depth);
      engine.asked(source, Buffer.from(text));
      of.say(text);
      engines.push({ engine, id, depth, of });
    }
    for (const { engine, id } of engines) {
      await until(() => engine.book(id).state === 'synced' && engine.book(id).checksumsChecked > 30);
      const { checksumsChecked, checksumsMatched, losses } = engine.book(id);
      expect([checksumsMatched, losses]).toEqual([checksumsChecked, 0]);
      expect([engine.instrument(id).priceExponent, engine.instrument(id).qtyExponent]).toEqual(scale);
    }
    for (const { of, depth } of engines) {
      const [[bids = 0, asks = 0] = []] = snapshots(of);
      // A side has fewer levels where it has just vanished, and some thousand in all.
      expect(Math.max(bids, asks)).toBeGreaterThan(Math.min(depth, 600) - 1);
      expect(Math.max(bids, asks)).toBeLessThanOrEqual(depth);
    }
    venue.pause();
    // Where a side is not being laid out again, all see the same best levels.
    const tops = venue.hearings(pair).map((hearing) => hearing.levels(5).join());
    expect(new Set(tops).size).toBe(1);
    expect(tops).toHaveLength(DEPTHS.length);
  },
);

it('one connection may have a pair at several depths, and leave one of them', async () => {
  const venue = await kraken('BTC/USD');
  const of = await client(venue);
  for (const depth of DEPTHS) of.say(book('subscribe', 'BTC/USD', depth));
  await until(() => snapshots(of).length === DEPTHS.length);
  const depths = (): readonly number[] => venue.hearings('BTC/USD').map(({ depth }) => depth);
  expect(depths()).toEqual(DEPTHS);
  of.say(book('unsubscribe', 'BTC/USD', 100));
  await until(() => depths().length === 4);
  expect(depths()).toEqual([10, 25, 500, 1000]);
});

it('a subscription without a depth gets what the venue gives', async () => {
  const venue = await kraken('BTC/USD');
  const of = await client(venue);
  of.say(book('subscribe', 'BTC/USD'));
  await until(() => snapshots(of).length === 1);
  expect(venue.hearings('BTC/USD').map(({ depth }) => depth)).toEqual([10]);
});
