import type { FrameReader } from '../wire/frame.js';
import { Field } from '../wire/frame-table.js';
import { STATE } from '../wire/generated/constants.js';
import { Flag, Kind, Stream } from '../wire/protocol.js';
import { decimal, EXPONENTS, placeColumns, type Schema, TRUST, word } from './columns.js';
import type { RowMaker } from './level-rows.js';
import { type Market, Markets, PlaceWriter, TrustWriter } from './markets.js';
import type { ByteData, LongData, RowBatch, WordData } from './row-batch.js';

/** What is to be known of a top that is synced. */
export const DOUBTS = ['none', 'crossed', 'beyond_known', 'crossed, beyond_known'] as const;

export function topSchema(instruments: readonly string[]): Schema {
  const columns = [
    ...placeColumns(instruments),
    ...TRUST,
    word('doubt', DOUBTS),
    decimal('bid_price', 'price'),
    decimal('bid_quantity', 'quantity'),
    decimal('ask_price', 'price'),
    decimal('ask_quantity', 'quantity'),
    ...EXPONENTS,
  ];
  return { name: 'top/1', columns };
}

/** The place of doubts among their words. */
export function doubtOf(isCrossed: boolean, isBeyondKnown: boolean): number {
  return (isCrossed ? 1 : 0) + (isBeyondKnown ? 2 : 0);
}

/** A row for each change of the best prices and their quantities; without prices while the book is not exact. */
export class TopRows implements RowMaker {
  readonly streams = [Stream.bbo, Stream.status];
  readonly imageOf = Stream.bbo;
  readonly followsBook = true;
  readonly #batch: RowBatch;
  readonly #place: PlaceWriter;
  readonly #trust: TrustWriter;
  readonly #doubt: WordData;
  readonly #bid: readonly [LongData, LongData];
  readonly #ask: readonly [LongData, LongData];
  readonly #priceExponent: ByteData;
  readonly #quantityExponent: ByteData;
  /** The last row's values of each market, to be told again where only its doubts change. */
  readonly #last = new Map<Market, BigInt64Array>();

  constructor(batch: RowBatch) {
    this.#batch = batch;
    this.#place = new PlaceWriter(batch);
    this.#trust = new TrustWriter(batch);
    this.#doubt = batch.words('doubt');
    this.#bid = [batch.longs('bid_price'), batch.longs('bid_quantity')];
    this.#ask = [batch.longs('ask_price'), batch.longs('ask_quantity')];
    this.#priceExponent = batch.bytes('price_exponent');
    this.#quantityExponent = batch.bytes('quantity_exponent');
  }

  take(market: Market, frame: FrameReader): void {
    this.#place.take(market, frame);
    if (frame.kind === Kind.status) {
      market.state = frame.statusState;
      market.reason = frame.statusReason;
      // A book that is synced again tells its top by an image.
      if (market.state !== STATE.synced) this.#bare(market);
      return;
    }
    const doubt = doubtOf((frame.flags & Flag.crossed) !== 0, (frame.flags & Flag.beyondKnown) !== 0);
    const last = this.#lastOf(market);
    if (frame.kind === Kind.check) {
      if (last[4] === BigInt(doubt) || market.state !== STATE.synced) return;
    } else {
      if (frame.kind === Kind.image) Markets.takeImage(market, frame);
      this.#keep(last, 0, frame, frame.bidCount, Field.bids);
      this.#keep(last, 2, frame, frame.askCount, Field.asks);
    }
    last[4] = BigInt(doubt);
    if (market.state !== STATE.synced) {
      this.#bare(market);
      return;
    }
    const row = this.#row(market, doubt);
    this.#side(row, this.#bid, last, 0);
    this.#side(row, this.#ask, last, 2);
  }

  begin(market: Market, ns: bigint): void {
    this.#place.takeTime(market, ns);
    this.#bare(market);
  }

  #lastOf(market: Market): BigInt64Array {
    const known = this.#last.get(market);
    if (known !== undefined) return known;
    const last = new BigInt64Array(5).fill(-1n);
    this.#last.set(market, last);
    return last;
  }

  /** The best level of a side; a quantity below 0 where it has none. */
  #keep(last: BigInt64Array, at: number, frame: FrameReader, count: number, field: number): void {
    if (count === 0) {
      last[at + 1] = -1n;
      return;
    }
    const place = frame.placeOf(field);
    last[at] = frame.view.getBigInt64(place, true);
    last[at + 1] = frame.view.getBigInt64(place + 8, true);
  }

  #side(
    row: number,
    [price, quantity]: readonly [LongData, LongData],
    last: BigInt64Array,
    at: number,
  ): void {
    const [mantissa, amount] = [last[at] as bigint, last[at + 1] as bigint];
    const isThere = amount >= 0n ? 1 : 0;
    price.values[row] = mantissa;
    quantity.values[row] = amount;
    price.valid[row] = isThere;
    quantity.valid[row] = isThere;
  }

  /** A row without prices. */
  #bare(market: Market): void {
    const row = this.#row(market, 0);
    for (const data of [...this.#bid, ...this.#ask]) data.valid[row] = 0;
  }

  #row(market: Market, doubt: number): number {
    const row = this.#batch.next();
    this.#place.write(row);
    this.#trust.write(row, market);
    this.#doubt.codes[row] = doubt;
    this.#priceExponent.values[row] = market.priceExponent;
    this.#quantityExponent.values[row] = market.qtyExponent;
    return row;
  }
}
