import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { endOf } from './support/command.js';
import {
  dropped,
  edited,
  healed,
  inserted,
  linesOf,
  merged,
  placeOf,
  placesOf,
  replaced,
  textOf,
} from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { messageOf, SpotOracle } from './support/spot-oracle.js';
import { type VerifyEnd, verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-damaged-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'sim:BTCUSDT';
const lines = linesOf(simulatedRecording('BTCUSDT', 20_000));
const oracle = SpotOracle.of(lines);
/** A depth update in the middle, with others before and behind it. */
const middle = placeOf(lines, 'depth', 90);

let files = 0;
function file(content: string | Uint8Array): string {
  files += 1;
  const path = join(folder, `recording-${files}`);
  writeFileSync(path, content);
  return path;
}

async function verified(damaged: readonly string[], ...flags: readonly string[]): Promise<VerifyEnd> {
  return verifyCommand('--instrument', NAME, ...flags, file(textOf(damaged)));
}

/** A ticker that is compared: a depth update has its update id. */
function comparedTicker(): number {
  const ids = new Set(
    placesOf(lines, 'depth')
      .slice(10)
      .map((place) => messageOf(lines[place] ?? '').u),
  );
  const place = placesOf(lines, 'ticker').find((at) => ids.has(messageOf(lines[at] ?? '').u));
  if (place === undefined) throw new Error('no ticker is compared');
  return place;
}

describe('verify of a damaged recording', () => {
  it('holds before it is damaged', async () => {
    const { code, report } = await verified(lines, '--strict');
    expect(code).toBe(0);
    expect(report).toMatchObject({
      gaps: 0,
      resyncs: 0,
      crossed: 0,
      decodeErrors: 0,
      applied: oracle.applied,
    });
    expect(report.books[0]?.digest).toBe(oracle.digest);
  });

  it('counts a lost update as a gap and ends stale', async () => {
    const { code, report, err } = await verified(dropped(lines, middle));
    expect(report).toMatchObject({
      gaps: 1,
      resyncs: 0,
      decodeErrors: 0,
      bookMessages: oracle.bookMessages - 1,
      books: [{ state: 'stale' }],
    });
    // What the feed says of a stale book is that it is stale: the replica keeps what the engine had.
    expect(report.books[0]?.replicaDigest).toBe(report.books[0]?.digest);
    expect(err).toContain(`${NAME} ends stale`);
    expect(code).toBe(1);
  });

  it.each([
    ['duplicated', inserted(lines, middle, lines[middle] ?? ''), 0],
    ['swapped with the next one', swapped(), 1],
  ])('sees an update that is %s', async (_what, damaged, gaps) => {
    const { code, report } = await verified(damaged);
    expect(report.gaps).toBe(gaps);
    expect(code).toBe(gaps);
  });

  it('counts a gap that a later snapshot heals as a resync, which only --strict refuses', async () => {
    const at = placeOf(lines, 'depth', 120);
    const damaged = dropped(healed(lines, at, lines.slice(0, at)), middle);
    const { code, report, err } = await verified(damaged);
    expect(report).toMatchObject({ gaps: 1, resyncs: 1, snapshots: 2, decodeErrors: 0, crossed: 0 });
    expect(report.applied).toBeLessThan(oracle.applied);
    expect(report.books[0]).toMatchObject({
      state: 'synced',
      digest: oracle.digest,
      replicaDigest: oracle.digest,
    });
    expect([code, err]).toEqual([0, '']);
    const strict = await verified(damaged, '--strict');
    expect(strict.err).toContain('1 gaps, 1 resyncs, and --strict allows none');
    expect(strict.code).toBe(1);
  });

  it('says by the hour how long the book was synced, and first of all where it was not', async () => {
    const at = placeOf(lines, 'depth', 120);
    const damaged = file(textOf(dropped(healed(lines, at, lines.slice(0, at)), middle)));
    const { report } = await verifyCommand('--instrument', NAME, damaged);
    const receivedNs = (line: string | undefined): number => Number(line?.split(' ')[0]);
    const [book] = report.books;
    expect(book?.holesMore).toBe(0);
    const [hole, ...others] = book?.holes ?? [];
    expect(others).toEqual([]);
    const missed = messageOf(lines[middle] ?? '');
    expect(hole).toMatchObject({ state: 'stale', reason: 'gap', numbers: { expected: `${missed.U}` } });
    expect(Number(hole?.numbers?.received)).toBeGreaterThan(Number(missed.u));
    expect(Date.parse(hole?.until ?? '') - Date.parse(hole?.from ?? '')).toBeCloseTo(hole?.ms ?? 0, -1);
    const [hour, ...more] = book?.hours ?? [];
    expect(more).toEqual([]);
    expect(hour).toMatchObject({ hour: '2023-11-14T22:00:00.000Z', holes: 1, lostMs: hole?.ms });
    const { syncedMs, lostMs, beforeMs, changes } = hour ?? {
      syncedMs: 0,
      lostMs: 0,
      beforeMs: 0,
      changes: 0,
    };
    const lastMs = receivedNs(lines.findLast((line) => line.includes(NAME.slice(4)))) / 1e6;
    const firstMs = receivedNs(lines[0]) / 1e6;
    expect(Math.abs(syncedMs + lostMs + beforeMs - (lastMs - firstMs))).toBeLessThan(1000);
    expect(changes).toBeGreaterThan(100);

    const { out } = await endOf(['verify', '--instrument', NAME, damaged]);
    const [, title, told] = out.split('\n');
    expect(title).toBe('  holes            1 times a book that was synced was not');
    expect(told).toMatch(
      new RegExp(`^    ${NAME}  ${hole?.from}  [\\d.]+ s, gap: ${missed.U} was due, \\d+ came$`),
    );
    expect(out).toMatch(
      /^ {4}2023-11-14 22h UTC {2}synced [\d.]+ s, lost [\d.]+ s in 1 new holes, [\d,]+ changes$/m,
    );
  });

  it.each([
    [
      'a trade cut in its middle',
      replaced(lines, placeOf(lines, 'trade', 20), (line) => line.slice(0, 90)),
      0,
    ],
    ['an update cut in its middle', replaced(lines, middle, (line) => line.slice(0, -20)), 1],
    ['a negative price', edited(lines, middle, () => ({ b: [['-1.00', '1']] })), 1],
    ['a huge exponent', edited(lines, middle, () => ({ b: [['1e999999', '1']] })), 1],
  ])('counts %s as a decode error', async (_what, damaged, gaps) => {
    const { code, report, err } = await verified(damaged);
    expect(report).toMatchObject({ decodeErrors: 1, gaps, frames: damaged.length });
    expect(err).toContain('1 frames could not be decoded');
    expect(code).toBe(1);
  });

  it('counts a line of garbage as a part that is of no form', async () => {
    const { code, report, err } = await verified(inserted(lines, middle, '\u0000\u0001 no frame at all'));
    expect(report).toMatchObject({ recordingErrors: 1, decodeErrors: 0, gaps: 0, frames: lines.length });
    expect(report.books[0]?.digest).toBe(oracle.digest);
    expect(err).toContain('1 parts of the files are not of their form');
    expect(code).toBe(1);
  });

  it('is stale at once when the venue’s own top of book contradicts the book', async () => {
    const { code, report, err } = await verified(edited(lines, comparedTicker(), () => ({ B: '987.65' })));
    expect(report.bbo.checked - report.bbo.matched).toBe(1);
    expect(report).toMatchObject({
      contradictions: 1,
      gaps: 0,
      books: [{ state: 'stale', reason: 'contradiction' }],
    });
    expect(err).toContain(`1 of ${report.bbo.checked} comparisons with the venue's top of book differ`);
    expect(err).toContain(`${NAME} ends stale (contradiction)`);
    expect(code).toBe(1);
  });

  it('counts a book that a wrong price has crossed until the venue contradicts it', async () => {
    const above = [...oracle.levels('asks')].at(-1)?.[0] ?? '';
    const damaged = edited(lines, middle, ({ b }) => ({ b: [...b, [above, '1.5']] as never }));
    expect(SpotOracle.of(damaged).crossed).toBeGreaterThan(0);
    const { code, report, err } = await verified(damaged);
    expect(report.crossed).toBeGreaterThan(0);
    expect(report.bbo.checked - report.bbo.matched).toBe(1);
    expect(report).toMatchObject({
      contradictions: 1,
      gaps: 0,
      books: [{ state: 'stale', reason: 'contradiction' }],
    });
    expect(err).toContain('updates left a synced book crossed');
    expect(code).toBe(1);
  });

  it('proves nothing without a snapshot', async () => {
    const { code, report, err } = await verified(dropped(lines, placeOf(lines, 'snapshot', 0)));
    expect(report).toMatchObject({
      snapshots: 0,
      applied: 0,
      gaps: 0,
      books: [{ state: 'syncing', bids: 0 }],
    });
    expect(err).toContain('nothing was proven');
    expect(err).toContain(`${NAME} ends syncing`);
    expect(code).toBe(1);
  });

  it('proves nothing by trades alone', async () => {
    const trades = placesOf(lines, 'trade').map((place) => lines[place] ?? '');
    const { code, report } = await verified(trades);
    expect(report).toMatchObject({ trades: trades.length, applied: 0, bookMessages: 0 });
    expect(code).toBe(1);
  });

  it('leaves checksums at 0 of 0, since Binance sends none', async () => {
    expect((await verified(lines)).report.checksums).toEqual({ checked: 0, matched: 0 });
    expect((await verified(dropped(lines, middle))).report.checksums).toEqual({ checked: 0, matched: 0 });
  });
});

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('verify of a file that is no recording', () => {
  it.each([
    ['gzip cut in its header', () => file(gzipSync(textOf(lines)).subarray(0, 5)), 'recording.truncated', 1],
    [
      'gzip without a whole block',
      () => file(gzipSync(textOf(lines)).subarray(0, 30)),
      'recording.truncated',
      1,
    ],
    ['xz', () => file(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4)), 'recording.packing', 1],
    ['empty', () => file(''), 'recording.empty', 1],
    ['gzip of nothing', () => file(gzipSync('')), 'recording.empty', 1],
    ['white space', () => file(' \n\n \n'), 'recording.empty', 1],
    ['a PNG', () => file(PNG), 'recording.unknown_format', 1],
    [
      'binary',
      () => file(Uint8Array.from({ length: 100_000 }, (_, at) => (at * 197 + 3) & 0xff)),
      'recording.unknown_format',
      1,
    ],
    ['text of another kind', () => file('time,price\n1,2\n'), 'recording.unknown_format', 1],
    ['zstd', () => file(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3)), 'recording.corrupt', 1],
    ['a directory', directory, 'recording.directory', 2],
    ['missing', () => join(folder, 'nowhere'), 'recording.missing', 2],
  ])('names a fix: %s', async (_what, path, code, exit) => {
    const name = path();
    for (const flags of [['--instrument', NAME], []]) {
      const end = await verifyCommand(...flags, name);
      expect(end.error).toMatchObject({ code, where: name });
      for (const part of [end.error.what, end.error.expected, end.error.got, end.error.fix]) {
        expect(part).not.toBe('');
      }
      expect(end.err).toContain(code);
      expect(end.err).toContain(`fix:      ${end.error.fix}`);
      expect(end.code).toBe(exit);
    }
  });
});

