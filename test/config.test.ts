import { describe, expect, it } from 'vitest';
import { catalogue, scaleOf } from '../src/cli/catalogue.js';
import { exposureOf } from '../src/config/exposure.js';
import { parseInstrument } from '../src/config/instrument-text.js';
import { type ConfigInput, configFrom } from '../src/config.js';
import type { Engine } from '../src/engine.js';
import { DepthwireError, explain } from '../src/errors.js';
import { nearest } from '../src/nearest.js';
import { instrument } from './support/fake-engine.js';

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
      server: { host: '127.0.0.1', port: 8642 },
      limits: { controlBytesMax: 4096, subscriptionsMax: 256 },
    });
    expect(Object.isFrozen(config) && Object.isFrozen(config.limits)).toBe(true);
  });

  it.each([
    [{ server: { port: 70_000 } }, 'server.port', 'an integer from 0 to 65535', '70000'],
    [{ server: { port: 1.5 } }, 'server.port', 'an integer from 0 to 65535', '1.5'],
    [{ server: { port: '8642' } }, 'server.port', 'an integer from 0 to 65535', '"8642"'],
    [{ limits: { controlBytesMax: 1 } }, 'limits.control_bytes_max', 'an integer from 256 to 65536', '1'],
    [{ server: { idleTimeoutSeconds: 7 } }, 'server.idle_timeout_seconds', '0, or 8 to 960 seconds', '7'],
    [{ server: { idleTimeoutSeconds: 961 } }, 'server.idle_timeout_seconds', '0, or 8 to 960 seconds', '961'],
    [
      { engine: { outputBytes: 5_000_000 } },
      'engine.output_bytes',
      'a power of two from 4194304 to 1073741824',
      '5000000',
    ],
    [{ replay: { files: [] } }, 'replay.files', 'a list with at least 1 entry', '[]'],
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
    [
      { server: { allowHosts: ['http://x'] } },
      'server.allow_hosts.0',
      'a host name without scheme and port',
      '"http://x"',
    ],
  ])('refuses %j and names the key', (input, where, expected, got) => {
    const error = fault(() => configFrom(input));
    expect(error.toJSON()).toMatchObject({ code: 'config.invalid', where, expected, got });
    expect(error.fix).toBe(`Set ${where} to ${expected}.`);
  });

  it('names the option that was meant', () => {
    expect(fault(() => configFrom({ server: { prot: 1 } })).fix).toBe('Write port instead of prot.');
    expect(fault(() => configFrom({ limits: { clientMax: 1 } })).toJSON()).toMatchObject({
      code: 'config.unknown_key',
      where: 'limits.client_max',
      fix: 'Write clients_max instead of client_max.',
    });
  });

  it.each(['127.0.0.1', '127.3.2.1', 'localhost', '::1'])('serves %s', (host) => {
    const config = configFrom({ server: { host } });
    expect([config.server.host, exposureOf(config)]).toEqual([host, undefined]);
  });

  describe('a host that others can reach', () => {
    const auth = { jwksFile: 'keys.json' };
    const hosts = ['0.0.0.0', '192.168.1.4', 'example.com', '::', '127.0.0.1.example.com'];

    it.each(hosts)('%s is served only with auth and TLS, or as far as words waive them', (host) => {
      const error = fault(() => configFrom({ server: { host } }));
      expect([error.code, error.where, error.got]).toEqual(['serve.public_bind', 'server.host', host]);
      expect(error.what).toContain('no auth and no TLS');
      for (const words of ['--jwks-file', '--allow-host', '--expose-without-auth', '--expose-without-tls'])
        expect(error.fix).toContain(words);
      const withAuth = fault(() => configFrom({ server: { host }, auth }));
      expect(withAuth.what).toMatch(/there is no TLS$/);
      expect(withAuth.fix).not.toContain('auth');
      const waived = fault(() => configFrom({ server: { host, exposeWithoutTls: true } }));
      expect(waived.what).toMatch(/there is no auth$/);
      expect(waived.fix).not.toContain('TLS');
    });

    it('says what it lacks where that was waived', () => {
      const host = '0.0.0.0';
      const all = { host, exposeWithoutAuth: true, exposeWithoutTls: true };
      expect(exposureOf(configFrom({ server: all }))).toBe(
        '0.0.0.0 can be reached by others, without auth and without TLS: so server.expose_without_auth and server.expose_without_tls say',
      );
      const server = { host, exposeWithoutTls: true };
      expect(exposureOf(configFrom({ server, auth }))).toMatch(
        /without TLS: so server.expose_without_tls says$/,
      );
    });
  });

  it.each<[string, ConfigInput['auth'], string, string]>([
    ['no keys', { audience: 'x' }, 'config.auth', 'auth'],
    ['keys in two places', { jwksFile: 'a', jwksUrl: 'https://a.example/' }, 'config.auth', 'auth.jwks_url'],
    [
      'keys that anybody on the way could replace',
      { jwksUrl: 'http://a.example/' },
      'config.invalid',
      'auth.jwks_url',
    ],
    ['a name in an address', { jwksUrl: 'https://u:p@a.example/' }, 'config.invalid', 'auth.jwks_url'],
    ['an address that is none', { jwksUrl: 'keys.json' }, 'config.invalid', 'auth.jwks_url'],
    ['no algorithm', { jwksFile: 'a', algorithms: [] }, 'config.invalid', 'auth.algorithms'],
    ['a path that is none', { jwksFile: 'a', openPaths: ['metrics'] }, 'config.invalid', 'auth.open_paths.0'],
  ])('refuses auth with %s', (_what, auth, code, where) => {
    const error = fault(() => configFrom({ auth }));
    expect([error.code, error.where]).toEqual([code, where]);
    expect(JSON.stringify(error)).not.toContain('u:p');
  });

  it.each(['none', 'HS256', 'ES384'])('refuses the algorithm %s', (algorithm) => {
    const auth = { jwksFile: 'a', algorithms: [algorithm as 'EdDSA'] };
    expect(fault(() => configFrom({ auth })).expected).toBe('one of EdDSA, ES256, RS256');
  });

  it('takes keys of an address on this machine without TLS', () => {
    for (const jwksUrl of [
      'http://127.0.0.1:9/k',
      'http://localhost/k',
      'http://[::1]:9/k',
      'https://a.example/k',
    ])
      expect(configFrom({ auth: { jwksUrl } }).auth).toMatchObject({
        jwksUrl,
        algorithms: ['EdDSA'],
        leewaySeconds: 30,
      });
  });

  it.each(['null', '*', 'app.example', 'https://app.example/', 'https://u@app.example', 'ws://app.example'])(
    'refuses the origin %s',
    (origin) => {
      const error = fault(() => configFrom({ server: { allowOrigins: [origin] } }));
      expect([error.code, error.where]).toEqual(['config.invalid', 'server.allow_origins.0']);
    },
  );

  it('refuses a soft limit that is not below the hard one', () => {
    const limits = { backpressureSoftBytes: 1 << 20, backpressureHardBytes: 1 << 20 };
    expect(fault(() => configFrom({ limits })).where).toBe('limits.backpressure_soft_bytes');
  });
});

