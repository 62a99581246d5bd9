import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Speed } from '../config.js';
import { DepthwireError } from '../errors.js';
import type { RecordingDamage } from './damage.js';
import { lastTime } from './last-time.js';
import { Pace } from './pace.js';
import { openStreams } from './recorded-streams.js';
import type { Survey } from './recording.js';
import { RecordingReader } from './recording-reader.js';
import type { ReplayChange, ReplayControl, ReplayPhase, ReplayStatus } from './replay-control.js';
import { headOf, type SegmentBegun, segmentBefore } from './segment-search.js';
import { EVERYTHING_NS, type Sink, type Source } from './source.js';

export interface ReplayOptions {
  readonly paths: readonly string[];
  readonly venue: string;
  /** Whether the recordings say how their connections were taken. */
  readonly isSetUp?: boolean;
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
  /** Whether times in which nothing was recorded are skipped. */
  readonly skipIdle?: boolean;
  /** Where each run begins, ns since the epoch; undefined = at the first line. */
  readonly fromNs?: bigint | undefined;
  /** Of recordings whose files are segments that can be read by themselves. */
  readonly segmentBegun?: SegmentBegun;
  /** Whether some reader is behind; a replay at full speed waits while it says so, up to `pauseMsMax` each time. */
  readonly pressed: () => boolean;
  readonly pauseMsMax: number;
}

/** Longest sleep of a paced replay, so that it keeps time after the clock jumps. */
const SLEEP_MS_MAX = 50;
const PRESSED_POLL_MS = 2;
/** Damages that are told; all make the books stale. */
const TOLD_MAX = 100;
/** What is skipped is no line of any instrument for longer than this. */
const IDLE_NS = 10_000_000_000n;

/**
 * Recordings as a source, paced by their own receive times. Snapshots stand in the recordings, so requests for one are
 * left open until the next comes by. After the last line the books stay as they are until another time is sought, or
 * everything begins again. Where a file is damaged, cut, or taken away, the books are stale, and what can still be read
 * goes on.
 *
 * To seek is to read up to the time at full speed, from where it stands or, where that is later, from the beginning; of segments
 * from the last that was begun before it. Readers see books that are syncing until then, and a new epoch at the time.
 */
