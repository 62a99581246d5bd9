// @ts-check
/** What is compared of books and trades. */

/**
 * The best levels of a book, as a text.
 * @param {Pick<import('../../src/wire/local-book.js').LocalBook, 'depth'>} book
 * @param {number} depth
 */
export function digestOf(book, depth) {
  const { bids, asks } = book.depth(depth);
  return [bids, asks].map((side) => side.map(({ price, qty }) => `${price} ${qty}`).join(',')).join('|');
}

/**
 * A trade in words that tell it from all others.
 * @param {Pick<import('../../src/wire/trade-tape.js').Trade, 'id' | 'price' | 'qty' | 'tsEvent'>} trade
 */
export function textOf({ id, price, qty, tsEvent }) {
  return `${id} ${price} ${qty} ${tsEvent}`;
}
