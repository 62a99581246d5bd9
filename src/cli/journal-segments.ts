import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, DepthwireError } from '../errors.js';

/** Bytes of a segment at which the next one is begun. */
export const SEGMENT_BYTES = 128 << 20;
const OUT_BYTES = 1 << 20;
const NS_PER_MS = 1_000_000n;

/** What makes the bytes of segments. */
export interface JournalBytes {
  /** Writes bytes that are due and returns how many; 0 = all are out, and behind `turn` what follows is the next segment's. */
  drain(out: Uint8Array): number;
  /** Ends the segment and begins the next one at that time. */
  turn(createdNs: bigint): void;
}

/** The files of a journal, written one after the other. */
export class JournalSegments {
  readonly paths: string[] = [];
  bytes = 0;
  bytesOfLast = 0;
  readonly #folder: string;
  readonly #journal: JournalBytes;
  readonly #out = new Uint8Array(OUT_BYTES);
  #file: FileHandle | undefined;

  constructor(folder: string, journal: JournalBytes) {
    this.#folder = folder;
    this.#journal = journal;
  }

  /** Ends the segment that is being written, if one is, and begins the next. */
  async next(): Promise<void> {
    await this.end();
    const name = path.join(this.#folder, `${String(this.paths.length).padStart(8, '0')}.dwj`);
    this.#file = await written(name, () => open(name, 'wx'));
    this.paths.push(name);
    this.bytesOfLast = 0;
    await this.write();
  }

  /** Begins the next segment where this one has so many bytes. */
  async turnAt(bytes: number): Promise<void> {
    if (this.bytesOfLast < bytes) return;
    this.#journal.turn(nowNs());
    await this.next();
  }

  /** Writes what is there for this segment. */
  async write(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    for (;;) {
      const size = this.#journal.drain(this.#out);
      if (size === 0) return;
      await written(this.paths.at(-1) ?? '', async () => {
        for (let at = 0; at < size; ) at += (await file.write(this.#out, at, size - at)).bytesWritten;
      });
      this.bytes += size;
      this.bytesOfLast += size;
    }
  }

  /** Writes the rest of the segment, and has the system keep it. */
  async end(): Promise<void> {
    await this.write();
    const file = this.#file;
    if (file !== undefined) await written(this.paths.at(-1) ?? '', () => file.sync());
    await this.close();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

/** A folder for a journal: made, or empty. Throws `journal.folder`, `journal.unwritable`. */
export async function makeJournalFolder(folder: string): Promise<void> {
  await written(folder, () => mkdir(folder, { recursive: true }));
  const held = await written(folder, () => readdir(folder));
  if (held.length === 0) return;
  throw new DepthwireError('journal.folder', {
    what: 'the folder for a journal holds something',
    where: folder,
    expected: 'an empty folder, or none',
    got: held[0] ?? '',
    fix: 'Name another folder: nothing is written over.',
  });
}

/** Does something with a file of the journal; an error of the system becomes one that says what to do. */
async function written<T>(where: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    const code = codeOf(cause);
    const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
    throw new DepthwireError(isFull ? 'journal.full' : 'journal.unwritable', {
      what: isFull ? 'there is no room for the journal' : 'the journal cannot be written',
      where,
      expected: isFull ? 'room on its disk' : 'a folder that takes files',
      got: cause instanceof Error ? cause.message : String(cause),
      fix: isFull
        ? 'Make room, or name a folder on another disk; what was written is a journal up to here.'
        : 'Name a folder that this user may write to.',
      cause,
    });
  }
}

export function nowNs(): bigint {
  return BigInt(Date.now()) * NS_PER_MS;
}