export class ReplayFile implements Source, ReplayControl {
  readonly name: string;
  readonly ended: Promise<void>;
  /** Told when the replay ends, fails, or goes on after that. Whoever serves it sets it. */
  onPhase: (phase: ReplayPhase) => void = () => {};
  readonly #options: ReplayOptions;
  readonly #pace: Pace;
  readonly #told = new Set<string>();
  #settle: { resolve: () => void; reject: (error: unknown) => void } = { resolve() {}, reject() {} };
  #run: Promise<void> = Promise.resolve();
  #sink: Sink | undefined;
  #source = 0;
  #stopped = false;
  #wake: (() => void) | undefined;
  /** The first one; the replay ends with it. */
  #damage: RecordingDamage | undefined;
  #speed: Speed;
  #isPaused = false;
  #skipsIdle: boolean;
  #seekNs: bigint | undefined;
  /** The pass under way is given up, and another one begun. */
  #isRestarting = false;
  /** What lasts: behind the last line, or broken. */
  #rest: 'ended' | 'failed' | undefined;
  #beginNs: bigint | undefined;
  #endNs: bigint | undefined;
  /** Times that the recordings have been begun. */
  passes = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.name = `replay of ${options.paths.join(', ')}`;
    this.#speed = options.speed;
    this.#skipsIdle = options.skipIdle ?? false;
    this.#pace = new Pace(options.speed === 'max' ? 1 : options.speed);
    this.ended = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A failure is also seen by whoever waits for it; nobody has to.
    this.ended.catch(() => {});
  }

  open(sink: Sink): readonly number[] {
    const { venue, instruments, hasOthers = false, isSetUp = false } = this.#options;
    this.#sink = sink;
    this.#source = openStreams(sink, { venue, hasOthers, isSetUp }, instruments);
    return instruments;
  }

  start(): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#run = this.#play(sink, this.#source).then(this.#settle.resolve, this.#settle.reject);
    void this.#findEnd();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#run;
  }

  ask(): void {}

  say(): void {}

  status(): ReplayStatus {
    const isBegun = this.#beginNs !== undefined;
    return {
      state: this.#phase(),
      clockNs: isBegun ? this.#clockNs() : null,
      beginNs: this.#beginNs ?? null,
      endNs: this.#endNs ?? null,
      speed: this.#speed,
      isPaused: this.#isPaused,
      seekNs: this.#seekNs ?? null,
      skipsIdle: this.#skipsIdle,
      loops: this.#options.loop,
      passes: this.passes,
    };
  }

  change({ isPaused, speed, skipsIdle, seekNs }: ReplayChange): void {
    const sink = this.#sink;
    if (sink === undefined || this.#rest === 'failed') return;
    if (speed !== undefined) {
      const clockNs = this.#clockNs();
      this.#speed = speed;
      if (speed !== 'max') this.#pace.speed = speed;
      this.#pace.place(clockNs);
    }
    if (isPaused !== undefined) {
      this.#isPaused = isPaused;
      this.#pace.isPaused = isPaused;
    }
    this.#skipsIdle = skipsIdle ?? this.#skipsIdle;
    if (seekNs !== undefined) {
      const isAhead = this.#rest === undefined && this.passes > 0 && seekNs >= sink.recordedNs;
      // A later segment may be nearer than what is read.
      this.#isRestarting ||= !isAhead || this.#options.segmentBegun !== undefined;
      this.#seekNs = seekNs;
      sink.hold();
    }
    this.#wake?.();
  }

  #phase(): ReplayPhase {
    if (this.#rest === 'failed') return 'failed';
    if (this.#seekNs !== undefined) return 'seeking';
    if (this.#rest !== undefined) return this.#rest;
    if (this.#beginNs === undefined) return 'starting';
    return this.#isPaused ? 'paused' : 'running';
  }

  #clockNs(): bigint {
    const reached = this.#sink?.recordedNs ?? 0n;
    const isPaced = this.#speed !== 'max' && this.#rest === undefined && this.#seekNs === undefined;
    const now = isPaced ? this.#pace.nowNs() : 0n;
    const clock = now > reached ? now : reached;
    if (this.#endNs !== undefined && clock > this.#endNs) return this.#endNs;
    return clock === 0n ? (this.#beginNs ?? 0n) : clock;
  }

  /** Tells the end before it is reached, where the last file shows it. */
  async #findEnd(): Promise<void> {
    const path = this.#options.paths.at(-1);
    if (path === undefined) return;
    // What is wrong with a file is told by whoever plays it.
    const endNs = await lastTime(path, () => this.#stopped).catch(() => undefined);
    this.#endNs ??= endNs;
  }

  async #play(sink: Sink, source: number): Promise<void> {
    await nextTurn();
    try {
      while (!this.#stopped) {
        this.#isRestarting = false;
        if (this.passes > 0) sink.resetSource(source);
        this.passes += 1;
        if (this.#seekNs === undefined && this.#options.fromNs !== undefined) {
          this.#seekNs = this.#options.fromNs;
          sink.hold();
        }
        const used = await this.#pass(sink, source);
        if (this.#stopped || this.#isRestarting) continue;
        if (used === 0) throw this.#damage ?? this.#nothing();
        this.#endNs = sink.recordedNs;
        this.#arrive(sink);
        if (!this.#options.loop) await this.#stayAtEnd();
      }
    } catch (error) {
      if (error instanceof DepthwireError && error !== this.#damage) sink.sourceFailed(source);
      this.#rest = 'failed';
      this.#arrive(sink);
      this.onPhase('failed');
      throw error;
    }
    if (this.#damage !== undefined) throw this.#damage;
  }

  /** The last books stay until another time is sought. */
  async #stayAtEnd(): Promise<void> {
    this.#rest = 'ended';
    if (this.#damage === undefined) this.#settle.resolve();
    else this.#settle.reject(this.#damage);
    this.onPhase(this.#damage === undefined ? 'ended' : 'failed');
    while (!this.#stopped && !this.#isRestarting) await this.#untilChanged();
    this.#rest = undefined;
    if (!this.#stopped) this.onPhase('running');
  }

  /** One run through all files; returns the bytes used. */
  async #pass(sink: Sink, source: number): Promise<number> {
    const { surveys } = this.#options;
    const reader = new RecordingReader(await this.#pathsToRead(), surveys);
    this.#pace.place(0n);
    let used = 0;
    try {
      while (this.#isOn && (await reader.fill())) {
        while (this.#isOn) {
          if (this.#isHalted) {
            await this.#untilChanged();
            continue;
          }
          const untilNs = this.#untilNs();
          // The first look at the first line tells nobody anything.
          const isRead = untilNs > 0n && reader.pending.byteLength > 0;
          if (this.#speed === 'max' && isRead) await this.#waitForReaders();
          const bytes = sink.ingestRecording(source, reader.pending, untilNs, reader.isFileEnd);
          reader.use(bytes);
          used += bytes;
          this.#options.onRead?.(reader.path);
          const { nextNs } = sink;
          if (nextNs === 0n) break;
          await this.#untilNext(sink, nextNs);
        }
        if (reader.damage !== undefined && this.#isOn) this.#damaged(sink, source, reader.damage);
        // Sockets take what was published, and timers run, before the next chunk.
        await nextTurn();
      }
    } finally {
      await reader.close();
    }
    if (!this.#isRestarting) sink.sourceEnded(source);
    return used;
  }

  /** All files, or those that are needed for the time that is sought. */
  async #pathsToRead(): Promise<readonly string[]> {
    const { paths, segmentBegun } = this.#options;
    if (this.#seekNs === undefined || segmentBegun === undefined) return paths;
    const first = await segmentBefore(paths, segmentBegun, this.#seekNs);
    if (first > 0) this.#beginNs ??= segmentBegun(await headOf(paths[0] ?? '')) ?? undefined;
    return paths.slice(first);
  }

  get #isOn(): boolean {
    return !this.#stopped && !this.#isRestarting;
  }

  /** Whether it stands still in the middle of the recording: its first line is always looked at. */
  get #isHalted(): boolean {
    return this.#isPaused && this.#seekNs === undefined && this.#beginNs !== undefined;
  }

  #untilNs(): bigint {
    // Shows the first line without using it.
    if (this.#beginNs === undefined) return 0n;
    if (this.#seekNs !== undefined) return this.#seekNs;
    return this.#speed === 'max' ? EVERYTHING_NS : this.#pace.nowNs();
  }

  /** The next line is of this time: waits for it, or for something that changes. */
  async #untilNext(sink: Sink, nextNs: bigint): Promise<void> {
    this.#beginNs ??= nextNs;
    if (this.#seekNs !== undefined) {
      if (nextNs > this.#seekNs) this.#arrive(sink);
      return;
    }
    if (this.#speed === 'max' || this.#isPaused) return;
    this.#pace.next(nextNs);
    if (this.#skipsIdle) this.#pace.skipIdle(nextNs, IDLE_NS);
    const waitMs = this.#pace.waitMs(nextNs);
    if (waitMs > 0) await this.#sleep(waitMs);
  }

  /** The time that was sought has been reached, or there is no more to read. */
  #arrive(sink: Sink): void {
    const seekNs = this.#seekNs;
    if (seekNs === undefined) return;
    this.#seekNs = undefined;
    sink.release();
    const beginNs = this.#beginNs ?? 0n;
    this.#pace.place(seekNs > beginNs ? seekNs : beginNs);
  }

  #damaged(sink: Sink, source: number, damage: RecordingDamage): void {
    sink.sourceFailed(source);
    this.#damage ??= damage;
    const name = `${damage.where} ${damage.got}`;
    if (this.#told.has(name) || this.#told.size === TOLD_MAX) return;
    this.#told.add(name);
    this.#options.onDamage?.(damage);
  }

  /** What is read to get to another time goes to no reader. */
  async #waitForReaders(): Promise<void> {
    const untilMs = performance.now() + this.#options.pauseMsMax;
    const isPressed = (): boolean => this.#seekNs === undefined && this.#options.pressed();
    while (this.#isOn && isPressed() && performance.now() < untilMs) await this.#sleep(PRESSED_POLL_MS);
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

  #untilChanged(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
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
