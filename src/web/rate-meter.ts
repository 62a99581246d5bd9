/** Rate of a growing counter over a sliding window, from samples taken at any interval. */
export class RateMeter {
  readonly #windowMs: number;
  #samples: { readonly atMs: number; readonly total: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Takes a sample and answers the rate per second since the oldest one in the window; 0 for the first. */
  sample(atMs: number, total: number): number {
    const first = this.#samples[0];
    if (first !== undefined && total < first.total) this.#samples = [];
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= this.#windowMs);
    this.#samples.push({ atMs, total });
    const oldest = this.#samples[0];
    if (oldest === undefined || atMs <= oldest.atMs) return 0;
    return ((total - oldest.total) * 1000) / (atMs - oldest.atMs);
  }
}
