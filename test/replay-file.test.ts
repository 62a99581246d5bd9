import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Speed } from '../src/config.js';
import { RecordingDamage } from '../src/ingest/damage.js';
import { lastTime } from '../src/ingest/last-time.js';
import { recordedStreams } from '../src/ingest/recorded-streams.js';
import { readHead, readRecording } from '../src/ingest/recording.js';
import { RecordingReader } from '../src/ingest/recording-reader.js';
import { ReplayFile } from '../src/ingest/replay-file.js';
import type { Sink } from '../src/ingest/source.js';
import { FakeNative, fakeEngine } from './support/fake-engine.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

const START_NS = 1_723_161_253_937_085_768n;

let files = 0;
function file(content: string | Uint8Array): string {
  files += 1;
  const path = join(folder, `recording-${files}`);
  writeFileSync(path, content);
  return path;
}

/** Lines at these times, in ms from the start. */
function recording(timesMs: readonly number[], text = 'a'): string {
  return timesMs
    .map((ms) => `${START_NS + BigInt(ms) * 1_000_000n} {"s":"BTCUSDT","t":"${text}"}\n`)
    .join('');
}

interface Replaying {
  readonly native: FakeNative;
  readonly replay: ReplayFile;
}

function start(
  paths: readonly string[],
  speed: Speed,
  more: { loop?: boolean; pressed?: () => boolean; onDamage?: (damage: RecordingDamage) => void } = {},
): Replaying {
  const native = new FakeNative();
  const replay = new ReplayFile({
    paths,
    venue: 'binance',
    instruments: [11],
    speed,
    loop: more.loop ?? false,
    pressed: more.pressed ?? (() => false),
    pauseMsMax: 200,
    ...(more.onDamage === undefined ? {} : { onDamage: more.onDamage }),
  });
  const engine = fakeEngine({}, native);
  const sink: Sink = {
    instruments: () => engine.instruments(),
    openSource: (venue, instruments) => engine.openSource(venue, instruments),
    openRecorded: (instruments) => engine.openRecorded(instruments),
    ingest: (source, frame) => engine.ingest(source, frame),
    ingestSnapshot: (instrument, ticket, answer) => engine.ingestSnapshot(instrument, ticket, answer),
    snapshotFailed: (instrument) => engine.snapshotFailed(instrument),
    ingestRecording: (source, lines, untilNs, last) => engine.ingestRecording(source, lines, untilNs, last),
    get nextNs() {
      return engine.nextNs;
    },
    get recordedNs() {
      return engine.recordedNs;
    },
    hold: () => engine.hold(),
    release: () => engine.release(),
    resetSource: (source) => engine.resetSource(source),
    sourceEnded: (source) => engine.sourceEnded(source),
    expectOthers: (source) => engine.expectOthers(source),
    sourceFailed: (source) => engine.sourceFailed(source),
  };
  replay.open(sink);
  replay.start();
  return { native, replay };
}

async function bytesOf(path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const part of readRecording(path)) {
    if (part instanceof RecordingDamage) throw part;
    chunks.push(part.slice());
  }
  return Buffer.concat(chunks);
}