describe('verify of a packed file that is not whole', () => {
  const text = textOf(lines);
  const packed = gzipSync(text);
  const wrongCrc = Buffer.from(packed);
  wrongCrc[packed.length - 8] = (wrongCrc[packed.length - 8] ?? 0) ^ 1;

  it.each([
    ['lacks its end', packed.subarray(0, -8), 'recording.truncated'],
    ['goes on with what is no gzip', Buffer.concat([packed, Buffer.from('the rest')]), 'recording.trailing'],
    ['has another checksum', wrongCrc, 'recording.corrupt'],
  ])('reads every line of one that %s, says so, and proves nothing', async (_what, bytes, kind) => {
    const path = file(bytes);
    const { code, report, err } = await verifyCommand('--instrument', NAME, path);
    expect(report).toMatchObject({
      frames: oracle.frames,
      applied: oracle.applied,
      decodeErrors: 0,
      books: [{ digest: oracle.digest, replicaDigest: oracle.digest }],
      damages: [{ code: kind, where: path }],
    });
    expect(err).toContain(`FAIL  ${path}: `);
    expect(err).toContain(kind);
    expect(code).toBe(1);
  });

  it('reads what stands behind a member that a killed recorder left unfinished', async () => {
    const half = lines.length >> 1;
    const begun = gzipSync(textOf(lines.slice(0, half))).subarray(0, -8);
    const path = file(Buffer.concat([begun, gzipSync(textOf(lines.slice(half)))]));
    const { code, report } = await verifyCommand('--instrument', NAME, path);
    expect(report).toMatchObject({
      frames: oracle.frames,
      applied: oracle.applied,
      decodeErrors: 0,
      books: [{ digest: oracle.digest }],
      damages: [{ code: 'recording.truncated' }],
    });
    expect(code).toBe(1);
  });

  it('gives what was read before the damage', async () => {
    const { code, report } = await verifyCommand('--instrument', NAME, file(flipped(gzipSync(text))));
    expect(report.damages).toMatchObject([{ code: 'recording.corrupt' }]);
    expect(report.frames).toBeGreaterThan(oracle.frames / 4);
    expect(code).toBe(1);
  });
});

