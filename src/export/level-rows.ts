import type { FrameReader } from '../wire/frame.js';
import { Field, LEVEL_BYTES } from '../wire/frame-table.js';
import { STATE } from '../wire/generated/constants.js';
import { Kind, Stream } from '../wire/protocol.js';
import { decimal, EXPONENTS, placeColumns, type Schema, SIDES, TRUST, word } from './columns.js';
import { type Market, Markets, PlaceWriter, TrustWriter } from './markets.js';
import type { ByteData, LongData, RowBatch, WordData } from './row-batch.js';

const EVENTS = ['image', 'change', 'status'] as const;
const [IMAGE, CHANGE, STATUS] = [0, 1, 2];
const [BID, ASK] = [0, 1];

/** What makes rows of what the engine publishes. */
export interface RowMaker {
  /** Streams whose frames it takes. */
  readonly streams: readonly number[];
  /**
   * The stream of which the engine gives an image where rows begin: in the middle of a recording, and at its beginning where they are
   * not of books. None has to be told then.
   */
  readonly imageOf: number | undefined;
  /** Whether rows are of books, and nothing but `begin` can be told of one that is not synced. */
  readonly followsBook: boolean;
  take(market: Market, frame: FrameReader): void;
  /** Called for a market whose book is not synced, where rows begin at a time within a recording. */
  begin(market: Market, ns: bigint): void;
}

export function levelSchema(instruments: readonly string[]): Schema {
  const columns = [
    ...placeColumns(instruments),
    word('event', EVENTS),
    ...TRUST,
    word('side', SIDES, true),
    decimal('price', 'price'),
    decimal('quantity', 'quantity'),
    ...EXPONENTS,
  ];
  return { name: 'levels/1', columns };
}

/**
 * Every level of each image and change of the books, and each change of their states as a row without a level. An image without
 * levels, as a chunk of one, is a row without a level, too: the rows of an epoch's first sequence are the whole book.
 */
export class LevelRows implements RowMaker {
  readonly streams = [Stream.book, Stream.status];
  readonly imageOf = Stream.book;
  readonly followsBook = true;
  readonly #batch: RowBatch;
  readonly #place: PlaceWriter;
  readonly #trust: TrustWriter;
  readonly #event: WordData;
  readonly #side: WordData;
  readonly #price: LongData;
  readonly #quantity: LongData;
  readonly #priceExponent: ByteData;
  readonly #quantityExponent: ByteData;

  constructor(batch: RowBatch) {
    this.#batch = batch;
    this.#place = new PlaceWriter(batch);
    this.#trust = new TrustWriter(batch);
    this.#event = batch.words('event');
    this.#side = batch.words('side');
    this.#price = batch.longs('price');
    this.#quantity = batch.longs('quantity');
    this.#priceExponent = batch.bytes('price_exponent');
    this.#quantityExponent = batch.bytes('quantity_exponent');
  }

  take(market: Market, frame: FrameReader): void {
    if (frame.kind === Kind.image) {
      Markets.takeImage(market, frame);
      this.#place.take(market, frame);
      // What was known last of a book that is not exact is no level of the venue's.
      if (market.state !== STATE.synced) this.#bare(market, STATUS);
      else if (frame.bidCount + frame.askCount === 0) this.#bare(market, IMAGE);
      else this.#levels(market, frame, IMAGE);
    } else if (frame.kind === Kind.delta) {
      this.#place.take(market, frame);
      this.#levels(market, frame, CHANGE);
    } else if (frame.kind === Kind.status) {
      market.state = frame.statusState;
      market.reason = frame.statusReason;
      this.#place.take(market, frame);
      this.#bare(market, STATUS);
    }
  }

  begin(market: Market, ns: bigint): void {
    this.#place.takeTime(market, ns);
    this.#bare(market, STATUS);
  }

  #levels(market: Market, frame: FrameReader, event: number): void {
    if (frame.bidCount > 0) this.#write(market, frame, event, BID);
    if (frame.askCount > 0) this.#write(market, frame, event, ASK);
  }

  #write(market: Market, frame: FrameReader, event: number, side: number): void {
    const { view } = frame;
    const from = frame.placeOf(side === BID ? Field.bids : Field.asks);
    const to = from + (side === BID ? frame.bidCount : frame.askCount) * LEVEL_BYTES;
    const { words: prices, valid: hasPrice } = this.#price;
    const { words: quantities, valid: hasQuantity } = this.#quantity;
    for (let at = from; at < to; at += LEVEL_BYTES) {
      const row = this.#row(market, event);
      this.#side.codes[row] = side;
      this.#side.valid[row] = 1;
      const low = row * 2;
      prices[low] = view.getInt32(at, true);
      prices[low + 1] = view.getInt32(at + 4, true);
      quantities[low] = view.getInt32(at + 8, true);
      quantities[low + 1] = view.getInt32(at + 12, true);
      hasPrice[row] = 1;
      hasQuantity[row] = 1;
    }
  }

  /** A row without a level. */
  #bare(market: Market, event: number): void {
    const row = this.#row(market, event);
    this.#side.valid[row] = 0;
    this.#price.valid[row] = 0;
    this.#quantity.valid[row] = 0;
  }

  #row(market: Market, event: number): number {
    const row = this.#batch.next();
    this.#place.write(row);
    this.#trust.write(row, market);
    this.#event.codes[row] = event;
    this.#priceExponent.values[row] = market.priceExponent;
    this.#quantityExponent.values[row] = market.qtyExponent;
    return row;
  }
}
