import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { linesOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { hasRecordings, RECORDED, RECORDED_SETS } from './support/recordings.js';
import { SpotOracle } from './support/spot-oracle.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A recording that holds nothing but book messages, tops and trades of one instrument, whole and in order. */
const NOTHING_ELSE = {
  recordingErrors: 0,
  contradictions: 0,
  unattributed: 0,
  foreign: 0,
  tickers: 0,
  liquidations: 0,
  statuses: 0,
  backward: 0,
  backwardIn: null,
  damages: [],
};

describe('verify', () => {
  it.skipIf(!hasRecordings).each(RECORDED_SETS.map((set) => [set.title, set] as const))(
    `finds the published numbers of %s ${RECORDED}`,
    async (_title, set) => {
      const { code, report, err } = await verifyCommand(...set.files);
      expect(err).toBe('');
      expect(report).toEqual({
        venue: set.instrument.split(':')[0],
        files: set.files,
        frames: set.frames,
        bookMessages: set.bookMessages,
        applied: set.applied,
        levelChanges: set.levelChanges,
        appliedLevelChanges: set.appliedLevelChanges,
        snapshots: 1,
        trades: set.trades,
        gaps: 0,
        resyncs: 0,
        crossed: 0,
        decodeErrors: 0,
        ...NOTHING_ELSE,
        bbo: { checked: set.tops, matched: set.tops },
        checksums: { checked: 0, matched: 0 },
        orders: null,
        books: [
          {
            instrument: set.instrument,
            state: 'synced',
            reason: 'none',
            fix: null,
            bids: set.bids,
            asks: set.asks,
            bestBid: set.bestBid,
            bestAsk: set.bestAsk,
            digest: set.digest,
            replicaDigest: set.digest,
            ordersDigest: null,
            hours: expect.any(Array) as unknown,
            holes: [],
            holesMore: 0,
          },
        ],
        elapsedMs: expect.any(Number) as unknown,
        framesPerSecond: expect.any(Number) as unknown,
      });
      const hours = report.books[0]?.hours ?? [];
      expect(hours.map(({ lostMs, holes }) => lostMs + holes)).toEqual(hours.map(() => 0));
      // The first message that is applied is in the image.
      expect(hours.reduce((sum, { changes }) => sum + changes, 0)).toBeCloseTo(set.applied, -1);
      expect(code).toBe(0);
    },
  );

  it.each([
    ['BTCUSDT', 7],
    ['ETHUSDT', 8],
  ])('finds in a simulated recording of %s what an oracle of two maps finds', async (symbol, seed) => {
    const lines = linesOf(simulatedRecording(symbol, 40_000, seed));
    const oracle = SpotOracle.of(lines);
    expect(oracle.applied).toBeGreaterThan(300);
    expect(oracle.bbo.checked).toBeGreaterThan(30);
    // Two files, one of them packed: one recording in parts, as the recorded sets are.
    const half = lines.length >> 1;
    const files = [join(folder, `${symbol}-1.gz`), join(folder, `${symbol}-2`)] as const;
    writeFileSync(files[0], gzipSync(textOf(lines.slice(0, half))));
    writeFileSync(files[1], textOf(lines.slice(half)));

    const { code, report, err } = await verifyCommand('--strict', '--instrument', `sim:${symbol}`, ...files);
    expect(err).toBe('');
    const { frames, bookMessages, applied, levelChanges, appliedLevelChanges, snapshots, trades } = oracle;
    expect(report).toEqual({
      venue: 'sim',
      files,
      frames,
      bookMessages,
      applied,
      levelChanges,
      appliedLevelChanges,
      snapshots,
      trades,
      gaps: oracle.gaps,
      resyncs: 0,
      crossed: oracle.crossed,
      decodeErrors: 0,
      ...NOTHING_ELSE,
      bbo: oracle.bbo,
      checksums: { checked: 0, matched: 0 },
      orders: null,
      books: [
        {
          instrument: `sim:${symbol}`,
          state: 'synced',
          reason: 'none',
          fix: null,
          bids: oracle.levels('bids').length,
          asks: oracle.levels('asks').length,
          bestBid: oracle.levels('bids')[0]?.[0],
          bestAsk: oracle.levels('asks')[0]?.[0],
          digest: oracle.digest,
          replicaDigest: oracle.digest,
          ordersDigest: null,
          hours: expect.any(Array) as unknown,
          holes: [],
          holesMore: 0,
        },
      ],
      elapsedMs: expect.any(Number) as unknown,
      framesPerSecond: expect.any(Number) as unknown,
    });
    expect([oracle.gaps, oracle.crossed]).toEqual([0, 0]);
    expect(code).toBe(0);
  });
});
