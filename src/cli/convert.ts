import { randomBytes } from 'node:crypto';
import { JournalConversion } from '#native';
import { guarded } from '../engine/guarded.js';
import type { DepthwireError } from '../errors.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { JournalSegments, makeJournalFolder, nowNs, SEGMENT_BYTES } from './journal-segments.js';
import { Reading } from './reading.js';

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
  const reading = await Reading.of(files, onProgress);
  await makeJournalFolder(folder);
  const conversion = new JournalConversion(randomBytes(8).readBigUInt64LE(), nowNs());
  const segments = new JournalSegments(folder, conversion);
  const reader = new RecordingReader(files, surveys);
  try {
    await segments.next();
    while (await reader.fill()) {
      if (reader.pending.byteLength > 0) await segments.turnAt(segmentBytes);
      reader.use(guarded(() => conversion.take(reader.pending, reader.isFileEnd)));
      const damage = reading.damageOf(reader);
      if (damage !== undefined) conversion.miss(damage.code);
      await segments.write();
      reading.show(reader.fileBytes);
    }
    conversion.end();
    await segments.end();
    const { records, missed } = conversion.converted();
    return { segments: segments.paths, records, bytes: segments.bytes, missed, damages: reading.damages };
  } finally {
    await reader.close();
    await segments.close();
    conversion.close();
  }
}
