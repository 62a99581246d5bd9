import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../src/cli/program.js';
import { changedKeys } from '../src/config/changes.js';
import { CONFIG_FILE, readConfigFile } from '../src/config/file.js';
import { initialConfig } from '../src/config/init.js';
import type { Layered } from '../src/config/layers.js';
import { fileJsonSchema, SETTINGS, SOURCE_SETTINGS } from '../src/config/settings.js';
import { configFrom } from '../src/config.js';
import { selfSigned } from '../src/fake-venue/certificate.js';
import { fault, type Given, layeredIn } from './support/layered.js';
import { issuer, jwksOf } from './support/tokens.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function layered(given: Given): Layered {
  return layeredIn(folder, given);
}

/** Runs the command line in the folder of this test. */
async function command(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal = (take: (text: string) => void) => ({
    isTty: false,
    hasColor: false,
    size: () => ({ columns: 80, rows: 24 }),
    atExit: () => () => {},
    write: (text: string): Promise<void> => Promise.resolve(take(text)),
  });
  const code = await run(args, {
    stdout: terminal((text) => (out += text)),
    stderr: terminal((text) => (err += text)),
    signal: AbortSignal.abort('the test'),
    env: {},
    folder,
    onHangup: () => () => {},
    endWithin() {},
  });
  return { code, out, err };
}

describe('a configuration in layers', () => {
  it('is the defaults where nothing is given', () => {
    expect(layered({}).config).toEqual(configFrom({}));
    expect(layered({}).given).toEqual([]);
  });

  it('takes a flag over the environment over the file over the default', () => {
    const file = '[server]\nport = 1\ndrain_ms = 2\nidle_timeout_seconds = 10\n';
    const env = { DEPTHWIRE_PORT: '3', DEPTHWIRE_DRAIN_MS: '4' };
    const { config, given } = layered({ file, env, flags: { texts: { port: ['5'] } } });
    expect(config.server).toMatchObject({ port: 5, drainMs: 4, idleTimeoutSeconds: 10, host: '127.0.0.1' });
    expect(given).toEqual([
      { key: 'server.port', value: 5, origin: '--port' },
      { key: 'server.drain_ms', value: 4, origin: 'DEPTHWIRE_DRAIN_MS' },
      { key: 'server.idle_timeout_seconds', value: 10, origin: 'given.toml:4' },
    ]);
  });

  it('takes an empty variable for none', () => {
    expect(layered({ env: { DEPTHWIRE_PORT: '' } }).config.server.port).toBe(8642);
  });

  it('reads every type of value from text', () => {
    const texts = {
      loop: ['true'],
      speed: ['2.5'],
      replay: ['a b', 'c'],
      'allow-host': ['x.example', 'y.example'],
      host: ['::1'],
    };
    expect(layered({ flags: { texts } }).config).toMatchObject({
      server: { host: '::1', allowHosts: ['x.example', 'y.example'] },
      replay: { files: ['a b', 'c'], speed: 2.5, loop: true },
    });
    const env = { DEPTHWIRE_REPLAY: 'a b', DEPTHWIRE_SPEED: 'max', DEPTHWIRE_LOOP: 'false' };
    expect(layered({ env }).config.replay).toEqual({
      files: ['a', 'b'],
      speed: 'max',
      loop: false,
      skipIdle: false,
    });
  });

  it('has one flag and one variable for each key', () => {
    const all = [...SETTINGS, ...SOURCE_SETTINGS];
    expect(new Set(all.map(({ flag }) => flag)).size).toBe(all.length);
    for (const { env } of all) expect(env).toMatch(/^DEPTHWIRE_[A-Z_]+$/);
    const words = Object.values(configFrom({})).length;
    expect(words).toBeGreaterThan(0);
    expect(all.map(({ key }) => key)).toEqual(
      expect.arrayContaining([
        'server.port',
        'limits.clients_max',
        'replay.files',
        'depth',
        'urls',
        'keys.key_env',
      ]),
    );
  });
});

