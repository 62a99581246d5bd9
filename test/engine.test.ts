import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Dialect,
  FrameJournal,
  Inflate,
  JournalConversion,
  JournalMerge,
  JournalSlice,
  Engine as NativeEngine,
  RecordingContents,
  RecordingInspection,
  Replica,
  ReplicaThread,
  Simulator,
  Unzstd,
} from '#native';
import { type Engine, type EngineListener, openEngine, type SignalParams, STREAM } from '../src/engine.js';
import { DepthwireError, explain } from '../src/errors.js';
import { EVERYTHING_NS } from '../src/ingest/source.js';
import { allocateSharedBook, SharedBook } from '../src/shared/index.js';
import { Stream } from '../src/wire/generated/constants.js';
import { FakeNative, fakeEngine, frame } from './support/fake-engine.js';
import { simulatedRecording } from './support/recording.js';

const OPTIONS = { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 };
const SILENT: EngineListener = { onFrame() {}, onAsk() {}, onSay() {}, onFault() {} };
const RECORDING = simulatedRecording('BTCUSDT', 3_000);
/** The snapshot names its instrument, for after `expectOthers` it would be nobody's. */
const FRAMES = RECORDING.replace('{"lastUpdateId"', '{"symbol":"BTCUSDT","lastUpdateId"')
  .trim()
  .split('\n')
  .map((line) => Buffer.from(line.slice(line.indexOf(' ') + 1)));

/** An engine with one book of the embedded venue. */
function opened(listener: Partial<EngineListener> = {}) {
  const engine = openEngine(OPTIONS, { ...SILENT, ...listener });
  const instrument = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT')?.id ?? 0;
  return { engine, instrument, source: engine.openSource('sim', [instrument]) };
}

const codeIs = (code: string) => expect.objectContaining({ name: 'DepthwireError', code });
/** An error of `engine.costs` with all of its parts. */
const refuses = (expected: string, got: string) =>
  expect.objectContaining({
    code: 'engine.costs',
    what: expect.stringMatching(/^no such/),
    where: expect.stringMatching(/./),
    expected,
    got,
    fix: expect.stringMatching(/./),
  });

/** What the book is after all frames, when nothing disturbs it. */
function undisturbed() {
  const seen: string[] = [];
  const { engine, instrument, source } = opened({ onFrame: (_id, stream) => seen.push(`frame ${stream}`) });
  for (const each of FRAMES) engine.ingest(source, each);
  return { digest: engine.digest(instrument), seen };
}

