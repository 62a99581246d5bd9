import { later } from './later.js';
import type { Listing } from './lists/listing.js';
import type { Hearing, Market, Take } from './market.js';
import type { RecordedFrames, RecordedInstrument } from './recorded-frames.js';

/** How a recording is told. */
export interface Playback {
  readonly frames: RecordedFrames;
  /** Recorded time that passes in a unit of time. */
  readonly speed: number;
  /** Whether those who come back after its end hear it again. */
  readonly isLooped: boolean;
}

interface HearingOf {
  readonly instrument: RecordedInstrument;
  /** How often the recording had been told to its end when it was opened. */
  readonly passes: number;
  readonly playback: Playback;
  /** Bytes as they are said in that pass. */
  readonly said: (bytes: Uint8Array, passes: number) => Uint8Array;
  readonly onEnd: () => void;
  readonly onClose: () => void;
}

/** An instrument of a recording as one connection hears it: from the recording's first frame on, as long ago as it subscribed. */
class RecordedHearing implements Hearing {
  /** A recorded book is as deep as it was asked for then. */
  readonly depth = 0;
  readonly instrument: RecordedInstrument;
  readonly passes: number;
  readonly #playback: Playback;
  readonly #said: (bytes: Uint8Array, passes: number) => Uint8Array;
  readonly #onEnd: () => void;
  readonly #onClose: () => void;
  #startMs = 0;
  #next = 0;
  #isGreeted = false;
  isOver = false;

  constructor(of: HearingOf) {
    this.instrument = of.instrument;
    this.passes = of.passes;
    this.#playback = of.playback;
    this.#said = of.said;
    this.#onEnd = of.onEnd;
    this.#onClose = of.onClose;
  }

  /** Recorded time that has been told. */
  positionMs(nowMs: number): number {
    return (nowMs - this.#startMs) * this.#playback.speed;
  }

  /** The first frame comes with the next step: a message may subscribe to more of the instrument. */
  open(nowMs: number): void {
    this.#startMs = nowMs;
    this.#next = 0;
    this.isOver = false;
  }

  /** Again from the recording's first frame on, without what greets a client. */
  resubscribe(nowMs: number): void {
    this.open(nowMs);
    this.#isGreeted = true;
  }

  step(nowMs: number, take: Take): void {
    const positionMs = this.positionMs(nowMs);
    const { frames } = this.instrument;
    for (;;) {
      const frame = frames[this.#next];
      if (frame === undefined || frame.atMs > positionMs) break;
      this.#next += 1;
      const isGreeting = frame.isOfAll && frame.channel === 'control';
      if (isGreeting && this.#isGreeted) continue;
      take(frame.channel, this.#said(frame.bytes, this.passes), frame.isOfAll || undefined);
    }
    if (this.isOver || positionMs < this.#playback.frames.lastMs) return;
    this.isOver = true;
    this.#onEnd();
  }

  close(): void {
    this.#onClose();
  }
}

/** A product of a recording. */
export class RecordedMarket implements Market {
  readonly product: string;
  readonly isByOrder = false;
  readonly isToldOnce = true;
  readonly #playback: Playback;
  readonly #instruments: ReadonlyMap<string, RecordedInstrument>;
  /** In the order in which they were opened. */
  readonly #hearings = new Set<RecordedHearing>();
  #nowMs: number;
  /** How often it has been told to its end. */
  #passes = 0;

  constructor(product: string, playback: Playback, nowMs: number) {
    this.product = product;
    this.#playback = playback;
    this.#instruments = new Map(
      playback.frames.instruments.map((instrument) => [instrument.code, instrument]),
    );
    this.#nowMs = nowMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** It has been told to its end, once. */
  get isClosed(): boolean {
    return this.#passes > 0 && !this.#playback.isLooped;
  }

  codes(): readonly string[] {
    return [...this.#instruments.keys()];
  }

  listings(): readonly Listing[] {
    return [...this.#instruments.values()];
  }

  hear(code: string): Hearing | undefined {
    const instrument = this.#instruments.get(code);
    if (instrument === undefined) return undefined;
    const passes = this.#passes;
    const hearing: RecordedHearing = new RecordedHearing({
      instrument,
      passes,
      playback: this.#playback,
      said: (bytes, passes) => this.#said(bytes, passes),
      onEnd: () => {
        this.#passes = Math.max(this.#passes, passes + 1);
      },
      onClose: () => void this.#hearings.delete(hearing),
    });
    this.#hearings.add(hearing);
    return hearing;
  }

  /**
   * The last answer before what the latest of those who hear the instrument has been told: a request does not say of which
   * connection it is. Where all are later, or nobody hears it, the first one.
   */
  snapshot(code: string, _isByOrder: boolean, _depth: number, isOld = false): Uint8Array | undefined {
    const instrument = this.#instruments.get(code);
    const latest = [...this.#hearings].findLast((hearing) => hearing.instrument === instrument);
    const positionMs = isOld ? 0 : (latest?.positionMs(this.#nowMs) ?? 0);
    const answers = instrument?.answers ?? [];
    const answer = answers.findLast(({ atMs }) => atMs <= positionMs) ?? answers[0];
    return answer && this.#said(answer.bytes, latest?.passes ?? this.#passes);
  }

  step(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  close(): void {
    this.#hearings.clear();
  }

  #said(bytes: Uint8Array, passes: number): Uint8Array {
    return later(this.product, bytes, passes, this.#playback.frames.lastMs);
  }
}
