import { DepthwireError } from '../errors.js';
import { RECORD_STATES } from '../wire/generated/constants.js';
import { reasonOf, type ServerReason } from '../wire/state-words.js';
import { RECORD, ROW_NUMBERS, wrongNumber } from './book-record.js';

/** `closed`: no engine has written here, or the one that did has ended. Only `synced` is the venue's book. */
export type SharedBookState = (typeof RECORD_STATES)[number];

/** Names of this module, whose values the compiler knows: those of another are looked up again in each read. */
const { word: WORD, inexact: INEXACT, flag: FLAG } = RECORD;
const SEQUENCE = WORD.sequence;
const STATE = WORD.state;
const COUNTS = WORD.counts;
const SCALE = WORD.scale;
const BEST_INEXACT = INEXACT.best;
const ANY_INEXACT = INEXACT.any;

/** Some ten seconds of a processor's time. */
const ATTEMPTS_MAX = 1_000_000_000;

const STATES: readonly SharedBookState[] = RECORD_STATES;

/** Why a shared book is not synced; `none` where it is. */
export type SharedBookReason = ServerReason | 'unknown';

/** What a reader of a shared book may be given. */
export interface SharedBookOptions {
  /** Attempts of one read, some 10 ns each while the book is being written: 1 to 1,000,000,000. 10,000 unless set. */
  readonly attemptsMax?: number;
  /**
   * How words are loaded between the two loads of the sequence. Plain loads are right where the processor keeps loads in
   * order, which x86-64 does; anywhere else the choice is `atomic`, and it is made by itself.
   */
  readonly loads?: 'plain' | 'atomic';
}

/**
 * The top of a book that an engine in this or another thread keeps in shared memory, read without a call into it.
 *
 * A read copies one moment of the book into this object and allocates nothing; the getters tell of the last read. It is
 * never half of one update and half of another. Prices and quantities are mantissas: times ten to `priceExponent` or
 * `qtyExponent`. One that a number cannot hold exactly (beyond 2^53) makes the read throw `shared.inexact`.
 */
export class SharedBook {
  /** Levels a side that the record holds at most. */
  readonly depth: number;
  /**
   * Best first, four numbers a level: bid price, bid quantity, ask price, ask quantity. Those behind `bidCount` and
   * `askCount` mean nothing.
   */
  readonly levels: Float64Array;
  readonly #shared: Uint32Array;
  readonly #sharedLevels: Float64Array;
  readonly #header: Uint32Array;
  readonly #words: Uint32Array;
  readonly #attemptsMax: number;
  readonly #isPlain: boolean;

  /**
   * Throws `shared.memory` unless it is a view of shared memory as `allocateSharedBook` makes it, and
   * `shared.not_an_integer`.
   */
  constructor(memory: Uint8Array, options: SharedBookOptions = {}) {
    const { attemptsMax = 10_000, loads = process.arch === 'x64' ? 'plain' : 'atomic' } = options;
    if (!Number.isInteger(attemptsMax) || attemptsMax < 1 || attemptsMax > ATTEMPTS_MAX) {
      throw wrongNumber('attemptsMax', ATTEMPTS_MAX, attemptsMax);
    }
    const { buffer, byteOffset, byteLength } = memory instanceof Uint8Array ? memory : new Uint8Array();
    const depth = (byteLength - RECORD.headerBytes) / RECORD.rowBytes;
    const fits = Number.isInteger(depth) && depth >= 1 && depth <= RECORD.depthMax && byteOffset % 8 === 0;
    if (!(buffer instanceof SharedArrayBuffer) || !fits) {
      throw new DepthwireError('shared.memory', {
        what: 'this memory holds no shared book',
        where: 'SharedBook',
        expected: `${RECORD.headerBytes} bytes and ${RECORD.rowBytes} for each of 1 to ${RECORD.depthMax} levels of a SharedArrayBuffer, 8-aligned`,
        got: `${byteLength} bytes at ${byteOffset} of ${Object.prototype.toString.call(buffer)}`,
        fix: 'Pass the view that allocateSharedBook returned and Engine.shareBook was given.',
      });
    }
    this.depth = depth;
    this.#shared = new Uint32Array(buffer, byteOffset, byteLength >> 2);
    this.#sharedLevels = new Float64Array(buffer, byteOffset + RECORD.headerBytes, ROW_NUMBERS * depth);
    this.#header = new Uint32Array(RECORD.headerBytes >> 2);
    this.levels = new Float64Array(ROW_NUMBERS * depth);
    this.#words = new Uint32Array(this.levels.buffer);
    this.#attemptsMax = attemptsMax;
    this.#isPlain = loads === 'plain';
  }

  /** Reads the best bid and ask. Throws `shared.busy` when each attempt met a writer, and `shared.inexact`. */
  readBbo(): SharedBookState {
    return this.#read(1, BEST_INEXACT);
  }

  /**
   * Reads both sides' best levels: all that the record holds, or fewer. Throws as `readBbo`, and `shared.not_an_integer` for
   * a depth that is no integer from 1.
   */
  readTop(depth = this.depth): SharedBookState {
    if (!Number.isInteger(depth) || depth < 1) throw wrongNumber('depth', this.depth, depth);
    return this.#read(Math.min(depth, this.depth), ANY_INEXACT);
  }

