import type { RowBatch } from './row-batch.js';

/** Makes the bytes of a file of rows. What it has made waits in memory until it is drained. */
export interface RowFormat {
  /** Takes a batch, whose memory is the caller's again when it returns. */
  add(batch: RowBatch): void;
  /** Ends the file. */
  end(): void;
  /** The bytes made since the last call. Valid until the next call of anything. */
  drain(): readonly Uint8Array[];
}
