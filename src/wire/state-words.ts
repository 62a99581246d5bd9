/** The words for what the feed says in numbers about a book's state. */
import { SERVER_REASONS, STATE } from './generated/constants.js';

export { SERVER_REASONS } from './generated/constants.js';

/** Whether a book may be trusted: only `synced` is exactly the venue's book at its stated sequence. */
export type BookState = keyof typeof STATE;

/** A reason that the server gives. */
export type ServerReason = (typeof SERVER_REASONS)[number];

/**
 * Why a book is not synced here: a reason of the server, `unknown` for a number that this reader does not know, or what
 * this reader found itself. `sequence_gap`: a frame is missing. `check_failed`: checksums differ, or a change does not fit.
 * `disconnected`: the connection is lost, or what was missed meanwhile has not been brought yet. `behind`: the server
 * holds back changes until this reader, which is slow, has taken what waits for it. `bad_frame`: a frame could not be
 * applied. `no_image`: none has arrived yet.
 */
export type StateReason =
  | ServerReason
  | 'unknown'
  | 'sequence_gap'
  | 'check_failed'
  | 'disconnected'
  | 'behind'
  | 'bad_frame'
  | 'no_image';

/** The state behind its number; one that this reader does not know is not to be trusted. */
export function stateOf(code: number): BookState {
  return code === STATE.synced ? 'synced' : code === STATE.syncing ? 'syncing' : 'stale';
}

/** The reason behind its number. */
export function reasonOf(code: number): ServerReason | 'unknown' {
  return SERVER_REASONS[code] ?? 'unknown';
}
