import { type FileHandle, open } from 'node:fs/promises';
import { codeOf, DepthwireError } from '../errors.js';
import { RecordingDamage } from './damage.js';

const BLOCK_BYTES = 256 * 1024;

/** A file that is read from any place. Throws `recording.*`. */
export class StoredFile {
  readonly path: string;
  /** When it was opened. */
  readonly bytes: number;
  readonly #handle: FileHandle;
  readonly #onRead: (bytes: number) => void;
  /** Bytes before this place have been told to `onRead`. */
  #toldTo = 0;

  private constructor(path: string, bytes: number, handle: FileHandle, onRead: (bytes: number) => void) {
    this.path = path;
    this.bytes = bytes;
    this.#handle = handle;
    this.#onRead = onRead;
  }

  /** `onRead` is told how many bytes further the file has been read. */
  static async open(path: string, onRead: (bytes: number) => void = () => {}): Promise<StoredFile> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path);
      const facts = await handle.stat();
      if (facts.isDirectory()) throw directory(path);
      if (!facts.isFile()) throw noFile(path);
      if (facts.size === 0) throw empty(path);
      return new StoredFile(path, facts.size, handle, onRead);
    } catch (cause) {
      await handle?.close();
      throw unreadable(path, cause);
    }
  }

  /** Up to `bytes` bytes from a place on; fewer at the end of the file only. */
  async slice(at: number, bytes: number): Promise<Uint8Array> {
    const out = Buffer.allocUnsafe(bytes);
    let filled = 0;
    try {
      while (filled < bytes) {
        const { bytesRead } = await this.#handle.read(out, filled, bytes - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (cause) {
      throw unreadable(this.path, cause);
    }
    return out.subarray(0, filled);
  }

  /** The bytes from `from` to `to`, or to the end of the file, in blocks of their own memory. */
  async *blocks(from: number, to = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = from; at < to; ) {
      const block = await this.slice(at, Math.min(BLOCK_BYTES, to - at));
      if (block.byteLength === 0) return;
      at += block.byteLength;
      if (at > this.#toldTo) {
        this.#onRead(at - this.#toldTo);
        this.#toldTo = at;
      }
      yield block;
    }
  }

  /** What has happened to the file since it was opened, if that takes something away. */
  async loss(): Promise<RecordingDamage | undefined> {
    const { size, nlink } = await this.#handle.stat();
    if (size < this.bytes) {
      return new RecordingDamage('truncated', {
        what: 'a file became shorter while it was read',
        where: this.path,
        expected: `${this.bytes} bytes, as when it was opened`,
        got: `${size} bytes`,
        fix: 'Give a file that nothing writes to any more.',
      });
    }
    if (nlink > 0) return undefined;
    return new RecordingDamage('deleted', {
      what: 'a file was deleted while it was read',
      where: this.path,
      expected: 'a file that stays until the end',
      got: 'no name that leads to it',
      fix: 'Keep recordings in their place while they are replayed.',
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

export function empty(path: string): DepthwireError {
  return new DepthwireError('recording.empty', {
    what: 'a recording holds nothing',
    where: path,
    expected: 'lines, messages or packets',
    got: '0 bytes',
    fix: 'Check that the file was copied whole.',
  });
}

function directory(path: string): DepthwireError {
  return new DepthwireError('recording.directory', {
    what: 'this is a directory',
    where: path,
    expected: 'a file',
    got: 'a directory',
    fix: `Name its files: ${path.replace(/\/$/, '')}/*`,
  });
}

function noFile(path: string): DepthwireError {
  return new DepthwireError('recording.unreadable', {
    what: 'a recording is read more than once, which only a file allows',
    where: path,
    expected: 'a file',
    got: 'a pipe or a device',
    fix: 'Write its bytes to a file first.',
  });
}

function unreadable(path: string, cause: unknown): DepthwireError {
  if (cause instanceof DepthwireError) return cause;
  const code = codeOf(cause);
  if (code === 'ENOENT') {
    return new DepthwireError('recording.missing', {
      what: 'there is no such file',
      where: path,
      expected: 'a recording',
      got: 'nothing',
      fix: 'Check the path.',
      cause,
    });
  }
  return new DepthwireError('recording.unreadable', {
    what: 'a recording cannot be read',
    where: path,
    expected: 'a readable file',
    got: code || String(cause),
    fix: 'Check the permissions of the file.',
    cause,
  });
}
