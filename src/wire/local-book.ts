import {
  APPLIED,
  type ApplyOutcome,
  AWAITING_IMAGE,
  type BookCheck,
  CHECKED,
  CHUNK,
  CHUNK_DISCARDED,
  IMAGE,
  OLD,
  OTHER_BOOK,
  OTHER_KIND,
  OTHER_SEQ,
} from './apply-outcome.js';
import { bidShareOf, imbalanceOf, micropriceOf, midOf, scaled, vwapOf } from './book-measures.js';
import { BookSide } from './book-side.js';
import { crc32cFinish } from './crc32c.js';
import { decimalText } from './decimal.js';
import { badFrame, ClientError } from './errors.js';
import type { FrameReader } from './frame.js';
import { Field, LEVEL_BYTES } from './frame-table.js';
import { LEVELS_MAX, TOP_LEVELS } from './generated/constants.js';
import { isExact, type Level, type PriceOrLevel, priceOf, qtyOf } from './level.js';
import { LocalStream } from './local-stream.js';
import { type BookState, Flag, Kind, type Side, type StateReason, Stream } from './protocol.js';

export { LEVELS_MAX } from './generated/constants.js';

/** A book in exact decimals. */
export interface BookText {
  readonly state: BookState;
  readonly reason: StateReason;
  readonly epoch: string;
  readonly seq: string;
  readonly venueSeq: string;
  readonly beyondKnown: boolean;
  readonly crossed: boolean;
  /** Worst price to which the venue has made the side known; null = all. */
  readonly bidKnownTo: string | null;
  readonly askKnownTo: string | null;
  /** Price and quantity, best first. */
  readonly bids: readonly (readonly [price: string, qty: string])[];
  readonly asks: readonly (readonly [price: string, qty: string])[];
}

/** What the server doubts about a book that it calls synced. */
const DOUBTS = Flag.crossed | Flag.beyondKnown;

/**
 * A book rebuilt from the frames of one (instrument, stream): `book`, `depth` and `bbo` streams alike.
 *
 * It keeps the rules of docs/protocol.md and never says `synced` of a book that is not exactly the server's at
 * (`epoch`, `seq`). While it is not, the last content stays readable. Prices and quantities are mantissas;
 * `priceText` and `qtyText` print them. One beyond 2^53, which no number holds, is NaN and stands as a BigInt beside it.
 * What it returns is live: it changes with the next `apply`.
 */
export class LocalBook extends LocalStream {
  /** Levels a side that the stream carries at most; 0 = all. */
  depthMax = 0;
  /** Worst price to which the venue has made each side known; infinite = all. */
  bidKnownTo: number | bigint = -Infinity;
  askKnownTo: number | bigint = Infinity;

  /** The venue's own top of book, which the state of the engine's book does not touch. */
  private isVenueTop = false;
  private bids: BookSide;
  private asks: BookSide;
  private stagedBids: BookSide;
  private stagedAsks: BookSide;

  constructor(levelsMax: number = LEVELS_MAX) {
    super();
    this.bids = new BookSide('bid', levelsMax);
    this.asks = new BookSide('ask', levelsMax);
    this.stagedBids = new BookSide('bid', levelsMax);
    this.stagedAsks = new BookSide('ask', levelsMax);
  }

  /**
   * Applies the reader's current frame. Throws a `FeedError` when the frame cannot be held exactly: the book is then
   * stale with reason `bad_frame` and waits for an image. Cost: a look-up per level, and near the top a move of what
   * is better; a check and the last chunk of an image are linear in the book.
   */
  apply(frame: FrameReader): ApplyOutcome {
    try {
      switch (frame.kind) {
        case Kind.image:
          return this.applyImage(frame);
        case Kind.delta:
        case Kind.bbo:
          return this.applyLevels(frame);
        case Kind.check:
          return this.applyCheck(frame);
        case Kind.status:
          // The venue's own top does not depend on the engine's book.
          return this.isVenueTop ? OTHER_BOOK : this.applyStatus(frame);
        default:
          return OTHER_KIND;
      }
    } catch (error) {
      this.failFrame();
      throw error;
    }
  }

