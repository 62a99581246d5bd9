import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { JournalConversion } from '#native';
import { convert } from '../src/cli/convert.js';
import type { VerifyReport } from '../src/cli/verify-report.js';
import { type CommandEnd, endOf } from './support/command.js';
import { simulatedRecording } from './support/recording.js';
import { hasRecordings, RECORDED, RECORDED_ORDERS, RECORDED_SETS } from './support/recordings.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-convert-'));
afterAll(() => rmSync(folder, { recursive: true }));

const INSTRUMENT = ['--instrument', 'sim:BTCUSDT'];
const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const BLOCK_BYTES = 256 << 10;

/** Several blocks of a journal. */
const RECORDING_MS = 80_000;

let files = 0;
/** A new name in the folder of these tests. */
function named(ending: string): string {
  files += 1;
  return join(folder, `${files}${ending}`);
}

function recorded(text: string | Uint8Array, ending = '.txt'): string {
  const file = named(ending);
  writeFileSync(file, text);
  return file;
}

const convertCommand = (...args: readonly string[]): Promise<CommandEnd> => endOf(['convert', ...args]);

/** What a report says of the books and the frames, and not of the files and the time that it took. */
function found({ files: _files, elapsedMs: _ms, framesPerSecond: _rate, ...rest }: VerifyReport): object {
  return rest;
}

/** Reports of recordings and of the journal that is made of them. */
async function both(paths: readonly string[], args: readonly string[], segmentBytes?: number) {
  const out = named('.journal');
  const options = { files: paths, folder: out, ...(segmentBytes === undefined ? {} : { segmentBytes }) };
  const converted = await convert(options);
  const plain = await verifyCommand(...args, ...paths);
  const journal = await verifyCommand(...args, ...converted.segments);
  return { converted, plain, journal };
}

