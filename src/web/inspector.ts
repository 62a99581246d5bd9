import { formatDecimal } from '../wire/index.js';
import type { BookView } from './book-view.js';
import { compact, cutDecimals, significantEnd, withThousands } from './decimal-text.js';
import { bucketPriceText } from './grouping.js';
import type { InstrumentView } from './instrument-view.js';
import { meanPrice, type Sweep, sideOfBucket, sweepTo } from './sweep.js';
import type { TextCell } from './text-cell.js';

/** Of a mean price where the instrument's tick is not known, behind the zeros of a small one. */
const MEAN_DECIMALS_MAX = 8;

/** The cells below the ladder. */
export interface InspectorCells {
  readonly level: TextCell;
  readonly qty: TextCell;
  readonly cumulative: TextCell;
  readonly cost: TextCell;
  readonly mean: TextCell;
}

/** Shows the exact level under the pointer or the cursor: quantity, cumulative quantity, and the cost to sweep to it. */
export class Inspector {
  readonly #cells: InspectorCells;

  constructor(cells: InspectorCells) {
    this.#cells = cells;
  }

  clear(): void {
    const { level, qty, cumulative, cost, mean } = this.#cells;
    for (const cell of [level, qty, cumulative, cost, mean]) cell.set('–');
  }

  /** `bucket` is a bucket of the instrument's present grouping. */
  show(bucket: number, instrument: InstrumentView, book: BookView): void {
    const { position } = instrument;
    const side = sideOfBucket(bucket, position.bid(book.bestBid), position.ask(book.bestAsk));
    const price = withThousands(bucketPriceText(bucket, position.size, book.priceExponent));
    if (side === null) {
      this.clear();
      this.#cells.level.set(book.hasLevels ? `${price} in the spread` : price);
      return;
    }
    const levels = side === 'bid' ? book.bids : book.asks;
    const sweep = sweepTo(side, levels, position.size, bucket);
    this.#cells.level.set(`${side === 'bid' ? 'Bid' : 'Ask'} ${price}`);
    const count = sweep.bucketLevels === 1 ? '' : ` in ${sweep.bucketLevels} levels`;
    this.#cells.qty.set(`${withThousands(book.qtyText(sweep.bucketQty))}${count}`);
    this.#cells.cumulative.set(withThousands(book.qtyText(sweep.cumulativeQty)));
    this.#cells.cost.set(costText(sweep, instrument, book));
    this.#cells.mean.set(meanText(sweep, book));
  }
}

/** The mean price of a sweep with the decimals of the tick, or where that is not known those that say something; – of nothing. */
export function meanText(sweep: Sweep, book: Pick<BookView, 'priceExponent' | 'priceDecimalsMin'>): string {
  const mean = meanPrice(sweep);
  if (mean === null) return '–';
  const price = mean * 10 ** book.priceExponent;
  const zeros = Math.max(0, -Math.ceil(Math.log10(Math.abs(price))));
  const decimalsMax = Math.min(MEAN_DECIMALS_MAX + zeros, Math.max(0, -book.priceExponent));
  const fixed = price.toFixed(book.priceDecimalsMin || decimalsMax);
  return withThousands(book.priceDecimalsMin > 0 ? fixed : fixed.slice(0, significantEnd(fixed)));
}

/**
 * Cost in the instrument's own terms: quote currency for a quantity in base, exact and cut after two decimals, and for
 * linear contracts; base currency for inverse contracts, whose value is contract size ÷ price.
 */
function costText(sweep: Sweep, { facts }: InstrumentView, book: BookView): string {
  const { priceExponent, qtyExponent } = book;
  if (sweep.cumulativeQty === 0n) return '–';
  if (facts.inverse) {
    return `≈ ${compact(sweep.inverseSum * 10 ** (qtyExponent - priceExponent) * facts.contractSize)}`;
  }
  if (facts.contractSize !== 1) {
    const cost = Number(sweep.cost) * 10 ** (priceExponent + qtyExponent) * facts.contractSize;
    return `≈ ${withThousands(cost.toFixed(2))}`;
  }
  return withThousands(costDecimal(sweep.cost, priceExponent + qtyExponent));
}

/** Two decimals are enough for a currency, but a small cost keeps four significant digits. */
export function costDecimal(cost: bigint, exponent: number): string {
  const decimal = formatDecimal(cost, exponent);
  const zeros = /^-?0\.(0*)/.exec(decimal)?.[1]?.length;
  return cutDecimals(decimal, zeros === undefined ? 2 : zeros + 4);
}
