import type {
  BookInfo,
  BringBy,
  Brought,
  EngineStats,
  InstrumentInfo,
  MemberInfo,
  SignalParams,
  StageTimes,
  StreamPlace,
  VenueParts,
} from '../engine.js';
import { type CatchUp, CatchUps } from './catch-up.js';
import { Images } from './images.js';

/** What the server needs of the engine. */
export interface ServedEngine {
  image(instrument: number, stream: number, out: Uint8Array): number;
  /** Where a stream stands; zeros where it has published nothing yet. */
  place(instrument: number, stream: number): StreamPlace;
  /**
   * Writes the frames that bring a reader from a place of a stream to its present, and says in `brought` what they are;
   * returns their bytes, negative = minus what they need.
   */
  bring(instrument: number, stream: number, epoch: bigint, seq: bigint, by: BringBy, out: Uint8Array): number;
  readonly brought: Brought;
  /** The stream of a depth view. `grouping`: its step of prices as a mantissa, 0 = none. */
  openDepth(instrument: number, depth: number, intervalMs: number, grouping: bigint): number;
  /** The stream of what has traded at prices, likewise. */
  openVolumes(instrument: number, intervalMs: number, grouping: bigint): number;
  /** Begins the profile that `openVolumes` is of, where nobody has opened it yet. */
  keepVolumes(instrument: number): void;
  /** The stream of what quantities (mantissas) cost, and of what stands within basis points of the mid, likewise. */
  openCosts(
    instrument: number,
    intervalMs: number,
    quantities: readonly bigint[],
    bps: readonly number[],
  ): number;
  /** The stream of an instrument's signals, likewise; of `vpinVolume` the mantissa. */
  openSignals(instrument: number, intervalMs: number, params: SignalParams): number;
  closeView(instrument: number, stream: number): void;
  /** The stream of an instrument's orders. */
  openOrders(instrument: number): number;
  closeOrders(instrument: number): void;
  book(instrument: number): BookInfo;
  /** The instrument as its numbers are scaled now, which may be finer than when it was opened. */
  instrument(id: number): InstrumentInfo;
  /** Who is in a consolidated book and who is not; null for any other instrument. */
  members(instrument: number): readonly MemberInfo[] | null;
  /** What these have at its best prices. */
  venueParts(instrument: number, depth: number): VenueParts;
  nowNs(): bigint;
  stats(): EngineStats;
  /** Where the time of messages goes; null where none are stamped. */
  stageTimes(): StageTimes | null;
  /** What it has put out was handed to the transport. */
  published(): void;
}

/** A view as it is granted. `step`: width of its price buckets as the instrument's mantissa, 0 = none. */
export type View =
  | { readonly channel: 'depth'; readonly depth: number; readonly intervalMs: number; readonly step: bigint }
  | { readonly channel: 'volumes'; readonly intervalMs: number; readonly step: bigint }
  | {
      readonly channel: 'costs';
      readonly intervalMs: number;
      /** Mantissas. */
      readonly quantities: readonly bigint[];
      readonly bps: readonly number[];
    }
  | { readonly channel: 'signals'; readonly intervalMs: number; readonly params: SignalParams };

/** A stream by its numbers. */
export interface StreamName {
  readonly instrument: number;
  readonly stream: number;
}

/** What an acknowledgement tells of a stream: where it stands, and its book and instrument at that moment. */
export interface Standing {
  readonly place: StreamPlace;
  readonly state: string;
  readonly reason: string;
  readonly instrument: InstrumentInfo;
}

/**
 * The engine as clients' streams ask it. Each answer is of one moment, and when it returns, whatever was published before that
 * moment is with the members of its stream. So who joins a stream asks first and joins then, in the same turn, and asks
 * nothing between: what it was told and what it gets follow each other.
 */
