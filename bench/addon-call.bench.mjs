// @ts-check
/**
 * What the way from JavaScript into the engine costs: a call that does next to nothing, a frame that is ignored, and
 * a workload's book frames, one call each, against the same frames in pure Rust.
 *
 * The Rust half runs in a process of its own and takes turns with this one. Both read the machine's clock as often,
 * for each frame received and for each frame sent. Every round must end with the workload's digest, in both.
 * Prints one line of JSON for each row; a wrong answer is `"ok": false` and exit code 1.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Engine } from '#native';
import { withCargoOnPath } from '../scripts/tools.mjs';

const BENCH = 'addon_call';
const WORKLOADS = [
  'binance-spot-btcusdt',
  'binance-coinm-btcusd-perp',
  'binance-usdm-btcusdt',
  'binance-usdm-ethusdt',
  'sim-btcusdt',
];
const ROUNDS = 32;
const ROUNDS_QUICK = 6;
const ROUNDS_TINY = 1;

/** Calls that are timed as one: a single one is shorter than the clock's own cost. */
const BATCH_CALLS = 20_000;
const BATCH_CALLS_TINY = 1_000;

/** The ring's control block, in u32 words, and its size. */
const WRITE = 0;
const READ = 1;
const CONTROL_BYTES = 128;
const RING_BYTES = 1 << 22;

/** Bits that the addon returns. */
const MORE = 2;
const ERROR = 4;

/** A message that every venue sends and that changes nothing. */
const IGNORED_FRAME = Buffer.from('{"result":null,"id":1}');

const repository = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {object} Row
 * @property {string} bench
 * @property {string} workload
 * @property {string} contender
 * @property {string} unit
 * @property {number} median nanoseconds: the median of the fastest quarter of the rounds
 * @property {number} spread distance of the quartiles of all rounds, as a share of their median
 * @property {number} ratio time divided by the first contender's in the same round: the median over the rounds
 * @property {string} answer
 *
 * @typedef {{ ns: number, answer: string }} Run
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {number} count things done in one run
 * @property {string} expected
 * @property {() => Run | Promise<Run>} run
 */

/**
 * Single calls, in batches.
 * @param {number} rounds
 * @param {number} count
 * @returns {Promise<Row[]>}
 */
async function singleCalls(rounds, count) {
  const { engine, ingest, words, source } = open('sim', 'BTCUSDT');
  const ignored = () => engine.stats().ignored;
  // More functions behind one call site than the compiler keeps apart are not inlined, so a call stays a call.
  /** @type {readonly ((sum: number) => number)[]} */
  const plain = [
    (sum) => sum,
    (sum) => sum + 1,
    (sum) => sum + 2,
    (sum) => sum + 3,
    (sum) => sum + 4,
    (sum) => sum + 5,
    (sum) => sum + 6,
    (sum) => sum + 7,
  ];
  /** @param {() => number} batch @returns {Run} */
  const timed = (batch) => {
    const started = process.hrtime.bigint();
    const sum = batch();
    return { ns: Number(process.hrtime.bigint() - started), answer: `sum ${sum}` };
  };
  return measure('none', 'ns/call', rounds, [
    {
      name: 'js function',
      count,
      expected: `sum ${(count / 8) * 28}`,
      run: () =>
        timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum = plain[call & 7]?.(sum) ?? Number.NaN;
          return sum;
        }),
    },
    {
      name: 'addon pump',
      count,
      expected: 'sum 0',
      run: () =>
        timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum += engine.pump();
          return sum;
        }),
    },
    {
      name: 'addon ignored frame',
      count,
      expected: `sum 0, ignored ${count}`,
      run: () => {
        const before = ignored();
        const { ns, answer } = timed(() => {
          let sum = 0;
          for (let call = 0; call < count; call += 1) sum += ingest(source, IGNORED_FRAME);
          return sum;
        });
        drain(words);
        return { ns, answer: `${answer}, ignored ${ignored() - before}` };
      },
    },
  ]);
}

/**
 * A workload's depth frames through the addon and in pure Rust. Null: this checkout has no such recording.
 * @param {string} workload
 * @param {number} rounds
 * @returns {Promise<Row[] | null>}
 */
