import type { Limits } from '../config.js';
import type { InstrumentInfo } from '../engine.js';
import type { Backlog } from './backlog.js';
import type { Fanout } from './fanout.js';
import type { FeedEngine } from './feed-engine.js';
import type { Metrics } from './metrics.js';

/** What all subscribers of a gateway share. */
export interface Hub {
  readonly engine: FeedEngine;
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
