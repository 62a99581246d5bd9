import { APPLIED, type ApplyOutcome, AWAITING_IMAGE, IMAGE, OLD, OTHER_KIND } from './apply-outcome.js';
import type { FrameReader } from './frame.js';
import { LocalStream } from './local-stream.js';
import { Kind } from './protocol.js';

/**
 * A state that each frame of a stream replaces whole (`ticker`, `trading`), by rules 1 to 3 of docs/protocol.md. It does
 * not depend on the book.
 */
export class LocalFacts<Facts> extends LocalStream {
  facts: Facts | undefined;
  private readonly kind: number;
  private readonly read: (frame: FrameReader) => Facts | undefined;

  /** `read` gives what a frame of that kind, or an image, says; undefined where it says nothing. */
  constructor(kind: number, read: (frame: FrameReader) => Facts | undefined) {
    super();
    this.kind = kind;
    this.read = read;
  }

  apply(frame: FrameReader): ApplyOutcome {
    if (frame.kind === Kind.image) {
      const facts = this.read(frame);
      this.takeImagePlace(frame, frame.seq);
      this.awaitingImage = false;
      this.take(frame, facts);
      return IMAGE;
    }
    if (frame.kind !== this.kind) return OTHER_KIND;
    if (this.awaitingImage) return AWAITING_IMAGE;
    if (!this.isMine(frame)) return this.otherEpoch(frame);
    const { seq, prevSeq } = frame;
    if (seq <= this.seq) return OLD;
    if (prevSeq > this.seq) return this.missed(prevSeq);
    const facts = this.read(frame);
    this.takeHeader(frame, seq);
    this.take(frame, facts);
    return APPLIED;
  }

  protected override get followsBook(): boolean {
    return false;
  }

  private take(frame: FrameReader, facts: Facts | undefined): void {
    if (frame.hasInfo) {
      this.priceExponent = frame.priceExponent;
      this.qtyExponent = frame.qtyExponent;
    }
    this.facts = facts;
    this.settle(frame.flags);
  }
}
