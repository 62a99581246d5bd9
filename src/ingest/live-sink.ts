import type { BookInfo } from '../engine.js';
import type { Sink } from './source.js';

/** What live connections need of the engine beside what every source does. */
export interface LiveSink extends Sink {
  /** Opens a connection of a venue that speaks for no instrument yet. */
  open(venue: string): number;
  carry(source: number, instruments: readonly number[]): void;
  carryBesideBooks(source: number, instruments: readonly number[]): void;
  drop(source: number, instrument: number): void;
  /** A connection was made, anew perhaps. */
  opened(source: number): void;
  /** What was asked of the venue on a connection. */
  asked(source: number, text: Uint8Array): void;
  /** A connection takes the place of another one, which is dropped once this one is subscribed to the same. */
  succeed(source: number, predecessor: number): void;
  /** Books of its predecessor that a connection has not told yet. */
  outstanding(source: number): number;
  book(instrument: number): BookInfo;
}
