// generated from crates/core/examples/constants.rs, do not edit

/**
 * Frame kinds, as docs/protocol.md numbers them.
 */
export const Kind = {
  image: 1,
  delta: 2,
  check: 3,
  bbo: 4,
  trade: 5,
  status: 6,
  orders: 7,
  ticker: 8,
  liquidation: 9,
  trading: 10,
  signals: 11,
  volumes: 12,
  costs: 13,
} as const;

/**
 * The greatest kind that this reader knows; frames of others are skipped.
 */
export const KIND_MAX = 13;

/**
 * Streams with a number of their own; 16 and above are views.
 */
export const STREAM = {
  book: 1,
  bbo: 2,
  trades: 3,
  status: 4,
  venueBbo: 5,
  orders: 6,
  ticker: 7,
  liquidations: 8,
  trading: 9,
} as const;

/**
 * Fixed stream numbers, and the first of views: those of depth, of volumes, of costs and of signals, up to
 * 87.
 */
export const Stream = {
  book: 1,
  bbo: 2,
  trades: 3,
  status: 4,
  venueBbo: 5,
  orders: 6,
  ticker: 7,
  liquidations: 8,
  trading: 9,
  depthFirst: 16,
  volumesFirst: 48,
  costsFirst: 64,
  signalsFirst: 80,
} as const;

/**
 * Flag bits of a frame.
 */
export const Flag = {
  conflated: 1,
  stale: 2,
  crossed: 8,
  replay: 16,
  last: 32,
  venue: 64,
  beyondKnown: 128,
} as const;

/**
 * States of a book; one of another number is not to be trusted.
 */
export const STATE = {
  syncing: 1,
  synced: 2,
  stale: 3,
} as const;

/**
 * Why the server's book is not synced, by number. `gap`: updates are missing. `silence`: nothing arrived for
 * too long. `levels_limit`: the book grew beyond the levels that the engine holds. `contradiction`: the
 * venue's messages do not fit its own book. `orders_limit`: the feed grew beyond the orders that the engine
 * holds. `unreadable`: a message of the book could not be read. `source_failed`: the file is damaged or gone,
 * or the connection is lost for good. `unattributed`: a snapshot did not say which instrument it is of.
 * `skipped`: bytes of an order feed were passed over. `venue_doubt`: the venue or supplier itself says that
 * the book may be wrong.
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

/**
 * Who took the liquidity of a trade, by number.
 */
export const AGGRESSORS = [
  'unknown',
  'buy',
  'sell',
] as const;

/**
 * What the id of a trade is, by number.
 */
export const TRADE_ID_KINDS = [
  'none',
  'number',
  'hash',
] as const;

/**
 * What happened to an order.
 */
export const OrderAction = {
  add: 1,
  change: 2,
  move: 3,
  remove: 4,
  clear: 5,
} as const;

/**
 * Where an order rests, by number.
 */
export const ORDER_SIDES = [
  'none',
  'bid',
  'ask',
] as const;

/**
 * Why something happened to an order, by number.
 */
export const ORDER_CAUSES = [
  'unknown',
  'new',
  'reduced',
  'executed',
  'replaced',
  'changed',
] as const;

/**
 * What the 16 bytes that name an order are, by number.
 */
export const ORDER_NAME_KINDS = [
  'none',
  'number',
  'uuid',
  'text',
  'named',
] as const;

/**
 * The place of an order at the end of its queue.
 */
export const PLACE_LAST = 4294967295;

/**
 * Bytes of text in an entry of `names`.
 */
export const NAME_TEXT_BYTES = 55;

/**
 * Size of an entry of `names` whose text goes on in the next one.
 */
export const NAME_GOES_ON = 255;

/**
 * Statistics, by the bit of the mask that says that they are known.
 */
export const TICKER_FIELDS = [
  'last',
  'mark',
  'index',
  'volume',
  'openInterest',
  'fundingRateE9',
  'fundingAt',
  'underlying',
  'interestRateE9',
  'markIvE9',
  'bidIvE9',
  'askIvE9',
  'deltaE9',
  'gammaE9',
  'vegaE9',
  'thetaE9',
  'rhoE9',
] as const;

/**
 * Whether an instrument trades, by number.
 */
export const TRADING_STATUSES = [
  'unknown',
  'trading',
  'halted',
  'auction',
  'limited',
  'closed',
] as const;

/**
 * Signals, by number.
 */
