import type { BookView } from './book-view.js';
import { compact, withThousands } from './decimal-text.js';
import type { InstrumentView } from './instrument-view.js';
import { type Fill, fillOf } from './own-size.js';
import type { TextCell } from './text-cell.js';

/** What the reader's own size would trade at once, and where it would stand. */
export interface OwnSize {
  readonly buy: Fill;
  readonly sell: Fill;
}

/** Says what an order of the reader's own size would do. */
export class OwnSizePainter {
  readonly #cell: TextCell;
  #drawn = '';
  #own: OwnSize | null = null;

  constructor(cell: TextCell) {
    this.#cell = cell;
  }

  /** `size` is a decimal in the instrument's unit, empty for none. `restingQty` is what rests at the chosen price, NaN where none is chosen. */
  paint(size: string, instrument: InstrumentView, book: BookView, restingQty: number): OwnSize | null {
    const key = `${size} ${book.version} ${restingQty}`;
    if (key === this.#drawn) return this.#own;
    this.#drawn = key;
    const qty = Number(size) / 10 ** book.qtyExponent;
    const isSize = size !== '' && qty > 0 && Number.isFinite(qty);
    this.#own = isSize ? { buy: fillOf(book.asks, qty), sell: fillOf(book.bids, qty) } : null;
    if (this.#own === null) {
      this.#cell.set(size === '' ? '' : 'not a size');
      return null;
    }
    const { buy, sell } = this.#own;
    const resting = Number.isNaN(restingQty)
      ? ''
      : ` · here behind ${compact(restingQty * 10 ** book.qtyExponent)}`;
    this.#cell.set(
      `buy ${fillText(buy, qty, instrument, book)} · sell ${fillText(sell, qty, instrument, book)}${resting}`,
    );
    return this.#own;
  }
}

function fillText(
  { filled, mean, worst }: Fill,
  qty: number,
  { facts }: InstrumentView,
  book: BookView,
): string {
  if (filled === 0) return '–';
  const scale = 10 ** book.priceExponent;
  const decimals = Math.max(book.priceDecimalsMin, 0) || Math.min(8, Math.max(0, -book.priceExponent));
  const best = withThousands((mean * scale).toFixed(decimals));
  const to = worst === mean ? '' : ` to ${withThousands(book.priceText(worst))}`;
  const cost = facts.inverse
    ? (filled * 10 ** book.qtyExponent * facts.contractSize) / (mean * scale)
    : filled * 10 ** book.qtyExponent * mean * scale * facts.contractSize;
  const thin = filled < qty ? `, only ${compact(filled * 10 ** book.qtyExponent)} there` : '';
  return `${best}${to} = ${compact(cost)}${thin}`;
}
