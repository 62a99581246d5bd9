/** Latency from the server's `ts_send` to arrival, ms, over the latest samples. */
export interface LatencySummary {
  readonly samples: number;
  readonly minMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The server's clock minus this one's. */
  readonly offsetMs: number;
  /** Round trip of the ping that gave the offset; the latencies are off by at most half of it. */
  readonly roundTripMs: number;
}

/** Frames whose latency is kept. */
export const LATENCY_SAMPLES_MAX = 4096;
/** Pings among which the best one is chosen, so that a drift of the clocks is followed. */
const PINGS_MAX = 32;

/**
 * Measures latency between two clocks that do not agree: their offset is taken from the ping with the smallest round
 * trip among the last 32, as the server's time minus the middle of sending and receiving. Memory is fixed.
 */
export class LatencyMeter {
  private readonly samples = new Float64Array(LATENCY_SAMPLES_MAX);
  private readonly sorted = new Float64Array(LATENCY_SAMPLES_MAX);
  private readonly roundTrips = new Float64Array(PINGS_MAX).fill(Infinity);
  private readonly offsets = new Float64Array(PINGS_MAX);
  private sampleCount = 0;
  private pingCount = 0;
  private best = -1;

  /** A ping was answered: when it left and came back by this clock, and the server's time in the answer. */
  pinged(sentMs: number, receivedMs: number, serverMs: number): void {
    const at = this.pingCount % PINGS_MAX;
    this.pingCount += 1;
    this.roundTrips[at] = receivedMs - sentMs;
    this.offsets[at] = serverMs - (sentMs + receivedMs) / 2;
    this.best = this.roundTrips.indexOf(Math.min(...this.roundTrips));
  }

  /** A frame that was sent at a server's time arrived at a time of this clock. */
  record(sentServerMs: number, arrivedMs: number): void {
    this.samples[this.sampleCount % LATENCY_SAMPLES_MAX] = arrivedMs - sentServerMs;
    this.sampleCount += 1;
  }

  /** Forgets the pings, for a new connection may lead to another server; samples are dropped with them. */
  reset(): void {
    this.roundTrips.fill(Infinity);
    this.pingCount = 0;
    this.sampleCount = 0;
    this.best = -1;
  }

  /** Undefined before the first answered ping and the first sample. Sorts the samples: some 0.2 ms when full. */
  summary(): LatencySummary | undefined {
    if (this.best < 0 || this.sampleCount === 0) return undefined;
    const count = Math.min(this.sampleCount, LATENCY_SAMPLES_MAX);
    const sorted = this.sorted.subarray(0, count);
    sorted.set(this.samples.subarray(0, count));
    sorted.sort();
    const offsetMs = this.offsets[this.best] as number;
    const at = (quantile: number) =>
      (sorted[Math.max(0, Math.ceil(quantile * count) - 1)] as number) + offsetMs;
    return {
      samples: count,
      minMs: at(0),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
      offsetMs,
      roundTripMs: this.roundTrips[this.best] as number,
    };
  }
}
