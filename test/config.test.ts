import { describe, expect, it } from 'vitest';
import { configFrom, parseInstrument } from '../src/config.js';
import { DepthwireError, explain } from '../src/errors.js';
import { nearest } from '../src/nearest.js';

function fault(call: () => unknown): DepthwireError {
  try {
    call();
  } catch (error) {
    if (error instanceof DepthwireError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the configuration', () => {
  it('has a value for everything, and is frozen', () => {
    const config = configFrom({});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8642,
      silenceMs: 5000,
      limits: { controlBytesMax: 4096, subscriptionsMax: 256 },
    });
    expect(Object.isFrozen(config) && Object.isFrozen(config.limits)).toBe(true);
  });

  it.each([
    [{ port: 70_000 }, 'port', 'at most 65535', '70000'],
    [{ port: 1.5 }, 'port', 'an integer', '1.5'],
    [{ port: '8642' }, 'port', 'a value of type number', '"8642"'],
    [{ limits: { controlBytesMax: 1 } }, 'limits.controlBytesMax', 'at least 256', '1'],
    [{ idleTimeoutSeconds: 7 }, 'idleTimeoutSeconds', '0, or 8 to 960 seconds', '7'],
    [{ idleTimeoutSeconds: 961 }, 'idleTimeoutSeconds', '0, or 8 to 960 seconds', '961'],
    [{ outputBytes: 5_000_000 }, 'outputBytes', 'a power of two from 4194304 to 1073741824', '5000000'],
    [{ replay: { files: [] } }, 'replay.files', 'at least 1 entry', '[]'],
    [
      { replay: { files: ['a'], speed: 0 } },
      'replay.speed',
      'a number above 0 and at most 10000, or max',
      '0',
    ],
    [
      { replay: { files: ['a'], speed: 'fast' } },
      'replay.speed',
      'a number above 0 and at most 10000, or max',
      '"fast"',
    ],
    [{ instruments: [{ name: 'BTC' }] }, 'instruments.0.name', 'a name of the form venue:SYMBOL', '"BTC"'],
    [{ allowHosts: ['http://x'] }, 'allowHosts.0', 'a host name without scheme and port', '"http://x"'],
  ])('refuses %j and names the key', (input, where, expected, got) => {
    const error = fault(() => configFrom(input));
    expect(error.toJSON()).toMatchObject({ code: 'config.invalid', where, expected, got });
    expect(error.fix).toBe(`Set ${where} to ${expected}.`);
  });

  it('names the option that was meant', () => {
    expect(fault(() => configFrom({ prot: 1 })).fix).toBe('Write port instead of prot.');
    expect(fault(() => configFrom({ limits: { clientMax: 1 } })).toJSON()).toMatchObject({
      code: 'config.unknown_key',
      where: 'limits.clientMax',
      fix: 'Write clientsMax instead of clientMax.',
    });
  });

  it.each(['0.0.0.0', '192.168.1.4', 'example.com', '::', '127.0.0.1.example.com'])(
    'refuses to serve %s',
    (host) => {
      expect(fault(() => configFrom({ host })).code).toBe('config.public_host');
    },
  );

  it.each(['127.0.0.1', '127.3.2.1', 'localhost', '::1'])('serves %s', (host) => {
    expect(configFrom({ host }).host).toBe(host);
  });

  it('refuses a soft limit that is not below the hard one', () => {
    const limits = { backpressureSoftBytes: 1 << 20, backpressureHardBytes: 1 << 20 };
    expect(fault(() => configFrom({ limits })).where).toBe('limits.backpressureSoftBytes');
  });
});

describe('--instrument', () => {
  it('reads a name and its scale', () => {
    expect(parseInstrument('binance:BTCUSDT')).toEqual({ name: 'binance:BTCUSDT' });
    expect(parseInstrument('sim:A,price_exponent=-2,qty_exponent=-5,tick=10,lot=0')).toEqual({
      name: 'sim:A',
      priceExponent: -2,
      qtyExponent: -5,
      tickSize: 10,
      lotSize: 0,
    });
  });

  it.each([
    'BTCUSDT',
    'binance:btcusdt',
    'sim:A,tick',
    'sim:A,tick=1.5',
    'sim:A,price_exponent=1',
    'sim:A,colour=1',
    '',
  ])('refuses %j', (text) => {
    expect(fault(() => parseInstrument(text)).code).toBe('config.instrument');
  });
});

describe('an error for people', () => {
  it('ends with the fix', () => {
    const error = new DepthwireError('a.b', {
      what: 'it broke',
      where: 'here',
      expected: '1',
      got: '2',
      fix: 'Mend it.',
    });
    expect(explain(error).split('\n')).toEqual([
      'error: it broke (a.b)',
      '  where:    here',
      '  expected: 1',
      '  got:      2',
      '  fix:      Mend it.',
    ]);
  });

  it('is the stack where nobody explained it', () => {
    expect(explain(new TypeError('odd'))).toContain('TypeError: odd');
    expect(explain('text')).toBe('text');
  });
});

describe('the nearest name', () => {
  const names = ['sim:BTCUSDT', 'sim:ETHUSDT', 'binance:BTCUSDT'];

  it.each([
    ['sim:BTCUSD', 'sim:BTCUSDT'],
    ['SIM:btcusdt', 'sim:BTCUSDT'],
    ['ETHUSDT', 'sim:ETHUSDT'],
    ['binanc:BTCUSDT', 'binance:BTCUSDT'],
    ['something else', undefined],
    ['x'.repeat(65), undefined],
    ['', undefined],
  ])('of %j is %j', (name, meant) => {
    expect(nearest(name, names)).toBe(meant);
  });
});
