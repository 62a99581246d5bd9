import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InstrumentOverride } from '../config.js';
import { framesOf } from '../engine/ring.js';
import { type Engine, type EngineStats, openEngine, startIdNow } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { EVERYTHING_NS } from '../ingest/source.js';
import { BatchedReplica, type ReplicaBooks } from './batched-replica.js';
import { nameOf } from './catalogue.js';
import { Reading } from './reading.js';
import { openRecorded } from './recorded-source.js';
import { type RecordedFacts, remedyOf } from './remedies.js';
import { NO_HOURS } from './verify-hours.js';
import { failuresOf, type Verified, type VerifiedBook, type VerifyReport } from './verify-report.js';

export interface VerifyOptions {
  readonly files: readonly string[];
  readonly instruments: readonly InstrumentOverride[];
  /** Gaps fail even if the book has synced again. */
  readonly strict: boolean;
  /** Called after each chunk with the share of the files that has been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Called with each frame that is emitted. Its bytes are valid until the callback returns. */
  readonly onFrame?: (frame: Uint8Array) => void;
}

const OUTPUT_BYTES = 8 << 20;

/**
 * Runs recordings through the whole engine, rebuilds every book from the emitted frames, and compares. A damaged file is
 * read as far as it can be, and told. Throws `recording.*` when a file cannot be read at all.
 */
export async function verify(options: VerifyOptions): Promise<Verified> {
  const { strict, onProgress, onFrame } = options;
  const files = await recordingFiles(options.files);
  const replica = new BatchedReplica();
  let firstFault: DepthwireError | undefined;
  const engine = openEngine(
    { startId: startIdNow(), silenceMs: 0, replay: true, outputBytes: OUTPUT_BYTES },
    {
      onFrame: () => {},
      onRecords: (ring, from, to) => {
        replica.take(ring, from, to);
        if (onFrame !== undefined) for (const frame of framesOf(ring, from, to)) onFrame(frame);
      },
      onAsk: () => {},
      onSay: () => {},
      onFault: (error) => {
        firstFault ??= error;
      },
    },
  );
  const surveys = await surveyRecordings(files);
  const { source, streams, ids } = await openRecorded(engine, files, options.instruments);
  const { venue } = streams;
  const reading = await Reading.of(files, onProgress);

  const startMs = performance.now();
  const reader = new RecordingReader(files, surveys);
  let backwardIn: string | null = null;
  try {
    while (await reader.fill()) {
      reader.use(engine.ingestRecording(source, reader.pending, EVERYTHING_NS, reader.isFileEnd));
      if (reading.damageOf(reader) !== undefined) engine.sourceFailed(source);
      if (backwardIn === null && reader.isFileEnd && engine.stats().backward > 0) backwardIn = reader.path;
      reading.show(reader.fileBytes);
      await nextTurn();
    }
  } finally {
    await reader.close();
  }
  engine.sourceEnded(source);
  replica.settle();
  const elapsedMs = performance.now() - startMs;

  const replicated = replica.books();
  const stats = engine.stats();
  const books = booksOf(engine, replicated, ids, {
    ...stats,
    venue,
    ordersPassedOver: stats.orders.passedOver,
  });
  const heard = { venue, files, backwardIn, damages: reading.damages, elapsedMs };
  const report = reportOf(heard, stats, books);
  const failures = [...failuresOf(report, strict), ...replicated.failures(engine)];
  engine.close();
  replica.close();
  return { report, failures, firstFault };
}

/** What was read, apart from what the engine counts. */
type Heard = Pick<VerifyReport, 'venue' | 'files' | 'backwardIn' | 'elapsedMs'> & {
  readonly damages: readonly DepthwireError[];
};

function reportOf(
  { venue, files, backwardIn, damages, elapsedMs }: Heard,
  stats: EngineStats,
  books: readonly VerifiedBook[],
): VerifyReport {
  const { frames, bookMessages, applied, levelChanges, appliedLevelChanges, snapshots, trades } = stats;
  const { gaps, resyncs, crossed, decodeErrors, recordingErrors, contradictions } = stats;
  const { unattributed, foreign, tickers, liquidations, statuses } = stats;
  return {
    venue,
    files,
    frames,
    bookMessages,
    applied,
    levelChanges,
    appliedLevelChanges,
    snapshots,
    trades,
    gaps,
    resyncs,
    crossed,
    decodeErrors,
    recordingErrors,
    contradictions,
    unattributed,
    foreign,
    tickers,
    liquidations,
    statuses,
    backward: stats.backward,
    backwardIn,
    damages: damages.map((damage) => damage.toJSON()),
    bbo: { checked: stats.bboChecked, matched: stats.bboMatched },
    checksums: { checked: stats.checksumsChecked, matched: stats.checksumsMatched },
    orders: books.some(({ ordersDigest }) => ordersDigest !== null) ? stats.orders : null,
    books,
    elapsedMs: Math.round(elapsedMs * 1000) / 1000,
    framesPerSecond: Math.round((frames / elapsedMs) * 1000),
  };
}

function booksOf(
  engine: Engine,
  replica: ReplicaBooks,
  ids: readonly number[],
  facts: RecordedFacts,
): readonly VerifiedBook[] {
  const [digests, hours] = [replica.digests(), replica.hours()];
  const listed = new Map(engine.instruments().map((instrument) => [instrument.id, instrument.name]));
  return ids.map((id) => {
    const { state, reason, bids, asks, bestBid, bestAsk } = engine.book(id);
    const instrument = listed.get(id) ?? nameOf(engine, id);
    return {
      instrument,
      state,
      reason,
      fix: remedyOf(instrument, state, reason, facts),
      bids,
      asks,
      bestBid: bestBid ?? null,
      bestAsk: bestAsk ?? null,
      digest: engine.digest(id),
      replicaDigest: digests.get(id) ?? null,
      ordersDigest: ordersDigestOf(engine, id),
      ...(hours.get(id) ?? NO_HOURS),
    };
  });
}

function ordersDigestOf(engine: Engine, id: number): string | null {
  try {
    return engine.ordersDigest(id);
  } catch (error) {
    if (error instanceof DepthwireError && error.code === 'engine.no_orders') return null;
    throw error;
  }
}
