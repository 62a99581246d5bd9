import { Rows } from './frame-rows.js';
import { Field, type FrameTable } from './frame-table.js';
import { AGGRESSORS, TRADE_ID_KINDS } from './generated/constants.js';
import type { Aggressor, TradeIdKind } from './protocol.js';

/** Trades of a frame. */
export class TradeRows extends Rows {
  constructor(frame: FrameTable) {
    super(frame, Field.trades);
  }

  /** A mantissa, a BigInt where no number holds it, as the quantity. */
  price(index: number): number | bigint {
    return this.frame.exact(this.at(index));
  }
  qty(index: number): number | bigint {
    return this.frame.exact(this.at(index) + 8);
  }
  /** The venue's number of the trade. */
  id(index: number): bigint {
    return this.frame.unsignedBigInt(this.at(index) + 16);
  }
  /** The venue's time, ns since the Unix epoch; 0 = not given. */
  tsEvent(index: number): bigint {
    return this.frame.unsignedBigInt(this.at(index) + 24);
  }
  aggressor(index: number): Aggressor {
    return AGGRESSORS[this.frame.view.getUint8(this.at(index) + 32)] ?? 'unknown';
  }
  idKind(index: number): TradeIdKind {
    return TRADE_ID_KINDS[this.frame.view.getUint8(this.at(index) + 33)] ?? 'unknown';
  }
}
