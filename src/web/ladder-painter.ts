import type { Side } from '../wire/index.js';
import type { BookView } from './book-view.js';
import type { Inspector } from './inspector.js';
import type { InstrumentView } from './instrument-view.js';
import type { LadderPosition } from './ladder-position.js';
import { LADDER_ROWS_MAX, LadderRows } from './ladder-rows.js';
import { LadderWindow } from './ladder-window.js';
import type { OwnSize } from './own-size-painter.js';
import type { Profile } from './volume-profile.js';

/** Share of the wheel's movement that scrolls one row, in px. */
const WHEEL_ROW_PX = 24;

/** What a ladder shows. */
export interface LadderContent {
  readonly instrument: InstrumentView;
  readonly book: BookView;
  readonly profile: Profile;
}

/**
 * Draws the ladder of the selected instrument into reused rows and turns pointer and wheel into scrolling. It draws
 * only when the book, the position or the pointer has changed, and reads no layout while it draws.
 */
export class LadderPainter {
  readonly #rungs: HTMLElement;
  readonly #rows: LadderRows;
  readonly #inspector: Inspector | null;
  readonly #rowId: string;
  readonly #observer: ResizeObserver;
  #window = new LadderWindow(0);
  #instrument: InstrumentView | null = null;
  #hoverRow = -1;
  #wheelPx = 0;
  #dragY = Number.NaN;
  #rowPx = 22;
  #drawn = '';
  #best: readonly [bid: number, ask: number] = [Number.NaN, Number.NaN];

