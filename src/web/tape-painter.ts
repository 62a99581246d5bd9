import { compact, withThousands } from './decimal-text.js';
import { copyExactly } from './exact-copy.js';
import type { RecentTrades, ShownTrade, TapeItem } from './recent-trades.js';
import { addElement, setData, TextCell } from './text-cell.js';

const ARROWS = { buy: '▲', sell: '▼', unknown: '·' } as const;

/** Classes of a row's cells in the order in which they are copied. */
const CELLS: readonly string[] = ['time', 'arrow', 'trade-price', 'trade-qty', 'fills'];

/** Most rows of the tape that are drawn. */
const TAPE_ROWS_MAX = 60;

class TapeRow {
  readonly element: HTMLElement;
  readonly #arrow: TextCell;
  readonly #price: TextCell;
  readonly #fills: TextCell;
  readonly #qty: TextCell;
  readonly #time: TextCell;
  #share = 0;
  #item: TapeItem | undefined;
  #isLarge = false;

  constructor(parent: HTMLElement) {
    this.element = addElement(parent, 'div', 'trade');
    this.element.setAttribute('role', 'row');
    this.#arrow = cell(this.element, 'arrow');
    this.#price = cell(this.element, 'trade-price');
    this.#fills = cell(this.element, 'fills');
    this.#qty = cell(this.element, 'trade-qty');
    this.#time = cell(this.element, 'time');
  }

  /** Shows an item, or nothing (undefined). An item never changes, so its texts are made once. */
  set(item: TapeItem | undefined, qtyMax: number, largeFrom: number): void {
    const isLarge = item?.tag === 'trade' && item.qty >= largeFrom;
    if (item !== this.#item || isLarge !== this.#isLarge) {
      this.#item = item;
      this.#isLarge = isLarge;
      if (item === undefined) this.#clear();
      else if (item.tag === 'missing') this.#setMissing();
      else this.#setTrade(item, isLarge);
    }
    // The square root keeps small trades visible beside a block: the bar's area, not its length, follows the size.
    this.#setShare(item?.tag === 'trade' && qtyMax > 0 ? Math.sqrt(item.qty / qtyMax) : 0);
  }

  #setTrade(trade: ShownTrade, isLarge: boolean): void {
    setData(this.element, 'aggressor', trade.aggressor);
    setData(this.element, 'large', isLarge ? '' : null);
    this.#arrow.set(ARROWS[trade.aggressor]);
    this.#price.set(withThousands(trade.price));
    this.#fills.set(trade.fills === 1 ? '' : `×${trade.fills}`);
    this.#qty.set(compact(trade.qty));
    this.#time.set(clockText(trade.tsMs));
  }

  /** A place where trades are missing, said in the tape itself. */
  #setMissing(): void {
    setData(this.element, 'aggressor', 'unknown');
    setData(this.element, 'large', null);
    this.#price.set('trades missing');
    for (const other of [this.#arrow, this.#fills, this.#qty, this.#time]) other.set('');
  }

  /** Nothing stands here: hidden, and no text of another market is left behind. */
  #clear(): void {
    setData(this.element, 'aggressor', null);
    setData(this.element, 'large', null);
    for (const cell of [this.#arrow, this.#price, this.#fills, this.#qty, this.#time]) cell.set('');
  }

  #setShare(share: number): void {
    const rounded = Math.round(share * 100);
    if (rounded === this.#share) return;
    this.#share = rounded;
    this.element.style.backgroundSize = `${rounded}% calc(100% - 2px)`;
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
  readonly #endCopies: () => void;
  #shown: readonly TapeItem[] = [];
  #drawnOf: RecentTrades | null = null;
  #drawn = '';

  constructor(parent: HTMLElement) {
    this.#parent = parent;
    parent.setAttribute('role', 'table');
    parent.tabIndex = 0;
    parent.ariaLabel = 'Trades: aggressor, price, fills of one taker, quantity, time';
    this.#observer = new ResizeObserver((entries) => this.#resize(entries[0]?.contentRect.height ?? 0));
    this.#observer.observe(parent);
    this.#endCopies = copyExactly({
      element: parent,
      rows: () => parent.children,
      rowText: (row) => this.#lineOf(row).join('\t'),
      cellText: (row, { className }) => this.#lineOf(row)[CELLS.indexOf(className)] ?? '',
      chosenText: () => null,
    });
  }

  close(): void {
    this.#observer.disconnect();
    this.#endCopies();
  }

  /** Trades below `qtyMin` are left out; those from `largeFrom` on stand out. Both in units. True = it has drawn. */
  paint(trades: RecentTrades, qtyMin: number, largeFrom: number): boolean {
    const key = `${trades.version} ${this.#rows.length} ${qtyMin} ${largeFrom}`;
    if (trades === this.#drawnOf && key === this.#drawn) return false;
    this.#drawnOf = trades;
    this.#drawn = key;
    const shown = newest(trades, qtyMin, this.#rows.length);
    this.#turn(arrivedAmong(shown, this.#shown));
    this.#shown = shown;
    setData(this.#parent, 'empty', shown.length === 0 ? '' : null);
    let qtyMax = 0;
    for (const item of this.#shown) if (item.tag === 'trade') qtyMax = Math.max(qtyMax, item.qty);
    for (const [index, row] of this.#rows.entries()) row.set(this.#shown[index], qtyMax, largeFrom);
    return true;
  }

  /** Takes so many rows from the end to the beginning: what has only moved is not written, shaped and laid out again. */
  #turn(count: number): void {
    for (let turned = 0; turned < count; turned += 1) {
      const row = this.#rows.pop();
      if (row === undefined) return;
      this.#rows.unshift(row);
      this.#parent.prepend(row.element);
    }
  }

  #resize(heightPx: number): void {
    const rowPx = Number.parseFloat(getComputedStyle(this.#parent).getPropertyValue('--rung')) || 22;
    const wanted = Math.min(TAPE_ROWS_MAX, Math.floor(heightPx / rowPx));
    while (this.#rows.length < wanted) this.#rows.push(new TapeRow(this.#parent));
    while (this.#rows.length > wanted) this.#rows.pop()?.element.remove();
  }

  /** The exact decimals and time of a row, whatever it shows; empty for a row without a trade. */
  #lineOf(row: Element): readonly string[] {
    const item = this.#shown[this.#rows.findIndex(({ element }) => element === row)];
    if (item === undefined) return [];
    if (item.tag === 'missing') return ['trades missing'];
    const time = item.tsMs === 0 ? '' : new Date(item.tsMs).toISOString();
    return [time, item.aggressor, item.price, item.qtyText, String(item.fills)];
  }
}

/** How many items stand before the one that was the newest, which a further fill may have replaced; 0 where none is left of those before. */
function arrivedAmong(shown: readonly TapeItem[], before: readonly TapeItem[]): number {
  const [newest, next] = before;
  const at = newest === undefined ? -1 : shown.indexOf(newest);
  if (at >= 0) return at;
  return next === undefined ? 0 : Math.max(0, shown.indexOf(next) - 1);
}

/** The newest items that a filter leaves, at most so many. Gaps always stay. */
function newest(trades: RecentTrades, qtyMin: number, count: number): readonly TapeItem[] {
  const items: TapeItem[] = [];
  for (let age = 0; age < trades.count && items.length < count; age += 1) {
    const item = trades.at(age);
    if (item !== null && (item.tag === 'missing' || item.qty >= qtyMin)) items.push(item);
  }
  return items;
}
