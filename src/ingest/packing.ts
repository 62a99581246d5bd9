import { DepthwireError } from '../errors.js';
import type { StoredFile } from './stored-file.js';

/** How the bytes of a recording are packed, as far as this program undoes it. */
export type Packing = 'gzip' | 'zstd' | 'none';

/** Formats that are known by their first bytes and not undone here, with the command that does it. */
const OTHERS: readonly (readonly [name: string, magic: readonly number[], command: string])[] = [
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz --decompress --keep'],
  ['zip', [0x50, 0x4b, 0x03, 0x04], 'unzip'],
  ['zip', [0x50, 0x4b, 0x05, 0x06], 'unzip'],
  ['bzip2', [0x42, 0x5a, 0x68], 'bzip2 --decompress --keep'],
  ['lz4', [0x04, 0x22, 0x4d, 0x18], 'lz4 --decompress'],
  ['7z', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], '7z x'],
];

const GZIP = [0x1f, 0x8b] as const;
/** What a zstd frame with content begins with (RFC 8878, 3.1.1). */
export const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** The last three bytes of a skippable frame's magic; the first is 0x50 to 0x5f (RFC 8878, 3.1.2). */
const SKIPPABLE = [0x2a, 0x4d, 0x18] as const;
/** Skippable frames before the first one with content: pzstd writes one. */
const SKIPPABLE_MAX = 64;

/** Finds the packing by the first bytes. Throws `recording.packing` for one that is not undone here. */
export async function packingOf(file: StoredFile): Promise<Packing> {
  const head = await file.slice(0, 8);
  if (startsWith(head, GZIP)) return 'gzip';
  if (await isZstd(file)) return 'zstd';
  for (const [name, magic, command] of OTHERS) {
    if (startsWith(head, magic)) throw otherPacking(file.path, name, command);
  }
  return 'none';
}

/** Whether zstd's magic stands at the beginning, or behind frames that are to be skipped: lz4 has these too. */
async function isZstd(file: StoredFile): Promise<boolean> {
  let at = 0;
  for (let frames = 0; frames <= SKIPPABLE_MAX; frames += 1) {
    const head = Buffer.from(await file.slice(at, 8));
    if (startsWith(head, [...ZSTD_MAGIC])) return true;
    const skipped = skippableBytes(head);
    if (skipped === undefined) return false;
    at += skipped;
  }
  return false;
}

/**
 * Bytes of the zstd frame at a place, by the lengths that its parts tell; undefined where there is none, or where it ends
 * behind the file. Cost: one read a block.
 */
export async function frameAt(file: StoredFile, at: number): Promise<number | undefined> {
  const head = Buffer.from(await file.slice(at, 8));
  const skipped = skippableBytes(head);
  if (skipped !== undefined) return at + skipped > file.bytes ? undefined : skipped;
  if (!startsWith(head, [...ZSTD_MAGIC]) || head.byteLength < 5) return undefined;
  // The frame header descriptor says which fields follow it (RFC 8878, 3.1.1.1.1).
  const descriptor = head[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let end = at + 5 + (isSingleSegment ? 0 : 1) + dictionary + contentSize;
  for (let isLast = false; !isLast; ) {
    const block = await file.slice(end, 3);
    if (block.byteLength < 3) return undefined;
    // A bit for the last block, two for its kind, and its size; a block of one repeated byte holds that byte alone.
    const header = (block[0] ?? 0) | ((block[1] ?? 0) << 8) | ((block[2] ?? 0) << 16);
    const kind = (header >> 1) & 3;
    if (kind === 3) return undefined;
    isLast = (header & 1) === 1;
    end += 3 + (kind === 1 ? 1 : header >> 3);
  }
  if ((descriptor & 4) !== 0) end += 4;
  return end > file.bytes ? undefined : end - at;
}

function skippableBytes(head: Buffer): number | undefined {
  const isSkippable =
    head.byteLength === 8 && (head[0] ?? 0) >> 4 === 5 && startsWith(head.subarray(1), SKIPPABLE);
  return isSkippable ? 8 + head.readUInt32LE(4) : undefined;
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => head[at] === byte);
}

function otherPacking(path: string, name: string, command: string): DepthwireError {
  return new DepthwireError('recording.packing', {
    what: `this file is packed by ${name}, which is not undone here`,
    where: path,
    expected: 'a plain, gzip or zstd file',
    got: name,
    fix: `Unpack it first: ${command} ${path}`,
  });
}
