/**
 * Plain numbers of a book, for models and eyes: the nearest doubles, where the book's own are exact. Each is undefined where it has
 * no meaning: a side that is empty, a book that is crossed, less than was asked for. None is 0 or NaN instead.
 *
 * They are of the book's content, as it is: whether that is the venue's, its `state` says.
 */
import type { LocalBook } from './local-book.js';
import type { Side } from './protocol.js';

/** mantissa × 10^exponent as the nearest double. */
export function scaled(mantissa: number, exponent: number): number {
  // A power of ten is exact up to 10^22, so one rounding is left: that of the division.
  if (exponent <= 0 && exponent >= -22) return mantissa / 10 ** -exponent;
  return Number(`${mantissa}e${exponent}`);
}

/** The middle of the best bid and the best ask. */
export function midOf(book: LocalBook): number | undefined {
  if (!isTwoSided(book)) return undefined;
  const sum = book.priceNearestAt('bid', 0) + book.priceNearestAt('ask', 0);
  return scaled(sum, book.priceExponent) / 2;
}

/** What the best bid holds of both best quantities, I = B / (B + A). */
export function bidShareOf(book: LocalBook): number | undefined {
  if (!isTwoSided(book)) return undefined;
  const bid = book.qtyNearestAt('bid', 0);
  return bid / (bid + book.qtyNearestAt('ask', 0));
}

/**
 * The middle weighted by the quantities at the touch, b (1 − I) + a I: nearer to the side that holds less. It is the micro-price
 * without the adjustment that Stoikov fits to an instrument's past (SSRN 2970694), which is the weighted mid there.
 */
export function micropriceOf(book: LocalBook): number | undefined {
  const share = bidShareOf(book);
  if (share === undefined) return undefined;
  const [bid, ask] = [book.priceNearestAt('bid', 0), book.priceNearestAt('ask', 0)];
  return scaled(bid + (ask - bid) * share, book.priceExponent);
}

/** (ΣB − ΣA) / (ΣB + ΣA) over the best `depth` levels a side, from −1 to 1. Fewer levels where the book has no more. */
export function imbalanceOf(book: LocalBook, depth: number): number | undefined {
  if (!isTwoSided(book) || !(depth >= 1)) return undefined;
  const [bids, asks] = [qtyOfBest(book, 'bid', depth), qtyOfBest(book, 'ask', depth)];
  return bids === undefined || asks === undefined ? undefined : (bids - asks) / (bids + asks);
}

/**
 * The average price of taking a quantity from a side, best level first. Undefined where the side holds less, as far as it is
 * known and subscribed to.
 */
export function vwapOf(book: LocalBook, qty: number, side: Side): number | undefined {
  if (!(qty > 0)) return undefined;
  const unit = scaled(1, book.qtyExponent);
  let left = qty / unit;
  let paid = 0;
  const best = book.priceNearestAt(side, 0);
  for (let at = 0; at < book.count(side) && isKnown(book, side, at); at += 1) {
    const taken = Math.min(left, book.qtyNearestAt(side, at));
    // By their distance from the best: small numbers lose nothing.
    paid += taken * (book.priceNearestAt(side, at) - best);
    left -= taken;
    if (left <= 0) return scaled(best + paid / (qty / unit), book.priceExponent);
  }
  return undefined;
}

function isTwoSided(book: LocalBook): boolean {
  return book.priceNearestAt('bid', 0) <= book.priceNearestAt('ask', 0);
}

/** Whether the venue has made the book known to that level: beyond it others may stand between. */
function isKnown(book: LocalBook, side: Side, levelIndex: number): boolean {
  const price = book.priceNearestAt(side, levelIndex);
  return side === 'bid' ? price >= book.bidKnownTo : price <= book.askKnownTo;
}

function qtyOfBest(book: LocalBook, side: Side, depth: number): number | undefined {
  let sum = 0;
  for (let at = 0; at < Math.min(depth, book.count(side)); at += 1) {
    if (!isKnown(book, side, at)) return undefined;
    sum += book.qtyNearestAt(side, at);
  }
  return sum;
}
