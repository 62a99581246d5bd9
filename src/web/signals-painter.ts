import { SIGNAL_NAMES, SIGNAL_UNITS } from '../wire/generated/constants.js';
import { decimalText, type Signal, type SignalsSubscription } from '../wire/index.js';
import { withThousands } from './decimal-text.js';
import { SignalHistory } from './signal-history.js';
import { addElement, setData, TextCell } from './text-cell.js';
import { reasonWords } from './wording.js';

/** Those whose course says more than their value. */
const WITH_HISTORY: ReadonlySet<string> = new Set([
  'mid',
  'imbalance_5',
  'order_flow_1',
  'volatility',
  'trade_imbalance',
  'cvd',
]);
/** Of a longer text six digits are shown. */
const TEXT_MAX = 14;
const [LINE_PX, LINE_HIGH_PX] = [72, 16];
const SVG = 'http://www.w3.org/2000/svg';

/** A row of the list: the name, its last two minutes, the value, and what it counts. */
class SignalRow {
  readonly name: string;
  readonly #element: HTMLElement;
  readonly #value: TextCell;
  readonly #unit: TextCell;
  readonly #unitWord: string;
  readonly #history: SignalHistory | null;
  readonly #line: SVGPathElement | null;

  constructor(parent: HTMLElement, name: string, unit: string) {
    this.name = name;
    this.#unitWord = unit;
    this.#element = addElement(parent, 'div', 'signal');
    this.#element.setAttribute('role', 'row');
    this.#element.dataset.signal = name;
    this.#cell('signal-name').set(name);
    const line = addElement(this.#element, 'span', 'signal-line');
    line.setAttribute('role', 'cell');
    this.#history = WITH_HISTORY.has(name) ? new SignalHistory() : null;
    this.#line = this.#history === null ? null : addLine(line);
    this.#value = this.#cell('signal-value');
    this.#unit = this.#cell('signal-unit');
  }

  paint(signal: Signal | undefined): void {
    setData(this.#element, 'absent', signal === undefined ? '' : null);
    setData(this.#element, 'partial', signal?.isPartial === true ? '' : null);
    this.#value.set(signal === undefined ? '–' : valueText(signal));
    this.#unit.set(signal?.isPartial === true ? `${this.#unitWord}, partial` : this.#unitWord);
  }

  /** Draws the history, with the value of a second; undefined = there is none that counts. */
  advance(second: number, signal: Signal | undefined): void {
    if (this.#history === null || this.#line === null) return;
    this.#history.put(second, signal === undefined ? Number.NaN : numberOf(signal));
    this.#line.setAttribute('d', this.#history.path(LINE_PX, LINE_HIGH_PX));
  }

  #cell(className: string): TextCell {
    const element = addElement(this.#element, 'span', className);
    element.setAttribute('role', 'cell');
    return new TextCell(element);
  }
}

function addLine(parent: HTMLElement): SVGPathElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 -1 ${LINE_PX} ${LINE_HIGH_PX + 2}`);
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  svg.appendChild(path);
  parent.appendChild(svg);
  return path;
}

function numberOf({ value, exponent }: Signal): number {
  return Number(`${value}e${exponent}`);
}

/** The value with all its digits, or with six where these are many. */
export function valueText(signal: Signal): string {
  const text = decimalText(signal.value, signal.exponent);
  return text.length > TEXT_MAX ? numberOf(signal).toPrecision(6) : withThousands(text);
}

/** Lists the signals of an instrument. */
export class SignalsPainter {
  readonly #list: HTMLElement;
  readonly #note: TextCell;
  readonly #rows: readonly SignalRow[];
  #drawn = '';
  #second = Number.NaN;

  constructor(part: (selector: string) => HTMLElement) {
    this.#list = part('.signal-list');
    this.#list.replaceChildren();
    this.#list.setAttribute('role', 'table');
    this.#list.tabIndex = 0;
    this.#list.ariaLabel = 'Signals: name, the last two minutes of some, value, unit';
    this.#note = new TextCell(part('.signals-note'));
    this.#rows = SIGNAL_NAMES.flatMap((name, id) =>
      name === 'none' ? [] : [new SignalRow(this.#list, name, SIGNAL_UNITS[id] ?? '')],
    );
  }

  /** `error`: why there are none, in words. */
  paint(
    { signals, state, reason }: Pick<SignalsSubscription, 'signals' | 'state' | 'reason'>,
    error: string,
    isConnected: boolean,
    nowMs: number,
  ): boolean {
    const isCurrent = isConnected && error === '' && state === 'synced';
    const second = Math.floor(nowMs / 1000);
    const key = `${error} ${state} ${reason} ${isConnected} ${signals?.seq}`;
    const isNew = key !== this.#drawn;
    if (!isNew && second === this.#second) return false;
    const values = new Map(signals?.rows.map((signal) => [signal.name as string, signal]));
    if (isNew) {
      this.#drawn = key;
      setData(this.#list, 'dim', isCurrent ? null : '');
      this.#note.set(error === '' ? noteOf(state, reasonWords(reason), isConnected) : error);
      for (const row of this.#rows) row.paint(values.get(row.name));
    }
    if (second !== this.#second) {
      this.#second = second;
      for (const row of this.#rows) row.advance(second, isCurrent ? values.get(row.name) : undefined);
    }
    return true;
  }
}

function noteOf(state: string, reason: string, isConnected: boolean): string {
  if (!isConnected) return 'Not connected: these are the last known.';
  if (state === 'stale') return `These are stale: ${reason}.`;
  return state === 'synced' ? '' : 'There are none yet: the book is syncing.';
}
