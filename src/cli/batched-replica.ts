import { ReplicaThread } from '#native';
import { typed } from '../engine/guarded.js';
import type { Engine } from '../engine.js';
import { nameOf } from './catalogue.js';
import { hoursOf, type VerifiedHours } from './verify-hours.js';

/**
 * The books that the feed alone makes: copies an engine's records out of its ring, and applies their frames on a thread of
 * its own, at most four copies behind.
 */
export class BatchedReplica {
  readonly #replica = new ReplicaThread();

  /** Records as an engine's listener gets them. Throws `replica.*` for what an earlier call has shown to be wrong. */
  take(ring: Uint8Array, from: number, to: number): void {
    try {
      this.#replica.take(ring.subarray(from, to));
    } catch (error) {
      throw typed(error);
    }
  }

  /** Waits until everything that was taken has been applied. */
  settle(): void {
    try {
      this.#replica.settle();
    } catch (error) {
      throw typed(error);
    }
  }

  /** What its books are when everything that was taken has been applied. */
  books(): ReplicaBooks {
    try {
      return new ReplicaBooks(this.#replica.books(), this.#replica.standings());
    } catch (error) {
      throw typed(error);
    }
  }

  close(): void {
    this.#replica.close();
  }
}

/** Books that the feed alone has made. */
export class ReplicaBooks {
  readonly #books: ReturnType<ReplicaThread['books']>;

  readonly #standings: ReturnType<ReplicaThread['standings']>;

  constructor(books: ReturnType<ReplicaThread['books']>, standings: ReturnType<ReplicaThread['standings']>) {
    this.#books = books;
    this.#standings = standings;
  }

  /** How long readers had each book. */
  hours(): ReadonlyMap<number, VerifiedHours> {
    return new Map(this.#standings.map((standing) => [standing.instrument, hoursOf(standing)]));
  }

  digests(): ReadonlyMap<number, string> {
    return new Map(this.#books.map(({ instrument, digest }) => [instrument, digest]));
  }

  /** What the replica itself found wrong with the feed. */
  failures(engine: Engine): readonly string[] {
    return this.#books.flatMap(({ instrument, checkFailures, gaps }) => {
      const name = nameOf(engine, instrument);
      return [
        ...(checkFailures > 0 ? [`${name}: ${checkFailures} checks of the feed failed in the replica`] : []),
        ...(gaps > 0 ? [`${name}: ${gaps} gaps in the feed`] : []),
      ];
    });
  }
}
