// @ts-check
/** A market of price levels as a recording: the embedded venue's, as a collector writes it. */
import { writeFileSync } from 'node:fs';
import { Simulator } from '../../src/native/load.js';
import { Truth } from './truth.mjs';

const START_MS = 1_700_000_000_000;
const SNAPSHOT_LEVELS = 1000;

/** The symbols that are traded, as instruments. @returns {string[]} */
export function instrumentNames() {
  const simulator = new Simulator(1, START_MS);
  const names = simulator.symbols().map((symbol) => `sim:${symbol}`);
  simulator.close();
  return names;
}

/**
 * Writes a recording of all symbols, with a snapshot of each behind its first update.
 * @param {string} file
 * @param {number} seed
 * @param {number} durationMs
 */
export function recordMarket(file, seed, durationMs) {
  const simulator = new Simulator(seed, START_MS);
  const out = new Uint8Array(1 << 20);
  const withoutSnapshot = new Set(simulator.symbols());
  const lines = [`wss://sim/ws <-> ${secondsOf(START_MS)}\n`];
  for (let ms = START_MS; ms < START_MS + durationMs; ms += 10) {
    for (let bytes = simulator.next(ms, out); bytes > 0; bytes = simulator.next(ms, out)) {
      const text = Buffer.from(out.subarray(0, bytes)).toString();
      lines.push(`${secondsOf(ms)}: ${text}\n`);
      const symbol = /"depthUpdate".*?"s":"(\w+)"/.exec(text)?.[1] ?? '';
      if (!withoutSnapshot.delete(symbol)) continue;
      const snapshot = out.subarray(0, simulator.snapshot(symbol, SNAPSHOT_LEVELS, out));
      const url = `https://sim/api/v3/depth?symbol=${symbol}&limit=${SNAPSHOT_LEVELS}`;
      lines.push(`${url} -> ${secondsOf(ms)}: ${Buffer.from(snapshot)}\n`);
    }
  }
  simulator.close();
  writeFileSync(file, lines.join(''));
  return { file, truth: new Truth('sim', instrumentNames(), Buffer.from(lines.join('')), false) };
}

/** @param {number} ms */
function secondsOf(ms) {
  return (ms / 1000).toFixed(3);
}
