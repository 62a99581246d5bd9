import { constants, inflateRawSync } from 'node:zlib';
import { Inflate } from '#native';
import { typed } from '../engine/guarded.js';
import { codeOf } from '../errors.js';
import { RecordingDamage } from './damage.js';
import type { MemberDamage, MemberFormat, MembersEnd } from './members.js';
import type { StoredFile } from './stored-file.js';

/*
 * gzip (RFC 1952): members of a header, a deflate stream, and a trailer with the CRC-32 and the length of its content.
 *
 *   0  1f 8b 08   magic, and deflate as the method
 *   3  flags      1 text, 2 CRC-16 of the header, 4 extra field, 8 name, 16 comment; the upper three bits are 0
 *   4  time, 8 extra flags, 9 operating system
 *  10  the extra field with its length, the name and the comment with a 0 at their ends, the CRC-16
 */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);
const HEADER_BYTES = 10;
const TRAILER_BYTES = 8;
/** Headers are longer only where somebody wrote a name or an extra field of tens of kilobytes. */
const HEADER_BYTES_MAX = 1 << 17;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

const CHUNK_BYTES = 256 * 1024;
/** Packed blocks that are undone ahead of what is used. */
const BLOCKS_AHEAD = 2;
/** Packed bytes by which a place that looks like a header is tried. */
const TRIAL_BYTES = 16 * 1024;
const TRIALS_MAX = 1000;

/** gzip files. The content of each member is compared with its CRC-32 and its length. */
export const gzip: MemberFormat = { unpack, find };

