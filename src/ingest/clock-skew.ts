/** How far a venue's clock is ahead of ours, as far as it is known. */
export interface SkewBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** HTTP dates are whole seconds. */
const DATE_MS = 1000;

/**
 * The bounds that the `Date` of answers sets to the skew: the venue's time when it answered lies in that second, ours
 * between sending and receiving. Each answer narrows them. Where they contradict each other a clock was set, and the last
 * counts.
 */
export class ClockSkew {
  #bounds: SkewBounds | undefined;

  get bounds(): SkewBounds | undefined {
    return this.#bounds;
  }

  /** An answer's `Date`, and when its request was sent and it was received, in ms since 1970. */
  note(date: string | undefined, sentMs: number, receivedMs: number): void {
    const dateMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(dateMs) || receivedMs < sentMs) return;
    const told = { minMs: dateMs - receivedMs, maxMs: dateMs + DATE_MS - sentMs };
    const before = this.#bounds ?? told;
    const both = {
      minMs: Math.max(before.minMs, told.minMs),
      maxMs: Math.min(before.maxMs, told.maxMs),
    };
    this.#bounds = both.minMs <= both.maxMs ? both : told;
  }
}
