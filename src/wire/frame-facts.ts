import { Field, type FrameTable } from './frame-table.js';
import { TRADING_STATUSES } from './generated/constants.js';
import type { TradingStatus } from './protocol.js';

/** One struct of a frame. What it reads throws `wire.missing_field` where the frame has none. */
class Fields {
  readonly frame: FrameTable;
  private readonly field: number;

  /** Subclasses say which struct: one of `Field`. */
  protected constructor(frame: FrameTable, field: number) {
    this.frame = frame;
    this.field = field;
  }

  /** Whether the frame holds it. */
  get isPresent(): boolean {
    return this.frame.has(this.field);
  }

  protected get at(): number {
    return this.frame.placeOf(this.field);
  }
}

/** What was lost of a book when it last was. In status frames. Times are ns since the Unix epoch. */
export class GapFields extends Fields {
  constructor(frame: FrameTable) {
    super(frame, Field.gap);
  }

  /** The venue's number that was due and the one that came; 0 where the reason has none. */
  get expected(): bigint {
    return this.frame.unsignedBigInt(this.at);
  }
  get received(): bigint {
    return this.frame.unsignedBigInt(this.at + 8);
  }
  /** When the last input arrived that the book was exact at. */
  get lostFrom(): bigint {
    return this.frame.unsignedBigInt(this.at + 16);
  }
  /** When the loss was noticed. */
  get noticed(): bigint {
    return this.frame.unsignedBigInt(this.at + 24);
  }
  /** When the book was exact again; 0 = not yet. */
  get mended(): bigint {
    return this.frame.unsignedBigInt(this.at + 32);
  }
  /** The last place of the `book` stream that was exact. */
  get epochBefore(): bigint {
    return this.frame.unsignedBigInt(this.at + 40);
  }
  get seqBefore(): bigint {
    return this.frame.unsignedBigInt(this.at + 48);
  }
  /** A number: see `reasonOf`. */
  get reason(): number {
    return this.frame.view.getUint8(this.at + 56);
  }
}

/** The whole statistics of an instrument. */
export class TickerFields extends Fields {
  constructor(frame: FrameTable) {
    super(frame, Field.ticker);
  }

  /** A bit for each field that is known, the lowest for the first of `TICKER_FIELDS`. */
  get mask(): number {
    return this.frame.view.getUint32(this.at, true);
  }
  get priceExponent(): number {
    return this.frame.view.getInt8(this.at + 4);
  }
  get qtyExponent(): number {
    return this.frame.view.getInt8(this.at + 5);
  }

  /** The field at an index of `TICKER_FIELDS`, a BigInt where no number holds it; 0 where it is not known. */
  value(index: number): number | bigint {
    return this.frame.exact(this.at + 8 + index * 8);
  }
}

/** Whether the instrument trades. */
export class TradingFields extends Fields {
  constructor(frame: FrameTable) {
    super(frame, Field.trading);
  }

  /** When it began to be so, by the venue, ns; 0 = not given. */
  get tsEvent(): bigint {
    return this.frame.unsignedBigInt(this.at);
  }
  get status(): TradingStatus {
    return TRADING_STATUSES[this.frame.view.getUint8(this.at + 8)] ?? 'unknown';
  }
}

/** Of when volumes are. In each frame of them. */
export class SessionFields extends Fields {
  constructor(frame: FrameTable) {
    super(frame, Field.session);
  }

  /** When counting began, ns since the Unix epoch; 0 = nothing has traded yet. */
  get since(): bigint {
    return this.frame.unsignedBigInt(this.at);
  }
  /** When it was last noticed that trades since then may be missing, ns; 0 = none are. */
  get missedAt(): bigint {
    return this.frame.unsignedBigInt(this.at + 8);
  }
}

/** What a view of a book shows: on images of depth views. */
export class ViewFields extends Fields {
  constructor(frame: FrameTable) {
    super(frame, Field.view);
  }

  /** Width of a price bucket as a mantissa; 0 = levels as they are. */
  get grouping(): number | bigint {
    return this.frame.exact(this.at);
  }
  /** Least time between two changes. */
  get intervalMs(): number {
    return this.frame.milliseconds(this.at + 8);
  }
  /** Levels a side at most. */
  get depth(): number {
    return this.frame.view.getUint32(this.at + 16, true);
  }
}
