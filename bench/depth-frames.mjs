// @ts-check
/** A workload's book frames as the Rust half of the benchmarks hands them out, and an engine of the addon that takes them. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Engine } from '#native';
import { withCargoOnPath } from '../scripts/tools.mjs';

export const WORKLOADS = [
  'binance-spot-btcusdt',
  'binance-coinm-btcusd-perp',
  'binance-usdm-btcusdt',
  'binance-usdm-ethusdt',
  'sim-btcusdt',
];

/** The ring's control block, in u32 words, and its size. */
const WRITE = 0;
const READ = 1;
const CONTROL_BYTES = 128;
const RING_BYTES = 1 << 22;

/** Bits that the addon returns. */
const MORE = 2;
const ERROR = 4;

const repository = fileURLToPath(new URL('..', import.meta.url));

/**
 * @typedef {object} About
 * @property {string} venue
 * @property {string} symbol
 * @property {number} levelsMedian
 * @property {string} digest of the book after all frames
 *
 * @typedef {object} Frames
 * @property {About} about
 * @property {readonly Buffer[]} lead up to the snapshot, itself included
 * @property {readonly Buffer[]} timed
 */

/**
 * Starts the Rust half over a workload. `frames` is undefined when there are none, for the reason given.
 * @param {string} workload
 */
export async function depthFrames(workload) {
  const half = rustHalf(workload);
  const about = await half.json();
  if (about === null) return { half, reason: half.reason() };
  const all = splitLines(await half.bytes(about.bytes));
  if (all.length !== about.frames) throw new Error(`${about.frames} frames said, ${all.length} sent`);
  /** @type {Frames} */
  const frames = { about, lead: all.slice(0, about.leadFrames), timed: all.slice(about.leadFrames) };
  return { half, frames, reason: '' };
}

/**
 * An addon's engine that carries one instrument.
 * @param {string} venue
 * @param {string} symbol
 */
export function open(venue, symbol) {
  const memory = new SharedArrayBuffer(CONTROL_BYTES + RING_BYTES);
  const engine = new Engine({ startId: 1, silenceMs: 0, replay: false }, new Uint8Array(memory));
  const listed = engine.instruments().find((each) => each.venue === venue && each.symbol === symbol);
  if (listed === undefined) throw new Error(`${venue}:${symbol} is not in the catalogue`);
  const source = engine.openSource(venue, Uint32Array.of(listed.id));
  const words = new Uint32Array(memory);
  const ingest = engine.ingester();
  /** Says that all records have been read. */
  const drain = () => Atomics.store(words, READ, Atomics.load(words, WRITE));
  /** One frame, and all that comes of it. Returns 1 when it was wrong. @param {Uint8Array} frame */
  const take = (frame) => {
    const flags = ingest(source, frame);
    drain();
    if (flags & MORE) {
      while (engine.pump() & MORE) drain();
      drain();
    }
    return flags & ERROR ? 1 : 0;
  };
  return { engine, ingest, drain, take, source, listed };
}

/**
 * The process of `bench/src/frames.rs`, which hands out the frames and times them in pure Rust when asked.
 * @param {string} workload
 */
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
