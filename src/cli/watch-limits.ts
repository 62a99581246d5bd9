import { DepthwireError } from '../errors.js';

export interface WatchBounds {
  /** Outputs after which it ends; undefined = no number. */
  readonly countMax: number | undefined;
  /** How long nothing may come, ms; undefined = for ever. */
  readonly timeoutMs: number | undefined;
}

/** When watching ends by itself: after so many outputs, or when nothing comes for too long. */
export class WatchLimits {
  /** Aborted by the first end, that of the user included. */
  readonly signal: AbortSignal;
  private readonly own = new AbortController();
  private readonly bounds: WatchBounds;
  private timer: NodeJS.Timeout | undefined;
  private count = 0;
  private isLate = false;

  constructor(bounds: WatchBounds, signal: AbortSignal) {
    this.bounds = bounds;
    this.signal = AbortSignal.any([signal, this.own.signal]);
    const { timeoutMs } = bounds;
    if (timeoutMs === undefined) return;
    this.timer = setTimeout(() => {
      this.isLate = true;
      this.own.abort('timeout');
    }, timeoutMs);
  }

  /** Something has come: the time begins again. */
  came(): void {
    this.timer?.refresh();
  }

  /** Counts an output that is ready, for the last one ends the connection; false where it is one too many. */
  take(): boolean {
    const { countMax } = this.bounds;
    if (this.signal.aborted) return false;
    this.count += 1;
    this.came();
    if (countMax !== undefined && this.count >= countMax) this.own.abort('count');
    return true;
  }

  /** Ends the clock. Throws `watch.nothing_came` where it has run out; `got` says what there was instead, `fix` what helps. */
  end({ got, fix }: { readonly got: string; readonly fix: string }): void {
    clearTimeout(this.timer);
    if (!this.isLate) return;
    throw new DepthwireError('watch.nothing_came', {
      what: 'nothing came in time',
      where: '--timeout',
      expected: `something within ${(this.bounds.timeoutMs ?? 0) / 1000} s`,
      got,
      fix,
    });
  }
}