async function depthFrames(workload, rounds) {
  const half = rustHalf(workload);
  try {
    const about = await half.json();
    if (about === null) return skipped(workload, half.reason());
    const text = await half.bytes(about.bytes);
    const frames = splitLines(text);
    if (frames.length !== about.frames) throw new Error(`${about.frames} frames said, ${frames.length} sent`);
    const lead = frames.slice(0, about.leadFrames);
    const timed = frames.slice(about.leadFrames);
    const { engine, ingest, words, source, instrument } = open(about.venue, about.symbol);
    /** @param {readonly Uint8Array[]} some */
    const ingestAll = (some) => {
      let errors = 0;
      for (const frame of some) {
        const flags = ingest(source, frame);
        if (flags & ERROR) errors += 1;
        drain(words);
        if (flags & MORE) {
          while (engine.pump() & MORE) drain(words);
          drain(words);
        }
      }
      return errors;
    };
    const contenders = [
      {
        name: 'rust',
        count: timed.length,
        expected: `errors 0, digest ${about.digest}`,
        run: async () => {
          half.ask();
          const { ns, errors, digest } = (await half.json()) ?? { ns: 0, errors: half.reason(), digest: '' };
          return { ns, answer: `errors ${errors}, digest ${digest}` };
        },
      },
      {
        name: 'addon',
        count: timed.length,
        expected: `errors 0, digest ${about.digest}`,
        run: () => {
          engine.resetSource(source);
          let errors = ingestAll(lead);
          const started = process.hrtime.bigint();
          errors += ingestAll(timed);
          const ns = Number(process.hrtime.bigint() - started);
          return { ns, answer: `errors ${errors}, digest ${engine.digest(instrument)}` };
        },
      },
    ];
    return await measure(workload, `ns/frame of median ${about.levelsMedian} levels`, rounds, contenders);
  } finally {
    half.end();
  }
}

/** An addon's engine that carries one instrument. @param {string} venue @param {string} symbol */
function open(venue, symbol) {
  const memory = new SharedArrayBuffer(CONTROL_BYTES + RING_BYTES);
  const engine = new Engine({ startId: 1, silenceMs: 0, replay: false }, new Uint8Array(memory));
  const listed = engine.instruments().find((each) => each.venue === venue && each.symbol === symbol);
  if (listed === undefined) throw new Error(`${venue}:${symbol} is not in the catalogue`);
  const source = engine.openSource(venue, Uint32Array.of(listed.id));
  const words = new Uint32Array(memory);
  return { engine, ingest: engine.ingester(), words, source, instrument: listed.id };
}

/** Says that all records have been read. @param {Uint32Array} words */
function drain(words) {
  Atomics.store(words, READ, Atomics.load(words, WRITE));
}

/**
 * Every contender once to warm it, then rounds in which each runs once, beginning with another one each time.
 * @param {string} workload
 * @param {string} unit
 * @param {number} rounds
 * @param {readonly Contender[]} contenders
 * @returns {Promise<Row[]>}
 */
async function measure(workload, unit, rounds, contenders) {
  /** @type {number[][]} */
  const times = contenders.map(() => []);
  /** @type {Map<string, string>} */
  const wrong = new Map();
  for (let round = 0; round <= rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const index = (round + turn) % contenders.length;
      const contender = /** @type {Contender} */ (contenders[index]);
      const { ns, answer } = await contender.run();
      if (answer !== contender.expected) wrong.set(contender.name, answer);
      if (round > 0) times[index]?.push(ns / contender.count);
    }
  }
  const base = times[0] ?? [];
  const baseCount = contenders[0]?.count ?? 1;
  return contenders.map((contender, index) => {
    const row = times[index] ?? [];
    const sorted = row.toSorted((a, b) => a - b);
    const at = (/** @type {number} */ share) => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
    const ratios = row.map((ns, round) => (ns * contender.count) / ((base[round] ?? Number.NaN) * baseCount));
    const figures = {
      bench: BENCH,
      workload,
      contender: contender.name,
      unit,
      median: rounded(median(sorted.slice(0, Math.ceil(sorted.length / 4)))),
      spread: rounded((at(0.75) - at(0.25)) / at(0.5)),
      ratio: rounded(median(ratios.sort((a, b) => a - b))),
      answer: contender.expected,
    };
    const got = wrong.get(contender.name);
    const said = got === undefined ? {} : { expected: contender.expected, answer: got };
    say({ name: `${BENCH} ${workload} ${contender.name}`, ok: got === undefined, ...figures, ...said });
    if (got !== undefined) {
      process.exitCode = 1;
      process.stderr.write(`WRONG ANSWER: ${BENCH} ${workload} ${contender.name}: ${got}\n`);
    }
    return figures;
  });
}

