import type {
  AGGRESSORS,
  ORDER_CAUSES,
  TICKER_FIELDS,
  TRADE_ID_KINDS,
  TRADING_STATUSES,
} from './generated/constants.js';

export { Flag, Kind, OrderAction, Stream, TICKER_FIELDS } from './generated/constants.js';

/** A side of a book: resting interest to buy, or to sell. */
export type Side = 'bid' | 'ask';

/** Who took the liquidity of a trade; `unknown` for a number that this reader does not know. */
export type Aggressor = (typeof AGGRESSORS)[number];

/**
 * What the id of a trade is: none, the venue's number, or a hash of the venue's text; `unknown`
 * for a number that this reader does not know.
 */
export type TradeIdKind = (typeof TRADE_ID_KINDS)[number] | 'unknown';

/** Why something happened to an order. */
export type OrderCause = (typeof ORDER_CAUSES)[number];

/** A statistic of an instrument; names that end in E9 are in 1e-9. */
export type TickerField = (typeof TICKER_FIELDS)[number];

/** Whether an instrument trades. */
export type TradingStatus = (typeof TRADING_STATUSES)[number];

export {
  type BookState,
  reasonOf,
  SERVER_REASONS,
  type ServerReason,
  type StateReason,
  stateOf,
} from './state-words.js';
