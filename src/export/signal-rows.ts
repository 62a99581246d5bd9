import type { FrameReader } from '../wire/frame.js';
import { SignalRows as FrameSignals } from '../wire/frame-computed.js';
import { Field } from '../wire/frame-table.js';
import { SIGNAL_NAMES, STATE } from '../wire/generated/constants.js';
import { Kind, Stream } from '../wire/protocol.js';
import { type Column, integer, placeColumns, type Schema, TRUST, word } from './columns.js';
import type { RowMaker } from './level-rows.js';
import { type Market, Markets, newMarket, PlaceWriter, TrustWriter } from './markets.js';
import type { LongData, NumberData, RowBatch, WordData } from './row-batch.js';

/** What a signal's flags say of one that is of less than its window. */
const PARTIAL = 2;

/** Signals by their numbers, those that there are. */
const SIGNALS = SIGNAL_NAMES.flatMap((name, id) => (name === 'none' ? [] : [{ id, name }]));
const PLACE_OF: ReadonlyMap<number, number> = new Map(SIGNALS.map(({ id }, place) => [id, place]));

const VALUES: readonly Column[] = [
  ...TRUST,
  integer('partial'),
  ...SIGNALS.map(({ name }): Column => ({ kind: 'number', name })),
];

export function signalSchema(instruments: readonly string[]): Schema {
  return { name: 'signals/1', columns: [...placeColumns(instruments), integer('ts_ns'), ...VALUES] };
}

export function signalSnapshotSchema(instruments: readonly string[]): Schema {
  const columns = [
    word('instrument', instruments),
    integer('ts_ns'),
    integer('epoch'),
    integer('sequence'),
    integer('venue_sequence'),
    ...VALUES,
  ];
  return { name: 'signal_snapshots/1', columns };
}

/** The signals of a market after one event. */
class Signals {
  /** A bit for each of them that is of less than its window, at its number; two words. */
  readonly partial = new Int32Array(2);
  /** When the last was received of what they are computed of, which may be trades behind the last change of the book; two words. */
  readonly time = new Int32Array(2);
  readonly words = new Int32Array(2 * SIGNALS.length);
  readonly exponents = new Int8Array(SIGNALS.length);
  readonly valid = new Uint8Array(SIGNALS.length);

  /** None has a value. */
  clear(): void {
    this.partial.fill(0);
    this.valid.fill(0);
  }

  /** The time of receipt of what says that there are none. */
  takeTime(ns: bigint): void {
    this.time[0] = Number(BigInt.asIntN(32, ns));
    this.time[1] = Number(BigInt.asIntN(32, ns >> 32n));
  }

  take(frame: FrameReader): void {
    this.clear();
    this.takeTime(frame.tsRecv);
    const signals = new FrameSignals(frame);
    for (let index = 0; index < signals.count; index += 1) {
      const id = signals.id(index);
      const place = PLACE_OF.get(id);
      // A newer engine has more of them.
      if (place === undefined) continue;
      const at = frame.elementAt(Field.signals, index);
      this.words[place * 2] = frame.view.getInt32(at, true);
      this.words[place * 2 + 1] = frame.view.getInt32(at + 4, true);
      this.time[0] = frame.view.getInt32(at + 16, true);
      this.time[1] = frame.view.getInt32(at + 20, true);
      this.exponents[place] = signals.exponent(index);
      this.valid[place] = 1;
      if ((signals.flags(index) & PARTIAL) !== 0)
        this.partial[id >> 5] = (this.partial[id >> 5] as number) | (1 << (id & 31));
    }
  }
}

/** Writes what the columns of both kinds of rows have in common. */
class SignalWriter {
  readonly #trust: TrustWriter;
  readonly #partial: LongData;
  readonly #signals: readonly NumberData[];

  constructor(batch: RowBatch) {
    this.#trust = new TrustWriter(batch);
    this.#partial = batch.longs('partial');
    this.#signals = SIGNALS.map(({ name }) => batch.numbers(name));
  }

  write(row: number, market: Market, { partial, words, exponents, valid }: Signals): void {
    this.#trust.write(row, market);
    this.#partial.words[row * 2] = partial[0] as number;
    this.#partial.words[row * 2 + 1] = partial[1] as number;
    for (const [place, data] of this.#signals.entries()) {
      data.valid[row] = valid[place] as number;
      data.words[row * 2] = words[place * 2] as number;
      data.words[row * 2 + 1] = words[place * 2 + 1] as number;
      data.exponents[row] = exponents[place] as number;
    }
  }
}

