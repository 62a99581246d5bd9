import type { Rate } from './venues/facts.js';

/**
 * What is sent evenly may arrive closer together: a window is taken for longer by so much of it, and by so much at most. A
 * segment that is lost once comes 200 ms late at least: the least time after which Linux sends it again (TCP_RTO_MIN).
 */
const SLACK = 0.25;
const SLACK_MS_MAX = 250;

/**
 * Counts what was used of a rate over the last `windowMs`. Whatever window the venue counts by, fixed or sliding, no more than
 * `max` falls into it. Memory: one entry for each use that is remembered, so at most `max` of them.
 */
export class SlidingWindow {
  readonly #max: number;
  readonly #windowMs: number;
  readonly #uses: { readonly atMs: number; readonly cost: number }[] = [];
  #used = 0;

  /** `slack`: by how much of it a window is taken for longer. */
  constructor({ max, windowMs }: Rate, slack = SLACK) {
    this.#max = max;
    this.#windowMs = windowMs + Math.min(SLACK_MS_MAX, windowMs * slack);
  }

  /** Ms until so much more may be used; 0 = at once. What costs more than there ever is waits for an empty window. */
  waitMs(nowMs: number, cost: number): number {
    this.#forget(nowMs);
    let over = this.#used + Math.min(cost, this.#max) - this.#max;
    for (const use of this.#uses) {
      if (over <= 0) break;
      over -= use.cost;
      if (over <= 0) return use.atMs + this.#windowMs - nowMs;
    }
    return 0;
  }

  use(nowMs: number, cost: number): void {
    this.#forget(nowMs);
    this.#used += cost;
    const last = this.#uses.at(-1);
    if (last?.atMs === nowMs) this.#uses[this.#uses.length - 1] = { atMs: nowMs, cost: last.cost + cost };
    else this.#uses.push({ atMs: nowMs, cost });
  }

  /** The venue says that so much is used; what others of the same address have used counts as used now. */
  learn(nowMs: number, used: number): void {
    this.#forget(nowMs);
    if (used > this.#used) this.use(nowMs, used - this.#used);
  }

  #forget(nowMs: number): void {
    let past = 0;
    for (const { atMs, cost } of this.#uses) {
      if (nowMs - atMs < this.#windowMs) break;
      this.#used -= cost;
      past += 1;
    }
    if (past > 0) this.#uses.splice(0, past);
  }
}
