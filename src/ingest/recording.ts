import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { codeOf, DepthwireError } from '../errors.js';
import { unzstd } from './unzstd.js';

const CHUNK_BYTES = 256 * 1024;
/** Longest line or message; the largest frame that a venue is known to send has 5 MB. */
export const LINE_BYTES_MAX = 16 << 20;
/** What is looked at to find out which streams a recording holds. */
const HEAD_BYTES = 1 << 20;

const LINE_END = 0x0a;

/**
 * The unpacked bytes of one recording, plain, gzip or zstd by its first bytes. A chunk is valid until the next is asked for.
 * `onRead` is told how many bytes of the file have been read since it was last told. Throws `recording.*`.
 */
export async function* readRecording(
  path: string,
  onRead: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const packing = await packingOf(path);
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  // Without a callback a pipeline leaves its errors to nobody; here the reader of the last stream gets them.
  const stream: Readable =
    packing === 'gzip' ? pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => {}) : file;
  const chunks: AsyncIterable<Uint8Array> = packing === 'zstd' ? unzstd(path, stream) : stream;
  try {
    let told = 0;
    for await (const chunk of chunks) {
      onRead(file.bytesRead - told);
      told = file.bytesRead;
      yield chunk;
    }
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    file.destroy();
    stream.destroy();
  }
}

/** Whether bytes begin a recording of lines, which start with the time of receipt, and not one of messages. */
export function isText(head: Uint8Array): boolean {
  const first = head.find((byte) => byte !== LINE_END && byte !== 0x20 && byte !== 0x0d && byte !== 0x09);
  return first !== undefined && ((first >= 0x30 && first <= 0x39) || first === 0x7b || first === 0x5b);
}

/** The first bytes of a recording, a megabyte or so; of lines, cut after a whole one where one ends. Throws `recording.*`. */
export async function readHead(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readRecording(path)) {
    chunks.push(chunk.slice());
    bytes += chunk.byteLength;
    if (bytes >= HEAD_BYTES) break;
  }
  if (bytes === 0) throw empty(path);
  const head = Buffer.concat(chunks);
  const end = isText(head) ? head.lastIndexOf(LINE_END) : -1;
  return end === -1 ? head : head.subarray(0, end + 1);
}

/** Whether a whole line of a recording is wanted. */
export type LineFilter = (line: Uint8Array) => boolean;

/**
 * Recordings one after the other as one run of lines, without those that `keeps` refuses. Holds what has been read and
 * not yet used: at most a line of `LINE_BYTES_MAX` and a chunk.
 */
export class RecordingReader {
  readonly #paths: readonly string[];
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>;
  #path = '';
  #fileBytes = 0;
  #pending: Buffer = Buffer.alloc(0);
  readonly #keeps: LineFilter | undefined;
  /** Bytes of `pending` whose lines are known to be wanted. */
  #sifted = 0;

  constructor(paths: readonly string[], keeps?: LineFilter) {
    this.#paths = paths;
    this.#keeps = keeps;
    this.#chunks = this.#read();
  }

  /** Lines that wait, perhaps with the beginning of one more. Valid until the next `fill`. */
  get pending(): Uint8Array {
    return this.#pending;
  }

  /** Bytes of the files that have been read, packed as they are. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** Marks bytes of `pending` as used. */
  use(bytes: number): void {
    this.#pending = this.#pending.subarray(bytes);
    this.#sifted = Math.max(0, this.#sifted - bytes);
  }