describe('sources', () => {
  const file = `
[sources.binance]
instruments = ["BTC*", "ETHUSDT"]
channels = ["book", "trades"]
depth = 1000
lines = 2
proxy = "http://127.0.0.1:3128"

[sources.binance.urls]
"wss://data-stream.binance.vision" = "ws://127.0.0.1:9001"

[sources.deep]
venue = "kraken"
instruments = ["BTC/USD"]
keys = { key_env = "KRAKEN_KEY", secret_file = "secret" }
`;

  it('are tables of the file', () => {
    expect(layered({ file }).config.sources).toEqual({
      binance: {
        instruments: ['BTC*', 'ETHUSDT'],
        channels: ['book', 'trades'],
        depth: 1000,
        lines: 2,
        proxy: 'http://127.0.0.1:3128',
        urls: { 'wss://data-stream.binance.vision': 'ws://127.0.0.1:9001' },
        keys: {},
      },
      deep: {
        venue: 'kraken',
        instruments: ['BTC/USD'],
        lines: 1,
        urls: {},
        keys: { keyEnv: 'KRAKEN_KEY', secretFile: 'secret' },
      },
    });
  });

  it('need no file', () => {
    const sources = ['kraken:BTC/USD', 'binance:BTCUSDT', 'binance:ETH*', 'binance-usdm:tBTCF0:USTF0'];
    const { config } = layered({ flags: { sources } });
    expect(Object.entries(config.sources).map(([name, { instruments }]) => [name, instruments])).toEqual([
      ['kraken', ['BTC/USD']],
      ['binance', ['BTCUSDT', 'ETH*']],
      ['binance-usdm', ['tBTCF0:USTF0']],
    ]);
    expect(layered({ env: { DEPTHWIRE_SOURCES: sources.join(' ') } }).config).toEqual(config);
  });

  it('that are named are the ones served, with what the file says of each', () => {
    const { config } = layered({ file, flags: { sources: ['deep:ETH/USD'] } });
    expect(Object.keys(config.sources)).toEqual(['deep']);
    expect(config.sources.deep).toMatchObject({
      venue: 'kraken',
      instruments: ['ETH/USD'],
      keys: { keyEnv: 'KRAKEN_KEY' },
    });
  });

  it('take a setting each or all together', () => {
    const texts = {
      depth: ['50', 'deep=100'],
      channels: ['book,bbo'],
      'key-env': ['deep=K'],
      url: ['deep=wss://ws.kraken.com=ws://127.0.0.1:1'],
    };
    const { binance, deep } = layered({ file, flags: { texts } }).config.sources;
    expect([binance?.depth, binance?.channels, binance?.keys]).toEqual([50, ['book', 'bbo'], {}]);
    expect([deep?.depth, deep?.channels, deep?.keys.keyEnv]).toEqual([100, ['book', 'bbo'], 'K']);
    expect(deep?.urls).toEqual({ 'wss://ws.kraken.com': 'ws://127.0.0.1:1' });
    const env = { DEPTHWIRE_DEPTH: '50 deep=100' };
    expect(layered({ file, env }).config.sources.deep?.depth).toBe(100);
  });

  it('give way to recordings that a higher layer names, and the other way round', () => {
    const byFlag = layered({ file, flags: { texts: { replay: ['a'] } } }).config;
    expect([byFlag.sources, byFlag.replay?.files]).toEqual([{}, ['a']]);
    const both = layered({
      file: '[replay]\nfiles = ["a"]\n',
      flags: { sources: ['kraken:BTC/USD'] },
    }).config;
    expect([Object.keys(both.sources), both.replay]).toEqual([['kraken'], undefined]);
  });

  it.each<[string, Given, string, string, string]>([
    [
      'both in one layer',
      { file: `${file}[replay]\nfiles = ["a"]\n` },
      'config.conflict',
      'replay, sources',
      'Leave',
    ],
    [
      'a name without a venue',
      { flags: { sources: ['BTCUSDT'] } },
      'config.source',
      'the command line',
      'kraken:BTC/USD',
    ],
    [
      'a setting of a source that is not there',
      { file, flags: { texts: { depth: ['binanc=5'] } } },
      'config.no_such_source',
      '--depth',
      'Write binance=5.',
    ],
    [
      'a setting without a source',
      { flags: { texts: { lines: ['2'] } } },
      'config.no_such_source',
      '--lines',
      'Name what',
    ],
    [
      'a venue that is none',
      { flags: { sources: ['krakn:BTC/USD'] } },
      'config.source',
      'sources.krakn (the command line)',
      'Write kraken.',
    ],
    [
      'a venue of recordings only',
      { file: '[sources.a]\nvenue = "nasdaq"\ninstruments = ["AAPL"]\n' },
      'config.source',
      'sources.a.venue (given.toml:2)',
      '--replay FILE',
    ],
    [
      'the embedded venue',
      { env: { DEPTHWIRE_SOURCES: 'sim:BTCUSDT' } },
      'config.source',
      'sources.sim (DEPTHWIRE_SOURCES)',
      'without one',
    ],
    [
      'a channel that the venue does not offer',
      { file, flags: { texts: { channels: ['binance=book,orders'] } } },
      'config.channel',
      'sources.binance.channels (--channels)',
      'Leave it out',
    ],
    [
      'a channel that needs a key',
      { file: '[sources.kraken]\ninstruments = ["A"]\nchannels = ["orders"]\n' },
      'config.channel',
      'sources.kraken.channels (given.toml:3)',
      'sources.kraken.keys',
    ],
    [
      'a channel that is none',
      { file: '[sources.kraken]\ninstruments = ["A"]\nchannels = ["book", "tradse"]\n' },
      'config.invalid',
      'sources.kraken.channels.1 (given.toml:3)',
      'Write trades.',
    ],
    [
      'a source without instruments',
      { file: '\n[sources.kraken]\ndepth = 1\n' },
      'config.invalid',
      'sources.kraken.instruments (given.toml:2)',
      'a list with at least 1 entry',
    ],
    [
      'a depth out of its range',
      { file, env: { DEPTHWIRE_DEPTH: 'deep=0' } },
      'config.invalid',
      'sources.deep.depth (DEPTHWIRE_DEPTH)',
      'an integer from 1 to 10000',
    ],
    [
      'a proxy of another kind',
      { file, flags: { texts: { proxy: ['socks5://127.0.0.1'] } } },
      'config.invalid',
      'sources.binance.proxy (--proxy)',
      'http://HOST:PORT',
    ],
    [
      'a proxy of another kind, without its password',
      { file, flags: { texts: { proxy: ['socks5://me:s3cret@127.0.0.1'] } } },
      'config.invalid',
      'sources.binance.proxy (--proxy)',
      'http://HOST:PORT',
    ],
    [
      'an address without a replacement',
      { file, flags: { texts: { url: ['wss://a'] } } },
      'config.invalid',
      '--url',
      '--url',
    ],
    [
      'a depth that the venue does not offer',
      { flags: { sources: ['kraken:BTC/USD'], texts: { depth: ['37'] } } },
      'config.depth',
      'sources.kraken.depth (--depth)',
      'Write 100,',
    ],
    [
      'a depth beyond all that the venue offers',
      { file: '[sources.bybit]\ninstruments = ["A"]\ndepth = 5000\n' },
      'config.depth',
      'sources.bybit.depth (given.toml:3)',
      'Write 1000,',
    ],
    [
      'a stream that the product does not have',
      { flags: { sources: ['okx:BTC-USDT'], texts: { streams: ['boks5'] } } },
      'config.stream',
      'sources.okx.streams (--streams)',
      'Write books5.',
    ],
    [
      'a depth of another channel',
      {
        file: '[sources.kraken]\ninstruments = ["A"]\nchannels = ["orders"]\ndepth = 500\nkeys.key_env = "K"\n',
      },
      'config.depth',
      'sources.kraken.depth (given.toml:4)',
      'Write 1000,',
    ],
    [
      'a key in the file',
      { file: `${file}[sources.binance.keys]\nkey = "x"\n` },
      'config.unknown_key',
      'sources.binance.keys.key (given.toml:17)',
      'Remove key.',
    ],
    [
      'a key where its variable is due, unseen',
      { file: `${file}[sources.binance.keys]\nkey_env = "s3cret/"\n` },
      'config.invalid',
      'sources.binance.keys.key_env (given.toml:17)',
      'the name of an environment variable',
    ],
  ])('refuses %s', (_what, given, code, where, fix) => {
    const error = fault(() => layered(given));
    expect([error.code, error.where]).toEqual([code, where]);
    expect(error.fix).toContain(fix);
    expect(JSON.stringify(error)).not.toContain('s3cret');
  });
});