  /** Rows get the ids `rowId-0`, `rowId-1`, … and must be the only ones of the page with them. */
  constructor(rungs: HTMLElement, inspector: Inspector | null, rowId: string) {
    this.#rungs = rungs;
    this.#rowId = rowId;
    this.#rows = new LadderRows(rungs, rowId);
    this.#inspector = inspector;
    inspector?.clear();
    rungs.setAttribute('role', 'grid');
    rungs.tabIndex = 0;
    rungs.ariaLabel =
      'Ladder: cumulative and bid quantity, price, ask and cumulative quantity, volume traded';
    this.#observer = new ResizeObserver((entries) => this.#resize(entries[0]?.contentRect.height ?? 0));
    this.#observer.observe(rungs);
    rungs.addEventListener('pointermove', this.#onPointerMove);
    rungs.addEventListener('pointerleave', this.#onPointerLeave);
    rungs.addEventListener('pointerdown', this.#onPointerDown);
    rungs.addEventListener('pointerup', this.#onPointerUp);
    rungs.addEventListener('pointercancel', this.#onPointerUp);
    rungs.addEventListener('wheel', this.#onWheel, { passive: false });
  }

  get rows(): number {
    return this.#window.rows;
  }

  /** Bucket of the first row as it is drawn. */
  get top(): number {
    return this.#window.top;
  }

  close(): void {
    this.#observer.disconnect();
    this.#rows.resize(0, 0);
  }

  /** Scrolls by rows, downwards for a positive number. */
  scroll(by: number): void {
    this.#instrument?.position.scroll(by);
  }

  /** Groups by a coarser (1) or finer (-1) step. */
  regroup(by: number): void {
    this.#instrument?.position.regroup(by, this.rows);
  }

  /** Follows the best prices again. */
  follow(): void {
    const { position } = this.#instrument ?? {};
    position?.followTouch(this.rows, this.#best[0], this.#best[1]);
  }

  /** What rests at the chosen row, as a mantissa; NaN where none is chosen or it is not in view. */
  get restingQty(): number {
    const row =
      this.#instrument === null ? -1 : this.#instrument.position.top - this.#instrument.position.cursor;
    return (this.#window.bidQty[row] ?? Number.NaN) + (this.#window.askQty[row] ?? Number.NaN);
  }

  /** True = it has drawn. */
  paint({ instrument, book, profile }: LadderContent, own: OwnSize | null): boolean {
    this.#instrument = instrument;
    this.#best = [book.bestBid, book.bestAsk];
    const { position } = instrument;
    const rows = this.#window.rows;
    position.chooseStep(book.bids, book.asks, rows);
    position.settle(rows, book.bestBid, book.bestAsk);
    const key = `${instrument.facts.name} ${book.version} ${profile.version} ${own?.buy.worst} ${own?.sell.worst} ${position.top} ${position.step} ${position.cursor} ${this.#hoverRow} ${rows}`;
    if (key === this.#drawn) return false;
    this.#drawn = key;
    this.#window.top = position.top;
    this.#window.fill(book.bids, book.asks, position.size);
    this.#drawRows(position, book, profile, own);
    this.#drawInspector(instrument, book);
    return true;
  }

  #drawRows(position: LadderPosition, book: BookView, profile: Profile, own: OwnSize | null): void {
    const { rows, top, qtyMax, bidQty, askQty, bidSum, askSum } = this.#window;
    const unit = 10 ** book.qtyExponent;
    const bestBid = position.bid(book.bestBid);
    const bestAsk = position.ask(book.bestAsk);
    const ownBuy = own === null ? Number.NaN : position.ask(own.buy.worst);
    const ownSell = own === null ? Number.NaN : position.bid(own.sell.worst);
    const { poc, valueLow, valueHigh, qtyMax: volumeMax } = profile;
    for (let index = 0; index < rows; index += 1) {
      const row = this.#rows.row(index);
      if (row === undefined) return;
      const bucket = top - index;
      const bid = bidQty[index] ?? 0;
      const ask = askQty[index] ?? 0;
      row.setQty('bid', bid, bidSum[index] ?? 0, unit, qtyMax > 0 ? bid / qtyMax : 0);
      row.setQty('ask', ask, askSum[index] ?? 0, unit, qtyMax > 0 ? ask / qtyMax : 0);
      const volume = profile.at(bucket);
      const area = bucket === poc ? 'poc' : bucket >= valueLow && bucket <= valueHigh ? 'value' : null;
      row.setVolume(volume, unit, volumeMax > 0 ? volume / volumeMax : 0, area);
      row.setPrice(book.hasLevels ? bucket : Number.NaN, position.size, book.priceExponent);
      row.setMarks(
        sideOfRow(bid, ask),
        bucket === bestBid || bucket === bestAsk,
        bucket === position.cursor ? 'cursor' : index === this.#hoverRow ? 'hover' : null,
        bucket === ownBuy ? 'buy' : bucket === ownSell ? 'sell' : null,
      );
    }
    const active = top - position.cursor;
    const id = active >= 0 && active < rows ? `${this.#rowId}-${active}` : '';
    if (this.#rungs.getAttribute('aria-activedescendant') !== id)
      this.#rungs.setAttribute('aria-activedescendant', id);
  }

  #drawInspector(instrument: InstrumentView, book: BookView): void {
    const { top, cursor } = instrument.position;
    const bucket = this.#hoverRow >= 0 ? top - this.#hoverRow : cursor;
    if (Number.isNaN(bucket)) this.#inspector?.clear();
    else this.#inspector?.show(bucket, instrument, book);
  }

  #resize(heightPx: number): void {
    this.#rowPx = Number.parseFloat(getComputedStyle(this.#rungs).getPropertyValue('--rung')) || 22;
    const rows = Math.min(LADDER_ROWS_MAX, Math.floor(heightPx / this.#rowPx));
    this.#rows.resize(rows, heightPx);
    const before = this.#window.rows;
    if (rows === before) return;
    this.#window = new LadderWindow(rows);
    if (this.#instrument !== null) this.#instrument.position.top += Math.floor((rows - before) / 2);
  }

  readonly #onPointerMove = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse') this.#hoverRow = this.#rows.indexOf(event.target);
    if (Number.isNaN(this.#dragY) || this.#instrument === null) return;
    const by = Math.trunc((this.#dragY - event.clientY) / this.#rowPx);
    if (by === 0) return;
    this.#dragY -= by * this.#rowPx;
    this.#instrument.position.scroll(by);
  };

  readonly #onPointerLeave = (): void => {
    this.#hoverRow = -1;
  };

  readonly #onPointerDown = (event: PointerEvent): void => {
    const row = this.#rows.indexOf(event.target);
    if (row < 0 || this.#instrument === null) return;
    this.#instrument.position.cursor = this.#instrument.position.top - row;
    if (event.target instanceof Element && event.target.closest('.rung-price') !== null) {
      this.#dragY = event.clientY;
      this.#rungs.setPointerCapture(event.pointerId);
    }
  };

  readonly #onPointerUp = (): void => {
    this.#dragY = Number.NaN;
  };

  readonly #onWheel = (event: WheelEvent): void => {
    if (event.ctrlKey || this.#instrument === null) return;
    event.preventDefault();
    this.#wheelPx +=
      event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * WHEEL_ROW_PX : event.deltaY;
    const by = Math.trunc(this.#wheelPx / WHEEL_ROW_PX);
    this.#wheelPx -= by * WHEEL_ROW_PX;
    if (by !== 0) this.#instrument.position.scroll(by);
  };
}

function sideOfRow(bid: number, ask: number): Side | null {
  if (bid > 0 && ask === 0) return 'bid';
  return ask > 0 && bid === 0 ? 'ask' : null;
}
