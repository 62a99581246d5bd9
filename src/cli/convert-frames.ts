import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { FrameJournal } from '#native';
import type { InstrumentOverride } from '../config.js';
import { guarded } from '../engine/guarded.js';
import { type Engine, openEngine, startIdNow } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { EVERYTHING_NS } from '../ingest/source.js';
import { JournalSegments, makeJournalFolder, nowNs, SEGMENT_BYTES } from './journal-segments.js';
import { Reading } from './reading.js';
import { openRecorded } from './recorded-source.js';

const OUTPUT_BYTES = 8 << 20;

export interface ConvertFramesOptions {
  readonly files: readonly string[];
  readonly instruments: readonly InstrumentOverride[];
  /** Where the segments are written; made where it is missing. */
  readonly folder: string;
  readonly segmentBytes?: number;
  /** Called after each chunk with the share of the files that has been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** What a conversion came to. */
export interface FrameConversion {
  readonly segments: readonly string[];
  readonly frames: number;
  /** Of the segments, packed. */
  readonly bytes: number;
  /** Parts of the recordings that could not be read: books are stale behind each, as the frames say. */
  readonly missed: number;
  /** What is wrong with the files, the first hundred, and the first input that was wrong. */
  readonly damages: readonly DepthwireError[];
}

/**
 * Runs recordings through the engine, one after the other, and keeps what it publishes without being asked, and all orders where the
 * venue names them, in packed segments. What was written before an error stays, and is a journal as far as it goes. Throws
 * `journal.*`, and `recording.*` for what cannot be read at all.
 */
export async function convertFrames(options: ConvertFramesOptions): Promise<FrameConversion> {
  const { folder, segmentBytes = SEGMENT_BYTES, onProgress } = options;
  const files = await recordingFiles(options.files);
  const surveys = await surveyRecordings(files);
  const journal = new FrameJournal(randomBytes(8).readBigUInt64LE(), nowNs());
  let fault: DepthwireError | undefined;
  const engine = openEngine(
    { startId: startIdNow(), silenceMs: 0, replay: true, outputBytes: OUTPUT_BYTES },
    {
      onFrame: () => {},
      onRecords: (ring, from, to) => guarded(() => journal.take(ring.subarray(from, to))),
      onAsk: () => {},
      onSay: () => {},
      onFault: (error) => {
        fault ??= error;
      },
    },
  );
  const segments = new JournalSegments(folder, journal);
  const reader = new RecordingReader(files, surveys);
  try {
    const { source, ids } = await openRecorded(engine, files, options.instruments);
    for (const id of ids) {
      guarded(() => journal.list(engine.listing(id)));
      openOrders(engine, id);
    }
    const reading = await Reading.of(files, onProgress);
    await makeJournalFolder(folder);
    await segments.next();
    while (await reader.fill()) {
      await segments.turnAt(segmentBytes);
      reader.use(engine.ingestRecording(source, reader.pending, EVERYTHING_NS, reader.isFileEnd));
      if (reading.damageOf(reader) !== undefined) engine.sourceFailed(source);
      await segments.write();
      reading.show(reader.fileBytes);
    }
    journal.end();
    await segments.end();
    const { recordingErrors, decodeErrors } = engine.stats();
    const packed = segments.paths.map((path) => {
      guarded(() => journal.pack(path));
      return `${path}.zst`;
    });
    let bytes = 0;
    for (const path of packed) bytes += (await stat(path)).size;
    const damages = fault === undefined ? reading.damages : [...reading.damages, fault];
    const missed = reading.damaged + recordingErrors + decodeErrors;
    return { segments: packed, frames: journal.frames(), bytes, missed, damages };
  } finally {
    await reader.close();
    await segments.close();
    engine.close();
    journal.close();
  }
}

function openOrders(engine: Engine, instrument: number): void {
  try {
    engine.openOrders(instrument);
  } catch (error) {
    if (!(error instanceof DepthwireError && error.code === 'engine.no_orders')) throw error;
  }
}
