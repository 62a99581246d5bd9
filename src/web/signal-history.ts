/** Seconds that a history holds. */
const SECONDS = 120;

/** A value a second, as a line. Where there was none it has a hole. */
export class SignalHistory {
  readonly #values = new Float64Array(SECONDS).fill(Number.NaN);
  #second = 0;

  /** The value of a second, NaN = none. Seconds between it and the one before have none either. */
  put(second: number, value: number): void {
    const from = Math.max(this.#second + 1, second - SECONDS + 1);
    for (let at = from; at < second; at += 1) this.#values[at % SECONDS] = Number.NaN;
    this.#values[second % SECONDS] = value;
    this.#second = second;
  }

  /** The line as an SVG path within so much room, the oldest second at the left; empty where there is none. */
  path(width: number, height: number): string {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const value of this.#values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const scale = high > low ? height / (high - low) : 0;
    let path = '';
    let isDrawn = false;
    for (let at = 0; at < SECONDS; at += 1) {
      const value = this.#values[(this.#second + 1 + at) % SECONDS] as number;
      if (!Number.isNaN(value)) {
        const x = (at / (SECONDS - 1)) * width;
        const y = scale === 0 ? height / 2 : height - (value - low) * scale;
        path += `${isDrawn ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      }
      isDrawn = !Number.isNaN(value);
    }
    return path;
  }
}
