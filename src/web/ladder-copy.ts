import type { LocalVolumes, Side } from '../wire/index.js';
import type { BookView } from './book-view.js';
import type { CopySource } from './exact-copy.js';
import { bucketPriceText } from './grouping.js';
import type { InstrumentView } from './instrument-view.js';
import type { LadderPainter } from './ladder-painter.js';
import { sweepTo } from './sweep.js';
import type { VolumeProfile } from './volume-profile.js';

/** What a ladder shows, with the exact numbers behind it. */
export interface CopiedLadder {
  readonly instrument: InstrumentView;
  readonly book: BookView;
  readonly profile: VolumeProfile;
  /** Null before the engine has told any. */
  readonly volumes: LocalVolumes | null;
}

/** The exact decimals of a bucket of a ladder; empty for what is not there. */
interface BucketTexts {
  readonly price: string;
  readonly traded: string;
  readonly bid: SideTexts;
  readonly ask: SideTexts;
}

interface SideTexts {
  readonly qty: string;
  /** From the touch to here. */
  readonly sum: string;
}

/** Cost: one step a level from the touch to the bucket. */
function textsOf(bucket: number, { instrument, book, profile, volumes }: CopiedLadder): BucketTexts {
  const { size } = instrument.position;
  const side = (of: Side): SideTexts => {
    const levels = of === 'bid' ? book.bids : book.asks;
    const { bucketQty, bucketLevels, cumulativeQty } = sweepTo(of, levels, size, bucket);
    return bucketLevels === 0
      ? { qty: '', sum: '' }
      : { qty: book.qtyText(bucketQty), sum: book.qtyText(cumulativeQty) };
  };
  const traded = profile.exactAt(bucket);
  return {
    price: bucketPriceText(bucket, size, book.priceExponent),
    traded: traded === 0n || volumes === null ? '' : volumes.qtyText(traded),
    bid: side('bid'),
    ask: side('ask'),
  };
}

/** A row as text: side, price, quantity, cumulative quantity, traded; two lines where both sides are in it. */
function rowText({ price, traded, bid, ask }: BucketTexts): string {
  const lines = (['bid', 'ask'] as const).flatMap((side) => {
    const { qty, sum } = side === 'bid' ? bid : ask;
    return qty === '' ? [] : [[side, price, qty, sum, traded].join('\t')];
  });
  return lines.length === 0 ? ['', price, '', '', traded].join('\t') : lines.join('\n');
}

/** Gives the rows of a ladder to be copied. `content` is what it shows now; null = nothing. */
export function ladderCopies(
  rungs: HTMLElement,
  painter: LadderPainter,
  content: () => CopiedLadder | null,
): CopySource {
  const textsAt = (row: Element): BucketTexts | null => {
    const shown = content();
    const at = [...rungs.children].indexOf(row);
    return shown === null || !shown.book.hasLevels || at < 0 ? null : textsOf(painter.top - at, shown);
  };
  return {
    element: rungs,
    rows: () => rungs.children,
    rowText(row) {
      const texts = textsAt(row);
      return texts === null ? '' : rowText(texts);
    },
    cellText(row, cell) {
      const texts = textsAt(row);
      if (texts === null) return '';
      switch (cell.className) {
        case 'rung-price':
          return texts.price;
        case 'volume':
          return texts.traded;
        case 'qty-bid':
          return texts.bid.qty;
        case 'qty-ask':
          return texts.ask.qty;
        case 'sum-bid':
          return texts.bid.sum;
        default:
          return texts.ask.sum;
      }
    },
    chosenText() {
      const shown = content();
      // By its number: a reader may have scrolled on since.
      const bucket = shown?.instrument.position.cursor ?? Number.NaN;
      if (shown === null || Number.isNaN(bucket)) return null;
      return shown.book.hasLevels ? rowText(textsOf(bucket, shown)) : '';
    },
  };
}

/** Gives the best prices to be copied: side, price, quantity. */
export function touchCopies(bar: HTMLElement, book: () => BookView): CopySource {
  const lineOf = (row: Element): string => {
    const side = row.classList.contains('bid') ? 'bid' : 'ask';
    const level = book().best(side);
    return level === undefined ? '' : [side, book().priceText(level), book().qtyText(level)].join('\t');
  };
  return {
    element: bar,
    rows: () => bar.querySelectorAll('.price'),
    rowText: lineOf,
    cellText: (row) => lineOf(row).split('\t')[1],
    chosenText: () => null,
  };
}
