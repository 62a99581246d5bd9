import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { remedyOf } from '../src/cli/remedies.js';
import { Flag, Kind, reasonOf, SERVER_REASONS, stateOf } from '../src/wire/index.js';

const PAGE = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');

/** The numbers and words of the rows of docs/protocol.md that begin with both. */
const rowsOf = (rows: RegExp, page = PAGE) =>
  [...page.matchAll(rows)].map(([, number, word]) => [Number(number), word]);

describe('kinds and flags', () => {
  it('are those of docs/protocol.md, number by number', () => {
    expect(rowsOf(/^\| (\d+) \| ([a-z]+) \|/gm)).toEqual(
      Object.entries(Kind).map(([word, number]) => [number, word]),
    );
    const flagWord = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    expect(rowsOf(/^\| (\d+) \| `([A-Z_]+)` \|/gm)).toEqual(
      Object.entries(Flag).map(([name, bit]) => [bit, flagWord(name)]),
    );
  });
});

describe('the words for states and reasons', () => {
  it('are those of docs/protocol.md, number by number', () => {
    const table = PAGE.slice(PAGE.indexOf('## States and reasons'), PAGE.indexOf('## Rules for a reader'));
    expect(rowsOf(/^\| (\d+) \| `(\w+)` \|/gm, table)).toEqual(
      SERVER_REASONS.map((word, number) => [number, word]),
    );
  });

  it('trust nothing that they do not know', () => {
    expect([0, 1, 2, 3, 9].map(stateOf)).toEqual(['stale', 'syncing', 'synced', 'stale', 'stale']);
    expect([reasonOf(7), reasonOf(99)]).toEqual(['source_failed', 'unknown']);
  });

  it('each have a remedy, and a synced book needs none', () => {
    for (const venue of ['binance', 'kraken', 'databento', 'nasdaq']) {
      const facts = { venue, bookMessages: 1, snapshots: 0, ordersPassedOver: 0, unattributed: 0 };
      const of = (state: string, reason: string) => remedyOf(`${venue}:A`, state, reason, facts);
      const remedies = SERVER_REASONS.map((reason) => of('stale', reason));
      expect(new Set(remedies).size).toBe(SERVER_REASONS.length);
      expect(remedies.every((remedy) => remedy !== null && remedy.length > 20)).toBe(true);
      expect(of('synced', 'none')).toBeNull();
      expect(of('stale', 'of_tomorrow')).toContain('of_tomorrow');
    }
  });
});
