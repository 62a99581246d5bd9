import { RecordingDamage } from './damage.js';
import { readRecording } from './recording.js';

/** When the segment was begun whose first bytes these are, ns since the epoch; null where they are of none. */
export type SegmentBegun = (head: Uint8Array) => bigint | null;

/**
 * The segment to read from so as to know a journal's books at a time: the last that was begun before it, by its place among the paths;
 * the first where none was, or where a file is no segment. Each says at its beginning what was known then. Looks at the beginnings of a
 * few files.
 */
export async function segmentBefore(
  paths: readonly string[],
  begun: SegmentBegun,
  timeNs: bigint,
): Promise<number> {
  let [low, high] = [0, paths.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const begunNs = begun(await headOf(paths[middle] ?? ''));
    if (begunNs === null) return 0;
    if (begunNs < timeNs) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first bytes of a file, unpacked; none where it cannot be read: whoever reads on says why. */
export async function headOf(path: string): Promise<Uint8Array> {
  try {
    for await (const part of readRecording(path)) {
      return part instanceof RecordingDamage ? new Uint8Array() : part.slice(0, HEAD_BYTES);
    }
  } catch {
    // As above.
  }
  return new Uint8Array();
}

const HEAD_BYTES = 64;
