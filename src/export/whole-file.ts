import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, DepthwireError } from '../errors.js';

/**
 * A file that is there as a whole or not at all: it is written under another name beside its own, kept by the system, and then given
 * its name. Throws `export.full` and `export.unwritable`, and `export.exists` where something has its name and is not to be replaced.
 */
export class WholeFile {
  bytes = 0;
  readonly #path: string;
  readonly #isReplacing: boolean;
  readonly #partial: string;
  #file: FileHandle | undefined;

  private constructor(name: string, isReplacing: boolean) {
    this.#path = name;
    this.#isReplacing = isReplacing;
    this.#partial = path.join(path.dirname(name), `.${path.basename(name)}.${process.pid}.partial`);
  }

  static async begin(name: string, isReplacing: boolean): Promise<WholeFile> {
    const whole = new WholeFile(name, isReplacing);
    if (!isReplacing && (await isThere(name))) throw exists(name);
    whole.#file = await whole.#written(() => open(whole.#partial, 'w'));
    return whole;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    await this.#written(async () => {
      for (let at = 0; at < bytes.byteLength; )
        at += (await file.write(bytes, at, bytes.byteLength - at)).bytesWritten;
    });
    this.bytes += bytes.byteLength;
  }

  /** Gives it its name. */
  async end(): Promise<void> {
    await this.#written(async () => {
      await this.#file?.sync();
      await this.#file?.close();
      this.#file = undefined;
      if (this.#isReplacing) await rename(this.#partial, this.#path);
      else await this.#nameOnce();
    });
  }

  /** Leaves nothing of a file that was not ended. */
  async discard(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    await rm(this.#partial, { force: true });
  }

  /** A link never takes the place of what has got the name meanwhile. */
  async #nameOnce(): Promise<void> {
    try {
      await link(this.#partial, this.#path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw exists(this.#path);
      // A file system without links.
      if (await isThere(this.#path)) throw exists(this.#path);
      await rename(this.#partial, this.#path);
    }
    await rm(this.#partial, { force: true });
  }

  async #written<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (cause) {
      if (cause instanceof DepthwireError) throw cause;
      const code = codeOf(cause);
      const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
      throw new DepthwireError(isFull ? 'export.full' : 'export.unwritable', {
        what: isFull ? 'there is no room for the export' : 'the export cannot be written',
        where: this.#path,
        expected: isFull ? 'room on its disk' : 'a folder that takes files',
        got: cause instanceof Error ? cause.message : String(cause),
        fix: isFull
          ? 'Make room, or name a file on another disk; nothing of this one was left.'
          : 'Name a file in a folder that is there and that this user may write to.',
        cause,
      });
    }
  }
}

async function isThere(name: string): Promise<boolean> {
  try {
    await stat(name);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

function exists(name: string): DepthwireError {
  return new DepthwireError('export.exists', {
    what: 'the file is there already',
    where: name,
    expected: 'a name that nothing has',
    got: 'a file or folder of it',
    fix: 'Name another file, or say --force to replace this one.',
  });
}
