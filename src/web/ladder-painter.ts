import type { Side } from '../wire/index.js';
import type { BookView } from './book-view.js';
import { withThousands } from './decimal-text.js';
import { bucketPriceText } from './grouping.js';
import type { Inspector } from './inspector.js';
import type { InstrumentView } from './instrument-view.js';
import type { LadderPosition } from './ladder-position.js';
import { LADDER_ROWS_MAX, LadderRows, type RowContent } from './ladder-rows.js';
import { LadderWindow } from './ladder-window.js';

/** Share of the wheel's movement that scrolls one row, in px. */
const WHEEL_ROW_PX = 24;

/**
 * Draws the ladder of the selected instrument into reused rows and turns pointer and wheel into scrolling. It draws
 * only when the book, the position or the pointer has changed, and reads no layout while it draws.
 */
export class LadderPainter {
  readonly #rungs: HTMLElement;
  readonly #rows: LadderRows;
  readonly #inspector: Inspector;
  readonly #observer: ResizeObserver;
  #window = new LadderWindow(0);
  #instrument: InstrumentView | null = null;
  #hoverRow = -1;
  #wheelPx = 0;
  #dragY = Number.NaN;
  #rowPx = 22;
  #drawn = '';

  constructor(rungs: HTMLElement, inspector: Inspector) {
    this.#rungs = rungs;
    this.#rows = new LadderRows(rungs);
    this.#inspector = inspector;
    inspector.clear();
    rungs.setAttribute('role', 'grid');
    rungs.tabIndex = 0;
    rungs.ariaLabel = 'Ladder: bid quantity, price, ask quantity';
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

  close(): void {
    this.#observer.disconnect();
    this.#rows.resize(0, 0);
  }

  paint(instrument: InstrumentView, book: BookView): void {
    this.#instrument = instrument;
    const { position } = instrument;
    const rows = this.#window.rows;
    position.chooseStep(book.bids, book.asks, rows);
    position.settle(rows, book.bestBid, book.bestAsk);
    const key = `${instrument.facts.name} ${book.version} ${position.top} ${position.step} ${position.cursor} ${this.#hoverRow} ${rows}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#window.top = position.top;
    this.#window.fill(book.bids, book.asks, position.size);
    this.#drawRows(position, book);
    this.#drawInspector(instrument, book);
  }

  #drawRows(position: LadderPosition, book: BookView): void {
    const { rows, top, qtyMax, bidQty, askQty } = this.#window;
    const unit = 10 ** book.qtyExponent;
    const bestBid = position.bid(book.bestBid);
    const bestAsk = position.ask(book.bestAsk);
    for (let index = 0; index < rows; index += 1) {
      const row = this.#rows.row(index);
      if (row === undefined) return;
      const bucket = top - index;
      const bid = bidQty[index] ?? 0;
      const ask = askQty[index] ?? 0;
      row.setQty('bid', bid, unit, qtyMax > 0 ? bid / qtyMax : 0);
      row.setQty('ask', ask, unit, qtyMax > 0 ? ask / qtyMax : 0);
      const content: RowContent = {
        price: book.hasLevels
          ? withThousands(bucketPriceText(bucket, position.size, book.priceExponent))
          : '',
        side: sideOfRow(bid, ask),
        touch: bucket === bestBid || bucket === bestAsk,
        mark: bucket === position.cursor ? 'cursor' : index === this.#hoverRow ? 'hover' : null,
      };
      row.set(content);
    }
    const active = top - position.cursor;
    const id = active >= 0 && active < rows ? `rung-${active}` : '';
    if (this.#rungs.getAttribute('aria-activedescendant') !== id)
      this.#rungs.setAttribute('aria-activedescendant', id);
  }

  #drawInspector(instrument: InstrumentView, book: BookView): void {
    const { top, cursor } = instrument.position;
    const bucket = this.#hoverRow >= 0 ? top - this.#hoverRow : cursor;
    if (Number.isNaN(bucket)) this.#inspector.clear();
    else this.#inspector.show(bucket, instrument, book);
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