describe('--instrument', () => {
  it('reads a name, its steps as they are written, and its exponents', () => {
    expect(parseInstrument('binance:BTCUSDT')).toEqual({ name: 'binance:BTCUSDT' });
    expect(parseInstrument('databento:ESH4,tick=0.25,lot=1')).toEqual({
      name: 'databento:ESH4',
      tick: '0.25',
      lot: '1',
    });
    expect(parseInstrument('sim:A,price_exponent=-2,qty_exponent=-5,tick=10.0,lot=2')).toEqual({
      name: 'sim:A',
      priceExponent: -2,
      qtyExponent: -5,
      tick: '10.0',
      lot: '2',
    });
  });

  it.each([
    'binance:币安人生USDT',
    'kraken:XBT/USD',
    'bitfinex:tBTCF0:USTF0',
    'hyperliquid:@107',
    'deribit:BTC-27MAR26-100000-C',
    'okx:BTC-USDT-SWAP',
    'deribit:XRP_USDC-30JUN24-0d5-C',
    'nasdaq:AB^',
    'binance:btcusdt',
  ])('takes the symbol of a venue as it is written: %s', (name) => {
    expect(parseInstrument(name).name).toBe(name);
    expect(configFrom({ instruments: [{ name, tick: 0.25 }] }).instruments).toEqual([{ name, tick: '0.25' }]);
  });

  it.each([
    ['BTCUSDT', 'a name of the form venue:SYMBOL'],
    ['Binance:BTCUSDT', 'a name of the form venue:SYMBOL'],
    ['binance:BTC USDT', 'a name of the form venue:SYMBOL'],
    ['binance:BTC\u0000', 'a name of the form venue:SYMBOL'],
    [`binance:${'A'.repeat(65)}`, 'a name of the form venue:SYMBOL'],
    ['', 'a name of the form venue:SYMBOL'],
    ['sim:A,tick', 'a plain decimal above 0, such as 0.25'],
    ['sim:A,tick=-1', 'a plain decimal above 0, such as 0.25'],
    ['sim:A,tick=0', 'a plain decimal above 0, such as 0.25'],
    ['sim:A,lot=0.000', 'a plain decimal above 0, such as 0.25'],
    ['sim:A,lot=1e-8', 'a plain decimal above 0, such as 0.25'],
    ['sim:A,tick=.5', 'a plain decimal above 0, such as 0.25'],
    ['sim:A,price_exponent=1', 'an integer from -18 to 0'],
    ['sim:A,price_exponent=-19', 'an integer from -18 to 0'],
    [
      'sim:A,price_exponent=0.5',
      'tick= or lot= with a decimal, price_exponent= or qty_exponent= with an integer',
    ],
    ['sim:A,colour=1', 'tick= or lot= with a decimal, price_exponent= or qty_exponent= with an integer'],
  ])('refuses %j', (text, expected) => {
    const error = fault(() => parseInstrument(text));
    expect([error.code, error.expected]).toEqual(['config.instrument', expected]);
    expect(error.fix).toContain('tick=0.01');
  });
});

