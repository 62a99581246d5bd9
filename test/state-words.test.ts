import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { remedyOf } from '../src/cli/remedies.js';
import { reasonOf, SERVER_REASONS, stateOf } from '../src/wire/index.js';

describe('the words for states and reasons', () => {
  it('are those of docs/protocol.md, number by number', () => {
    const page = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');
    const table = page.slice(page.indexOf('## States and reasons'), page.indexOf('## Rules for a reader'));
    const rows = [...table.matchAll(/^\| (\d+) \| `(\w+)` \|/gm)].map(([, number, word]) => [
      Number(number),
      word,
    ]);
    expect(rows).toEqual(SERVER_REASONS.map((word, number) => [number, word]));
  });

  it('trust nothing that they do not know', () => {
    expect([0, 1, 2, 3, 9].map(stateOf)).toEqual(['stale', 'syncing', 'synced', 'stale', 'stale']);
    expect([reasonOf(7), reasonOf(99)]).toEqual(['source_failed', 'unknown']);
  });

  it('each have a remedy, and a synced book needs none', () => {
    const remedies = SERVER_REASONS.map((reason) => remedyOf('stale', reason, 0));
    expect(new Set(remedies).size).toBe(SERVER_REASONS.length);
    expect(remedies.every((remedy) => remedy !== null && remedy.length > 20)).toBe(true);
    expect(remedyOf('synced', 'none', 1)).toBeNull();
    expect(remedyOf('stale', 'of_tomorrow', 0)).toContain('of_tomorrow');
  });
});
