import type { FrameReader } from '../wire/frame.js';
import { STATE } from '../wire/generated/constants.js';
import { Flag } from '../wire/protocol.js';
import { REASONS } from './columns.js';
import type { LongData, RowBatch, WordData } from './row-batch.js';

/** What is known of an instrument where a row is made of it. */
export interface Market {
  /** Its place among the instruments of the export. */
  readonly index: number;
  /** State and reason of its book, by number. */
  state: number;
  reason: number;
  priceExponent: number;
  qtyExponent: number;
}

/** The instruments of an export by their numbers. */
export class Markets {
  readonly #byId: ReadonlyMap<number, Market>;

  constructor(ids: readonly number[]) {
    this.#byId = new Map(ids.map((id, index) => [id, newMarket(index)]));
  }

  /** Undefined for an instrument that is not exported. */
  get(id: number): Market | undefined {
    return this.#byId.get(id);
  }

  /** All of them with their numbers. */
  all(): Iterable<readonly [number, Market]> {
    return this.#byId;
  }

  /** Takes over what the engine says of its book in words. */
  static takeWords(market: Market, state: string, reason: string): void {
    market.state = state === 'synced' ? STATE.synced : state === 'syncing' ? STATE.syncing : STATE.stale;
    market.reason = Math.max(0, REASONS.indexOf(reason));
  }

  /** Takes over what an image says of its instrument. */
  static takeImage(market: Market, frame: FrameReader): void {
    market.priceExponent = frame.priceExponent;
    market.qtyExponent = frame.qtyExponent;
    const isStale = (frame.flags & Flag.stale) !== 0 && frame.infoState === STATE.synced;
    market.state = isStale ? STATE.stale : frame.infoState;
    market.reason = frame.infoReason;
  }
}

/** A market of which nothing is known yet. */
export function newMarket(index: number): Market {
  return { index, state: STATE.syncing, reason: 0, priceExponent: 0, qtyExponent: 0 };
}

/** Where the header's fields stand from its origin on: venue's sequence, the venue's time, that of receipt. */
const ORIGIN_WORDS = 6;

/** Writes the columns that every row begins with. */
export class PlaceWriter {
  readonly #instrument: WordData;
  readonly #event: LongData;
  readonly #received: LongData;
  readonly #epoch: LongData;
  readonly #sequence: LongData;
  readonly #venueSequence: LongData;
  readonly #origin = new DataView(new ArrayBuffer(32));
  readonly #words = new Int32Array(ORIGIN_WORDS);
  #epochLow = 0;
  #seqLow = 0;
  #seqHigh = 0;
  #index = 0;

  constructor(batch: RowBatch) {
    this.#instrument = batch.words('instrument');
    this.#event = batch.longs('ts_event_ns');
    this.#received = batch.longs('ts_received_ns');
    this.#epoch = batch.longs('epoch');
    this.#sequence = batch.longs('sequence');
    this.#venueSequence = batch.longs('venue_sequence');
  }

  /** Reads the place of a frame, for the rows that are written of it. */
  take(market: Market, frame: FrameReader): void {
    frame.copyOrigin(this.#origin);
    for (let at = 0; at < ORIGIN_WORDS; at += 1) this.#words[at] = this.#origin.getInt32(at * 4, true);
    const { seq } = frame;
    this.#seqLow = seq | 0;
    this.#seqHigh = Math.floor(seq / 0x1_0000_0000);
    this.#epochLow = frame.epochLow;
    this.#index = market.index;
  }

  /** No place but a time, for rows that no frame brought. */
  takeTime(market: Market, ns: bigint): void {
    this.#words.fill(0);
    this.#words[4] = Number(BigInt.asIntN(32, ns));
    this.#words[5] = Number(BigInt.asIntN(32, ns >> 32n));
    this.#seqLow = 0;
    this.#seqHigh = 0;
    this.#epochLow = 0;
    this.#index = market.index;
  }

  write(row: number): void {
    const low = row * 2;
    const words = this.#words;
    this.#instrument.codes[row] = this.#index;
    this.#venueSequence.words[low] = words[0] as number;
    this.#venueSequence.words[low + 1] = words[1] as number;
    this.#event.words[low] = words[2] as number;
    this.#event.words[low + 1] = words[3] as number;
    this.#received.words[low] = words[4] as number;
    this.#received.words[low + 1] = words[5] as number;
    // The other half says when the process started: an export is the same each time.
    this.#epoch.words[low] = this.#epochLow;
    this.#epoch.words[low + 1] = 0;
    this.#sequence.words[low] = this.#seqLow;
    this.#sequence.words[low + 1] = this.#seqHigh;
  }
}

/** Writes state and reason. */
export class TrustWriter {
  readonly #state: WordData;
  readonly #reason: WordData;
  readonly #unknown: number;

  constructor(batch: RowBatch) {
    this.#state = batch.words('state');
    this.#reason = batch.words('reason');
    this.#unknown = this.#reason.column.words.length - 1;
  }

  write(row: number, { state, reason }: Market): void {
    // A state of another number is not to be trusted.
    this.#state.codes[row] = state === STATE.syncing || state === STATE.synced ? state : STATE.stale;
    this.#reason.codes[row] = Math.min(reason, this.#unknown);
  }
}
