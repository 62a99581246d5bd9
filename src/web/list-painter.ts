import { formatDecimal } from '../wire/index.js';
import { withThousands } from './decimal-text.js';
import type { InstrumentView } from './instrument-view.js';
import { setData, TextCell } from './text-cell.js';
import { ageWords, reasonWords } from './wording.js';

/** Draws what changes in one row of the instrument list; the row itself stands in instrument-list.tsx. */
export class ListRowPainter {
  readonly #element: HTMLElement;
  readonly #state: TextCell;
  readonly #age: TextCell;
  readonly #bid: TextCell;
  readonly #ask: TextCell;

  constructor(element: HTMLElement, part: (selector: string) => HTMLElement) {
    this.#element = element;
    this.#state = new TextCell(part('.state'));
    this.#age = new TextCell(part('.age'));
    this.#bid = new TextCell(part('.bid'));
    this.#ask = new TextCell(part('.ask'));
  }

  paint({ best, inputMs, facts }: InstrumentView, nowMs: number): void {
    const state = best?.state ?? 'syncing';
    const reason = state === 'stale' ? reasonWords(best?.reason ?? 'none') : '';
    this.#state.set(state === 'stale' ? `stale: ${best?.reason.replaceAll('_', ' ')}` : state);
    setData(this.#state.element, 'state', state);
    if (this.#state.element.title !== reason) this.#state.element.title = reason;
    setData(this.#element, 'seq', String(best?.seq ?? 0));
    setData(this.#element, 'epoch', String(best?.epoch ?? 0));
    this.#age.set(ageWords(nowMs - inputMs));
    this.#bid.set(priceText(best?.priceAt('bid', 0), facts.priceExponent));
    this.#ask.set(priceText(best?.priceAt('ask', 0), facts.priceExponent));
  }
}

function priceText(price: number | undefined, exponent: number): string {
  return price === undefined || Number.isNaN(price) ? '–' : withThousands(formatDecimal(price, exponent));
}