describe('a configuration file', () => {
  it.each([
    [
      '[server]\nport = 99999\n',
      'config.invalid',
      'server.port (given.toml:2)',
      'an integer from 0 to 65535',
      '99999',
    ],
    [
      'server.port = "x"\n',
      'config.invalid',
      'server.port (given.toml:1)',
      'an integer from 0 to 65535',
      '"x"',
    ],
    [
      '# a\n\n[[instruments]]\nname = "x"\n',
      'config.invalid',
      'instruments.0.name (given.toml:4)',
      'a name of the form venue:SYMBOL',
      '"x"',
    ],
    [
      '[server]\nprot = 1\n',
      'config.unknown_key',
      'server.prot (given.toml:2)',
      'host, port, allow_hosts, ',
      'prot',
    ],
    ['[sever]\n', 'config.unknown_key', 'sever (given.toml:1)', 'server, engine, limits, ', 'sever'],
    [
      '[source.kraken]\ninstruments = ["A"]\n',
      'config.unknown_key',
      'source (given.toml:1)',
      'server, engine, limits, ',
      'source',
    ],
    [
      '[sources.kraken]\ninstrument = ["A"]\n',
      'config.unknown_key',
      'sources.kraken.instrument (given.toml:2)',
      'venue, instruments, channels, depth, streams, lines, proxy, ca_file, urls, keys',
      'instrument',
    ],
    [
      '[sources.kraken]\ndepth = 10\n',
      'config.invalid',
      'sources.kraken.instruments (given.toml:1)',
      'a list with at least 1 entry',
      'nothing',
    ],
    [
      '[limits]\nclientsMax = 1\n',
      'config.unknown_key',
      'given.toml:2',
      'keys in lower case with _ between their words',
      'clientsMax',
    ],
    ['[server]\nport = \n', 'config.syntax', 'given.toml:2:8', 'TOML 1.0', 'invalid value'],
    ['server = 1\n', 'config.invalid', 'server (given.toml:1)', 'a table', '1'],
    [
      '[server]\nhost = "0.0.0.0"\n',
      'serve.public_bind',
      'server.host (given.toml:2)',
      'a host of this machine alone (127.0.0.1, ::1, localhost), or auth and TLS',
      '0.0.0.0',
    ],
    [
      'text = """\n[server]\nport = 1\n"""\n[server]\nport = "x"\n',
      'config.invalid',
      'server.port (given.toml:6)',
      'an integer from 0 to 65535',
      '"x"',
    ],
    [
      '[replay]\nspeed = 2\n',
      'config.replay',
      'replay.speed (given.toml:2)',
      '--replay FILE, or replay.files',
      'no recording',
    ],
  ])('%j is told with its place', (file, code, where, expected, got) => {
    const error = fault(() => layered({ file }));
    expect(error.toJSON()).toMatchObject({ code, where, expected: expect.stringContaining(expected), got });
  });

  it('is told how a list is written', () => {
    const error = fault(() => layered({ file: '[sources.kraken]\ninstruments = "BTC/USD"\n' }));
    expect([error.expected, error.fix]).toEqual(['a list with at least 1 entry', 'Write ["BTC/USD"].']);
  });

  it('that is not there, or is no file, is told as that', () => {
    expect(fault(() => readConfigFile('nowhere.toml', folder)).code).toBe('config.file_missing');
    expect(fault(() => readConfigFile('.', folder)).code).toBe('config.file_unreadable');
    writeFileSync(join(folder, 'huge.toml'), '#'.repeat((1 << 20) + 1));
    expect(fault(() => readConfigFile('huge.toml', folder)).code).toBe('config.file_too_big');
  });

  it('does not let a member of every object pass for a key', () => {
    expect(fault(() => layered({ file: '[__proto__]\nport = 1\n' })).code).toBe('config.syntax');
  });

  it('names a variable that is nearly one of ours, and leaves the others alone', () => {
    expect(fault(() => layered({ env: { DEPTHWIRE_PROT: '1' } })).fix).toContain(
      'Write DEPTHWIRE_PORT instead',
    );
    expect(layered({ env: { DEPTHWIRE_CHROMIUM: '/x', DEPTHWIRE_DATA: '/y' } }).given).toEqual([]);
  });
});

