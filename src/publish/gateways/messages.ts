import type { Config } from '../../config.js';
import type { InstrumentInfo } from '../../engine.js';
import type { ErrorJson } from '../../errors.js';
import type { ClientEnd, ToldCertificate } from '../distribution.js';
import type { MetricCounts } from '../metrics.js';
import type { Request, TransportName } from '../transport.js';

/** Descriptors of a gateway's process beside its channel: its calls, what wakes it, the memory of the ring. */
export const DESCRIPTORS = { calls: 4, wake: 5, ring: 6 } as const;

/** A process whose loop does not turn for so long is stuck: a gateway is ended, and one whose server is stuck ends itself. */
export const STUCK_MS = 10_000;
/** When the one that looks stood still for so long, so may the other have, which is given its time anew. */
export const STOPPED_MS = 1000;

/** What a gateway needs to begin. */
export interface Start {
  readonly type: 'start';
  /** Its place among the gateways, from 0. */
  readonly number: number;
  readonly config: Config;
  readonly instruments: readonly InstrumentInfo[];
  readonly ringMemoryBytes: number;
}

/** From the server's process to a gateway. */
export type ToGateway =
  | Start
  | { readonly type: 'serve'; readonly instruments: readonly InstrumentInfo[] }
  | { readonly type: 'reload_keys' }
  | { readonly type: 'reload_certificate' }
  | { readonly type: 'drain'; readonly reason: string };

/** From a gateway to the server's process. */
export type FromGateway =
  | { readonly type: 'listening'; readonly transport: TransportName; readonly reason: string }
  | { readonly type: 'failed'; readonly error: ErrorJson }
  | { readonly type: 'counts'; readonly counts: MetricCounts; readonly waitingBytes: number }
  | { readonly type: 'refused'; readonly error: ErrorJson; readonly request: Request }
  | { readonly type: 'closed'; readonly end: ClientEnd }
  | { readonly type: 'certificate'; readonly outcome: ToldCertificate | ErrorJson }
  | { readonly type: 'say'; readonly line: string }
  | { readonly type: 'keys_reloaded' };
