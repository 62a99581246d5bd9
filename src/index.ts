/** The engine in the process that imports it, and the server round it. */
export { Simulator } from '#native';
export { type Config, type ConfigInput, configFrom } from './config.js';
export {
  type Ask,
  type BookDepth,
  type BookInfo,
  type Cure,
  Engine,
  type EngineListener,
  type EngineOptions,
  type EngineStats,
  type InstrumentInfo,
  type InstrumentScale,
  type OrderInfo,
  type OrderStats,
  openEngine,
  STREAM,
  startIdNow,
} from './engine.js';
export { DepthwireError } from './errors.js';
export { RecordingReader } from './ingest/recording-reader.js';
export { EVERYTHING_NS, type Sink, type Source } from './ingest/source.js';
export { unzstd } from './ingest/unzstd-stream.js';
export { FeedServer } from './publish/server.js';
export {
  type FeedSource,
  type ServedFeed,
  type ServedFeedOptions,
  serveFeed,
  simulatedVenue,
} from './served-feed.js';
export type { ExactMantissas, Level } from './wire/level.js';
