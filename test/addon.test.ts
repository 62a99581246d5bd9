import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { Engine } from '#native';
import { RING } from '../src/engine.js';

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

/** What the script prints: how often each export was called and refused, and the codes of what was thrown. */
interface Printed {
  readonly summary: Readonly<Record<string, { readonly calls: number; readonly refused: number }>>;
  readonly codes: readonly string[];
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
  const none: Printed = { summary: {}, codes: [] };
  return {
    ending: { code, signal, err, lastCall },
    printed: code === 0 ? (JSON.parse(out) as Printed) : none,
  };
}

it.each([
  [1, 400],
  [2, 400],
])(
  'every export of the addon refuses hostile values by typed errors and works afterwards (seed %i, %i rounds)',
  async (seed, rounds) => {
    const { ending, printed } = await hostileCalls(seed, rounds);
    expect(ending).toEqual({ code: 0, signal: null, err: '', lastCall: '' });
    const { summary, codes } = printed;
    expect(Object.keys(summary)).toContain('Engine.ingestRecording');
    for (const [name, { calls }] of Object.entries(summary)) expect(calls, name).toBeGreaterThan(20);
    // Some calls must have come through, or the values were not hostile but merely of a wrong type.
    for (const name of ['Engine.ingest', 'Engine.image', 'Engine.book', 'Engine.digest', 'Replica.apply']) {
      expect(summary[name]?.refused, name).toBeGreaterThan(0);
      expect(summary[name]?.refused, name).toBeLessThan(summary[name]?.calls ?? 0);
    }
    for (const code of codes) expect(code).toMatch(/^[A-Z][A-Za-z]+$|^[a-z]+\.[a-z_]+$/);
    for (const area of ['addon', 'decode', 'engine', 'instrument', 'replica', 'sim']) {
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
