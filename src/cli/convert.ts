import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { JournalConversion } from '#native';
import { guarded } from '../engine/guarded.js';
import type { DepthwireError } from '../errors.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { JournalSegments, makeJournalFolder, nowNs, SEGMENT_BYTES } from './journal-segments.js';

/** Damages of files that are told; all are among what was missed. */
const DAMAGES_MAX = 100;

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
  await makeJournalFolder(folder);
  const conversion = new JournalConversion(randomBytes(8).readBigUInt64LE(), nowNs());
  const segments = new JournalSegments(folder, conversion);
  const reader = new RecordingReader(files, surveys);
  const damages: DepthwireError[] = [];
  try {
    await segments.next();
    while (await reader.fill()) {
      if (reader.pending.byteLength > 0) await segments.turnAt(segmentBytes);
      reader.use(guarded(() => conversion.take(reader.pending, reader.isFileEnd)));
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
