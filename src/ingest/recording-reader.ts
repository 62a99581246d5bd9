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
  /** Holds what waits, from `#from` to `#to`; it grows to the most that does. */
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  #end: FileEnd | undefined;

  /** `surveys`: what was found out about packed files before, by path. */
  constructor(paths: readonly string[], surveys: ReadonlyMap<string, Survey> = new Map()) {
    this.#paths = paths;
    this.#surveys = surveys;
    this.#steps = this.#read();
  }

  /** Bytes that wait, perhaps with the beginning of one more line at their end. Valid until the next `fill`. */
  get pending(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#to);
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
    this.#from += Math.min(bytes, this.#to - this.#from);
  }

  /** Takes one more step; false behind the last file. Throws `recording.*`. */
  async fill(): Promise<boolean> {
    if (this.isFileEnd) this.#from = this.#to;
    this.#end = undefined;
    const { value, done } = await this.#steps.next();
    if (done === true) return false;
    if (!(value instanceof Uint8Array)) {
      this.#end = value;
      return true;
    }
    this.#append(value);
    if (this.#to - this.#from > LINE_BYTES_MAX + SLACK_BYTES) {
      await this.close();
      throw lineTooLong(this.#path);
    }
    return true;
  }

  /** What waits moves to the front; memory is made anew only where it is too small. */
  #append(part: Uint8Array): void {
    const waiting = this.#to - this.#from;
    const needed = waiting + part.byteLength;
    const bytes = needed > this.#bytes.byteLength ? Buffer.allocUnsafeSlow(2 * needed) : this.#bytes;
    this.#bytes.copy(bytes, 0, this.#from, this.#to);
    bytes.set(part, waiting);
    this.#bytes = bytes;
    this.#from = 0;
    this.#to = needed;
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