  /** Reads one more chunk behind what waits; false at the end. Throws `recording.*`. */
  async fill(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done === true) return false;
    this.#pending =
      this.#pending.byteLength === 0 ? Buffer.from(value) : Buffer.concat([this.#pending, value]);
    if (this.#keeps !== undefined) this.#sift(this.#keeps);
    if (this.#pending.byteLength > LINE_BYTES_MAX + CHUNK_BYTES) throw lineTooLong(this.#path);
    return true;
  }

  /** Gives up what has not been read. */
  async close(): Promise<void> {
    await this.#chunks.return();
  }

  /** Leaves out the lines that are not wanted among those that have become whole. */
  #sift(keeps: LineFilter): void {
    const kept = [this.#pending.subarray(0, this.#sifted)];
    let at = this.#sifted;
    for (
      let end = this.#pending.indexOf(LINE_END, at);
      end !== -1;
      end = this.#pending.indexOf(LINE_END, at)
    ) {
      const line = this.#pending.subarray(at, end + 1);
      at = end + 1;
      if (keeps(line)) kept.push(line);
    }
    const wanted = Buffer.concat(kept);
    this.#sifted = wanted.byteLength;
    this.#pending = Buffer.concat([wanted, this.#pending.subarray(at)]);
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const path of this.#paths) {
      this.#path = path;
      let last = LINE_END;
      let text: boolean | undefined;
      for await (const chunk of readRecording(path, (bytes) => {
        this.#fileBytes += bytes;
      })) {
        text ??= isText(chunk);
        last = chunk.at(-1) ?? last;
        yield chunk;
      }
      // A file may lack the end of its last line; without one it would run into the next file's first.
      if (text === true && last !== LINE_END) yield Uint8Array.of(LINE_END);
    }
  }
}

async function packingOf(path: string): Promise<'gzip' | 'zstd' | 'none'> {
  const head = new Uint8Array(4);
  let bytes = 0;
  try {
    const file = await open(path);
    try {
      ({ bytesRead: bytes } = await file.read(head, 0, head.length, 0));
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (bytes === 0) throw empty(path);
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return 'zstd';
  return head[0] === 0x1f && head[1] === 0x8b ? 'gzip' : 'none';
}

function empty(path: string): DepthwireError {
  return new DepthwireError('recording.empty', {
    what: 'a recording holds nothing',
    where: path,
    expected: 'lines, messages or packets',
    got: '0 bytes',
    fix: 'Check that the file was copied whole.',
  });
}

function lineTooLong(path: string): DepthwireError {
  return new DepthwireError('recording.line_too_long', {
    what: 'a line of a recording has no end',
    where: path,
    expected: `lines of at most ${LINE_BYTES_MAX} bytes`,
    got: 'a longer one',
    fix: 'Check that the file is a recording: each line is RECEIVE_TIME_NS JSON.',
  });
}

function unreadable(path: string, cause: unknown): DepthwireError {
  if (cause instanceof DepthwireError) return cause;
  const code = codeOf(cause);
  switch (code) {
    case 'ENOENT':
      return new DepthwireError('recording.missing', {
        what: 'there is no such file',
        where: path,
        expected: 'a recording',
        got: 'nothing',
        fix: 'Check the path.',
        cause,
      });
    case 'EISDIR':
      return new DepthwireError('recording.directory', {
        what: 'this is a directory',
        where: path,
        expected: 'a file',
        got: 'a directory',
        fix: `Name its files: ${path.replace(/\/$/, '')}/*`,
        cause,
      });
    case 'Z_BUF_ERROR':
      return new DepthwireError('recording.truncated', {
        what: 'a gzip file ends too early',
        where: path,
        expected: 'a whole gzip file',
        got: 'a file that is cut off',
        fix: 'Copy the file again; gzip -t FILE tells whether it is whole.',
        cause,
      });
    case 'Z_DATA_ERROR':
      return new DepthwireError('recording.corrupt', {
        what: 'a gzip file is damaged',
        where: path,
        expected: 'gzip data whose checksum is right',
        got: cause instanceof Error ? cause.message : code,
        fix: 'Copy the file again; gzip -t FILE tells whether it is whole.',
        cause,
      });
    case 'addon.zstd':
      return new DepthwireError('recording.corrupt', {
        what: 'a zstd file is damaged',
        where: path,
        expected: 'zstd data whose checksum is right',
        got: cause instanceof Error ? cause.message : code,
        fix: 'Copy the file again; zstd -t FILE tells whether it is whole.',
        cause,
      });
    default:
      return new DepthwireError('recording.unreadable', {
        what: 'a recording cannot be read',
        where: path,
        expected: 'a readable file',
        got: code || String(cause),
        fix: 'Check the permissions of the file.',
        cause,
      });
  }
}
