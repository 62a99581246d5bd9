import type { LocalBook, Side } from '../wire/index.js';
import { doubtsOf } from './book-view.js';
import { withThousands } from './decimal-text.js';
import type { InstrumentView } from './instrument-view.js';
import { setData, TextCell } from './text-cell.js';
import { ageWords, reasonWords, stateWords } from './wording.js';

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

  paint({ best, inputMs }: InstrumentView, nowMs: number): void {
    const state = best?.state ?? 'syncing';
    const reason = state === 'stale' ? reasonWords(best?.reason ?? 'none') : '';
    this.#state.set(best === null ? state : stateWords(state, best.reason, doubtsOf(best)));
    setData(this.#state.element, 'state', state);
    if (this.#state.element.title !== reason) this.#state.element.title = reason;
    setData(this.#element, 'seq', String(best?.seq ?? 0));
    setData(this.#element, 'epoch', String(best?.epoch ?? 0));
    // Of a book that was never whole nothing has come that it would be the age of.
    this.#age.set(ageWords(best?.seq === 0 ? Number.NaN : nowMs - inputMs));
    this.#bid.set(priceText(best, 'bid'));
    this.#ask.set(priceText(best, 'ask'));
  }
}

function priceText(best: LocalBook | null, side: Side): string {
  const level = best?.levelAt(side, 0);
  return best === null || level === undefined ? '–' : withThousands(best.priceText(level));
}
