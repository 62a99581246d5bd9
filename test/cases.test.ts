import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import type { BookJson } from '../src/publish/book-json.js';
import { DATA_FOLDER } from './support/recordings.js';
import { verifyCommand } from './support/verify-command.js';

const FOLDER = join(dirname(DATA_FOLDER), 'cases');

/** What a book comes to, in `verify` and in `serve`. */
interface Expected {
  readonly state: string;
  readonly reason?: string;
  readonly bestBid?: string | null;
  readonly bestAsk?: string | null;
  readonly bids?: number;
  readonly beyondKnown?: boolean;
}

interface Case {
  /** What happens in the world. */
  readonly kind: string;
  readonly files: readonly string[];
  readonly instrument?: string;
  /** Exit code of `verify`. */
  readonly code: number;
  readonly books: Readonly<Record<string, Expected>>;
  /** Counts of the report. */
  readonly counts?: Readonly<Record<string, number>>;
}

const SYNCED = { state: 'synced', reason: 'none' } as const;
const NOBODYS = { state: 'syncing', bestBid: null, bestAsk: null, bids: 0 } as const;

const CASES: readonly Case[] = [
  {
    kind: 'trades that are no executions are not on the feed',
    files: ['01-venue-kind-of-trade/kinds.txt'],
    code: 0,
    books: { 'binance-usdm:ETHUSDT': { ...SYNCED, bestBid: '3424.98', bestAsk: '3424.99' } },
    counts: { trades: 1, decodeErrors: 0 },
  },
  {
    kind: 'a symbol in any script, beside another',
    files: ['02-non-ascii-symbol/mixed.txt'],
    code: 1,
    books: { 'binance:BTCUSDT': NOBODYS, 'binance:币安人生USDT': NOBODYS },
    counts: { decodeErrors: 0, unattributed: 1, trades: 1 },
  },
  {
    kind: 'a symbol that is written as escapes',
    files: ['02-non-ascii-symbol/escaped.txt'],
    code: 0,
    books: { 'binance:币安人生USDT': { ...SYNCED, bestBid: '0.1234', bestAsk: '0.1235' } },
  },
  {
    kind: 'a quantity beyond what a number holds',
    files: ['03-large-quantities/edge-above.txt'],
    code: 0,
    books: { 'binance:DOGEUSDT': { ...SYNCED, bestBid: '0.1', bestAsk: '0.10001' } },
  },
  {
    kind: 'quantities of a cheap coin',
    files: ['03-large-quantities/pepe.txt'],
    code: 0,
    books: { 'binance:PEPEUSDT': { ...SYNCED, bestBid: '0.00001', bestAsk: '0.00001001', bids: 3 } },
  },
  {
    kind: 'a venue that begins to number anew',
    files: ['04-ids-go-back/spot.txt'],
    code: 0,
    books: { 'binance:BTCUSDT': { ...SYNCED, bestBid: '200', bestAsk: '201' } },
    counts: { gaps: 1, resyncs: 1 },
  },
  {
    kind: 'files in order, the second of a restarted recorder',
    files: ['04-ids-go-back/day1.txt', '04-ids-go-back/day2.txt'],
    code: 0,
    books: { 'binance:BTCUSDT': { ...SYNCED, bestBid: '200', bestAsk: '201' } },
    counts: { gaps: 1, resyncs: 1, backward: 0 },
  },
  {
    kind: 'files in the wrong order',
    files: ['04-ids-go-back/day2.txt', '04-ids-go-back/day1.txt'],
    code: 1,
    books: { 'binance:BTCUSDT': { ...SYNCED, bestBid: '200', bestAsk: '201' } },
    counts: { backward: 1 },
  },
  {
    kind: 'a ticker with a number of the future, and a later one that contradicts',
    files: ['04-ids-go-back/ticker-from-the-future.txt'],
    code: 1,
    books: { 'binance-usdm:ETHUSDT': { state: 'stale', reason: 'contradiction' } },
  },
  {
    kind: 'captures that rotate',
    files: ['05-rotated-pcap/rot0.pcap', '05-rotated-pcap/rot1.pcap'],
    code: 0,
    books: { 'nasdaq:ABCD': { ...SYNCED, bids: 2, bestBid: '100', bestAsk: '101' } },
  },
  {
    kind: 'a recorder that was killed',
    files: ['06-gzip-tail/killed.gz'],
    code: 1,
    books: { 'binance:BTCUSDT': { state: 'stale', reason: 'source_failed', bids: 2, bestBid: '100' } },
    counts: { applied: 3 },
  },
  {
    kind: 'a recorder that appended behind an unfinished member',
    files: ['06-gzip-tail/restarted.gz'],
    code: 1,
    books: { 'binance:BTCUSDT': { state: 'stale', reason: 'source_failed', bids: 2, bestBid: '100' } },
    counts: { applied: 3 },
  },
  {
    kind: 'pzstd',
    files: ['07-pzstd/base.txt.pzst.zst'],
    code: 0,
    books: { 'binance:BTCUSDT': { ...SYNCED, bids: 2, bestBid: '100', bestAsk: '101' } },
  },
  {
    kind: 'receive times in microseconds',
    files: ['08-receive-time-unit/microseconds.txt'],
    code: 0,
    books: { 'binance-usdm:ETHUSDT': { ...SYNCED, bestBid: '3424.98' } },
    counts: { applied: 2 },
  },
  {
    kind: 'a best price beyond what the snapshot knew, and a later snapshot that knows more',
    files: ['09-beyond-the-snapshot/in.txt'],
    code: 0,
    books: { 'binance:BTCUSDT': { ...SYNCED, bids: 4, bestBid: '102.6', beyondKnown: false } },
    counts: { snapshots: 2 },
  },
  {
    kind: 'two publishers of one instrument number',
    files: ['10-several-publishers/in.dbn'],
    code: 0,
    books: {
      'databento:AAPL@39': { ...SYNCED, bestBid: '190', bestAsk: null },
      'databento:AAPL@40': { ...SYNCED, bestBid: null, bestAsk: '191' },
    },
  },
  {
    kind: 'a venue that refines its tick',
    files: ['11-tick-size-change/in.txt'],
    code: 0,
    books: { 'binance-usdm:ETHUSDT': { ...SYNCED, bestBid: '3424.985', bestAsk: '3424.99' } },
    counts: { applied: 4 },
  },
  {
    kind: 'a last update at a finer tick',
    files: ['11-tick-size-change/last-update-refused.txt'],
    code: 0,
    books: { 'binance-usdm:ETHUSDT': { ...SYNCED } },
    counts: { decodeErrors: 0 },
  },
  {
    kind: 'a byte order mark',
    files: ['12-byte-order-mark/bom.txt'],
    code: 0,
    books: { 'binance:BTCUSDT': { ...SYNCED, bids: 2, bestBid: '100' } },
    counts: { snapshots: 1 },
  },
  {
    kind: 'a restarted recorder whose snapshot comes before its updates',
    files: ['19-recorder-restart/snapshot-first.txt'],
    code: 0,
    books: { 'binance:BTCUSDT': { ...SYNCED, bestBid: '200', bestAsk: '201' } },
    counts: { gaps: 1, resyncs: 1 },
  },
  {
    kind: 'snapshots that name no symbol, among two',
    files: ['20-foreign-snapshot/recording.txt'],
    code: 1,
    books: { 'binance:XYZUSDT': NOBODYS, 'binance:ABCUSDT': NOBODYS },
    counts: { unattributed: 2, applied: 0 },
  },
  ...['XYZUSDT', 'ABCUSDT'].map((symbol) => ({
    kind: `snapshots that name no symbol, and ${symbol} is asked for`,
    files: ['20-foreign-snapshot/recording.txt'],
    instrument: `binance:${symbol}`,
    code: 1,
    books: { [`binance:${symbol}`]: NOBODYS },
    counts: { unattributed: 2, applied: 0 },
  })),
  ...['SUSHIUSDT', 'CTKUSDT'].map((symbol) => ({
    kind: `a recorded snapshot that names no symbol, and ${symbol} is asked for`,
    files: ['20-foreign-snapshot/real.txt'],
    instrument: `binance-usdm:${symbol}`,
    code: 1,
    books: { [`binance-usdm:${symbol}`]: NOBODYS },
    counts: { unattributed: 1, applied: 0 },
  })),
  {
    kind: 'a book that the venue’s own top contradicts at the same number',
    files: ['21-bbo-contradiction/recording.txt'],
    code: 1,
    books: { 'binance-coinm:BTCUSD_PERP': { state: 'stale', reason: 'contradiction' } },
    counts: { contradictions: 1 },
  },
  {
    kind: 'a supplier that says that its book may be bad',
    files: ['22-mbo-maybe-bad-book/recording.mbo.dbn'],
    code: 1,
    books: { 'databento:SYM0': { state: 'stale', reason: 'venue_doubt' } },
  },
  {
    kind: 'a cancel whose side contradicts its order',
    files: ['23-mbo-cancel-contradicts/wrong-side.mbo.dbn'],
    code: 1,
    books: { 'databento:SYM0': { state: 'stale', reason: 'contradiction' } },
  },
];

