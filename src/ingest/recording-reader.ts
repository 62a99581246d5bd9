import { DepthwireError } from '../errors.js';
import { RecordingDamage } from './damage.js';
import { LINE_BYTES_MAX, readRecording, type Survey } from './recording.js';

/** Bytes beyond the longest line that may wait: a chunk of the file, or what a packed one gives at once. */
const SLACK_BYTES = 1 << 20;

/**
 * Recordings one after the other, in steps: `fill` reads one more chunk, or comes to the end of a file or to a damage, where
 * what waits is complete and what follows is something else. Holds what has been read and not yet used: at most a line of
 * `LINE_BYTES_MAX` and a chunk.
 */
export class RecordingReader {
  readonly #paths: readonly string[];
  readonly #surveys: ReadonlyMap<string, Survey>;
  readonly #steps: AsyncGenerator<Uint8Array | FileEnd, void, undefined>;
  #path = '';
  #fileBytes = 0;
  #pending: Buffer = Buffer.alloc(0);
  #end: FileEnd | undefined;

  /** `surveys`: what was found out about packed files before, by path. */
  constructor(paths: readonly string[], surveys: ReadonlyMap<string, Survey> = new Map()) {
    this.#paths = paths;
    this.#surveys = surveys;
    this.#steps = this.#read();
  }

  /** Bytes that wait, perhaps with the beginning of one more line at their end. Valid until the next `fill`. */
  get pending(): Uint8Array {
    return this.#pending;
  }

  /** The file that what waits is of. */
  get path(): string {
    return this.#path;
  }

  /** Bytes of the files that have been read, packed as they are. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  /** Whether nothing of this file follows what waits, or nothing that continues it: what is left then can never be used. */
  get isFileEnd(): boolean {
    return this.#end !== undefined;
  }

  /** What is wrong with the file at the end of what waits. */
  get damage(): RecordingDamage | undefined {
    return this.#end?.damage;
  }

  /** Marks bytes of `pending` as used. */
  use(bytes: number): void {
    this.#pending = this.#pending.subarray(bytes);
  }

  /** Takes one more step; false behind the last file. Throws `recording.*`. */
  async fill(): Promise<boolean> {
    if (this.isFileEnd) this.#pending = Buffer.alloc(0);
    this.#end = undefined;
    const { value, done } = await this.#steps.next();
    if (done === true) return false;
    if (!(value instanceof Uint8Array)) {
      this.#end = value;
      return true;
    }
    this.#pending =
      this.#pending.byteLength === 0 ? Buffer.from(value) : Buffer.concat([this.#pending, value]);
    if (this.#pending.byteLength > LINE_BYTES_MAX + SLACK_BYTES) {
      await this.close();
      throw lineTooLong(this.#path);
    }
    return true;
  }

  /** Gives up what has not been read. */
  async close(): Promise<void> {
    await this.#steps.return();
  }

  async *#read(): AsyncGenerator<Uint8Array | FileEnd, void, undefined> {
    for (const path of this.#paths) {
      this.#path = path;
      let isEnded = false;
      const parts = readRecording(
        path,
        (bytes) => {
          this.#fileBytes += bytes;
        },
        this.#surveys.get(path),
      );
      for await (const part of parts) {
        isEnded = part instanceof RecordingDamage;
        yield part instanceof RecordingDamage ? { damage: part } : part;
      }
      if (!isEnded) yield { damage: undefined };
    }
  }
}

/** The end of a file, or of a part of it that nothing continues. */
interface FileEnd {
  readonly damage: RecordingDamage | undefined;
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