describe('a recording', () => {
  it('is read whole, plain or gzip, whatever its name', async () => {
    const text = recording(Array.from({ length: 20_000 }, (_, ms) => ms));
    expect((await bytesOf(file(text))).toString()).toBe(text);
    expect((await bytesOf(file(gzipSync(text)))).toString()).toBe(text);
  });

  it.each([
    ['recording.missing', () => join(folder, 'nowhere')],
    ['recording.directory', () => folder],
    ['recording.unreadable', () => '/dev/null'],
    ['recording.empty', () => file('')],
    ['recording.truncated', () => file(gzipSync(recording([1])).subarray(0, 5))],
    ['recording.truncated', () => file(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0))],
  ])('that cannot be read is %s, with the file and a fix', async (code, path) => {
    const name = path();
    const error = await readHead(name).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, where: name });
    expect((error as { fix: string }).fix).not.toBe('');
  });

  it('that unpacks to nothing is empty', async () => {
    await expect(readHead(file(gzipSync('')))).rejects.toMatchObject({ code: 'recording.empty' });
  });

  it('whose line never ends is refused before it fills the memory', async () => {
    const path = file(gzipSync(Buffer.alloc(18 << 20, 'x')));
    const reader = new RecordingReader([path]);
    const all = (async () => {
      while (await reader.fill());
    })();
    await expect(all).rejects.toMatchObject({ code: 'recording.line_too_long' });
  });

  it('in parts is told where each of them ends', async () => {
    const paths = [file('1 a\n2 b'), file(gzipSync('3 c\n').subarray(0, -8)), file('4 d')];
    const reader = new RecordingReader(paths);
    const steps: unknown[] = [];
    while (await reader.fill()) {
      const { path, pending, isFileEnd, damage } = reader;
      steps.push([paths.indexOf(path), Buffer.from(pending).toString(), isFileEnd, damage?.kind]);
      if (!isFileEnd) reader.use(1);
    }
    expect(steps).toEqual([
      [0, '1 a\n2 b', false, undefined],
      [0, ' a\n2 b', true, undefined],
      [1, '3 c\n', false, undefined],
      [1, ' c\n', true, 'truncated'],
      [2, '4 d', false, undefined],
      [2, ' d', true, undefined],
    ]);
    expect(reader.fileBytes).toBe(paths.reduce((sum, path) => sum + statSync(path).size, 0));
  });
});

describe('what a recording holds', () => {
  const detector = (names: readonly (readonly string[])[]) => {
    let call = 0;
    return { detect: () => names[call++] ?? [], setUp: () => false };
  };
  /** Finds the instruments that stand as words in the lines. */
  const reader = {
    setUp: () => false,
    detect: (bytes: Uint8Array): readonly string[] => [
      ...new Set(
        Buffer.from(bytes)
          .toString()
          .match(/binance:\w+/g) ?? [],
      ),
    ],
  };
  const two = (): readonly string[] => [file('1 a\n'), file('2 b\n')];

  it('is found, and united over its parts', async () => {
    const streams = recordedStreams(two(), [], detector([['binance:A'], ['binance:A', 'binance:B']]));
    expect(await streams).toEqual({
      venue: 'binance',
      isSetUp: false,
      names: ['binance:A', 'binance:B'],
      hasOthers: false,
    });
  });

  it('is asked for where it is ambiguous, and taken from the user', async () => {
    const names = ['binance:A', 'binance-usdm:A'];
    const path = file('1 a\n');
    await expect(recordedStreams([path], [], detector([names]))).rejects.toMatchObject({
      code: 'recording.ambiguous',
      expected: 'one of binance:A, binance-usdm:A',
      fix: "Say which: --instrument binance:A, or 'binance:*' for all that it holds of one product.",
    });
    expect((await recordedStreams([path], ['binance-usdm:A'], detector([names]))).names).toEqual([
      'binance-usdm:A',
    ]);
    expect((await recordedStreams([path], ['sim:A'], detector([['binance:A']]))).names).toEqual(['sim:A']);
  });

  it('is what the user names, whatever else is ambiguous, and says that there is more', async () => {
    const names = ['binance:A', 'binance:B', 'binance-usdm:B'];
    const streams = await recordedStreams([file('1 a\n')], ['binance:A'], detector([names]));
    expect(streams).toEqual({ venue: 'binance', isSetUp: false, names: ['binance:A'], hasOthers: true });
  });

  it('is said where the user names what it does not hold', async () => {
    const path = file('1 binance:AUSDT\n2 binance:BUSDT\n');
    await expect(recordedStreams([path], ['binance:AUSD'], reader)).rejects.toMatchObject({
      code: 'recording.no_such_instrument',
      where: path,
      expected: 'binance:AUSDT, binance:BUSDT',
      got: 'binance:AUSD',
      fix: 'Write --instrument binance:AUSDT.',
    });
    await expect(recordedStreams([path], ['binance:AUSDT', 'binance:OTHER1'], reader)).rejects.toMatchObject({
      got: 'binance:OTHER1',
      fix: 'Name one that it holds, or leave --instrument out.',
    });
    const many = file(Array.from({ length: 14 }, (_, at) => `${at} binance:S${at}\n`).join(''));
    await expect(recordedStreams([many], ['binance:OTHER1'], reader)).rejects.toMatchObject({
      expected: expect.stringMatching(/^(binance:S\d, ){9}binance:S9 and 4 more$/) as unknown,
    });
  });

  it('may be said behind the beginning only', async () => {
    const filler = `1 binance:A${' '.repeat(100)}\n`.repeat(100_000);
    const path = file(gzipSync(`${filler}2 binance:LATE\n`));
    expect((await readHead(path)).byteLength).toBeLessThan(filler.length);
    expect((await recordedStreams([path], ['binance:LATE'], reader)).names).toEqual(['binance:LATE']);
  });

  it('must be one recording of one venue', async () => {
    const differing = recordedStreams(two(), [], detector([['binance:A'], ['binance:B']]));
    await expect(differing).rejects.toMatchObject({ code: 'recording.differ', got: 'binance:B' });
    const mixed = recordedStreams([file('1 a\n')], [], detector([['binance:A', 'binance-usdm:B']]));
    await expect(mixed).rejects.toMatchObject({ code: 'recording.venues' });
    const none = recordedStreams([file('1 a\n')], [], detector([[]]));
    await expect(none).rejects.toMatchObject({ code: 'recording.no_streams' });
  });

  it('may be of several venues where it says how its connections were taken', async () => {
    const names = ['binance:A', 'sim:A', 'sim:B'];
    const journal = { detect: () => names, setUp: (head: Uint8Array) => head[0] !== '9'.charCodeAt(0) };
    const streams = (...wanted: readonly string[]) => recordedStreams(two(), wanted, journal);
    expect(await streams()).toEqual({ venue: 'binance, sim', isSetUp: true, names, hasOthers: false });
    expect(await streams('sim:*')).toMatchObject({ venue: 'sim', names: ['sim:A', 'sim:B'] });
    expect(await streams('sim:B', 'binance:A')).toMatchObject({ names: ['sim:B', 'binance:A'] });
    const noSuch = { code: 'recording.no_such_instrument' };
    await expect(streams('sim:C')).rejects.toMatchObject({ ...noSuch, got: 'sim:C' });
    await expect(streams('kraken:*')).rejects.toMatchObject({ ...noSuch, got: 'kraken:*' });
    const mixed = recordedStreams([...two(), file('9 c\n')], [], journal);
    await expect(mixed).rejects.toMatchObject({ code: 'recording.differ' });
  });
});