  /** Whether what was read last may be trusted. */
  get state(): SharedBookState {
    return stateOf(this.#header);
  }

  /** Why a stale book is stale. */
  get reason(): SharedBookReason {
    return reasonOf(((this.#header[STATE] ?? 0) >>> 8) & 0xff);
  }

  /** Best bid above best ask. */
  get isCrossed(): boolean {
    return (((this.#header[STATE] ?? 0) >>> 16) & FLAG.crossed) !== 0;
  }

  /** Bid levels that the record holds. */
  get bidCount(): number {
    return count(this.#header, 0);
  }

  /** How many of these are certain; among those behind them others may be missing, since the venue has not told. */
  get certainBidCount(): number {
    return count(this.#header, 1);
  }

  /** Ask levels that the record holds. */
  get askCount(): number {
    return count(this.#header, 2);
  }

  /** As `certainBidCount`. */
  get certainAskCount(): number {
    return count(this.#header, 3);
  }

  /** 0 when `bidCount` is. */
  get bidPrice(): number {
    return this.levels[0] ?? 0;
  }

  /** Quantity at the best bid, a mantissa. */
  get bidQty(): number {
    return this.levels[1] ?? 0;
  }

  /** 0 when `askCount` is. */
  get askPrice(): number {
    return this.levels[2] ?? 0;
  }

  /** Quantity at the best ask, a mantissa. */
  get askQty(): number {
    return this.levels[3] ?? 0;
  }

  /** Power of ten of prices. */
  get priceExponent(): number {
    return ((this.#header[SCALE] ?? 0) << 16) >> 24;
  }

  /** Power of ten of quantities. */
  get qtyExponent(): number {
    return ((this.#header[SCALE] ?? 0) << 8) >> 24;
  }

  /** Number of the instrument in the catalogue. */
  get instrument(): number {
    return this.#header[WORD.instrument] ?? 0;
  }

  /** The epoch of the book. This and the next four are made when asked for. */
  get epoch(): bigint {
    return wide(this.#header, WORD.epoch);
  }

  /** Sequence of the `book` stream that the levels stand at. */
  get seq(): bigint {
    return wide(this.#header, WORD.seq);
  }

  /** The venue's own sequence. */
  get venueSeq(): bigint {
    return wide(this.#header, WORD.venueSeq);
  }

  /** The venue's time of the last update, ns; 0 = it gave none. */
  get tsEvent(): bigint {
    return wide(this.#header, WORD.tsEvent);
  }

  /** When the last update arrived, ns. */
  get tsRecv(): bigint {
    return wide(this.#header, WORD.tsRecv);
  }

  #read(rows: number, inexact: number): SharedBookState {
    const shared = this.#shared;
    for (let attempt = 0; attempt < this.#attemptsMax; attempt += 1) {
      const sequence = Atomics.load(shared, SEQUENCE);
      if ((sequence & 1) !== 0) continue;
      if (this.#isPlain) this.#copy(rows);
      else this.#copyAtomically(rows);
      if (Atomics.load(shared, SEQUENCE) !== sequence) continue;
      if (((this.#header[SCALE] ?? 0) & inexact) !== 0) throw inexactLevels();
      return stateOf(this.#header);
    }
    throw busy(this.#attemptsMax);
  }

  /** Written out word by word: a loop of one load costs three times as much. */
  #copy(rows: number): void {
    const from = this.#shared;
    const header = this.#header;
    header[1] = from[1] as number;
    header[2] = from[2] as number;
    header[3] = from[3] as number;
    header[4] = from[4] as number;
    header[5] = from[5] as number;
    header[6] = from[6] as number;
    header[7] = from[7] as number;
    header[8] = from[8] as number;
    header[9] = from[9] as number;
    header[10] = from[10] as number;
    header[11] = from[11] as number;
    header[12] = from[12] as number;
    header[13] = from[13] as number;
    header[14] = from[14] as number;
    const rowsFrom = this.#sharedLevels;
    const levels = this.levels;
    levels[0] = rowsFrom[0] as number;
    levels[1] = rowsFrom[1] as number;
    levels[2] = rowsFrom[2] as number;
    levels[3] = rowsFrom[3] as number;
    const end = rows * ROW_NUMBERS;
    for (let at = ROW_NUMBERS; at < end; at += ROW_NUMBERS) {
      levels[at] = rowsFrom[at] as number;
      levels[at + 1] = rowsFrom[at + 1] as number;
      levels[at + 2] = rowsFrom[at + 2] as number;
      levels[at + 3] = rowsFrom[at + 3] as number;
    }
  }

  #copyAtomically(rows: number): void {
    const { words, headerBytes, rowBytes } = RECORD;
    for (let at = 1; at < words; at += 1) this.#header[at] = Atomics.load(this.#shared, at);
    const start = headerBytes >> 2;
    const end = (rows * rowBytes) >> 2;
    for (let at = 0; at < end; at += 1) this.#words[at] = Atomics.load(this.#shared, start + at);
  }
}

function stateOf(header: Uint32Array): SharedBookState {
  return STATES[(header[STATE] ?? 0) & 0xff] ?? 'closed';
}

function count(header: Uint32Array, byte: number): number {
  return ((header[COUNTS] ?? 0) >>> (8 * byte)) & 0xff;
}

function wide(header: Uint32Array, at: number): bigint {
  return (BigInt(header[at + 1] ?? 0) << 32n) | BigInt(header[at] ?? 0);
}

function inexactLevels(): DepthwireError {
  return new DepthwireError('shared.inexact', {
    what: 'a price or quantity of the shared book is no exact number',
    where: 'SharedBook',
    expected: 'mantissas up to 2^53',
    got: 'a greater one',
    fix: 'Read this instrument from the feed, whose levels are 64-bit integers.',
  });
}

function busy(attempts: number): DepthwireError {
  return new DepthwireError('shared.busy', {
    what: 'the shared book was being written each time it was read',
    where: 'SharedBook',
    expected: `a stable moment within ${attempts} attempts`,
    got: 'none',
    fix: 'Read again: the writing thread had to wait for a processor. Give it one, or raise attemptsMax.',
  });
}
