import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { DepthwireError } from '../src/errors.js';
import { httpGet } from '../src/ingest/http-get.js';
import { InstrumentCache, userCacheFolder } from '../src/ingest/instrument-cache.js';
import { type InstrumentList, instrumentList, type PageReader, resolved } from '../src/ingest/instruments.js';
import { matching, type Named } from '../src/ingest/patterns.js';
import { shrinking } from '../src/ingest/shrunken-list.js';
import type { InstrumentsFacts } from '../src/ingest/venues/facts.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-instruments-'));
afterAll(() => rmSync(folder, { recursive: true }));

const one = (symbol: string, status = 'trading', ...codes: readonly string[]): Named => ({
  symbol,
  codes,
  status,
});

describe('a pattern', () => {
  const list = [
    one('BTC/USD', 'trading', 'XBT/USD', 'XXBTZUSD'),
    one('BTC/EUR', 'closed'),
    one('ETH/USD', 'halted'),
    one('tBTCF0:USTF0'),
    one('BTC-27MAR26-100000-C'),
    one('A+B.C'),
    one('币安人生USDT'),
  ];
  const found = (pattern: string): readonly string[] => matching(pattern, list).map(({ symbol }) => symbol);

  it.each<[string, readonly string[]]>([
    ['BTC*', ['BTC/USD', 'BTC-27MAR26-100000-C']],
    ['*', ['BTC/USD', 'ETH/USD', 'tBTCF0:USTF0', 'BTC-27MAR26-100000-C', 'A+B.C', '币安人生USDT']],
    ['***USD', ['BTC/USD', 'ETH/USD']],
    ['BTC/US?', ['BTC/USD']],
    ['?TH/USD', ['ETH/USD']],
    ['*-100000-C', ['BTC-27MAR26-100000-C']],
    ['tBTC*:UST*', ['tBTCF0:USTF0']],
    ['A+B.?', ['A+B.C']],
    ['A.B?C', []],
    ['币安??USDT', ['币安人生USDT']],
    ['btc*', []],
    ['XXBT*', ['BTC/USD']],
    ['XBT/USD', ['BTC/USD']],
    ['BTC/USD', ['BTC/USD']],
    ['BTC/EUR', ['BTC/EUR']],
    ['BTC', []],
  ])('%s names %j', (pattern, symbols) => {
    expect(found(pattern)).toEqual(symbols);
  });

  it('does not take long to say no', () => {
    const long = [one('A'.repeat(64))];
    const beginMs = performance.now();
    expect(matching(`${'*A'.repeat(12)}B`, long)).toEqual([]);
    expect(performance.now() - beginMs).toBeLessThan(1000);
  });

  it('that names nothing is refused, with the name that was meant', () => {
    const from = { product: 'kraken', instruments: list };
    expect(resolved(from, ['BTC*', 'XBT/USD'], 'here').map(({ symbol }) => symbol)).toEqual([
      'BTC/USD',
      'BTC-27MAR26-100000-C',
    ]);
    const fault = (pattern: string): DepthwireError => {
      try {
        resolved(from, [pattern], 'sources.kraken');
      } catch (error) {
        if (error instanceof DepthwireError) return error;
      }
      throw new Error('nothing was thrown');
    };
    expect(fault('BTC/USDT').toJSON()).toMatchObject({
      code: 'instruments.no_such',
      where: 'sources.kraken',
      got: 'BTC/USDT',
      fix: 'Write kraken:BTC/USD.',
    });
    expect(fault('DOGE*').fix).toContain('depthwire instruments kraken');
  });
});

/** A list of names with commas between, `>` and a cursor behind them. */
const read: PageReader<Named> = (_product, page) => {
  const text = Buffer.from(page).toString();
  if (text.startsWith('<')) throw new DepthwireError('decode.not_instruments', { what: 'no list', fix: 'x' });
  const [names = '', next] = text.split('>');
  if (names === '') throw new DepthwireError('decode.no_instruments', { what: 'empty', fix: 'x' });
  const instruments = names.split(',').map((name) => one(...(name.split('=') as [string, string])));
  return { instruments, passedOver: 1, ...(next === undefined ? {} : { next }) };
};

