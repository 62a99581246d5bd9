import { stat } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Replica } from '#native';
import type { InstrumentOverride } from '../config.js';
import { type Engine, type OrderStats, openEngine, startIdNow } from '../engine.js';
import { DepthwireError, type ErrorJson } from '../errors.js';
import { recordedStreams } from '../ingest/recorded-streams.js';
import { surveyRecordings } from '../ingest/recording.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { EVERYTHING_NS } from '../ingest/source.js';
import { catalogue, idsOf, nameOf, overridesOf, underOwnNames } from './catalogue.js';
import { type RecordedFacts, remedyOf } from './remedies.js';
import { failuresOf } from './verify-report.js';

/** What a book came to, in the engine and in a replica that saw the feed frames alone. */
export interface VerifiedBook {
  readonly instrument: string;
  readonly state: string;
  /** Why it is stale; `none` where it is not. */
  readonly reason: string;
  /** What helps, where it is not synced. */
  readonly fix: string | null;
  readonly bids: number;
  readonly asks: number;
  readonly bestBid: string | null;
  readonly bestAsk: string | null;
  readonly digest: string;
  readonly replicaDigest: string | null;
  /** Of the sum of its own orders; null where the venue names no orders. */
  readonly ordersDigest: string | null;
}

/** The report of `verify --json`. */
export interface VerifyReport {
  readonly venue: string;
  readonly files: readonly string[];
  readonly frames: number;
  readonly bookMessages: number;
  readonly applied: number;
  readonly levelChanges: number;
  readonly appliedLevelChanges: number;
  readonly snapshots: number;
  readonly trades: number;
  readonly gaps: number;
  readonly resyncs: number;
  readonly crossed: number;
  readonly decodeErrors: number;
  /** Parts of the files that are not of their form. */
  readonly recordingErrors: number;
  /** Books that the venue contradicts, by its own top of book or by a checksum. */
  readonly contradictions: number;
  /** Snapshots that do not say which instrument they are of, among several. */
  readonly unattributed: number;
  /** Frames of other instruments. */
  readonly foreign: number;
  readonly tickers: number;
  readonly liquidations: number;
  /** Changes of trading status. */
  readonly statuses: number;
  /** Times that a line was received before the one in front of it, by a second or more. */
  readonly backward: number;
  /** The first file in which that happened. */
  readonly backwardIn: string | null;
  /** What is wrong with the files, of which all that could be read was read. */
  readonly damages: readonly ErrorJson[];
  readonly bbo: { readonly checked: number; readonly matched: number };
  readonly checksums: { readonly checked: number; readonly matched: number };
  /** What an order feed told; null where the venue names no orders. */
  readonly orders: OrderStats | null;
  readonly books: readonly VerifiedBook[];
  readonly elapsedMs: number;
  readonly framesPerSecond: number;
}

export interface VerifyOptions {
  readonly files: readonly string[];
  readonly instruments: readonly InstrumentOverride[];
  /** Gaps fail even if the book has synced again. */
  readonly strict: boolean;
  /** Called after each chunk with the share of the files that has been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** A report, what in it does not hold, and the first input that was wrong. */
export interface Verified {
  readonly report: VerifyReport;
  readonly failures: readonly string[];
  readonly firstFault: DepthwireError | undefined;
}

const OUTPUT_BYTES = 8 << 20;
/** Damages of files that are told. */
const DAMAGES_MAX = 100;
/** Frames are handed to the replica in batches of so many bytes. */
const BATCH_BYTES = 1 << 18;

/**
 * Runs recordings through the whole engine, rebuilds every book from the emitted frames, and compares. A damaged file is
 * read as far as it can be, and told. Throws `recording.*` when a file cannot be read at all.
 */
export async function verify(options: VerifyOptions): Promise<Verified> {
  const { files, strict, onProgress } = options;
  const replica = new BatchedReplica();
  let firstFault: DepthwireError | undefined;
  const engine = openEngine(
    { startId: startIdNow(), silenceMs: 0, replay: true, outputBytes: OUTPUT_BYTES },
    {
      onFrame: (_instrument, _stream, frame) => replica.take(frame),
      onAsk: () => {},
      onSay: () => {},
      onFault: (error) => {
        firstFault ??= error;
      },
    },
  );
  const instruments = underOwnNames(options.instruments);
  catalogue(engine, instruments);
  const wanted = instruments.map(({ name }) => name);
  const surveys = await surveyRecordings(files);
  const { venue, names, hasOthers } = await recordedStreams(files, wanted, engine);
  const ids = idsOf(engine, names);
  catalogue(engine, overridesOf(instruments, names));
  const source = engine.openSource(venue, ids);
  if (hasOthers) engine.expectOthers(source);
  let totalBytes = 0;
  for (const file of files) totalBytes += (await stat(file)).size;

  const startMs = performance.now();
  const reader = new RecordingReader(files, surveys);
  const damages: DepthwireError[] = [];
  let backwardIn: string | null = null;
  try {
    while (await reader.fill()) {
      reader.use(engine.ingestRecording(source, reader.pending, EVERYTHING_NS, reader.isFileEnd));
      if (reader.damage !== undefined) {
        if (damages.length < DAMAGES_MAX) damages.push(reader.damage);
        engine.sourceFailed(source);
      }
      if (backwardIn === null && engine.stats().backward > 0) backwardIn = reader.path;
      onProgress?.(Math.min(1, reader.fileBytes / totalBytes));
      await nextTurn();
    }
  } finally {
    await reader.close();
  }
  engine.sourceEnded(source);
  replica.flush();
  const elapsedMs = performance.now() - startMs;

  const stats = engine.stats();
  const books = booksOf(engine, replica, ids, {
    ...stats,
    venue,
    ordersPassedOver: stats.orders.passedOver,
  });
  const { frames, bookMessages, applied, levelChanges, appliedLevelChanges, snapshots, trades } = stats;
  const { gaps, resyncs, crossed, decodeErrors, recordingErrors, contradictions } = stats;
  const { unattributed, foreign, tickers, liquidations, statuses } = stats;
  const report: VerifyReport = {
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
  const failures = [...failuresOf(report, strict), ...replica.failures(engine)];
  engine.close();
  return { report, failures, firstFault };
}

function booksOf(
  engine: Engine,
  replica: BatchedReplica,
  ids: readonly number[],
  facts: RecordedFacts,
): readonly VerifiedBook[] {
  const digests = replica.digests();
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

/** Copies frames out of the ring and applies them some hundred kilobytes at a time. */
class BatchedReplica {
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
