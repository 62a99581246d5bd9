import type { DepthwireError } from '../errors.js';
import type { RING } from '../wire/generated/constants.js';

/** What mends a book: a snapshot that is asked for, another subscription, another connection. */
export type Cure = keyof typeof RING.asked;

/** A book's wish for what mends it, repeated with a growing pause until it is mended. */
export interface Ask {
  readonly instrument: number;
  /** The answer, where there is one to hand in, must bring it back. */
  readonly ticket: number;
  readonly cure: Cure;
  /** Why the book is not synced, as an index into `SERVER_REASONS`. */
  readonly reason: number;
}

/**
 * Who takes what the engine puts out. Called inside the call that caused it, where the engine's inputs and `close` throw
 * `engine.reentrant`, and have no effect; everything else may be called.
 */
export interface EngineListener {
  /** One feed frame. The view is valid during the call only: its memory is the ring's. */
  onFrame(instrument: number, stream: number, frame: Uint8Array): void;
  /**
   * Called in place of `onFrame` where it is there: the frame is the `size` bytes of `ring` at `offset`, a multiple of 8.
   * `ring` is the same for all frames, so that none costs a view; its bytes are the frame's during the call only.
   */
  onFrameBytes?(instrument: number, stream: number, ring: Uint8Array, offset: number, size: number): void;
  /**
   * Called in place of all others where it is there, with every record that waits: the bytes of `ring` from `from` to `to`,
   * twice where they go on at its beginning. Valid during the call only. For those who hand records on as they are.
   */
  onRecords?(ring: Uint8Array, from: number, to: number): void;
  /** The engine needs what mends a book; see `Ask`. */
  onAsk(ask: Ask): void;
  /** A source must say this back to its venue, as in an answer to a heartbeat. The view is valid during the call only. */
  onSay(source: number, text: Uint8Array): void;
  /** An input was wrong; the engine has gone on. Not called for each when several share one input. */
  onFault(error: DepthwireError): void;
}
