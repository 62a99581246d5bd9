/** How long to wait before asking again; each wait in a row doubles, between the two. */
export interface Backoff {
  readonly delayMs: number;
  readonly delayMsMax: number;
}

/**
 * Asks for a new image: at once the first time, then with growing pauses while requests follow one another. At most
 * one request is in flight; one that brings no image is repeated.
 */
export class Resync {
  private readonly send: () => void;
  private readonly backoff: Backoff;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private inRow = 0;
  private lastMs = -Infinity;

  constructor(backoff: Backoff, send: () => void) {
    this.backoff = backoff;
    this.send = send;
  }

  /** An image is needed. Nothing happens while a request is in flight or waits for its turn. */
  request(): void {
    if (this.timer !== undefined) return;
    const pauseMs = this.pauseMs();
    const dueMs = this.lastMs + pauseMs - performance.now();
    // Requests that lie far apart are no row: the next one goes out at once again.
    if (dueMs < -this.backoff.delayMsMax) this.inRow = 0;
    if (dueMs > 0) this.timer = setTimeout(() => this.fire(), dueMs);
    else this.fire();
  }

  /** The image is in, or the server has said that one will come. */
  done(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private fire(): void {
    this.inRow += 1;
    this.lastMs = performance.now();
    this.timer = setTimeout(() => this.fire(), this.pauseMs());
    this.send();
  }

  private pauseMs(): number {
    return Math.min(this.backoff.delayMsMax, this.backoff.delayMs * 2 ** Math.min(this.inRow, 16));
  }
}
