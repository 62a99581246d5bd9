import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path, { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Simulator } from '#native';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { type Engine, openEngine, type RecordOptions } from '../src/engine.js';
import { recordingFiles } from '../src/ingest/recording-files.js';
import { RecordingReader } from '../src/ingest/recording-reader.js';
import { EVERYTHING_NS } from '../src/ingest/source.js';
import { Flag } from '../src/wire/generated/constants.js';
import { endOf } from './support/command.js';
import { verifyCommand } from './support/verify-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-record-'));
afterAll(() => rmSync(folder, { recursive: true }));

let folders = 0;
function named(): string {
  folders += 1;
  return join(folder, String(folders));
}

const START_ID = 7;
const STEP_MS = 10;

/** Frames as they are but for the time of sending and the flag of a replay. */
function collector() {
  const frames: string[] = [];
  return {
    frames,
    onFrame: (_instrument: number, _stream: number, frame: Uint8Array) => {
      const bytes = Buffer.from(frame);
      const table = 4 + bytes.readUInt32LE(4);
      const vtable = table - bytes.readInt32LE(table);
      const header = table + bytes.readUInt16LE(vtable + 4);
      bytes.writeBigUInt64LE(0n, header + 48);
      bytes.writeUInt16LE(bytes.readUInt16LE(header + 62) & ~Flag.replay, header + 62);
      frames.push(bytes.toString('base64'));
    },
  };
}

/** An engine that hears the embedded venue for some time, while it is recorded; its frames, and digests of its books. */
async function live(out: string, ms: number, segmentBytes: number, ask = true) {
  const startMs = Date.now();
  const simulator = new Simulator(3, startMs);
  const { frames, onFrame } = collector();
  const asks: (readonly [instrument: number, ticket: number])[] = [];
  const engine: Engine = openEngine(
    { startId: START_ID, silenceMs: 0, replay: false, outputBytes: 8 << 20 },
    {
      onFrame,
      onAsk: ({ instrument, ticket }) => void asks.push([instrument, ticket]),
      onSay() {},
      onFault: (error) => {
        throw error;
      },
    },
  );
  engine.record({ folder: out, segmentBytes, flushMs: 1 });
  const names = simulator.symbols().map((symbol) => `sim:${symbol}`);
  const ids = names.map((name) => engine.instruments().find((one) => one.name === name)?.id ?? 0);
  const source = engine.openSource('sim', ids);
  const buffer = new Uint8Array(1 << 20);
  for (let at = 0; at < ms; at += STEP_MS) {
    for (;;) {
      const bytes = simulator.next(startMs + at, buffer);
      if (bytes === 0) break;
      engine.ingest(source, buffer.subarray(0, bytes));
    }
    for (const [instrument, ticket] of ask ? asks.splice(0) : []) {
      const symbol = names[ids.indexOf(instrument)]?.slice(4) ?? '';
      const bytes = simulator.snapshot(symbol, 1000, buffer);
      engine.ingestSnapshot(instrument, ticket, buffer.subarray(0, bytes));
    }
    engine.tick();
    // No faster than the disk.
    if (at % 200 === 0)
      do await new Promise((resolve) => setTimeout(resolve, 1));
      while (isBehind(engine));
  }
  const digests = ids.map((id) => engine.digest(id));
  const status = engine.endRecording();
  engine.close();
  return { frames, digests, status };
}

/** Whether more records wait for the disk than its queue has room for at leisure. */
function isBehind(engine: Engine): boolean {
  const { records = 0, acknowledged = 0, isRecording = false } = engine.recording() ?? {};
  return isRecording && records - acknowledged > 5000;
}

/** The same of a replay of the journal. */
async function replayed(out: string) {
  const { frames, onFrame } = collector();
  const engine = openEngine(
    { startId: START_ID, silenceMs: 0, replay: true, outputBytes: 8 << 20 },
    { onFrame, onAsk() {}, onSay() {}, onFault() {} },
  );
  const files = await recordingFiles([out]);
  const parts: Uint8Array[] = [];
  const reader = new RecordingReader(files);
  let source: number | undefined;
  let ids: readonly number[] = [];
  while (await reader.fill()) {
    if (source === undefined) {
      if (!reader.isFileEnd && reader.pending.byteLength < 1 << 16) continue;
      expect(engine.setUp(reader.pending)).toBe(true);
      const names = engine.detect(reader.pending);
      const listed = engine.instruments();
      ids = names.map((name) => listed.find((one) => one.name === name)?.id ?? 0);
      source = engine.openRecorded(ids);
    }
    reader.use(engine.ingestRecording(source, reader.pending, EVERYTHING_NS, reader.isFileEnd));
  }
  await reader.close();
  const digests = ids.map((id) => engine.digest(id));
  engine.close();
  return { frames, digests, parts };
}

