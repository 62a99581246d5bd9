const HALF_LIFE_MS = 10_000;

/** Counts a client's wrong messages. The count halves every 10 s, so that the slips of a long session are forgiven. */
export class BadMessages {
  readonly #max: number;
  #count = 0;
  #countedMs = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts one, and says whether there are more than allowed. `nowMs` is monotonic. */
  isOneTooMany(nowMs: number): boolean {
    this.#count = this.#count * 0.5 ** ((nowMs - this.#countedMs) / HALF_LIFE_MS) + 1;
    this.#countedMs = nowMs;
    return this.#count > this.#max;
  }
}
