import { APPLIED, type ApplyOutcome, AWAITING_IMAGE, IMAGE, OLD, OTHER_KIND } from './apply-outcome.js';
import type { FrameReader } from './frame.js';
import { LocalStream } from './local-stream.js';
import { Kind } from './protocol.js';

/**
 * A state that each frame of a stream replaces whole (`ticker`, `trading`, `costs`, `signals`), by rules 1 to 3 of docs/protocol.md.
 */
export class LocalFacts<Facts> extends LocalStream {
  facts: Facts | undefined;
  private readonly kind: number;
  private readonly read: (frame: FrameReader) => Facts | undefined;
  private readonly isOfBook: boolean;

  /**
   * `read` gives what a frame of that kind, or an image, says; undefined where it says nothing. `isOfBook`: the stream ends
   * with the truth of the server's book.
   */
  constructor(kind: number, read: (frame: FrameReader) => Facts | undefined, isOfBook = false) {
    super();
    this.isOfBook = isOfBook;
    this.kind = kind;
    this.read = read;
  }

  apply(frame: FrameReader): ApplyOutcome {
    if (frame.kind === Kind.image) {
      const facts = this.read(frame);
      this.takeImagePlace(frame, frame.seq);
      this.awaitingImage = false;
      this.take(frame, facts);
      if (this.followsBook) this.takeImageState(frame);
      return IMAGE;
    }
    if (frame.kind === Kind.status && this.followsBook) return this.applyStatus(frame);
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
    return this.isOfBook;
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
