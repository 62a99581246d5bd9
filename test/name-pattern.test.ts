import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPattern, NamePattern } from '../src/name-pattern.js';
import { EVERYTHING } from '../src/publish/auth/grant.js';
import { notEntitled } from '../src/publish/auth/not-entitled.js';

describe('a pattern of names', () => {
  it('fits as the regular expression of the same meaning does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '.', '币'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '.', '币', '*', '?'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (wanted, name) => {
        const source = wanted.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(new NamePattern(wanted).fits(name)).toBe(new RegExp(`^${source}$`, 'u').test(name));
      }),
    );
  });

  it('is told from a name by its signs', () => {
    expect(['kraken:BTC/USD', 'kraken:*', 'sim:?'].map(isPattern)).toEqual([false, true, true]);
  });
});

describe('what a grant does not hold', () => {
  it('is named with what it does hold, and not with whether there is such an instrument', () => {
    const grant = { ...EVERYTHING, terms: 'bbo of sim:*' };
    expect(
      notEntitled(grant, 'subscribe', 'depth', 'x'.repeat(500), { depth: 5, intervalMs: 0 }).toJSON(),
    ).toEqual({
      code: 'feed.not_entitled',
      what: 'the token of this connection does not hold this',
      where: 'subscribe',
      expected: 'bbo of sim:*',
      got: expect.stringMatching(/^depth with depth 5, intervalMs 0 of "x{79}… \(502 characters\)$/),
      fix: expect.stringContaining('/v1/instruments'),
    });
  });
});
