import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { convert } from '../src/cli/convert.js';
import type { InspectedFile } from '../src/cli/inspect.js';
import { merge, NO_END, slice } from '../src/cli/journal-parts.js';
import type { VerifyReport } from '../src/cli/verify-report.js';
import { endOf } from './support/command.js';
import { linesOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { DATA_FOLDER, hasRecordings, RECORDED } from './support/recordings.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-parts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIM = ['--instrument', 'sim:BTCUSDT'];
/** Several blocks of a journal. */
const TEXT = simulatedRecording('BTCUSDT', 80_000);
const LINES = linesOf(TEXT);
const RECORDS = LINES.length;
const ALL = { fromNs: 0n, toNs: NO_END, firstRecord: 0n, lastRecord: NO_END };

let files = 0;
function named(ending: string): string {
  files += 1;
  return join(folder, `${files}${ending}`);
}

async function journalOf(text: string, segmentBytes = 100 << 10): Promise<readonly string[]> {
  const file = named('.txt');
  writeFileSync(file, text);
  return (await convert({ files: [file], folder: named('.j'), segmentBytes })).segments;
}

/** What a report says of the books and the frames, and not of the files and the time that it took. */
function found({ files: _files, elapsedMs: _ms, framesPerSecond: _rate, ...rest }: VerifyReport): object {
  return rest;
}

let whole: readonly string[] = [];
let proven: object = {};
beforeAll(async () => {
  whole = await journalOf(TEXT);
  proven = found((await verifyCommand(...SIM, ...whole)).report);
});

describe('slice and merge', () => {
  it.each([
    ['that meet', 0n],
    ['that overlap', 300n],
  ])('give the whole again of two halves %s', async (_how, overlap) => {
    const cut = BigInt(RECORDS >> 1);
    const first = await slice({ ...ALL, files: whole, folder: named('.a'), lastRecord: cut + overlap });
    const second = await slice({ ...ALL, files: whole, folder: named('.b'), firstRecord: cut + 1n });
    for (const parts of [
      [first, second],
      [second, first],
    ]) {
      const both = await merge({ files: parts.flatMap(({ segments }) => segments), folder: named('.m') });
      expect(both).toMatchObject({ records: RECORDS, missing: 0, damages: [] });
      const { code, report } = await verifyCommand(...SIM, ...both.segments);
      expect([code, found(report)]).toEqual([0, proven]);
    }
  });

  it('write segments of their size', async () => {
    const part = await slice({ ...ALL, files: whole, folder: named('.a'), segmentBytes: 200 << 10 });
    expect(part.segments.length).toBeGreaterThan(1);
    expect(found((await verifyCommand(...SIM, ...part.segments)).report)).toEqual(proven);
    const both = await merge({ files: part.segments, folder: named('.m'), segmentBytes: 200 << 10 });
    expect(both.segments.length).toBeGreaterThan(1);
    expect(found((await verifyCommand(...SIM, ...both.segments)).report)).toEqual(proven);
  });

  it('have no book in a part before the venue begins one, and say that records are missing', async () => {
    const out = named('.part');
    const times = ['--from', '2023-11-14T22:13:25Z', '--to', '2023-11-14T22:13:35Z'];
    const { code } = await endOf(['slice', ...whole, '--out', out, ...times]);
    expect(code).toBe(0);
    const segments = readdirSync(out).map((name) => join(out, name));
    const verified = await verifyCommand(...SIM, ...segments);
    // The simulator's snapshot came before.
    expect(verified.code).toBe(1);
    expect(verified.report.books[0]?.state).not.toBe('synced');
    const inspection = JSON.parse((await endOf(['inspect', '--json', ...segments])).out) as {
      readonly files: readonly [{ readonly holds: { readonly firstNs: string; readonly lastNs: string } }];
    };
    const { firstNs, lastNs } = inspection.files[0].holds;
    expect(BigInt(firstNs) / 1_000_000_000n).toBe(1_700_000_005n);
    expect(BigInt(lastNs)).toBeLessThan(1_700_000_015_000_000_000n);
  });

  it('put different journals together by time', async () => {
    const isTrade = (line: string): boolean => line.includes('"e":"trade"');
    const trades = await journalOf(textOf(LINES.filter(isTrade)));
    const others = await journalOf(textOf(LINES.filter((line) => !isTrade(line))));
    const both = await merge({ files: [...trades, ...others], folder: named('.m') });
    expect(both).toMatchObject({ records: RECORDS, repeated: 0, missing: 0 });
    const { code, report } = await verifyCommand(...SIM, ...both.segments);
    expect([code, found(report)]).toEqual([0, proven]);
    const { out } = await endOf(['inspect', '--json', ...both.segments]);
    const { files: inspected } = JSON.parse(out) as { readonly files: readonly InspectedFile[] };
    expect(inspected.map(({ backward }) => backward)).toEqual(inspected.map(() => 0));
    expect(new Set(inspected.flatMap(({ connections }) => connections.map(({ line }) => line))).size).toBe(2);
  });

  it('keep what is damaged told as missing', async () => {
    const [first = '', ...rest] = whole;
    const bytes = readFileSync(first);
    bytes.writeUInt8(bytes.readUInt8(500) ^ 4, 500);
    const place = named('.d');
    mkdirSync(place);
    writeFileSync(join(place, '00000000.dwj'), bytes);
    const damaged = [join(place, '00000000.dwj'), ...rest];
    const out = named('.s');
    const end = await endOf(['slice', ...damaged, '--out', out, '--json']);
    expect([end.code, (JSON.parse(end.out) as { readonly missing: number }).missing]).toEqual([1, 1]);
  });

  it('refuse what would lie', async () => {
    const refused = async (code: string, exit: number, ...args: readonly string[]) => {
      const end = await endOf([...args, '--out', named('.never')]);
      expect(end, code).toMatchObject({ code: exit, err: expect.stringContaining(code) as unknown });
    };
    const other = await journalOf(simulatedRecording('ETHUSDT', 3000), 128 << 20);
    const text = named('.txt');
    writeFileSync(text, TEXT);
    await refused('journal.other_journal', 2, 'slice', ...whole, ...other);
    await refused('journal.not_journal', 2, 'slice', text);
    await refused('journal.not_journal', 2, 'merge', ...whole, text);
    await refused('journal.nothing', 2, 'slice', ...whole, '--records', '99999999-999999999');
    await refused('the lower first', 2, 'slice', ...whole, '--records', '9-1');
    const copies = named('.copy');
    mkdirSync(copies);
    const copied = whole.map((file, index) => {
      const copy = join(copies, `${index}.dwj`);
      writeFileSync(copy, readFileSync(file));
      return copy;
    });
    await refused('journal.mixed', 2, 'merge', ...whole, ...other, ...copied);
    const held = await endOf(['merge', ...whole, '--out', folder]);
    expect(held).toMatchObject({ code: 2, err: expect.stringContaining('journal.folder') as unknown });
  });

  it.skipIf(!hasRecordings)(`give a venue's recording again ${RECORDED}`, async () => {
    const file = join(DATA_FOLDER, 'kraken/kraken_v1_20210405.txt.zst');
    const { segments, records } = await convert({ files: [file], folder: named('.j') });
    const cut = BigInt(records >> 1);
    const first = await slice({ ...ALL, files: segments, folder: named('.a'), lastRecord: cut });
    const second = await slice({ ...ALL, files: segments, folder: named('.b'), firstRecord: cut + 1n });
    const both = await merge({ files: [...first.segments, ...second.segments], folder: named('.m') });
    expect(both).toMatchObject({ records, missing: 0 });
    const plain = await verifyCommand(...segments);
    const merged = await verifyCommand(...both.segments);
    expect([merged.code, found(merged.report)]).toEqual([plain.code, found(plain.report)]);
  });
});