describe('a record of what an engine is told', () => {
  it('is told again to the byte', async () => {
    for (const segmentBytes of [128 << 20, 256 << 10]) {
      const out = named();
      const told = await live(out, 60_000, segmentBytes);
      const { records, acknowledged, missed, segments, sealed, isRecording, failure } = told.status ?? {};
      expect({ missed, isRecording, failure }).toEqual({ missed: 0, isRecording: false, failure: undefined });
      expect(acknowledged).toBe(records);
      expect(sealed).toBe(segments);
      expect(readdirSync(out)).toHaveLength(segments ?? 0);
      const again = await replayed(out);
      expect(again.digests).toEqual(told.digests);
      expect(again.frames.length).toBe(told.frames.length);
      expect(again.frames.every((frame, at) => frame === told.frames[at])).toBe(true);
      const { report, code } = await verifyCommand(out);
      expect(code).toBe(0);
      expect(report.books.map(({ digest }) => digest)).toEqual(told.digests);
    }
  });
});

describe('a record that cannot be made', () => {
  const opened = () =>
    openEngine(
      { startId: START_ID, silenceMs: 0, replay: false, outputBytes: 4 << 20 },
      { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} },
    );

  it('is refused, and the engine goes on', () => {
    const engine = opened();
    const file = named();
    writeFileSync(file, '');
    const wrong: readonly (readonly [options: RecordOptions, code: string])[] = [
      [{ folder: join(file, 'below') }, 'journal.unwritable'],
      [{ folder: '/proc/nowhere' }, 'journal.unwritable'],
      [{ folder: named(), segmentBytes: 65_535 }, 'addon.not_an_integer'],
      [{ folder: named(), keepMs: -1 }, 'addon.not_an_integer'],
      [{ folder: named(), sync: 'sometimes' as 'none' }, 'journal.sync'],
    ];
    for (const [options, code] of wrong)
      expect(() => engine.record(options), code).toThrow(expect.objectContaining({ code }));
    expect([engine.recording(), engine.endRecording()]).toEqual([null, null]);
    const out = named();
    engine.record({ folder: out });
    expect(() => engine.record({ folder: out })).toThrow(expect.objectContaining({ code: 'journal.late' }));
    expect(engine.endRecording()).toMatchObject({ records: 0, segments: 1, isRecording: false });
    expect(engine.recording()).toMatchObject({ segments: 1 });
    const [instrument] = engine.instruments();
    engine.openSource(instrument?.venue ?? '', [instrument?.id ?? 0]);
    engine.close();
    const late = opened();
    late.open('sim');
    expect(() => late.record({ folder: out })).toThrow(expect.objectContaining({ code: 'journal.late' }));
    late.close();
  });
});

describe('an engine that is closed', () => {
  it('keeps what was recorded, whoever forgot to end it', async () => {
    const out = named();
    const engine = openEngine(
      { startId: START_ID, silenceMs: 0, replay: false, outputBytes: 4 << 20 },
      { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} },
    );
    engine.record({ folder: out, flushMs: 60_000 });
    const source = engine.openSource('sim', [
      engine.instruments().find(({ venue }) => venue === 'sim')?.id ?? 0,
    ]);
    engine.opened(source);
    engine.asked(source, Buffer.from('wss://somewhere/ws'));
    engine.asked(source, Buffer.from('subscribe'));
    engine.close();
    const { code, out: said } = await endOf(['inspect', '--json', out]);
    expect(code).toBe(0);
    expect(said).toContain('wss://somewhere/ws');
    expect(said).toContain('"sent":2');
  });
});

describe('a folder of segments', () => {
  it('stands for them, once each, in the order of time', async () => {
    const out = named();
    await live(out, 8000, 64 << 10);
    const packed = readdirSync(out).sort();
    expect(packed.length).toBeGreaterThan(2);
    const paths = packed.map((name) => join(out, name));
    // A process that was killed leaves a plain segment beside its packed one, and half of a packed one.
    writeFileSync((paths[1] ?? '').replace('.zst', ''), 'cut');
    writeFileSync(`${paths[1] ?? ''}.part`, 'cut');
    writeFileSync(join(out, 'notes.txt'), 'none of it');
    expect(await recordingFiles([out])).toEqual(paths);
    expect(await recordingFiles(['a', out, 'b'])).toEqual(['a', ...paths, 'b']);
    expect((await verifyCommand(out)).code).toBe(0);
    expect(await recordingFiles([folder])).toEqual([folder]);
  });
});