function swapped(): readonly string[] {
  const next = placeOf(lines, 'depth', 91);
  return lines.with(middle, lines[next] ?? '').with(next, lines[middle] ?? '');
}

function flipped(bytes: Buffer): Buffer {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  return bytes;
}

function directory(): string {
  const path = join(folder, 'directory');
  mkdirSync(path, { recursive: true });
  return path;
}

describe('verify of a recording of two instruments', () => {
  const one = linesOf(simulatedRecording('BTCUSDT', 10_000));
  const other = linesOf(simulatedRecording('ETHUSDT', 10_000));
  /** Both streams, and the snapshot of the first alone, which does not name it. */
  const mixed = merged(one, dropped(other, placeOf(other, 'snapshot', 0)));

  it('gives a snapshot without symbol to nobody, whoever is asked for, and says what helps', async () => {
    const path = file(textOf(mixed));
    for (const flags of [[], ['--instrument', 'binance:BTCUSDT'], ['--instrument', 'sim:ETHUSDT']]) {
      const { code, report, err } = await verifyCommand(...flags, path);
      expect(report).toMatchObject({ snapshots: 0, applied: 0, unattributed: 1, decodeErrors: 0 });
      expect(report.books).toHaveLength(flags.length === 0 ? 2 : 1);
      for (const book of report.books) {
        expect(book).toMatchObject({ state: 'syncing', bids: 0, asks: 0 });
        expect(book.fix).toContain('record it with the address that was asked');
      }
      expect(err).toContain('1 snapshots do not say which instrument they are of');
      expect(code).toBe(1);
    }
  });

  it('still tells of parts that cannot be read', async () => {
    const path = file(textOf(inserted(mixed, mixed.length >> 1, 'garbage')));
    const { code, report } = await verifyCommand('--instrument', 'binance:BTCUSDT', path);
    expect(report.recordingErrors).toBe(1);
    expect(code).toBe(1);
  });
});
