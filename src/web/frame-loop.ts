/** Draws when asked; `nowMs` is the clock of `performance.now`. */
export type Paint = (nowMs: number) => void;

interface Entry {
  readonly paint: Paint;
  readonly everyMs: number;
  nextMs: number;
}

/** Share of a new frame in the moving mean of the drawing time. */
const SMOOTHING = 0.05;

/**
 * The one animation loop of the page. A painter runs at each frame, or no more often than its interval; the time that
 * all of them took is kept, because the page shows what it costs.
 */
export class FrameLoop {
  /** Moving mean of the drawing time of a frame, in ms. */
  drawMs = 0;
  readonly #entries = new Set<Entry>();
  #handle = 0;

  /** Adds a painter; the result removes it. */
  add(paint: Paint, everyMs = 0): () => void {
    const entry: Entry = { paint, everyMs, nextMs: 0 };
    this.#entries.add(entry);
    return () => this.#entries.delete(entry);
  }

  start(): void {
    if (this.#handle === 0) this.#handle = requestAnimationFrame(this.#frame);
  }

  stop(): void {
    cancelAnimationFrame(this.#handle);
    this.#handle = 0;
  }

  readonly #frame = (nowMs: number): void => {
    this.#handle = requestAnimationFrame(this.#frame);
    const startMs = performance.now();
    for (const entry of this.#entries) {
      if (nowMs < entry.nextMs) continue;
      // By the same clock for all, so that slow painters share their frames: each frame that damages two far ends of the
      // page costs as much as one that damages all of it.
      entry.nextMs = entry.everyMs === 0 ? 0 : (Math.floor(nowMs / entry.everyMs) + 1) * entry.everyMs;
      entry.paint(nowMs);
    }
    const tookMs = performance.now() - startMs;
    this.drawMs += (tookMs - this.drawMs) * SMOOTHING;
  };
}
