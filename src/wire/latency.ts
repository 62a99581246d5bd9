/**
 * Latency from the server's `ts_send` to arrival, ms, over the latest frames. It is never below 0, for nothing arrives before it
 * is sent.
 */
export interface LatencySummary {
  readonly samples: number;
  readonly minMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** By how much each of these may be off, either way: the clocks are not known to agree better. */
  readonly errorMs: number;
  /** The server's clock minus this one's, now. */
  readonly offsetMs: number;
}

/** Frames whose latency is kept. */
export const LATENCY_SAMPLES_MAX = 4096;
/** By how much two clocks may drift apart, ms a ms: twice what NTP slews at most by, and what bad quartz does. */
const DRIFT = 200e-6;

/**
 * Measures latency between two clocks that do not agree. An answered ping says between which two values the offset of the
 * server's clock lies: half a round trip either way. That widens with the ping's age by what clocks may drift, until a later ping
 * says it better; a frame that would have come before it was sent narrows it, too. A ping that contradicts what was known says
 * that a clock was set: what was measured by it is dropped. Memory is fixed.
 */
export class LatencyMeter {
  /** Of each frame: how far apart the clocks had it, when it came, and the offset as it was known then, with its error. */
  private readonly aparts = new Float64Array(LATENCY_SAMPLES_MAX);
  private readonly times = new Float64Array(LATENCY_SAMPLES_MAX);
  private readonly offsets = new Float64Array(LATENCY_SAMPLES_MAX);
  private readonly errors = new Float64Array(LATENCY_SAMPLES_MAX);
  private readonly sorted = new Float64Array(LATENCY_SAMPLES_MAX);
  private sampleCount = 0;
  /** Bounds of the offset at a time of this clock. */
  private low = -Infinity;
  private high = Infinity;
  private atMs = 0;

  /** A ping was answered: when it left and came back by this clock, and the server's time in the answer. */
  pinged(sentMs: number, receivedMs: number, serverMs: number): void {
    this.age(receivedMs);
    // The clocks may have drifted while it was under way.
    const drift = Math.max(0, receivedMs - sentMs) * DRIFT;
    const low = serverMs - receivedMs - drift;
    const high = serverMs - sentMs + drift;
    if (low > this.high || high < this.low) {
      this.sampleCount = 0;
      this.low = low;
      this.high = high;
      return;
    }
    this.low = Math.max(this.low, low);
    this.high = Math.min(this.high, high);
  }

  /** A frame that was sent at a server's time arrived at a time of this clock. Not counted before the first ping is answered. */
  record(sentServerMs: number, arrivedMs: number): void {
    if (this.high === Infinity) return;
    this.age(arrivedMs);
    const apart = arrivedMs - sentServerMs;
    // It was under way for at most this, in which the clocks may have drifted.
    const low = -apart - Math.max(0, apart + this.high) * DRIFT;
    // Where no offset fits the clock was set, which the next ping says.
    if (low > this.low) this.low = Math.min(low, this.high);
    const at = this.sampleCount % LATENCY_SAMPLES_MAX;
    this.aparts[at] = apart;
    this.times[at] = arrivedMs;
    this.offsets[at] = (this.low + this.high) / 2;
    this.errors[at] = (this.high - this.low) / 2;
    this.sampleCount += 1;
  }

  /** Forgets everything, for a new connection may lead to another server. */
  reset(): void {
    this.sampleCount = 0;
    this.low = -Infinity;
    this.high = Infinity;
  }

  /** Undefined before the first sample. Sorts the samples: some 0.2 ms when full. */
  summary(nowMs: number): LatencySummary | undefined {
    if (this.sampleCount === 0) return undefined;
    this.age(nowMs);
    const count = Math.min(this.sampleCount, LATENCY_SAMPLES_MAX);
    const sorted = this.sorted.subarray(0, count);
    const offsetMs = (this.low + this.high) / 2;
    let errorMs = 0;
    for (let each = 0; each < count; each += 1) {
      const before = this.errors[each] as number;
      const now = (this.high - this.low) / 2 + (nowMs - (this.times[each] as number)) * DRIFT;
      const offset = now < before ? offsetMs : (this.offsets[each] as number);
      sorted[each] = Math.max(0, (this.aparts[each] as number) + offset);
      errorMs = Math.max(errorMs, Math.min(now, before));
    }
    sorted.sort();
    const at = (quantile: number) => sorted[Math.max(0, Math.ceil(quantile * count) - 1)] as number;
    return {
      samples: count,
      minMs: at(0),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
      // The offset is that of the arrival; it may have drifted since the frame was sent.
      errorMs: errorMs + (at(1) + errorMs) * DRIFT,
      offsetMs,
    };
  }

  /** Widens the bounds by what the clocks may have drifted since. */
  private age(nowMs: number): void {
    const drift = Math.max(0, nowMs - this.atMs) * DRIFT;
    this.low -= drift;
    this.high += drift;
    this.atMs = Math.max(this.atMs, nowMs);
  }
}
