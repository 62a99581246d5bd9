/** Columns of the latency line: seconds before now (negative), p50 and p99 in ms. */
export type LatencyColumns = [seconds: number[], p50: (number | null)[], p99: (number | null)[]];

/** The latest samples of the latency, oldest first; what is older than the capacity is forgotten. */
export class LatencyHistory {
  readonly #capacity: number;
  readonly #samples: { readonly atMs: number; readonly p50: number | null; readonly p99: number | null }[] =
    [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Null where nothing has been measured: the line has a gap there. */
  push(atMs: number, p50: number | null, p99: number | null): void {
    this.#samples.push({ atMs, p50, p99 });
    if (this.#samples.length > this.#capacity) this.#samples.shift();
  }

  columns(nowMs: number): LatencyColumns {
    return [
      this.#samples.map((sample) => (sample.atMs - nowMs) / 1000),
      this.#samples.map((sample) => sample.p50),
      this.#samples.map((sample) => sample.p99),
    ];
  }
}
