import { RecordingDamage } from './damage.js';
import { isPacked, isText, readRecording } from './recording.js';
import { StoredFile } from './stored-file.js';

/** Where the last line is looked for. */
const TAIL_BYTES = 1 << 20;
/** Largest packed file that is unpacked for it: a second of another thread, or less. */
const PACKED_BYTES_MAX = 64 << 20;

/**
 * The time of the last line of a recording of lines, ns since the epoch; undefined of a recording of messages, of a large
 * packed one, and of one whose last line is longer than a mebibyte. `isOver`: nobody waits for it any more. Throws
 * `recording.*`.
 */
export async function lastTime(path: string, isOver: () => boolean): Promise<bigint | undefined> {
  const file = await StoredFile.open(path);
  try {
    if (!(await isPacked(path))) {
      if (!isText(await file.slice(0, 64))) return undefined;
      return lastOf(await file.slice(Math.max(0, file.bytes - TAIL_BYTES), TAIL_BYTES));
    }
    if (file.bytes > PACKED_BYTES_MAX) return undefined;
  } finally {
    await file.close();
  }
  let tail: Uint8Array | undefined;
  for await (const part of readRecording(path)) {
    if (part instanceof RecordingDamage) continue;
    if (isOver() || (tail === undefined && !isText(part))) return undefined;
    const joined: Uint8Array = Buffer.concat([tail ?? new Uint8Array(), part]);
    tail = joined.subarray(Math.max(0, joined.byteLength - TAIL_BYTES));
  }
  return tail === undefined ? undefined : lastOf(tail);
}

/** The time of the last line that begins with one. A number in the middle of a line follows no line's end. */
function lastOf(tail: Uint8Array): bigint | undefined {
  const text = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength).toString('latin1');
  const [, time] = /(?:^|\n)(\d{19}) [^\n]*\n?$/.exec(text) ?? [];
  return time === undefined ? undefined : BigInt(time);
}