  /** Whether the best level (of a depth view: the last one) lies where the venue has not made the book known. */
  get isBeyondKnown(): boolean {
    return (this.flags & Flag.beyondKnown) !== 0;
  }

  /** Whether the best bid is above the best ask. */
  get isCrossed(): boolean {
    return (this.flags & Flag.crossed) !== 0;
  }

  /** A copy of the best bid; undefined in an empty side. */
  get bestBid(): Level | undefined {
    return this.bids.length === 0 ? undefined : this.bids.levelAt(0);
  }

  /** A copy of the best ask likewise. */
  get bestAsk(): Level | undefined {
    return this.asks.length === 0 ? undefined : this.asks.levelAt(0);
  }

  /** The best level of each side, undefined where a side is empty. */
  top(): { readonly bid: Level | undefined; readonly ask: Level | undefined } {
    return { bid: this.bestBid, ask: this.bestAsk };
  }

  /** Number of levels of a side. */
  count(side: Side): number {
    return this.sideOf(side).length;
  }

  /** Price mantissa of the level at an index from the best, 0 = best; NaN beyond the last and beyond 2^53. Allocates nothing. */
  priceAt(side: Side, levelIndex: number): number {
    return exactOrNaN(this.priceNearestAt(side, levelIndex));
  }

  /** Quantity mantissa likewise. */
  qtyAtIndex(side: Side, levelIndex: number): number {
    return exactOrNaN(this.qtyNearestAt(side, levelIndex));
  }

  /** The number nearest to a price mantissa, to draw with rather than to count with; NaN beyond the last level. */
  priceNearestAt(side: Side, levelIndex: number): number {
    const levels = side === 'bid' ? this.bids : this.asks;
    return levelIndex < levels.length ? levels.priceNearestAt(levelIndex) : Number.NaN;
  }

  /** The number nearest to a quantity mantissa likewise. */
  qtyNearestAt(side: Side, levelIndex: number): number {
    const levels = side === 'bid' ? this.bids : this.asks;
    return levelIndex < levels.length ? levels.qtyNearestAt(levelIndex) : Number.NaN;
  }

  /** A copy of the level at an index from the best; undefined beyond the last. */
  levelAt(side: Side, levelIndex: number): Level | undefined {
    return levelIndex < this.count(side) ? this.sideOf(side).levelAt(levelIndex) : undefined;
  }

  /**
   * The quantity at a price mantissa, a BigInt where no number holds it: 0 when the venue has none there, `unknown` when
   * the venue, or this stream, does not reach that far. Throws `client.price_mantissa` when the price is not an integer.
   */
  qtyAt(side: Side, price: number | bigint): number | bigint | 'unknown' {
    if (typeof price === 'number' && !Number.isSafeInteger(price)) {
      throw new ClientError({
        code: 'client.price_mantissa',
        what: 'a price is not a mantissa',
        where: 'qtyAt',
        expected: 'a safe integer or a bigint',
        got: String(price),
        fix: 'convert the decimal with parseDecimal(text, book.priceExponent)',
      });
    }
    const levels = this.sideOf(side);
    const qty = levels.get(price);
    if (qty !== 0) return qty;
    if (!this.hasImage) return 'unknown';
    const full = this.depthMax > 0 && levels.length >= this.depthMax;
    if (full && levels.isWorse(price, levels.priceBigIntAt(levels.length - 1))) return 'unknown';
    return levels.isWorse(price, side === 'bid' ? this.bidKnownTo : this.askKnownTo) ? 'unknown' : 0;
  }

  /** The levels of a side, best first. */
  *levels(side: Side): Generator<Level, void, undefined> {
    const levels = this.sideOf(side);
    for (let at = 0; at < levels.length; at += 1) yield levels.levelAt(at);
  }

  /** A copy of the best `count` levels a side. */
  depth(count: number): { readonly bids: readonly Level[]; readonly asks: readonly Level[] } {
    const copy = (levels: BookSide) =>
      Array.from({ length: Math.max(0, Math.min(count, levels.length)) }, (_, at) => levels.levelAt(at));
    return { bids: copy(this.bids), asks: copy(this.asks) };
  }

