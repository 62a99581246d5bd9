/** Frame kinds, as docs/protocol.md numbers them. */
export const Kind = { image: 1, delta: 2, check: 3, bbo: 4, trade: 5, status: 6 } as const;

/** The greatest kind that this reader knows; frames of others are skipped. */
export const KIND_MAX = 6;

/** Fixed stream numbers; depth views have numbers from `depthFirst` to 255. */
export const Stream = { book: 1, bbo: 2, trades: 3, status: 4, venueBbo: 5, depthFirst: 16 } as const;

/** Flag bits of a frame. */
export const Flag = {
  conflated: 1,
  stale: 2,
  suspect: 4,
  crossed: 8,
  replay: 16,
  last: 32,
  venue: 64,
  beyondKnown: 128,
} as const;

export type Side = 'bid' | 'ask';

/** Who took the liquidity of a trade; `unknown` for a number that this reader does not know. */
export type Aggressor = 'buy' | 'sell' | 'unknown';

/** Whether a book may be trusted: only `synced` is exactly the venue's book at its stated sequence. */
export type BookState = 'syncing' | 'synced' | 'stale';

/**
 * Why a book is not synced. From the server: `gap`, `silence`, `levels_limit`, `contradiction` (the venue's messages do
 * not fit its own book), `orders_limit`, `unknown`. Found here: `sequence_gap` (a frame is missing), `check_failed`
 * (checksums differ), `disconnected`, `bad_frame` (a frame could not be applied), `no_image` (none has arrived yet).
 */
export type StateReason =
  | 'none'
  | 'gap'
  | 'silence'
  | 'levels_limit'
  | 'contradiction'
  | 'orders_limit'
  | 'unknown'
  | 'sequence_gap'
  | 'check_failed'
  | 'disconnected'
  | 'bad_frame'
  | 'no_image';

/** The state behind its number on the wire; a number that this reader does not know is not to be trusted. */
export function stateOf(code: number): BookState {
  return code === 2 ? 'synced' : code === 1 ? 'syncing' : 'stale';
}

const REASONS = ['none', 'gap', 'silence', 'levels_limit', 'contradiction', 'orders_limit'] as const;

/** The reason behind its number on the wire. */
export function reasonOf(code: number): StateReason {
  return REASONS[code] ?? 'unknown';
}