/** @param {string} workload @param {string} reason */
function skipped(workload, reason) {
  const absent = reason.includes('no recordings at');
  if (absent) process.stdout.write(`SKIPPED: ${workload}: ${reason}\n`);
  else {
    process.exitCode = 1;
    say({ name: `${BENCH} ${workload}`, ok: false, reason });
  }
  return null;
}

/** The process of `bench/src/frames.rs`. @param {string} workload */
function rustHalf(workload) {
  const command = ['run', '--quiet', '--release', '--locked', '--package', 'depthwire-bench', '--'];
  const child = spawn('cargo', [...command, 'frames', workload], {
    cwd: repository,
    env: withCargoOnPath(process.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  child.on('error', (error) => {
    errors += error.message;
  });
  // Asking a program that has ended is told by its missing answer.
  child.stdin.on('error', () => {});
  const chunks = child.stdout[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  return {
    /** The next bytes; fewer when the output ends first. @param {number} size */
    bytes: async (size) => {
      const parts = [rest];
      let length = rest.length;
      while (length < size) {
        const { value, done } = await chunks.next();
        if (done) break;
        parts.push(value);
        length += value.length;
      }
      const all = Buffer.concat(parts);
      rest = all.subarray(size);
      return all.subarray(0, size);
    },
    /** The next line; null when the output ends first. */
    json: async () => {
      while (!rest.includes(10)) {
        const { value, done } = await chunks.next();
        if (done) return null;
        rest = Buffer.concat([rest, value]);
      }
      const end = rest.indexOf(10);
      const line = rest.subarray(0, end).toString();
      rest = rest.subarray(end + 1);
      return JSON.parse(line);
    },
    ask: () => child.stdin.write('\n'),
    reason: () => errors.trim() || 'the Rust half said nothing',
    end: () => child.stdin.end(),
  };
}

/** Views of a text's lines. @param {Buffer} text */
function splitLines(text) {
  const lines = [];
  for (let start = 0, end = text.indexOf(10); end >= 0; start = end + 1, end = text.indexOf(10, start)) {
    lines.push(text.subarray(start, end));
  }
  return lines;
}

/** @param {readonly number[]} sorted */
function median(sorted) {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** @param {number} number */
function rounded(number) {
  return Math.round(number * 10_000) / 10_000;
}

/** @param {object} row */
function say(row) {
  process.stdout.write(`${JSON.stringify(row)}\n`);
}

/** @param {string} file @param {readonly Row[]} rows */
function save(file, rows) {
  writeFileSync(file, JSON.stringify({ rows }));
}

const { values: options } = parseArgs({
  options: {
    tiny: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    json: { type: 'string' },
    bench: { type: 'string' },
    workload: { type: 'string' },
  },
});
if (options.bench === undefined || options.bench === BENCH) {
  const rounds = options.tiny ? ROUNDS_TINY : options.quick ? ROUNDS_QUICK : ROUNDS;
  const rows = await singleCalls(rounds, options.tiny ? BATCH_CALLS_TINY : BATCH_CALLS);
  for (const workload of WORKLOADS) {
    if (options.workload === undefined || options.workload === workload) {
      rows.push(...((await depthFrames(workload, rounds)) ?? []));
    }
  }
  if (options.json !== undefined) save(options.json, rows);
} else {
  say({ name: BENCH, ok: true, note: `not asked for: --bench ${options.bench}` });
}