  /** The middle of the best bid and ask. Undefined, as the next four, where the book has no such number: see `book-measures.ts`. */
  mid(): number | undefined {
    return midOf(this);
  }

  /** The middle weighted by the quantities at the touch: b (1 − I) + a I with I = `bidShare()`. */
  microprice(): number | undefined {
    return micropriceOf(this);
  }

  /** What the best bid holds of both best quantities, 0 to 1. */
  bidShare(): number | undefined {
    return bidShareOf(this);
  }

  /** (bids − asks) / (bids + asks) of the quantities of the best levels a side, −1 to 1. */
  imbalance(depth = 1): number | undefined {
    return imbalanceOf(this, depth);
  }

  /** The average price of taking a quantity, from the asks unless the side is said. Undefined where the side holds less. */
  vwap(qty: number, side: Side = 'ask'): number | undefined {
    return vwapOf(this, qty, side);
  }

  /** The double nearest to a price mantissa's value, or to a level's price. */
  priceNumber(price: PriceOrLevel): number {
    return scaled(Number(priceOf(price)), this.priceExponent);
  }

  /** The double nearest to a quantity mantissa's value, or to a level's quantity. */
  qtyNumber(qty: PriceOrLevel): number {
    return scaled(Number(qtyOf(qty)), this.qtyExponent);
  }

  /** Everything in exact decimals, as `/v1/book` of the server says it; 64-bit numbers are texts. Linear in the levels. */
  toJSON(): BookText {
    const texts = (side: Side) =>
      Array.from(this.levels(side), (level) => [this.priceText(level), this.qtyText(level)] as const);
    const known = (price: number | bigint) =>
      price === -Infinity || price === Infinity ? null : this.priceText(price);
    const { state, reason, epoch, seq, venueSeq } = this;
    return {
      state,
      reason,
      epoch: `${epoch}`,
      seq: `${seq}`,
      venueSeq: `${venueSeq}`,
      beyondKnown: this.isBeyondKnown,
      crossed: this.isCrossed,
      bidKnownTo: known(this.bidKnownTo),
      askKnownTo: known(this.askKnownTo),
      bids: texts('bid'),
      asks: texts('ask'),
    };
  }

  /** The exact decimal of a price mantissa, or of a level's price. */
  priceText(price: PriceOrLevel): string {
    return decimalText(priceOf(price), this.priceExponent, this.priceDecimalsMin);
  }

  /** The exact decimal of a quantity mantissa, or of a level's quantity. */
  qtyText(qty: PriceOrLevel): string {
    return decimalText(qtyOf(qty), this.qtyExponent, this.qtyDecimalsMin);
  }

  /** Checksums of the content as the protocol defines them. Linear in the levels. */
  check(): BookCheck {
    const top = this.asks.crc32c(TOP_LEVELS, this.bids.crc32c(TOP_LEVELS));
    const all = this.asks.crc32c(this.asks.length, this.bids.crc32c(this.bids.length));
    return {
      topCrc: crc32cFinish(top),
      allCrc: crc32cFinish(all),
      bidCount: this.bids.length,
      askCount: this.asks.length,
    };
  }

  /** Rule 1. */
  private applyImage(frame: FrameReader): ApplyOutcome {
    const index = frame.chunkIndex;
    const count = frame.chunkCount;
    const seq = frame.seq;
    if (index >= count) throw badFrame('info.chunk_index', `below the chunk count ${count}`, String(index));
    const turn = this.takeChunk(frame, index, count, seq);
    if (turn === undefined) return CHUNK_DISCARDED;
    if (turn === 'first') {
      this.stagedBids.clear();
      this.stagedAsks.clear();
    }
    takeLevels(frame, Field.bids, this.stagedBids, true);
    takeLevels(frame, Field.asks, this.stagedAsks, true);
    return index + 1 < count ? CHUNK : this.takeImage(frame, seq);
  }

