import type { Side } from '../wire/index.js';
import { compact, withThousands } from './decimal-text.js';
import { bucketPriceText } from './grouping.js';
import { addElement, setData, TextCell } from './text-cell.js';

/** Most rows that a ladder shows, however tall the window is. */
export const LADDER_ROWS_MAX = 120;

/** The price with most volume, one of the value area, or neither. */
export type VolumeMark = 'poc' | 'value' | null;

class LadderRow {
  readonly element: HTMLElement;
  readonly #price: TextCell;
  readonly #quantities: Readonly<Record<Side, QuantityCell>>;
  readonly #cumulative: Readonly<Record<Side, AmountCell>>;
  readonly #volume: QuantityCell;
  #bucket = Number.NaN;
  #size = 0;
  #exponent = 0;
  #side: Side | null = null;
  #touch = false;
  #mark: 'hover' | 'cursor' | null = null;
  #own: 'buy' | 'sell' | null = null;
  #area: VolumeMark = null;

  constructor(parent: HTMLElement, id: string) {
    this.element = addElement(parent, 'div', 'rung');
    this.element.id = id;
    this.element.setAttribute('role', 'row');
    this.element.ariaSelected = 'false';
    const cumulativeBid = new AmountCell(this.element, 'sum-bid');
    const bid = new QuantityCell(this.element, 'qty-bid');
    const price = addElement(this.element, 'div', 'rung-price');
    price.setAttribute('role', 'rowheader');
    this.#price = new TextCell(price);
    this.#quantities = { bid, ask: new QuantityCell(this.element, 'qty-ask') };
    this.#cumulative = { bid: cumulativeBid, ask: new AmountCell(this.element, 'sum-ask') };
    this.#volume = new QuantityCell(this.element, 'volume');
  }

  /** Prints the price of a bucket; NaN: nothing. The text is made where it differs only: most rows keep theirs. */
  setPrice(bucket: number, size: number, exponent: number): void {
    if (Object.is(bucket, this.#bucket) && size === this.#size && exponent === this.#exponent) return;
    this.#bucket = bucket;
    this.#size = size;
    this.#exponent = exponent;
    this.#price.set(Number.isNaN(bucket) ? '' : withThousands(bucketPriceText(bucket, size, exponent)));
  }

  /** `touch`: the row of a best price; `own`: the row to which an order of the reader's own size would trade. */
  setMarks(
    side: Side | null,
    touch: boolean,
    mark: 'hover' | 'cursor' | null,
    own: 'buy' | 'sell' | null,
  ): void {
    const { element } = this;
    // Compared here: to ask the element takes longer than all else that a row is asked at each frame.
    if (side !== this.#side) setData(element, 'side', side);
    if (touch !== this.#touch) setData(element, 'touch', touch ? '' : null);
    if (own !== this.#own) setData(element, 'own', own);
    if (mark !== this.#mark) {
      setData(element, 'mark', mark);
      element.ariaSelected = String(mark === 'cursor');
    }
    this.#side = side;
    this.#touch = touch;
    this.#own = own;
    this.#mark = mark;
  }

  /** Mantissas with the value of one unit; `cumulative` from the touch to here, `share` of the longest bar, 0 to 1. */
  setQty(side: Side, qty: number, cumulative: number, unit: number, share: number): void {
    this.#quantities[side].set(qty, unit, share);
    this.#cumulative[side].set(qty === 0 ? 0 : cumulative, unit);
  }

  /** What was traded at the row's prices; `area`: whether it is the price with most of it, or within the value area. */
  setVolume(qty: number, unit: number, share: number, area: VolumeMark): void {
    this.#volume.set(qty, unit, share);
    if (area === this.#area) return;
    this.#area = area;
    setData(this.#volume.element, 'area', area);
  }
}

/** An amount in a cell, printed short. */
class AmountCell {
  readonly element: HTMLElement;
  readonly #text: TextCell;
  #qty = 0;
  #unit = 0;

  constructor(row: HTMLElement, className: string) {
    this.element = addElement(row, 'div', className);
    this.element.setAttribute('role', 'gridcell');
    this.#text = new TextCell(this.element);
  }

  set(qty: number, unit: number): void {
    if (qty === this.#qty && unit === this.#unit) return;
    this.#qty = qty;
    this.#unit = unit;
    this.#text.set(qty === 0 ? '' : compact(qty * unit));
  }
}

/** One with a bar behind it. The bar is the cell's background: an element or a transform of its own costs the compositor more than the paint. */
class QuantityCell {
  readonly #amount: AmountCell;
  #share = 0;

  constructor(row: HTMLElement, className: string) {
    this.#amount = new AmountCell(row, className);
  }

  get element(): HTMLElement {
    return this.#amount.element;
  }

  set(qty: number, unit: number, share: number): void {
    this.#amount.set(qty, unit);
    const rounded = Math.round(share * 100);
    if (rounded === this.#share) return;
    this.#share = rounded;
    this.element.style.backgroundSize = `${rounded}% 100%`;
  }
}

/** The pool of row elements. Rows are made when the window grows and removed when it shrinks, never by an update. */
export class LadderRows {
  readonly #parent: HTMLElement;
  readonly #rowId: string;
  readonly #rows: LadderRow[] = [];

  constructor(parent: HTMLElement, rowId: string) {
    this.#parent = parent;
    this.#rowId = rowId;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** Gives the rows whole pixels of the height: fractions would leave seams between them. */
  resize(count: number, heightPx: number): void {
    const wanted = Math.min(LADDER_ROWS_MAX, Math.max(0, count));
    while (this.#rows.length < wanted)
      this.#rows.push(new LadderRow(this.#parent, `${this.#rowId}-${this.#rows.length}`));
    while (this.#rows.length > wanted) this.#rows.pop()?.element.remove();
    const edgePx = (index: number): number => Math.floor((index * heightPx) / wanted);
    for (const [index, row] of this.#rows.entries()) {
      row.element.style.height = `${edgePx(index + 1) - edgePx(index)}px`;
    }
  }

  /** Index of the row that holds an event's target, or -1. */
  indexOf(target: EventTarget | null): number {
    const element = target instanceof Element ? target.closest('.rung') : null;
    return element === null ? -1 : this.#rows.findIndex((row) => row.element === element);
  }

  row(index: number): LadderRow | undefined {
    return this.#rows[index];
  }
}