export const SIGNAL_NAMES = [
  'none',
  'mid',
  'spread',
  'spread_bps',
  'weighted_mid',
  'micro_price',
  'imbalance_1',
  'imbalance_5',
  'imbalance_10',
  'bid_depth_5bps',
  'ask_depth_5bps',
  'bid_depth_10bps',
  'ask_depth_10bps',
  'bid_depth_25bps',
  'ask_depth_25bps',
  'bid_depth_50bps',
  'ask_depth_50bps',
  'order_flow_1',
  'order_flow_2',
  'order_flow_3',
  'order_flow_4',
  'order_flow_5',
  'twap',
  'book_rate',
  'volatility',
  'trade_imbalance',
  'cvd',
  'vwap',
  'trade_rate',
  'vpin',
  'kyle_lambda',
  'amihud',
  'recovery_updates',
  'recovery_time',
  'unrecovered',
  'poc',
  'value_low',
  'value_high',
  'none',
  'none',
  'bid_iv',
  'ask_iv',
  'mid_iv',
  'delta',
  'delta_price_adjusted',
  'gamma',
  'vega',
  'theta',
] as const;

/**
 * What the value of each counts, by its number.
 */
export const SIGNAL_UNITS = [
  'none',
  'price',
  'price',
  'bps',
  'price',
  'price',
  'ratio',
  'ratio',
  'ratio',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'qty',
  'price',
  '1/s',
  '1/√year',
  'ratio',
  'qty',
  'price',
  '1/s',
  'ratio',
  'price/qty',
  '1/(price×qty)',
  'updates',
  's',
  'ratio',
  'price',
  'price',
  'price',
  'none',
  'none',
  '1/√year',
  '1/√year',
  '1/√year',
  'ratio',
  'ratio',
  '1/strike',
  'strike/0.01',
  'strike/day',
] as const;

/**
 * States of a book's record in shared memory, by number.
 */
export const RECORD_STATES = [
  'closed',
  'syncing',
  'synced',
  'stale',
] as const;

/**
 * Return bit of the addon: records wait in the ring.
 */
export const OUTPUT = 1;

/**
 * Return bit of the addon: more waits outside the ring: drain, then pump.
 */
export const MORE = 2;

/**
 * Return bit of the addon: the input had no effect, and the last error says why.
 */
export const ERROR = 4;

/**
 * The ring, as the addon writes it: a control block, then records that start 8-aligned and never wrap.
 */
export const RING = {
  controlBytes: 128,
  headerBytes: 16,
  control: { write: 0, read: 1, capacity: 2, consumed: 3, nextLow: 4, nextHigh: 5, stamped: 9 },
  type: { pad: 0, frame: 1, ask: 2, say: 3 },
  asked: { snapshot: 1, resubscribe: 2, reconnect: 3 },
} as const;

/**
 * Where the fields of a book's record in shared memory stand, as the addon writes them. `word`: 32-bit words
 * of the header, of which `words` are in use. `sequence`: even = stable. `state`: from the lowest byte state,
 * reason, feed flags. `counts`: bid levels, certain bid levels, ask levels, certain ask levels. `scale`:
 * inexact bits, price exponent, quantity exponent.
 */
export const RECORD = {
  headerBytes: 64,
  rowBytes: 32,
  depthMax: 100,
  word: { sequence: 0, state: 1, counts: 2, scale: 3, epoch: 4, seq: 6, venueSeq: 8, tsEvent: 10, tsRecv: 12, instrument: 14 },
  words: 15,
  inexact: { best: 1, any: 2 },
  flag: { crossed: 8 },
} as const;

/**
 * Numbers in a row: bid price, bid quantity, ask price, ask quantity.
 */
export const ROW_NUMBERS = 4;

/**
 * Levels a side that a depth view or a shared book has at most.
 */
export const DEPTH_MAX = 100;

/**
 * Quantities and bands of one view of costs together, at most.
 */
export const COSTS_MAX = 16;

/**
 * Instruments that a consolidated book is made of, at most.
 */
export const MEMBERS_MAX = 16;

/**
 * Basis points of a band at most.
 */
export const BPS_MAX = 10000;

/**
 * Shortest window of signals.
 */
export const WINDOW_MS_MIN = 1000;

/**
 * Longest window of signals.
 */
export const WINDOW_MS_MAX = 3600000;

/**
 * Buckets of VPIN where nothing is asked for.
 */
export const VPIN_BUCKETS = 50;

/**
 * Buckets of VPIN at most.
 */
export const VPIN_BUCKETS_MAX = 256;

/**
 * Longest time between two publications of a view.
 */
export const INTERVAL_MS_MAX = 60000;

/**
 * Levels a side that a book holds at most, unless told otherwise.
 */
export const LEVELS_MAX = 1048576;

/**
 * Levels a side that the first checksum of a book covers.
 */
export const TOP_LEVELS = 10;

/**
 * Smallest output ring, a power of two.
 */
export const RING_BYTES_MIN = 4194304;

/**
 * Largest output ring, a power of two.
 */
export const RING_BYTES_MAX = 1073741824;
