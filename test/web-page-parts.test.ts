import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compact, cutDecimals, significantEnd, withThousands } from '../src/web/decimal-text.js';
import { commandFor } from '../src/web/keys.js';
import { LatencyHistory } from '../src/web/latency-history.js';
import { RateMeter } from '../src/web/rate-meter.js';
import { nsWords, parseStages } from '../src/web/stages.js';
import {
  bookNotice,
  bytesPerSecondWords,
  durationWords,
  reasonWords,
  stateWords,
} from '../src/web/wording.js';
import { decimalText, formatDecimal, parseDecimal, SERVER_REASONS } from '../src/wire/index.js';

describe('decimal text', () => {
  it('is the shortest text of the exact value, and the tail completes it', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: -12, max: 4 }), (mantissa, exponent) => {
        const fixed = formatDecimal(mantissa, exponent);
        const short = fixed.slice(0, significantEnd(fixed));
        expect(short).toBe(decimalText(mantissa, exponent));
        expect(fixed.slice(significantEnd(fixed))).toMatch(/^(\.?0+)?$/);
        expect(short).not.toMatch(/\.\d*0$|\.$/);
        if (exponent <= 0) expect(parseDecimal(short, exponent)).toBe(mantissa + 0);
      }),
    );
    expect([significantEnd('61800.20'), significantEnd('61800.00'), significantEnd('61800')]).toEqual([
      7, 5, 5,
    ]);
  });

  it('puts commas into the whole part alone', () => {
    expect(withThousands('1234567.8901')).toBe('1,234,567.8901');
    expect(withThousands('-1234')).toBe('-1,234');
    expect(withThousands('999')).toBe('999');
  });

  it('cuts decimals without rounding', () => {
    expect(cutDecimals('12.3999', 2)).toBe('12.39');
    expect(cutDecimals('12', 2)).toBe('12');
    expect(cutDecimals('12.9', 0)).toBe('12');
  });

  it('keeps a quantity short', () => {
    // What is not 0 is never shown as 0.
    expect([0, 1e-8, 0.00000166, 0.0000996, -1e-8].map(compact)).toEqual([
      '0',
      '0.00000001',
      '0.0000017',
      '0.0001',
      '-0.00000001',
    ]);
    expect([0.00012, 1.5, 12.3456, 1234.56, 45_678, 2_500_000, 3e9].map(compact)).toEqual([
      '0.00012',
      '1.5',
      '12.346',
      '1234.6',
      '45.7k',
      '2.5M',
      '3G',
    ]);
    expect([3.456e12, 7e15, 2e18, 4.2e25, 1.5e-9, -2.5e30].map(compact)).toEqual([
      '3.46T',
      '7P',
      '2E',
      '4.2e25',
      '1.5e-9',
      '-2.5e30',
    ]);
  });

  it('of a size has eleven characters at most, whatever the size', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e300, noNaN: true }), (size) => {
        expect(compact(size).length).toBeLessThanOrEqual(11);
        if (size > 0) expect(Number.parseFloat(compact(size))).toBeGreaterThan(0);
      }),
    );
  });
});

describe('rate meter', () => {
  it('answers the rate over its window', () => {
    const meter = new RateMeter(1000);
    expect(meter.sample(0, 0)).toBe(0);
    expect(meter.sample(500, 100)).toBe(200);
    expect(meter.sample(1000, 200)).toBe(200);
    expect(meter.sample(2000, 200)).toBe(0);
  });

  it('starts again when the counter does', () => {
    const meter = new RateMeter(1000);
    meter.sample(0, 900);
    expect(meter.sample(100, 3)).toBe(0);
    expect(meter.sample(200, 13)).toBe(100);
  });
});

describe('latency history', () => {
  it('forgets the oldest sample at its capacity and keeps gaps', () => {
    const history = new LatencyHistory(2);
    history.push(1000, 1, 2);
    history.push(2000, null, null);
    history.push(3000, 3, 4);
    expect(history.columns(3000)).toEqual([
      [-1, 0],
      [null, 3],
      [null, 4],
    ]);
  });
});

