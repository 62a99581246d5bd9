import type { Limits } from '../config.js';

/** A client that takes so much within the time is one that takes bytes. */
const TAKEN_BYTES_MIN = 16_384;
const TAKEN_MS = 250;

/**
 * What is to be done about a client. `fall_behind`: streams that may be thinned leave it. `rejoin`: it has room for them
 * again. `close`: it has had more than it may have waiting, or for too long.
 */
export type Step = 'none' | 'fall_behind' | 'rejoin' | 'close';

/** What waits for one client, as it was looked at, and what follows from that. */
export class SlowReader {
  /** Bytes that waited at the last look. */
  waitingBytes = 0;
  /** Streams that may be thinned have left it. */
  isBehind = false;
  readonly #limits: Limits;
  #slowSinceMs: number | undefined;
  /** What waited when it was last seen to take bytes, or to get more, and when it took some. */
  #markBytes = 0;
  #tookMs = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** `nowMs` is monotonic. */
  look(waitingBytes: number, nowMs: number): Step {
    this.waitingBytes = waitingBytes;
    this.#mark(waitingBytes, nowMs);
    const { backpressureSoftBytes, backpressureHardBytes, slowMs } = this.#limits;
    if (waitingBytes > backpressureHardBytes) return 'close';
    // One that hovers around the limit stays slow; only one that has caught up half of it is not.
    if (waitingBytes < backpressureSoftBytes / 2) {
      this.#slowSinceMs = undefined;
      if (!this.isBehind) return 'none';
      this.isBehind = false;
      return 'rejoin';
    }
    if (waitingBytes > backpressureSoftBytes) this.#slowSinceMs ??= nowMs;
    if (this.#slowSinceMs !== undefined && nowMs - this.#slowSinceMs >= slowMs) return 'close';
    if (waitingBytes <= backpressureSoftBytes || this.isBehind) return 'none';
    this.isBehind = true;
    return 'fall_behind';
  }

  /** Streams leave it before its own limit says so, because all clients together have too much waiting. */
  yield(nowMs: number): void {
    this.isBehind = true;
    this.#slowSinceMs ??= nowMs;
  }

  /**
   * Whether a replay at full speed should wait for it: much waits, and it takes bytes. One that stands still holds up nobody,
   * and neither does one that streams have left.
   */
  isWorthWaiting(nowMs: number): boolean {
    const { waitingBytes, isBehind } = this;
    if (isBehind || waitingBytes <= this.#limits.backpressureSoftBytes / 2) return false;
    return nowMs - this.#tookMs < TAKEN_MS;
  }

  /** Since when it is slow, for people. */
  slowForMs(nowMs: number): number {
    return this.#slowSinceMs === undefined ? 0 : nowMs - this.#slowSinceMs;
  }

  #mark(waitingBytes: number, nowMs: number): void {
    const isIdle = this.#markBytes <= this.#limits.backpressureSoftBytes / 2;
    if (isIdle || this.#markBytes - waitingBytes >= TAKEN_BYTES_MIN) {
      this.#markBytes = waitingBytes;
      this.#tookMs = nowMs;
    } else if (waitingBytes > this.#markBytes) {
      this.#markBytes = waitingBytes;
    }
  }
}
