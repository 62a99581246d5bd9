import { EVERYTHING_NS } from '../ingest/source.js';
import type { PublishedRows } from './published-rows.js';

/** Of which times of receipt rows are made, ns since the epoch: from the one on, and before the other. */
export interface Times {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** Times of a recording at which something is due. */
export interface Steps {
  /** What was received up to then is taken before the next step. */
  readonly untilNs: bigint;
  /** Whether no more rows will come. */
  readonly isOver: boolean;
  /** Whether rows depend on times, and none has been found yet. */
  readonly lacksTimes: boolean;
  /** Everything until then is taken; what comes next was received at `nextNs`, which is later. */
  reached(nextNs: bigint): void;
}

/** Rows of what is published between two times. */
export class ChangeSteps implements Steps {
  isOver = false;
  lacksTimes: boolean;
  readonly #published: PublishedRows;
  readonly #times: Times;
  #hasBegun = false;

  constructor(published: PublishedRows, times: Times) {
    this.#published = published;
    this.#times = times;
    this.lacksTimes = times.fromNs > 0n || times.toNs < EVERYTHING_NS;
    if (times.fromNs === 0n) this.#begin();
  }

  get untilNs(): bigint {
    if (this.lacksTimes) return 0n;
    const { fromNs, toNs } = this.#times;
    return (this.#hasBegun ? toNs : fromNs) - 1n;
  }

  reached(nextNs: bigint): void {
    this.lacksTimes = false;
    const { fromNs, toNs } = this.#times;
    if (nextNs >= toNs) this.isOver = true;
    else if (nextNs >= fromNs && !this.#hasBegun) this.#begin();
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#published.begin(this.#times.fromNs);
  }
}

/** What makes rows of how things stand at a time. */
export interface TimedRows {
  at(ns: bigint): void;
}

const NS_PER_MS = 1_000_000n;

/**
 * Rows of how things stand at multiples of an interval, of those behind which something was received and another thing follows: while nothing
 * comes, all stays what it was, and at the end nobody knows what the interval would still have brought.
 */
export class SnapshotSteps implements Steps {
  untilNs = 0n;
  isOver = false;
  lacksTimes = true;
  readonly #rows: TimedRows;
  readonly #intervalNs: bigint;
  readonly #times: Times;

  constructor(rows: TimedRows, intervalMs: number, times: Times) {
    this.#rows = rows;
    this.#intervalNs = BigInt(intervalMs) * NS_PER_MS;
    this.#times = times;
  }

  reached(nextNs: bigint): void {
    const { fromNs, toNs } = this.#times;
    if (!this.lacksTimes && this.untilNs >= fromNs) this.#rows.at(this.untilNs);
    this.lacksTimes = false;
    this.untilNs = ((nextNs + this.#intervalNs - 1n) / this.#intervalNs) * this.#intervalNs;
    this.isOver = this.untilNs >= toNs;
  }
}
