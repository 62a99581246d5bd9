import type { Rate } from '../ingest/venues/facts.js';

/** Requests that are remembered; beyond them the oldest half is forgotten. */
const REQUESTS_MAX = 200_000;

/** A limit holds in every window of its length, less this share for what a network adds to the distance of two requests. */
const TOLERANCE = 0.03;

/** What a client did, and when; `slow`: it did not read what it had subscribed to. */
export interface Request {
  readonly atMs: number;
  readonly kind: 'connect' | 'message' | 'subscribe' | 'login' | 'http' | 'slow';
  /** The address that it was sent to, as the venue's facts have it. */
  readonly where: string;
  /** Units of the limit: connections, messages, subscriptions by their cost, weight. */
  readonly units: number;
  /** The limit that it went beyond, for people; null where it was within all. */
  readonly beyond: string | null;
}

/** All that clients did, with the times at which it came. */
export class Ledger {
  readonly requests: Request[] = [];

  note(request: Request): void {
    this.requests.push(request);
    if (this.requests.length > REQUESTS_MAX) this.requests.splice(0, REQUESTS_MAX / 2);
  }

  /** Those that went beyond a limit. */
  breaches(): readonly Request[] {
    return this.requests.filter(({ beyond }) => beyond !== null);
  }
}

/** The use of one limit: at most `max` units in any window of its length. */
export class Allowance {
  readonly max: number;
  readonly #windowMs: number;
  /** By the millisecond, oldest first. */
  readonly #uses: { readonly atMs: number; units: number }[] = [];
  #used = 0;

  constructor({ max, windowMs }: Rate) {
    this.max = max;
    this.#windowMs = windowMs * (1 - TOLERANCE);
  }

  /** Units of the window that ends here. */
  used(nowMs: number): number {
    while (this.#uses.length > 0 && nowMs - (this.#uses[0]?.atMs ?? 0) >= this.#windowMs) {
      this.#used -= this.#uses.shift()?.units ?? 0;
    }
    return this.#used;
  }

  /** Uses units; false where that is beyond the limit, and then they count all the same. */
  use(nowMs: number, units: number): boolean {
    const used = this.used(nowMs);
    const last = this.#uses.at(-1);
    if (last !== undefined && nowMs - last.atMs < 1) last.units += units;
    else this.#uses.push({ atMs: nowMs, units });
    this.#used = used + units;
    return this.#used <= this.max;
  }

  /** Until so much of the window is free. */
  waitMs(nowMs: number): number {
    const [oldest] = this.#uses;
    return oldest === undefined ? 0 : Math.max(0, oldest.atMs + this.#windowMs - nowMs);
  }
}