  private takeImage(frame: FrameReader, seq: number): ApplyOutcome {
    this.priceExponent = frame.priceExponent;
    this.qtyExponent = frame.qtyExponent;
    this.depthMax = frame.depth;
    this.bidKnownTo = frame.bidKnownTo;
    this.askKnownTo = frame.askKnownTo;
    this.stagedBids.seal();
    this.stagedAsks.seal();
    const { bids, asks } = this;
    this.bids = this.stagedBids;
    this.asks = this.stagedAsks;
    this.stagedBids = bids;
    this.stagedAsks = asks;
    this.isVenueTop = frame.stream === Stream.venueBbo;
    this.takeImagePlace(frame, seq);
    const failed = this.verify(frame);
    if (failed) return failed;
    if (this.isVenueTop) {
      this.awaitingImage = false;
      this.settle(frame.flags);
    } else {
      this.takeImageState(frame);
    }
    return IMAGE;
  }

  /** Rules 2 and 3. A top of book replaces both sides, a delta changes levels. */
  private applyLevels(frame: FrameReader): ApplyOutcome {
    if (this.awaitingImage) return AWAITING_IMAGE;
    if (!this.isMine(frame)) return this.otherEpoch(frame);
    const seq = frame.seq;
    if (seq <= this.seq) return OLD;
    const prevSeq = frame.prevSeq;
    if (prevSeq > this.seq) {
      return this.missed(prevSeq);
    }
    if (frame.kind === Kind.bbo) {
      this.bids.clear();
      this.asks.clear();
    }
    takeLevels(frame, Field.bids, this.bids, false);
    takeLevels(frame, Field.asks, this.asks, false);
    this.takeHeader(frame, seq);
    this.settle(frame.flags);
    return APPLIED;
  }

  /** Rule 5. */
  private applyCheck(frame: FrameReader): ApplyOutcome {
    if (this.awaitingImage) return AWAITING_IMAGE;
    if (!this.isMine(frame)) return this.otherEpoch(frame);
    if (frame.seq > this.seq) return this.missed(frame.seq);
    if (frame.seq < this.seq) return OTHER_SEQ;
    const failed = this.verify(frame);
    // The server's doubt may begin or end while the content stays as it is.
    if (failed === undefined) this.flags = (this.flags & ~DOUBTS) | (frame.flags & DOUBTS);
    return failed ?? CHECKED;
  }

  /** Compares the content with the frame's check; undefined when they agree. */
  private verify(frame: FrameReader): ApplyOutcome | undefined {
    const expected: BookCheck = {
      topCrc: frame.checkTopCrc,
      allCrc: frame.checkAllCrc,
      bidCount: frame.checkBidCount,
      askCount: frame.checkAskCount,
    };
    const got = this.check();
    if (
      got.topCrc === expected.topCrc &&
      got.allCrc === expected.allCrc &&
      got.bidCount === expected.bidCount &&
      got.askCount === expected.askCount
    ) {
      return undefined;
    }
    this.loseTruth('check_failed');
    return { tag: 'check_failed', expected, got };
  }

  protected override get followsBook(): boolean {
    return !this.isVenueTop;
  }

  private sideOf(side: Side): BookSide {
    return side === 'bid' ? this.bids : this.asks;
  }
}

function exactOrNaN(nearest: number): number {
  return isExact(nearest) ? nearest : Number.NaN;
}

/** Takes the levels of one side of a frame, of an image or changed ones. */
function takeLevels(frame: FrameReader, field: number, side: BookSide, isImage: boolean): void {
  const count = frame.count(field);
  if (count === 0) return;
  const { view } = frame;
  let at = frame.placeOf(field);
  for (const end = at + count * LEVEL_BYTES; at < end; at += LEVEL_BYTES) {
    if (!(isImage ? side.append(view, at) : side.set(view, at))) throw tooManyLevels(side.levelsMax);
  }
}

function tooManyLevels(levelsMax: number): ClientError {
  return new ClientError({
    code: 'client.levels_limit',
    what: 'a book is larger than this client holds',
    where: 'levelsMax',
    expected: `at most ${levelsMax} levels a side`,
    got: 'more',
    fix: 'raise levelsMax, or subscribe to a depth view',
  });
}
