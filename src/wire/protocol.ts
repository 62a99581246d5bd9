import type { AGGRESSORS, TRADE_ID_KINDS } from './generated/constants.js';

export { Flag, Kind, Stream } from './generated/constants.js';

export type Side = 'bid' | 'ask';

/** Who took the liquidity of a trade; `unknown` for a number that this reader does not know. */
export type Aggressor = (typeof AGGRESSORS)[number];

/**
 * What the id of a trade is: none, the venue's number, or the first eight bytes of a hash of the venue's text; `unknown`
 * for a number that this reader does not know.
 */
export type TradeIdKind = (typeof TRADE_ID_KINDS)[number] | 'unknown';

export { type BookState, reasonOf, type ServerReason, type StateReason, stateOf } from './state-words.js';