describe('inside its own listener', () => {
  /** Each input, as a listener would call it. */
  const inputs: readonly [string, (engine: Engine, source: number, instrument: number) => void][] = [
    ['ingest', (engine, source) => engine.ingest(source, FRAMES[0] ?? new Uint8Array())],
    [
      'ingestSnapshot',
      (engine, _source, instrument) => engine.ingestSnapshot(instrument, 0, new Uint8Array(2)),
    ],
    [
      'ingestRecording',
      (engine, source) => void engine.ingestRecording(source, new Uint8Array(2), EVERYTHING_NS),
    ],
    ['resetSource', (engine, source) => engine.resetSource(source)],
    ['carry', (engine, source, instrument) => engine.carry(source, [instrument])],
    ['drop', (engine, source, instrument) => engine.drop(source, instrument)],
    ['opened', (engine, source) => engine.opened(source)],
    ['tick', (engine) => engine.tick()],
    ['close', (engine) => engine.close()],
  ];

  it.each(inputs)('%s is refused, and nothing is lost or told twice', (_name, input) => {
    const expected = undisturbed();
    const seen: string[] = [];
    let refused = 0;
    const { engine, instrument, source } = opened({
      onFrame: (id, stream) => {
        seen.push(`frame ${stream}`);
        try {
          input(engine, source, id);
        } catch (error) {
          expect(error).toEqual(codeIs('engine.reentrant'));
          refused += 1;
        }
      },
    });
    for (const each of FRAMES) engine.ingest(source, each);
    expect(refused).toBeGreaterThan(50);
    expect(seen).toEqual(expected.seen);
    expect(refused).toBe(seen.length);
    expect(engine.digest(instrument)).toBe(expected.digest);
    expect(engine.stats().frames).toBe(FRAMES.length);
  });

  it('an input is refused in onAsk and onFault too', () => {
    const codes: string[] = [];
    const attempt = (from: string): void => {
      try {
        engine.tick();
      } catch (error) {
        codes.push(`${from} ${error instanceof DepthwireError ? error.code : 'another'}`);
      }
    };
    const { engine, instrument, source } = opened({
      onAsk: () => attempt('ask'),
      onFault: () => attempt('fault'),
    });
    const update = FRAMES.find((each) => each.includes('depthUpdate'));
    engine.ingest(source, update ?? new Uint8Array());
    engine.ingest(source, Buffer.from('nothing'));
    expect(codes).toEqual(['ask engine.reentrant', 'fault engine.reentrant']);
    engine.resetSource(source);
    for (const each of FRAMES) engine.ingest(source, each);
    expect(engine.book(instrument).state).toBe('synced');
  });

  it('one that lets the refusal through ends the outer call with it, and the next input goes on behind it', () => {
    const native = new FakeNative();
    const seen: number[] = [];
    let isRude = true;
    const engine = fakeEngine(
      {
        onFrame: (id) => {
          seen.push(id);
          if (isRude) engine.tick();
        },
      },
      native,
    );
    for (const id of [1, 2, 3]) native.emit(id, STREAM.book, frame(`frame ${id}`));
    expect(() => engine.tick()).toThrow(codeIs('engine.reentrant'));
    isRude = false;
    native.emit(4, STREAM.book, frame('frame 4'));
    engine.tick();
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(native.drained).toBe(true);
  });

  it('the book, its image and the counters may be read', () => {
    const images = new Uint8Array(1 << 20);
    let imagesMade = 0;
    const { engine, instrument, source } = opened({
      onFrame: (id) => {
        expect(engine.book(id).state).toMatch(/^syn/);
        expect(engine.stats().frames).toBeGreaterThan(0);
        if (engine.image(id, STREAM.book, images) > 0) imagesMade += 1;
        expect(engine.digest(id)).toHaveLength(64);
        engine.closeView(id, engine.openDepth(id, 5, 0));
      },
    });
    for (const each of FRAMES) engine.ingest(source, each);
    expect(imagesMade).toBeGreaterThan(50);
    expect(engine.digest(instrument)).toBe(undisturbed().digest);
  });
});

describe('depth views', () => {
  it('are of price buckets where a grouping is asked for, which must be a multiple of the tick', () => {
    const { engine, instrument } = opened();
    const plain = engine.openDepth(instrument, 5, 0);
    expect(engine.openDepth(instrument, 5, 0, 0n)).toBe(plain);
    const grouped = engine.openDepth(instrument, 5, 0, 10n);
    expect(grouped).not.toBe(plain);
    expect(engine.openDepth(instrument, 5, 0, 10n)).toBe(grouped);
    expect(engine.openDepth(instrument, 5, 0, 20n)).not.toBe(grouped);
    const wrong = engine.addInstrument('sim:NEWUSDT', { tickSize: 5 });
    engine.openSource('sim', [wrong]);
    expect(() => engine.openDepth(wrong, 5, 0, 12n)).toThrow(codeIs('engine.view_grouping'));
  });
});

