import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ageWords } from '../src/cli/instruments.js';
import { run } from '../src/cli/program.js';
import { instrumentPage, openEngine } from '../src/engine.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-lists-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SPOT = (tick: string, ...symbols: readonly string[]): string =>
  JSON.stringify({
    symbols: symbols.map((symbol) => ({
      symbol,
      status: symbol.startsWith('X') ? 'BREAK' : 'TRADING',
      baseAsset: symbol.slice(0, 3),
      quoteAsset: symbol.slice(3),
      filters: [
        { filterType: 'PRICE_FILTER', tickSize: tick },
        { filterType: 'LOT_SIZE', stepSize: '0.00100' },
      ],
    })),
  });

const KRAKEN = `{"error":[],"result":{
  "XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","pair_decimals":1,"lot_decimals":8,"tick_size":"0.1","status":"online"},
  "DARK":{"altname":"DARK","pair_decimals":1,"lot_decimals":8}}}`;

const USDM = `{"symbols":[{"symbol":"BTCUSDT_240329","contractType":"CURRENT_QUARTER","deliveryDate":1711699200000,
  "status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT","filters":[
  {"tickSize":"0.10","filterType":"PRICE_FILTER"},{"stepSize":"0.001","filterType":"LOT_SIZE"}]}]}`;

describe('the addon', () => {
  it('reads a venue’s list into what it says of each instrument', () => {
    const { instruments, passedOver, next } = instrumentPage('kraken', Buffer.from(KRAKEN));
    expect([passedOver, next, instruments.length]).toEqual([1, undefined, 1]);
    expect(instruments[0]).toMatchObject({
      name: 'kraken:BTC/USD',
      symbol: 'BTC/USD',
      priceExponent: -1,
      tickSize: 1,
      qtyExponent: -8,
      kind: 'spot',
      status: 'trading',
    });
    expect(instruments[0]?.codes).toContain('XXBTZUSD');
    expect(instruments[0]).not.toHaveProperty('id');
    expect(instrumentPage('binance-usdm', Buffer.from(USDM)).instruments[0]).toMatchObject({
      kind: 'future',
      settle: 'USDT',
      expiryMs: 1_711_699_200_000,
    });
  });

  it.each([
    ['binance', '<html>', 'decode.not_json'],
    ['binance', '{"symbols":[]}', 'decode.no_instruments'],
    ['binance', '{"code":-1,"msg":"x"}', 'decode.not_instruments'],
    ['binance', SPOT('0.01', 'BTCUSDT', 'BTCUSDT').replace('0.01', '0.02'), 'decode.instrument_twice'],
    ['nasdaq', '{}', 'decode.not_instruments'],
    ['nowhere', '{}', 'instrument.unknown_venue'],
  ])('of %s refuses %s as %s', (venue, text, code) => {
    expect(() => instrumentPage(venue, Buffer.from(text))).toThrow(
      expect.objectContaining({ code, fix: expect.stringMatching(/./) as unknown }) as Error,
    );
  });

  it('lets an engine take over what is listed, while its books run', () => {
    using engine = openEngine(
      { startId: 1, silenceMs: 0, replay: false, outputBytes: 4 << 20 },
      {
        onFrame() {},
        onAsk() {},
        onSay() {},
        onFault(error) {
          throw error;
        },
      },
    );
    const define = (tick: string, ...names: readonly string[]) =>
      engine.define('binance', Buffer.from(SPOT(tick, 'BTCUSDT', 'ETHUSDT', 'XRPUSDT')), names);
    const first = define('0.01', 'ETHUSDT', 'NOTHERE');
    expect(first).toEqual([
      {
        id: expect.any(Number) as number,
        symbol: 'ETHUSDT',
        listed: expect.stringMatching(/new|changed/) as string,
      },
    ]);
    const id = first[0]?.id ?? 0;
    expect(engine.instrument(id)).toMatchObject({
      name: 'binance:ETHUSDT',
      priceExponent: -2,
      tickSize: 1,
      base: 'ETH',
    });
    expect(define('0.01', 'ETHUSDT')).toMatchObject([{ id, listed: 'same' }]);
    engine.openSource('binance', [id]);
    expect(define('0.0010', 'ETHUSDT')).toMatchObject([{ id, listed: 'changed' }]);
    expect(engine.instrument(id)).toMatchObject({ priceExponent: -3, tickSize: 1 });
    expect(() => engine.define('binance', Buffer.from('{}'), ['ETHUSDT'])).toThrow(
      expect.objectContaining({ code: 'decode.not_instruments' }) as Error,
    );
  });
});

