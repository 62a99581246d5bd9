import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { JournalConversion } from '#native';
import type { InstrumentOverride } from '../config.js';
import { type BookInfo, type Engine, openEngine } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { WholeFile } from '../export/whole-file.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { segmentBefore } from '../ingest/segment-search.js';
import { VERSION } from '../version.js';
import { decimalText } from '../wire/decimal.js';
import { FrameReader } from '../wire/frame.js';
import { STREAM } from '../wire/generated/constants.js';
import { priceOf, qtyOf } from '../wire/level.js';
import { reasonOf, stateOf } from '../wire/protocol.js';
import { openRecorded } from './recorded-source.js';
import { verify } from './verify.js';

export interface IncidentOptions {
  readonly files: readonly string[];
  readonly instrument: InstrumentOverride;
  /** Times of receipt, ns since the epoch: from the one on, and up to the other. */
  readonly fromNs: bigint;
  readonly aroundNs: bigint;
  readonly toNs: bigint;
  readonly out: string;
  readonly isReplacing: boolean;
}

/** A book at one moment; prices and quantities as exact decimals, best first. */
export interface SeenBook {
  readonly state: string;
  readonly reason: string;
  readonly venueSeq: string;
  readonly bidCount: number;
  readonly askCount: number;
  readonly bids: readonly (readonly [price: string, qty: string])[];
  readonly asks: readonly (readonly [price: string, qty: string])[];
  /** SHA-256 over all levels as shortest decimals. */
  readonly digest: string;
}

/** What was found of an incident: it stands in the file as a note. */
export interface Verdict {
  readonly depthwire: string;
  readonly node: string;
  readonly platform: string;
  readonly instrument: string;
  /** Names of the files that were looked at. */
  readonly files: readonly string[];
  readonly fromNs: string;
  readonly aroundNs: string;
  readonly toNs: string;
  readonly before: SeenBook;
  readonly after: SeenBook;
  /** Each change of state between the two; times of receipt, ns since the epoch. */
  readonly states: readonly { readonly atNs: string; readonly state: string; readonly reason: string }[];
  /** What was counted between the two. */
  readonly counted: Readonly<Record<Counted, number>>;
  /** What could not be read, the first of it. */
  readonly faults: readonly object[];
}

type Counted = (typeof COUNTED)[number];
const COUNTED = [
  'frames',
  'bookMessages',
  'trades',
  'gaps',
  'contradictions',
  'decodeErrors',
  'recordingErrors',
  'checksumsChecked',
  'checksumsMatched',
  'bboChecked',
  'bboMatched',
] as const;

/** What was written. */
export interface Incident {
  readonly file: string;
  readonly bytes: number;
  readonly records: number;
  readonly verdict: Verdict;
  /** Whether the file, read by itself, comes to the book that was there at its end. */
  readonly isSelfContained: boolean;
}

const OUTPUT_BYTES = 8 << 20;
const OUT_BYTES = 1 << 20;
const LEVELS_SHOWN = 20;
const STATES_MAX = 1000;
const FAULTS_MAX = 20;

/**
 * Puts a time of a recording into one small journal that anyone can replay: what was received of an instrument's connections then, the
 * book before it with all that is needed to go on from there, and what was found. Throws `incident.*`, `export.*` for a file that
 * cannot be written, and `recording.*` for what cannot be read at all.
 */
export async function incident(options: IncidentOptions): Promise<Incident> {
  const { fromNs, aroundNs, toNs, out, isReplacing } = options;
  const files = await recordingFiles(options.files);
  const states: { atNs: string; state: string; reason: string }[] = [];
  const faults: DepthwireError[] = [];
  const frame = new FrameReader();
  let isWithin = false;
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: true, outputBytes: OUTPUT_BYTES },
    {
      onFrame: (_instrument, stream, bytes) => {
        if (!isWithin || stream !== STREAM.status || states.length === STATES_MAX) return;
        frame.reset(bytes);
        if (!frame.next()) return;
        const { statusState, statusReason } = frame;
        states.push({
          atNs: String(engine.recordedNs),
          state: stateOf(statusState),
          reason: reasonOf(statusReason),
        });
      },
      onAsk: () => {},
      onSay: () => {},
      onFault: (error) => {
        if (isWithin && faults.length < FAULTS_MAX) faults.push(error);
      },
    },
  );
  try {
    const { source, streams, ids } = await openRecorded(engine, files, [options.instrument]);
    const [id = 0] = ids;
    const first =
      streams.isSetUp && files.length > 1
        ? await segmentBefore(files, (head) => engine.segmentBegun(head), fromNs)
        : 0;
    const read = files.slice(first);
    const surveys = await surveyRecordings(read);
    const reader = new RecordingReader(read, surveys);
    try {
      if (!(await reachedIn(reader, engine, source, fromNs - 1n))) throw notReached(engine, files, fromNs);
      const setups = engine.recordedCheckpoint(source, id);
      const begin = {
        before: seen(engine, id),
        counts: engine.stats(),
        entry: engine.recordedEntries(source),
      };
      isWithin = true;
      if (!(await reachedIn(reader, engine, source, toNs))) engine.sourceEnded(source);
      isWithin = false;
      if (engine.recordedEntries(source) === 0) throw notBegun(engine, files, toNs);
      const end = { after: seen(engine, id), counts: engine.stats(), entry: engine.recordedEntries(source) };
      const verdict: Verdict = {
        depthwire: VERSION,
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
        instrument: streams.names[0] ?? '',
        files: read.map((file) => path.basename(file)),
        fromNs: String(fromNs),
        aroundNs: String(aroundNs),
        toNs: String(toNs),
        before: begin.before,
        after: end.after,
        states,
        counted: counted((name) => end.counts[name] - begin.counts[name]),
        faults: faults.map((fault) => fault.toJSON()),
      };
      const journal = new JournalConversion(randomBytes(8).readBigUInt64LE(), fromNs);
      try {
        for (const { line, kind, text } of setups) journal.setUp(line, kind, text, fromNs);
        const lines = streams.isSetUp ? [...new Set(setups.map(({ line }) => line))] : [];
        const name = streams.isSetUp ? verdict.instrument : '';
        journal.cut(BigInt(begin.entry), BigInt(end.entry), Uint32Array.from(lines), name);
        const bytes = await written(journal, { read, verdict, toNs, out, isReplacing });
        const { records } = journal.converted();
        return { file: out, bytes, records, verdict, isSelfContained: await comesTo(out, verdict) };
      } finally {
        journal.close();
      }
    } finally {
      await reader.close();
    }
  } finally {
    engine.close();
  }
}

