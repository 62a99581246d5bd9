/**
 * Opens 1,200 engines (400 in mode `ring`), feeds each a megabyte of frames and drops it, without ever asking for a collection. Runs as a process
 * of its own, for what it holds is what is measured. Argument: `turns` (each engine in a turn of its own), `one turn`,
 * `ring` (turns, with a ring of 16 MiB) or `close` (64 engines that are kept, then closed one after the other within one
 * turn). Prints one line of JSON with resident bytes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { openEngine } from 'depthwire';

const { Simulator } = createRequire(import.meta.url)('../../src/native/load.js');

const [mode = 'turns'] = process.argv.slice(2);
const START_MS = 1_700_000_000_000;
const SYMBOL = 'BTCUSDT';
const FED_BYTES = 1 << 20;
const ENGINES = mode === 'ring' ? 400 : 1_200;
const FIRST = 100;
const KEPT = 64;

/** A snapshot and the updates behind it, a megabyte together. */
function frames() {
  const simulator = new Simulator(5, START_MS);
  const out = new Uint8Array(1 << 20);
  const found = [];
  let bytes = 0;
  const add = (len) => {
    found.push(out.slice(0, len));
    bytes += len;
  };
  for (let now = START_MS; bytes < FED_BYTES; now += 10) {
    for (let len = simulator.next(now, out); len > 0; len = simulator.next(now, out)) {
      if (!Buffer.from(out.subarray(0, len)).includes(`"${SYMBOL}"`)) continue;
      if (found.length === 0) add(simulator.snapshot(SYMBOL, 1000, out));
      else add(len);
    }
  }
  simulator.close();
  return found;
}

/** Without the help of `process.memoryUsage`, whose objects are garbage too. */
function residentBytes() {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
}

const fed = frames();

function fedEngine(startId) {
  const listener = {
    onFrame() {},
    onAsk() {},
    onSay() {},
    onFault(error) {
      throw error;
    },
  };
  const outputBytes = mode === 'ring' ? 16 << 20 : 4 << 20;
  const engine = openEngine({ startId, silenceMs: 0, replay: true, outputBytes }, listener);
  const { id } = engine.instruments().find(({ name }) => name === `sim:${SYMBOL}`);
  const source = engine.openSource('sim', [id]);
  for (const frame of fed) engine.ingest(source, frame);
  if (engine.book(id).state !== 'synced') throw new Error(`engine ${startId} is ${engine.book(id).state}`);
  return engine;
}

if (mode === 'close') {
  fedEngine(0).close();
  const before = residentBytes();
  const engines = Array.from({ length: KEPT }, (_, at) => fedEngine(at + 1));
  const open = residentBytes();
  for (const engine of engines) engine.close();
  process.stdout.write(`${JSON.stringify({ before, open, closed: residentBytes() })}\n`);
  // Held until here: it is closing that gives the memory back, not collecting.
  if (engines.length !== KEPT) process.exitCode = 1;
} else {
  let first = 0;
  let most = 0;
  for (let engine = 1; engine <= ENGINES; engine += 1) {
    fedEngine(engine);
    const bytes = residentBytes();
    if (engine === FIRST) first = bytes;
    if (engine > FIRST) most = Math.max(most, bytes);
    if (mode !== 'one turn') await setImmediate();
  }
  process.stdout.write(`${JSON.stringify({ first, most })}\n`);
}