/** Takes what a frame says of a market's signals: none while its book is not exact. False where it says nothing of them. */
function takeFrame(market: Market, frame: FrameReader, signals: Signals): boolean {
  if (frame.kind === Kind.status) {
    market.state = frame.statusState;
    market.reason = frame.statusReason;
    // A book that is synced again tells its signals by an image.
    if (market.state === STATE.synced) return false;
    signals.clear();
    signals.takeTime(frame.tsRecv);
    return true;
  }
  if (frame.kind !== Kind.image && frame.kind !== Kind.signals) return false;
  if (frame.kind === Kind.image) Markets.takeImage(market, frame);
  signals.take(frame);
  if (market.state !== STATE.synced) signals.clear();
  return true;
}

/** A row for each event after which signals are told, of all that have a value; without any while the book is not exact. */
export class SignalRows implements RowMaker {
  readonly streams: readonly number[];
  readonly imageOf: number;
  readonly followsBook = true;
  readonly #batch: RowBatch;
  readonly #place: PlaceWriter;
  readonly #time: LongData;
  readonly #writer: SignalWriter;
  readonly #signals = new Signals();

  /** `stream`: of every instrument the one on which its signals are told. */
  constructor(batch: RowBatch, stream: number) {
    this.streams = [stream, Stream.status];
    this.imageOf = stream;
    this.#batch = batch;
    this.#place = new PlaceWriter(batch);
    this.#time = batch.longs('ts_ns');
    this.#writer = new SignalWriter(batch);
  }

  take(market: Market, frame: FrameReader): void {
    if (!takeFrame(market, frame, this.#signals)) return;
    this.#place.take(market, frame);
    this.#write(market);
  }

  begin(market: Market, ns: bigint): void {
    this.#place.takeTime(market, ns);
    this.#signals.clear();
    this.#signals.takeTime(ns);
    this.#write(market);
  }

  #write(market: Market): void {
    const row = this.#batch.next();
    this.#place.write(row);
    this.#time.words[row * 2] = this.#signals.time[0] as number;
    this.#time.words[row * 2 + 1] = this.#signals.time[1] as number;
    this.#writer.write(row, market, this.#signals);
  }
}

/** What was told of a market last, and where. */
interface Last {
  market: Market;
  readonly signals: Signals;
  epoch: number;
  sequence: number;
  venueSequence: bigint;
}

/** The signals of every market at a time: those after its last event before. Every frame has to be taken, rows are wanted or not. */
export class SignalSnapshots implements RowMaker {
  readonly streams: readonly number[];
  readonly imageOf = undefined;
  readonly followsBook = false;
  readonly #batch: RowBatch;
  readonly #instrument: WordData;
  readonly #time: LongData;
  readonly #epoch: LongData;
  readonly #sequence: LongData;
  readonly #venueSequence: LongData;
  readonly #writer: SignalWriter;
  readonly #last: readonly Last[];

  /** `stream`: as of `SignalRows`; `count`: how many markets there are. */
  constructor(batch: RowBatch, stream: number, count: number) {
    this.streams = [stream, Stream.status];
    this.#batch = batch;
    this.#instrument = batch.words('instrument');
    this.#time = batch.longs('ts_ns');
    this.#epoch = batch.longs('epoch');
    this.#sequence = batch.longs('sequence');
    this.#venueSequence = batch.longs('venue_sequence');
    this.#writer = new SignalWriter(batch);
    this.#last = Array.from({ length: count }, (_, index) => ({
      market: newMarket(index),
      signals: new Signals(),
      epoch: 0,
      sequence: 0,
      venueSequence: 0n,
    }));
  }

  take(market: Market, frame: FrameReader): void {
    const last = this.#last[market.index] as Last;
    last.market = market;
    if (!takeFrame(market, frame, last.signals)) return;
    last.epoch = frame.epochLow;
    last.sequence = frame.seq;
    last.venueSequence = frame.venueSeqBigInt;
  }

  begin(): void {}

  /** Rows of all markets as they are now, which is the time `ns` of the recording. */
  at(ns: bigint): void {
    for (const [index, { market, signals, epoch, sequence, venueSequence }] of this.#last.entries()) {
      const row = this.#batch.next();
      this.#instrument.codes[row] = index;
      this.#time.values[row] = ns;
      this.#epoch.values[row] = BigInt.asUintN(32, BigInt(epoch));
      this.#sequence.values[row] = BigInt(sequence);
      this.#venueSequence.values[row] = venueSequence;
      this.#writer.write(row, market, signals);
    }
  }
}