const FACTS: InstrumentsFacts = {
  urls: ['https://venue.example/list?kind=all'],
  weight: 1,
  budget: 'rest',
  page: { cursor: 'next', parameter: 'cursor' },
};

let caches = 0;

/** A venue whose answers a test sets, and a clock. */
class Venue {
  readonly asked: string[] = [];
  readonly cache = new InstrumentCache(join(folder, String(++caches)));
  nowMs = 1_000_000;
  answers: Readonly<Record<string, string>> = {};

  list(facts: InstrumentsFacts | null = FACTS, urls?: readonly string[]): Promise<InstrumentList<Named>> {
    const options = {
      cache: this.cache,
      refreshMs: 60_000,
      nowMs: () => this.nowMs,
      read,
      get: (url: string) => {
        this.asked.push(url);
        const answer = this.answers[url];
        if (answer !== undefined) return Promise.resolve(new Uint8Array(Buffer.from(answer)));
        return Promise.reject(
          new DepthwireError('http_get.unreachable', { what: 'nobody answers', fix: 'x' }),
        );
      },
    };
    return instrumentList('toy', facts, options, urls);
  }

  async symbols(): Promise<readonly string[]> {
    return (await this.list()).instruments.map(({ symbol }) => symbol);
  }
}

const URL_1 = 'https://venue.example/list?kind=all';
const URL_2 = 'https://venue.example/list?kind=all&cursor=p%262';

describe('a list of instruments', () => {
  it('is asked for, in all its parts, and kept until it is old', async () => {
    const venue = new Venue();
    venue.answers = { [URL_1]: 'A,B>p&2', [URL_2]: 'C,A' };
    const list = await venue.list();
    expect(list.instruments.map(({ symbol }) => symbol)).toEqual(['A', 'B', 'C']);
    expect([list.fetchedMs, list.passedOver, list.stale, list.pages.length]).toEqual([
      1_000_000,
      2,
      undefined,
      2,
    ]);
    expect(venue.asked).toEqual([URL_1, URL_2]);
    venue.nowMs += 59_999;
    const again = await venue.list();
    expect(again).toEqual({ ...list, pages: again.pages });
    const texts = ({ pages }: InstrumentList<Named>) => pages.map((page) => Buffer.from(page).toString());
    expect(texts(again)).toEqual(texts(list));
    expect(venue.asked).toHaveLength(2);
    venue.nowMs += 1;
    venue.answers = { [URL_1]: 'A,B,D' };
    expect(await venue.symbols()).toEqual(['A', 'B', 'D']);
  });

  it('is the old one, with its age and why, where the endpoint fails', async () => {
    const venue = new Venue();
    venue.answers = { [URL_1]: 'A' };
    await venue.list();
    venue.nowMs += 3_600_000;
    for (const [answer, code] of [
      [undefined, 'http_get.unreachable'],
      ['<html>', 'decode.not_instruments'],
      ['', 'decode.no_instruments'],
      ['A=1,A=2', 'instruments.contradiction'],
    ] as const) {
      venue.answers = answer === undefined ? {} : { [URL_1]: answer };
      const list = await venue.list();
      expect([list.fetchedMs, list.instruments.length, list.stale?.code]).toEqual([1_000_000, 1, code]);
    }
  });

  it.each([
    [undefined, 'http_get.unreachable'],
    ['<html>', 'decode.not_instruments'],
    ['', 'decode.no_instruments'],
    ['A=1,A=2', 'instruments.contradiction'],
    ['A>', undefined],
  ])('%j without one of before is %s', async (answer, code) => {
    const venue = new Venue();
    if (answer !== undefined) venue.answers = { [URL_1]: answer };
    if (code === undefined) expect(await venue.symbols()).toEqual(['A']);
    else await expect(venue.list()).rejects.toMatchObject({ code });
  });

  it('names the address of an answer that is none', async () => {
    const venue = new Venue();
    venue.answers = { [URL_1]: 'A>p&2', [URL_2]: '<html>' };
    await expect(venue.list()).rejects.toMatchObject({
      where: URL_2,
      fix: expect.stringContaining('maintenance') as unknown,
    });
  });

  it('ends at a part without instruments, and is refused where it has no end', async () => {
    const venue = new Venue();
    venue.answers = { [URL_1]: 'A>p&2', [URL_2]: '' };
    expect(await venue.symbols()).toEqual(['A']);
    venue.nowMs += 60_000;
    const endless = new Venue();
    endless.answers = { [URL_1]: 'A>p&2', [URL_2]: 'B>p&2' };
    await expect(endless.list()).rejects.toMatchObject({ code: 'instruments.endless' });
    expect(endless.asked).toHaveLength(64);
  });

  it('that no endpoint gives is said so', async () => {
    await expect(new Venue().list(null)).rejects.toMatchObject({ code: 'instruments.no_endpoint' });
  });

  it('of another address is another list, and a damaged file or one of the future is none', async () => {
    const venue = new Venue();
    venue.answers = { [URL_1]: 'A', 'http://127.0.0.1:1/': 'Z' };
    await venue.list();
    expect((await venue.list(FACTS, ['http://127.0.0.1:1/'])).instruments).toEqual([one('Z', undefined)]);
    venue.asked.length = 0;
    await venue.list();
    const path = venue.cache.pathOf('toy');
    const whole = readFileSync(path);
    for (const damaged of [whole.subarray(0, -1), Buffer.from('{}\n'), Buffer.from('x'), Buffer.alloc(0)]) {
      writeFileSync(path, damaged);
      expect(await venue.symbols()).toEqual(['A']);
    }
    expect(venue.asked).toHaveLength(5);
    venue.nowMs -= 1;
    await venue.list();
    expect(venue.asked).toHaveLength(6);
  });

  it('is as good where it cannot be kept', async () => {
    writeFileSync(join(folder, 'file'), '');
    const venue = new Venue();
    venue.answers = { [URL_1]: 'A' };
    const list = await instrumentList('toy', FACTS, {
      cache: new InstrumentCache(join(folder, 'file', 'below')),
      refreshMs: 1,
      nowMs: () => 1,
      read,
      get: () => Promise.resolve(Buffer.from('A')),
    });
    expect(list.instruments).toEqual([one('A', undefined)]);
  });

  it('is kept in the folder for caches', () => {
    expect(userCacheFolder({ XDG_CACHE_HOME: '/c' })).toBe('/c/depthwire');
    expect(userCacheFolder({})).toMatch(/\.cache.depthwire$/);
  });
});

