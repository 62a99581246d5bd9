import { Unzstd } from '#native';
import { codeOf } from '../errors.js';
import { RecordingDamage } from './damage.js';
import type { MemberDamage, MemberFormat, MembersEnd } from './members.js';
import { frameAt, ZSTD_MAGIC } from './packing.js';
import type { StoredFile } from './stored-file.js';

const OUTPUT_BYTES = 1 << 20;
/** What the decoder takes at once: what it has put out of a piece in which it meets damage is lost. */
const PIECE_BYTES = 4096;
/** Packed bytes by which a place that looks like a frame is tried. */
const TRIAL_BYTES = 256 * 1024;
const TRIALS_MAX = 1000;

/** zstd files: frames with or without a checksum, and frames to be skipped. Node 20 has no decoder of its own. */
export const zstd: MemberFormat = { unpack, find };

async function* unpack(
  file: StoredFile,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, MembersEnd, undefined> {
  const decoder = new Unzstd();
  const output = new Uint8Array(OUTPUT_BYTES);
  try {
    let at = from;
    let isWhole = true;
    for await (const block of file.blocks(from, to)) {
      let used = 0;
      let produced: number;
      // Each round uses packed bytes up or fills the output; what a full output leaves in the decoder comes with the next.
      do {
        let step: ReturnType<Unzstd['run']>;
        try {
          step = decoder.run(block.subarray(used, used + PIECE_BYTES), output);
        } catch (error) {
          if (codeOf(error) !== 'addon.zstd') throw error;
          return ended(file, 'corrupt', await brokenFrame(file, from, at + used), messageOf(error));
        }
        used += step.consumed;
        produced = step.produced;
        isWhole = step.isWhole;
        if (produced > 0) yield output.subarray(0, produced);
      } while (used < block.byteLength || produced === OUTPUT_BYTES);
      at += block.byteLength;
    }
    if (isWhole) return { damage: undefined, memberAt: at };
    return ended(file, 'truncated', await brokenFrame(file, from, at - 1), 'a frame without its end');
  } finally {
    decoder.close();
  }
}

/** Where the frame begins that the bytes at `brokenAt` belong to. */
async function brokenFrame(file: StoredFile, from: number, brokenAt: number): Promise<number> {
  for (let at = from; ; ) {
    const bytes = await frameAt(file, at);
    if (bytes === undefined || at + bytes > brokenAt) return at;
    at += bytes;
  }
}

/** The next place with a frame's magic that the decoder can read for a while. */
async function find(file: StoredFile, from: number): Promise<number | undefined> {
  let trials = 0;
  let blockAt = from;
  for await (const block of file.blocks(from)) {
    // One more magic's length, so that one on the edge of two blocks is seen.
    const bytes = Buffer.concat([block, await file.slice(blockAt + block.byteLength, ZSTD_MAGIC.byteLength)]);
    for (
      let at = bytes.indexOf(ZSTD_MAGIC);
      at !== -1 && at < block.byteLength;
      at = bytes.indexOf(ZSTD_MAGIC, at + 1)
    ) {
      trials += 1;
      if (canBeRead(await file.slice(blockAt + at, TRIAL_BYTES))) return blockAt + at;
      if (trials === TRIALS_MAX) return undefined;
    }
    blockAt += block.byteLength;
  }
  return undefined;
}

function canBeRead(packed: Uint8Array): boolean {
  const decoder = new Unzstd();
  const output = new Uint8Array(OUTPUT_BYTES);
  try {
    for (let used = 0; used < packed.byteLength; )
      used += decoder.run(packed.subarray(used), output).consumed;
    return true;
  } catch {
    return false;
  } finally {
    decoder.close();
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return /^got: (.*)$/m.exec(error.message)?.[1] ?? error.message;
}

function ended(file: StoredFile, kind: MemberDamage, at: number, got: string): MembersEnd {
  const isCut = kind !== 'corrupt';
  const damage = new RecordingDamage(kind, {
    what: isCut ? 'a zstd frame ends too early' : 'a zstd file is damaged',
    where: file.path,
    expected: 'zstd frames that are whole',
    got: `${got}, in what begins at byte ${at}`,
    fix: isCut
      ? 'What was read is right as far as it goes. Copy the file again if the original is whole: zstd -t FILE tells.'
      : 'Copy the file again; zstd -t FILE tells whether it is whole.',
  });
  return { damage, memberAt: at };
}
