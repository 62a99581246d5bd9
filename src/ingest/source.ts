import type { Ask, InstrumentInfo } from '../engine.js';

/** Where sources deliver what they received, untouched. The engine is one. */
export interface Sink {
  /** All instruments that it holds. */
  instruments(): readonly InstrumentInfo[];
  /** Opens a connection of a venue that speaks for these instruments. */
  openSource(venue: string, instruments: readonly number[]): number;
  /** Opens a recording that says how its connections were taken, for these instruments. */
  openRecorded(instruments: readonly number[]): number;
  /** One received frame; its memory may be reused after the call. */
  ingest(source: number, frame: Uint8Array): void;
  /** The answer to a request, with its ticket. */
  ingestSnapshot(instrument: number, ticket: number, answer: Uint8Array): void;
  /** A snapshot that was asked for cannot be had: it is asked for again, after a longer pause. */
  snapshotFailed(instrument: number): void;
  /**
   * Whole lines or messages of a recording that are not later than `untilNs`; returns the bytes used. `last`: the bytes of
   * this file end here, and what comes next is another's.
   */
  ingestRecording(source: number, lines: Uint8Array, untilNs: bigint, last?: boolean): number;
  /** Time of the recorded line that waits after `ingestRecording`; 0 = it has not been read whole. */
  readonly nextNs: bigint;
  /** The time of the recording that was reached last, ns since the epoch; 0 = none was. */
  readonly recordedNs: bigint;
  /** The venue restarts: its books sync anew. */
  resetSource(source: number): void;
  /** Readers are told that every book is syncing, and nothing else, until `release`: the recording runs to another time. */
  hold(): void;
  /** What is exact opens a new epoch. */
  release(): void;
  /** Nothing more comes: what waits for another line of the same feed waits no longer. */
  sourceEnded(source: number): void;
  /** The source speaks of instruments that it was not opened for: a snapshot that names none is nobody's. */
  expectOthers(source: number): void;
  /**
   * The source has lost something for good: a file is damaged, cut or gone. Its books are stale at once, until the venue's
   * own numbers or a snapshot prove them again.
   */
  sourceFailed(source: number): void;
}

/** An `untilNs` that no line is later than. */
export const EVERYTHING_NS = 2n ** 63n - 1n;

/** One connection to a venue, real, simulated or recorded. */
export interface Source {
  /** For people. */
  readonly name: string;
  /** Opens its books. Returns the instruments that it speaks for. */
  open(sink: Sink): readonly number[];
  /** Begins to deliver to the sink that it was opened with, in a later turn. */
  start(): void;
  /** Delivers nothing more once it has resolved. */
  stop(): Promise<void>;
  /**
   * Do what mends a book. A snapshot is handed in later by `ingestSnapshot`, or `snapshotFailed` called. Called inside calls
   * of the sink, which must not be called from here.
   */
  ask(ask: Ask): void;
  /** Say this to the venue that a source of the sink's is connected to. As for `ask`. */
  say(source: number, text: Uint8Array): void;
  /** Resolves when there is nothing more to deliver, rejects when the source fails. A live source never resolves. */
  readonly ended: Promise<void>;
}
