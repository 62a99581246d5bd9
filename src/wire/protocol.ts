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
  crossed: 8,
  replay: 16,
  last: 32,
  venue: 64,
  beyondKnown: 128,
} as const;

export type Side = 'bid' | 'ask';

/** Who took the liquidity of a trade; `unknown` for a number that this reader does not know. */
export type Aggressor = 'buy' | 'sell' | 'unknown';

/**
 * What the id of a trade is: none, the venue's number, or the first eight bytes of a hash of the venue's text; `unknown`
 * for a number that this reader does not know.
 */
export type TradeIdKind = 'none' | 'number' | 'hash' | 'unknown';

export { type BookState, reasonOf, type ServerReason, type StateReason, stateOf } from './state-words.js';
