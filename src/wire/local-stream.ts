import { type ApplyOutcome, OLD_EPOCH, OTHER_EPOCH, STATUS } from './apply-outcome.js';
import { type FrameReader, ORIGIN_BYTES } from './frame.js';
import { printable } from './level.js';
import { type BookState, Flag, reasonOf, type StateReason, stateOf } from './protocol.js';

/** Where a stream stands. */
export interface Place {
  readonly epoch: bigint;
  readonly seq: number;
}

/**
 * The place of what is kept of one (instrument, stream), and whether it may be trusted: the part of the rules of
 * docs/protocol.md that does not depend on what is kept. While it is not `synced`, the last content stays readable.
 */
export abstract class LocalStream {
  state: BookState = 'syncing';
  reason: StateReason = 'no_image';
  /** Number of the stream that the content is of; 0 before the first image. */
  stream = 0;
  /** Sequence of the content within its epoch and stream; 0 before the first image. */
  seq = 0;
  /** `Flag` bits of the last frame that changed the content; what is doubted, of the last check. */
  flags = 0;
  priceExponent = 0;
  qtyExponent = 0;
  /** Least decimals that `priceText` and `qtyText` print: those of the tick and the lot, where they are known. */
  priceDecimalsMin = 0;
  qtyDecimalsMin = 0;

  protected hasImage = false;
  /** Only an image helps: the content is not that of its sequence, or the server sends nothing that follows it. */
  protected awaitingImage = true;
  /** The sequence up to which the server brings the content: before it, it is not the present and not called synced. */
  private presentSeq = 0;
  private epochHigh = 0;
  private epochLow = 0;
  /** The part of the last header which is read as 64-bit numbers: applying a frame makes no BigInt of them. */
  private readonly origin = new DataView(new ArrayBuffer(ORIGIN_BYTES));
  private chunkNext = 0;
  private chunkCount = 0;
  private chunkSeq = 0;
  private chunkEpochHigh = 0;
  private chunkEpochLow = 0;

  /** Applies the reader's current frame. Throws a `FeedError` when it cannot be held exactly. */
  abstract apply(frame: FrameReader): ApplyOutcome;

  /** Says that nothing more can be trusted until the next image. */
  loseTruth(reason: StateReason): void {
    this.awaitingImage = true;
    this.doubt(reason);
  }

  /** Says that what follows the content is not arriving for now. The content stays exact at its sequence. */
  doubt(reason: StateReason): void {
    this.state = this.hasImage ? 'stale' : 'syncing';
    this.reason = reason;
  }

  /** Where the content is exact, if frames can go on from there. */
  get place(): Place | undefined {
    return this.awaitingImage ? undefined : printable({ epoch: this.epoch, seq: this.seq });
  }

  /**
   * The server brings the content, by what follows, from its sequence up to that of a place: it is synced then, unless
   * the server's own book is not. Nothing happens where only an image helps.
   */
  bringTo({ epoch, seq }: Place, state: BookState, reason: StateReason): void {
    if (this.awaitingImage || epoch !== this.epoch) return;
    if (this.followsBook && state !== 'synced') {
      this.awaitingImage = true;
      this.state = state;
      this.reason = reason;
      return;
    }
    this.presentSeq = seq;
    if (seq <= this.seq) this.settle(this.flags);
  }

  /** Whether the stream ends with the truth of the server's book. */
  protected get followsBook(): boolean {
    return true;
  }

  /** The epoch of the content: start id of the server (high 32 bits) and the instrument's reset count. */
  get epoch(): bigint {
    return (BigInt(this.epochHigh) << 32n) | BigInt(this.epochLow);
  }

  /** The venue's own sequence that the content reaches; 0 = none. */
  get venueSeq(): bigint {
    return this.origin.getBigUint64(0, true);
  }

  /** The venue's time of the last frame that changed the content, ns since the Unix epoch; 0 = not given. */
  get tsEvent(): bigint {
    return this.origin.getBigUint64(8, true);
  }

  /** When the server received what that frame tells, ns. */
  get tsRecv(): bigint {
    return this.origin.getBigUint64(16, true);
  }

