/** What is recorded of an engine, where and how. What is not given is as the configuration's defaults. */
export interface RecordOptions {
  /** Made where it is missing. It may hold the segments of earlier runs. */
  readonly folder: string;
  /** When a record counts as kept: when the system has it, when the disk has what came together, or each by itself. */
  readonly sync?: 'none' | 'group' | 'each';
  /** Bytes of a segment at which the next one begins, 64 KiB to 4 GiB. */
  readonly segmentBytes?: number;
  /** What waits is written after so long. */
  readonly flushMs?: number;
  /** Whether whole segments are packed. */
  readonly seal?: boolean;
  /** The oldest segments of the folder are let go beyond so many bytes, and when they are older; 0 = never. */
  readonly keepBytes?: number;
  readonly keepMs?: number;
}

export const SEGMENT_BYTES = 128 << 20;
export const FLUSH_MS = 50;
