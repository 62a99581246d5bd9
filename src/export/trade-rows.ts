import type { FrameReader } from '../wire/frame.js';
import { AGGRESSORS } from '../wire/generated/constants.js';
import { Kind, Stream } from '../wire/protocol.js';
import { type Trade, TradeTape } from '../wire/trade-tape.js';
import { decimal, EXPONENTS, integer, placeColumns, type Schema, word } from './columns.js';
import type { RowMaker } from './level-rows.js';
import { type Market, PlaceWriter } from './markets.js';
import type { ByteData, LongData, RowBatch, TextData, WordData } from './row-batch.js';

const [TRADE, MISSED] = [0, 1];

/** Trades, or positions that were closed by force, which are told as the trades that did it. */
export type TradeKind = 'trade' | 'liquidation';

export function tradeSchema(instruments: readonly string[], kind: TradeKind): Schema {
  const columns = [
    ...placeColumns(instruments),
    word('event', [kind, 'missed']),
    { kind: 'text', name: 'trade_id' } as const,
    integer('trade_time_ns', true),
    word('aggressor', AGGRESSORS),
    decimal('price', 'price'),
    decimal('quantity', 'quantity'),
    ...EXPONENTS,
  ];
  return { name: `${kind}s/1`, columns };
}

/** Every trade, and a row without one where trades may be missing before the next. */
export class TradeTapeRows implements RowMaker {
  readonly streams: readonly number[];
  readonly imageOf: number;
  readonly followsBook = false;
  readonly #kind: number;
  readonly #batch: RowBatch;
  readonly #place: PlaceWriter;
  readonly #event: WordData;
  readonly #id: TextData;
  readonly #time: LongData;
  readonly #aggressor: WordData;
  readonly #price: LongData;
  readonly #quantity: LongData;
  readonly #priceExponent: ByteData;
  readonly #quantityExponent: ByteData;
  readonly #tapes = new Map<Market, TradeTape>();

  constructor(batch: RowBatch, kind: TradeKind) {
    this.imageOf = kind === 'trade' ? Stream.trades : Stream.liquidations;
    this.streams = [this.imageOf];
    this.#kind = Kind[kind];
    this.#batch = batch;
    this.#place = new PlaceWriter(batch);
    this.#event = batch.words('event');
    this.#id = batch.texts('trade_id');
    this.#time = batch.longs('trade_time_ns');
    this.#aggressor = batch.words('aggressor');
    this.#price = batch.longs('price');
    this.#quantity = batch.longs('quantity');
    this.#priceExponent = batch.bytes('price_exponent');
    this.#quantityExponent = batch.bytes('quantity_exponent');
  }

  take(market: Market, frame: FrameReader): void {
    const tape = this.#tapeOf(market);
    const before = tape.state;
    // The first book opens the first epoch: nothing is missing between it and what was told before.
    const isFirst = BigInt.asUintN(32, tape.epoch) === 0n;
    const { take, gap } = tape.apply(frame);
    const isLost = before === 'synced' && tape.state !== 'synced';
    this.#place.take(market, frame);
    if (isLost || (gap !== undefined && !(isFirst && gap.reason === 'reset'))) this.#missed(tape);
    if (take) for (const trade of tape.tradesOf(frame)) this.#trade(trade);
  }

  begin(): void {}

  #tapeOf(market: Market): TradeTape {
    const known = this.#tapes.get(market);
    if (known !== undefined) return known;
    const tape = new TradeTape(this.#kind);
    this.#tapes.set(market, tape);
    return tape;
  }

  #trade(trade: Trade): void {
    const row = this.#row(TRADE, trade);
    const { exact } = trade;
    this.#id.texts[row] = trade.name ?? (trade.idKind === 'none' ? '' : String(trade.id));
    this.#time.values[row] = trade.tsEvent;
    this.#time.valid[row] = trade.tsEvent === 0n ? 0 : 1;
    this.#aggressor.codes[row] = Math.max(0, AGGRESSORS.indexOf(trade.aggressor));
    this.#price.values[row] = exact?.price ?? BigInt(trade.price);
    this.#quantity.values[row] = exact?.qty ?? BigInt(trade.qty);
    this.#price.valid[row] = 1;
    this.#quantity.valid[row] = 1;
  }

  #missed(tape: TradeTape): void {
    const row = this.#row(MISSED, tape);
    this.#id.texts[row] = '';
    this.#aggressor.codes[row] = 0;
    for (const { valid } of [this.#time, this.#price, this.#quantity]) valid[row] = 0;
  }

  #row(
    event: number,
    { priceExponent, qtyExponent }: { readonly priceExponent: number; readonly qtyExponent: number },
  ): number {
    const row = this.#batch.next();
    this.#place.write(row);
    this.#event.codes[row] = event;
    this.#priceExponent.values[row] = priceExponent;
    this.#quantityExponent.values[row] = qtyExponent;
    return row;
  }
}
