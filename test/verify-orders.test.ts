import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { failuresOf } from '../src/cli/verify-report.js';
import { captureOf, ItchMarket, zstdOf } from './support/itch-bytes.js';
import { hasRecordings, RECORDED, RECORDED_ORDERS } from './support/recordings.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-orders-'));
afterAll(() => rmSync(folder, { recursive: true }));

const STOCKS = ['ABCD', 'ZVZZT', 'BRK.A', 'WARR+'];
const market = new ItchMarket(STOCKS, 4_000, 5);

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('verify of order feeds', () => {
  it.each([
    ['a plain ITCH file', () => write('day.itch', market.file)],
    ['one packed with gzip', () => write('day.itch.gz', gzipSync(market.file))],
    ['one packed with zstd', () => write('day.itch.zst', zstdOf(market.file))],
    ['a capture of its packets', () => write('day.pcap', captureOf(market.messages, 9))],
    ['a packed capture', () => write('day.pcap.gz', gzipSync(captureOf(market.messages, 3)))],
  ])('proves %s against an oracle of plain maps', async (_name, make) => {
    const { code, report, err } = await verifyCommand('--strict', make());
    expect(err).toBe('');
    expect(report).toMatchObject({
      venue: 'nasdaq',
      gaps: 0,
      crossed: 0,
      decodeErrors: 0,
      trades: market.counts.executes,
      orders: {
        ...market.counts,
        modifies: 0,
        clears: 0,
        passedOver: 0,
        contradictions: 0,
        restingMax: market.restingMax,
      },
    });
    const expected = STOCKS.map((stock, index) => ({
      instrument: `nasdaq:${stock}`,
      state: 'synced',
      bids: market.levels(index + 1, 'B').length,
      asks: market.levels(index + 1, 'S').length,
      digest: market.digest(index + 1),
      replicaDigest: market.digest(index + 1),
      ordersDigest: market.digest(index + 1),
    }));
    const byName = (a: { instrument: string }, b: { instrument: string }): number =>
      a.instrument < b.instrument ? -1 : 1;
    expect([...report.books].sort(byName)).toMatchObject(expected.sort(byName));
    expect(code).toBe(0);
  });

  it('takes the one symbol that is asked for', async () => {
    const { code, report } = await verifyCommand(
      '--instrument',
      'nasdaq:ZVZZT',
      write('one.itch', market.file),
    );
    expect(report.books).toMatchObject([{ instrument: 'nasdaq:ZVZZT', digest: market.digest(2) }]);
    expect(code).toBe(0);
  });

  it('does not prove a book that the venue itself doubts', async () => {
    const { report } = await verifyCommand(write('doubted.itch', market.file));
    expect(failuresOf(report, false)).toEqual([]);
    const doubted = { ...report, orders: report.orders && { ...report.orders, doubts: 2 } };
    expect(failuresOf(doubted, false)).toEqual(['2 records by which the venue itself doubts their book']);
  });

  it('does not prove a capture with a hole', async () => {
    const capture = captureOf(market.messages, 9);
    // The length of the twelfth packet says where the thirteenth begins.
    let at = 24;
    for (let packet = 0; packet < 12; packet++) at += 16 + capture.readUInt32LE(at + 8);
    const cut = at + 16 + capture.readUInt32LE(at + 8);
    const file = write('hole.pcap', Buffer.concat([capture.subarray(0, at), capture.subarray(cut)]));
    const { code, report } = await verifyCommand(file);
    expect(report.gaps).toBe(1);
    expect(report.books.map(({ state }) => state)).toEqual(STOCKS.map(() => 'stale'));
    expect(code).not.toBe(0);
  });

  it.each([
    ['an ITCH file', 'cut.itch', () => market.file.subarray(0, -5)],
    ['a capture', 'cut.pcap', () => captureOf(market.messages, 9).subarray(0, -9)],
  ])('does not prove %s that breaks off', async (_what, name, make) => {
    const { code, report } = await verifyCommand(write(name, make()));
    expect(report.recordingErrors).toBe(1);
    expect(code).not.toBe(0);
  });

  it('reads a zstd file that breaks off as far as it goes, and proves nothing', async () => {
    const { code, report } = await verifyCommand(write('cut.zst', zstdOf(market.file).subarray(0, -9)));
    expect([code, report.damages.map((damage) => damage.code)]).toEqual([1, ['recording.truncated']]);
    expect(report.frames).toBeGreaterThan(0);
  });

  it.skipIf(!hasRecordings).each(RECORDED_ORDERS.map((set) => [set.name, set] as const))(
    `finds the published numbers of %s, order by order ${RECORDED}`,
    async (_name, set) => {
      const { code, report, err } = await verifyCommand('--strict', ...set.files);
      expect(err).toBe('');
      expect(report).toMatchObject({
        venue: set.instrument.split(':')[0],
        frames: set.frames,
        trades: set.trades,
        gaps: 0,
        decodeErrors: 0,
        orders: {
          adds: set.adds,
          reduces: set.reduces,
          modifies: set.modifies,
          untouching: set.untouching,
          events: set.events,
          contradictions: 0,
          passedOver: 0,
          restingMax: set.restingMax,
        },
        books: [
          {
            instrument: set.instrument,
            state: 'synced',
            bids: set.bids,
            asks: set.asks,
            bestBid: set.bestBid,
            bestAsk: set.bestAsk,
          },
        ],
      });
      const [book] = report.books;
      expect([book?.replicaDigest, book?.ordersDigest]).toEqual([book?.digest, book?.digest]);
      expect(code).toBe(0);
    },
  );
});