async function* unpack(
  file: StoredFile,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, MembersEnd, undefined> {
  let at = from;
  for (;;) {
    const header = await headerAt(file, at, to);
    if (header === 'end') return { damage: undefined, memberAt: at };
    if (header === 'none')
      return ended(file, at === 0 ? 'corrupt' : 'trailing', at, 'bytes that are no gzip data');
    if (header === 'cut') return ended(file, 'truncated', at, 'a part of a header');
    const content = { bytes: 0, crc: 0, packedBytes: 0 };
    const bodyAt = at + header;
    try {
      for await (const chunk of inflated(file, bodyAt, to, content)) yield chunk;
    } catch (error) {
      if (codeOf(error) !== 'addon.inflate') throw error;
      return ended(file, 'corrupt', at, typed(error).got);
    }
    const trailerAt = bodyAt + content.packedBytes;
    const trailer = Buffer.from(await file.slice(trailerAt, Math.min(TRAILER_BYTES, to - trailerAt)));
    if (trailer.byteLength < TRAILER_BYTES)
      return ended(file, 'truncated', at, `${content.bytes} bytes of content and no end`);
    if (trailer.readUInt32LE(0) !== content.crc || trailer.readUInt32LE(4) !== content.bytes % 2 ** 32) {
      return ended(file, 'corrupt', at, 'content whose checksum or length is another');
    }
    at = trailerAt + TRAILER_BYTES;
  }
}

/** Counts of a member's content. */
interface Content {
  bytes: number;
  crc: number;
  /** Packed bytes that the deflate stream took. */
  packedBytes: number;
}

/** A deflate stream, to its end or to where its bytes end. Throws `addon.inflate`, behind all that stands before the damage. */
async function* inflated(
  file: StoredFile,
  from: number,
  to: number,
  content: Content,
): AsyncGenerator<Uint8Array, void, undefined> {
  const inflate = new Inflate();
  const out = new Uint8Array(CHUNK_BYTES);
  const blocks = file.blocks(from, to);
  let [waiting, isRead] = [0, false];
  try {
    for (;;) {
      // A second block is undone while the content of the first is used; a short member needs none.
      while (!isRead && waiting < (content.bytes === 0 ? 1 : BLOCKS_AHEAD)) {
        const { value, done } = await blocks.next();
        if (done === true) {
          isRead = true;
        } else {
          inflate.push(value);
          content.packedBytes += value.byteLength;
          waiting += 1;
        }
      }
      const bytes = inflate.take(out);
      if (bytes > 0) {
        content.bytes += bytes;
        yield out.subarray(0, bytes);
      } else if (bytes === 0) {
        waiting -= 1;
        // A stream without an end is told by what follows it, so it is no error here.
        if (waiting <= 0 && isRead) return;
      } else {
        const { packedBytes = 0, crc = 0 } = inflate.ended() ?? {};
        content.packedBytes = packedBytes;
        content.crc = crc;
        return;
      }
    }
  } finally {
    inflate.close();
    await blocks.return();
  }
}

/**
 * Length of the header at a place. `end`: nothing stands there but zeros, which tapes and block devices leave; `none`: no
 * header; `cut`: the beginning of one.
 */
async function headerAt(file: StoredFile, at: number, to: number): Promise<number | 'end' | 'none' | 'cut'> {
  for (let bytesMax = 4096; ; bytesMax = HEADER_BYTES_MAX) {
    const head = Buffer.from(await file.slice(at, Math.min(bytesMax, to - at)));
    if (head.byteLength === 0 || (await isZeros(file, at, to, head))) return 'end';
    if (!MAGIC.subarray(0, head.byteLength).equals(head.subarray(0, MAGIC.byteLength))) return 'none';
    const length = headerLength(head);
    if (length !== undefined) return length;
    if (head.byteLength < bytesMax) return 'cut';
    if (bytesMax === HEADER_BYTES_MAX) return 'none';
  }
}

/** Undefined where the header is longer than the bytes. */
function headerLength(head: Buffer): number | undefined {
  if (head.byteLength < HEADER_BYTES) return undefined;
  const flags = head[3] ?? 0;
  let length = HEADER_BYTES;
  if ((flags & FLAG.extra) !== 0) {
    if (head.byteLength < length + 2) return undefined;
    length += 2 + head.readUInt16LE(length);
  }
  for (const text of [FLAG.name, FLAG.comment]) {
    if ((flags & text) === 0) continue;
    const end = head.indexOf(0, length);
    if (end === -1) return undefined;
    length = end + 1;
  }
  if ((flags & FLAG.headerCrc) !== 0) length += 2;
  return length <= head.byteLength ? length : undefined;
}

async function isZeros(file: StoredFile, at: number, to: number, head: Buffer): Promise<boolean> {
  if (head[0] !== 0) return false;
  for await (const block of file.blocks(at, to)) if (block.some((byte) => byte !== 0)) return false;
  return true;
}

/** The next place with the fixed part of a header whose deflate stream can be read for a while. */
async function find(file: StoredFile, from: number): Promise<number | undefined> {
  let trials = 0;
  let blockAt = from;
  for await (const block of file.blocks(from)) {
    // One more header's length, so that one on the edge of two blocks is seen.
    const bytes = Buffer.concat([block, await file.slice(blockAt + block.byteLength, HEADER_BYTES)]);
    for (
      let at = bytes.indexOf(MAGIC);
      at !== -1 && at < block.byteLength;
      at = bytes.indexOf(MAGIC, at + 1)
    ) {
      if (!looksLikeHeader(bytes.subarray(at, at + HEADER_BYTES))) continue;
      trials += 1;
      if (await canBeRead(file, blockAt + at)) return blockAt + at;
      if (trials === TRIALS_MAX) return undefined;
    }
    blockAt += block.byteLength;
  }
  return undefined;
}

/** Three bytes alone stand in four gigabytes of any data by chance; the extra flags and the system take few values. */
function looksLikeHeader(header: Buffer): boolean {
  const [, , , flags = 0xff, , , , , extra = 0xff, system = 0xfe] = header;
  return (flags & FLAG.reserved) === 0 && extra <= 4 && (system <= 13 || system === 0xff);
}

async function canBeRead(file: StoredFile, at: number): Promise<boolean> {
  const header = await headerAt(file, at, Number.POSITIVE_INFINITY);
  if (typeof header !== 'number') return header === 'cut';
  try {
    inflateRawSync(await file.slice(at + header, TRIAL_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
    return true;
  } catch {
    return false;
  }
}

function ended(file: StoredFile, kind: MemberDamage, at: number, got: string): MembersEnd {
  const { what, fix } = TEXTS[kind];
  const where = file.path;
  const damage = new RecordingDamage(kind, {
    what,
    where,
    expected: 'gzip members that are whole',
    got: `${got}, in what begins at byte ${at}`,
    fix,
  });
  return { damage, memberAt: at };
}

const TEXTS: Readonly<Record<MemberDamage, { readonly what: string; readonly fix: string }>> = {
  truncated: {
    what: 'a gzip member ends too early',
    fix: 'What was read is right as far as it goes. Copy the file again if the original is whole: gzip -t FILE tells.',
  },
  trailing: {
    what: 'a gzip file goes on behind its last whole member with what cannot be read',
    fix: 'What was read is whole. Look for the beginning of the rest, or cut it off.',
  },
  corrupt: {
    what: 'a gzip file is damaged',
    fix: 'Copy the file again; gzip -t FILE tells whether it is whole.',
  },
};
