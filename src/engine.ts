import {
  type BookInfo,
  type DefinedInstrument,
  type DefinedInstruments,
  type EngineStats,
  type ErrorInfo,
  type InstrumentInfo,
  type LiquidationInfo,
  Engine as NativeEngineClass,
  type InstrumentPage as NativeInstrumentPage,
  instrumentName as nativeInstrumentName,
  instrumentPage as nativeInstrumentPage,
  venues as nativeVenues,
  type OrderInfo,
  type OrderStats,
  type StreamPlace,
  type TickerInfo,
  type VenueInfo,
} from '#native';
import { codeOf, DepthwireError, shown } from './errors.js';
import { ERROR, MORE, OUTPUT, RING } from './wire/generated/constants.js';

export { ERROR, MORE, OUTPUT, RING, STREAM } from './wire/generated/constants.js';

export type {
  BookInfo,
  DefinedInstrument,
  EngineStats,
  ErrorInfo,
  InstrumentInfo,
  LiquidationInfo,
  OrderInfo,
  OrderStats,
  StreamPlace,
  TickerInfo,
  VenueInfo,
};

/** How an instrument's numbers are scaled; what is not given is as its venue's messages are. */
export interface InstrumentScale {
  readonly priceExponent?: number | undefined;
  readonly qtyExponent?: number | undefined;
  readonly tickSize?: number | undefined;
  readonly lotSize?: number | undefined;
}

/** The addon's engine, as far as this file calls it. Returned numbers are bit sets of `OUTPUT`, `MORE` and `ERROR`. */
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
  tick(): number;
  pump(): number;
  image(instrument: number, stream: number, out: Uint8Array): number;
  openDepth(instrument: number, depth: number, intervalMs: number, grouping?: bigint): number;
  closeDepth(instrument: number, stream: number): void;
  place(instrument: number, stream: number): StreamPlace;
  bring(instrument: number, stream: number, epoch: bigint, seq: bigint, by: BringBy, out: Uint8Array): number;
  brought(): Brought;
  openOrders(instrument: number): number;
  closeOrders(instrument: number): void;
  shareBook(instrument: number, memory: Uint8Array): void;
  book(instrument: number): BookInfo;
  stats(): EngineStats;
  lastError(): ErrorInfo | null;
  digest(instrument: number): string;
  ordersDigest(instrument: number): string;
  order(instrument: number, id: bigint | string): OrderInfo | null;
  ticker(instrument: number): TickerInfo | null;
  liquidation(instrument: number): LiquidationInfo | null;
  trading(instrument: number): string;
  nowNs(): bigint;
  close(): void;
}

/** What a reader that was away wants: every frame that it missed, or their net change. */
export type BringBy = 'range' | 'net';

/**
 * What brings a reader to the present of a stream. `nothing`: it is there already; or the book is not synced, of which the
 * status frame tells it. `image` is without bytes where there is none yet, and the next one is to be waited for.
 */
export type Brought = 'nothing' | 'range' | 'net' | 'image';

/** What mends a book: a snapshot that is asked for, another subscription, another connection. */
export type Cure = keyof typeof RING.asked;

/** A book's wish for what mends it, repeated with a growing pause until it is mended. */
export interface Ask {
  readonly instrument: number;
  /** The answer, where there is one to hand in, must bring it back. */
  readonly ticket: number;
  readonly cure: Cure;
  /** Why the book is not synced, as an index into `SERVER_REASONS`. */
  readonly reason: number;
}

/**
 * Who takes what the engine puts out. Called inside the call that caused it, where the engine's inputs and `close` throw
 * `engine.reentrant`, and have no effect; everything else may be called.
 */
export interface EngineListener {
  /** One feed frame. The view is valid during the call only: its memory is the ring's. */
  onFrame(instrument: number, stream: number, frame: Uint8Array): void;
  /**
   * Called in place of `onFrame` where it is there: the frame is the `size` bytes of `ring` at `offset`, a multiple of 8.
   * `ring` is the same for all frames, so that none costs a view; its bytes are the frame's during the call only.
   */
  onFrameBytes?(instrument: number, stream: number, ring: Uint8Array, offset: number, size: number): void;
  /** The engine needs what mends a book; see `Ask`. */
  onAsk(ask: Ask): void;
  /** A source must say this back to its venue, as in an answer to a heartbeat. The view is valid during the call only. */
  onSay(source: number, text: Uint8Array): void;
  /** An input was wrong; the engine has gone on. Not called for each when several share one input. */
  onFault(error: DepthwireError): void;
}

export interface EngineOptions {
  /** Names this start of the process in every epoch. */
  readonly startId: number;
  /** A book whose venue is silent for longer turns stale; 0 = never, absent = as each product allows. */
  readonly silenceMs?: number | undefined;
  /** Time comes from the recording, and frames say so. */
  readonly replay: boolean;
  /** A power of two, from 4 MiB to 1 GiB. */
  readonly outputBytes: number;
  /** Memory for published frames that are kept for readers who come back, up to 64 GiB; 0 or absent = nothing is kept. */
  readonly historyBytes?: number | undefined;
  /** What one stream may keep of it; absent = 1 MiB. */
  readonly historyStreamBytes?: number | undefined;
  /** How long frames are kept at most; absent = 30,000. */
  readonly historyMs?: number | undefined;
}