describe('a replay', () => {
  it('at full speed delivers every line in order, over chunks and files', async () => {
    const texts = [recording(Array.from({ length: 30_000 }, (_, ms) => ms)), recording([30_001], 'b')];
    const { native, replay } = start([file(gzipSync(texts[0] ?? '')), file(texts[1] ?? '')], 'max');
    await replay.ended;
    expect(native.lines.join('\n')).toBe(texts.join('').trimEnd());
  });

  it('lets timers and sockets run between chunks', async () => {
    const { replay } = start([file(recording(Array.from({ length: 60_000 }, (_, ms) => ms)))], 'max');
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    await replay.ended;
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it('keeps the pace of the recording times the speed', async () => {
    const times = [0, 100, 200, 300, 400];
    const arrivedMs: number[] = [];
    const { native, replay } = start([file(recording(times))], 2);
    native.lineOutput = () => arrivedMs.push(performance.now());
    await replay.ended;
    const first = arrivedMs[0] ?? 0;
    for (const [index, ms] of times.entries()) {
      const lateMs = (arrivedMs[index] ?? 0) - first - ms / 2;
      // Never early but for the clock's rounding; late only by timers and a busy machine.
      expect(lateMs).toBeGreaterThan(-1.5);
      expect(lateMs).toBeLessThan(150);
    }
  });

  it('resets its venue at the boundary of a loop and begins again at the first line', async () => {
    const { native, replay } = start([file(recording([0, 1], 'x'))], 'max', { loop: true });
    while (replay.passes < 3) await pause(1);
    await replay.stop();
    expect(native.calls.slice(0, 3)).toEqual(['open binance 11', 'reset 1', 'reset 1']);
    expect(native.lines.slice(0, 4)).toEqual([...native.lines.slice(0, 2), ...native.lines.slice(0, 2)]);
  });

  it('pauses for a slow reader, but not for ever', async () => {
    let pressed = true;
    const { native, replay } = start([file(recording([0, 1]))], 'max', { pressed: () => pressed });
    await pause(50);
    expect(native.lines).toEqual([]);
    pressed = false;
    await replay.ended;
    expect(native.lines).toHaveLength(2);
    const stubborn = start([file(recording([0, 1]))], 'max', { pressed: () => true });
    await stubborn.replay.ended;
    expect(stubborn.native.lines).toHaveLength(2);
  });

  it('stops at once while it waits for a line that is far away', async () => {
    const { native, replay } = start([file(recording([0, 3_600_000]))], 1);
    while (native.lines.length === 0) await pause(1);
    const startMs = performance.now();
    await replay.stop();
    expect(performance.now() - startMs).toBeLessThan(200);
    expect(native.lines).toHaveLength(1);
  });

  const LINES = recording(Array.from({ length: 50_000 }, (_, ms) => ms));

  it('of a file that is cut off makes its books stale behind the lines that could be read, and fails', async () => {
    const told: string[] = [];
    const { native, replay } = start(
      [file(gzipSync(LINES).subarray(0, -100)), file(recording([60_000], 'b'))],
      'max',
      {
        onDamage: ({ code }) => told.push(code),
      },
    );
    await expect(replay.ended).rejects.toMatchObject({ code: 'recording.truncated' });
    expect(native.lines.length).toBeGreaterThan(49_000);
    // What follows in another file is still played.
    expect(native.lines.at(-1)).toContain('"b"');
    expect(native.calls.filter((call) => call.startsWith('failed source'))).toEqual(['failed source 1']);
    expect(told).toEqual(['recording.truncated']);
  });

  it.each([
    ['is deleted', (path: string) => rmSync(path), 'recording.deleted'],
    ['becomes shorter', (path: string) => truncateSync(path, 1000), 'recording.truncated'],
  ])('of a file that %s while it is played makes its books stale', async (_what, take, code) => {
    const path = file(LINES);
    const { native, replay } = start([path], 1000);
    while (native.lines.length === 0) await pause(1);
    take(path);
    await expect(replay.ended).rejects.toMatchObject({ code });
    expect(native.calls.at(-1)).toBe('failed source 1');
  });

  it('of a file that is missing at its turn makes its books stale', async () => {
    const later = file(recording([2]));
    const { native, replay } = start([file(recording([0, 300])), later], 1);
    while (native.lines.length === 0) await pause(1);
    rmSync(later);
    await expect(replay.ended).rejects.toMatchObject({ code: 'recording.missing', where: later });
    expect(native.lines).toHaveLength(2);
    expect(native.calls.at(-1)).toBe('failed source 1');
  });
});

describe('a replay under control', () => {
  const timesMs = Array.from({ length: 100 }, (_, at) => at * 100);
  const at = (ms: number): bigint => START_NS + BigInt(ms) * 1_000_000n;
  const lastMs = (native: FakeNative): number => Number((native.recorded - START_NS) / 1_000_000n);

  it('tells its clock, begin, end and speed', async () => {
    const { native, replay } = start([file(recording(timesMs))], 10);
    expect(replay.status()).toMatchObject({ state: 'starting', clockNs: null, beginNs: null, passes: 0 });
    await expect.poll(() => native.lines.length).toBeGreaterThan(3);
    const { state, clockNs, beginNs, endNs, speed } = replay.status();
    expect({ state, beginNs, endNs, speed }).toEqual({
      state: 'running',
      beginNs: START_NS,
      endNs: at(9900),
      speed: 10,
    });
    expect(clockNs).toBeGreaterThanOrEqual(native.recorded);
    await replay.stop();
  });

  it('stands while it is paused, and goes on from there', async () => {
    const { native, replay } = start([file(recording(timesMs))], 20);
    await expect.poll(() => native.lines.length).toBeGreaterThan(3);
    replay.change({ isPaused: true });
    const before = replay.status();
    const lines = native.lines.length;
    await pause(120);
    expect(replay.status()).toEqual(before);
    expect(before.state).toBe('paused');
    expect(native.lines.length).toBe(lines);
    replay.change({ isPaused: false });
    await expect.poll(() => native.lines.length).toBeGreaterThan(lines);
    // What passed meanwhile is not caught up with.
    expect(native.lines.length).toBeLessThan(lines + 40);
    await replay.stop();
  });

  it('changes its speed where it is, to max and back', async () => {
    const { native, replay } = start([file(recording(timesMs))], 0.001);
    await expect.poll(() => native.lines.length).toBe(1);
    replay.change({ speed: 50 });
    await expect.poll(() => native.lines.length).toBeGreaterThan(5);
    replay.change({ speed: 0.001 });
    const lines = native.lines.length;
    await pause(100);
    expect(native.lines.length).toBeLessThan(lines + 8);
    replay.change({ speed: 'max' });
    await replay.ended;
    expect(native.lines).toHaveLength(100);
    expect(replay.status()).toMatchObject({ state: 'ended', clockNs: at(9900) });
    await replay.stop();
  });

  it('runs ahead to a time under hold, and goes on from it at its speed', async () => {
    const { native, replay } = start([file(recording(timesMs))], 0.5);
    await expect.poll(() => native.lines.length).toBeGreaterThan(0);
    replay.change({ seekNs: at(5050) });
    expect(replay.status()).toMatchObject({ state: 'seeking', seekNs: at(5050) });
    await expect.poll(() => replay.status().state).toBe('running');
    expect(lastMs(native)).toBe(5000);
    expect(native.calls.filter((call) => /hold|release|reset/.test(call))).toEqual(['hold', 'release']);
    const { clockNs } = replay.status();
    expect(clockNs).toBeGreaterThanOrEqual(at(5050));
    expect(clockNs).toBeLessThan(at(5300));
    await expect.poll(() => lastMs(native)).toBeGreaterThan(5000);
    await replay.stop();
  });

  it('goes back by beginning anew, also from its end, and while it is paused', async () => {
    const phases: string[] = [];
    const { native, replay } = start([file(recording(timesMs))], 'max');
    replay.onPhase = (phase) => phases.push(phase);
    await replay.ended;
    replay.change({ isPaused: true, seekNs: at(250) });
    await expect.poll(() => replay.status().state).toBe('paused');
    expect(lastMs(native)).toBe(200);
    expect(native.lines).toHaveLength(103);
    expect(replay.status()).toMatchObject({ passes: 2, clockNs: at(200) });
    expect(native.calls.filter((call) => /hold|release|reset/.test(call))).toEqual([
      'hold',
      'reset 1',
      'release',
    ]);
    replay.change({ isPaused: false });
    await expect.poll(() => replay.status().state).toBe('ended');
    expect(native.lines).toHaveLength(200);
    expect(phases).toEqual(['ended', 'running', 'ended']);
    await replay.stop();
  });

  it('takes a time outside of the recording for its begin or its end', async () => {
    const { native, replay } = start([file(recording(timesMs))], 0.001);
    await expect.poll(() => native.lines.length).toBe(1);
    replay.change({ seekNs: at(-1000) });
    await expect.poll(() => replay.status().state).toBe('running');
    expect(native.lines.length).toBeLessThanOrEqual(2);
    replay.change({ seekNs: at(1_000_000) });
    await expect.poll(() => replay.status().state).toBe('ended');
    expect(replay.status().clockNs).toBe(at(9900));
    await replay.stop();
  });

  it('takes the last of several times that are sought at once', async () => {
    const { native, replay } = start([file(recording(timesMs))], 0.001);
    await expect.poll(() => native.lines.length).toBe(1);
    for (const ms of [9000, 10, 7000, 3020]) replay.change({ seekNs: at(ms) });
    await expect.poll(() => replay.status().state).toBe('running');
    expect(lastMs(native)).toBe(3000);
    await replay.stop();
  });

  it('skips times in which nothing was recorded, when asked', async () => {
    const hoursMs = [0, 100, 7_200_000, 7_200_100];
    const { native, replay } = start([file(recording(hoursMs))], 20);
    await expect.poll(() => native.lines.length).toBe(2);
    await pause(120);
    expect(native.lines).toHaveLength(2);
    replay.change({ skipsIdle: true });
    await replay.ended;
    expect(native.lines).toHaveLength(4);
    await replay.stop();
  });

  it('knows the end of packed lines, and none of what is no line', async () => {
    const packed = start([file(gzipSync(recording(timesMs)))], 0.001);
    await expect.poll(() => packed.replay.status().endNs).toBe(at(9900));
    await packed.replay.stop();
    expect(await lastTime(file(Buffer.from([0, 1, 2, 3])), () => false)).toBeUndefined();
    expect(await lastTime(file('{"no":"time"}\n'), () => false)).toBeUndefined();
  });
});
