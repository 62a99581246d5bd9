/**
 * Calls every export of the addon with values that it was not made for. Runs as a process of its own, so that a crash is
 * an exit by a signal and not the end of the test runner. Arguments: seed, rounds, file for the call under way.
 * Prints one line of JSON: how often each export was called and refused, and the codes of the errors.
 */

import { openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';

const require = createRequire(import.meta.url);
const native = require('../../src/native/load.js');
const declarations = readFileSync(new URL('../../src/native/binding.d.ts', import.meta.url), 'utf8');

const [seed = '1', rounds = '100', callFile = '/dev/null'] = process.argv.slice(2);
const callFd = openSync(callFile, 'w');

/** Every constructor and method that the declarations name, as the generator wrote them. */
function declaredExports() {
  const found = [];
  for (const [, owner, body] of declarations.matchAll(/^export declare class (\w+) \{\n([\s\S]*?)^\}/gm)) {
    for (const [, name, list] of body.matchAll(/^ {2}(\w+)\((.*?)\)/gm)) {
      const parameters =
        list === '' ? [] : list.split(', ').map((parameter) => /^(\w+)(\??): (.*)$/.exec(parameter));
      found.push({
        owner,
        name,
        types: parameters.map(([, , , type]) => type),
        names: parameters.map(([, parameter]) => parameter),
        optional: parameters.map(([, , mark]) => mark === '?'),
      });
    }
  }
  return found;
}

const exported = declaredExports();
for (const [, name] of declarations.matchAll(/^export declare (?:class|function|const) (\w+)/gm)) {
  if (!(name in native)) throw new Error(`${name} is declared but not exported`);
}
for (const [owner, value] of Object.entries(native)) {
  if (declarations.includes(`export declare function ${owner}(`)) {
    for (const given of [
      undefined,
      null,
      5,
      {},
      '',
      'x',
      `${'a:'.repeat(1 << 16)}`,
      '\ud800:X',
      Symbol('x'),
    ]) {
      try {
        value(given);
      } catch (error) {
        if (!/^(addon|instrument)\.[a-z_]+$/.test(error?.code ?? '')) throw error;
      }
    }
    continue;
  }
  const members = typeof value === 'function' ? Object.getOwnPropertyNames(value.prototype ?? {}) : [];
  const declared = exported.filter((member) => member.owner === owner).map(({ name }) => name);
  if (members.toSorted().join() !== declared.toSorted().join()) {
    throw new Error(`${owner} has ${members.join()}, declared are ${declared.join()}`);
  }
}

const SYMBOL = 'BTCUSDT';
const START_MS = 1_700_000_000_000;
const MORE = 2;

/** A snapshot and the updates behind it: the input by which an engine shows that it still works. */
function goodFrames() {
  const simulator = new native.Simulator(5, START_MS);
  const out = new Uint8Array(1 << 20);
  const frames = [];
  for (let now = START_MS; frames.length < 40; now += 10) {
    for (let bytes = simulator.next(now, out); bytes > 0; bytes = simulator.next(now, out)) {
      const frame = out.slice(0, bytes);
      const text = Buffer.from(frame).toString();
      if (!text.includes(`"${SYMBOL}"`)) continue;
      if (text.includes('"depthUpdate"') || frames.length > 0) frames.push(frame);
      if (frames.length !== 1) continue;
      // It names its instrument, for after `expectOthers` it would be nobody's.
      const snapshot = Buffer.from(out.slice(0, simulator.snapshot(SYMBOL, 1000, out))).toString();
      frames.push(Buffer.from(snapshot.replace('{', `{"symbol":"${SYMBOL}",`)));
    }
  }
  return frames;
}

const good = goodFrames();

/** An engine with one book, and the ring that it writes. */
class Bench {
  constructor() {
    this.output = new SharedArrayBuffer(128 + (4 << 20));
    this.engine = new native.Engine(
      { startId: 9, silenceMs: 0, replay: true, historyBytes: 1 << 20 },
      new Uint8Array(this.output),
    );
    this.words = new Uint32Array(this.output);
    this.ingest = this.engine.ingester();
    this.instrument = this.engine.instruments().find(({ name }) => name === `sim:${SYMBOL}`).id;
    this.source = this.engine.openSource('sim', Uint32Array.of(this.instrument));
    this.other = this.engine.instruments().find(({ name }) => name === 'sim:ETHUSDT').id;
  }

  /** Reads nothing of what waits, but makes room for more. */
  drain(flags) {
    for (let left = flags; left !== 0; left = (left & MORE) === 0 ? 0 : this.engine.pump()) {
      Atomics.store(this.words, 1, Atomics.load(this.words, 0));
    }
  }

  /** The book after a reset of the venue and the good frames. */
  work() {
    this.drain(MORE);
    // It may have been dropped.
    this.engine.carry(this.source, Uint32Array.of(this.instrument));
    this.drain(this.engine.resetSource(this.source));
    for (const frame of good) this.drain(this.ingest(this.source, frame));
    return `${this.engine.book(this.instrument).state} ${this.engine.digest(this.instrument)}`;
  }
}

const bench = new Bench();
const expected = bench.work();
if (!expected.startsWith('synced ')) throw new Error(`the good frames leave the book ${expected}`);

function detached(view) {
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

function shrunk() {
  const buffer = new ArrayBuffer(64, { maxByteLength: 256 });
  const view = new Uint8Array(buffer, 8);
  buffer.resize(4);
  return view;
}

const HUGE = new Uint8Array(9 << 20).fill(0x20);

const NUMBERS = [0, -0, 1, -1, 1.5, NaN, Infinity, -Infinity, 5e-324, 1e308].concat([
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  -(2 ** 31),
  -(2 ** 53),
  -(2 ** 63),
  16,
  255,
  1000,
]);
/** What would mean something if it were cut to 32 bits. */
const BENT = () =>
  [bench.source, bench.instrument].flatMap((id) => [
    id + 2 ** 32,
    id - 2 ** 32,
    id + 0.5,
    String(id),
    BigInt(id),
  ]);
const STRINGS = ['', 'x', 'sim', 'binance', `sim:${SYMBOL}`, 'sim:NEW', ':', '\0', '\ud800', SYMBOL].concat([
  'sim:',
  'Ω:Ω',
  'x'.repeat(1 << 20),
]);
/** What is said of a reader that is brought back. */
const WAYS = ['range', 'net'];
/** Numbers that mean something to the engine under test, so that calls get beyond the first check. */
const MEANT = () => [bench.source, bench.instrument, bench.instrument, 1, 2, 5, 16, 20, -2];
const BIGINTS = [
  0n,
  -1n,
  1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n,
  -(2n ** 63n),
  2n ** 4000n,
];
const BYTES = [
  () => new Uint8Array(0),
  () => detached(new Uint8Array(16)),
  () => detached(Buffer.from(new ArrayBuffer(16))),
  shrunk,
  () => new Uint8Array(new SharedArrayBuffer(0)),
  () => new Uint8Array(new SharedArrayBuffer(4096)),
  () => new Uint8Array(new SharedArrayBuffer(64, { maxByteLength: 128 })),
  () => HUGE,
  () => HUGE.subarray(HUGE.length),
  () => new Uint8Array(1 << 20),
  () => new Uint8Array(33).subarray(1, 32),
  () => good[0].subarray(0, good[0].length >> 1),
  () => Buffer.from('1700000000000000000 {"e":"trade"}\n1 {\n'),
  () => Buffer.from('{"lastUpdateId":1,"bids":[["1e999","1"]],"asks":[]}'),
  () => Buffer.from(`${'['.repeat(100_000)}`),
  () => Uint8Array.from({ length: 512 }, (_, at) => (at * 131) & 0xff),
  () => new Uint8Array(128 + (4 << 20)),
  () => new Uint8Array(new SharedArrayBuffer(128 + (4 << 20))),
  () => good[0],
];
const OTHERS = [
  () => undefined,
  () => null,
  () => true,
  () => Symbol('x'),
  () => () => 1,
  () => ({}),
  () => ({ length: 2 ** 32 - 1 }),
  () => new Float64Array(8),
  () => new BigUint64Array(1),
  () => new Int8Array(3),
  () => new Uint8ClampedArray(3),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(8),
  () => new SharedArrayBuffer(8),
  () => new Proxy(new Uint8Array(8), {}),
  () => new Proxy({}, {}),
  () => new Date(NaN),
];
const OPTIONS = [
  () => ({ startId: 1, silenceMs: 0, replay: true }),
  () => ({ startId: -1, silenceMs: NaN, replay: false }),
  () => ({ startId: 1, silenceMs: 0, replay: 1 }),
  () => ({ startId: {}, silenceMs: [], replay: null }),
  () => ({ startId: 1, replay: true, historyBytes: 1 << 20, historyStreamBytes: 1 << 16, historyMs: 1000 }),
  () => ({ startId: 1, replay: true, historyBytes: 2 ** 53, historyMs: '1' }),
  () => Object.create({ startId: 1, silenceMs: 0, replay: true }),
  () => ({}),
].map((make) => ({ label: String(make).slice(0, 60), make }));
const WORDS = [
  () => new Uint32Array(0),
  () => Uint32Array.of(1),
  () => Uint32Array.of(0, 0),
  () => Uint32Array.of(bench.instrument),
  () => Uint32Array.of(bench.other, bench.other),
  () => Uint32Array.of(bench.instrument, bench.other),
  () => Uint32Array.of(bench.other),
  () => detached(new Uint32Array(4)),
  () => new Uint32Array(100_000).fill(7),
  () => new Uint32Array(new SharedArrayBuffer(16)),
  () => [bench.other],
  () => new Array(2 ** 32 - 1),
];

/** Makes a value when it is needed: detached memory cannot be kept in a list of examples. */
const made = (label, make) => ({ label, make });
const numbers = fc.oneof(
  fc.constantFrom(...NUMBERS.map((value) => made(Object.is(value, -0) ? '-0' : String(value), () => value))),
  {
    weight: 4,
    arbitrary: fc.nat(MEANT().length - 1).map((at) => made(`meant ${MEANT()[at]}`, () => MEANT()[at])),
  },
  fc.nat(BENT().length - 1).map((at) => made(`bent ${BENT()[at]}`, () => BENT()[at])),
);
const booleans = fc.boolean().map((value) => made(String(value), () => value));
const strings = fc.constantFrom(...STRINGS.map((value) => made(value.slice(0, 20), () => value)));
const bigints = fc.constantFrom(
  ...BIGINTS.map((value) => made(`${String(value).slice(0, 20)}n`, () => value)),
);
const ways = fc.constantFrom(...WAYS.map((value) => made(value, () => value)));
const bytes = fc.constantFrom(...BYTES.map((make) => made(`bytes ${String(make).slice(0, 60)}`, make)));
const words = fc.constantFrom(...WORDS.map((make) => made(String(make).slice(0, 60), make)));
const others = fc.constantFrom(...OTHERS.map((make) => made(String(make).slice(0, 60), make)));
const anything = fc.oneof(numbers, strings, bigints, bytes, words, others);

/** A type of the declarations. */
const WAY = "'range' | 'net'";

/** Mostly values of the right type that are wrong in themselves: others get no further than the conversion. */
function argument(type) {
  const fitting = {
    number: numbers,
    string: strings,
    [WAY]: ways,
    bigint: bigints,
    boolean: booleans,
    Uint8Array: bytes,
    Uint32Array: words,
  };
  const own = fitting[type] ?? fc.constantFrom(...OPTIONS);
  return fc.oneof({ weight: 5, arbitrary: own }, { weight: 1, arbitrary: anything });
}

/** Functions that the addon hands out: bound to their object, so that it does not matter what they are called on. */
const bound = [
  {
    owner: 'Engine',
    name: 'ingester()',
    types: ['number', 'Uint8Array'],
    names: ['source', 'bytes'],
    optional: [false, false],
    run: bench.ingest,
  },
];

const calls = fc.constantFrom(...exported, ...bound).chain((member) =>
  fc
    .tuple(fc.tuple(...member.types.map(argument)), fc.array(anything, { maxLength: 1 }), fc.nat(9))
    .map(([args, extra, cut]) => ({
      member,
      // Now and then an argument too few or too many.
      args: cut === 0 ? args.slice(0, -1) : [...args, ...extra],
    })),
);

/** The greatest number that each parameter takes; where a parameter is not named, 2^32 - 1. The least is 0, or what is said. */
const RANGES = {
  stream: [0, 255],
  priceExponent: [-18, 0],
  qtyExponent: [-18, 0],
  tickSize: [0, Number.MAX_SAFE_INTEGER],
  lotSize: [0, Number.MAX_SAFE_INTEGER],
  seed: [0, Number.MAX_SAFE_INTEGER],
  startMs: [0, Number.MAX_SAFE_INTEGER],
  nowMs: [0, Number.MAX_SAFE_INTEGER],
  segmentBytes: [64 << 10, 2 ** 32],
  flushMs: [0, 60_000],
  keepBytes: [0, Number.MAX_SAFE_INTEGER],
  keepMs: [0, 36_500 * 86_400_000],
};

/** Whether an export may take the value: one that it takes although this says no was bent or misread. */
function fits(type, name, isOptional, value) {
  if (isOptional && (value === undefined || value === null)) return true;
  if (type === 'number') {
    const [min, max] = RANGES[name] ?? [0, 2 ** 32 - 1];
    return Number.isInteger(value) && value >= min && value <= max;
  }
  if (type === 'bigint') return typeof value === 'bigint' && BigInt.asUintN(64, value) === value;
  if (type === 'Uint8Array') return value instanceof Uint8Array || value instanceof Uint8ClampedArray;
  if (type === 'Uint32Array') return value instanceof Uint32Array;
  if (type === WAY) return WAYS.includes(value);
  if (type.startsWith('{')) {
    return fits('number', 'startId', false, value?.startId) && typeof value.replay === 'boolean';
  }
  return type === typeof value;
}

/** A new object of a class, with arguments that it takes. */
function fresh(owner) {
  if (owner === 'Engine') return new Bench().engine;
  if (owner === 'Simulator') return new native.Simulator(1, START_MS);
  if (owner === 'RecordingContents') return contents();
  if (owner === 'JournalConversion') return new native.JournalConversion(1n, 2n);
  if (owner === 'FrameJournal') return new native.FrameJournal(1n, 2n);
  if (owner === 'JournalMerge') return new native.JournalMerge(1, 1n, 2n);
  if (owner === 'JournalSlice') return new native.JournalSlice(0n, 1n, 0n, 1n, 2n);
  return owner === 'Dialect' ? opened() : new native[owner]();
}

function contents() {
  return new native.RecordingContents('binance', Buffer.from('BTCUSDT'));
}

function opened() {
  const dialect = new native.Dialect('binance', false, 0, 1, '');
  dialect.open(START_MS, new Uint8Array(1 << 20));
  return dialect;
}

const objects = {
  Dialect: opened(),
  Engine: bench.engine,
  RecordingContents: contents(),
  Race: new native.Race(),
  Replica: new native.Replica(),
  ReplicaThread: new native.ReplicaThread(),
  Inflate: new native.Inflate(),
  FrameJournal: fresh('FrameJournal'),
  JournalConversion: fresh('JournalConversion'),
  JournalMerge: fresh('JournalMerge'),
  JournalSlice: fresh('JournalSlice'),
  RecordingInspection: fresh('RecordingInspection'),
  // A plan that is none: what runs is refused at once.
  Measurement: new native.Measurement(Buffer.from('{}')),
  Simulator: new native.Simulator(1, START_MS),
  Unzstd: new native.Unzstd(),
};
const summary = Object.fromEntries(
  [...exported, ...bound].map(({ owner, name }) => [`${owner}.${name}`, { calls: 0, refused: 0 }]),
);
const codes = new Set();

/** An object's own function, or every second time that of its class, which does the same. */
function methodOf(object, owner, name, calls) {
  return calls % 2 === 0 ? native[owner].prototype[name] : object[name];
}

function call({ member: { owner, name, types, names, optional, run }, args }) {
  const counts = summary[`${owner}.${name}`];
  const text = `${owner}.${name}(${args.map(({ label }) => label).join(', ')})`;
  writeSync(callFd, text.padEnd(400).slice(0, 400), 0);
  const values = args.map(({ make }) => make());
  counts.calls += 1;
  // The objects under test stay open.
  const object = name === 'close' ? fresh(owner) : objects[owner];
  try {
    if (run !== undefined) run(...values);
    else if (name === 'constructor') new native[owner](...values);
    else methodOf(object, owner, name, counts.calls).apply(object, values);
    const wrong = types.findIndex((type, at) => !fits(type, names[at], optional[at], values[at]));
    if (wrong !== -1) throw new Error(`${text} takes ${names[wrong]}`);
  } catch (error) {
    counts.refused += 1;
    // Not of V8's and napi's own making either: each has a code of this package, and says what to do.
    if (!/^[a-z]+\.[a-z_]+$/.test(error?.code ?? ''))
      throw new Error(`${text} throws without a code: ${error}`);
    if (!/^.+\nexpected: .+\ngot: .+\nfix: .+$/.test(error.message))
      throw new Error(`${text}: ${error.message}`);
    if (['addon.panicked', 'addon.failed', 'addon.closed'].includes(error.code)) {
      throw new Error(`${text}: ${error.message}`);
    }
    codes.add(error.code);
  }
  if (name === 'close') refuses(object, owner);
  // Held, it would call no book synced and publish nothing.
  if (name === 'hold') bench.engine.release();
  if (owner === 'Engine') bench.drain(bench.engine.pump());
}

/** After `close` an object refuses everything but another `close`. */
function refuses(object, owner) {
  object.close();
  for (const { name } of exported.filter((member) => member.owner === owner)) {
    if (name === 'close' || name === 'constructor') continue;
    for (const method of [object[name], native[owner].prototype[name]]) {
      let code = 'none';
      try {
        method.call(object);
      } catch (error) {
        code = error.code;
      }
      if (code !== 'addon.closed') throw new Error(`${owner}.${name} after close: ${code}`);
    }
  }
}

fc.assert(
  fc.property(fc.array(calls, { minLength: 1, maxLength: 20 }), (batch) => {
    for (const each of batch) call(each);
    const after = bench.work();
    if (after !== expected) throw new Error(`afterwards the book is ${after}, not ${expected}`);
  }),
  { seed: Number(seed), numRuns: Number(rounds), endOnFailure: true },
);

/** Values with which each export gets as far as its numbers. */
const VALID = {
  options: { startId: 1, silenceMs: 0, replay: true },
  name: 'sim:NEWUSDT',
  venue: 'sim',
  symbol: SYMBOL,
  bytes: good[0],
  untilNs: 1n,
  fromNs: 1n,
  toNs: 1n,
  firstRecord: 1n,
  lastRecord: 1n,
  count: 1,
  createdNs: 1n,
  firstEntry: 1n,
  endEntry: 1n,
  lines: new Uint32Array(),
  kind: 'note',
  text: good[0],
  ts: 1n,
  journal: 1n,
  // The engine of these tests has a connection, so nothing is ever recorded.
  folder: '/nowhere',
  path: '/nowhere/1.dwj',
  listing: '',
  sync: 'none',
  segmentBytes: 1 << 20,
  seal: true,
  epoch: 1n,
  seq: 1n,
  vpinVolume: 1n,
  by: 'net',
  last: true,
  isByOrder: false,
  code: '',
  out: new Uint8Array(1 << 20),
  instrument: bench.instrument,
  source: bench.source,
  id: 1n,
};

const NOT_INTEGERS = [
  1.5,
  NaN,
  Infinity,
  -(2 ** 53),
  2 ** 53,
  1e308,
  '1',
  'x',
  true,
  {},
  [1],
  Symbol('x'),
].concat([-1n, 2n ** 64n, () => 1, new Date(1), new Proxy({}, {})]);

// Each number of each export, with all others right: whatever is no integer of its range is refused, and as exactly that.
let numbersTried = 0;
for (const { owner, name, types, names, optional, run } of [...exported, ...bound]) {
  for (const [at, type] of types.entries()) {
    if (type !== 'number' && type !== 'bigint') continue;
    const [min, max] = RANGES[names[at]] ?? [0, 2 ** 32 - 1];
    const bent = [
      bench.instrument - 2 ** 32,
      min - 1,
      max + 1,
      Math.max(max + 1, bench.instrument + 2 ** 32),
    ];
    const absent = optional[at] ? [] : [undefined, null];
    const other = type === 'number' ? [...bent, 1n] : [1];
    for (const value of [...NOT_INTEGERS, ...absent, ...other]) {
      const values = names.map((parameter, index) => (index === at ? value : (VALID[parameter] ?? 0)));
      let code = 'none';
      try {
        if (run !== undefined) run(...values);
        else if (name === 'constructor') new native[owner](...values);
        else objects[owner][name](...values);
      } catch (error) {
        code = error.code;
      }
      numbersTried += 1;
      if (code !== 'addon.not_an_integer')
        throw new Error(`${owner}.${name}: ${names[at]} of ${String(value)}: ${code}`);
    }
  }
}

// A method that is called on something else is refused by V8, not misread.
for (const { owner, name } of exported.filter((member) => member.name !== 'constructor')) {
  for (const self of [
    undefined,
    {},
    ...Object.values(objects).filter((other) => !(other instanceof native[owner])),
  ]) {
    let refused = false;
    try {
      native[owner].prototype[name].call(self);
    } catch {
      refused = true;
    }
    if (!refused) throw new Error(`${owner}.${name} accepts another object as its own`);
  }
}

process.stdout.write(`${JSON.stringify({ summary, codes: [...codes].toSorted(), numbersTried })}\n`);