export interface FeedEngine {
  /** The image of a stream, as `CatchUps.image` has it. */
  image(instrument: number, stream: number): CatchUp;
  /** What brings a reader from a place to the present, as `CatchUps.from` has it. */
  bring(instrument: number, stream: number, from: StreamPlace, by: BringBy): CatchUp;
  /** Where streams stand, all at one moment. */
  places(streams: readonly StreamName[]): readonly StreamPlace[];
  standing(instrument: number, stream: number): Standing;
  /** As `ServedEngine.instrument`. */
  instrument(id: number): InstrumentInfo;
  /** The stream of a view. Each call that opens needs one that closes. */
  openView(instrument: number, view: View): number;
  closeView(instrument: number, stream: number): void;
  openOrders(instrument: number): number;
  closeOrders(instrument: number): void;
  /** ns since the epoch. */
  nowNs(): bigint;
}

/** How a stream stands, by an engine in which nothing is published meanwhile. */
export function standingOf(engine: ServedEngine, id: number, stream: number): Standing {
  const { state, reason } = engine.book(id);
  return { place: engine.place(id, stream), state, reason, instrument: engine.instrument(id) };
}

/** The engine of this thread, in which nothing is published while it answers. */
export class LocalEngine implements FeedEngine {
  readonly images: Images;
  readonly #engine: ServedEngine;
  readonly #catchUps: CatchUps;
  /** Openings of views at an interval that were not closed yet, by instrument and stream. */
  readonly #timedViews = new Map<string, number>();

  /** `imageBytesMax`: the largest image, and the most that brings a reader back in another way. */
  constructor(engine: ServedEngine, imageBytesMax: number) {
    this.#engine = engine;
    this.images = new Images(engine, imageBytesMax);
    this.#catchUps = new CatchUps(engine, this.images, imageBytesMax);
  }

  image(instrument: number, stream: number): CatchUp {
    return this.#catchUps.image(instrument, stream);
  }

  bring(instrument: number, stream: number, from: StreamPlace, by: BringBy): CatchUp {
    return this.#catchUps.from(instrument, stream, from, by);
  }

  places(streams: readonly StreamName[]): readonly StreamPlace[] {
    return streams.map(({ instrument, stream }) => this.#engine.place(instrument, stream));
  }

  standing(instrument: number, stream: number): Standing {
    return standingOf(this.#engine, instrument, stream);
  }

  instrument(id: number): InstrumentInfo {
    return this.#engine.instrument(id);
  }

  /** Whether a view waits for its intervals, which the engine's ticks end. */
  get hasTimedViews(): boolean {
    return this.#timedViews.size > 0;
  }

  openView(instrument: number, view: View): number {
    const stream = this.#open(instrument, view);
    if (view.intervalMs > 0) {
      const name = `${instrument}/${stream}`;
      this.#timedViews.set(name, (this.#timedViews.get(name) ?? 0) + 1);
    }
    return stream;
  }

  /** The stream's number may name another view from now on, so no image of it may stay. */
  closeView(instrument: number, stream: number): void {
    this.#engine.closeView(instrument, stream);
    this.images.forget(instrument);
    const name = `${instrument}/${stream}`;
    const openings = this.#timedViews.get(name) ?? 0;
    if (openings > 1) this.#timedViews.set(name, openings - 1);
    else this.#timedViews.delete(name);
  }

  #open(instrument: number, view: View): number {
    switch (view.channel) {
      case 'depth':
        return this.#engine.openDepth(instrument, view.depth, view.intervalMs, view.step);
      case 'volumes':
        return this.#engine.openVolumes(instrument, view.intervalMs, view.step);
      case 'costs':
        return this.#engine.openCosts(instrument, view.intervalMs, view.quantities, view.bps);
      case 'signals':
        return this.#engine.openSignals(instrument, view.intervalMs, view.params);
    }
  }

  openOrders(instrument: number): number {
    return this.#engine.openOrders(instrument);
  }

  /** What is kept of its image may be older than its next opening. */
  closeOrders(instrument: number): void {
    this.#engine.closeOrders(instrument);
    this.images.forget(instrument);
  }

  nowNs(): bigint {
    return this.#engine.nowNs();
  }
}