describe('convert', () => {
  it('makes a journal that proves what the recording proves', async () => {
    const file = recorded(simulatedRecording('BTCUSDT', 4000));
    const { converted, plain, journal } = await both([file], INSTRUMENT);
    expect(plain).toMatchObject({ code: 0, err: '' });
    expect(found(journal.report)).toEqual(found(plain.report));
    expect(journal).toMatchObject({ code: 0, err: '' });
    expect(converted).toMatchObject({ missed: 0, damages: [], records: plain.report.frames });
  });

  it('writes segments that are one recording in their order, packed or not', async () => {
    const file = recorded(simulatedRecording('BTCUSDT', RECORDING_MS));
    const { converted, plain, journal } = await both([file], INSTRUMENT, 100 << 10);
    expect(converted.segments.length).toBeGreaterThan(2);
    expect(found(journal.report)).toEqual(found(plain.report));
    const packed = converted.segments.map((segment) => recorded(gzipSync(readFileSync(segment)), '.gz'));
    expect(found((await verifyCommand(...INSTRUMENT, ...packed)).report)).toEqual(found(plain.report));
    // A journal of a journal is the same again.
    const again = await both(converted.segments, INSTRUMENT);
    expect(found(again.journal.report)).toEqual(found(plain.report));
    expect(again.converted.records).toBe(converted.records);
  });

  it('has journals behind one another read as the files that they were made of', async () => {
    const lines = simulatedRecording('BTCUSDT', 4000).split('\n');
    const half = lines.length >> 1;
    const parts = [lines.slice(0, half), lines.slice(half)].map((part) => recorded(`${part.join('\n')}\n`));
    const made = [];
    for (const part of parts) made.push(await convert({ files: [part], folder: named('.journal') }));
    const plain = await verifyCommand(...INSTRUMENT, ...parts);
    const journals = await verifyCommand(...INSTRUMENT, ...made.flatMap(({ segments }) => segments));
    expect(found(journals.report)).toEqual(found(plain.report));
    expect(journals).toMatchObject({ code: 0, err: '' });
  });

  it.each([
    ['missing', (segments: readonly string[]) => segments.toSpliced(1, 1)],
    ['out of order', ([first, second, third, ...rest]: readonly string[]) => [first, third, second, ...rest]],
  ])('has books stale where a segment is %s', async (_what, order) => {
    const file = recorded(simulatedRecording('BTCUSDT', RECORDING_MS));
    const { segments } = await convert({ files: [file], folder: named('.journal'), segmentBytes: 100 << 10 });
    const { code, report, err } = await verifyCommand(...INSTRUMENT, ...(order(segments) as string[]));
    expect(code).toBe(1);
    expect(report.recordingErrors).toBeGreaterThan(0);
    // The venue's own numbers say what the segment took away.
    expect(report.books[0]).toMatchObject({ state: 'stale', reason: 'gap' });
    expect(err).toContain('FAIL');
  });

  it('is read once where a segment comes twice, and told', async () => {
    const file = recorded(simulatedRecording('BTCUSDT', RECORDING_MS));
    const { segments } = await convert({ files: [file], folder: named('.journal'), segmentBytes: 100 << 10 });
    const [first = '', ...rest] = segments;
    const once = await verifyCommand(...INSTRUMENT, ...segments);
    const twice = await verifyCommand(...INSTRUMENT, first, first, ...rest);
    expect(twice.report.recordingErrors).toBe(1);
    expect(twice.report.frames).toBe(once.report.frames);
    expect(twice.report.books[0]).toEqual(once.report.books[0]);
  });

  it('names what a changed bit took away', async () => {
    const file = recorded(simulatedRecording('BTCUSDT', RECORDING_MS));
    const { segments } = await convert({ files: [file], folder: named('.journal') });
    const bytes = readFileSync(segments[0] ?? '');
    expect(bytes.length).toBeGreaterThan(2 * BLOCK_BYTES);
    bytes.writeUInt8(bytes.readUInt8(BLOCK_BYTES + 1000) ^ 4, BLOCK_BYTES + 1000);
    const damaged = recorded(bytes, '.dwj');
    const { code, report } = await verifyCommand(...INSTRUMENT, damaged);
    expect(code).toBe(1);
    expect(report).toMatchObject({ recordingErrors: 1, books: [{ state: 'stale', reason: 'gap' }] });
    const cut = recorded(bytes.subarray(0, BLOCK_BYTES / 2), '.dwj');
    expect((await verifyCommand(...INSTRUMENT, cut)).error).toMatchObject({ code: 'journal.cut' });
  });

  it('keeps what was damaged as missed, and says so', async () => {
    const packed = gzipSync(simulatedRecording('BTCUSDT', 3000));
    const file = recorded(packed.subarray(0, packed.length - 2000), '.gz');
    const out = named('.journal');
    const { code, out: said, err } = await convertCommand(file, '--out', out);
    expect(code).toBe(1);
    expect(said).toMatch(/^\d+ records, [\d.]+ MiB, a segment: .*\n\d parts? could not be read/);
    expect(err).toContain('recording.truncated');
    const { report } = await verifyCommand(...INSTRUMENT, join(out, readdirSync(out)[0] ?? ''));
    expect(report.books[0]).toMatchObject({ state: 'stale', reason: 'skipped' });
    expect(report.recordingErrors).toBeGreaterThan(0);
  });

  it('says as JSON what it came to', async () => {
    const out = named('.journal');
    const { code, out: said } = await convertCommand('--json', '--out', out, recorded('1 {}\n2 {}\n'));
    expect(code).toBe(0);
    expect(JSON.parse(said)).toMatchObject({ records: 2, missed: 0, damages: [] });
  });

  it('writes nothing over, and says why it cannot write', async () => {
    const file = recorded('1 {}\n');
    const held = named('.held');
    mkdirSync(held);
    writeFileSync(join(held, 'something'), '');
    const full = await convertCommand(file, '--out', held);
    expect(full).toMatchObject({ code: 2, err: expect.stringContaining('journal.folder') as unknown });
    expect(readdirSync(held)).toEqual(['something']);
    const noFolder = await convertCommand(file, '--out', join(file, 'below'));
    expect(noFolder).toMatchObject({
      code: 1,
      err: expect.stringContaining('journal.unwritable') as unknown,
    });
    const none = await convertCommand('/nowhere', '--out', named('.journal'));
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('recording.missing') as unknown });
    expect((await convertCommand(file)).code).toBe(2);
  });

  // A limit of the process on the size of files stands for a disk that is full.
  it('tells that there is no room, and leaves what was written', async () => {
    const file = recorded(simulatedRecording('BTCUSDT', RECORDING_MS));
    const out = named('.journal');
    const program = `ulimit -f 400; exec '${process.execPath}' '${MAIN}' convert '${file}' --out '${out}'`;
    const full: unknown = await promisify(execFile)('bash', ['-c', program]).catch((error: unknown) => error);
    expect(full).toMatchObject({ code: 1, stderr: expect.stringContaining('journal.full') as unknown });
    const { report } = await verifyCommand(...INSTRUMENT, join(out, '00000000.dwj'));
    expect(report.frames).toBeGreaterThan(100);
    expect(report.recordingErrors).toBe(1);
  });

  it
    .skipIf(!hasRecordings)
    .each([
      ...RECORDED_SETS.map((set) => [set.title, set.files] as const),
      ...RECORDED_ORDERS.map((set) => [set.name, set.files] as const),
    ])(`proves the published numbers of %s from a journal ${RECORDED}`, async (_title, paths) => {
    const { plain, journal } = await both(paths, []);
    expect(found(journal.report)).toEqual(found(plain.report));
    expect(journal.code).toBe(plain.code);
  });
});

