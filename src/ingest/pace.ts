const NS_PER_MS = 1_000_000;
/** Of a pause that is skipped so much is kept, so that what it ends with is seen to come. */
const IDLE_KEPT_NS = 1_000_000_000n;

/**
 * Maps the machine's time to a recording's. It stands until the first line is known, and while it is paused; speed and
 * place may change at any time.
 */
export class Pace {
  #speed: number;
  #isPaused = false;
  /** Recorded time at `#sinceMs`; 0 = the first line is not known. */
  #fromNs = 0n;
  #sinceMs = 0;

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Recorded time that has been reached; 0 until the first line is known. */
  nowNs(): bigint {
    if (this.#fromNs === 0n || this.#isPaused) return this.#fromNs;
    return this.#fromNs + BigInt(Math.round((performance.now() - this.#sinceMs) * this.#speed * NS_PER_MS));
  }

  /** The next line is of this time; the first one starts the clock. */
  next(nextNs: bigint): void {
    if (this.#fromNs === 0n) this.place(nextNs);
  }

  /** Time in ms until a recorded time is reached; infinite while it is paused. */
  waitMs(nextNs: bigint): number {
    if (this.#isPaused) return Number.POSITIVE_INFINITY;
    return Number(nextNs - this.nowNs()) / NS_PER_MS / this.#speed;
  }

  /** Goes on from a recorded time; 0 = from the first line that comes. */
  place(ns: bigint): void {
    this.#fromNs = ns;
    this.#sinceMs = performance.now();
  }

  /** Goes on shortly before a line where nothing is recorded for more than `idleNs` before it. */
  skipIdle(nextNs: bigint, idleNs: bigint): void {
    if (!this.#isPaused && nextNs - this.nowNs() > idleNs) this.place(nextNs - IDLE_KEPT_NS);
  }

  set speed(speed: number) {
    this.place(this.nowNs());
    this.#speed = speed;
  }

  set isPaused(isPaused: boolean) {
    this.place(this.nowNs());
    this.#isPaused = isPaused;
  }
}
