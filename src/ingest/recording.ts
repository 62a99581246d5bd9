import { RecordingDamage } from './damage.js';
import { gzip } from './gunzip.js';
import { type MemberFormat, type Span, survey, unpacked } from './members.js';
import { type Packing, packingOf } from './packing.js';
import { empty, StoredFile } from './stored-file.js';
import { zstd } from './unzstd.js';

/** Longest line or message; the largest frame that a venue is known to send has 5 MB. */
export const LINE_BYTES_MAX = 16 << 20;
/** What is looked at to find out which streams a recording holds. It may begin with megabytes of a venue's instruments. */
const HEAD_BYTES = 8 << 20;
/** Largest packed file that is unpacked once to see whether it is whole, before its lines are used: a few seconds. */
export const SURVEY_BYTES_MAX = 256 << 20;

const LINE_END = 0x0a;

const FORMATS: Readonly<Record<Exclude<Packing, 'none'>, MemberFormat>> = { gzip, zstd };

/** What a look at a whole packed file has found. */
export interface Survey {
  readonly spans: readonly Span[];
  /** What is wrong with it, in the order of the file. */
  readonly damages: readonly RecordingDamage[];
}

/**
 * Unpacks a file once and keeps nothing, to find out what is wrong with it before its lines are used; undefined for a
 * plain file and one of more than `bytesMax`, which are read without. Throws `recording.*`.
 */
export async function surveyRecording(
  path: string,
  bytesMax = SURVEY_BYTES_MAX,
): Promise<Survey | undefined> {
  const file = await StoredFile.open(path);
  try {
    const packing = await packingOf(file);
    if (packing === 'none' || file.bytes > bytesMax) return undefined;
    const spans = await survey(FORMATS[packing], file);
    return { spans, damages: spans.flatMap(({ damage }) => damage ?? []) };
  } finally {
    await file.close();
  }
}

/** The same for several files, by path; without those that are read without. */
export async function surveyRecordings(paths: readonly string[]): Promise<ReadonlyMap<string, Survey>> {
  const surveys = new Map<string, Survey>();
  for (const path of paths) {
    const found = await surveyRecording(path);
    if (found !== undefined) surveys.set(path, found);
  }
  return surveys;
}

/** Whether a file is packed, so that damage shows when it is unpacked. Throws `recording.*`. */
export async function isPacked(path: string): Promise<boolean> {
  const file = await StoredFile.open(path);
  try {
    return (await packingOf(file)) !== 'none';
  } finally {
    await file.close();
  }
}

/**
 * The unpacked bytes of one recording, plain, gzip or zstd by its first bytes. A chunk is valid until the next is asked for.
 * Where something is missing or wrong, a `RecordingDamage` stands in its place: what follows does not continue what came
 * before. `onRead` is told how many bytes of the file have been read since it was last told. Throws `recording.*`.
 */
export async function* readRecording(
  path: string,
  onRead: (bytes: number) => void = () => {},
  surveyed?: Survey,
): AsyncGenerator<Uint8Array | RecordingDamage, void, undefined> {
  const file = await StoredFile.open(path, onRead);
  try {
    const packing = await packingOf(file);
    if (packing === 'none') yield* file.blocks(0);
    else yield* unpacked(FORMATS[packing], file, surveyed?.spans);
    const loss = await file.loss();
    if (loss !== undefined) yield loss;
  } finally {
    await file.close();
  }
}

/** Whether bytes begin a recording of lines, which start with the time of receipt, and not one of messages. */
export function isText(head: Uint8Array): boolean {
  const first = head.find((byte) => byte !== LINE_END && byte !== 0x20 && byte !== 0x0d && byte !== 0x09);
  return first !== undefined && ((first >= 0x30 && first <= 0x39) || first === 0x7b || first === 0x5b);
}

/**
 * The first bytes of a recording, some megabytes; of lines, cut after a whole one where one ends. Throws `recording.*`,
 * among them the damage that leaves nothing to read.
 */
export async function readHead(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of readRecording(path)) {
    if (part instanceof RecordingDamage) {
      if (bytes === 0) throw part;
      break;
    }
    chunks.push(part.slice());
    bytes += part.byteLength;
    if (bytes >= HEAD_BYTES) break;
  }
  if (bytes === 0) throw empty(path);
  const head = Buffer.concat(chunks);
  const end = isText(head) ? head.lastIndexOf(LINE_END) : -1;
  return end === -1 ? head : head.subarray(0, end + 1);
}

/** The whole lines of a recording, some hundred kilobytes at a time; of a recording of messages nothing. Throws `recording.*`. */
export async function* linesOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  let rest: Uint8Array | undefined;
  for await (const part of readRecording(path)) {
    if (part instanceof RecordingDamage) continue;
    if (rest === undefined && !isText(part)) return;
    const chunk: Uint8Array = Buffer.concat([rest ?? new Uint8Array(), part]);
    const end = chunk.lastIndexOf(LINE_END) + 1;
    if (end > 0) yield chunk.subarray(0, end);
    rest = chunk.subarray(end);
    if (rest.byteLength > LINE_BYTES_MAX) return;
  }
  if (rest !== undefined && rest.byteLength > 0) yield rest;
}
