/**
 * The words for what the feed says in numbers about a book's state. This table is the only one in TypeScript; the
 * numbers are those of crates/core/src/types/state.rs and never change their meaning.
 */

/** Whether a book may be trusted: only `synced` is exactly the venue's book at its stated sequence. */
export type BookState = 'syncing' | 'synced' | 'stale';

/**
 * Why the server's book is not synced, by number. `gap`: updates are missing. `silence`: nothing arrived for too long.
 * `levels_limit`, `orders_limit`: the book grew beyond what the engine holds. `contradiction`: the venue's messages do
 * not fit its own book. `unreadable`: a message of the book could not be read. `source_failed`: the file is damaged or
 * gone, the connection is lost for good. `unattributed`: a snapshot did not say which instrument it is of. `skipped`:
 * bytes of an order feed were passed over. `venue_doubt`: the venue or supplier itself says that the book may be wrong.
 */
export const SERVER_REASONS = [
  'none',
  'gap',
  'silence',
  'levels_limit',
  'contradiction',
  'orders_limit',
  'unreadable',
  'source_failed',
  'unattributed',
  'skipped',
  'venue_doubt',
] as const;

/** A reason that the server gives. */
export type ServerReason = (typeof SERVER_REASONS)[number];

/**
 * Why a book is not synced here: a reason of the server, `unknown` for a number that this reader does not know, or what
 * this reader found itself. `sequence_gap`: a frame is missing. `check_failed`: checksums differ. `disconnected`: the
 * connection is lost. `bad_frame`: a frame could not be applied. `no_image`: none has arrived yet.
 */
export type StateReason =
  | ServerReason
  | 'unknown'
  | 'sequence_gap'
  | 'check_failed'
  | 'disconnected'
  | 'bad_frame'
  | 'no_image';

/** The state behind its number; one that this reader does not know is not to be trusted. */
export function stateOf(code: number): BookState {
  return code === 2 ? 'synced' : code === 1 ? 'syncing' : 'stale';
}

/** The reason behind its number. */
export function reasonOf(code: number): ServerReason | 'unknown' {
  return SERVER_REASONS[code] ?? 'unknown';
}
