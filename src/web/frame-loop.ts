/** Draws what has changed; true = it has drawn something. `nowMs` is the clock of `performance.now`. */
export type Paint = (nowMs: number) => unknown;

/** How often a painter runs. */
export interface Pace {
  /** No more often than this; 0 = at each frame. */
  readonly everyMs?: number;
  /** It waits so long for a frame in which another painter draws; 0 = for none. */
  readonly waitMs?: number;
}

interface Entry {
  readonly paint: Paint;
  readonly everyMs: number;
  readonly waitMs: number;
  nextMs: number;
}

/** Share of a new frame in the moving mean of the drawing time. */
const SMOOTHING = 0.05;

/**
 * The one animation loop of the page. The time that all painters took is kept, because the page shows what it costs.
 *
 * A frame in which anything is drawn costs the browser some milliseconds, however little that is, and one in which nothing is
 * drawn next to none. So what may come a moment later is drawn together with what may not: those who wait run last, the most
 * patient behind the others.
 */
export class FrameLoop {
  /** Moving mean of the drawing time of a frame, in ms. */
  drawMs = 0;
  /** Those who wait least first. */
  #entries: readonly Entry[] = [];
  #handle = 0;

  /** Adds a painter; the result removes it. */
  add(paint: Paint, { everyMs = 0, waitMs = 0 }: Pace = {}): () => void {
    const entry: Entry = { paint, everyMs, waitMs, nextMs: 0 };
    this.#entries = [...this.#entries, entry].sort((a, b) => a.waitMs - b.waitMs);
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
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
    this.paint(nowMs);
    const tookMs = performance.now() - startMs;
    this.drawMs += (tookMs - this.drawMs) * SMOOTHING;
  };

  /** One frame. */
  paint(nowMs: number): void {
    let hasDrawn = false;
    for (const entry of this.#entries) {
      const { everyMs, waitMs, nextMs } = entry;
      if (nowMs < (hasDrawn ? nextMs : nextMs + waitMs)) continue;
      // By the same clock for all, so that slow painters share their frames.
      entry.nextMs = everyMs === 0 ? nowMs : (Math.floor(nowMs / everyMs) + 1) * everyMs;
      if (entry.paint(nowMs) === true) hasDrawn = true;
    }
  }
}
