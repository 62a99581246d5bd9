import type { LocalBook, Side } from '../wire/index.js';
import { doubtsOf } from './book-view.js';
import { withThousands } from './decimal-text.js';
import type { InstrumentView } from './instrument-view.js';
import { setData, TextCell } from './text-cell.js';
import { ageWords, isDoubted, reasonWords, stateWords } from './wording.js';

/** A row's width and what stands in it, px: more than that may not fit. */
const ROW_PX = 240;
const AGE_PX = 56;
const STATE_PX = 18;
const CHAR_PX = { symbol: 8.4, venue: 6.6, state: 6.6, price: 7.6 } as const;

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

  paint({ facts, best, inputMs }: InstrumentView, nowMs: number): void {
    const state = best?.state ?? 'syncing';
    const reason = state === 'stale' ? reasonWords(best?.reason ?? 'none') : '';
    const words = best === null ? state : stateWords(state, best.reason, doubtsOf(best));
    this.#state.set(words);
    setData(this.#state.element, 'state', state);
    setData(this.#state.element, 'doubt', isDoubted(state, doubtsOf(best)) ? '' : null);
    if (this.#state.element.title !== reason) this.#state.element.title = reason;
    setData(this.#element, 'seq', String(best?.seq ?? 0));
    setData(this.#element, 'epoch', String(best?.epoch ?? 0));
    // Of a book that was never whole nothing has come that it would be the age of.
    this.#age.set(ageWords(best?.seq === 0 ? Number.NaN : nowMs - inputMs));
    const bid = priceText(best, 'bid');
    const ask = priceText(best, 'ask');
    this.#bid.set(bid);
    this.#ask.set(ask);
    const { symbol, venue, state: stateChar, price } = CHAR_PX;
    const namePx =
      facts.symbol.length * symbol + facts.venue.length * venue + STATE_PX + words.length * stateChar;
    const pricesPx = (bid.length + ask.length) * price + AGE_PX;
    setData(this.#element, 'long', Math.max(namePx, pricesPx) > ROW_PX ? '' : null);
  }
}

function priceText(best: LocalBook | null, side: Side): string {
  const level = best?.levelAt(side, 0);
  return best === null || level === undefined ? '–' : withThousands(best.priceText(level));
}
