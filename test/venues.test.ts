import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { venueRows, venuesMarkdown, venuesText } from '../src/cli/venues.js';
import { instrumentName, venues } from '../src/engine.js';
import { VENUE_FACTS } from '../src/ingest/venues/index.js';

const FOLDER = new URL('../src/ingest/venues/', import.meta.url);
/** Facts are a page, or they have become logic. */
const LINES_MAX = 120;

/** A text with its parts filled in. */
function filled(text: string): string {
  const parts: Readonly<Record<string, string>> = {
    symbol: 'BTCUSDT',
    stream: 'btcusdt@depth',
    levels: '1000',
    depth: '10',
    id: '1',
    token: 'T',
  };
  return text.replace(/\{([a-z]+)\}/g, (whole, part: string) => parts[part] ?? whole);
}

it('every venue of the core has one entry of facts, and no entry names another', () => {
  const named = VENUE_FACTS.flatMap(({ names }) => names);
  expect([...named].sort()).toEqual(
    venues()
      .map(({ name }) => name)
      .sort(),
  );
  for (const facts of VENUE_FACTS) {
    const own = (name: string): void => expect(facts.names, name).toContain(name);
    for (const socket of facts.sockets) own(socket.name);
    for (const snapshot of facts.snapshots) own(snapshot.name);
    expect(facts.sources.length).toBeGreaterThan(0);
    expect(facts.heard === 'sockets').toBe(facts.sockets.length > 0);
  }
});

it('addresses and subscriptions are whole once their parts are filled in', () => {
  for (const { sockets, snapshots } of VENUE_FACTS) {
    for (const { url, subscribe, unsubscribe, channels, beat, limits } of sockets) {
      expect(new URL(filled(url)).protocol).toBe('wss:');
      expect(new Set(channels).size).toBe(channels.length);
      expect(JSON.parse(filled(unsubscribe))).not.toEqual(JSON.parse(filled(subscribe)));
      expect(filled(subscribe)).not.toMatch(/\{[a-z]+\}/);
      expect(beat.deadMs).toBeGreaterThan(beat.everyMs);
      for (const limit of [limits.subscriptionsMax, limits.messagesPerSecondMax, limits.lifeMs])
        expect(limit === null || limit > 0).toBe(true);
    }
    for (const { url, weights, budget } of snapshots) {
      expect(new URL(filled(url)).protocol).toBe('https:');
      expect(filled(url)).not.toContain('{');
      const ascends = weights.every(
        ({ levelsMax, weight }, at) =>
          at === 0 ||
          (levelsMax > (weights[at - 1]?.levelsMax ?? 0) && weight > (weights[at - 1]?.weight ?? 0)),
      );
      expect(ascends && weights.length > 0).toBe(true);
      expect(budget.weightMax).toBeGreaterThan(weights.at(-1)?.weight ?? 0);
    }
  }
});

it('a product that is mended by snapshots has where to ask for them, unless nothing is connected to', () => {
  for (const { name, resync, facts } of venueRows()) {
    const asks = facts.snapshots.some((snapshot) => snapshot.name === name);
    expect(asks, name).toBe(resync === 'snapshot' && facts.heard === 'sockets');
    const books = facts.sockets.filter((socket) => socket.name === name && socket.channels.includes('book'));
    expect(books.length, name).toBe(facts.heard === 'sockets' ? 1 : 0);
  }
});

it('a file of facts is a page', () => {
  for (const file of readdirSync(FOLDER)) {
    expect(readFileSync(new URL(file, FOLDER), 'utf8').split('\n').length, file).toBeLessThan(LINES_MAX);
  }
});

it('docs/venues.md holds the table as the program prints it', () => {
  const page = readFileSync(new URL('../docs/venues.md', import.meta.url), 'utf8');
  expect(page).toContain(venuesMarkdown(venueRows()));
  const lines = venuesText(venueRows()).trimEnd().split('\n');
  expect(lines).toHaveLength(venues().length + 1);
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
