import type { Channel } from '../ingest/venues/facts.js';
import type { Listing } from './lists/listing.js';

/** What a frame tells, in the order of the addon's numbers. `control` is said to a client of its subscriptions. */
export const FRAME_CHANNELS = [
  'control',
  'definition',
  'book',
  'orders',
  'trade',
  'ticker',
  'heartbeat',
] as const;
export type FrameChannel = (typeof FRAME_CHANNELS)[number];

/** Which frames bring a channel. */
export const BRINGS: Readonly<Record<Channel, FrameChannel>> = {
  book: 'book',
  orders: 'orders',
  bbo: 'ticker',
  trades: 'trade',
  ticker: 'ticker',
  liquidations: 'ticker',
  status: 'definition',
};

/** Whether frames of a channel tell of a book. */
export function isBook(channel: FrameChannel): boolean {
  return channel === 'book' || channel === 'orders';
}

/** Takes a frame; its memory may be used again after the call. `isOfAll`: it is of no instrument alone, and told once a connection. */
export type Take = (channel: FrameChannel, frame: Uint8Array, isOfAll?: true) => void;

/** An instrument as one connection hears it. */
export interface Hearing {
  /** Levels a side to which the book is cut; 0 = to none that is known. */
  readonly depth: number;
  /** Nothing more will be told, and the connection ends when that is true of all that it hears. */
  readonly isOver: boolean;
  /** Begins at the end of that millisecond. */
  open(nowMs: number, take: Take): void;
  /** Unsubscribes and subscribes again. */
  resubscribe(nowMs: number, take: Take): void;
  /** All that is said up to the end of that millisecond. */
  step(nowMs: number, take: Take): void;
  close(): void;
}

/** The instruments of one product. */
export interface Market {
  /** The core's name of the product. */
  readonly product: string;
  /** To the end of which millisecond it has lived. */
  readonly nowMs: number;
  /** Whether the product tells of orders only. */
  readonly isByOrder: boolean;
  /** A book that was told to a connection cannot be told to it again: it would go back in time. */
  readonly isToldOnce: boolean;
  /** There is nothing more to hear: no connection is taken. */
  readonly isClosed: boolean;
  /** The venue's codes, as subscriptions name them. */
  codes(): readonly string[];
  listings(): readonly Listing[];
  /** Another connection to an instrument, not opened yet. Undefined: the venue does not have it. */
  hear(code: string, isByOrder: boolean, depth: number): Hearing | undefined;
  /** The answer to a request for a book; `isOld`: the first one ever. Undefined: there is none. */
  snapshot(code: string, isByOrder: boolean, depth: number, isOld?: boolean): Uint8Array | undefined;
  /** Lives up to the end of that millisecond. Those who listen are to be stepped after it. */
  step(nowMs: number): void;
  close(): void;
}
