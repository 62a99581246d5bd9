import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openEngine } from '../src/engine.js';
import { ownCodes } from '../src/fake-venue/simulated-market.js';
import type { StreamFacts } from '../src/ingest/venues/facts.js';
import { productFacts } from '../src/ingest/venues/index.js';
import { allocateSharedBook, SharedBook } from '../src/shared/index.js';
import { ask, fakeUrl, fakeVenue, PlainClient, until } from './support/fake-venue.js';
import { LiveRig } from './support/live-rig.js';

const DEPTH = 20;
/** Products of which several instruments are heard on one connection. */
const PRODUCTS = [
  'binance',
  'binance-usdm',
  'binance-coinm',
  'kraken',
  'bybit',
  'bybit-linear',
  'bybit-inverse',
  'bybit-option',
  'bitfinex',
  'coinbase',
  'kraken-futures',
  'bitmex',
];

/** The same code with other letters. */
function other(code: string, letters: string): string {
  return code.replace(/BTC|XBT|KNC/, letters);
}

it.each(PRODUCTS)('%s: three instruments of one connection are each the venue’s own', async (name) => {
  const own = ownCodes(name)[0] ?? '';
  const codes = [own, other(own, 'QAA'), other(own, 'QBB')];
  const venue = await fakeVenue({ [name]: codes });
  const bringsBook = ({ channels, needsKey }: StreamFacts): boolean => channels.includes('book') && !needsKey;
  const socket = productFacts(name)?.product.sockets.find(({ streams }) => streams.some(bringsBook));
  const stream = socket?.streams.find(bringsBook);
  if (socket === undefined || stream === undefined) throw new Error(`${name} has no book`);
  const client = await new PlainClient(fakeUrl(venue, socket.url)).open();
  const snapshots = productFacts(name)?.product.snapshot?.url;
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: false, outputBytes: 16 << 20 },
    {
      onFrame: () => {},
      onSay: () => {},
      onAsk: ({ instrument, ticket, cure }) => {
        if (cure !== 'snapshot' || snapshots === undefined) return;
        const { symbol } = engine.instrument(instrument);
        const url = snapshots.replace('{symbol}', symbol).replace('{levels}', '1000');
        // Updates are to come in before the snapshot that they follow.
        void pause(300)
          .then(() => ask(fakeUrl(venue, url)))
          .then(({ body }) => engine.ingestSnapshot(instrument, ticket, body));
      },
      onFault: () => {},
    },
  );
  const ids = codes.map((code) => engine.addInstrument(`${name}:${code}`));
  const source = engine.openSource(name, ids);
  engine.asked(source, Buffer.from(socket.url));
  client.socket.on('message', (data: Buffer) => engine.ingest(source, data));
  const say = (text: string): void => {
    engine.asked(source, Buffer.from(text));
    client.say(text);
  };
  for (const text of socket.opening) say(text);
  const depth = String(stream.depths[0]?.levels ?? '');
  const filled = (text: string, code: string): string =>
    text
      .replaceAll('{depth}', depth)
      .replaceAll('{id}', '1')
      .replace(/\{(symbol|code)\}/g, code)
      .replace(/\{lower\}/g, code.toLowerCase());
  const args = codes.flatMap((code) => stream.args.map((arg) => filled(arg, code)));
  for (let at = 0; at < args.length; at += stream.argsMax)
    say(filled(stream.subscribe, '').replace('{args}', args.slice(at, at + stream.argsMax).join(',')));
  const books = ids.map((id) => {
    const memory = allocateSharedBook(DEPTH);
    engine.shareBook(id, memory);
    return new SharedBook(memory);
  });
  const timer = setInterval(() => engine.tick(), 10);
  try {
    const isTrue = (): boolean =>
      codes.every((code, at) => isSame(books[at], venue.hearings(code)[0]?.levels(DEPTH)));
    await until(() => ids.every((id) => engine.book(id).state === 'synced'));
    for (let moment = 0; moment < 5; moment++) {
      await pause(200);
      await until(() => {
        venue.pause();
        const isSettled = isTrue();
        if (!isSettled) venue.resume();
        return isSettled;
      });
      venue.resume();
    }
    for (const id of ids) {
      const { losses, checksumsChecked, checksumsMatched } = engine.book(id);
      expect([losses, checksumsMatched]).toEqual([0, checksumsChecked]);
    }
    expect(venue.breaches()).toEqual([]);
  } finally {
    clearInterval(timer);
    client.close();
    await venue.stop();
    await pause(50);
    engine.close();
  }
});

/** Whether a record holds these levels, `B 61602.01 0.5`, buyers first. */
function isSame(book: SharedBook | undefined, levels: readonly string[] | undefined): boolean {
  if (book === undefined || levels === undefined || book.readTop() !== 'synced') return false;
  const side = (name: string, count: number, at: number): readonly string[] =>
    Array.from({ length: count }, (_, rank) => {
      const price = (book.levels[4 * rank + at] ?? 0) / 10 ** -book.priceExponent;
      const qty = (book.levels[4 * rank + at + 1] ?? 0) / 10 ** -book.qtyExponent;
      return `${name} ${price} ${qty}`;
    });
  const due = levels.map((level) => {
    const [name, price, qty] = level.split(' ');
    return `${name} ${Number(price)} ${Number(qty)}`;
  });
  return [...side('B', book.bidCount, 0), ...side('A', book.askCount, 2)].join() === due.join();
}

it('products that share an address are each heard on it', async () => {
  const venue = await fakeVenue({ bitget: ['BTCUSDT'], 'bitget-usdt-futures': ['BTCUSDT'] });
  const products = ['bitget', 'bitget-usdt-futures'].map((name) => productFacts(name)?.product);
  const client = await new PlainClient(fakeUrl(venue, products[0]?.sockets[0]?.url ?? '')).open();
  try {
    for (const product of products) {
      const stream = product?.sockets[0]?.streams.find(({ channels }) => channels.includes('book'));
      const arg = stream?.args[0]?.replace(/\{(symbol|code)\}/, 'BTCUSDT') ?? '';
      client.say(stream?.subscribe.replace('{args}', arg) ?? '');
    }
    const tells = (type: string): boolean =>
      client.heard.some(
        (text) => text.includes('"action":"snapshot"') && text.includes(`"instType":"${type}"`),
      );
    await until(() => tells('spot') && tells('usdt-futures'));
    expect(venue.hearings('BTCUSDT')).toHaveLength(2);
    expect(venue.breaches()).toEqual([]);
  } finally {
    client.close();
    await venue.stop();
  }
});

it('levels and orders of one pair of Bitfinex have channels of their own on one connection', async () => {
  const codes = ownCodes('bitfinex');
  const rig = await LiveRig.start('bitfinex', codes, { channels: ['book', 'orders', 'trades'] });
  try {
    await rig.synced();
    await until(() => rig.engine.stats().checksumsChecked > 100 && rig.engine.stats().orders.deletes > 100);
    const { decodeErrors, contradictions, checksumsChecked, checksumsMatched } = rig.engine.stats();
    expect([decodeErrors, contradictions, checksumsMatched]).toEqual([0, 0, checksumsChecked]);
    expect(rig.connector.status().map(({ reconnects }) => reconnects)).toEqual([0]);
    expect(rig.waiting()).toEqual([]);
  } finally {
    await rig.stop();
  }
});
