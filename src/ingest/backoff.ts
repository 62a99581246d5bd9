/**
 * Pauses that double from `firstMs` to `maxMs`, each shortened by chance to between a half and the whole, so that those who
 * lost the same thing at once do not come back at once.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** `random` gives numbers from 0 to below 1. */
  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** The pause after one more failure. */
  next(): number {
    const wholeMs = Math.min(this.#maxMs, this.#firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    return wholeMs * (0.5 + this.#random() / 2);
  }

  /** It works again: the next failure counts as the first. */
  reset(): void {
    this.#failures = 0;
  }
}
