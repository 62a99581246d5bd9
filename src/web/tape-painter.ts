import { compact, withThousands } from './decimal-text.js';
import type { InstrumentFacts } from './instrument-view.js';
import type { RecentTrades, ShownTrade } from './recent-trades.js';
import { addElement, setData, TextCell } from './text-cell.js';

const ARROWS = { buy: '▲', sell: '▼', unknown: '·' } as const;

/** Most rows of the tape that are drawn. */
const TAPE_ROWS_MAX = 60;

class TapeRow {
  readonly element: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #arrow: TextCell;
  readonly #price: TextCell;
  readonly #qty: TextCell;
  readonly #time: TextCell;

  constructor(parent: HTMLElement) {
    this.element = addElement(parent, 'div', 'trade');
    this.element.setAttribute('role', 'row');
    this.#bar = addElement(this.element, 'span', 'bar');
    this.#arrow = cell(this.element, 'arrow');
    this.#price = cell(this.element, 'trade-price');
    this.#qty = cell(this.element, 'trade-qty');
    this.#time = cell(this.element, 'time');
  }

  set(trade: ShownTrade, qtyMax: number): void {
    setData(this.element, 'aggressor', trade.aggressor);
    this.#arrow.set(ARROWS[trade.aggressor]);
    this.#price.set(withThousands(trade.price));
    this.#qty.set(compact(trade.qty));
    this.#time.set(clockText(trade.tsMs));
    // The square root keeps small trades visible beside a block: the bar's area, not its length, follows the size.
    const share = qtyMax > 0 ? Math.sqrt(trade.qty / qtyMax) : 0;
    this.#bar.style.transform = `scaleX(${share.toFixed(3)})`;
  }

  /** A place where trades are missing, said in the tape itself. */
  setMissing(): void {
    setData(this.element, 'aggressor', 'unknown');
    this.#arrow.set('');
    this.#price.set('trades missing');
    this.#qty.set('');
    this.#time.set('');
    this.#bar.style.transform = 'scaleX(0)';
  }

  clear(): void {
    setData(this.element, 'aggressor', null);
  }
}

function cell(row: HTMLElement, className: string): TextCell {
  const element = addElement(row, 'span', className);
  element.setAttribute('role', 'cell');
  return new TextCell(element);
}

function clockText(tsMs: number): string {
  if (tsMs === 0) return '–';
  const time = new Date(tsMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** Draws the newest trades into reused rows, when there are new ones. */
export class TapePainter {
  readonly #parent: HTMLElement;
  readonly #rows: TapeRow[] = [];
  readonly #observer: ResizeObserver;
  #drawn = '';

  constructor(parent: HTMLElement) {
    this.#parent = parent;
    parent.setAttribute('role', 'table');
    parent.ariaLabel = 'Trades: aggressor, price, quantity, time';
    this.#observer = new ResizeObserver((entries) => this.#resize(entries[0]?.contentRect.height ?? 0));
    this.#observer.observe(parent);
  }

  close(): void {
    this.#observer.disconnect();
  }

  paint(trades: RecentTrades, facts: InstrumentFacts): void {
    const key = `${facts.name} ${trades.total} ${this.#rows.length}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    const qtyMax = trades.qtyMax();
    for (const [index, row] of this.#rows.entries()) {
      const item = trades.at(index);
      if (item === null) row.clear();
      else if (item.tag === 'missing') row.setMissing();
      else row.set(item, qtyMax);
    }
  }

  #resize(heightPx: number): void {
    const rowPx = Number.parseFloat(getComputedStyle(this.#parent).getPropertyValue('--rung')) || 22;
    const wanted = Math.min(TAPE_ROWS_MAX, Math.floor(heightPx / rowPx));
    while (this.#rows.length < wanted) this.#rows.push(new TapeRow(this.#parent));
    while (this.#rows.length > wanted) this.#rows.pop()?.element.remove();
  }
}
