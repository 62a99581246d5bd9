import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, it } from 'vitest';
import { Engine, Simulator, Unzstd } from '#native';
import { ERROR, RING } from '../src/engine.js';
import { zstdOf } from './support/itch-bytes.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-addon-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SCRIPT = fileURLToPath(new URL('support/addon-hostile.mjs', import.meta.url));
/** A call that never returns is a failure too. */
const RUN_MS_MAX = 90_000;

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly err: string;
  readonly lastCall: string;
}

/** What the script of the two threads prints. */
interface SharedInput {
  readonly summary: Readonly<
    Record<string, { calls: number; refused: number; wrong: number; example: string; answers: number }>
  >;
  readonly written: number;
  readonly state: string;
}

/**
 * What the script prints: how often each export was called and refused, the codes of what was thrown, and how many values
 * that are no integers it handed in where one is due.
 */
interface Printed {
  readonly summary: Readonly<Record<string, { readonly calls: number; readonly refused: number }>>;
  readonly codes: readonly string[];
  readonly numbersTried: number;
}

async function hostileCalls(seed: number, rounds: number): Promise<{ ending: Ending; printed: Printed }> {
  const callFile = join(folder, `call-${seed}`);
  const child = spawn(process.execPath, [SCRIPT, String(seed), String(rounds), callFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString();
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const lastCall = code === 0 ? '' : readFileSync(callFile, 'utf8').trimEnd();
  const none: Printed = { summary: {}, codes: [], numbersTried: 0 };
  return {
    ending: { code, signal, err, lastCall },
    printed: code === 0 ? (JSON.parse(out) as Printed) : none,
  };
}

it.each([
  [6, 2_000],
  [8, 2_000],
])(
  'every export of the addon refuses hostile values by typed errors and works afterwards (seed %i, %i rounds)',
  async (seed, rounds) => {
    const { ending, printed } = await hostileCalls(seed, rounds);
    expect(ending).toEqual({ code: 0, signal: null, err: '', lastCall: '' });
    const { summary, codes, numbersTried } = printed;
    expect(numbersTried).toBeGreaterThan(500);
    expect(Object.keys(summary)).toContain('Engine.ingestRecording');
    for (const [name, { calls }] of Object.entries(summary)) expect(calls, name).toBeGreaterThan(20);
    // Some calls must have come through, or the values were not hostile but merely of a wrong type.
    for (const name of [
      'Engine.ingester()',
      'Engine.image',
      'Engine.book',
      'Engine.digest',
      'Replica.apply',
    ]) {
      expect(summary[name]?.refused, name).toBeGreaterThan(0);
      expect(summary[name]?.refused, name).toBeLessThan(summary[name]?.calls ?? 0);
    }
    for (const code of [
      'addon.not_an_integer',
      'addon.not_bytes',
      'addon.not_integers',
      'addon.not_text',
      'addon.not_a_boolean',
      'addon.shared_output',
    ]) {
      expect(codes).toContain(code);
    }
    for (const area of ['addon', 'engine', 'instrument', 'recording', 'replica', 'sim']) {
      expect(
        codes.some((code) => code.startsWith(`${area}.`)),
        area,
      ).toBe(true);
    }
  },
  RUN_MS_MAX + 10_000,
);

it('the engine writes to shared memory only: any other could be taken away under it', () => {
  const size = RING.controlBytes + (4 << 20);
  const options = { startId: 1, silenceMs: 0, replay: false };
  const wrong = [
    new Uint8Array(size),
    // Resizable, which the configured library types do not know.
    new Uint8Array(Reflect.construct(ArrayBuffer, [size, { maxByteLength: 2 * size }])),
    new Uint8Array(new SharedArrayBuffer(size - 8)),
    new Uint8Array(new SharedArrayBuffer(size + 8), 4, size),
  ];
  for (const output of wrong) {
    expect(() => new Engine(options, output)).toThrow(
      expect.objectContaining({ code: 'addon.output_memory' }),
    );
  }
  expect(new Engine(options, new Uint8Array(new SharedArrayBuffer(size))).instruments()).not.toHaveLength(0);
});

it('numbers that an integer field cannot hold are refused, not bent', () => {
  const output = new Uint8Array(new SharedArrayBuffer(RING.controlBytes + (4 << 20)));
  const engine = new Engine({ startId: 1, silenceMs: 0, replay: false }, output);
  const notAnInteger = expect.objectContaining({ code: 'addon.not_an_integer' });
  for (const [exponent, tick] of [
    [-2, 0.5],
    [2 ** 32 - 2, 1],
    [-19, 1],
    [-2, 1e300],
    [NaN, 1],
  ] as const) {
    expect(() => engine.addInstrument('binance:NEWUSDT', exponent, -8, tick, 1)).toThrow(notAnInteger);
  }
  expect(() => new Engine({ startId: -1, silenceMs: 0, replay: false }, output)).toThrow(notAnInteger);
  expect(() => engine.openSource('nyse', Uint32Array.of(1))).toThrow(
    expect.objectContaining({ code: 'instrument.unknown_venue' }),
  );
});

/** An engine with one book of the embedded venue's market. */
function simulatedBook() {
  const output = new SharedArrayBuffer(RING.controlBytes + (4 << 20));
  const engine = new Engine({ startId: 1, silenceMs: 0, replay: true }, new Uint8Array(output));
  const instrument = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT')?.id ?? 0;
  return { engine, instrument, source: engine.openSource('sim', Uint32Array.of(instrument)), output };
}

function simulatedSnapshot(): Uint8Array {
  const out = new Uint8Array(1 << 20);
  return out.slice(0, new Simulator(5, 0).snapshot('BTCUSDT', 1000, out));
}

it('a frame in shared memory is read as it is, one beyond the limit refused', () => {
  const snapshot = simulatedSnapshot();
  const shared = new Uint8Array(new SharedArrayBuffer(snapshot.length + 3), 3);
  shared.set(snapshot);
  const { engine, instrument, source } = simulatedBook();
  expect(engine.ingester()(source, shared) & ERROR).toBe(0);
  const own = simulatedBook();
  own.engine.ingester()(own.source, snapshot);
  expect(engine.book(instrument).state).toBe('synced');
  expect(engine.digest(instrument)).toBe(own.engine.digest(own.instrument));
  expect(engine.ingester()(source, new Uint8Array(new SharedArrayBuffer((8 << 20) + 2))) & ERROR).toBe(ERROR);
  expect(engine.lastError()?.code).toBe('decode.frame_too_large');
});

it('a source that is no integer is refused, not bent', () => {
  const ingest = simulatedBook().engine.ingester();
  for (const source of [0.5, -1, NaN, 2 ** 32]) {
    expect(() => ingest(source, new Uint8Array(1))).toThrow(
      expect.objectContaining({ code: 'addon.not_an_integer' }),
    );
  }
});

it(
  'bytes that another thread overwrites meanwhile are refused or read as they were at one time',
  async () => {
    const script = fileURLToPath(new URL('support/addon-shared-input.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: RUN_MS_MAX });
    const { summary, written, state } = JSON.parse(stdout) as SharedInput;
    let calls = 0;
    for (const [name, told] of Object.entries(summary)) {
      expect(told, name).toMatchObject({ wrong: 0, example: '' });
      calls += told.calls;
    }
    expect(calls).toBeGreaterThanOrEqual(100_000);
    expect(written).toBeGreaterThan(0);
    expect(state).toBe('synced');
    // The threads met: what was read is not always the same, and some of it no message.
    for (const name of ['ingest', 'ingestUpdate', 'ingestSnapshot', 'ingestRecording']) {
      expect(summary[name]?.answers, name).toBeGreaterThan(1);
      expect(summary[name]?.refused, name).toBeGreaterThan(0);
      expect(summary[name]?.refused, name).toBeLessThan(summary[name]?.calls ?? 0);
    }
  },
  RUN_MS_MAX,
);

it('no export lends or bends an argument: only one file of the addon reads what JavaScript hands in', () => {
  const folder = new URL('../crates/node/src/', import.meta.url);
  let exports = 0;
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    // `#[napi…]`, then the function with its parameters.
    for (const [, name, parameters = ''] of text.matchAll(
      /#\[napi[^\n]*(?:\n[^\n]*)??\n[^/]*?pub fn (\w+)(?:<[^>]*>)?\(([^)]*)\)/g,
    )) {
      exports += 1;
      for (const parameter of parameters.split(',').map((text) => text.trim())) {
        expect(parameter, `${file} ${name}`).toMatch(
          /^$|^&(mut )?self$|^env: &('env )?Env$|^this: This$|^(mut )?\w+: Argument$/,
        );
      }
    }
    if (file !== 'argument.rs')
      expect(text, file).not.toMatch(/from_raw_parts|as_mut\(\)|get_typedarray_info/);
  }
  expect(exports).toBeGreaterThan(30);
});

it('zstd data is undone within one buffer, wherever its two parts overlap', () => {
  const plain = Buffer.from(Uint32Array.from({ length: 5_000 }, (_, at) => at).buffer);
  const packed = zstdOf(plain);
  for (const [from, to] of [
    [0, 0],
    [0, 100],
    [100, 0],
    [100, 50],
  ] as const) {
    const buffer = new Uint8Array(Math.max(plain.length, packed.length) + 100);
    buffer.set(packed, from);
    const told = new Unzstd().run(
      buffer.subarray(from, from + packed.length),
      buffer.subarray(to, to + plain.length),
    );
    expect(told).toEqual({ consumed: packed.length, produced: plain.length, isWhole: true });
    expect(plain.equals(buffer.subarray(to, to + plain.length))).toBe(true);
  }
});

it('the function that takes frames outlives the object that made it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { ingest, collected, source, output } = (() => {
    const { engine, ...rest } = simulatedBook();
    return { ...rest, ingest: engine.ingester(), collected: new WeakRef(engine) };
  })();
  for (let round = 0; collected.deref() !== undefined; round += 1) {
    expect(round, 'rounds of collection').toBeLessThan(100);
    await setImmediate();
    collect();
  }
  // Finalizers run behind the collection.
  await setImmediate();
  const words = new Uint32Array(output);
  const before = words[RING.control.write];
  expect(ingest(source, simulatedSnapshot()) & ERROR).toBe(0);
  expect(words[RING.control.write]).not.toBe(before);
});
