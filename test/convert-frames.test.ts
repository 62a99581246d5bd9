import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FrameJournal } from '#native';
import { convert } from '../src/cli/convert.js';
import { convertFrames } from '../src/cli/convert-frames.js';
import { verify } from '../src/cli/verify.js';
import { type CommandEnd, endOf } from './support/command.js';
import { simulatedRecording } from './support/recording.js';
import { hasRecordings, RECORDED, RECORDED_ORDERS, RECORDED_SETS } from './support/recordings.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-frames-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function named(ending: string): string {
  files += 1;
  return join(folder, `${files}${ending}`);
}

function simulated(ms: number): string {
  const file = named('.txt');
  writeFileSync(file, simulatedRecording('BTCUSDT', ms));
  return file;
}

const NO_OVERRIDES = { instruments: [] } as const;
const SIM = { instruments: [{ name: 'sim:BTCUSDT' }] } as const;

/** Frames of a run, without the low half of their epochs and the times of sending. */
async function published(paths: readonly string[], instruments: typeof SIM | typeof NO_OVERRIDES) {
  const frames: string[] = [];
  const onFrame = (frame: Uint8Array): void => {
    const copy = Buffer.from(frame);
    const header = copy.readUInt32LE(4) + 8;
    copy.fill(0, header, header + 8);
    copy.fill(0, header + 48, header + 56);
    frames.push(copy.toString('base64'));
  };
  const { report, failures } = await verify({ files: paths, ...instruments, strict: false, onFrame });
  return { report, failures, frames };
}

describe('convert --frames', () => {
  it('keeps what is published of a recording, byte for byte', async () => {
    const file = simulated(20_000);
    const out = named('.frames');
    const { segments, frames, missed } = await convertFrames({ files: [file], folder: out, ...SIM });
    const [plain, kept] = [await published([file], SIM), await published(segments, NO_OVERRIDES)];
    expect({ missed, failures: kept.failures }).toEqual({ missed: 0, failures: [] });
    expect(kept.frames.length).toBe(frames);
    expect(kept.frames).toEqual(plain.frames);
    const books = ({ report }: typeof plain) =>
      report.books.map(({ instrument, state, digest, replicaDigest }) => [
        instrument,
        state,
        digest,
        replicaDigest,
      ]);
    expect(books(kept)).toEqual(books(plain));
    expect(books(kept)[0]?.[1]).toBe('synced');
  });

  it('takes several segments, packed, and a journal of what was received', async () => {
    const file = simulated(30_000);
    const raw = await convert({ files: [file], folder: named('.journal') });
    const out = named('.frames');
    const { segments, frames } = await convertFrames({
      files: raw.segments,
      folder: out,
      segmentBytes: 20_000,
      ...SIM,
    });
    expect(segments.length).toBeGreaterThan(0);
    expect(readdirSync(out)).toEqual(segments.map((segment) => segment.slice(out.length + 1)));
    const kept = await published([out], NO_OVERRIDES);
    expect([kept.failures, kept.frames.length]).toEqual([[], frames]);
  });

  it('is told apart by inspect, and refused where what was received is asked for', async () => {
    const out = named('.frames');
    await convertFrames({ files: [simulated(4000)], folder: out, ...SIM });
    const inspected = await endOf(['inspect', '--json', out]);
    expect(inspected.code).toBe(0);
    const [found] = JSON.parse(inspected.out).files;
    expect([found.form, found.holds.received, found.holds.published > 100]).toEqual(['frames', 0, true]);
    const refusals = [
      ['convert', out, '--out', named('.journal')],
      ['slice', out, '--out', named('.journal'), '--records', '0-9'],
    ].map((args) => endOf(args));
    const ends: readonly CommandEnd[] = await Promise.all(refusals);
    expect(ends.map(({ code }) => code === 0)).toEqual([false, false]);
    const reasons = ends.map(({ err }) => /journal\.(published|not_journal)/.exec(err)?.[0]);
    expect(reasons).toEqual(['journal.published', 'journal.not_journal']);
  });

  it('makes books stale where a segment is missing, and refuses one of which nothing is left', async () => {
    const file = simulated(20_000);
    const out = named('.frames');
    // Each step of reading begins another segment.
    const options = { files: [file, file, file], folder: out, segmentBytes: 1, ...SIM };
    const { segments } = await convertFrames(options);
    expect(segments.length).toBeGreaterThan(3);
    const { failures } = await published(
      segments.filter((_, at) => at !== 1),
      NO_OVERRIDES,
    );
    expect(failures.length).toBeGreaterThan(0);
    const bytes = readFileSync(segments[1] ?? '');
    const cut = named('.dwj.zst');
    writeFileSync(cut, bytes.subarray(0, bytes.byteLength / 2));
    await expect(published([cut], NO_OVERRIDES)).rejects.toThrow('ends too early');
  });

  describe.skipIf(!hasRecordings)('on recorded data', () => {
    it.each([
      ...RECORDED_SETS.map((set) => [set.title, set.files] as const),
      ...RECORDED_ORDERS.map((set) => [set.name, set.files] as const),
    ])(`proves the books of %s from frames ${RECORDED}`, async (_title, paths) => {
      const converted = await convertFrames({ files: paths, folder: named('.frames'), ...NO_OVERRIDES });
      const kept = await published(converted.segments, NO_OVERRIDES);
      const plain = await published(paths, NO_OVERRIDES);
      expect(kept.failures).toEqual([]);
      // Orders are kept and told to who asks for them.
      expect(kept.frames.length).toBeLessThanOrEqual(converted.frames);
      expect(kept.frames.join() === plain.frames.join()).toBe(true);
    });
  });
});

describe('FrameJournal', () => {
  it('refuses what comes behind its end, and bytes that wait', () => {
    const journal = new FrameJournal(1n, 2n);
    journal.turn(3n);
    expect(() => journal.turn(3n)).toThrow('waits to be drained');
    const out = new Uint8Array(1 << 20);
    while (journal.drain(out) > 0);
    while (journal.drain(out) > 0);
    journal.end();
    expect(() => journal.list('x')).toThrow('has ended');
    expect(() => journal.pack(join(folder, 'none.dwj'))).toThrow('could not be packed');
    journal.close();
  });
});
