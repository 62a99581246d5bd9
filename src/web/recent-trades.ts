import type { Aggressor } from '../wire/index.js';

/** One trade as the tape shows it; time is ms since the Unix epoch or 0 if unknown. */
export interface ShownTrade {
  readonly tag: 'trade';
  /** The exact decimal. */
  readonly price: string;
  /** In units, rounded, to compare at a glance. */
  readonly qty: number;
  readonly aggressor: Aggressor;
  readonly tsMs: number;
}

/** A place where trades are missing. */
export interface MissingTrades {
  readonly tag: 'missing';
}

export type TapeItem = ShownTrade | MissingTrades;

/**
 * The latest items of the tape, newest first, in a ring of fixed size: what falls off the end was drawn or was more
 * than a screen holds, and is still counted.
 */
export class RecentTrades {
  readonly capacity: number;
  /** Items since the last `clear`. */
  total = 0;
  readonly #ring: TapeItem[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get count(): number {
    return this.#ring.length;
  }

  push(item: TapeItem): void {
    this.#ring[this.total % this.capacity] = item;
    this.total += 1;
  }

  /** The item `age` places behind the newest (0), or null. */
  at(age: number): TapeItem | null {
    if (age >= this.count) return null;
    return this.#ring[(this.total - 1 - age) % this.capacity] ?? null;
  }

  /** The largest quantity held, for the length of the bars. */
  qtyMax(): number {
    let qtyMax = 0;
    for (const item of this.#ring) if (item.tag === 'trade') qtyMax = Math.max(qtyMax, item.qty);
    return qtyMax;
  }

  clear(): void {
    this.#ring.length = 0;
    this.total = 0;
  }
}
