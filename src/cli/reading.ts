import { stat } from 'node:fs/promises';
import type { DepthwireError } from '../errors.js';
import type { RecordingReader } from '../ingest/recording-reader.js';

/** Damages of files that are kept one by one; further ones are counted. */
const DAMAGES_MAX = 100;

/** How far a command has read its files, and what is wrong with them. */
export class Reading {
  /** Of the files as they are, packed or not. */
  readonly totalBytes: number;
  readonly #damages: DepthwireError[] = [];
  #damaged = 0;
  readonly #tell: ((share: number) => void) | undefined;

  private constructor(totalBytes: number, tell: ((share: number) => void) | undefined) {
    this.totalBytes = totalBytes;
    this.#tell = tell;
  }

  /** `onProgress` is called with the share of the files that has been read, 0 to 1. */
  static async of(files: readonly string[], onProgress?: (share: number) => void): Promise<Reading> {
    let totalBytes = 0;
    for (const file of files) totalBytes += (await stat(file)).size;
    return new Reading(totalBytes, onProgress);
  }

  /** What is wrong with the files, the first hundred. */
  get damages(): readonly DepthwireError[] {
    return this.#damages;
  }

  /** How often something was wrong with them. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Takes note of the damage at which a reader stands; none where it stands at none. */
  damageOf({ damage }: Pick<RecordingReader, 'damage'>): DepthwireError | undefined {
    if (damage === undefined) return undefined;
    this.#damaged += 1;
    if (this.#damages.length < DAMAGES_MAX) this.#damages.push(damage);
    return damage;
  }

  /** So many bytes of all files have been read. */
  show(bytes: number): void {
    this.#tell?.(Math.min(1, bytes / Math.max(1, this.totalBytes)));
  }
}