describe('views of what is computed', () => {
  it('are shared by those who ask alike, and are of something', () => {
    const { engine, instrument } = opened();
    const volumes = engine.openVolumes(instrument, 100, 10n);
    expect(engine.openVolumes(instrument, 100, 10n)).toBe(volumes);
    expect(engine.openVolumes(instrument, 0)).not.toBe(volumes);
    const costs = engine.openCosts(instrument, 0, [1n, 2n ** 63n - 1n], [10]);
    expect(engine.openCosts(instrument, 0, [1n, 2n ** 63n - 1n], [10])).toBe(costs);
    expect(engine.openCosts(instrument, 0, [1n])).not.toBe(costs);
    expect([volumes, costs]).toEqual([Stream.volumesFirst, Stream.costsFirst]);
    // What the engine cannot hold is refused, and nothing else is computed in its place.
    for (const band of [0, -1, 1.5, 10_001, 65_546, 2 ** 32 + 10, Number.NaN])
      expect(() => engine.openCosts(instrument, 0, [], [10, band])).toThrow(
        refuses('1 to 10000 basis points', String(band)),
      );
    for (const qty of [0n, -1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n + 1n])
      expect(() => engine.openCosts(instrument, 0, [1n, qty])).toThrow(
        refuses(`1n to ${2n ** 63n - 1n}n units of the quantity`, `${qty}n`),
      );
    for (const count of [0, 17])
      expect(() => engine.openCosts(instrument, 0, Array<bigint>(count).fill(1n))).toThrow(
        refuses('1 to 16 quantities and bands together', String(count)),
      );
    // Nor does the addon bend it, whoever calls it.
    const native = new NativeEngine(
      { startId: 1, silenceMs: 0, replay: true },
      new Uint8Array(new SharedArrayBuffer(128 + (4 << 20))),
    );
    native.openSource('sim', Uint32Array.of(instrument));
    const open = (qty: bigint, band: number): unknown =>
      native.openCosts(instrument, 0, BigUint64Array.of(qty), Uint32Array.of(band));
    expect(() => open(2n ** 63n, 10)).toThrow(`got: ${2n ** 63n}`);
    expect(() => open(1n, 65_546)).toThrow('got: 65546');
    expect(() => engine.openDepth(instrument, 5, 0, 2n ** 63n)).toThrow(codeIs('addon.not_an_integer'));
    expect(() => engine.openVolumes(instrument, 0, 2n ** 63n)).toThrow(codeIs('addon.not_an_integer'));
    expect(() => engine.openCosts(instrument, 60_001, [1n])).toThrow(codeIs('engine.view_range'));
    const signals = engine.openSignals(instrument, 0, { windowMs: 1000, vpinVolume: 1n });
    expect(engine.openSignals(instrument, 0, { windowMs: 1000, vpinVolume: 1n, vpinBuckets: 50 })).toBe(
      signals,
    );
    expect(engine.openSignals(instrument, 0, { windowMs: 1000 })).toBe(signals + 1);
    expect(signals).toBe(Stream.signalsFirst);
    const wrong = (params: SignalParams): unknown => engine.openSignals(instrument, 0, params);
    for (const windowMs of [0, 999, 3_600_001, 2 ** 32 - 1])
      expect(() => wrong({ windowMs })).toThrow(codeIs('engine.signals'));
    for (const vpinBuckets of [0, 257, 65_536 + 50])
      expect(() => wrong({ windowMs: 1000, vpinVolume: 1n, vpinBuckets })).toThrow(codeIs('engine.signals'));
    for (const windowMs of [1.5, -1, Number.NaN, 2 ** 32])
      expect(() => wrong({ windowMs })).toThrow(codeIs('addon.not_an_integer'));
    for (const vpinVolume of [-1n, 2n ** 63n])
      expect(() => wrong({ windowMs: 1000, vpinVolume })).toThrow(codeIs('addon.not_an_integer'));
    expect(() => engine.openSignals(instrument, 60_001, { windowMs: 1000 })).toThrow(
      codeIs('engine.view_range'),
    );
    for (const stream of [volumes, volumes, costs, costs, signals, signals])
      engine.closeView(instrument, stream);
    expect(engine.image(instrument, costs, new Uint8Array(1024))).toBe(0);
  });
});

