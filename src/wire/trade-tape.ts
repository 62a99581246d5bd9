import type { FrameReader } from './frame.js';
import { Field } from './frame-table.js';
import { TradeRows } from './frame-trades.js';
import { type Level, levelOf, printable } from './level.js';
import type { Place } from './local-stream.js';
import { NameTable } from './order-id.js';
import {
  type Aggressor,
  type BookState,
  Flag,
  Kind,
  type StateReason,
  type TradeIdKind,
} from './protocol.js';

/** A trade. Price and quantity are mantissas as those of a level, at exponents of its own: the scale may change. */
export interface Trade extends Level {
  readonly tag: 'trade';
  readonly priceExponent: number;
  readonly qtyExponent: number;
  /** What the venue calls the trade, of the kind that `idKind` says. */
  readonly id: bigint;
  readonly idKind: TradeIdKind;
  /** The text that `id` is a hash of, where the server tells it. */
  readonly name?: string;
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

/** A trade, or the place of some that are missing. */
export type TradeEvent = Trade | TradeGap;

/** What a frame did to the tape: whether its trades are to be taken, and whether some before it are missing. */
export interface TapeOutcome {
  readonly take: boolean;
  readonly gap: TradeGap | undefined;
}

function reasonOf({ flags }: FrameReader): 'none' | 'source_failed' {
  return (flags & Flag.stale) === 0 ? 'none' : 'source_failed';
}

const TAKE: TapeOutcome = { take: true, gap: undefined };
const LEAVE: TapeOutcome = { take: false, gap: undefined };

/** The sequence of a stream of trades, by rules 1, 2 and 4 of docs/protocol.md. */
export class TradeTape {
  /**
   * Why the stream is not followed; `none` when it is: an image of its epoch has come and nothing broke it since.
   * `source_failed`: the server is told no trades for now, for the connection that told them is lost.
   */
  reason: StateReason = 'no_image';
  seq = 0;
  /** Powers of ten of the trades that are followed: as granted, then as images say. */
  priceExponent = 0;
  qtyExponent = 0;
  private readonly kind: number;
  private hasImage = false;
  /** Frames can go on from `seq`. */
  private isFollowed = false;
  /** The sequence up to which the server brings what was missed. */
  private presentSeq = 0;
  /** What the server says of the stream at `seq`. */
  private reasonAtSeq: 'none' | 'source_failed' = 'none';
  private epochHigh = 0;
  private epochLow = 0;
  private readonly names = new NameTable();

  /** `kind` is that of its frames. */
  constructor(kind: number) {
    this.kind = kind;
  }

  get epoch(): bigint {
    return (BigInt(this.epochHigh) << 32n) | BigInt(this.epochLow);
  }

  get place(): Place | undefined {
    return this.isFollowed ? { epoch: this.epoch, seq: this.seq } : undefined;
  }

  /** Whether the image was missed that opens the epoch of what comes. */
  get lacksImage(): boolean {
    return this.hasImage && !this.isFollowed;
  }

  /** Nothing arrives for now: what follows says whether anything was missed. */
  doubt(reason: StateReason): void {
    this.reason = reason;
  }

  /** The server brings all that was missed up to a place. */
  bringTo({ epoch, seq }: Place): void {
    if (!this.isFollowed || epoch !== this.epoch) return;
    this.presentSeq = seq;
    if (this.seq >= seq) this.reason = this.reasonAtSeq;
  }

  /** `synced` while the stream is followed. */
  get state(): BookState {
    return this.reason === 'none' ? 'synced' : this.hasImage ? 'stale' : 'syncing';
  }

  apply(frame: FrameReader): TapeOutcome {
    if (frame.kind === Kind.image) return this.applyImage(frame);
    if (frame.kind !== this.kind || !this.isFollowed) return LEAVE;
    if (frame.epochHigh !== this.epochHigh || frame.epochLow !== this.epochLow) {
      const isLater =
        frame.epochHigh > this.epochHigh ||
        (frame.epochHigh === this.epochHigh && frame.epochLow > this.epochLow);
      if (!isLater) return LEAVE;
      this.reason = 'no_image';
      this.isFollowed = false;
      return LEAVE;
    }
    const seq = frame.seq;
    if (seq <= this.seq) return LEAVE;
    const prevSeq = frame.prevSeq;
    const expected = this.seq;
    this.seq = seq;
    this.reasonAtSeq = reasonOf(frame);
    if (seq >= this.presentSeq) this.reason = this.reasonAtSeq;
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
    this.isFollowed = true;
    this.presentSeq = 0;
    this.reasonAtSeq = reasonOf(frame);
    this.reason = this.reasonAtSeq;
    if (isFirst || (sameEpoch && this.seq === expected)) return LEAVE;
    if (!sameEpoch) return { take: false, gap: { tag: 'gap', reason: 'reset' } };
    return { take: false, gap: { tag: 'gap', reason: 'sequence', expected, received: this.seq } };
  }

  /** The trades of a frame that are to be taken. */
  *tradesOf(frame: FrameReader): Generator<Trade, void, undefined> {
    // Names of earlier frames are of earlier trades.
    this.names.clear();
    if (frame.count(Field.names) > 0) this.names.take(frame);
    const rows = new TradeRows(frame);
    for (let at = 0; at < rows.count; at += 1) yield this.tradeAt(rows, at);
  }

  private tradeAt(rows: TradeRows, index: number): Trade {
    const [price, qty] = [rows.price(index), rows.qty(index)];
    const level: Level =
      typeof price === 'number' && typeof qty === 'number'
        ? { price, qty }
        : levelOf(BigInt(price), BigInt(qty));
    const id = rows.id(index);
    const name = this.names.size > 0 ? this.names.get(id) : undefined;
    return printable({
      tag: 'trade',
      ...level,
      priceExponent: this.priceExponent,
      qtyExponent: this.qtyExponent,
      id,
      ...(name === undefined ? {} : { name }),
      idKind: rows.idKind(index),
      aggressor: rows.aggressor(index),
      tsEvent: rows.tsEvent(index),
      seq: this.seq,
    });
  }
}
