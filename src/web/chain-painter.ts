import {
  type ChainExpiry,
  type ChainOption,
  type ChainRow,
  decimalText,
  type OptionChain,
  type Signal,
  type SignalName,
  tickerNumber,
} from '../wire/index.js';
import { doubtsOf } from './book-view.js';
import type { Session } from './session.js';
import { addElement, setData, TextCell } from './text-cell.js';
import { ageWords, isDoubted, stateWords } from './wording.js';

/** Height of a row, as the style sheet has it, px. */
const ROW_PX = 24;
/** Rows drawn beyond what is seen, so that scrolling meets no gap before the next frame. */
const BEYOND = 2;
/** What is computed over all options of the expiry is so often. */
const MEASURES_EVERY_MS = 500;

/** Columns of calls, outermost first; those of puts mirror them. */
const COLUMNS = ['heard', 'delta', 'iv', 'bidIv', 'bid', 'ask', 'askIv'] as const;
type Column = (typeof COLUMNS)[number];

const HEADS: Readonly<Record<Column, string>> = {
  heard: 'age',
  delta: 'Δ',
  iv: 'mid IV',
  bidIv: 'bid IV',
  bid: 'bid',
  ask: 'ask',
  askIv: 'ask IV',
};

interface RowCells {
  readonly element: HTMLElement;
  readonly strike: TextCell;
  readonly sides: Readonly<Record<'call' | 'put', Readonly<Record<Column, TextCell>>>>;
  readonly parts: Readonly<Record<'call' | 'put', HTMLElement>>;
}

/** Draws the rows of a chain that are in view, and no others. */
export class ChainPainter {
  /** Rows drawn in the last frame. */
  drawn = 0;
  readonly #chain: OptionChain;
  readonly #session: Session;
  readonly #rows: HTMLElement;
  readonly #space: HTMLElement;
  readonly #measures: TextCell;
  readonly #detail: TextCell;
  readonly #pool: RowCells[] = [];
  readonly #resize: ResizeObserver;
  #heightPx = 0;
  #cursor: { row: number; side: 'call' | 'put' } | undefined;
  #measuredMs = Number.NEGATIVE_INFINITY;
  #isPlaced = false;

