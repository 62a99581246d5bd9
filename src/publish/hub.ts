import type { Limits } from '../config.js';
import type { BookInfo, BringBy, Brought, InstrumentInfo, StreamPlace } from '../engine.js';
import type { Backlog } from './backlog.js';
import type { CatchUps } from './catch-up.js';
import type { Fanout } from './fanout.js';
import type { Images } from './images.js';
import type { Metrics } from './metrics.js';

/** What publishing needs of the engine. */
export interface FeedEngine {
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
  closeDepth(instrument: number, stream: number): void;
  /** The stream of an instrument's orders. */
  openOrders(instrument: number): number;
  closeOrders(instrument: number): void;
  book(instrument: number): BookInfo;
  /** The instrument as its numbers are scaled now, which may be finer than when it was opened. */
  instrument(id: number): InstrumentInfo;
  nowNs(): bigint;
}

/** What all subscribers share. */
export interface Hub {
  readonly engine: FeedEngine;
  readonly images: Images;
  readonly catchUps: CatchUps;
  readonly fanout: Fanout;
  readonly backlog: Backlog;
  readonly metrics: Metrics;
  readonly limits: Limits;
  /** Time between two heartbeats of a client; 0 = none. */
  readonly heartbeatMs: number;
  /** The instruments that are served, by name. */
  readonly instruments: ReadonlyMap<string, InstrumentInfo>;
  readonly version: string;
}

/** An instrument as its book's numbers are scaled now. */
export function asScaledNow({ engine }: Hub, instrument: InstrumentInfo): InstrumentInfo {
  return engine.instrument(instrument.id);
}
