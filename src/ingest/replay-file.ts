import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Speed } from '../config.js';
import { DepthwireError } from '../errors.js';
import type { RecordingDamage } from './damage.js';
import type { Survey } from './recording.js';
import { RecordingReader } from './recording-reader.js';
import { EVERYTHING_NS, type Sink, type Source } from './source.js';

export interface ReplayOptions {
  readonly paths: readonly string[];
  readonly venue: string;
  /** Instruments that the recordings speak for. */
  readonly instruments: readonly number[];
  /** Whether the recordings speak of other instruments too. */
  readonly hasOthers?: boolean;
  /** What was found out about packed files before, by path. */
  readonly surveys?: ReadonlyMap<string, Survey>;
  /** Told once of each damage. */
  readonly onDamage?: (damage: RecordingDamage) => void;
  /** Told after each part that was read, with the path of its file. */
  readonly onRead?: (path: string) => void;
  readonly speed: Speed;
  readonly loop: boolean;
  /** Whether some reader is behind; a replay at full speed waits while it says so, up to `pauseMsMax` each time. */
  readonly pressed: () => boolean;
  readonly pauseMsMax: number;
}

/** Longest sleep of a paced replay, so that it stops soon and keeps time after the clock jumps. */
const SLEEP_MS_MAX = 50;
const PRESSED_POLL_MS = 2;
const NS_PER_MS = 1_000_000;
/** Damages that are told; all make the books stale. */
const TOLD_MAX = 100;

/**
 * Recordings as a source, paced by their own receive times. Snapshots stand in the recordings, so requests for one are
 * left open until the next comes by. After the last line the books stay as they are, or everything begins again. Where a
 * file is damaged, cut, or taken away, the books are stale, and what can still be read goes on.
 */
export class ReplayFile implements Source {
  readonly name: string;
  readonly ended: Promise<void>;
  readonly #options: ReplayOptions;
  #settle: { resolve: () => void; reject: (error: unknown) => void } = { resolve() {}, reject() {} };
  #run: Promise<void> = Promise.resolve();
  #sink: Sink | undefined;
  #source = 0;
  #stopped = false;
  #wake: (() => void) | undefined;
  /** The first one; the replay ends with it. */
  #damage: RecordingDamage | undefined;
  readonly #told = new Set<string>();
  /** Times that the recordings have been begun. */
  passes = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.name = `replay of ${options.paths.join(', ')}`;
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A failure is also seen by whoever waits for it; nobody has to.
    this.ended.catch(() => {});
  }

  open(sink: Sink): readonly number[] {
    const { venue, instruments, hasOthers } = this.#options;
    this.#sink = sink;
    this.#source = sink.openSource(venue, instruments);
    if (hasOthers === true) sink.expectOthers(this.#source);
    return instruments;
  }

  start(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#run = this.#play(sink, this.#source).then(this.#settle.resolve, this.#settle.reject);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#run;
  }

  ask(): void {}

  say(): void {}

  async #play(sink: Sink, source: number): Promise<void> {
    await nextTurn();
    try {
      do {
        if (this.passes > 0) sink.resetSource(source);
        this.passes += 1;
        const used = await this.#pass(sink, source);
        if (used === 0 && !this.#stopped) throw this.#damage ?? this.#nothing();
      } while (this.#options.loop && !this.#stopped);
    } catch (error) {
      if (error instanceof DepthwireError && error !== this.#damage) sink.sourceFailed(source);
      throw error;
    }
    if (this.#damage !== undefined) throw this.#damage;
  }

  /** One run through all files; returns the bytes used. */
  async #pass(sink: Sink, source: number): Promise<number> {
    const { paths, speed, surveys } = this.#options;
    const reader = new RecordingReader(paths, surveys);
    const pace = speed === 'max' ? undefined : new Pace(speed);
    let used = 0;
    try {
      while (!this.#stopped && (await reader.fill())) {
        while (!this.#stopped) {
          if (pace === undefined && reader.pending.byteLength > 0) await this.#waitForReaders();
          const untilNs = pace?.untilNs() ?? EVERYTHING_NS;
          const bytes = sink.ingestRecording(source, reader.pending, untilNs, reader.isFileEnd);
          reader.use(bytes);
          used += bytes;
          this.#options.onRead?.(reader.path);
          const { nextNs } = sink;
          if (pace === undefined || nextNs === 0n) break;
          const waitMs = pace.waitMs(nextNs);
          if (waitMs > 0) await this.#sleep(waitMs);
        }
        if (reader.damage !== undefined && !this.#stopped) this.#damaged(sink, source, reader.damage);
        // Sockets take what was published, and timers run, before the next chunk.
        await nextTurn();
      }
    } finally {
      await reader.close();
    }
    sink.sourceEnded(source);
    return used;
  }

  #damaged(sink: Sink, source: number, damage: RecordingDamage): void {
    sink.sourceFailed(source);
    this.#damage ??= damage;
    const name = `${damage.where} ${damage.got}`;
    if (this.#told.has(name) || this.#told.size === TOLD_MAX) return;
    this.#told.add(name);
    this.#options.onDamage?.(damage);
  }

  async #waitForReaders(): Promise<void> {
    const untilMs = performance.now() + this.#options.pauseMsMax;
    while (!this.#stopped && this.#options.pressed() && performance.now() < untilMs) {
      await this.#sleep(PRESSED_POLL_MS);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, SLEEP_MS_MAX));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #nothing(): DepthwireError {
    return new DepthwireError('recording.no_lines', {
      what: 'no line of the recording could be used',
      where: this.#options.paths.join(', '),
      expected: 'lines of: RECEIVE_TIME_NS JSON',
      got: 'none',
      fix: 'Check that the file is a recording.',
    });
  }
}

/** Maps wall time to recorded time; both start at the first line. */
class Pace {
  readonly #speed: number;
  #startMs = 0;
  #startNs = 0n;

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Recorded time that has been reached; 0 until the first line is known. */
  untilNs(): bigint {
    if (this.#startNs === 0n) return 0n;
    return this.#startNs + BigInt(Math.round((performance.now() - this.#startMs) * this.#speed * NS_PER_MS));
  }

  /** Time until a line is due; starts the clock with the first one. */
  waitMs(nextNs: bigint): number {
    if (this.#startNs === 0n) {
      this.#startNs = nextNs;
      this.#startMs = performance.now();
    }
    return Number(nextNs - this.untilNs()) / NS_PER_MS / this.#speed;
  }
}
