import type { Aggressor } from '../wire/index.js';
import { bucketOf } from './grouping.js';

/** Share of all volume that the value area holds at least. */
const VALUE_SHARE = 0.7;
/** Prices that are kept; beyond them the farthest from the last trade go first. */
const PRICES_MAX = 1 << 15;

/** What was traded at the buckets of a width: the volume at one, and which of them belong to the value area. */
export interface Profile {
  /** Quantity of a bucket as a mantissa. */
  at(bucket: number): number;
  readonly qtyMax: number;
  /** The bucket with most volume, the higher of equal ones; NaN before the first trade. */
  readonly poc: number;
  /** The value area, both ends within. */
  readonly valueLow: number;
  readonly valueHigh: number;
}

/**
 * Volume at price of the session that this page has seen, by price, and by buckets for one width at a time. A trade counts in
 * the bucket of the level that it took: what was bought in that of the ask.
 */
export class VolumeProfile implements Profile {
  poc = Number.NaN;
  /** Changes whenever a volume does. */
  version = 0;
  readonly #prices = new Map<number, { bid: number; ask: number }>();
  readonly #buckets = new Map<number, number>();
  #size = 0;
  #total = 0;
  #valueLow = Number.NaN;
  #valueHigh = Number.NaN;
  #valueOf = -1;

  /** Price and quantity are mantissas at the scale of the book. */
  add(price: number, qty: number, aggressor: Aggressor): void {
    if (!Number.isSafeInteger(price) || !(qty > 0)) return;
    const side = aggressor === 'buy' ? 'ask' : 'bid';
    const level = this.#prices.get(price) ?? { bid: 0, ask: 0 };
    if (!this.#prices.has(price)) this.#prices.set(price, level);
    level[side] += qty;
    this.version += 1;
    if (this.#size > 0) this.#count(bucketOf(side, price, this.#size), qty);
    if (this.#prices.size > PRICES_MAX) this.#forgetFrom(price);
  }

  /** Sums by another width of buckets, a price mantissa. Cost: one step a price that was traded, where it differs. */
  group(size: number): void {
    if (size === this.#size) return;
    this.#size = size;
    this.#regroup();
  }

  clear(): void {
    this.#prices.clear();
    this.#regroup();
  }

  at(bucket: number): number {
    return this.#buckets.get(bucket) ?? 0;
  }

  get qtyMax(): number {
    return this.at(this.poc);
  }

  get valueLow(): number {
    this.#findValue();
    return this.#valueLow;
  }

  get valueHigh(): number {
    this.#findValue();
    return this.#valueHigh;
  }

  #count(bucket: number, qty: number): void {
    const sum = this.at(bucket) + qty;
    this.#buckets.set(bucket, sum);
    this.#total += qty;
    const most = this.at(this.poc);
    if (!(sum < most) && (sum > most || bucket > this.poc || Number.isNaN(this.poc))) this.poc = bucket;
  }

  #regroup(): void {
    this.#buckets.clear();
    this.#total = 0;
    this.poc = Number.NaN;
    this.version += 1;
    if (this.#size === 0) return;
    for (const [price, { bid, ask }] of this.#prices) {
      if (bid > 0) this.#count(bucketOf('bid', price, this.#size), bid);
      if (ask > 0) this.#count(bucketOf('ask', price, this.#size), ask);
    }
  }

  /** From the bucket with most volume outwards, the larger neighbour first and of equal ones the upper, until it holds 70 %. */
  #findValue(): void {
    if (this.#valueOf === this.version) return;
    this.#valueOf = this.version;
    this.#valueLow = this.poc;
    this.#valueHigh = this.poc;
    if (Number.isNaN(this.poc)) return;
    // Only buckets with volume are neighbours: a gap between two has nothing to choose by.
    const traded = [...this.#buckets.keys()].sort((a, b) => a - b);
    let low = traded.indexOf(this.poc);
    let high = low;
    let held = this.at(this.poc);
    while (held < this.#total * VALUE_SHARE) {
      const below = low > 0 ? this.at(traded[low - 1] ?? 0) : 0;
      const above = high < traded.length - 1 ? this.at(traded[high + 1] ?? 0) : 0;
      if (below === 0 && above === 0) break;
      if (above >= below) high += 1;
      else low -= 1;
      held += Math.max(above, below);
    }
    this.#valueLow = traded[low] ?? this.poc;
    this.#valueHigh = traded[high] ?? this.poc;
  }

  /** Forgets half of the prices, those farthest from one. */
  #forgetFrom(price: number): void {
    const far = [...this.#prices.keys()].sort((a, b) => Math.abs(b - price) - Math.abs(a - price));
    for (const gone of far.slice(0, PRICES_MAX / 2)) this.#prices.delete(gone);
    this.#regroup();
  }
}