  constructor(part: (selector: string) => HTMLElement, chain: OptionChain, session: Session) {
    this.#chain = chain;
    this.#session = session;
    this.#rows = part('.chain-rows');
    this.#measures = new TextCell(part('.chain-measures'));
    this.#detail = new TextCell(part('.chain-detail'));
    this.#rows.replaceChildren();
    this.#rows.setAttribute('role', 'grid');
    this.#rows.setAttribute('aria-label', 'Options by strike: calls left, puts right');
    this.#rows.tabIndex = 0;
    this.#space = addElement(this.#rows, 'div', 'chain-space');
    this.#space.setAttribute('role', 'presentation');
    const heads = part('.chain-heads');
    heads.replaceChildren();
    for (const column of COLUMNS) addElement(heads, 'span', column).textContent = HEADS[column];
    addElement(heads, 'span', 'strike').textContent = 'strike';
    for (const column of [...COLUMNS].reverse().map(mirrored))
      addElement(heads, 'span', column).textContent = HEADS[column];
    this.#resize = new ResizeObserver(() => {
      this.#heightPx = this.#rows.clientHeight;
    });
    this.#resize.observe(this.#rows);
    this.#rows.addEventListener('click', this.#onClick);
  }

  close(): void {
    this.#resize.disconnect();
    this.#rows.removeEventListener('click', this.#onClick);
    this.#rows.replaceChildren();
    this.#measures.set('');
    this.#detail.set('');
  }

  /** Does what a key means; false for one that means nothing here. */
  key(key: string): boolean {
    const rows = this.#expiry?.rows ?? [];
    const page = Math.max(1, Math.floor(this.#heightPx / ROW_PX) - 1);
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      j: 1,
      ArrowUp: -1,
      k: -1,
      PageDown: page,
      PageUp: -page,
      Home: -rows.length,
      End: rows.length,
    };
    const by = moves[key];
    if (by !== undefined) return this.#move(by, rows);
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      this.#cursor ??= { row: this.#middle(rows), side: 'call' };
      this.#cursor.side = key === 'ArrowLeft' ? 'call' : 'put';
      return true;
    }
    if (key === 'Enter') {
      const option = this.#chosen(rows);
      if (option !== undefined) this.#session.selectName(option.instrument);
      return option !== undefined;
    }
    if (key !== 'Escape' || this.#cursor === undefined) return false;
    this.#cursor = undefined;
    return true;
  }

  paint(nowMs: number): boolean {
    const expiry = this.#expiry;
    const rows = expiry?.rows ?? [];
    this.#space.style.height = `${rows.length * ROW_PX}px`;
    this.#rows.setAttribute('aria-rowcount', String(rows.length));
    const forward = expiry === undefined ? undefined : this.#measure(expiry, nowMs);
    if (!this.#isPlaced && rows.length > 0 && this.#heightPx > 0 && forward !== undefined) {
      // The money stands in the middle at first; from then on the reader scrolls.
      this.#isPlaced = true;
      this.#rows.scrollTop = this.#middle(rows) * ROW_PX - this.#heightPx / 2;
    }
    const first = Math.max(0, Math.floor(this.#rows.scrollTop / ROW_PX) - BEYOND);
    const end = Math.min(rows.length, first + Math.ceil(this.#heightPx / ROW_PX) + 2 * BEYOND);
    this.drawn = Math.max(0, end - first);
    while (this.#pool.length < this.drawn) this.#pool.push(this.#cells());
    for (const [at, cells] of this.#pool.entries()) {
      const row = rows[first + at];
      setData(cells.element, 'unused', row === undefined || at >= this.drawn ? '' : null);
      if (row !== undefined && at < this.drawn) this.#paintRow(cells, row, first + at, nowMs);
    }
    this.#paintDetail(this.#chosen(rows));
    return true;
  }

  get #expiry(): ChainExpiry | undefined {
    return this.#chain.expiries[0];
  }

  #forward: number | undefined;

  #measure(expiry: ChainExpiry, nowMs: number): number | undefined {
    if (nowMs - this.#measuredMs < MEASURES_EVERY_MS) return this.#forward;
    this.#measuredMs = nowMs;
    const { forward, atTheMoney, riskReversal25, butterfly25 } = this.#chain.measures(expiry);
    this.#forward = forward;
    this.#measures.set(
      [
        `forward ${forward === undefined ? '–' : forward.toFixed(2)}`,
        `ATM ${percent(atTheMoney)}`,
        `25Δ RR ${percent(riskReversal25)}`,
        `BF ${percent(butterfly25)}`,
      ].join('   '),
    );
    return forward;
  }

  #middle(rows: readonly ChainRow[]): number {
    const forward = this.#forward;
    if (forward === undefined) return Math.floor(rows.length / 2);
    const above = rows.findIndex(({ strike }) => strike >= forward);
    return above === -1 ? rows.length - 1 : above;
  }

  #move(by: number, rows: readonly ChainRow[]): boolean {
    if (rows.length === 0) return true;
    const { row, side } = this.#cursor ?? { row: this.#middle(rows), side: 'call' as const };
    const to = Math.min(rows.length - 1, Math.max(0, row + (this.#cursor === undefined ? 0 : by)));
    this.#cursor = { row: to, side };
    const top = to * ROW_PX;
    if (top < this.#rows.scrollTop) this.#rows.scrollTop = top;
    const below = top + ROW_PX - this.#heightPx;
    if (below > this.#rows.scrollTop) this.#rows.scrollTop = below;
    return true;
  }

  #chosen(rows: readonly ChainRow[]): ChainOption | undefined {
    return this.#cursor === undefined ? undefined : rows[this.#cursor.row]?.[this.#cursor.side];
  }

  readonly #onClick = (event: MouseEvent): void => {
    const target = event.target instanceof Element ? event.target : null;
    const side = target?.closest<HTMLElement>('.chain-side');
    const row = Number(target?.closest<HTMLElement>('.chain-row')?.dataset.row ?? Number.NaN);
    if (side === undefined || side === null || Number.isNaN(row)) return;
    this.#cursor = { row, side: side.classList.contains('call') ? 'call' : 'put' };
  };

  #cells(): RowCells {
    const element = addElement(this.#rows, 'div', 'chain-row');
    element.setAttribute('role', 'row');
    const sideOf = (side: 'call' | 'put', columns: readonly Column[]) => {
      const part = addElement(element, 'div', `chain-side ${side}`);
      part.setAttribute('role', 'gridcell');
      const cells = columns.map(
        (column) => [column, new TextCell(addElement(part, 'span', column))] as const,
      );
      return { part, cells: Object.fromEntries(cells) as Record<Column, TextCell> };
    };
    const call = sideOf('call', COLUMNS);
    const strikeElement = addElement(element, 'span', 'strike');
    strikeElement.setAttribute('role', 'rowheader');
    const put = sideOf('put', [...COLUMNS].reverse().map(mirrored));
    return {
      element,
      strike: new TextCell(strikeElement),
      sides: { call: call.cells, put: put.cells },
      parts: { call: call.part, put: put.part },
    };
  }

  #paintRow(cells: RowCells, row: ChainRow, at: number, nowMs: number): void {
    const { element } = cells;
    const top = `translateY(${at * ROW_PX}px)`;
    if (element.style.transform !== top) {
      element.style.transform = top;
      element.setAttribute('aria-rowindex', String(at + 1));
      element.dataset.row = String(at);
    }
    const forward = this.#forward;
    const money = forward === undefined ? null : row.strike < forward ? 'below' : 'above';
    setData(element, 'money', money);
    cells.strike.set(row.call?.strike ?? row.put?.strike ?? '');
    for (const side of ['call', 'put'] as const) {
      const isChosen = this.#cursor?.row === at && this.#cursor.side === side;
      setData(cells.parts[side], 'chosen', isChosen ? '' : null);
      this.#paintSide(cells.parts[side], cells.sides[side], row[side], nowMs);
    }
  }

  #paintSide(
    part: HTMLElement,
    cells: Readonly<Record<Column, TextCell>>,
    option: ChainOption | undefined,
    nowMs: number,
  ): void {
    const { book } = option ?? {};
    const state = book?.state ?? 'syncing';
    const doubts = doubtsOf(book ?? null);
    const isExact = this.#session.connected && state === 'synced' && !isDoubted(state, doubts);
    setData(part, 'state', option === undefined ? 'none' : isExact ? 'synced' : state);
    const words = !this.#session.connected ? 'no line' : stateWords(state, book?.reason ?? '', doubts);
    const age = ageWords(nowMs - (option?.heardMs ?? Number.NaN));
    cells.heard.set(option === undefined ? '' : isExact ? age : words);
    const title = option === undefined ? '' : `${option.instrument}: ${words}, ${age}`;
    if (part.title !== title) part.title = title;
    for (const [column, level] of [
      ['bid', book?.bestBid],
      ['ask', book?.bestAsk],
    ] as const)
      cells[column].set(level === undefined || book === undefined ? '–' : book.priceText(level));
    cells.delta.set(fixed(tickerNumber(option, 'deltaE9'), 3));
    cells.bidIv.set(percent(positive(tickerNumber(option, 'bidIvE9'))));
    cells.askIv.set(percent(positive(tickerNumber(option, 'askIvE9'))));
    cells.iv.set(percent(signalOf(option, 'mid_iv')));
  }

  #paintDetail(option: ChainOption | undefined): void {
    if (option === undefined) {
      this.#detail.set('↑ ↓ ← → choose an option, Enter opens it, [ ] the expiry');
      return;
    }
    const venue = [
      `Δ ${fixed(tickerNumber(option, 'deltaE9'), 5)}`,
      `Γ ${fixed(tickerNumber(option, 'gammaE9'), 5)}`,
      `vega ${fixed(tickerNumber(option, 'vegaE9'), 2)}`,
      `Θ ${fixed(tickerNumber(option, 'thetaE9'), 2)}`,
      `mark IV ${percent(positive(tickerNumber(option, 'markIvE9')))}`,
    ];
    const names = ['delta', 'delta_price_adjusted', 'gamma', 'vega', 'theta', 'mid_iv'] as const;
    const own = names.flatMap((name) => {
      const row = signalRow(option, name);
      return row === undefined ? [] : [`${name} ${decimalText(row.value, row.exponent)}`];
    });
    this.#detail.set(
      `${option.instrument}   venue: ${venue.join(' ')}   of the mid: ${own.join(' ') || '–'}`,
    );
  }
}

/** The mirrored place of a column has the other side's price. */
function mirrored(column: Column): Column {
  const other: Partial<Record<Column, Column>> = { bid: 'ask', ask: 'bid', bidIv: 'askIv', askIv: 'bidIv' };
  return other[column] ?? column;
}

/** A signal of an option; undefined where it has none, or where they are of a book that is not exact. */
function signalRow(option: ChainOption | undefined, name: SignalName): Signal | undefined {
  const from = option?.signals;
  return from?.state === 'synced' ? from.signal(name) : undefined;
}

function signalOf(option: ChainOption | undefined, name: SignalName): number | undefined {
  const row = signalRow(option, name);
  return row === undefined ? undefined : Number(row.value) * 10 ** row.exponent;
}

/** The venue tells 0 where a price implies no volatility. */
function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function percent(value: number | undefined): string {
  return value === undefined ? '–' : `${(value * 100).toFixed(1)}%`;
}

function fixed(value: number | undefined, decimals: number): string {
  return value === undefined ? '–' : value.toFixed(decimals);
}