describe('a list that is shorter than the one before', () => {
  const HOUR_MS = 3_600_000;
  /** A venue that has listed A, B, C and D, an hour ago. */
  async function listed(answer = 'A,B,C,D'): Promise<Venue> {
    const venue = new Venue();
    venue.answers = { [URL_1]: answer };
    await venue.list();
    venue.nowMs += HOUR_MS;
    return venue;
  }

  it('by one instrument is believed at once', async () => {
    const venue = await listed();
    venue.answers = { [URL_1]: 'A,B,C' };
    const list = await venue.list();
    expect([list.instruments.length, list.stale, list.before]).toEqual([3, undefined, undefined]);
  });

  it('by several is believed once a second one lacks the same, a minute later', async () => {
    const venue = await listed();
    venue.answers = { [URL_1]: 'A,B,E' };
    const list = await venue.list();
    expect(list.instruments.map(({ symbol }) => symbol)).toEqual(['A', 'B', 'E', 'C', 'D']);
    expect(list.before?.symbols).toEqual(['C', 'D']);
    expect(list.before?.pages.map((page) => Buffer.from(page).toString())).toEqual(['A,B,C,D']);
    expect(list.stale?.toJSON()).toMatchObject({
      code: 'instruments.shrunken',
      got: '2 are missing: C, D',
      fix: expect.stringContaining('60 s') as unknown,
    });
    venue.nowMs += 59_999;
    expect((await venue.list()).stale?.code).toBe('instruments.shrunken');
    venue.nowMs += 1;
    const second = await venue.list();
    expect([second.instruments.length, second.stale]).toEqual([3, undefined]);
    // From then on it is the list, and young.
    venue.asked.length = 0;
    expect(await venue.symbols()).toEqual(['A', 'B', 'E']);
    expect(venue.asked).toEqual([]);
  });

  it('by others each time, or whole again, takes nothing away', async () => {
    const venue = await listed();
    for (const answer of ['A,B', 'C,D', 'A', 'A,D']) {
      venue.answers = { [URL_1]: answer };
      venue.nowMs += 120_000;
      expect([...(await venue.symbols())].sort()).toEqual(['A', 'B', 'C', 'D']);
    }
    venue.answers = { [URL_1]: 'A,B,C,D' };
    const whole = await venue.list();
    expect(whole.stale).toBeUndefined();
    // The doubt of before is no first list for the next one.
    venue.nowMs += 2 * HOUR_MS;
    venue.answers = { [URL_1]: 'A,D' };
    expect((await venue.list()).stale?.code).toBe('instruments.shrunken');
  });

  it('by what was closed or has come to its end is believed at once', async () => {
    const venue = await listed('A,B=closed,C=closed,D=closed');
    venue.answers = { [URL_1]: 'A' };
    expect((await venue.list()).stale).toBeUndefined();
    const ended = shrinking(
      { instruments: ['A', 'B'].map((symbol) => ({ ...one(symbol), expiryMs: 5 })), fetchedMs: 1 },
      { instruments: [], fetchedMs: 5 },
      undefined,
      1,
    );
    expect(ended.kept).toEqual([]);
  });

  it('is believed where the one before is more than a day old', async () => {
    const venue = await listed();
    venue.nowMs += 24 * HOUR_MS;
    venue.answers = { [URL_1]: 'A' };
    expect(await venue.symbols()).toEqual(['A']);
  });

  it('is held against the one before where nothing can be kept on disk', async () => {
    const venue = await listed();
    rmSync(venue.cache.pathOf('toy'));
    venue.answers = { [URL_1]: 'A' };
    expect((await venue.list()).instruments).toHaveLength(4);
  });
});