const titled = CASES.map((one) => [one.kind, one] as const);
const pathsOf = ({ files }: Case): readonly string[] => files.map((file) => join(FOLDER, file));

describe.skipIf(!existsSync(FOLDER))(`inputs that people meet (skips only where ${FOLDER} is absent)`, () => {
  const table: string[] = [];
  afterAll(() => {
    process.stdout.write(`${table.join('\n')}\n`);
  });

  it.each(titled)('verify: %s', async (kind, one) => {
    const flags = one.instrument === undefined ? [] : ['--instrument', one.instrument];
    const { code, report } = await verifyCommand(...flags, ...pathsOf(one));
    const got = Object.fromEntries(report.books.map((book) => [book.instrument, book]));
    table.push(
      `verify  ${kind}: ${report.books.map((book) => `${book.instrument} ${book.state} (${book.reason}) ${book.bestBid}/${book.bestAsk}`).join(', ')}; exit ${code}`,
    );
    const { beyondKnown: _, ...counts } = { beyondKnown: 0, ...one.counts };
    expect(report).toMatchObject(counts);
    expect(Object.keys(got).toSorted()).toEqual(Object.keys(one.books).toSorted());
    for (const [name, { beyondKnown: _known, ...book }] of Object.entries(one.books)) {
      expect(got[name]).toMatchObject(book);
      // Whoever is not proven is told why, and what helps.
      expect(got[name]?.fix === null).toBe(book.state === 'synced');
    }
    expect(code).toBe(one.code);
  });

  it.each(titled)('serve: %s', async (kind, one) => {
    const config = configFrom({
      server: { port: 0, drainMs: 100 },
      instruments: one.instrument === undefined ? [] : [{ name: one.instrument }],
      replay: { files: pathsOf(one), speed: 'max', loop: false },
    });
    const told: string[] = [];
    const serving = await startServing(config, new Map(), (line) => told.push(line));
    try {
      await serving.source.ended.catch(() => {});
      const isBackward = told.some((line) => line.startsWith('time runs backward in '));
      expect(isBackward).toBe((one.counts?.backward ?? 0) > 0);
      for (const [name, expected] of Object.entries(one.books)) {
        const answer = await fetch(`${serving.url}v1/book/${encodeURIComponent(name)}`);
        const book = (await answer.json()) as BookJson;
        const { state, reason, bids, asks } = book;
        const [bestBid, bestAsk] = [bids[0]?.[0] ?? null, asks[0]?.[0] ?? null];
        table.push(`serve   ${kind}: ${name} ${state} (${reason}) ${bestBid}/${bestAsk}`);
        const { bids: count, ...rest } = expected;
        expect({ ...book, bestBid, bestAsk }).toMatchObject(rest);
        if (count !== undefined) expect(book.bidCount).toBe(count);
      }
    } finally {
      await serving.stop('test is over');
    }
  });
});