describe('closed', () => {
  it('an engine refuses everything by a typed error, and may be closed again', () => {
    const { engine, instrument, source } = opened();
    engine.close();
    engine.close();
    const out = new Uint8Array(8);
    const uses: readonly (() => unknown)[] = [
      () => engine.instruments(),
      () => engine.addInstrument('sim:NEWUSDT'),
      () => engine.detect(out),
      () => engine.openSource('sim', [instrument]),
      () => engine.ingest(source, out),
      () => engine.ingestSnapshot(instrument, 0, out),
      () => engine.snapshotFailed(instrument),
      () => engine.ingestRecording(source, out, 0n),
      () => engine.resetSource(source),
      () => engine.tick(),
      () => engine.image(instrument, STREAM.book, out),
      () => engine.openDepth(instrument, 5, 0),
      () => engine.openVolumes(instrument, 0),
      () => engine.openCosts(instrument, 0, [1n]),
      () => engine.openSignals(instrument, 0, { windowMs: 1000 }),
      () => engine.closeView(instrument, 16),
      () => engine.consolidate('X', [instrument, instrument]),
      () => engine.members(instrument),
      () => engine.venueParts(instrument, 5),
      () => engine.shareBook(instrument, allocateSharedBook(1)),
      () => engine.book(instrument),
      () => engine.stats(),
      () => engine.digest(instrument),
      () => engine.ordersDigest(instrument),
      () => engine.order(instrument, 1n),
      () => engine.nowNs(),
    ];
    for (const use of uses) expect(use, String(use)).toThrow(codeIs('addon.closed'));
    expect(engine.nextNs).toBe(0n);
    try {
      engine.tick();
    } catch (error) {
      expect(explain(error)).toMatch(
        /expected: an open one\n {2}got: {6}one whose close\(\) was called\n {2}fix: {6}./,
      );
    }
  });

  it('an engine leaves its shared books closed, and every other engine as it is', () => {
    const one = opened();
    const other = opened();
    const books = [one, other].map(({ engine, instrument, source }) => {
      const memory = allocateSharedBook(5);
      engine.shareBook(instrument, memory);
      for (const each of FRAMES) engine.ingest(source, each);
      return new SharedBook(memory);
    });
    expect(books.map((book) => book.readTop())).toEqual(['synced', 'synced']);
    one.engine[Symbol.dispose]();
    expect(books.map((book) => book.readTop())).toEqual(['closed', 'synced']);
    expect(other.engine.digest(other.instrument)).toBe(undisturbed().digest);
  });

  it.each([
    ['Replica', () => new Replica(), (each: Replica) => each.books()],
    ['ReplicaThread', () => new ReplicaThread(), (each: ReplicaThread) => each.books()],
    ['Inflate', () => new Inflate(), (each: Inflate) => each.take(new Uint8Array(1))],
    ['FrameJournal', () => new FrameJournal(1n, 2n), (each: FrameJournal) => each.frames()],
    [
      'JournalConversion',
      () => new JournalConversion(1n, 2n),
      (each: JournalConversion) => each.drain(new Uint8Array(1)),
    ],
    [
      'JournalMerge',
      () => new JournalMerge(1, 1n, 2n),
      (each: JournalMerge) => each.take(0, new Uint8Array(1), true),
    ],
    [
      'JournalSlice',
      () => new JournalSlice(0n, 1n, 0n, 1n, 2n),
      (each: JournalSlice) => each.take(new Uint8Array(1), true),
    ],
    ['RecordingInspection', () => new RecordingInspection(), (each: RecordingInspection) => each.fileEnded()],
    ['Unzstd', () => new Unzstd(), (each: Unzstd) => each.run(new Uint8Array(1), new Uint8Array(1))],
    ['Simulator', () => new Simulator(1, 0), (each: Simulator) => each.symbols()],
    [
      'RecordingContents',
      () => new RecordingContents('binance', new Uint8Array()),
      (each: RecordingContents) => each.exponents(0),
    ],
    ['Dialect', () => new Dialect('binance', false, 0, 1, ''), (each: Dialect) => each.depth()],
  ] as const)('a %s refuses everything but another close', (_name, make, use) => {
    const object = make();
    object.close();
    object.close();
    expect(() => use(object as never)).toThrow(expect.objectContaining({ code: 'addon.closed' }));
  });

  it('functions that are bound to an engine are refused as it is, whoever closed it', () => {
    const output = new Uint8Array(new SharedArrayBuffer(128 + (4 << 20)));
    const native = new NativeEngine(OPTIONS, output);
    const ingest = native.ingester();
    const { tick, nowNs } = native;
    expect(nowNs()).toBeGreaterThan(0n);
    native.close();
    for (const use of [() => ingest(0, new Uint8Array(1)), () => native.ingester(), tick, nowNs]) {
      expect(use).toThrow(expect.objectContaining({ code: 'addon.closed' }));
    }
  });

  it('memory that another engine has by now is left alone, whenever the first one ends', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const output = new Uint8Array(new SharedArrayBuffer(128 + (4 << 20)));
    const first = new NativeEngine(OPTIONS, output);
    const dropped = (() => new WeakRef(new NativeEngine(OPTIONS, output)))();
    const last = new NativeEngine(OPTIONS, output);
    output.fill(7, 1 << 20);
    first.close();
    for (let round = 0; dropped.deref() !== undefined; round += 1) {
      expect(round, 'rounds of collection').toBeLessThan(100);
      await setImmediate();
      collect();
    }
    await setImmediate();
    expect(output.subarray(1 << 20).every((byte) => byte === 7)).toBe(true);
    last.close();
    expect(output.subarray(1 << 20).every((byte) => byte === 7)).toBe(process.platform !== 'linux');
  });
});

