import type { Limits } from '../config.js';
import type { InstrumentInfo } from '../engine.js';
import type { Backlog } from './backlog.js';
import type { Fanout } from './fanout.js';
import type { FeedEngine } from './feed-engine.js';
import type { Metrics } from './metrics.js';

/** A client whose subscriptions wait for their turn. */
export interface Wishing {
  readonly hasWishes: boolean;
  /** Grants up to `max` of them; returns how many. */
  grantWishes(max: number, nowMs: number): number;
}

/** What all subscribers of a gateway share. */
export interface Hub {
  readonly engine: FeedEngine;
  readonly fanout: Fanout;
  readonly backlog: Backlog;
  /** Clients whose subscriptions wait for their turn. Whoever has none any more is taken out by whoever grants them. */
  readonly wishing: Set<Wishing>;
  readonly metrics: Metrics;
  readonly limits: Limits;
  /** Time between two heartbeats of a client; 0 = none. */
  readonly heartbeatMs: number;
  /** The instruments that are served, by name. */
  readonly instruments: ReadonlyMap<string, InstrumentInfo>;
  readonly version: string;
  /** Whether the books are of a recording. */
  readonly isReplay: boolean;
}