describe('depthwire instruments', () => {
  let answer = '';
  const server = createServer((_request, response) => response.end(answer));
  beforeAll(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const url = (from: string): string => `"${from}" = "http://127.0.0.1:${port}"`;
    writeFileSync(
      join(folder, 'depthwire.toml'),
      `[catalogue]
cache_dir = "${join(folder, 'cache')}"
[sources.binance]
instruments = ["*"]
[sources.binance.urls]
${url('https://data-api.binance.vision')}
[sources.k]
venue = "kraken"
instruments = ["*"]
[sources.k.urls]
${url('https://api.kraken.com')}
`,
    );
  });
  afterAll(() => server.close());

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
    const code = await run(['instruments', ...args], {
      stdout: terminal((text) => (out += text)),
      stderr: terminal((text) => (err += text)),
      signal: new AbortController().signal,
      env: {},
      folder,
      onHangup: () => () => {},
      endWithin() {},
    });
    return { code, out, err };
  }

  it('prints what patterns name, from the venue and then from the cache', async () => {
    answer = SPOT('0.01', 'BTCUSDT', 'BTCEUR', 'ETHUSDT');
    const { code, out, err } = await command('binance', 'BTC*');
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')).toEqual([
      'binance: 2 of 3, listed just now',
      'name             kind  tick  lot    contract  expires  strike  status   also',
      'binance:BTCUSDT  spot  0.01  0.001                             trading',
      'binance:BTCEUR   spot  0.01  0.001                             trading',
      '',
    ]);
    answer = '<html>maintenance</html>';
    expect((await command('binance', 'BTC*')).out).toBe(out);
    const json = JSON.parse((await command('binance', 'ETHUSDT', '--json')).out) as object;
    expect(json).toMatchObject({
      venue: 'binance',
      listed: 3,
      error: null,
      instruments: [{ symbol: 'ETHUSDT' }],
    });
  });

  it('says why it has an older list', async () => {
    answer = '<html>maintenance</html>';
    const { code, out, err } = await command('binance', '--refresh');
    expect([code, out.split('\n').length]).toEqual([0, 6]);
    expect(err).toContain('decode.not_json');
    expect(err).toContain('the list of before, just now, goes on to count');
    const json = JSON.parse((await command('binance', '--refresh', '--json')).out) as object;
    expect(json).toMatchObject({ error: { code: 'decode.not_json' } });
  });

  it('says which instruments a list lacks all at once, and keeps them', async () => {
    answer = SPOT('0.01', 'BTCUSDT');
    const { code, out, err } = await command('binance', '--refresh');
    expect([code, out.split('\n')[0]]).toEqual([0, 'binance: 3 of 3, listed just now']);
    expect(err).toContain('instruments.shrunken');
    expect(err).toContain('2 are missing: BTCEUR, ETHUSDT');
    expect(err).not.toContain('goes on to count');
    answer = SPOT('0.01', 'BTCUSDT', 'BTCEUR', 'ETHUSDT');
    expect((await command('binance', '--refresh')).err).toBe('');
  });

  it('asks the venue before it says that there is no such instrument', async () => {
    answer = SPOT('0.01', 'BTCUSDT', 'BTCEUR', 'ETHUSDT');
    await command('binance', '--refresh');
    // A list of a minute ago, which nothing was held against since.
    rmSync(join(folder, 'cache', 'binance.shorter.instruments'), { force: true });
    const path = join(folder, 'cache', 'binance.instruments');
    const text = readFileSync(path, 'utf8');
    writeFileSync(
      path,
      text.replace(/"fetchedMs":(\d+)/, (_all, ms: string) => `"fetchedMs":${Number(ms) - 60_000}`),
    );
    answer = SPOT('0.01', 'BTCUSDT', 'BTCEUR', 'ETHUSDT', 'NEWUSDT');
    expect((await command('binance', 'BTC*')).out).toContain('binance: 2 of 3, listed 1 min ago');
    expect((await command('binance', 'NEW*')).out).toContain('binance: 1 of 4, listed just now');
  });

  it('goes the way that its flags say, whatever the file says', async () => {
    answer = USDM;
    const { port } = server.address() as AddressInfo;
    const way = ['--url', `https://fapi.binance.com=http://127.0.0.1:${port}`];
    expect((await command('binance-usdm', ...way)).out).toContain('binance-usdm:BTCUSDT_240329');
    const { code, err } = await command('binance-coinm', '--ca-file', join(folder, 'nowhere.pem'));
    expect([code, err]).toEqual([2, expect.stringContaining('config.ca_file')]);
    const { err: proxied } = await command('binance-coinm', '--proxy', 'http://127.0.0.1:1');
    expect(proxied).toContain('ECONNREFUSED');
  });

  it('finds an instrument by each of its names', async () => {
    answer = KRAKEN;
    for (const name of ['BTC/USD', 'XBT/USD', 'XXBTZUSD', '*BTZ*']) {
      expect((await command('kraken', name)).out).toMatch(
        /kraken: 1 of 1, listed just now, 1 entries.*\n.*\nkraken:BTC\/USD/,
      );
    }
  });

  it.each([
    [['binanc'], 'instruments.unknown_venue', 'Write binance.', 2],
    [['binance', 'BTCUSTD'], 'instruments.no_such', 'Write binance:BTCUSDT.', 2],
    [['binance', 'DOGE*'], 'instruments.no_such', 'depthwire instruments binance', 2],
    [['nasdaq'], 'instruments.no_endpoint', 'one by one', 2],
  ])('%j is told as %s', async (args, code, fix, exit) => {
    const { code: ended, err } = await command(...args);
    expect(err).toContain(code);
    expect(err).toContain(fix);
    expect(ended).toBe(exit);
  });

  it.each([
    [0, 'just now'],
    [60_000, '1 min ago'],
    [7_199_999, '119 min ago'],
    [7_200_000, '2 h ago'],
    [172_800_000, '2 days ago'],
  ])('an age of %d ms is %s', (ms, words) => {
    expect(ageWords(ms)).toBe(words);
  });
});
