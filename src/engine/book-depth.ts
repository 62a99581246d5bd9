import { SERVER_REASONS, STATE } from '../wire/generated/constants.js';
import { type Level, levelOf, narrowed } from '../wire/level.js';
import type { NativeEngine } from './native.js';

/**
 * The best levels of a book at a stated sequence, best first. Prices and quantities are mantissas at the instrument's
 * exponents: numbers; where one lies beyond 2^53 it is NaN, and `exact` has both as BigInts.
 */
export interface BookDepth {
  /** `syncing`, `synced` or `stale`. The levels of a book that is not `synced` are what was known last. */
  readonly state: string;
  /** Why it is stale; `none` where it is not. */
  readonly reason: string;
  readonly epoch: bigint;
  readonly seq: bigint;
  readonly venueSeq: bigint;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Worst price to which the venue has made the side known, what lies behind it is unknown; null = it is known whole. */
  readonly bidKnownTo: number | bigint | null;
  readonly askKnownTo: number | bigint | null;
}

const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;
/** What the addon writes, in bytes: nine numbers, then two for each level. */
const HEAD = 72;
const LEVEL = 16;
/** Words of states by their numbers. */
const STATES: readonly string[] = Object.entries(STATE).reduce<string[]>((words, [word, number]) => {
  words[number] = word;
  return words;
}, []);
/** Levels a side for which there is room from the start. */
const LEVELS = 32;

/** Reads books out of an engine, into memory of its own that grows to the most that was asked for. */
export class DepthReader {
  readonly #native: NativeEngine;
  #bytes = new Uint8Array(HEAD + 2 * LEVELS * LEVEL);

  constructor(native: NativeEngine) {
    this.#native = native;
  }

  /** At most `depth` levels a side. */
  read(instrument: number, depth: number): BookDepth {
    let bytes = this.#native.levels(instrument, depth, this.#bytes);
    if (bytes < 0) {
      this.#bytes = new Uint8Array(-bytes);
      bytes = this.#native.levels(instrument, depth, this.#bytes);
    }
    const view = new DataView(this.#bytes.buffer, 0, bytes);
    const bidsEnd = HEAD + Number(view.getBigInt64(0, true)) * LEVEL;
    const [bidKnownTo, askKnownTo] = [view.getBigInt64(16, true), view.getBigInt64(24, true)];
    return {
      state: STATES[view.getUint32(32, true)] ?? 'stale',
      reason: SERVER_REASONS[view.getUint32(40, true)] ?? 'none',
      epoch: view.getBigUint64(48, true),
      seq: view.getBigUint64(56, true),
      venueSeq: view.getBigUint64(64, true),
      bids: levels(view, HEAD, bidsEnd),
      asks: levels(view, bidsEnd, bytes),
      bidKnownTo: bidKnownTo === I64_MIN ? null : narrowed(bidKnownTo),
      askKnownTo: askKnownTo === I64_MAX ? null : narrowed(askKnownTo),
    };
  }
}

function levels(view: DataView, from: number, to: number): readonly Level[] {
  const found: Level[] = [];
  for (let at = from; at < to; at += LEVEL)
    found.push(levelOf(view.getBigInt64(at, true), view.getBigInt64(at + 8, true)));
  return found;
}