describe('the scale of an instrument', () => {
  const es = {
    ...instrument(1, 'databento:ESH4'),
    priceExponent: -9,
    qtyExponent: 0,
    tickSize: 0,
    lotSize: 1,
  };
  const coin = {
    ...instrument(2, 'binance:A'),
    priceExponent: -2,
    qtyExponent: -5,
    tickSize: 1,
    lotSize: 10,
  };

  it.each([
    ['the tick at the known exponent', es, 'tick=0.25', [-9, 250_000_000, undefined, undefined]],
    ['a finer exponent where the tick needs it', coin, 'tick=0.00010,lot=0.0000001', [-4, 1, -7, 1]],
    [
      'a finer exponent, and the known tick is what it was',
      coin,
      'price_exponent=-8',
      [-8, 1_000_000, undefined, undefined],
    ],
    ['a coarser exponent that holds both', coin, 'qty_exponent=-4,tick=100', [-2, 10_000, -4, 1]],
    ['left alone without a setting', coin, '', [undefined, undefined, undefined, undefined]],
  ])('is %s', (_what, known, settings, expected) => {
    const { priceExponent, tickSize, qtyExponent, lotSize } = scaleOf(
      parseInstrument([known.name, settings].filter(Boolean).join(',')),
      known,
    );
    expect([priceExponent, tickSize, qtyExponent, lotSize]).toEqual(expected);
  });

  it('is told to the engine for what was given alone, and for nothing where only the name was', () => {
    const added: unknown[] = [];
    const listed = [coin];
    const engine = {
      instruments: () => listed,
      addInstrument: (name: string, scale?: object) => {
        added.push([name, scale]);
        const known = listed.find((one) => one.name === name);
        const id = known?.id ?? 10 + listed.length;
        if (known === undefined) listed.push({ ...es, id, name });
        return id;
      },
    } as unknown as Engine;
    catalogue(
      engine,
      ['binance:A', 'binance:A,tick=0.1', 'binance:B', 'binance:C,lot=10'].map(parseInstrument),
    );
    expect(added).toEqual([
      ['binance:A', { ...coin, priceExponent: -2, tickSize: 10 }],
      ['binance:B', undefined],
      ['binance:C', undefined],
      ['binance:C', { qtyExponent: 0, lotSize: 10 }],
    ]);
  });

  it.each([
    ['tick=0.25,price_exponent=-1', '0.25', 'tick=0.1'],
    ['price_exponent=0', '0.01', 'tick=1'],
    ['tick=123456789012345678', '123456789012345678', 'tick=0.01'],
  ])('is refused where it cannot be exact: %s', (settings, got, fix) => {
    const error = fault(() => scaleOf(parseInstrument(`binance:A,${settings}`), coin));
    expect([error.code, error.got]).toEqual(['config.instrument', got]);
    expect(error.fix).toContain(fix);
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
