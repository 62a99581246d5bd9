import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Incident, Verdict } from '../src/cli/incident.js';
import { endOf } from './support/command.js';
import { dropped, linesOf, placeOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { DATA_FOLDER, hasRecordings, RECORDED } from './support/recordings.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-incident-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function named(ending: string): string {
  files += 1;
  return join(folder, `${files}${ending}`);
}

const LINES = linesOf(simulatedRecording('BTCUSDT', 6000));
const timeOf = (line: number): bigint => BigInt(LINES[line]?.split(' ')[0] ?? 0);

function recorded(lines: readonly string[]): string {
  const file = named('.txt');
  writeFileSync(file, textOf(lines));
  return file;
}

async function incidentOf(name: string, around: bigint, ...args: readonly string[]): Promise<Incident> {
  const { code, out, err } = await endOf(['incident', name, '--around', String(around), '--json', ...args]);
  expect(code, err).toBe(0);
  return JSON.parse(out);
}

describe('depthwire incident', () => {
  it('keeps a moment with the book before it, which goes on from there by itself', async () => {
    const file = recorded(LINES);
    const out = named('.dwj');
    const around = timeOf(Math.floor(LINES.length / 2));
    const found = await incidentOf('sim:BTCUSDT', around, file, '--seconds', '0.5', '-o', out);
    const { verdict, isSelfContained, records } = found;
    expect(isSelfContained).toBe(true);
    expect(statSync(out).size).toBe(found.bytes);
    expect(found.bytes).toBeLessThan(statSync(file).size);
    expect([verdict.before.state, verdict.after.state]).toEqual(['synced', 'synced']);
    expect(verdict.before.digest).not.toBe(verdict.after.digest);
    expect(verdict.before.bids[0]?.[0]).toMatch(/^\d+\.\d+$/);
    // Whoever has the file alone reads the same.
    const { code, report } = await verifyCommand(out);
    expect(code).toBe(0);
    expect(report.books.map(({ digest }) => digest)).toEqual([verdict.after.digest]);
    const inspected = await endOf(['inspect', '--json', out]);
    const [{ notes, holds }] = JSON.parse(inspected.out).files;
    expect(notes.map((note: string): Verdict => JSON.parse(note))).toEqual([verdict]);
    expect(holds.received + holds.answered + holds.setups).toBe(records);
    expect((await endOf(['inspect', out])).out).toContain('note');
    expect(
      await endOf(['incident', 'sim:BTCUSDT', file, '--around', String(around), '-o', out]),
    ).toMatchObject({
      code: 2,
      err: expect.stringContaining('export.exists'),
    });
  });

  it('says what was lost in it', async () => {
    const place = placeOf(LINES, 'depth', 30);
    const file = recorded(dropped(LINES, place));
    const out = named('.dwj');
    const { verdict, isSelfContained } = await incidentOf('sim:BTCUSDT', timeOf(place), file, '-o', out);
    expect(verdict.counted.gaps).toBe(1);
    expect(verdict.states.map(({ state, reason }) => [state, reason])).toContainEqual(['stale', 'gap']);
    expect(verdict.after.state).toBe('stale');
    expect(isSelfContained).toBe(true);
  });

  it('refuses times that the recording does not have', async () => {
    const file = recorded(LINES);
    for (const [around, expected] of [
      [1n, 'begins behind'],
      [4_000_000_000_000_000_000n, 'ends before'],
    ] as const) {
      const out = named('.dwj');
      const end = await endOf(['incident', 'sim:BTCUSDT', file, '--around', String(around), '-o', out]);
      expect(end).toMatchObject({ code: 2, err: expect.stringContaining(expected) });
      expect(() => readFileSync(out)).toThrow('ENOENT');
    }
    for (const wrong of [
      ['--around', 'yesterday'],
      ['--around', '5', '--seconds', '0'],
      ['--around', '5', '--seconds', '4000'],
    ]) {
      const end = await endOf(['incident', 'sim:BTCUSDT', file, '-o', named('.dwj'), ...wrong]);
      expect(end.code).toBe(2);
    }
  });

  it.skipIf(!hasRecordings).each([
    ['binance:BTCUSDT', 'binance/spot_btcusdt_20240808.gz', '2024-08-08T23:54:40Z'],
    ['kraken:BTC/USD', 'kraken/kraken_btcusd_sample.cbcap', ''],
    ['bitfinex:tETH2X:ETH', 'bitfinex/bitfinex_p0_20210405.txt.zst', ''],
    ['coinbase:BTC-USD', 'coinbase/coinbase_advanced_20260809.jsonl.zst', ''],
    ['databento:ESH4', 'cme-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst', '2023-12-26T00:00:00Z'],
  ])(`is of a recording of any form: %s ${RECORDED}`, async (name, recording, around) => {
    const file = join(DATA_FOLDER, recording);
    const { out: told } = await endOf(['inspect', '--json', file]);
    const [{ holds }] = JSON.parse(told).files;
    const middle = (BigInt(holds.firstNs ?? 0) + BigInt(holds.lastNs ?? 0)) / 2n;
    const at = around === '' ? String(middle) : around;
    const { code, out, err } = await endOf([
      'incident',
      name,
      file,
      '--around',
      at,
      '--json',
      '-o',
      named('.dwj'),
    ]);
    expect(code, err).toBe(0);
    const { verdict, isSelfContained }: Incident = JSON.parse(out);
    expect([verdict.before.state, verdict.after.state, isSelfContained]).toEqual(['synced', 'synced', true]);
  });
});