describe('a configuration that has changed', () => {
  const sources = (instruments: readonly string[], depth?: number) => ({
    kraken: { instruments: [...instruments], ...(depth === undefined ? {} : { depth }) },
  });
  const changed = (before: object, after: object): readonly string[] =>
    changedKeys(configFrom(before), configFrom(after));

  it('is taken over as far as instruments go, and the rest is named', () => {
    expect(changed({ sources: sources(['A']) }, { sources: sources(['A', 'B']) })).toEqual([]);
    expect(changed({}, {})).toEqual([]);
    expect(
      changed(
        { sources: sources(['A']), server: { port: 1 } },
        { sources: sources(['B'], 10), limits: { clientsMax: 7 } },
      ),
    ).toEqual(['server.port', 'limits.clients_max', 'sources.kraken.depth']);
    expect(changed({ engine: { silenceMs: 5 } }, { replay: { files: ['a'] } })).toEqual([
      'replay.files',
      'replay.speed',
      'replay.loop',
      'replay.skip_idle',
      'engine.silence_ms',
    ]);
  });

  it('names a source that came or went once', () => {
    expect(changed({ sources: sources(['A'], 10) }, {})).toEqual(['sources.kraken']);
    expect(changed({}, { sources: { ...sources(['A']), binance: { instruments: ['B'] } } })).toEqual([
      'sources.kraken',
      'sources.binance',
    ]);
  });
});

