import type { FrameReader } from './frame.js';
import { isExact, type Level, levelOf } from './level.js';
import { type Aggressor, type BookState, Kind, type StateReason, type TradeIdKind } from './protocol.js';

/** A trade. Price and quantity are mantissas as those of a level, at exponents of its own: the scale may change. */
export interface Trade extends Level {
  readonly tag: 'trade';
  readonly priceExponent: number;
  readonly qtyExponent: number;
  /** What the venue calls the trade, of the kind that `idKind` says. */
  readonly id: bigint;
  readonly idKind: TradeIdKind;
  readonly aggressor: Aggressor;
  /** The venue's time, ns since the Unix epoch; 0 = not given. */
  readonly tsEvent: bigint;
  /** Sequence of the frame that brought it. */
  readonly seq: number;
}

/**
 * Trades are missing before the next one. `sequence`: frames were lost, from `expected` (the sequence due to be
 * followed) to `received`. `reset`: a new epoch began, what happened between the two is unknown. `overflow`: this
 * reader was too slow, `lost` items were dropped.
 */
export type TradeGap =
  | { readonly tag: 'gap'; readonly reason: 'sequence'; readonly expected: number; readonly received: number }
  | { readonly tag: 'gap'; readonly reason: 'reset' }
  | { readonly tag: 'gap'; readonly reason: 'overflow'; readonly lost: number };

export type TradeEvent = Trade | TradeGap;

/** What a frame did to the tape: whether its trades are to be taken, and whether some before it are missing. */
export interface TapeOutcome {
  readonly take: boolean;
  readonly gap: TradeGap | undefined;
}

const TAKE: TapeOutcome = { take: true, gap: undefined };
const LEAVE: TapeOutcome = { take: false, gap: undefined };

/** The sequence of a trades stream, by rules 1, 2 and 4 of docs/protocol.md. Trades cannot be asked for again. */
export class TradeTape {
  /** Why the stream is not followed; `none` when it is: an image of its epoch has come and nothing broke it since. */
  reason: StateReason = 'no_image';
  seq = 0;
  /** Powers of ten of the trades that are followed: as granted, then as images say. */
  priceExponent = 0;
  qtyExponent = 0;
  private hasImage = false;
  private epochHigh = 0;
  private epochLow = 0;

  get epoch(): bigint {
    return (BigInt(this.epochHigh) << 32n) | BigInt(this.epochLow);
  }

  /** The connection is gone: the next image says whether anything was missed. */
  disconnect(): void {
    this.reason = 'disconnected';
  }

  /** `synced` while the stream is followed. */
  get state(): BookState {
    return this.reason === 'none' ? 'synced' : this.hasImage ? 'stale' : 'syncing';
  }

  apply(frame: FrameReader): TapeOutcome {
    if (frame.kind === Kind.image) return this.applyImage(frame);
    if (frame.kind !== Kind.trade || this.reason !== 'none') return LEAVE;
    if (frame.epochHigh !== this.epochHigh || frame.epochLow !== this.epochLow) {
      this.reason = 'no_image';
      return LEAVE;
    }
    const seq = frame.seq;
    if (seq <= this.seq) return LEAVE;
    const prevSeq = frame.prevSeq;
    const expected = this.seq;
    this.seq = seq;
    if (prevSeq === expected) return TAKE;
    // A frame that starts before our sequence holds trades that we have had: none of it is taken.
    return { take: prevSeq > expected, gap: { tag: 'gap', reason: 'sequence', expected, received: prevSeq } };
  }

  private applyImage(frame: FrameReader): TapeOutcome {
    const sameEpoch = frame.epochHigh === this.epochHigh && frame.epochLow === this.epochLow;
    const expected = this.seq;
    const isFirst = !this.hasImage;
    this.seq = frame.seq;
    if (frame.hasInfo) {
      this.priceExponent = frame.priceExponent;
      this.qtyExponent = frame.qtyExponent;
    }
    this.epochHigh = frame.epochHigh;
    this.epochLow = frame.epochLow;
    this.hasImage = true;
    this.reason = 'none';
    if (isFirst || (sameEpoch && this.seq === expected)) return LEAVE;
    if (!sameEpoch) return { take: false, gap: { tag: 'gap', reason: 'reset' } };
    return { take: false, gap: { tag: 'gap', reason: 'sequence', expected, received: this.seq } };
  }

  /** The trade at an index of a frame whose trades are to be taken. */
  tradeAt(frame: FrameReader, index: number): Trade {
    const price = frame.tradePriceNearest(index);
    const qty = frame.tradeQtyNearest(index);
    const level: Level =
      isExact(price) && isExact(qty)
        ? { price, qty }
        : levelOf(frame.tradePriceBigInt(index), frame.tradeQtyBigInt(index));
    return {
      tag: 'trade',
      ...level,
      priceExponent: this.priceExponent,
      qtyExponent: this.qtyExponent,
      id: frame.tradeId(index),
      idKind: frame.tradeIdKind(index),
      aggressor: frame.tradeAggressor(index),
      tsEvent: frame.tradeTsEvent(index),
      seq: this.seq,
    };
  }
}
