/** Once asked to, a command has so long to end by itself, unless it says otherwise. */
const STOP_MS_DEFAULT = 2500;
/** Signals that follow the first one so soon are the same one: a key press under npm comes from the terminal and from npm. */
const SAME_MS = 300;

/** What ends the process whatever it is doing: `process.exit`, the addon's watch of signals, a clock. */
export interface Ends {
  readonly exit: (code: number) => void;
  /** The first signal ends the process after so long though no JavaScript runs. */
  readonly limit: (stopMs: number) => void;
  readonly nowMs: () => number;
  readonly later: (ms: number, then: () => void) => void;
}

/** The end of the process: asked for once, bounded from then on, at once when asked for again. */
export class Ending {
  readonly #ends: Ends;
  readonly #asked = new AbortController();
  #stopMs = STOP_MS_DEFAULT;
  #askedMs = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    ends.limit(this.#stopMs);
  }

  /** Aborted, with the reason, by the first `stop`. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** Lets the end take so long. */
  allow(stopMs: number): void {
    this.#stopMs = stopMs;
    this.#ends.limit(stopMs);
  }

  /** Asks the command to end. `code`: that of the process when it does not in its time, or is asked again. */
  stop(reason: string, code: number): void {
    const nowMs = this.#ends.nowMs();
    if (this.#asked.signal.aborted) {
      if (nowMs - this.#askedMs >= SAME_MS) this.#ends.exit(code);
      return;
    }
    this.#askedMs = nowMs;
    this.#asked.abort(reason);
    this.#ends.later(this.#stopMs, () => this.#ends.exit(code));
  }
}
