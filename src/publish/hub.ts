import type { Limits } from '../config.js';
import type { BookInfo, InstrumentInfo } from '../engine.js';
import type { Fanout } from './fanout.js';
import type { Images } from './images.js';
import type { Metrics } from './metrics.js';

/** What publishing needs of the engine. */
export interface FeedEngine {
  image(instrument: number, stream: number, out: Uint8Array): number;
  openDepth(instrument: number, depth: number, intervalMs: number): number;
  closeDepth(instrument: number, stream: number): void;
  book(instrument: number): BookInfo;
  /** The instrument as its numbers are scaled now, which may be finer than when it was opened. */
  instrument(id: number): InstrumentInfo;
  nowNs(): bigint;
}

/** What all subscribers share. */
export interface Hub {
  readonly engine: FeedEngine;
  readonly images: Images;
  readonly fanout: Fanout;
  readonly metrics: Metrics;
  readonly limits: Limits;
  /** The instruments that are served, by name. */
  readonly instruments: ReadonlyMap<string, InstrumentInfo>;
  readonly version: string;
}

/** An instrument as its book's numbers are scaled now. */
export function asScaledNow({ engine }: Hub, instrument: InstrumentInfo): InstrumentInfo {
  return engine.instrument(instrument.id);
}
