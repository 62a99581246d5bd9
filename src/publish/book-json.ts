import type { BookInfo, InstrumentInfo } from '../engine.js';
import { decimalText } from '../wire/decimal.js';
import { FrameReader } from '../wire/frame.js';
import { Flag } from '../wire/protocol.js';

/** A price and a quantity as exact decimals. */
type LevelJson = readonly [price: string, qty: string];

/** A book as `/v1/book/:instrument` answers it. 64-bit numbers and decimals are strings. */
export interface BookJson {
  readonly instrument: string;
  readonly instrumentId: number;
  readonly state: string;
  readonly reason: string;
  readonly epoch: string;
  readonly seq: string;
  readonly venueSeq: string;
  readonly ageMs: number;
  /** Levels of the whole book. */
  readonly bidCount: number;
  readonly askCount: number;
  /** Worst price to which the venue has made the side known; null = all. */
  readonly bidKnownTo: string | null;
  readonly askKnownTo: string | null;
  /** Whether a best level lies where the venue has not made the book known, so that others may stand before it. */
  readonly beyondKnown: boolean;
  /** Whether the best bid is above the best ask. */
  readonly crossed: boolean;
  /** Best first, at most the depth that was asked for. */
  readonly bids: readonly LevelJson[];
  readonly asks: readonly LevelJson[];
}

/** Reads the book's image, so that the answer is what subscribers of the same epoch and seq hold. */
export function bookJson(
  instrument: InstrumentInfo,
  book: BookInfo,
  image: Uint8Array | undefined,
  depth: number,
): BookJson {
  const bids: LevelJson[] = [];
  const asks: LevelJson[] = [];
  const { state, reason } = book;
  let { epoch, seq, venueSeq } = book;
  let bidKnownTo: string | null = null;
  let askKnownTo: string | null = null;
  let flags = 0;
  const reader = new FrameReader().reset(image ?? new Uint8Array());
  while (reader.next()) {
    const { priceExponent, qtyExponent } = reader;
    epoch = reader.epoch;
    seq = BigInt(reader.seq);
    venueSeq = reader.venueSeqBigInt;
    flags = reader.flags;
    bidKnownTo = knownTo(reader.bidKnownTo, priceExponent);
    askKnownTo = knownTo(reader.askKnownTo, priceExponent);
    for (let i = 0; i < reader.bidCount && bids.length < depth; i++) {
      bids.push([
        decimalText(reader.bidPriceBigInt(i), priceExponent),
        decimalText(reader.bidQtyBigInt(i), qtyExponent),
      ]);
    }
    for (let i = 0; i < reader.askCount && asks.length < depth; i++) {
      asks.push([
        decimalText(reader.askPriceBigInt(i), priceExponent),
        decimalText(reader.askQtyBigInt(i), qtyExponent),
      ]);
    }
  }
  return {
    instrument: instrument.name,
    instrumentId: instrument.id,
    state,
    reason,
    epoch: String(epoch),
    seq: String(seq),
    venueSeq: String(venueSeq),
    ageMs: ageMs(book),
    bidCount: book.bids,
    askCount: book.asks,
    bidKnownTo,
    askKnownTo,
    beyondKnown: (flags & Flag.beyondKnown) !== 0,
    crossed: (flags & Flag.crossed) !== 0,
    bids,
    asks,
  };
}

/** Time since the last input for the book, to the microsecond. */
export function ageMs(book: BookInfo): number {
  return Number(book.ageNs / 1000n) / 1000;
}

function knownTo(price: number | bigint, exponent: number): string | null {
  return Math.abs(Number(price)) === Number.POSITIVE_INFINITY ? null : decimalText(price, exponent);
}
