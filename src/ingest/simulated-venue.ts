import type { Ask } from '../engine.js';
import type { Sink, Source } from './source.js';

/** The addon's market generator, as far as this file calls it. */
export interface MarketSimulator {
  symbols(): string[];
  /** The next frame due by `nowMs`, written to `out`; 0 = none is due. */
  next(nowMs: number, out: Uint8Array): number;
  /** The venue's REST answer: the best `limit` levels a side. */
  snapshot(symbol: string, limit: number, out: Uint8Array): number;
}

const VENUE = 'sim';
const STEP_MS = 10;
/** Frames of one step; what is due beyond them comes with the next one. */
const STEP_FRAMES_MAX = 2000;
const FRAME_BYTES_MAX = 1 << 20;
/** As Binance's REST snapshot. */
const SNAPSHOT_LEVELS = 1000;
/** A REST request takes about so long; the frames that arrive meanwhile make the engine bridge, as in reality. */
const SNAPSHOT_DELAY_MS = 25;

/**
 * The embedded venue: its frames enter one by one as they fall due, like those of a socket. Its time begins at `startMs` and
 * runs on by a clock that nobody sets.
 */
export class SimulatedVenue implements Source {
  readonly name = 'embedded venue';
  readonly ended: Promise<void> = new Promise(() => {});
  readonly #simulator: MarketSimulator;
  /** The venue's time when the other clock was zero. */
  readonly #zeroMs: number;
  readonly #symbols = new Map<number, string>();
  readonly #frame = new Uint8Array(FRAME_BYTES_MAX);
  /** Snapshot requests on their way: at most one for an instrument. */
  readonly #requests = new Map<number, NodeJS.Timeout>();
  #timer: NodeJS.Timeout | undefined;
  #sink: Sink | undefined;
  #source = 0;

  constructor(simulator: MarketSimulator, startMs: number) {
    this.#simulator = simulator;
    this.#zeroMs = startMs - performance.now();
  }

  open(sink: Sink): readonly number[] {
    const symbols = new Set(this.#simulator.symbols());
    for (const instrument of sink.instruments()) {
      if (instrument.venue === VENUE && symbols.has(instrument.symbol))
        this.#symbols.set(instrument.id, instrument.symbol);
    }
    const instruments = [...this.#symbols.keys()];
    this.#sink = sink;
    this.#source = sink.openSource(VENUE, instruments);
    return instruments;
  }

  start(): void {
    const sink = this.#sink;
    if (sink !== undefined) this.#timer = setInterval(() => this.#step(sink), STEP_MS);
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const request of this.#requests.values()) clearTimeout(request);
    this.#requests.clear();
    this.#sink = undefined;
    return Promise.resolve();
  }

  ask({ instrument, ticket }: Ask): void {
    const symbol = this.#symbols.get(instrument);
    const sink = this.#sink;
    if (symbol === undefined || sink === undefined) return;
    // A later request makes the earlier one void.
    clearTimeout(this.#requests.get(instrument));
    const request = setTimeout(() => {
      this.#requests.delete(instrument);
      const bytes = this.#simulator.snapshot(symbol, SNAPSHOT_LEVELS, this.#frame);
      if (bytes > 0) sink.ingestSnapshot(instrument, ticket, this.#frame.subarray(0, bytes));
      else sink.snapshotFailed(instrument);
    }, SNAPSHOT_DELAY_MS);
    this.#requests.set(instrument, request);
  }

  say(): void {}

  #step(sink: Sink): void {
    const nowMs = Math.floor(this.#zeroMs + performance.now());
    for (let frames = 0; frames < STEP_FRAMES_MAX; frames++) {
      const bytes = this.#simulator.next(nowMs, this.#frame);
      if (bytes <= 0) return;
      sink.ingest(this.#source, this.#frame.subarray(0, bytes));
    }
  }
}