describe('depthwire config', () => {
  it('init writes what check accepts, as it is and with every key made real', async () => {
    expect(await command('config', 'init')).toMatchObject({ code: 0, err: '' });
    expect(await command('config', 'check')).toMatchObject({
      code: 0,
      out: 'depthwire.toml: nothing wrong, 0 keys given\n',
    });
    const again = await command('config', 'init');
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('config.file_exists')]);
    expect((await command('config', 'init', '--force')).code).toBe(0);
    expect(readFileSync(join(folder, CONFIG_FILE), 'utf8')).toBe(initialConfig());
    rmSync(join(folder, CONFIG_FILE));

    const real = initialConfig().replace(/^# ([a-z_]+ = |\[)/gm, '$1');
    const withoutReplay = real.replace(/\[replay\][\s\S]*(?=\[sim\])/, '');
    const withoutAddress = withoutReplay.replace(/^jwks_url = .*$/m, '');
    const { given } = layered({ file: withoutAddress });
    const keys = new Set(given.map(({ key }) => key));
    for (const { key } of SETTINGS)
      expect(keys.has(key) || /^replay\.|^auth.jwks_url$/.test(key), key).toBe(true);
    expect(keys).toContain('sources.kraken.keys.key_env');
    const defaults = configFrom({});
    const { server, limits, sim } = layered({ file: withoutAddress }).config;
    expect([server, limits, sim]).toEqual([defaults.server, defaults.limits, defaults.sim]);
  });

  it('check tells how open the server would be, and reads the keys of tokens', async () => {
    const flags = ['--host', '0.0.0.0', '--expose-without-tls', '--jwks-file', join(folder, 'jwks.json')];
    const missing = await command('config', 'check', ...flags);
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('auth.key_set_unreadable')]);
    writeFileSync(join(folder, 'jwks.json'), '{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}');
    const secret = await command('config', 'check', ...flags);
    expect([secret.code, secret.err]).toEqual([2, expect.stringContaining('key 0 is secret')]);
    expect(secret.err).not.toContain('c2VjcmV0');
    writeFileSync(join(folder, 'jwks.json'), jwksOf(issuer('a')));
    const { code, out } = await command('config', 'check', ...flags);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/0\.0\.0\.0 can be reached by others, without TLS/),
    ]);
  });

  it('check prints nothing secret of an address of keys, right or wrong', async () => {
    for (const [url, expected] of [
      ['https://login.example/jwks?code=s3cr3t', '"https://login.example/jwks?…"'],
      ['http://login.example/jwks?code=s3cr3t', 'http://login.example/jwks?…'],
      ['https://me:s3cr3t@login.example/jwks', '…@login.example'],
    ] as const) {
      const { out, err } = await command('config', 'check', '--jwks-url', url);
      expect(`${out}${err}`).toContain(expected);
      expect(`${out}${err}`).not.toContain('s3cr3t');
    }
  });

  it('check tells each key with where it was given, and hides the password of a proxy', async () => {
    writeFileSync(
      join(folder, 'a.toml'),
      '[sources.kraken]\ninstruments = ["BTC/USD"]\nproxy = "http://me:secret@p:1"\n',
    );
    const { code, out } = await command('config', 'check', '--config', 'a.toml', '--port', '0');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'a.toml: nothing wrong, 3 keys given',
      '  sources.kraken.instruments = ["BTC/USD"]  (a.toml:2)',
      '  sources.kraken.proxy = "http://…@p:1"  (a.toml:3)',
      '  server.port = 0  (--port)',
      '',
    ]);
  });

  it('check reads the files that serve would read', async () => {
    const at = (name: string): string => join(folder, name);
    const { cert } = selfSigned(new Date());
    writeFileSync(at('good.pem'), cert);
    writeFileSync(at('none.pem'), 'hello');
    writeFileSync(at('damaged.pem'), cert.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAA'));
    writeFileSync(at('key'), 'a key\n');
    writeFileSync(at('empty'), '');
    const kraken = (more: string): string => `[sources.kraken]\ninstruments = ["BTC/USD"]\n${more}\n`;
    const keys = (key: string, secret: string): string =>
      kraken(`[sources.kraken.keys]\nkey_file = "${at(key)}"\nsecret_file = "${at(secret)}"`);
    const checked = async (file: string) => {
      writeFileSync(at('files.toml'), file);
      return command('config', 'check', '--config', 'files.toml');
    };
    for (const good of [
      kraken(`ca_file = "${at('good.pem')}"`),
      keys('key', 'key'),
      `[replay]\nfiles = ["${at('key')}"]\n`,
    ]) {
      expect(await checked(good)).toMatchObject({ code: 0, err: '' });
    }
    for (const [wrong, code, text] of [
      [kraken(`ca_file = "${at('nowhere.pem')}"`), 'config.ca_file', 'ENOENT'],
      [kraken(`ca_file = "${at('none.pem')}"`), 'config.ca_file', 'no certificate in it'],
      [kraken(`ca_file = "${at('damaged.pem')}"`), 'config.ca_file', 'certificate 1 of 1 is damaged'],
      [keys('key', 'nowhere'), 'live.keys', 'sources.kraken.keys.secret_file'],
      [keys('empty', 'key'), 'live.keys', 'sources.kraken.keys.key_file'],
      [kraken('keys.key_env = "NOT_SET"'), 'live.keys', 'NOT_SET'],
      [`[replay]\nfiles = ["${at('key')}", "${at('nowhere.gz')}"]\n`, 'recording.missing', 'nowhere.gz'],
      [`[replay]\nfiles = ["${folder}"]\n`, 'recording.directory', 'Name its files'],
      [`[replay]\nfiles = ["${at('empty')}"]\n`, 'recording.empty', '0 bytes'],
    ] as const) {
      const { code: exit, out, err } = await checked(wrong);
      expect([out, err], wrong).toEqual(['', expect.stringContaining(code)]);
      expect(err, wrong).toContain(text);
      expect(exit, wrong).toBe(code === 'recording.empty' ? 1 : 2);
    }
  });

  it('schema describes what the file may hold', async () => {
    const { out } = await command('config', 'schema');
    const schema = JSON.parse(out) as { properties: Record<string, { properties: Record<string, object> }> };
    expect(schema).toEqual(JSON.parse(JSON.stringify(fileJsonSchema())));
    expect(schema.properties.server?.properties.port).toMatchObject({
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 8642,
    });
    expect(out).not.toMatch(/"[a-z]+[A-Z][a-zA-Z]*": \{\s+"(default|description)"/);
  });

  it('serve says which file it uses, and uses none that is not there', async () => {
    expect((await command('serve', '--port', '0')).out).not.toContain('config ');
    writeFileSync(join(folder, CONFIG_FILE), '[server]\nport = 0\n');
    expect((await command('serve')).out).toMatch(/^config {3}depthwire\.toml$/m);
    rmSync(join(folder, CONFIG_FILE));
    writeFileSync(join(folder, 'b.toml'), '[server]\nport = 0\n');
    expect((await command('serve', '--config', 'b.toml')).out).toMatch(/^config {3}b\.toml$/m);
    expect((await command('serve', '--config', 'c.toml')).err).toContain('config.file_missing');
  });
});