/** Cures by number. */
const CURES = Object.fromEntries(
  Object.entries(RING.asked).map(([cure, number]) => [number, cure as Cure]),
) as Readonly<Record<number, Cure>>;

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

/** The addon's declarations know absent options, but none that are `undefined`. */
function withoutAbsent({
  startId,
  replay,
  ...rest
}: Omit<EngineOptions, 'outputBytes'>): ConstructorParameters<typeof NativeEngineClass>[0] {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { startId, replay, ...Object.fromEntries(given) };
}

function ringOf(outputBytes: number): SharedArrayBuffer {
  try {
    if (Number.isInteger(outputBytes)) return new SharedArrayBuffer(RING.controlBytes + outputBytes);
  } catch {
    // Not of a size that can be had: as wrong as one that is no integer.
  }
  throw new DepthwireError('addon.output_memory', {
    what: 'no output ring of this size can be had',
    where: 'outputBytes',
    expected: 'a power of two from 4 MiB to 1 GiB that the machine has room for',
    got: shown(outputBytes),
    fix: 'Pass a power of two, such as 16777216.',
  });
}

/** How each product of each venue behaves, as the core has it. */
export function venues(): readonly VenueInfo[] {
  return guarded(() => nativeVenues());
}

/** An instrument as its venue lists it. */
export interface ListedInstrument extends Omit<InstrumentInfo, 'id'> {
  /** `unknown`, `trading`, `halted`, `auction`, `limited` or `closed`. */
  readonly status: string;
}

/** A page of a venue's list. */
export interface InstrumentPage extends Omit<NativeInstrumentPage, 'instruments'> {
  readonly instruments: readonly ListedInstrument[];
}

/** Reads the untouched answer of a product's endpoint of instruments. Throws `decode.*` for one that is none. */
export function instrumentPage(venue: string, answer: Uint8Array): InstrumentPage {
  const page = guarded(() => nativeInstrumentPage(venue, answer));
  const instruments = page.instruments.map(({ instrument: { id: _, ...listed }, status }) => ({
    ...listed,
    status,
  }));
  return { ...page, instruments };
}

/** The name of an instrument by any of the names that its venue has for it. Throws `instrument.*`. */
export function instrumentName(name: string): string {
  return guarded(() => nativeInstrumentName(name));
}

/** As `instrumentName`; undefined for what is no name. */
export function instrumentNameIfAny(name: string): string | undefined {
  try {
    return instrumentName(name);
  } catch (error) {
    if (error instanceof DepthwireError) return undefined;
    throw error;
  }
}

