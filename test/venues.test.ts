import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { venueRows, venuesMarkdown, venuesText } from '../src/cli/venues.js';
import { instrumentName, venues } from '../src/engine.js';
import { CHANNELS } from '../src/ingest/venues/facts.js';
import { VENUE_FACTS } from '../src/ingest/venues/index.js';

const FOLDER = new URL('../src/ingest/venues/', import.meta.url);
/** Facts are a page, or they have become logic. */
const LINES_MAX = 200;

const PARTS: Readonly<Record<string, string>> = {
  symbol: 'BTCUSDT',
  lower: 'btcusdt',
  code: 'XBTUSDT',
  base: 'BTC',
  family: 'BTC-USD',
  levels: '1000',
  depth: '10',
  id: '1',
  seconds: '1764340827',
  millis: '1764340827000',
  expires: '1764340837000',
  token: 'T',
  endpoint: 'wss://endpoint.example/path',
  key: 'K',
  secret: 'S',
  passphrase: 'P',
  signature: 'G',
  jwt: 'J',
};

/** A text with its parts filled in. */
function filled(text: string, args?: string): string {
  return text.replace(/\{([a-z]+)\}/g, (whole, part: string) =>
    part === 'args' ? (args ?? whole) : (PARTS[part] ?? whole),
  );
}

const sockets = VENUE_FACTS.flatMap(({ products }) => products.flatMap((product) => product.sockets));
const streams = sockets.flatMap((socket) => socket.streams.map((stream) => ({ socket, stream })));

it('every product of the core has one entry of facts, and no entry names another', () => {
  const named = VENUE_FACTS.flatMap(({ products }) => products.map(({ name }) => name));
  expect([...named].sort()).toEqual(
    venues()
      .map(({ name }) => name)
      .sort(),
  );
  for (const { sources, heard, products } of VENUE_FACTS) {
    expect(sources.length).toBeGreaterThan(0);
    for (const { name, sockets } of products) expect(heard === 'sockets', name).toBe(sockets.length > 0);
  }
});

it('what a product offers is what its streams bring, with a key where all that bring it need one', () => {
  for (const { name, facts, product } of venueRows()) {
    expect(Object.keys(product.offers).sort(), name).toEqual([...CHANNELS].sort());
    if (facts.heard !== 'sockets') continue;
    for (const channel of CHANNELS) {
      const bring = product.sockets
        .flatMap(({ streams }) => streams)
        .filter(({ channels }) => channels.includes(channel));
      const offer = bring.length === 0 ? 'none' : bring.every(({ needsKey }) => needsKey) ? 'key' : 'built';
      expect(product.offers[channel], `${name} ${channel}`).toBe(offer);
    }
  }
});

it('addresses and messages are whole once their parts are filled in', () => {
  for (const { url, opening, beat, login } of sockets) {
    expect(new URL(filled(url)).protocol).toBe('wss:');
    const message = login?.kind === 'message' ? [login.text] : [];
    const beats = beat.from === 'us' && beat.text !== null ? [beat.text] : [];
    for (const text of [...opening, ...message, ...beats]) expect(filled(text)).not.toMatch(/\{[a-z]+\}/);
  }
  for (const { stream } of streams) {
    const { name, subscribe, unsubscribe, args, argsMax } = stream;
    const both = args.map((arg) => filled(arg)).slice(0, argsMax);
    const said = filled(subscribe, both.join(','));
    expect(said, name).not.toMatch(/\{[a-z]+\}/);
    expect(() => JSON.parse(said) as unknown, said).not.toThrow();
    if (unsubscribe === null) continue;
    expect(JSON.parse(filled(unsubscribe, both.join(','))), name).not.toEqual(JSON.parse(said));
  }
});

it('streams, beats and limits make sense', () => {
  for (const { beat, limits, streams, login } of sockets) {
    expect(beat.deadMs).toBeGreaterThan(beat.everyMs);
    expect(login !== null).toBe(streams.some(({ needsKey }) => needsKey));
    expect(new Set(streams.map(({ name }) => name)).size).toBe(streams.length);
    const rates = limits.connects === null ? limits.rates : [...limits.rates, limits.connects];
    for (const { max, windowMs } of rates) expect(max > 0 && windowMs > 0).toBe(true);
    const { subscriptionsMax, connectionsMax, firstSubscribeMs, lifeMs } = limits;
    for (const limit of [subscriptionsMax, connectionsMax, firstSubscribeMs, lifeMs])
      expect(limit === null || limit > 0).toBe(true);
  }
  for (const { stream } of streams) {
    const { args, argsMax, bytesMax, depths, silenceMs, subscribe } = stream;
    expect(args.length > 0 && argsMax >= 1).toBe(true);
    for (const limit of [bytesMax, silenceMs]) expect(limit === null || limit > 0).toBe(true);
    expect([subscribe, ...args].join('').includes('{depth}')).toBe(depths.length > 0);
  }
});

