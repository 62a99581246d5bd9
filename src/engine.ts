import { randomBytes } from 'node:crypto';
import {
  type BookInfo,
  type DefinedInstrument,
  type EngineStats,
  type InstrumentInfo,
  type LiquidationInfo,
  type MemberInfo,
  Engine as NativeEngineClass,
  type OrderInfo,
  type RecordedSetup,
  type RecordStatus,
  type StageTimes,
  type StreamPlace,
  type TickerInfo,
  type VenueParts,
} from '#native';
import { type BookDepth, DepthReader } from './engine/book-depth.js';
import { costBands, costQuantities } from './engine/cost-rows.js';
import { guarded, instrumentIds, reentrant, typed } from './engine/guarded.js';
import type { InstrumentScale } from './engine/instruments.js';
import type { EngineListener } from './engine/listener.js';
import type { BringBy, Brought, NativeEngine, SignalParams } from './engine/native.js';
import { type EngineOptions, withoutAbsent } from './engine/options.js';
import { FLUSH_MS, type RecordOptions, SEGMENT_BYTES } from './engine/record-options.js';
import { OutputRing, ringOf } from './engine/ring.js';
import { DepthwireError } from './errors.js';
import { ERROR, MORE, OUTPUT, VPIN_BUCKETS } from './wire/generated/constants.js';

export type {
  BookInfo,
  DefinedInstrument,
  EngineStats,
  ErrorInfo,
  InstrumentInfo,
  LiquidationInfo,
  MemberInfo,
  OrderInfo,
  OrderStats,
  RecordedSetup,
  RecordStatus,
  StageTime,
  StageTimes,
  StreamPlace,
  TickerInfo,
  VenueInfo,
  VenueParts,
} from '#native';
export type { BookDepth } from './engine/book-depth.js';
export {
  type InstrumentPage,
  type InstrumentScale,
  instrumentName,
  instrumentNameIfAny,
  instrumentPage,
  type ListedInstrument,
  venues,
} from './engine/instruments.js';
export type { Ask, Cure, EngineListener } from './engine/listener.js';
export type { BringBy, Brought, NativeEngine, SignalParams } from './engine/native.js';
export { type EngineOptions, startIdNow } from './engine/options.js';
export type { RecordOptions } from './engine/record-options.js';
export { ERROR, MORE, OUTPUT, RING, STREAM } from './wire/generated/constants.js';

/** Rounds of drain and pump after one input. A round moves a ringful, so this is more than any book can hold. */
const PUMP_ROUNDS_MAX = 1_000_000;

/**
 * Opens the addon's engine over a new ring. Throws `addon.not_an_integer` and the like for options out of their range, and
 * `addon.output_memory` when the ring cannot be had. An engine that is dropped is collected some time; `close` gives its
 * memory back at once.
 */
export function openEngine(options: EngineOptions, listener: EngineListener): Engine {
  return guarded(() => {
    const { outputBytes, ...given } = options;
    const output = ringOf(outputBytes);
    const native = new NativeEngineClass(withoutAbsent(given), new Uint8Array(output));
    return new Engine(native, output, listener);
  });
}

/**
 * The engine as TypeScript sees it: each input is one call into the addon, after which everything that it put out has
 * gone to the listener. Costs one view per frame where the listener takes views, and allocates nothing else.
 *
 * Every method throws `addon.not_an_integer` for a number that is none or out of its range, `addon.not_bytes` and the like
 * for a value of another type, and `addon.closed` after `close`. Bytes may be of shared memory, which is copied first; of
 * plain memory no asynchronous read into it may be under way.
 */
export class Engine {
  readonly #native: NativeEngine;
  readonly #ingest: (source: number, bytes: Uint8Array) => number;
  readonly #listener: EngineListener;
  readonly #ring: OutputRing;
  readonly #depths: DepthReader;
  /** The listener is being called. */
  #isSettling = false;

  constructor(native: NativeEngine, output: SharedArrayBuffer, listener: EngineListener) {
    this.#native = native;
    this.#ingest = native.ingester();
    this.#listener = listener;
    this.#ring = new OutputRing(output);
    this.#depths = new DepthReader(native);
  }

