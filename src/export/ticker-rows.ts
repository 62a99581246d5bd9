import type { FrameReader } from '../wire/frame.js';
import { TickerFields } from '../wire/frame-facts.js';
import { Stream, TICKER_FIELDS, type TickerField } from '../wire/protocol.js';
import { type Column, decimal, EXPONENTS, integer, placeColumns, type Schema } from './columns.js';
import type { RowMaker } from './level-rows.js';
import { type Market, PlaceWriter } from './markets.js';
import type { ByteData, LongData, RowBatch } from './row-batch.js';

const QUANTITIES: ReadonlySet<TickerField> = new Set(['volume', 'openInterest']);

/** The column of a statistic: `fundingRateE9` is `funding_rate`, of 10^-9. */
function columnOf(field: TickerField): Column {
  if (field === 'fundingAt') return integer('funding_at_ns', true);
  const name = field.replace(/E9$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (field.endsWith('E9')) return decimal(name, 'e9');
  return decimal(name, QUANTITIES.has(field) ? 'quantity' : 'price');
}

const STATISTICS = TICKER_FIELDS.map(columnOf);

export function tickerSchema(instruments: readonly string[]): Schema {
  return { name: 'tickers/1', columns: [...placeColumns(instruments), ...STATISTICS, ...EXPONENTS] };
}

/** Every change of the statistics, whole: what the venue has not told is absent. They do not depend on the book. */
export class TickerRows implements RowMaker {
  readonly streams = [Stream.ticker];
  readonly imageOf = Stream.ticker;
  readonly followsBook = false;
  readonly #batch: RowBatch;
  readonly #place: PlaceWriter;
  readonly #values: readonly LongData[];
  readonly #priceExponent: ByteData;
  readonly #quantityExponent: ByteData;

  constructor(batch: RowBatch) {
    this.#batch = batch;
    this.#place = new PlaceWriter(batch);
    this.#values = STATISTICS.map(({ name }) => batch.longs(name));
    this.#priceExponent = batch.bytes('price_exponent');
    this.#quantityExponent = batch.bytes('quantity_exponent');
  }

  take(market: Market, frame: FrameReader): void {
    const ticker = new TickerFields(frame);
    if (!ticker.isPresent) return;
    const row = this.#batch.next();
    this.#place.take(market, frame);
    this.#place.write(row);
    this.#priceExponent.values[row] = ticker.priceExponent;
    this.#quantityExponent.values[row] = ticker.qtyExponent;
    for (const [index, data] of this.#values.entries()) {
      data.values[row] = BigInt(ticker.value(index));
      data.valid[row] = (ticker.mask >> index) & 1;
    }
  }

  begin(): void {}
}