describe('keys', () => {
  const press = (key: string, place: 'list' | 'ladder' | 'elsewhere' | 'field', modified = false) =>
    commandFor({ key, place, modified });

  it('move what has the focus', () => {
    expect(press('ArrowDown', 'list')).toEqual({ kind: 'list-move', by: 1 });
    expect(press('ArrowUp', 'ladder')).toEqual({ kind: 'ladder-move', by: -1 });
    expect(press('j', 'ladder')).toEqual({ kind: 'ladder-move', by: 1 });
    expect(press('k', 'elsewhere')).toEqual({ kind: 'list-move', by: -1 });
  });

  it('leave to the browser what is not ours', () => {
    expect(press('ArrowDown', 'elsewhere')).toBeNull();
    expect(press('f', 'elsewhere', true)).toBeNull();
    expect(press('t', 'field')).toBeNull();
    expect(press('PageDown', 'list')).toBeNull();
    expect(press('Tab', 'ladder')).toBeNull();
  });

  it('group, follow, theme and help from anywhere', () => {
    expect(['[', '-', ']', '+', 'f', 't', '?'].map((key) => press(key, 'elsewhere')?.kind)).toEqual([
      'group',
      'group',
      'group',
      'group',
      'follow',
      'theme',
      'help',
    ]);
    expect(press('[', 'ladder')).toEqual({ kind: 'group', by: -1 });
    expect(press('=', 'ladder')).toEqual({ kind: 'group', by: 1 });
  });
});

describe('words', () => {
  it('say nothing of a synced book and why of any other', () => {
    const synced = {
      connected: true,
      refusal: null,
      state: 'synced',
      reason: 'none',
      doubts: { beyondKnown: false, crossed: false },
      ended: false,
      hasLevels: true,
    };
    expect(bookNotice(synced)).toBe('');
    expect(bookNotice({ ...synced, connected: false })).toMatch(/^Not connected.*last known/);
    expect(bookNotice({ ...synced, state: 'stale', reason: 'gap' })).toMatch(/skipped a number.*last known/);
    expect(bookNotice({ ...synced, state: 'stale', reason: 'unreadable', ended: true })).toMatch(
      /could not be read\. The recording has ended\./,
    );
    expect(bookNotice({ ...synced, refusal: 'no such instrument.' })).toMatch(/^Refused: no such instrument/);
    const empty = { ...synced, state: 'syncing', hasLevels: false };
    expect(bookNotice(empty)).toMatch(/^Syncing/);
    expect(bookNotice(empty)).not.toMatch(/last known/);
    const doubts = { beyondKnown: true, crossed: false };
    expect(bookNotice({ ...synced, doubts })).toMatch(/^Beyond known: /);
    expect(reasonWords('brand_new')).toBe('brand new');
    const none = { beyondKnown: false, crossed: false };
    expect([
      stateWords('synced', 'none', none),
      stateWords('synced', 'none', doubts),
      stateWords('synced', 'none', { beyondKnown: true, crossed: true }),
      stateWords('stale', 'source_failed', doubts),
    ]).toEqual(['synced', 'synced: beyond known', 'synced: beyond known, crossed', 'stale: source failed']);
    expect(
      SERVER_REASONS.slice(1).filter((reason) => reasonWords(reason) === reason.replaceAll('_', ' ')),
    ).toEqual([]);
  });

  it('give durations and rates a fitting unit', () => {
    expect([0.123, 45, 2500, 120_000, 7_200_000, Number.NaN].map(durationWords)).toEqual([
      '0.12 ms',
      '45 ms',
      '2.5 s',
      '2 min',
      '2 h',
      '–',
    ]);
    expect([812, 14_200, 3_000_000].map(bytesPerSecondWords)).toEqual(['812 B/s', '14.2 kB/s', '3.00 MB/s']);
  });
});

describe('stages of the server', () => {
  const line = (stage: string) => ({
    stage,
    count: 5,
    p50Ns: 480,
    p99Ns: 12_340,
    p9999Ns: 1_050_000,
    maxNs: 2e9,
  });

  it('are read of all messages and of the instrument in view', () => {
    const told = {
      every: 16,
      clock: 'tsc',
      stamped: 5,
      stages: [line('decoded'), { stage: 7 }],
      instruments: [{ instrument: 'a:B', stages: [line('whole')] }],
      fix: '',
    };
    expect(parseStages(told, 'a:B')).toMatchObject({ all: [line('decoded')], own: [line('whole')] });
    expect(parseStages(told, 'a:C')).toMatchObject({ all: [line('decoded')], own: [] });
    expect(parseStages({ every: 0, fix: 'Start it so.' })).toMatchObject({
      every: 0,
      all: [],
      fix: 'Start it so.',
    });
    for (const none of [null, 5, {}, { every: 'x' }]) expect(parseStages(none)).toBeNull();
  });

  it('have times of two digits', () => {
    expect([0, 480, 1_234, 12_340, 123_400, 1_060_000, 2e9].map(nsWords)).toEqual([
      '0 ns',
      '480 ns',
      '1.2 µs',
      '12 µs',
      '123 µs',
      '1.1 ms',
      '2.0 s',
    ]);
  });
});
