import type { Speed } from '../config.js';

/** What a replay does. `seeking`: it runs to another time, and readers wait for it; `ended`: the last books stay. */
export type ReplayPhase = 'starting' | 'running' | 'paused' | 'seeking' | 'ended' | 'failed';

/** Where a replay stands. Times are of the recording, ns since the epoch. */
export interface ReplayStatus {
  readonly state: ReplayPhase;
  /** The recording's time now; null before its first line. */
  readonly clockNs: bigint | null;
  /** Time of its first line; null before that. */
  readonly beginNs: bigint | null;
  /** Time of its last line; null where nobody has read that far. */
  readonly endNs: bigint | null;
  readonly speed: Speed;
  readonly isPaused: boolean;
  /** Where it runs to; null while it does not. */
  readonly seekNs: bigint | null;
  readonly skipsIdle: boolean;
  readonly loops: boolean;
  /** Times that the recordings have been begun. */
  readonly passes: number;
}

/** What is to change of a replay; what is left out stays. */
export interface ReplayChange {
  readonly isPaused?: boolean;
  readonly speed?: Speed;
  readonly skipsIdle?: boolean;
  /** Runs to this time of the recording, as fast as it can be read; before its begin is its begin, after its end its end. */
  readonly seekNs?: bigint;
}

/** A replay as whoever serves it sees it. */
export interface ReplayControl {
  status(): ReplayStatus;
  /** Takes effect in a later turn, but is told by `status` at once. */
  change(change: ReplayChange): void;
}