describe('arguments', () => {
  it('that are no options of an engine are refused by typed errors', () => {
    const wrong: readonly [object, string][] = [
      [{ startId: -1 }, 'addon.not_an_integer'],
      [{ startId: 2 ** 32 }, 'addon.not_an_integer'],
      [{ resetsFrom: 2 ** 31 }, 'addon.not_an_integer'],
      [{ silenceMs: 0.5 }, 'addon.not_an_integer'],
      [{ silenceMs: 86_400_001 }, 'addon.not_an_integer'],
      [{ replay: 1 }, 'addon.not_a_boolean'],
      [{ outputBytes: 0 }, 'addon.output_memory'],
      [{ outputBytes: -1 }, 'addon.output_memory'],
      [{ outputBytes: 4.5 }, 'addon.output_memory'],
      [{ outputBytes: NaN }, 'addon.output_memory'],
      [{ outputBytes: 2 ** 60 }, 'addon.output_memory'],
      [{ outputBytes: '4194304' }, 'addon.output_memory'],
    ];
    for (const [options, code] of wrong) {
      expect(() => openEngine({ ...OPTIONS, ...options }, SILENT), JSON.stringify(options)).toThrow(
        codeIs(code),
      );
    }
    expect(() => openEngine(undefined as never, SILENT)).toThrow(codeIs('engine.wrong_argument'));
  });

  it('that name an instrument by a number beyond 32 bits do not find the one that the lower bits name', () => {
    const { engine, instrument } = opened();
    const notAnInteger = codeIs('addon.not_an_integer');
    for (const wrong of [
      instrument + 2 ** 32,
      instrument - 2 ** 32,
      instrument + 0.5,
      String(instrument),
      NaN,
      1n,
    ]) {
      const id = wrong as never;
      expect(() => engine.book(id), String(wrong)).toThrow(notAnInteger);
      expect(() => engine.digest(id)).toThrow(notAnInteger);
      expect(() => engine.openSource('sim', [id])).toThrow(notAnInteger);
      expect(() => engine.snapshotFailed(id)).toThrow(notAnInteger);
    }
    expect(() => engine.openSource('sim', new Array<number>(1))).toThrow(notAnInteger);
    for (const stream of [256, 257, -1, STREAM.book + 2 ** 32]) {
      expect(() => engine.image(instrument, stream, new Uint8Array(8))).toThrow(notAnInteger);
    }
    const wrong = expect.objectContaining({ what: 'wrong instrument', got: String(instrument + 2 ** 32) });
    expect(() => engine.book(instrument + 2 ** 32)).toThrow(wrong);
  });

  it('of any kind at all give a typed error that says what to do, or have their effect', () => {
    const { engine, instrument, source } = opened();
    const own = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(engine));
    const methods = Object.keys(own).filter(
      (name) => !['constructor', 'close'].includes(name) && typeof own[name]?.value === 'function',
    );
    expect(methods.length).toBeGreaterThan(19);
    const values = fc.oneof(
      fc.anything({ withBigInt: true, withTypedArray: true, withDate: true, withNullPrototype: true }),
      fc.constantFrom<unknown>(
        instrument,
        source,
        instrument + 2 ** 32,
        2n ** 64n,
        -1n,
        Symbol('x'),
        Number.NaN,
      ),
      fc.constantFrom<unknown>(
        new Uint8Array(9),
        new Uint8Array(new SharedArrayBuffer(96)),
        new DataView(new ArrayBuffer(8)),
      ),
      fc.constantFrom<unknown>(
        [instrument],
        [instrument + 2 ** 32],
        [1n],
        [Symbol('x')],
        'sim',
        'sim:BTCUSDT',
      ),
    );
    const codes = new Set<string>();
    fc.assert(
      fc.property(fc.constantFrom(...methods), fc.array(values, { maxLength: 6 }), (name, args) => {
        try {
          Reflect.apply(Reflect.get(engine, name), engine, args);
        } catch (error) {
          if (!(error instanceof DepthwireError)) throw error;
          expect(error.code).toMatch(/^[a-z]+\.[a-z_]+$/);
          expect(['addon.panicked', 'addon.failed', 'addon.closed']).not.toContain(error.code);
          expect(error.what).not.toBe('');
          expect(error.fix).not.toBe('');
          codes.add(error.code);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(codes).toContain('addon.not_an_integer');
    // One of the calls may have been a right `drop`.
    engine.carry(source, [instrument]);
    engine.resetSource(source);
    for (const each of FRAMES) engine.ingest(source, each);
    expect(engine.digest(instrument)).toBe(undisturbed().digest);
  });

  it('of shared memory are read but not written: an image there could be seen half written', () => {
    const { engine, instrument } = opened();
    const shared = new Uint8Array(new SharedArrayBuffer(128 + (4 << 20)));
    expect(() => engine.image(instrument, STREAM.status, shared)).toThrow(codeIs('addon.shared_output'));
    expect(() => new Unzstd().run(new Uint8Array(1), shared)).toThrow(codeOnly('addon.shared_output'));
    expect(() => new Simulator(1, 0).snapshot('BTCUSDT', 5, shared)).toThrow(codeOnly('addon.shared_output'));
    expect(engine.detect(sharedCopy(Buffer.from(RECORDING)))).toEqual(engine.detect(Buffer.from(RECORDING)));
  });

  it('that were transferred away are empty', () => {
    const { engine, instrument, source } = opened();
    const gone = new Uint8Array(64);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const faults: string[] = [];
    const strict = opened({ onFault: (error) => faults.push(error.code) });
    strict.engine.ingest(strict.source, gone);
    expect(faults).toHaveLength(1);
    expect(engine.ingestRecording(source, gone, EVERYTHING_NS)).toBe(0);
    expect(engine.image(instrument, STREAM.status, gone)).toBeLessThan(0);
  });
});

const codeOnly = (code: string) => expect.objectContaining({ code });

function sharedCopy(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}

describe('a connection', () => {
  const bytes = (message: object): Buffer => Buffer.from(JSON.stringify(message));
  const depth = (symbol: string, first: number, last: number, prev: number) =>
    bytes({
      e: 'depthUpdate',
      E: 1,
      T: 1,
      s: symbol,
      U: first,
      u: last,
      pu: prev,
      b: [['10.0', '1']],
      a: [],
    });

  /** A connection that carries nothing yet, and two instruments. */
  function connected() {
    const engine = openEngine(OPTIONS, SILENT);
    const [btc, eth] = ['binance-usdm:BTCUSDT', 'binance-usdm:ETHUSDT'].map((name) =>
      engine.addInstrument(name),
    );
    return { engine, source: engine.open('binance-usdm'), btc: btc ?? 0, eth: eth ?? 0 };
  }

  it('carries instruments, drops one, and carries it again', () => {
    const { engine, source, btc, eth } = connected();
    const state = (instrument: number): string => engine.book(instrument).state;
    engine.ingest(source, depth('BTCUSDT', 1, 2, 0));
    expect(engine.stats().foreign).toBe(1);
    engine.carry(source, [btc]);
    engine.carry(source, [eth]);
    engine.ingest(source, depth('BTCUSDT', 3, 4, 2));
    const { foreign, bookMessages } = engine.stats();
    expect({ foreign, bookMessages }).toEqual({ foreign: 1, bookMessages: 1 });
    engine.drop(source, btc);
    expect(state(btc)).toBe('syncing');
    const { ignored } = engine.stats();
    // It was on its way.
    engine.ingest(source, depth('BTCUSDT', 5, 6, 4));
    engine.ingest(source, depth('ETHUSDT', 5, 6, 4));
    expect(engine.stats()).toMatchObject({ foreign: 1, ignored: ignored + 1 });
    expect(engine.stats().bookMessages).toBe(2);
    engine.carry(source, [btc]);
    engine.opened(source);
    engine.ingest(source, depth('BTCUSDT', 7, 8, 6));
    expect(engine.stats().bookMessages).toBe(3);
  });

  it('tells what is wrong with what it is to carry', () => {
    const { engine, source, btc } = connected();
    const sim = engine.instruments().find(({ venue }) => venue === 'sim')?.id ?? 0;
    expect(() => engine.open('nowhere')).toThrow(codeIs('instrument.unknown_venue'));
    expect(() => engine.carry(source, [sim])).toThrow(codeIs('engine.wrong_venue'));
    expect(() => engine.carry(source, [2 ** 32 + btc])).toThrow(codeIs('addon.not_an_integer'));
    expect(() => engine.carry(9, [btc])).toThrow(codeIs('engine.unknown_source'));
  });

  it('tells statistics, liquidations and trading as the venue does', () => {
    const { engine, source, btc } = connected();
    engine.carry(source, [btc]);
    expect([engine.ticker(btc), engine.liquidation(btc), engine.trading(btc)]).toEqual([
      null,
      null,
      'unknown',
    ]);
    engine.ingest(
      source,
      bytes({ e: 'markPriceUpdate', E: 5, s: 'BTCUSDT', p: '10.5', i: '10.4', P: '10.3', r: '0.0001', T: 9 }),
    );
    const order = {
      s: 'BTCUSDT',
      S: 'SELL',
      o: 'LIMIT',
      f: 'IOC',
      q: '2',
      p: '9',
      ap: '9.5',
      X: 'FILLED',
      l: '2',
      z: '2',
      T: 7,
    };
    engine.ingest(source, bytes({ e: 'forceOrder', E: 7, o: order }));
    const { priceExponent } = engine.instrument(btc);
    const mantissa = (price: number): bigint => BigInt(Math.round(price * 10 ** -priceExponent));
    expect(engine.ticker(btc)).toMatchObject({
      mark: mantissa(10.5),
      index: mantissa(10.4),
      fundingRateE9: 100_000n,
      fundingAt: 9_000_000n,
    });
    expect(engine.liquidation(btc)).toMatchObject({
      price: mantissa(9),
      aggressor: 'sell',
      tsEvent: 7_000_000n,
    });
    const { tickers, liquidations } = engine.stats();
    expect({ tickers, liquidations }).toEqual({ tickers: 1, liquidations: 1 });
  });
});
