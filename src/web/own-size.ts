import type { Levels } from './levels.js';

/** What an order of a size would trade at once, in mantissas: numbers to look at, not to settle by. */
export interface Fill {
  /** What the side has of the size; less than it where the known book is too thin. */
  readonly filled: number;
  /** Mean and worst price; NaN where nothing is filled. */
  readonly mean: number;
  readonly worst: number;
}

/** Trades a size through a side from the best price on. Cost: one step a level that it takes. */
export function fillOf(levels: Levels, qty: number): Fill {
  let left = qty;
  let cost = 0;
  let worst = Number.NaN;
  for (let index = 0; index < levels.count && left > 0; index += 1) {
    const taken = Math.min(left, levels.qty(index));
    worst = levels.price(index);
    cost += taken * worst;
    left -= taken;
  }
  const filled = qty - left;
  return { filled, mean: cost / filled, worst };
}

/** The share of bids in the best levels of both sides, 0 to 1; NaN where one side is empty: that is no imbalance. */
export function bidShare(bids: Levels, asks: Levels, levels: number): number {
  const bid = sumOf(bids, levels);
  const ask = sumOf(asks, levels);
  return bid === 0 || ask === 0 ? Number.NaN : bid / (bid + ask);
}

function sumOf(side: Levels, levels: number): number {
  let sum = 0;
  for (let index = 0; index < Math.min(levels, side.count); index += 1) sum += side.qty(index);
  return sum;
}
