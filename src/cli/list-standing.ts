import type { DepthwireError } from '../errors.js';
import { Backoff } from '../ingest/backoff.js';
import type { Clock, Timer } from '../ingest/clock.js';
import { SECOND_MS } from '../ingest/shrunken-list.js';
import type { ServedList } from '../publish/sources.js';

/** The first pause before a list that cannot be had is asked for again, and the longest. */
const RETRY_MS = 5000;
const RETRY_MS_MAX = 600_000;

/** How it stands with one source's list of instruments: since when it fails, and when it is asked for again. */
export class ListStanding {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #fetchedMs: number | null = null;
  #failingSinceMs: number | null;
  #fault: DepthwireError | undefined;
  #retryMs: number | null = null;
  #timer: Timer | undefined;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#backoff = new Backoff(RETRY_MS, RETRY_MS_MAX, random);
    this.#failingSinceMs = clock.wallMs();
  }

  /**
   * Takes down what asking came to, and calls `again` when it is to be asked next: at once for nothing. Returns whether that
   * is news: what is wrong has become another thing, or has ceased to be.
   */
  note(fetchedMs: number | null, fault: DepthwireError | undefined, again: () => void): boolean {
    const isNews = fault?.code !== this.#fault?.code || fault?.got !== this.#fault?.got;
    this.#fetchedMs = fetchedMs ?? this.#fetchedMs;
    this.#fault = fault;
    this.stop();
    if (fault === undefined) {
      this.#failingSinceMs = null;
      this.#backoff.reset();
      return isNews;
    }
    this.#failingSinceMs ??= this.#clock.wallMs();
    // A second list that lacks the same counts from a certain time on.
    const shortestMs = fault.code === 'instruments.shrunken' ? SECOND_MS : 0;
    const ms = shortestMs + this.#backoff.next();
    this.#retryMs = this.#clock.wallMs() + ms;
    this.#timer = this.#clock.after(ms, () => {
      this.#retryMs = null;
      again();
    });
    return isNews;
  }

  /** It is asked for no more by itself. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#retryMs = null;
  }

  served(): ServedList {
    return {
      fetchedMs: this.#fetchedMs,
      failingSinceMs: this.#failingSinceMs,
      retryMs: this.#retryMs === null ? null : Math.round(this.#retryMs),
      error: this.#fault?.toJSON() ?? null,
    };
  }
}
