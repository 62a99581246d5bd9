/**
 * The client of a depthwire feed, for Node and browsers: `import { connect } from 'depthwire/client'`.
 *
 * A feed that finds no server tries again without end: listen to its `error` event to see why nothing comes.
 */
export type { ApplyOutcome, BookCheck, IgnoredWhy } from './apply-outcome.js';
export {
  type BboOptions,
  type BookEvents,
  type BookGap,
  type BookOptions,
  BookSubscription,
  type DepthOptions,
} from './book-subscription.js';
export type { Channel, GroupedOptions, ViewOptions } from './channel.js';
export * as channel from './channels.js';
export { connect, Feed } from './client.js';
export type { FeedState } from './connection.js';
export type {
  BboSource,
  Brought,
  By,
  ChannelName,
  Granted,
  Hello,
  Mode,
  Resumed,
  Topic,
} from './control.js';
export { type Cost, type Costs, type CostsOptions, CostsSubscription } from './costs-subscription.js';
export { crc32c } from './crc32c.js';
export { decimalsOf, decimalText, formatDecimal, parseDecimal } from './decimal.js';
export { ClientError, CloseError, FeedError, type FeedErrorParts, ServerError, WireError } from './errors.js';
export { type Ticker, TickerSubscription, type Trading, TradingSubscription } from './facts-subscription.js';
export type { ConnectOptions, FeedCounters, FeedEvents } from './feed-options.js';
export { FrameReader } from './frame.js';
export { CostRows, SignalRows, VolumeRows } from './frame-computed.js';
export { GapFields, SessionFields, TickerFields, TradingFields, ViewFields } from './frame-facts.js';
export { NameRows, OrderRows } from './frame-orders.js';
export { TradeRows } from './frame-trades.js';
export { type GroupEvents, isPattern, type Removed, SubscriptionGroup } from './group.js';
export type { Instrument } from './instruments.js';
export type { KeptEvents, StreamGap } from './kept-subscription.js';
export type { LatencySummary } from './latency.js';
export type { ExactMantissas, Level, PriceOrLevel } from './level.js';
export { type BookText, LEVELS_MAX, LocalBook } from './local-book.js';
export { LocalOrders, ORDERS_MAX } from './local-orders.js';
export { LocalStream, type Place } from './local-stream.js';
export { LocalVolumes, type Volume } from './local-volumes.js';
export { memberOf } from './members.js';
export {
  type ChainExpiry,
  type ChainOption,
  type ChainRow,
  OptionChain,
  type OptionChainEvents,
  type OptionChainOptions,
} from './option-chain.js';
export { type ChainMeasures, type SmilePoint, tickerNumber } from './option-smile.js';
export type { OrderLevel } from './order-book.js';
export type { Order, OrderId } from './order-queue.js';
export {
  type OrderChange,
  type OrdersEvents,
  type OrdersOptions,
  OrdersSubscription,
} from './orders-subscription.js';
export {
  type Aggressor,
  type BookState,
  Flag,
  Kind,
  OrderAction,
  type OrderCause,
  reasonOf,
  type ServerReason,
  type Side,
  type StateReason,
  Stream,
  stateOf,
  TICKER_FIELDS,
  type TickerField,
  type TradeIdKind,
  type TradingStatus,
} from './protocol.js';
export type { Backoff } from './resync.js';
export {
  type Signal,
  type SignalName,
  type Signals,
  type SignalsOptions,
  SignalsSubscription,
} from './signals-subscription.js';
export { SERVER_REASONS } from './state-words.js';
export {
  type InstrumentGap,
  type InstrumentStatus,
  type StatusEvents,
  StatusSubscription,
} from './status-subscription.js';
export type {
  Resynced,
  SlowNotice,
  SubscriptionEvents,
  SubscriptionOptions,
  SubscriptionState,
} from './subscription.js';
export type { Token } from './token.js';
export type { Trade, TradeEvent, TradeGap } from './trade-tape.js';
export { type TradesEvents, type TradesOptions, TradesSubscription } from './trades-subscription.js';
export { VolumesSubscription } from './volumes-subscription.js';
