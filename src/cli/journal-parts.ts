import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { JournalMerge, type JournalPartInfo, JournalSlice } from '#native';
import { guarded } from '../engine/guarded.js';
import { DepthwireError } from '../errors.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { JournalSegments, makeJournalFolder, nowNs, SEGMENT_BYTES } from './journal-segments.js';
import { Reading } from './reading.js';

/** Beyond every record and every time. */
export const NO_END = 2n ** 64n - 1n;

interface PartOptions {
  readonly files: readonly string[];
  /** Where the segments are written; made where it is missing. */
  readonly folder: string;
  readonly segmentBytes?: number;
  /** Called after each chunk with the share of the files that has been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

export interface SliceOptions extends PartOptions {
  /** Times of receipt, ns since the epoch: from the one on, and before the other. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** Numbers of records, the last included. */
  readonly firstRecord: bigint;
  readonly lastRecord: bigint;
}

/** What was written. */
export interface JournalPart extends JournalPartInfo {
  readonly segments: readonly string[];
  readonly bytes: number;
  /** What is wrong with packed files, the first hundred. */
  readonly damages: readonly DepthwireError[];
}

/**
 * Cuts a part out of a journal: its segments in their order. Records keep their numbers. Throws `journal.*`, and `recording.*` for
 * what cannot be read at all; what was written before an error is a journal as far as it goes.
 */
export async function slice(options: SliceOptions): Promise<JournalPart> {
  const { folder, segmentBytes = SEGMENT_BYTES, fromNs, toNs, firstRecord, lastRecord } = options;
  const files = await recordingFiles(options.files);
  const reading = await Reading.of(files, options.onProgress);
  await makeJournalFolder(folder);
  const native = new JournalSlice(fromNs, toNs, firstRecord, lastRecord, nowNs());
  const segments = new JournalSegments(folder, native);
  const reader = new RecordingReader(files, await surveyRecordings(files));
  try {
    await segments.next();
    while (await reader.fill()) {
      if (reader.pending.byteLength > 0) await segments.turnAt(segmentBytes);
      reader.use(guarded(() => native.take(reader.pending, reader.isFileEnd)));
      reading.damageOf(reader);
      await segments.write();
      reading.show(reader.fileBytes);
    }
    const part = native.end();
    await segments.end();
    if (part.records === 0) {
      for (const segment of segments.paths) await rm(segment);
      throw nothing(files);
    }
    return { ...part, segments: segments.paths, bytes: segments.bytes, damages: reading.damages };
  } finally {
    await reader.close();
    await segments.close();
    native.close();
  }
}

/**
 * Puts journals together, of which each is the files of one folder in the order given. Parts of one journal are that journal again,
 * by the numbers of its records; different ones become a new journal, by time. Throws as `slice`.
 */
export async function merge(options: PartOptions): Promise<JournalPart> {
  const { folder, segmentBytes = SEGMENT_BYTES } = options;
  const files = await recordingFiles(options.files);
  const reading = await Reading.of(files, options.onProgress);
  const journals = byFolder(files);
  const native = guarded(() => new JournalMerge(journals.length, randomBytes(8).readBigUInt64LE(), nowNs()));
  const surveys = await surveyRecordings(files);
  await makeJournalFolder(folder);
  const segments = new JournalSegments(folder, native);
  const readers = journals.map((own) => new RecordingReader(own, surveys));
  try {
    await segments.next();
    for (let index = native.wants(); index >= 0; index = native.wants()) {
      const reader = readers[index];
      if (reader === undefined) break;
      await segments.turnAt(segmentBytes);
      if (await reader.fill()) {
        reader.use(guarded(() => native.take(index, reader.pending, reader.isFileEnd)));
        reading.damageOf(reader);
      } else {
        guarded(() => native.ended(index));
      }
      await segments.write();
      reading.show(readers.reduce((sum, each) => sum + each.fileBytes, 0));
    }
    const part = native.end();
    await segments.end();
    return { ...part, segments: segments.paths, bytes: segments.bytes, damages: reading.damages };
  } finally {
    for (const reader of readers) await reader.close();
    await segments.close();
    native.close();
  }
}

/** The files of each folder, in the order in which the folders come. */
function byFolder(files: readonly string[]): readonly (readonly string[])[] {
  const folders = new Map<string, string[]>();
  for (const file of files) {
    const folder = path.dirname(path.resolve(file));
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return [...folders.values()];
}

function nothing(files: readonly string[]): DepthwireError {
  return new DepthwireError('journal.nothing', {
    what: 'no record of the journal is in this part',
    where: files.join(', '),
    expected: 'times or numbers that it holds',
    got: 'others',
    fix: 'See what it holds with depthwire inspect.',
  });
}
