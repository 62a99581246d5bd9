import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DepthwireError } from '../src/errors.js';
import { type EntitlementClaim, grantOf } from '../src/publish/auth/entitlements.js';
import { CHANNEL_NAMES } from '../src/publish/auth/grant.js';
import { fault } from './support/layered.js';

const HOLDER = { subject: 'alice', expiresAtMs: 5 };

function granted(...allow: EntitlementClaim['allow']) {
  return grantOf({ allow }, HOLDER);
}

describe('the entitlements of a token', () => {
  it('hold channels of instruments, by name and by pattern', () => {
    const grant = granted(
      { channels: ['book', 'bbo'], instruments: ['kraken:BTC/USD', 'deribit:BTC-*'] },
      { channels: ['trades'], instruments: ['*'] },
    );
    expect(grant.allows('book', 'kraken:BTC/USD')).toBe(true);
    expect(grant.allows('book', 'kraken:BTC/USDT')).toBe(false);
    expect(grant.allows('bbo', 'deribit:BTC-27MAR26')).toBe(true);
    expect(grant.allows('bbo', 'deribit:ETH-27MAR26')).toBe(false);
    expect(grant.allows('orders', 'kraken:BTC/USD')).toBe(false);
    expect(grant.allows('trades', 'any:thing')).toBe(true);
    expect(grant.sees('any:thing')).toBe(true);
    expect(grant.terms).toBe('book, bbo of kraken:BTC/USD, deribit:BTC-*; trades of *');
    expect([grant.subject, grant.expiresAtMs, grant.operations]).toEqual(['alice', 5, false]);
    expect([grant.subscriptionsMax, grant.connectionsMax]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('may be all channels, and may be none', () => {
    const all = granted({ channels: ['*'], instruments: ['sim:*'] });
    for (const channel of CHANNEL_NAMES) expect(all.allows(channel, 'sim:A')).toBe(true);
    expect([all.sees('sim:A'), all.sees('other:A')]).toEqual([true, false]);
    const none = granted();
    for (const channel of CHANNEL_NAMES) expect(none.allows(channel, 'sim:A')).toBe(false);
    expect([none.sees('sim:A'), none.terms]).toEqual([false, 'no channel of any instrument']);
  });

  it('bound the views of a book, each by a rule of its own', () => {
    const grant = granted(
      { channels: ['depth'], instruments: ['*'], depthMax: 10, intervalMsMin: 100 },
      { channels: ['depth'], instruments: ['sim:A'], depthMax: 50, intervalMsMin: 1000 },
    );
    const view = (depth: number, intervalMs: number, name = 'sim:A'): boolean =>
      grant.allows('depth', name, { depth, intervalMs });
    expect([view(10, 100), view(11, 100), view(10, 99), view(50, 1000), view(50, 999)]).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
    expect([view(50, 1000, 'sim:B'), view(10, 100, 'sim:B')]).toEqual([false, true]);
    expect(grant.allows('depth', 'sim:B')).toBe(true);
    expect(grant.terms).toContain('depth with depth up to 10 with intervalMs from 100 of *');
  });

  it('bound subscriptions and connections, and may be those of an operator', () => {
    const grant = grantOf({ allow: [], subscriptionsMax: 3, connectionsMax: 2, operations: true }, HOLDER);
    expect([grant.subscriptionsMax, grant.connectionsMax, grant.operations]).toEqual([3, 2, true]);
  });

  it.each<[string, unknown, string, string]>([
    ['are missing', undefined, 'depthwire', ''],
    ['are a list', [], 'depthwire', ''],
    ['lack what they allow', {}, 'depthwire.allow', ''],
    [
      'have a member that is not known',
      { allow: [], subscriptionMax: 1 },
      'depthwire.subscriptionMax',
      'Write subscriptionsMax.',
    ],
    [
      'have a bound that is misspelt',
      { allow: [{ channels: ['depth'], instruments: ['*'], depthMx: 5 }] },
      'depthwire.allow.0.depthMx',
      'Write depthMax.',
    ],
    [
      'name a channel that is none',
      { allow: [{ channels: ['boook'], instruments: ['*'] }] },
      'depthwire.allow.0.channels.0',
      'Write book.',
    ],
    [
      'name no instrument',
      { allow: [{ channels: ['*'], instruments: [] }] },
      'depthwire.allow.0.instruments',
      '',
    ],
    [
      'name an empty one',
      { allow: [{ channels: ['*'], instruments: [''] }] },
      'depthwire.allow.0.instruments.0',
      '',
    ],
    [
      'name one that is too long',
      { allow: [{ channels: ['*'], instruments: ['x'.repeat(97)] }] },
      'depthwire.allow.0.instruments.0',
      '',
    ],
    [
      'bound the depth of whole books',
      { allow: [{ channels: ['depth', 'book'], instruments: ['*'], depthMax: 5 }] },
      'depthwire.allow.0.depthMax',
      'Put that channel into a rule of its own.',
    ],
    [
      'bound the depth of everything',
      { allow: [{ channels: ['*'], instruments: ['*'], depthMax: 5 }] },
      'depthwire.allow.0.depthMax',
      'Put that',
    ],
    [
      'bound the interval of more than views',
      { allow: [{ channels: ['depth', 'bbo'], instruments: ['*'], intervalMsMin: 5 }] },
      'depthwire.allow.0.intervalMsMin',
      'Put that',
    ],
    [
      'bound the depth by nothing',
      { allow: [{ channels: ['depth'], instruments: ['*'], depthMax: 0 }] },
      'depthwire.allow.0.depthMax',
      '',
    ],
    ['have no room for a connection', { allow: [], connectionsMax: 0 }, 'depthwire.connectionsMax', ''],
    [
      'have too many rules',
      { allow: Array.from({ length: 33 }, () => ({ channels: ['*'], instruments: ['a'] })) },
      'depthwire.allow',
      '',
    ],
    [
      'have too many patterns',
      { allow: [{ channels: ['*'], instruments: Array.from({ length: 33 }, (_, at) => `a${at}*`) }] },
      'depthwire.allow',
      'Name instruments',
    ],
  ])('that %s are refused, with their place', (_what, claim, where, fix) => {
    const error = fault(() => grantOf(claim, HOLDER));
    expect([error.code, error.where]).toEqual(['auth.entitlements', where]);
    expect(error.fix).toContain(fix);
  });

  it('of any shape are a grant or a refusal', () => {
    const rule = fc.record(
      { channels: fc.anything(), instruments: fc.anything(), depthMax: fc.anything(), more: fc.anything() },
      { requiredKeys: [] },
    );
    const claim = fc.oneof(fc.anything(), fc.record({ allow: fc.oneof(fc.anything(), fc.array(rule)) }));
    fc.assert(
      fc.property(claim, (value) => {
        try {
          grantOf(value, HOLDER);
        } catch (error) {
          expect((error as DepthwireError).code).toBe('auth.entitlements');
        }
      }),
    );
  });

  it('hold a channel exactly where a rule names both', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', ':'), minLength: 1, maxLength: 4 });
    const channel = fc.constantFrom(...CHANNEL_NAMES);
    const rule = fc.record({
      channels: fc.array(channel, { minLength: 1, maxLength: 3 }),
      instruments: fc.array(name, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), channel, name, (rules, asked, instrument) => {
        const grant = granted(...rules);
        const naming = rules.filter(({ instruments }) => instruments.includes(instrument));
        expect(grant.sees(instrument)).toBe(naming.length > 0);
        expect(grant.allows(asked, instrument)).toBe(naming.some(({ channels }) => channels.includes(asked)));
      }),
    );
  });

  it('are told in a line that is no longer than a reader takes in', () => {
    const instruments = Array.from({ length: 100 }, (_, at) => `venue:SYMBOL${at}`);
    expect(granted({ channels: ['book'], instruments }).terms).toHaveLength(401);
  });
});
