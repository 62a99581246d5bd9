/** The engine in the process that imports it. */
export {
  type BookInfo,
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
export { EVERYTHING_NS } from './ingest/source.js';
