import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { RACE, type RaceReport } from '../src/bench/race.js';
import { simulatedRecording } from './support/recording.js';
import { DATA_FOLDER, hasRecordings, RECORDED } from './support/recordings.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-race-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LINES = simulatedRecording('BTCUSDT', 5000).split('\n').slice(0, -1);

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The same messages, each received so much later. */
function behind(offsetNs: (at: number) => bigint, lines: readonly string[] = LINES): string {
  return lines
    .map((line, at) => {
      const end = line.indexOf(' ');
      return `${BigInt(line.slice(0, end)) + offsetNs(at)}${line.slice(end)}\n`;
    })
    .join('');
}

async function raced(files: readonly string[], lines?: readonly [string, string]) {
  const result = await RACE.run({ isQuick: true, files, ...(lines === undefined ? {} : { lines }) });
  return { ...result, report: result.data as RaceReport };
}

const first = file(
  'first',
  behind(() => 0n),
);

describe('a race', () => {
  it.each([250_000n, -3_000_000n, 17n])('finds that the second was behind by %s ns', async (offset) => {
    const { report, verdict, tables } = await raced([
      first,
      file(
        'second',
        behind(() => offset),
      ),
    ]);
    expect(verdict).toEqual({ word: 'PASS', reasons: [] });
    const [one, two] = report.sides;
    expect(report.matched + one.ambiguous).toBe(LINES.length);
    expect(report).toMatchObject({
      ties: 0,
      difference: { min: Number(-offset), p50: Number(-offset), max: Number(-offset) },
    });
    expect([one.first, two.first]).toEqual(offset > 0n ? [report.matched, 0] : [0, report.matched]);
    expect([one.alone, two.alone]).toEqual([0, 0]);
    // Who was never first has no lead, rather than one of 0.
    const loser = tables[0]?.rows[offset > 0n ? 1 : 0];
    expect(loser?.slice(-4)).toEqual(['–', '–', '–', '–']);
  });

  it('is by the message and not by its place, and tells who had it alone', async () => {
    // Every fourth is first on the other; a tenth of the lines is lost on it, and it is written backwards.
    const offset = (at: number): bigint => (at % 4 === 0 ? -40_000n : 10_000n);
    const there = behind(offset).split('\n').slice(0, -1);
    const kept = there.filter((_, at) => at % 10 !== 5).reverse();
    const packed = file('packed.gz', gzipSync(`${kept.join('\n')}\n`));
    const { report, verdict } = await raced([first, packed]);
    expect(verdict.word).toBe('PASS');
    const [one, two] = report.sides;
    expect(one.alone).toBe(LINES.length - kept.length);
    expect(two.alone).toBe(0);
    expect([one.lead.p50, one.lead.max, two.lead.p50, two.lead.max]).toEqual([
      10_000, 10_000, 40_000, 40_000,
    ]);
    const early = there.filter((_, at) => at % 10 !== 5 && at % 4 === 0).length;
    expect([one.first, two.first]).toEqual([kept.length - early, early]);
  });

  it('of other messages has no winner', async () => {
    const other = file('other', simulatedRecording('ETHUSDT', 2000, 9));
    const { report, verdict } = await raced([first, other]);
    expect(report.matched).toBe(0);
    expect(verdict).toMatchObject({
      word: 'FAIL',
      reasons: [expect.stringContaining('no message came on both')],
    });
  });

  it('of a cut recording says so and counts what is there', async () => {
    const cut = gzipSync(behind(() => 5n)).subarray(0, -100);
    const { report, verdict } = await raced([first, file('cut.gz', cut)]);
    expect(report.matched).toBeGreaterThan(100);
    expect(verdict.word).toBe('FAIL');
    expect(verdict.reasons[0]).toContain('cut.gz');
  });

  it.each<[string, readonly string[], string]>([
    ['no file', [], 'bench.race'],
    ['three files', [first, first, first], 'bench.race'],
    ['one line', [first], 'bench.recording'],
    ['a file that is not there', [join(folder, 'none')], 'recording.missing'],
    ['no recording', [file('noise', 'hello\nworld\n'), first], 'bench.recording'],
  ])('refuses %s', async (_, files, code) => {
    await expect(raced(files)).rejects.toMatchObject({ code, fix: expect.stringMatching(/./) });
  });

  it.skipIf(!hasRecordings)(`of two lines of an exchange, by capture time ${RECORDED}`, async () => {
    const capture = join(DATA_FOLDER, 'cme-mdp3/Cme.Mdp3.Sbe.v6.1.pcap');
    const { report, verdict } = await raced([capture]);
    expect(verdict).toEqual({ word: 'PASS', reasons: [] });
    const [a, b] = report.sides;
    expect([a.name, a.messages, b.name, b.messages]).toEqual([
      '224.0.31.64:14340',
      5000,
      '224.0.32.64:15340',
      5000,
    ]);
    expect([report.matched, b.first, a.alone, b.alone, a.ambiguous]).toEqual([5000, 4807, 0, 0, 0]);
    // The capture's clock has nanoseconds, which the sending times within the packets confirm.
    const { min, p50, max } = report.difference;
    expect([min, p50, max]).toEqual([-6087, 261, 15_400]);
    const turned = await raced([capture], [b.name, a.name]);
    expect(turned.report.sides[0].first).toBe(4807);
    await expect(raced([capture], ['x', 'y'])).rejects.toMatchObject({
      code: 'bench.recording',
      what: 'no line x',
    });
  });
});
