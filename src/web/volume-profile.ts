import type { Volume } from '../wire/index.js';

/** Share of all volume that the value area holds at least. */
const VALUE_SHARE = 0.7;

/** What has traded at prices as the engine counts it: a client's `LocalVolumes`. */
export interface TradedVolumes {
  readonly priceExponent: number;
  readonly qtyExponent: number;
  /** Width of a row as a price mantissa; 0 = a row a price. */
  readonly grouping: number | bigint;
  /** Lowest price first. */
  readonly rows: readonly Volume[];
}

/** The scale of the ladder, and the width of its buckets as a price mantissa. */
export interface ProfileScale {
  readonly priceExponent: number;
  readonly qtyExponent: number;
  readonly size: number;
}

/** What has traded in the buckets of a ladder: the volume in one, and which of them belong to the value area. */
export interface Profile {
  /** Changes whenever a volume does. */
  readonly version: number;
  /** Quantity of a bucket as a mantissa of the ladder's scale, rounded where no number holds it. */
  at(bucket: number): number;
  readonly qtyMax: number;
  /** The bucket with most volume, the higher of equal ones; NaN before the first trade. */
  readonly poc: number;
  /** The value area, both ends within. */
  readonly valueLow: number;
  readonly valueHigh: number;
}

/**
 * The session's volume in the buckets of a ladder. What has traded at which price the engine counts; here its rows find their
 * place, and the point of control and the value area among them. A bucket begins at its price and ends before the next one.
 */
export class VolumeProfile implements Profile {
  version = 0;
  poc = Number.NaN;
  valueLow = Number.NaN;
  valueHigh = Number.NaN;
  qtyMax = 0;
  /** Width of a row where it does not fit into the ladder's buckets, which are then left empty; else 0. A price mantissa. */
  tooWide = 0;
  readonly #volumes = new Map<number, number>();
  #source: TradedVolumes | null = null;
  #isNew = false;
  #size = 0;
  #priceExponent = 0;
  #qtyExponent = 0;
  /** A price of a row, times the first, over the second, is a place in the ladder. */
  #priceScale = 1;
  #bucketSize = 1;

  /** The rows are others: of another source, or changed. */
  take(source: TradedVolumes): void {
    this.#source = source;
    this.#isNew = true;
  }

  at(bucket: number): number {
    return this.#volumes.get(bucket) ?? 0;
  }

  /** The exact quantity of a bucket, at the exponent of the rows' source. Cost: one step a row. */
  exactAt(bucket: number): bigint {
    let sum = 0n;
    if (this.tooWide > 0) return sum;
    for (const row of this.#source?.rows ?? []) {
      if (this.#bucketOf(row) === bucket) sum += BigInt(row.bought) + BigInt(row.sold) + BigInt(row.unknown);
    }
    return sum;
  }

  /** Puts the rows into buckets. Cost: one step a row, where rows or scale have changed. */
  settle({ priceExponent, qtyExponent, size }: ProfileScale): void {
    const isSame =
      size === this.#size && priceExponent === this.#priceExponent && qtyExponent === this.#qtyExponent;
    if (this.#source === null || (isSame && !this.#isNew)) return;
    this.#isNew = false;
    this.#size = size;
    this.#priceExponent = priceExponent;
    this.#qtyExponent = qtyExponent;
    this.version += 1;
    this.#volumes.clear();
    const { grouping, rows } = this.#source;
    // Scaled up only, so that whole numbers stay whole.
    const finer = this.#source.priceExponent - priceExponent;
    this.#priceScale = finer >= 0 ? 10 ** finer : 1;
    this.#bucketSize = finer >= 0 ? size : size * 10 ** -finer;
    const qtyScale = 10 ** (this.#source.qtyExponent - qtyExponent);
    const width = Math.max(1, Number(grouping)) * this.#priceScale;
    this.tooWide = this.#bucketSize % width === 0 ? 0 : (width / this.#bucketSize) * size;
    if (this.tooWide === 0) {
      for (const row of rows) {
        const bucket = this.#bucketOf(row);
        const qty = (Number(row.bought) + Number(row.sold) + Number(row.unknown)) * qtyScale;
        this.#volumes.set(bucket, this.at(bucket) + qty);
      }
    }
    this.#findValue();
  }

  #bucketOf({ price }: Volume): number {
    return Math.floor((Number(price) * this.#priceScale) / this.#bucketSize);
  }

  /** From the bucket with most volume outwards, the larger neighbour first and of equal ones the upper, until it holds 70 %. */
  #findValue(): void {
    // Rows come lowest price first, and so do the buckets. Those without volume are no neighbours.
    const buckets = [...this.#volumes.keys()];
    const qtys = [...this.#volumes.values()];
    const total = qtys.reduce((sum, qty) => sum + qty, 0);
    this.qtyMax = qtys.reduce((most, qty) => Math.max(most, qty), 0);
    let low = qtys.lastIndexOf(this.qtyMax);
    let high = low;
    this.poc = buckets[low] ?? Number.NaN;
    let held = this.qtyMax;
    while (held < total * VALUE_SHARE) {
      const below = qtys[low - 1] ?? 0;
      const above = qtys[high + 1] ?? 0;
      if (below === 0 && above === 0) break;
      if (above >= below) high += 1;
      else low -= 1;
      held += Math.max(above, below);
    }
    this.valueLow = buckets[low] ?? Number.NaN;
    this.valueHigh = buckets[high] ?? Number.NaN;
  }
}

/**
 * The `grouping` for which the engine is asked, so that its rows are the buckets of a ladder: a decimal, or undefined for a row a
 * price, where a bucket is a single tick or has a width that the engine does not grant.
 */
export function grantableGrouping(sizeText: string, step: number): string | undefined {
  const digits = sizeText.replace('.', '').replace(/^0+|0+$/g, '');
  return step > 1 && ['1', '2', '25', '5'].includes(digits) ? sizeText : undefined;
}
