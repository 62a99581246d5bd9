import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { JournalConversion } from '#native';
import { codeOf, DepthwireError } from '../errors.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';

/** Bytes of a segment at which the next one is begun. */
export const SEGMENT_BYTES = 128 << 20;
const OUT_BYTES = 1 << 20;
/** Damages of files that are told; all are among what was missed. */
const DAMAGES_MAX = 100;
const NS_PER_MS = 1_000_000n;

export interface ConvertOptions {
  readonly files: readonly string[];
  /** Where the segments are written; made where it is missing. */
  readonly folder: string;
  readonly segmentBytes?: number;
  /** Called after each chunk with the share of the files that has been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** What a conversion came to. */
export interface Conversion {
  readonly segments: readonly string[];
  readonly records: number;
  readonly bytes: number;
  /** Parts that could not be read; each stands in the journal in its place. */
  readonly missed: number;
  /** What is wrong with the files, the first hundred. */
  readonly damages: readonly DepthwireError[];
}

/**
 * Makes a journal of recordings, of whatever form, one after the other. What was written before an error stays, and is a journal as
 * far as it goes. Throws `journal.*`, and `recording.*` for what cannot be read at all.
 */
export async function convert(options: ConvertOptions): Promise<Conversion> {
  const { folder, segmentBytes = SEGMENT_BYTES, onProgress } = options;
  const files = await recordingFiles(options.files);
  const surveys = await surveyRecordings(files);
  let totalBytes = 0;
  for (const file of files) totalBytes += (await stat(file)).size;
  await makeFolder(folder);
  const conversion = new JournalConversion(randomBytes(8).readBigUInt64LE(), nowNs());
  const segments = new Segments(folder, conversion);
  const reader = new RecordingReader(files, surveys);
  const damages: DepthwireError[] = [];
  try {
    await segments.next();
    while (await reader.fill()) {
      if (segments.bytesOfLast >= segmentBytes && reader.pending.byteLength > 0) {
        conversion.turn(nowNs());
        await segments.next();
      }
      reader.use(conversion.take(reader.pending, reader.isFileEnd));
      if (reader.damage !== undefined) {
        if (damages.length < DAMAGES_MAX) damages.push(reader.damage);
        conversion.miss(reader.damage.code);
      }
      await segments.write();
      onProgress?.(Math.min(1, reader.fileBytes / totalBytes));
    }
    conversion.end();
    await segments.end();
    const { records, missed } = conversion.converted();
    return { segments: segments.paths, records, bytes: segments.bytes, missed, damages };
  } finally {
    await reader.close();
    await segments.close();
    conversion.close();
  }
}

/** The files of a journal, written one after the other. */
class Segments {
  readonly paths: string[] = [];
  bytes = 0;
  bytesOfLast = 0;
  readonly #folder: string;
  readonly #conversion: JournalConversion;
  readonly #out = new Uint8Array(OUT_BYTES);
  #file: FileHandle | undefined;

  constructor(folder: string, conversion: JournalConversion) {
    this.#folder = folder;
    this.#conversion = conversion;
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

  /** Writes what the conversion has for this segment. */
  async write(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    for (;;) {
      const size = this.#conversion.drain(this.#out);
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

async function makeFolder(folder: string): Promise<void> {
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

function nowNs(): bigint {
  return BigInt(Date.now()) * NS_PER_MS;
}