/** Reads until something later than a time comes; false where nothing does. */
async function reachedIn(
  reader: RecordingReader,
  engine: Engine,
  source: number,
  untilNs: bigint,
): Promise<boolean> {
  do {
    reader.use(engine.ingestRecording(source, reader.pending, untilNs, reader.isFileEnd));
    if (engine.nextNs !== 0n) return true;
    if (reader.damage !== undefined) engine.sourceFailed(source);
  } while (await reader.fill());
  return false;
}

/** Reads the files once more, and writes what is kept of them. */
async function written(
  journal: JournalConversion,
  {
    read,
    verdict,
    toNs,
    out,
    isReplacing,
  }: {
    readonly read: readonly string[];
    readonly verdict: Verdict;
    readonly toNs: bigint;
    readonly out: string;
    readonly isReplacing: boolean;
  },
): Promise<number> {
  const file = await WholeFile.begin(out, isReplacing);
  const buffer = new Uint8Array(OUT_BYTES);
  const drain = async (): Promise<void> => {
    for (;;) {
      const size = journal.drain(buffer);
      if (size === 0) return;
      await file.write(buffer.subarray(0, size));
    }
  };
  const reader = new RecordingReader(read, await surveyRecordings(read));
  try {
    while (!journal.isCutOver() && (await reader.fill())) {
      reader.use(journal.take(reader.pending, reader.isFileEnd));
      if (reader.damage !== undefined && !journal.isCutOver()) journal.miss(reader.damage.code);
      await drain();
    }
    journal.setUp(0, 'note', new TextEncoder().encode(JSON.stringify(verdict)), toNs);
    journal.end();
    await drain();
    await file.end();
    return file.bytes;
  } catch (error) {
    await file.discard();
    throw error;
  } finally {
    await reader.close();
  }
}

/** Whether a file comes to the book that a verdict ends with. */
async function comesTo(file: string, { instrument, after }: Verdict): Promise<boolean> {
  const { report } = await verify({ files: [file], instruments: [{ name: instrument }], strict: false });
  const [book] = report.books;
  return book !== undefined && book.state === after.state && book.digest === after.digest;
}

function seen(engine: Engine, id: number): SeenBook {
  const info: BookInfo = engine.book(id);
  const { priceExponent = 0, qtyExponent = 0 } = engine.instruments().find((one) => one.id === id) ?? {};
  const { bids, asks } = engine.depth(id, LEVELS_SHOWN);
  const shown = (levels: typeof bids): SeenBook['bids'] =>
    levels.map((level) => [
      decimalText(priceOf(level), priceExponent),
      decimalText(qtyOf(level), qtyExponent),
    ]);
  return {
    state: info.state,
    reason: info.reason,
    venueSeq: String(info.venueSeq),
    bidCount: info.bids,
    askCount: info.asks,
    bids: shown(bids),
    asks: shown(asks),
    digest: engine.digest(id),
  };
}

function counted(of: (name: Counted) => number): Readonly<Record<Counted, number>> {
  return Object.fromEntries(COUNTED.map((name) => [name, of(name)])) as Record<Counted, number>;
}

function notBegun(engine: Engine, files: readonly string[], toNs: bigint): DepthwireError {
  return new DepthwireError('incident.time', {
    what: 'the recording begins behind that time',
    where: files.join(', '),
    expected: `a time from ${engine.nextNs} on`,
    got: String(toNs),
    fix: 'See its times with depthwire inspect, and name one of them with --around.',
  });
}

function notReached(engine: Engine, files: readonly string[], fromNs: bigint): DepthwireError {
  const lastNs = engine.recordedNs;
  if (lastNs === 0n)
    return new DepthwireError('incident.no_times', {
      what: 'the recording does not say when anything was received',
      where: files.join(', '),
      expected: 'times of receipt',
      got: 'none',
      fix: 'Give a recording with times; of one without, depthwire convert makes a journal of all.',
    });
  return new DepthwireError('incident.time', {
    what: 'the recording ends before that time',
    where: files.join(', '),
    expected: `a time up to ${lastNs}`,
    got: String(fromNs),
    fix: 'See its times with depthwire inspect, and name one of them with --around.',
  });
}
