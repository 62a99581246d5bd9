import type {
  BookInfo,
  DefinedInstruments,
  EngineStats,
  ErrorInfo,
  InstrumentInfo,
  LiquidationInfo,
  MemberInfo,
  OrderInfo,
  RecordedSetup,
  RecordStatus,
  StageTimes,
  StreamPlace,
  TickerInfo,
  VenueParts,
} from '#native';

/** The addon's engine, as far as `Engine` calls it. Returned numbers are bit sets of `OUTPUT`, `MORE` and `ERROR`. */
export interface NativeEngine {
  instruments(): InstrumentInfo[];
  instrument(id: number): InstrumentInfo;
  addInstrument(
    name: string,
    priceExponent?: number,
    qtyExponent?: number,
    tickSize?: number,
    lotSize?: number,
  ): number;
  detect(bytes: Uint8Array): string[];
  setUp(bytes: Uint8Array): boolean;
  openRecorded(instruments: Uint32Array): number;
  openSource(venue: string, instruments: Uint32Array): number;
  open(venue: string): number;
  carry(source: number, instruments: Uint32Array): void;
  carryBesideBooks(source: number, instruments: Uint32Array): void;
  succeed(source: number, predecessor: number): void;
  outstanding(source: number): number;
  drop(source: number, instrument: number): number;
  opened(source: number): number;
  define(venue: string, answer: Uint8Array, symbols: Uint8Array): DefinedInstruments;
  asked(source: number, text: Uint8Array): void;
  /** The function that takes received frames: bound to the engine, for that costs a quarter of a method's call. */
  ingester(): (source: number, bytes: Uint8Array) => number;
  ingestSnapshot(instrument: number, ticket: number, bytes: Uint8Array): number;
  snapshotFailed(instrument: number): void;
  ingestRecording(source: number, bytes: Uint8Array, untilNs: bigint, last: boolean): number;
  sourceFailed(source: number): number;
  sourceEnded(source: number): number;
  expectOthers(source: number): number;
  resetSource(source: number): number;
  hold(): number;
  recordedNs(): bigint;
  release(): number;
  tick(): number;
  pump(): number;
  image(instrument: number, stream: number, out: Uint8Array): number;
  openDepth(instrument: number, depth: number, intervalMs: number, grouping?: bigint): number;
  openVolumes(instrument: number, intervalMs: number, grouping?: bigint): number;
  keepVolumes(instrument: number): void;
  openCosts(instrument: number, intervalMs: number, quantities: BigUint64Array, bps: Uint32Array): number;
  openSignals(
    instrument: number,
    intervalMs: number,
    windowMs: number,
    vpinVolume: bigint,
    vpinBuckets: number,
  ): number;
  closeView(instrument: number, stream: number): void;
  place(instrument: number, stream: number): StreamPlace;
  bring(instrument: number, stream: number, epoch: bigint, seq: bigint, by: BringBy, out: Uint8Array): number;
  brought(): Brought;
  consolidate(symbol: string, members: Uint32Array, same: string): number;
  members(instrument: number): MemberInfo[] | null;
  venueParts(instrument: number, depth: number): VenueParts;
  openOrders(instrument: number): number;
  listing(instrument: number): string;
  closeOrders(instrument: number): void;
  shareBook(instrument: number, memory: Uint8Array): void;
  levels(instrument: number, depth: number, out: Uint8Array): number;
  book(instrument: number): BookInfo;
  stats(): EngineStats;
  stageTimes(): StageTimes | null;
  published(): void;
  lastError(): ErrorInfo | null;
  digest(instrument: number): string;
  ordersDigest(instrument: number): string;
  order(instrument: number, id: bigint | string): OrderInfo | null;
  ticker(instrument: number): TickerInfo | null;
  liquidation(instrument: number): LiquidationInfo | null;
  trading(instrument: number): string;
  record(
    folder: string,
    journal: bigint,
    sync: string,
    segmentBytes: number,
    flushMs: number,
    seal: boolean,
    keepBytes: number,
    keepMs: number,
  ): void;
  recordedCheckpoint(source: number, instrument: number): RecordedSetup[];
  recordedEntries(source: number): number;
  segmentBegun(bytes: Uint8Array): bigint | null;
  recording(): RecordStatus | null;
  endRecording(): RecordStatus | null;
  nowNs(): bigint;
  close(): void;
}

/** What signals are computed of. */
export interface SignalParams {
  /** The window of those that have one, 1,000 to 3,600,000 ms. */
  readonly windowMs: number;
  /** Volume of a bucket of VPIN in units of the instrument's quantity mantissa; absent = VPIN is not told. */
  readonly vpinVolume?: bigint;
  /** Buckets of it, 1 to 256; default 50. */
  readonly vpinBuckets?: number;
}

/** What a reader that was away wants: every frame that it missed, or their net change. */
export type BringBy = 'range' | 'net';

/**
 * What brings a reader to the present of a stream. `nothing`: it is there already; or the book is not synced, of which the
 * status frame tells it. `image` is without bytes where there is none yet, and the next one is to be waited for.
 */
export type Brought = 'nothing' | 'range' | 'net' | 'image';