  /** The catalogue by name, as scaled now: one list more with each call. */
  instruments(): readonly InstrumentInfo[] {
    return guarded(() => this.#native.instruments());
  }

  /** One instrument, as scaled now. Throws `engine.unknown_instrument`. */
  instrument(id: number): InstrumentInfo {
    return guarded(() => this.#native.instrument(id));
  }

  /** Adds an instrument or changes its scale, before a source speaks for it. Throws `instrument.*`. */
  addInstrument(name: string, scale: InstrumentScale = {}): number {
    return guarded(() => {
      const { priceExponent, qtyExponent, tickSize, lotSize } = scale;
      return this.#native.addInstrument(name, priceExponent, qtyExponent, tickSize, lotSize);
    });
  }

  /** Names of the instruments whose streams a recording's first bytes hold. Throws `decode.*` when it is none. */
  detect(bytes: Uint8Array): readonly string[] {
    return guarded(() => this.#native.detect(bytes));
  }

  /**
   * Whether a recording's first bytes say how its connections were taken, as journals of live servers do: it may be of several
   * venues, and is opened by `openRecorded`. Instruments without a book are scaled as it lists them. Throws `instrument.*`.
   */
  setUp(bytes: Uint8Array): boolean {
    return guarded(() => this.#native.setUp(bytes));
  }

  /** Opens such a recording for these instruments, and their books. What it tells of others is passed over. */
  openRecorded(instruments: readonly number[]): number {
    return guarded(() => this.#native.openRecorded(instrumentIds(instruments)));
  }

  /**
   * What a journal of the rest of a recording begins with, as far as that was read and for one instrument: how its connections are
   * taken, what is remembered of each, and the book, where it is synced.
   */
  recordedCheckpoint(source: number, instrument: number): readonly RecordedSetup[] {
    return guarded(() => this.#native.recordedCheckpoint(source, instrument));
  }

  /** Entries of a recording that were taken since it was opened. */
  recordedEntries(source: number): number {
    return guarded(() => this.#native.recordedEntries(source));
  }

  /** When a segment of a journal was begun, by its first bytes, ns since the epoch; null where they are of none. */
  segmentBegun(bytes: Uint8Array): bigint | null {
    return guarded(() => this.#native.segmentBegun(bytes));
  }

  /**
   * Records from now on what the engine is told, as a journal: `verify` proves it, a replay is the same to the byte. Before the
   * first connection is opened. Costs a copy of each input (83 ns for one of 444 bytes); files are written by a thread of their own. What goes wrong with
   * them costs records, never books, and is in `recording`. Throws `journal.late`, `journal.full` and `journal.unwritable`.
   */
  record(options: RecordOptions): void {
    guarded(() => {
      const { folder, sync = 'none', segmentBytes = SEGMENT_BYTES, flushMs = FLUSH_MS } = options;
      const { seal = true, keepBytes = 0, keepMs = 0 } = options;
      const journal = randomBytes(8).readBigUInt64LE();
      this.#native.record(folder, journal, sync, segmentBytes, flushMs, seal, keepBytes, keepMs);
    });
  }

  /** How far the record has come; null where none was begun. */
  recording(): RecordStatus | null {
    return guarded(() => this.#native.recording());
  }

  /** Ends the record, and waits until its files are whole, as `close` does. Null where none is under way. */
  endRecording(): RecordStatus | null {
    return guarded(() => this.#native.endRecording());
  }

  /** Opens a connection of a venue and the books of its instruments. */
  openSource(venue: string, instruments: readonly number[]): number {
    return guarded(() => this.#native.openSource(venue, instrumentIds(instruments)));
  }

  /** One received frame, which may be reused after the call. */
  ingest(source: number, frame: Uint8Array): void {
    if (this.#isSettling) throw reentrant('ingest');
    let flags: number;
    try {
      flags = this.#ingest(source, frame);
    } catch (error) {
      throw typed(error);
    }
    this.#settle(flags);
  }

  /** The answer to the snapshot request of that ticket; one that is void by now is a fault, not taken. */
  ingestSnapshot(instrument: number, ticket: number, answer: Uint8Array): void {
    if (this.#isSettling) throw reentrant('ingestSnapshot');
    this.#settle(guarded(() => this.#native.ingestSnapshot(instrument, ticket, answer)));
  }

  /** A snapshot request cannot be answered; the engine asks again, later each time. */
  snapshotFailed(instrument: number): void {
    guarded(() => this.#native.snapshotFailed(instrument));
  }

  /**
   * Whole lines or messages of a recording, up to the first that is later than `untilNs`. Returns the bytes used; `nextNs`
   * then holds the time of the one that waits. `last`: no more bytes follow.
   */
  ingestRecording(source: number, lines: Uint8Array, untilNs: bigint, last = false): number {
    if (this.#isSettling) throw reentrant('ingestRecording');
    let used = 0;
    // Each round uses at least one line or is the last, so the lines bound it.
    for (;;) {
      const rest = used === 0 ? lines : lines.subarray(used);
      const flags = guarded(() => this.#native.ingestRecording(source, rest, untilNs, last));
      const consumed = this.#ring.consumed;
      used += consumed;
      this.#settle(flags);
      if ((flags & MORE) === 0 || consumed === 0) return used;
    }
  }

  /** Time of the next line after `ingestRecording`; 0 = the bytes hold no further whole line. */
  get nextNs(): bigint {
    return this.#ring.nextNs;
  }

  /** The source has lost something for good: its books are stale until the venue's numbers or a snapshot prove them. */
  sourceFailed(source: number): void {
    if (this.#isSettling) throw reentrant('sourceFailed');
    this.#settle(guarded(() => this.#native.sourceFailed(source)));
  }

  /** Nothing more comes from the source: packets that waited for its other line are used, and what lacks is a gap. */
  sourceEnded(source: number): void {
    if (this.#isSettling) throw reentrant('sourceEnded');
    this.#settle(guarded(() => this.#native.sourceEnded(source)));
  }

  /** The source will speak of instruments that it was not opened for: a snapshot that names none is nobody's. */
  expectOthers(source: number): void {
    if (this.#isSettling) throw reentrant('expectOthers');
    this.#settle(guarded(() => this.#native.expectOthers(source)));
  }

  /** Opens a connection of a venue that speaks for no instrument yet. Throws `engine.full`, or of a venue that is none. */
  open(venue: string): number {
    return guarded(() => this.#native.open(venue));
  }

  /**
   * Lets a connection speak for instruments, too, and makes the books of those that no other one carries. One that several
   * carry has several lines: each message counts once, by the venue's numbers.
   */
  carry(source: number, instruments: readonly number[]): void {
    if (this.#isSettling) throw reentrant('carry');
    guarded(() => this.#native.carry(source, instrumentIds(instruments)));
  }

  /**
   * Lets a connection speak for what a venue tells of instruments beside their books, such as trades on a connection of
   * their own. It is no line of their books.
   */
  carryBesideBooks(source: number, instruments: readonly number[]): void {
    if (this.#isSettling) throw reentrant('carryBesideBooks');
    guarded(() => this.#native.carryBesideBooks(source, instrumentIds(instruments)));
  }

  /**
   * A connection takes the place of another one, which is going to be dropped: books that nothing numbers are its own from
   * the first whole book on that it brings.
   */
  succeed(source: number, predecessor: number): void {
    if (this.#isSettling) throw reentrant('succeed');
    guarded(() => this.#native.succeed(source, predecessor));
  }

  /** Books of its predecessor that a connection has still to tell: an update of numbered ones, the whole of others. */
  outstanding(source: number): number {
    return guarded(() => this.#native.outstanding(source));
  }

  /** A connection speaks for an instrument no more; its book is syncing where no other carries it. */
  drop(source: number, instrument: number): void {
    if (this.#isSettling) throw reentrant('drop');
    this.#settle(guarded(() => this.#native.drop(source, instrument)));
  }

  /** What was asked of the venue on a connection: its address, a subscription that was sent. */
  asked(source: number, text: Uint8Array): void {
    guarded(() => this.#native.asked(source, text));
  }

  /** A connection was made anew. Books go on where the venue's numbers say so. */
  opened(source: number): void {
    if (this.#isSettling) throw reentrant('opened');
    this.#settle(guarded(() => this.#native.opened(source)));
  }

  /**
   * Takes over what a venue's list says of those of these symbols that it has: increments, digits, terms. Books go on, finer
   * where they must be, in a new epoch. `answer` is that of the product's endpoint, untouched. Throws `decode.*`.
   */
  define(venue: string, answer: Uint8Array, symbols: readonly string[]): readonly DefinedInstrument[] {
    if (this.#isSettling) throw reentrant('define');
    const { flags, instruments } = guarded(() => {
      const lines = new TextEncoder().encode(symbols.join('\n'));
      return this.#native.define(venue, answer, lines);
    });
    this.#settle(flags);
    return instruments;
  }

  /** The venue restarts: every book of the source syncs anew, in a new epoch. */
  resetSource(source: number): void {
    if (this.#isSettling) throw reentrant('resetSource');
    this.#settle(guarded(() => this.#native.resetSource(source)));
  }

  /** The time of the recording that was reached last, ns since the epoch; 0 = none was. */
  get recordedNs(): bigint {
    return guarded(() => this.#native.recordedNs());
  }

  /** Every book is syncing to its readers and nothing is published, until `release`: a recording runs to another time. */
  hold(): void {
    if (this.#isSettling) throw reentrant('hold');
    this.#settle(guarded(() => this.#native.hold()));
  }

  /** Ends `hold`: what is exact opens a new epoch, with an image of every stream. */
  release(): void {
    if (this.#isSettling) throw reentrant('release');
    this.#settle(guarded(() => this.#native.release()));
  }

  /** Time passes. At least every 50 ms while frames come out, else every 100: what is due by time alone comes so much later at most. */
  tick(): void {
    if (this.#isSettling) throw reentrant('tick');
    this.#settle(guarded(() => this.#native.tick()));
  }

  /**
   * Writes the current image; returns its bytes, 0 = there is none, negative = minus the bytes that it needs. Throws
   * `addon.shared_output` for shared memory, since another thread could see it half written.
   */
  image(instrument: number, stream: number, out: Uint8Array): number {
    return guarded(() => this.#native.image(instrument, stream, out));
  }

  /**
   * The stream of a depth view, counted: each call needs a `closeView`. `grouping` sums levels into price buckets of that
   * width, in units of the instrument's price mantissa; absent or 0n = levels as they are. Throws `engine.views_full`, and
   * `engine.view_grouping` where it is no multiple of the tick.
   */
  openDepth(instrument: number, depth: number, intervalMs: number, grouping?: bigint): number {
    return guarded(() => this.#native.openDepth(instrument, depth, intervalMs, grouping));
  }

  /**
   * The stream of what has traded at prices, counted: each call needs a `closeView`. `grouping` sums prices into buckets of that
   * width, as for `openDepth`. The first call for an instrument begins its profile, which stays until `close`. Throws as
   * `openDepth`.
   */
  openVolumes(instrument: number, intervalMs: number, grouping?: bigint): number {
    return guarded(() => this.#native.openVolumes(instrument, intervalMs, grouping));
  }

  /** Begins the profile of an instrument's volumes before anybody asks for it; one that has begun goes on. */
  keepVolumes(instrument: number): void {
    guarded(() => this.#native.keepVolumes(instrument));
  }

  /**
   * The stream of what quantities cost on each side, and of what stands within so many basis points of the mid, counted: each
   * call needs a `closeView`. Quantities are in units of the instrument's quantity mantissa. Throws `engine.costs` for none, more than 16
   * of both, a quantity outside 1 to 2^63 - 1 or basis points that are no integer from 1 to 10,000, and `engine.views_full`.
   */
  openCosts(
    instrument: number,
    intervalMs: number,
    quantities: readonly bigint[],
    bps: readonly number[] = [],
  ): number {
    return guarded(() =>
      this.#native.openCosts(instrument, intervalMs, costQuantities(quantities), costBands(bps)),
    );
  }

  /**
   * The stream of an instrument's signals, counted: each call needs a `closeView`. They are of what comes from now on. Throws
   * `engine.signals` for a window outside 1,000 to 3,600,000 ms or more than 256 buckets, and `engine.views_full`.
   */
  openSignals(instrument: number, intervalMs: number, params: SignalParams): number {
    return guarded(() => {
      const { windowMs, vpinVolume = 0n, vpinBuckets = VPIN_BUCKETS } = params;
      return this.#native.openSignals(instrument, intervalMs, windowMs, vpinVolume, vpinBuckets);
    });
  }

  /** Ends a view. Its stream's number may be another view's later, which then goes on counting. */
  closeView(instrument: number, stream: number): void {
    guarded(() => this.#native.closeView(instrument, stream));
  }

  /** Where a stream stands; zeros where it has published nothing yet. */
  place(instrument: number, stream: number): StreamPlace {
    return guarded(() => this.#native.place(instrument, stream));
  }

  /**
   * Writes the frames that bring a reader at that place of a stream to its present; returns their bytes, negative = minus the
   * bytes that they need. What they are is then in `brought`. Trades are never thinned: of them `net` is the range, too. A
   * place of another epoch, or one from which nothing is kept any more, is answered by an image. Called while the listener is
   * being called, the present is that of all that the input put out: what is still to be handed to the listener of it is
   * old news for the reader.
   */
  bring(
    instrument: number,
    stream: number,
    epoch: bigint,
    seq: bigint,
    by: BringBy,
    out: Uint8Array,
  ): number {
    return guarded(() => this.#native.bring(instrument, stream, epoch, seq, by, out));
  }

  /** What the last `bring` wrote. */
  get brought(): Brought {
    return guarded(() => this.#native.brought());
  }

  /**
   * The stream of an instrument's orders, counted: each call needs a `closeOrders`. It is written while somebody has opened it;
   * `image` joins it, or gives nothing while the orders are not exact: an image comes when they are. Throws `engine.no_orders`
   * where the venue names none.
   */
  openOrders(instrument: number): number {
    return guarded(() => this.#native.openOrders(instrument));
  }

  /** An instrument as a line of text, in which a journal of frames keeps it. Throws `engine.unknown_instrument`. */
  listing(instrument: number): string {
    return guarded(() => this.#native.listing(instrument));
  }

  /** Ends the stream of orders: changes are not told one by one any more. */
  closeOrders(instrument: number): void {
    guarded(() => this.#native.closeOrders(instrument));
  }

  /**
   * Makes `consolidated:SYMBOL` of the books of these instruments; each counts while its book is synced. `same`: words that mean
   * one asset, as `USD=USDT`. Throws `consolidated.members`, `consolidated.unit`, `consolidated.asset`.
   */
  consolidate(symbol: string, members: readonly number[], same: readonly string[] = []): number {
    return guarded(() => this.#native.consolidate(symbol, instrumentIds(members), same.join(' ')));
  }

  /** Who is in a consolidated book and who is not, in the order of its members; null for any other instrument. */
  members(instrument: number): readonly MemberInfo[] | null {
    return guarded(() => this.#native.members(instrument));
  }

  /** What the members of a consolidated book have at its best `depth` prices a side, and since when. */
  venueParts(instrument: number, depth: number): VenueParts {
    return guarded(() => this.#native.venueParts(instrument, depth));
  }

  /**
   * Keeps the best levels of a book in shared memory, for `SharedBook` of any thread. They follow each input, in
   * `ingestRecording` its end. Memory that this book had before is closed, as all is when the engine is closed or collected.
   * The memory must belong to one book only. Throws `addon.book_memory`.
   */
  shareBook(instrument: number, memory: Uint8Array): void {
    guarded(() => this.#native.shareBook(instrument, memory));
  }

  /** State, reason, place and best prices of a book. */
  book(instrument: number): BookInfo {
    return guarded(() => this.#native.book(instrument));
  }

  /**
   * The best `depth` levels a side with state and sequence, as they are after the last input; copies, which stay as they are.
   * Cost: the levels. A reader beside the engine's thread, or one that must not allocate, takes `shareBook`. Throws
   * `engine.unknown_instrument`.
   */
  depth(instrument: number, depth: number): BookDepth {
    return guarded(() => this.#depths.read(instrument, depth));
  }

  /** What all books and sources have counted since the engine was opened. */
  stats(): EngineStats {
    return guarded(() => this.#native.stats());
  }

  /** SHA-256 over the book's levels as shortest decimals. */
  digest(instrument: number): string {
    return guarded(() => this.#native.digest(instrument));
  }

  /** SHA-256 of what the book's own orders add up to. Throws `engine.no_orders` where the venue names none. */
  ordersDigest(instrument: number): string {
    return guarded(() => this.#native.ordersDigest(instrument));
  }

  /** A resting order by the venue's number or text, and what stands before it in its queue; null when there is none. */
  order(instrument: number, id: bigint | string): OrderInfo | null {
    return guarded(() => this.#native.order(instrument, id));
  }

  /** The last statistics of an instrument, mantissas at its exponents; null where the venue has told none. */
  ticker(instrument: number): TickerInfo | null {
    return guarded(() => this.#native.ticker(instrument));
  }

  /** The last position of an instrument that was closed by force; null where none was told. */
  liquidation(instrument: number): LiquidationInfo | null {
    return guarded(() => this.#native.liquidation(instrument));
  }

  /** Whether an instrument trades: `unknown`, `trading`, `halted`, `auction`, `limited` or `closed`. */
  trading(instrument: number): string {
    return guarded(() => this.#native.trading(instrument));
  }

  /**
   * Where the time of received frames goes, stage by stage; null where none are stamped (`stagesEvery`). Costs some milliseconds,
   * and an object for each stage and instrument.
   */
  stageTimes(): StageTimes | null {
    return guarded(() => this.#native.stageTimes());
  }

  /**
   * What the listener has been given was handed to those who send: the stage `published` ends for what is stamped of it. Costs a
   * call of the addon where anything is, else a look at memory.
   */
  published(): void {
    if (this.#ring.stamped > 0) guarded(() => this.#native.published());
  }

  /** The engine's time, ns since the Unix epoch: the clock's live, the recording's in a replay. */
  nowNs(): bigint {
    return guarded(() => this.#native.nowNs());
  }

  /**
   * Gives the engine's memory back at once and closes its shared books; the ring's goes when its views are collected. A
   * second call does nothing, any other throws `addon.closed`.
   */
  close(): void {
    if (this.#isSettling) throw reentrant('close');
    guarded(() => this.#native.close());
    this.#ring.release();
  }

  /** `using engine = openEngine(…)` closes it at the end of the block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #settle(flags: number): void {
    if (flags === 0) return;
    this.#isSettling = true;
    try {
      this.#takeOutput(flags);
    } finally {
      this.#isSettling = false;
    }
  }

  #takeOutput(flags: number): void {
    let now = flags;
    for (let round = 0; now !== 0; round++) {
      if ((now & OUTPUT) !== 0) this.#ring.drain(this.#listener);
      if ((now & ERROR) !== 0) this.#report();
      if ((now & MORE) === 0) return;
      if (round === PUMP_ROUNDS_MAX) {
        throw new DepthwireError('engine.pump', {
          what: 'the engine keeps saying that more output waits',
          where: 'output ring',
          expected: `at most ${PUMP_ROUNDS_MAX} rounds`,
          got: `${round} rounds`,
          fix: 'Report this with the input that led to it; restart the server to go on.',
        });
      }
      now = guarded(() => this.#native.pump());
    }
  }

  #report(): void {
    const info = this.#native.lastError();
    if (info !== null) this.#listener.onFault(new DepthwireError(info.code, info));
  }
}