describe('a conversion of the addon', () => {
  it('gives each segment by itself, and refuses what comes behind its end', () => {
    const conversion = new JournalConversion(1n, 2n);
    const out = new Uint8Array(1 << 16);
    const segment = (): Buffer => {
      const parts: Buffer[] = [];
      for (let size = conversion.drain(out); size > 0; size = conversion.drain(out))
        parts.push(Buffer.from(out.subarray(0, size)));
      return Buffer.concat(parts);
    };
    // As many bytes as tell the form.
    const text = `{"a":"${'x'.repeat(80)}"}`;
    const line = Buffer.from(`5 ${text}\n`);
    expect(conversion.take(Buffer.concat([line, line.subarray(0, 4)]), false)).toBe(line.length);
    conversion.turn(3n);
    // Until the segment is out, nothing may come behind the next one's head.
    for (const early of [
      () => conversion.turn(4n),
      () => conversion.take(line, true),
      () => conversion.end(),
    ])
      expect(early).toThrow(expect.objectContaining({ code: 'addon.undrained' }) as Error);
    const first = segment();
    expect(conversion.take(line, true)).toBe(line.length);
    expect(conversion.converted()).toEqual({ records: 2, missed: 0 });
    conversion.end();
    const second = segment();
    for (const bytes of [first, second]) {
      expect(bytes.subarray(0, 8).toString('latin1')).toBe('DWJRNL\r\n');
      expect(bytes.includes(text)).toBe(true);
    }
    expect(conversion.converted()).toEqual({ records: 2, missed: 0 });
    const refused = { code: 'addon.ended' };
    expect(() => conversion.take(line, true)).toThrow(expect.objectContaining(refused) as Error);
    expect(() => conversion.turn(4n)).toThrow(expect.objectContaining(refused) as Error);
    conversion.close();
    expect(() => conversion.drain(out)).toThrow(expect.objectContaining({ code: 'addon.closed' }) as Error);
  });

  it('holds no more than its limit for who does not drain', () => {
    const conversion = new JournalConversion(1n, 2n);
    const chunk = Buffer.from(`5 {"a":"${'x'.repeat((1 << 20) - 10)}"}\n`);
    const full = expect.objectContaining({ code: 'addon.undrained' }) as Error;
    let taken = 0;
    expect(() => {
      for (; taken < 200; taken += 1) conversion.take(chunk, false);
    }).toThrow(full);
    expect(taken).toBeGreaterThan(60);
    expect(taken).toBeLessThan(70);
    expect(() => conversion.miss('recording.truncated')).toThrow(full);
    const out = new Uint8Array(1 << 20);
    let drained = 0;
    for (let size = conversion.drain(out); size > 0; size = conversion.drain(out)) drained += size;
    expect(drained).toBeGreaterThan(64 << 20);
    expect(conversion.take(chunk, false)).toBe(chunk.length);
    conversion.close();
  });
});