describe('segments of a record', () => {
  /** The files of a record of several segments, and digests of its books at the end. */
  async function segments() {
    const out = named();
    const { digests } = await live(out, 20_000, 128 << 10);
    const paths = await recordingFiles([out]);
    expect(paths.length).toBeGreaterThan(5);
    return { paths, digests };
  }

  it('can be read from each on, and behind one that is missing', async () => {
    const { paths, digests } = await segments();
    for (const first of [1, 3, paths.length - 1]) {
      const { code, report } = await verifyCommand(...paths.slice(first));
      expect(report.books.map(({ digest }) => digest).sort()).toEqual([...digests].sort());
      expect(report.books.every(({ state }) => state === 'synced')).toBe(true);
      expect(code).toBe(0);
    }
    const { code, report } = await verifyCommand(...paths.slice(0, 2), ...paths.slice(3));
    expect(report.books.map(({ digest }) => digest)).toEqual(digests);
    expect(report.recordingErrors).toBe(1);
    expect(code).toBe(1);
  });

  it('are where a replay begins that is to be at a time', async () => {
    const { paths } = await segments();
    const [first, , , later = ''] = paths;
    const beginOf = async (path: string): Promise<bigint> => {
      const { out } = await endOf(['inspect', '--json', path]);
      return BigInt(JSON.parse(out).files[0].holds.firstNs);
    };
    const beginNs = await beginOf(first ?? '');
    const laterNs = (await beginOf(later)) + 5_000_000n;
    const lastNs = await beginOf(paths.at(-1) ?? '');
    const config = configFrom({
      server: { port: 0, drainMs: 0 },
      replay: { files: [path.dirname(later)], speed: 0.0001, from: String(laterNs) },
    });
    const serving = await startServing(config, new Map(), (line) => {
      throw new Error(line);
    });
    try {
      const { engine, server } = serving;
      const replay = server.replay;
      const ids = engine.instruments().flatMap(({ id, venue }) => (venue === 'sim' ? [id] : []));
      const isThere = () => replay?.status().state === 'paused' || replay?.status().state === 'running';
      const compare = async (timeNs: bigint) => {
        await vi.waitUntil(isThere, 10_000);
        expect(ids.map((id) => engine.digest(id))).toEqual(await digestsAt(paths, ids, timeNs));
      };
      await compare(laterNs);
      expect(replay?.status().beginNs ?? 0n).toBeLessThan(laterNs);
      // Not half of it was read to get there.
      const { frames } = engine.stats();
      expect(frames).toBeGreaterThan(0);
      for (const timeNs of [lastNs + 1n, beginNs + 2_000_000n, laterNs]) {
        replay?.change({ isPaused: true, seekNs: timeNs });
        expect(replay?.status().state).toBe('seeking');
        await compare(timeNs);
      }
    } finally {
      await serving.stop('test is over');
    }
  });
});

/** Digests of the books of recordings that were read from the beginning up to a time. */
async function digestsAt(paths: readonly string[], ids: readonly number[], untilNs: bigint) {
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: true, outputBytes: 8 << 20 },
    { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} },
  );
  const source = engine.openRecorded(ids);
  const reader = new RecordingReader(paths);
  do {
    reader.use(engine.ingestRecording(source, reader.pending, untilNs, reader.isFileEnd));
  } while (engine.nextNs === 0n && (await reader.fill()));
  await reader.close();
  const digests = ids.map((id) => engine.digest(id));
  engine.close();
  return digests;
}

describe('depthwire record', () => {
  it('records the embedded venue, and says what it came to', async () => {
    const out = named();
    const { code, err, out: said } = await endOf(['record', '--record', out, '--seconds', '2']);
    expect(code, err).toBe(0);
    expect(said + err).toMatch(/record {3}\d+ records, .* in a segment\n/);
    expect(said + err).toContain(`depthwire verify ${out}`);
    const { code: proven, report } = await verifyCommand(out);
    expect(proven).toBe(0);
    expect(report.books.every(({ state }) => state === 'synced')).toBe(true);
  });

  it('says what it cannot do', async () => {
    for (const seconds of ['0', 'x', '1e9'])
      expect(await endOf(['record', '--record', named(), '--seconds', seconds])).toMatchObject({
        code: 2,
        err: expect.stringContaining('record.seconds'),
      });
    const replay = await endOf(['serve', '--replay', 'a.gz', '--record', named()]);
    expect(replay).toMatchObject({ code: 2, err: expect.stringContaining('depthwire convert a.gz') });
  });
});
