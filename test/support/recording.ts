import { Simulator } from '#native';

/** Depth of the snapshots that stand in the recording. */
const SNAPSHOT_LEVELS = 1000;

/**
 * A recording of one symbol of the simulated venue, as a collector would have written it: `<ns> <json>` lines, with a REST
 * snapshot behind the first depth update. Its streams look like Binance spot ones, so a reader must say `sim:` itself.
 */
export function simulatedRecording(symbol: string, durationMs: number, seed = 7): string {
  const startMs = 1_700_000_000_000;
  const simulator = new Simulator(seed, startMs);
  const out = new Uint8Array(1 << 20);
  const lines: string[] = [];
  const add = (ms: number, bytes: number): void => {
    lines.push(
      `${BigInt(ms) * 1_000_000n + BigInt(lines.length % 1_000_000)} ${Buffer.from(out.subarray(0, bytes)).toString()}\n`,
    );
  };
  let hasSnapshot = false;
  for (let ms = startMs; ms < startMs + durationMs; ms += 10) {
    for (let bytes = simulator.next(ms, out); bytes > 0; bytes = simulator.next(ms, out)) {
      const text = Buffer.from(out.subarray(0, bytes)).toString();
      if (!text.includes(`"${symbol}"`)) continue;
      add(ms, bytes);
      if (hasSnapshot || !text.includes('"depthUpdate"')) continue;
      hasSnapshot = true;
      add(ms, simulator.snapshot(symbol, SNAPSHOT_LEVELS, out));
    }
  }
  return lines.join('');
}
