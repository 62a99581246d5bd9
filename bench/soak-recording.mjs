// @ts-check
/** A recording for the soak where there is none. */
import { Simulator } from '../src/native/load.js';

const SYMBOL = 'BTCUSDT';
const START_MS = 1_700_000_000_000;

/**
 * The simulated venue's own stream of one symbol as a collector writes it, with a snapshot behind the first update.
 * @param {number} durationMs
 */
export function simulatedRecording(durationMs) {
  const simulator = new Simulator(7, START_MS);
  const out = new Uint8Array(1 << 20);
  /** @type {string[]} */
  const lines = [];
  const add = (/** @type {number} */ ms, /** @type {number} */ bytes) => {
    const text = Buffer.from(out.subarray(0, bytes)).toString();
    if (!text.includes(`"${SYMBOL}"`) && !text.includes('"lastUpdateId"')) return '';
    lines.push(`${ms}000000 ${text}\n`);
    return text;
  };
  let hasSnapshot = false;
  for (let ms = START_MS; ms < START_MS + durationMs; ms += 10) {
    for (let bytes = simulator.next(ms, out); bytes > 0; bytes = simulator.next(ms, out)) {
      if (!add(ms, bytes).includes('"depthUpdate"') || hasSnapshot) continue;
      hasSnapshot = true;
      add(ms, simulator.snapshot(SYMBOL, 1000, out));
    }
  }
  return lines.join('');
}
