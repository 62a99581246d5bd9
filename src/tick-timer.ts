import { performance } from 'node:perf_hooks';

/** Time between two ticks where something waits for them, and where nothing does. */
const TICK_MS = 10;
const REST_MS = 50;

/**
 * Drives engine and server: `tick` each 10 ms as long as it says that something waits for the next one, else each 50 ms. An idle
 * process is woken at some 70 to 170 µs of CPU each time, so a hundred times a second would be most of what it costs.
 */
export class TickTimer {
  readonly #tick: (lateMs: number) => boolean;
  #everyMs = TICK_MS;
  #dueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `tick`: is told how late it comes, and tells whether something waits for the next one. */
  constructor(tick: (lateMs: number) => boolean) {
    this.#tick = tick;
    this.#start();
  }

  /** Something waits from now on: the next tick comes within 10 ms. Costs a comparison where that is known. */
  hurry(): void {
    this.#turnTo(TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    this.#dueMs = performance.now() + this.#everyMs;
    this.#timer = setInterval(() => this.#run(), this.#everyMs);
  }

  #run(): void {
    const nowMs = performance.now();
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    // Node counts the next interval from here.
    this.#dueMs = nowMs + this.#everyMs;
    this.#turnTo(this.#tick(lateMs) ? TICK_MS : REST_MS);
  }

  #turnTo(everyMs: number): void {
    if (everyMs === this.#everyMs || this.#timer === undefined) return;
    this.#everyMs = everyMs;
    clearInterval(this.#timer);
    this.#start();
  }
}
