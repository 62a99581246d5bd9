import {
  APPLIED,
  type ApplyOutcome,
  AWAITING_IMAGE,
  CHUNK,
  CHUNK_DISCARDED,
  IMAGE,
  OLD,
  OTHER_KIND,
} from './apply-outcome.js';
import { decimalText } from './decimal.js';
import { badFrame } from './errors.js';
import type { FrameReader } from './frame.js';
import { VolumeRows } from './frame-computed.js';
import { SessionFields, ViewFields } from './frame-facts.js';
import { LocalStream } from './local-stream.js';
import { Kind } from './protocol.js';

/** Rows that are held at most; a server has fewer. */
const ROWS_MAX = 1 << 16;

/** What has traded at a price, or in the bucket that begins at it. Mantissas, BigInts beyond 2^53. */
export interface Volume {
  readonly price: number | bigint;
  /** By who took; `unknown` where the venue does not say. */
  readonly bought: number | bigint;
  readonly sold: number | bigint;
  readonly unknown: number | bigint;
  /** How many trades that were. */
  readonly trades: number;
}

/**
 * What has traded at prices since a session began, by rules 1 to 3 of docs/protocol.md. It does not depend on the book. `synced`
 * says that it is the server's at its sequence; whether trades may be missing in that says `missedAt`.
 */
export class LocalVolumes extends LocalStream {
  /** When counting began, ns since the Unix epoch; 0 = nothing has traded yet. */
  since = 0n;
  /** When it was last noticed that trades since then may be missing, ns; 0 = none are. */
  missedAt = 0n;
  /** Width of the price buckets as a mantissa; 0 = prices as they are. It may be wider than what was granted. */
  grouping: number | bigint = 0;
  private kept = new Map<number | bigint, Volume>();
  private staged = new Map<number | bigint, Volume>();
  private sorted: readonly Volume[] | undefined;

  /** All rows, lowest price first; the same array until one of them changes. */
  get rows(): readonly Volume[] {
    this.sorted ??= [...this.kept.values()].sort((a, b) => (a.price < b.price ? -1 : 1));
    return this.sorted;
  }

  /** The row of a price, which is a multiple of `grouping`; undefined where nothing has traded. */
  at(price: number | bigint): Volume | undefined {
    return this.kept.get(price);
  }

  /** A price as an exact decimal. */
  priceText(price: number | bigint): string {
    return decimalText(price, this.priceExponent, this.priceDecimalsMin);
  }

  /** A quantity likewise. */
  qtyText(qty: number | bigint): string {
    return decimalText(qty, this.qtyExponent, this.qtyDecimalsMin);
  }

  apply(frame: FrameReader): ApplyOutcome {
    try {
      return frame.kind === Kind.image ? this.applyImage(frame) : this.applyChange(frame);
    } catch (error) {
      this.failFrame();
      throw error;
    }
  }

  protected override get followsBook(): boolean {
    return false;
  }

  private applyImage(frame: FrameReader): ApplyOutcome {
    const { chunkIndex, chunkCount, seq } = frame;
    const turn = this.takeChunk(frame, chunkIndex, chunkCount, seq);
    if (turn === undefined) return CHUNK_DISCARDED;
    if (turn === 'first') this.staged = new Map();
    this.takeRows(frame, this.staged);
    if (chunkIndex + 1 < chunkCount) return CHUNK;
    this.takeImagePlace(frame, seq);
    this.awaitingImage = false;
    this.priceExponent = frame.priceExponent;
    this.qtyExponent = frame.qtyExponent;
    this.grouping = new ViewFields(frame).grouping;
    this.kept = this.staged;
    this.staged = new Map();
    this.done(frame);
    return IMAGE;
  }

  /** Rules 2 and 3. */
  private applyChange(frame: FrameReader): ApplyOutcome {
    if (frame.kind !== Kind.volumes) return OTHER_KIND;
    if (this.awaitingImage) return AWAITING_IMAGE;
    if (!this.isMine(frame)) return this.otherEpoch(frame);
    const { seq, prevSeq } = frame;
    if (seq <= this.seq) return OLD;
    if (prevSeq > this.seq) return this.missed(prevSeq);
    this.takeRows(frame, this.kept);
    this.takeHeader(frame, seq);
    this.done(frame);
    return APPLIED;
  }

  private takeRows(frame: FrameReader, to: Map<number | bigint, Volume>): void {
    const rows = new VolumeRows(frame);
    for (let at = 0; at < rows.count; at += 1) {
      const [price, trades] = [rows.price(at), rows.trades(at)];
      if (trades === 0) to.delete(price);
      else
        to.set(price, {
          price,
          bought: rows.bought(at),
          sold: rows.sold(at),
          unknown: rows.unknown(at),
          trades,
        });
    }
    if (to.size > ROWS_MAX) throw badFrame('volumes', `at most ${ROWS_MAX} rows`, String(to.size));
  }

  private done(frame: FrameReader): void {
    const session = new SessionFields(frame);
    this.since = session.since;
    this.missedAt = session.missedAt;
    this.sorted = undefined;
    this.settle(frame.flags);
  }
}
