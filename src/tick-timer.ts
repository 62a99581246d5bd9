import { performance } from 'node:perf_hooks';

/**
 * How soon the next tick is due: `soon` where a client or a depth view waits for it, `steady` while the engine publishes,
 * `rest` where nothing happens.
 */
export type Pace = keyof typeof PACE_MS;

const PACE_MS = { soon: 10, steady: 50, rest: 100 } as const;

/**
 * Drives engine and server at the pace that each tick names. An idle process is woken at some 70 to 170 µs of CPU each time,
 * so a hundred times a second would be most of what it costs.
 */
export class TickTimer {
  readonly #tick: (lateMs: number) => Pace;
  #pace: Pace = 'soon';
  #dueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `tick`: is told how late it comes, and tells how soon the next one is due. */
  constructor(tick: (lateMs: number) => Pace) {
    this.#tick = tick;
    this.#start();
  }

  /** Something waits from now on: the next tick comes within 10 ms. Costs a comparison where that is known. */
  hurry(): void {
    this.#turnTo('soon');
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    const everyMs = PACE_MS[this.#pace];
    this.#dueMs = performance.now() + everyMs;
    this.#timer = setInterval(() => this.#run(), everyMs);
  }

  #run(): void {
    const nowMs = performance.now();
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    // Node counts the next interval from here.
    this.#dueMs = nowMs + PACE_MS[this.#pace];
    this.#turnTo(this.#tick(lateMs));
  }

  #turnTo(pace: Pace): void {
    if (pace === this.#pace || this.#timer === undefined) return;
    this.#pace = pace;
    clearInterval(this.#timer);
    this.#start();
  }
}