it('what is asked for over HTTP has an address and a budget that allows it', () => {
  for (const { facts, product } of venueRows()) {
    const weights = product.snapshot?.weights ?? [];
    const { snapshot, instruments } = product;
    const logins = product.sockets.map(({ login }) => login).filter((login) => login?.kind === 'token');
    const requests = product.sockets
      .flatMap(({ address }) => (address === null ? [] : [address.request]))
      .concat(logins.map(({ request }) => request));
    for (const { url, weight, budget } of [
      ...requests,
      ...weights.map(({ weight }) => ({ url: snapshot?.url ?? '', weight, budget: snapshot?.budget ?? '' })),
      ...(instruments?.urls ?? []).map((url) => ({ ...instruments, url })),
    ] as readonly { url: string; weight: number; budget: string }[]) {
      expect(new URL(filled(url)).protocol).toBe('https:');
      expect(filled(url)).not.toContain('{');
      expect(facts.budgets[budget]?.weightMax, `budget ${budget} of ${product.name}`).toBeGreaterThanOrEqual(
        weight,
      );
    }
    const ascends = weights.every(
      ({ levelsMax, weight }, at) =>
        levelsMax > (weights[at - 1]?.levelsMax ?? 0) && weight >= (weights[at - 1]?.weight ?? 0),
    );
    expect(ascends && (snapshot === null || weights.length > 0)).toBe(true);
  }
});

it('a product that is mended by snapshots has where to ask for them, unless nothing is connected to', () => {
  for (const { name, resync, facts, product } of venueRows()) {
    if (resync === 'snapshot') expect(product.snapshot !== null, name).toBe(facts.heard === 'sockets');
  }
});

it('a file of facts is a page', () => {
  for (const file of readdirSync(FOLDER).filter((file) => file !== 'facts.ts')) {
    expect(readFileSync(new URL(file, FOLDER), 'utf8').split('\n').length, file).toBeLessThan(LINES_MAX);
  }
});

it('docs/venues.md holds the tables as the program prints them', () => {
  const page = readFileSync(new URL('../docs/venues.md', import.meta.url), 'utf8');
  expect(page).toContain(venuesMarkdown(venueRows()));
  const lines = venuesText(venueRows()).split('\n');
  for (const { name } of venues())
    expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(3);
});

it('no cell of the tables is blank, and each channel of each product is built, needs a key or is not offered', () => {
  const rows = venuesMarkdown(venueRows())
    .split('\n')
    .filter((line) => line.startsWith('| '));
  for (const row of rows)
    for (const cell of row.split('|').slice(1, -1)) expect(cell.trim(), row).not.toBe('');
  const cells = rows.filter((row) => /\| (built|key|not offered) \|/.test(row));
  expect(cells).toHaveLength(venues().length);
  for (const row of cells)
    expect(row.match(/\| (built|key|not offered)(?= \|)/g), row).toHaveLength(CHANNELS.length);
});

it('what cannot be detected is as bad as the product says, and no better', () => {
  for (const { rule, detects, hasChecksum, silenceMs, life, cannotDetect } of venueRows()) {
    const isCounted = rule === 'unnumbered' && life === 'connection';
    const isBounded = /^A lost message, until the next one/.test(cannotDetect);
    expect(isBounded).toBe(detects === 'next');
    expect(cannotDetect.includes('s pass')).toBe(
      detects === 'next' && silenceMs > 0 && (life === 'book' || isCounted),
    );
    expect(cannotDetect.includes('checksum')).toBe(detects === 'later' && hasChecksum);
    expect(cannotDetect.includes('nothing that the venue sends shows it')).toBe(detects === 'never');
  }
});

it.each(['kraken:BTC/USD', 'kraken:XBT/USD', 'kraken:XXBTZUSD'])(
  '%s is the same instrument by each of its names',
  (name) => {
    expect(instrumentName(name)).toBe('kraken:BTC/USD');
  },
);

it('what is no name is told as such', () => {
  const codeIs = (code: string) => expect.objectContaining({ code }) as unknown;
  expect(() => instrumentName('BTC/USD')).toThrow(codeIs('instrument.grammar'));
  expect(() => instrumentName('nowhere:BTC')).toThrow(codeIs('instrument.unknown_venue'));
});
