import { Replica } from '#native';
import type { Engine } from '../engine.js';
import { nameOf } from './catalogue.js';

/** Frames are handed to the replica in batches of so many bytes. */
const BATCH_BYTES = 1 << 18;

/** The books that the feed alone makes: copies frames out of the ring and applies them some hundred kilobytes at a time. */
export class BatchedReplica {
  readonly #replica = new Replica();
  readonly #batch = new Uint8Array(BATCH_BYTES);
  #bytes = 0;

  take(frame: Uint8Array): void {
    if (this.#bytes + frame.byteLength > BATCH_BYTES) this.flush();
    if (frame.byteLength > BATCH_BYTES) {
      this.#replica.apply(frame.slice());
      return;
    }
    this.#batch.set(frame, this.#bytes);
    this.#bytes += frame.byteLength;
  }

  flush(): void {
    if (this.#bytes === 0) return;
    this.#replica.apply(this.#batch.subarray(0, this.#bytes));
    this.#bytes = 0;
  }

  digests(): ReadonlyMap<number, string> {
    return new Map(this.#replica.books().map(({ instrument, digest }) => [instrument, digest]));
  }

  /** What the replica itself found wrong with the feed. */
  failures(engine: Engine): readonly string[] {
    return this.#replica.books().flatMap(({ instrument, checkFailures, gaps }) => {
      const name = nameOf(engine, instrument);
      return [
        ...(checkFailures > 0 ? [`${name}: ${checkFailures} checks of the feed failed in the replica`] : []),
        ...(gaps > 0 ? [`${name}: ${gaps} gaps in the feed`] : []),
      ];
    });
  }
}