/** A number for this start of the process: tenths of a second, so that a later start has a greater one for 13 years. */
export function startIdNow(): number {
  return Math.floor(Date.now() / 100) >>> 0;
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
  #output: SharedArrayBuffer;
  #words: Uint32Array;
  #halves: Uint16Array;
  #bytes: Uint8Array;
  readonly #capacity: number;
  /** The listener is being called. */
  #isSettling = false;

  constructor(native: NativeEngine, output: SharedArrayBuffer, listener: EngineListener) {
    this.#native = native;
    this.#ingest = native.ingester();
    this.#listener = listener;
    this.#output = output;
    this.#words = new Uint32Array(output);
    this.#halves = new Uint16Array(output);
    this.#bytes = new Uint8Array(output);
    this.#capacity = output.byteLength - RING.controlBytes;
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
      const consumed = this.#words[RING.control.consumed] ?? 0;
      used += consumed;
      this.#settle(flags);
      if ((flags & MORE) === 0 || consumed === 0) return used;
    }
  }

  /** Time of the next line after `ingestRecording`; 0 = the bytes hold no further whole line. */
  get nextNs(): bigint {
    const { nextLow, nextHigh } = RING.control;
    return (BigInt(this.#words[nextHigh] ?? 0) << 32n) | BigInt(this.#words[nextLow] ?? 0);
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

  /** Time passes. At least every 50 ms. */
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
   * The stream of a depth view, counted: each call needs a `closeDepth`. `grouping` sums levels into price buckets of that
   * width, in units of the instrument's price mantissa; absent or 0n = levels as they are. Throws `engine.views_full`, and
   * `engine.view_grouping` where it is no multiple of the tick.
   */
  openDepth(instrument: number, depth: number, intervalMs: number, grouping?: bigint): number {
    return guarded(() => this.#native.openDepth(instrument, depth, intervalMs, grouping));
  }

  closeDepth(instrument: number, stream: number): void {
    guarded(() => this.#native.closeDepth(instrument, stream));
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

  closeOrders(instrument: number): void {
    guarded(() => this.#native.closeOrders(instrument));
  }

  /**
   * Keeps the best levels of a book in shared memory, for `SharedBook` of any thread. They follow each input, in
   * `ingestRecording` its end. Memory that this book had before is closed, as all is when the engine is closed or collected.
   * The memory must belong to one book only. Throws `addon.book_memory`.
   */
  shareBook(instrument: number, memory: Uint8Array): void {
    guarded(() => this.#native.shareBook(instrument, memory));
  }

  book(instrument: number): BookInfo {
    return guarded(() => this.#native.book(instrument));
  }

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
    this.#output = new SharedArrayBuffer(0);
    this.#words = new Uint32Array(this.#output);
    this.#halves = new Uint16Array(this.#output);
    this.#bytes = new Uint8Array(this.#output);
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
      if ((now & OUTPUT) !== 0) this.#drain();
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

  #drain(): void {
    const words = this.#words;
    const listener = this.#listener;
    const { write: writeAt, read: readAt } = RING.control;
    const write = Atomics.load(words, writeAt);
    let read = words[readAt] ?? 0;
    try {
      while (read !== write) {
        const offset = read % this.#capacity;
        const at = RING.controlBytes + offset;
        const type = this.#halves[(at >> 1) + 2];
        if (type === RING.type.pad) {
          read = (read + this.#capacity - offset) >>> 0;
          continue;
        }
        const size = words[at >> 2] ?? 0;
        if (offset + RING.headerBytes + size > this.#capacity) throw corrupt(offset, size);
        // Moved on before the listener runs, so that one that throws does not see the record twice.
        read = (read + RING.headerBytes + ((size + 7) & ~7)) >>> 0;
        const instrument = words[(at >> 2) + 2] ?? 0;
        const payload = at + RING.headerBytes;
        if (type === RING.type.frame) {
          const stream = this.#halves[(at >> 1) + 3] ?? 0;
          if (listener.onFrameBytes === undefined)
            listener.onFrame(instrument, stream, new Uint8Array(this.#output, payload, size));
          else listener.onFrameBytes(instrument, stream, this.#bytes, payload, size);
        } else if (type === RING.type.ask) {
          const what = words[(payload >> 2) + 1] ?? 0;
          const cure = CURES[(what >> 8) & 0xff];
          const ticket = words[payload >> 2] ?? 0;
          if (cure !== undefined) listener.onAsk({ instrument, ticket, cure, reason: what & 0xff });
        } else if (type === RING.type.say) {
          listener.onSay(instrument, new Uint8Array(this.#output, payload, size));
        }
      }
    } finally {
      Atomics.store(words, readAt, read);
    }
  }

  #report(): void {
    const info = this.#native.lastError();
    if (info !== null) this.#listener.onFault(new DepthwireError(info.code, info));
  }
}

function corrupt(offset: number, size: number): DepthwireError {
  return new DepthwireError('engine.ring', {
    what: 'a record of the output ring does not fit in it',
    where: `ring offset ${offset}`,
    expected: 'a record that ends inside the ring',
    got: `${size} bytes`,
    fix: 'The addon and this package are of different builds: run npm run build.',
  });
}

function reentrant(input: string): DepthwireError {
  return new DepthwireError('engine.reentrant', {
    what: 'an input of the engine was called by its own listener',
    where: input,
    expected: 'inputs after the call that the listener is part of has ended',
    got: `${input}() inside it`,
    fix: 'Call it in a later turn: setImmediate, queueMicrotask or a queue of your own.',
  });
}

function instrumentIds(instruments: readonly number[]): Uint32Array {
  const ids = Uint32Array.from(instruments, Number);
  const bent = ids.findIndex((id, at) => id !== instruments[at]);
  if (bent !== -1) throw notAnInstrument(instruments[bent]);
  return ids;
}

function notAnInstrument(id: unknown): DepthwireError {
  return new DepthwireError('addon.not_an_integer', {
    what: 'wrong instrument',
    where: 'engine',
    expected: `an integer from 0 to ${2 ** 32 - 1}`,
    got: shown(id),
    fix: 'Pass the id that instruments() lists.',
  });
}

/** Runs a call into the addon and gives what it throws this package's type. */
function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw typed(error);
  }
}

/** The addon's error, of which each part has a line of its own, as this package's. */
function typed(error: unknown): DepthwireError {
  if (error instanceof DepthwireError) return error;
  const message = error instanceof Error ? error.message : shown(error);
  const code = codeOf(error);
  // JavaScript's own errors, of arguments that are not even of the declared kind.
  if (!/^[a-z]+\.[a-z_]+$/.test(code)) {
    return new DepthwireError('engine.wrong_argument', {
      what: 'an argument is not what the declarations say',
      where: 'engine',
      expected: 'arguments of the declared types',
      got: message,
      fix: 'Let a TypeScript compiler check the call.',
      cause: error,
    });
  }
  const [, what = message, expected = '', got = '', fix = ''] =
    /^(.*)\nexpected: (.*)\ngot: (.*)\nfix: (.*)$/.exec(message) ?? [];
  return new DepthwireError(code, {
    what,
    where: 'engine',
    expected,
    got,
    fix: fix || 'Change what was handed in so that it matches what was expected.',
    cause: error,
  });
}
