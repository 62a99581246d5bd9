import type { Side } from '../wire/index.js';
import { compact } from './decimal-text.js';
import { addElement, setData, TextCell } from './text-cell.js';

/** Most rows that a ladder shows, however tall the window is. */
export const LADDER_ROWS_MAX = 120;

/** The content of one row beside its quantities. */
export interface RowContent {
  readonly price: string;
  readonly side: Side | null;
  /** The row of a best price. */
  readonly touch: boolean;
  readonly mark: 'hover' | 'cursor' | null;
}

class LadderRow {
  readonly element: HTMLElement;
  readonly #price: TextCell;
  readonly #quantities: Readonly<Record<Side, QuantityCell>>;

  constructor(parent: HTMLElement, index: number) {
    this.element = addElement(parent, 'div', 'rung');
    this.element.id = `rung-${index}`;
    this.element.setAttribute('role', 'row');
    const bid = new QuantityCell(this.element, 'qty-bid');
    const price = addElement(this.element, 'div', 'rung-price');
    price.setAttribute('role', 'rowheader');
    this.#price = new TextCell(price);
    this.#quantities = { bid, ask: new QuantityCell(this.element, 'qty-ask') };
  }

  set(content: RowContent): void {
    this.#price.set(content.price);
    setData(this.element, 'side', content.side);
    setData(this.element, 'touch', content.touch ? '' : null);
    setData(this.element, 'mark', content.mark);
    const selected = content.mark === 'cursor' ? 'true' : 'false';
    if (this.element.ariaSelected !== selected) this.element.ariaSelected = selected;
  }

  /** Quantity as a mantissa with the value of one unit; `share` of the longest bar, 0 to 1. */
  setQty(side: Side, qty: number, unit: number, share: number): void {
    this.#quantities[side].set(qty, unit, share);
  }
}

/** A quantity with its bar. The bar only changes its transform, which needs no layout. */
class QuantityCell {
  readonly #bar: HTMLElement;
  readonly #text: TextCell;
  #qty = 0;
  #unit = 0;
  #share = 0;

  constructor(row: HTMLElement, className: string) {
    const cell = addElement(row, 'div', className);
    cell.setAttribute('role', 'gridcell');
    this.#bar = addElement(cell, 'span', 'bar');
    this.#text = new TextCell(addElement(cell, 'span', 'text'));
  }

  set(qty: number, unit: number, share: number): void {
    if (qty !== this.#qty || unit !== this.#unit) {
      this.#qty = qty;
      this.#unit = unit;
      this.#text.set(qty === 0 ? '' : compact(qty * unit));
    }
    const rounded = Math.round(share * 200) / 200;
    if (rounded === this.#share) return;
    this.#share = rounded;
    this.#bar.style.transform = `scaleX(${rounded})`;
  }
}

/** The pool of row elements. Rows are made when the window grows and removed when it shrinks, never by an update. */
export class LadderRows {
  readonly #parent: HTMLElement;
  readonly #rows: LadderRow[] = [];

  constructor(parent: HTMLElement) {
    this.#parent = parent;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** Gives the rows whole pixels of the height: fractions would leave seams between them. */
  resize(count: number, heightPx: number): void {
    const wanted = Math.min(LADDER_ROWS_MAX, Math.max(0, count));
    while (this.#rows.length < wanted) this.#rows.push(new LadderRow(this.#parent, this.#rows.length));
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
