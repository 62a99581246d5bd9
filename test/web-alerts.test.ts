import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALERT_KINDS,
  ALERTS_MAX,
  type AlertRule,
  AlertWatch,
  parseRules,
  printRules,
} from '../src/web/alert-rules.js';

const rule: fc.Arbitrary<AlertRule> = fc
  .record({
    kind: fc.constantFrom(...ALERT_KINDS),
    instrument: fc.constantFrom('sim:BTCUSDT', 'kraken:BTC/USD', 'deribit:BTC-27DEC24-100000-C'),
    value: fc.integer({ min: 1, max: 10 ** 6 }).map((value) => String(value / 100)),
  })
  .map((one) => (one.kind === 'stale' ? { ...one, value: '' } : one));

describe('alert rules', () => {
  it('come back from the address as they were', () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: ALERTS_MAX }), (rules) => {
        expect(parseRules(printRules(rules))).toEqual(rules);
      }),
    );
  });

  it('are not made of what is none, whatever the address says', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseRules(text).every(({ kind }) => ALERT_KINDS.includes(kind))).toBe(true);
      }),
    );
    expect(parseRules('above~x~sim:A,above~~sim:A,stale~1~sim:A,trade~-1~sim:A,up~1~sim:A,below~1~')).toEqual(
      [],
    );
    expect(parseRules(Array(50).fill('stale~~sim:A').join(','))).toHaveLength(ALERTS_MAX);
  });

  it('are told when they come true, and again only after they have ended', () => {
    const watch = new AlertWatch();
    const above: AlertRule = { kind: 'above', instrument: 'sim:A', value: '100' };
    const below: AlertRule = { kind: 'below', instrument: 'sim:A', value: '100' };
    const stale: AlertRule = { kind: 'stale', instrument: 'sim:A', value: '' };
    const look = (middle: number, isStale = false) =>
      [above, below, stale].map((one) => watch.look(one, { middle, isStale }));
    expect(look(99)).toEqual([false, true, false]);
    expect(look(100)).toEqual([true, false, false]);
    expect(look(101)).toEqual([false, false, false]);
    // Not known: nothing begins or ends.
    expect(look(Number.NaN, true)).toEqual([false, false, true]);
    expect(look(101, true)).toEqual([false, false, false]);
    expect(look(99)).toEqual([false, true, false]);
    expect(look(101, true)).toEqual([true, false, true]);
  });
});