describe('an address that is asked', () => {
  async function answered(answer: RequestListener): Promise<Uint8Array> {
    const server = createServer(answer);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      return await httpGet({})(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it('gives its bytes', async () => {
    expect(Buffer.from(await answered((_request, response) => response.end('abc'))).toString()).toBe('abc');
  });

  it.each<[string, RequestListener, string, string]>([
    [
      '418',
      (_request, response) => response.writeHead(418, { 'retry-after': '120' }).end(),
      'http_get.refused',
      '120 s',
    ],
    ['503', (_request, response) => response.writeHead(503).end('<html>'), 'http_get.refused', 'later'],
    [
      'another address',
      (_request, response) => response.writeHead(302, { location: '/x' }).end(),
      'http_get.refused',
      'later',
    ],
    [
      'too much',
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc((64 << 20) + 1))),
      'http_get.too_big',
      'own',
    ],
    [
      'half an answer',
      (_request, response) =>
        response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy()),
      'http_get.unreachable',
      '--proxy',
    ],
  ])('and answers %s is told as that', async (_what, answer, code, fix) => {
    const error = await answered(answer).catch((error: unknown) => error);
    expect(error).toMatchObject({ code, fix: expect.stringContaining(fix) as unknown });
  });

  it('is reached through a proxy where one is named', async () => {
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const get = httpGet({ proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
    await expect(get('http://venue.example/list')).rejects.toMatchObject({
      code: 'http_get.unreachable',
      got: expect.stringContaining('refused venue.example:80') as unknown,
    });
    expect(asked).toEqual(['venue.example:80']);
    proxy.close();
  });

  it('and whose proxy does not answer is told as that', async () => {
    await expect(
      httpGet({ proxy: 'http://me:s3cret@127.0.0.1:1' })('http://127.0.0.1:2/'),
    ).rejects.toMatchObject({
      code: 'http_get.unreachable',
      got: 'the proxy 127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
    });
  });

  it('and does not answer is told as that', async () => {
    await expect(httpGet({})('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'http_get.unreachable' });
  });
});
