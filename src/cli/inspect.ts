import { type FaultInfo, type HoldingInfo, type InspectedInfo, RecordingInspection } from '#native';
import type { ErrorJson } from '../errors.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { Reading } from './reading.js';

export interface InspectOptions {
  readonly files: readonly string[];
  /** Called after each chunk with the share of the files that has been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** What happened, and in how many bytes. */
export interface Holding {
  readonly began: number;
  readonly heads: number;
  readonly connected: number;
  readonly closed: number;
  readonly sent: number;
  readonly received: number;
  /** Of those that were received. */
  readonly datagrams: number;
  readonly answered: number;
  /** How an engine was told to take connections, and that time has passed: of journals of live servers. */
  readonly setups: number;
  readonly ticks: number;
  /** Frames that an engine has published: of journals of frames. */
  readonly published: number;
  readonly bytes: number;
  /** ns since the Unix epoch; null where no time is known. */
  readonly firstNs: string | null;
  readonly lastNs: string | null;
}

export interface InspectedLine extends Holding {
  /** The connection's number among those of all files. */
  readonly line: number;
  readonly address: string;
}

/** Something that is wrong with a file, and where: of a journal the number of the first record that it is about. */
export interface Fault extends ErrorJson {
  readonly record: string | null;
  /** Entries of the file before it. */
  readonly entry: number;
}

export interface InspectedFile {
  readonly file: string;
  /** `null` where it is of no form that is known. */
  readonly form: string | null;
  readonly fileBytes: number;
  /** Of a journal. */
  readonly segment: {
    readonly journal: string;
    readonly number: string;
    readonly firstRecord: string;
    /** The number behind its last record. */
    readonly nextRecord: string;
    readonly createdNs: string;
    /** Else records may be missing at its end. */
    readonly isClosed: boolean;
  } | null;
  readonly holds: Holding;
  /** Entries whose time is before that of the one before. */
  readonly backward: number;
  readonly connections: readonly InspectedLine[];
  /** What was noted of it, as `depthwire incident` does: JSON as it was written. */
  readonly notes: readonly string[];
  /** The first hundred of each kind. */
  readonly faults: readonly Fault[];
  readonly damages: readonly ErrorJson[];
  readonly faultsCounted: number;
}

/** Reads recordings and says what they hold, without a book. Throws `recording.*` for what cannot be read at all. */
export async function inspect(options: InspectOptions): Promise<readonly InspectedFile[]> {
  const { onProgress } = options;
  const files = await recordingFiles(options.files);
  const surveys = await surveyRecordings(files);
  const whole = await Reading.of(files, onProgress);
  const inspection = new RecordingInspection();
  const inspected: InspectedFile[] = [];
  let readBytes = 0;
  try {
    for (const file of files) {
      const reader = new RecordingReader([file], surveys);
      const reading = await Reading.of([file]);
      try {
        while (await reader.fill()) {
          reader.use(inspection.take(reader.pending, reader.isFileEnd));
          reading.damageOf(reader);
          whole.show(readBytes + reader.fileBytes);
        }
      } finally {
        await reader.close();
      }
      readBytes += reading.totalBytes;
      inspected.push(fileOf(file, inspection.fileEnded(), reading));
    }
    return inspected;
  } finally {
    inspection.close();
  }
}

function fileOf(
  file: string,
  found: InspectedInfo,
  { totalBytes, damages, damaged }: Reading,
): InspectedFile {
  const { segment } = found;
  return {
    file,
    form: found.form ?? null,
    fileBytes: totalBytes,
    segment:
      segment === undefined || segment === null
        ? null
        : {
            journal: segment.journal.toString(16).padStart(16, '0'),
            number: String(segment.number),
            firstRecord: String(segment.firstRecord),
            nextRecord: String(segment.nextRecord),
            createdNs: String(segment.createdNs),
            isClosed: segment.isClosed,
          },
    holds: holdingOf(found.holding),
    backward: found.backward,
    notes: found.notes,
    connections: found.lines.map(({ line, address, holding }) => ({ line, address, ...holdingOf(holding) })),
    faults: found.faults.map((fault) => faultOf(fault, file)),
    damages: damages.map((damage) => damage.toJSON()),
    faultsCounted: found.faultsCounted + damaged,
  };
}

function holdingOf({ firstNs, lastNs, ...counts }: HoldingInfo): Holding {
  return { ...counts, firstNs: timeOf(firstNs), lastNs: timeOf(lastNs) };
}

function timeOf(ns: bigint): string | null {
  return ns === 0n ? null : String(ns);
}

function faultOf({ record, ...fault }: FaultInfo, where: string): Fault {
  return { ...fault, where, record: record === undefined || record === null ? null : String(record) };
}