  /** When the server wrote it, ns. */
  get tsSend(): bigint {
    return this.origin.getBigUint64(24, true);
  }

  /** Takes the place of a chunk of an image: `first`, `next`, or undefined for one out of turn. */
  protected takeChunk(
    frame: FrameReader,
    index: number,
    count: number,
    seq: number,
  ): 'first' | 'next' | undefined {
    if (index === 0) {
      this.chunkNext = 1;
      this.chunkCount = count;
      this.chunkSeq = seq;
      this.chunkEpochHigh = frame.epochHigh;
      this.chunkEpochLow = frame.epochLow;
      return 'first';
    }
    const isNext =
      index === this.chunkNext &&
      count === this.chunkCount &&
      seq === this.chunkSeq &&
      frame.epochHigh === this.chunkEpochHigh &&
      frame.epochLow === this.chunkEpochLow;
    this.chunkNext = isNext ? index + 1 : 0;
    return isNext ? 'next' : undefined;
  }

  /** A frame could not be held: neither it nor the chunks before it count. */
  protected failFrame(): void {
    this.chunkNext = 0;
    this.loseTruth('bad_frame');
  }

  /** Takes the place and the header of a whole image. */
  protected takeImagePlace(frame: FrameReader, seq: number): void {
    this.chunkNext = 0;
    this.hasImage = true;
    this.stream = frame.stream;
    this.epochHigh = frame.epochHigh;
    this.epochLow = frame.epochLow;
    this.presentSeq = 0;
    this.takeHeader(frame, seq);
  }

  /** Takes the state that an image of a stream that follows the book says. */
  protected takeImageState(frame: FrameReader): void {
    this.state = stateOf(frame.infoState);
    this.reason = this.state === 'synced' ? 'none' : reasonOf(frame.infoReason);
    if (this.state === 'synced') this.settle(frame.flags);
    this.awaitingImage = this.state !== 'synced';
  }

  protected takeHeader(frame: FrameReader, seq: number): void {
    this.seq = seq;
    frame.copyOrigin(this.origin);
    this.flags = frame.flags;
  }

  /** The content is that of `seq`: synced, unless the server doubts it or is still bringing it up to the present. */
  protected settle(flags: number): void {
    if (this.seq < this.presentSeq) return;
    const stale = (flags & Flag.stale) !== 0;
    this.state = stale ? 'stale' : 'synced';
    this.reason = stale ? 'unknown' : 'none';
  }

  /** Whether a frame is of the stream and the epoch of the content: sequences of others do not compare with it. */
  protected isMine(frame: FrameReader): boolean {
    return (
      frame.epochLow === this.epochLow && frame.epochHigh === this.epochHigh && frame.stream === this.stream
    );
  }

  /** Rule 2. A frame of a later epoch says that the image which opens that epoch was missed. */
  protected otherEpoch(frame: FrameReader): ApplyOutcome {
    const { epochHigh, epochLow } = this;
    const isLater =
      frame.epochHigh > epochHigh || (frame.epochHigh === epochHigh && frame.epochLow > epochLow);
    if (!isLater) return OTHER_EPOCH;
    this.loseTruth('sequence_gap');
    return { tag: 'gap', expected: this.seq, received: frame.seq };
  }

  /** Frames up to `received` are missing. The content stays exact at its own sequence, so a later frame that reaches back to it repairs this. */
  protected missed(received: number): ApplyOutcome {
    this.doubt('sequence_gap');
    return { tag: 'gap', expected: this.seq, received };
  }

  /** Rule 6. `synced` alone proves nothing here: an image does. */
  protected applyStatus(frame: FrameReader): ApplyOutcome {
    const state = stateOf(frame.statusState);
    if (this.hasImage && frame.epochHigh === this.epochHigh && frame.epochLow < this.epochLow)
      return OLD_EPOCH;
    if (state !== 'synced') {
      this.awaitingImage = true;
      this.state = state;
      this.reason = reasonOf(frame.statusReason);
    }
    return STATUS;
  }
}
