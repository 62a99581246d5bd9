/** Most different values of a dictionary: they are few where one pays. */
export const DICTIONARY_MAX = 1 << 13;
const SLOTS = 1 << 14;
const NONE = -1;

/**
 * The different values among 64-bit integers, in the order in which they come first, and each value's place among them. Values are
 * given by their words, the low one first. Nothing is allocated a value.
 */
export class LongDictionary {
  /** Words of the different values. */
  readonly words = new Int32Array(2 * DICTIONARY_MAX);
  size = 0;
  /** The place of each value. */
  readonly places: Int32Array;
  readonly #slots = new Int32Array(SLOTS);

  constructor(countMax: number) {
    this.places = new Int32Array(countMax);
  }

  /** False where there are more than `sizeMax` different ones, which is at most `DICTIONARY_MAX`. */
  take(words: Int32Array, count: number, sizeMax: number): boolean {
    const slots = this.#slots.fill(NONE);
    this.size = 0;
    let low = 0;
    let high = 0;
    let place = NONE;
    for (let at = 0; at < count; at += 1) {
      const nextLow = words[at * 2] as number;
      const nextHigh = words[at * 2 + 1] as number;
      if (place === NONE || nextLow !== low || nextHigh !== high) {
        low = nextLow;
        high = nextHigh;
        let slot = hash(low, high);
        // Half of the slots at least are free.
        for (;;) {
          place = slots[slot] as number;
          if (place === NONE || (this.words[place * 2] === low && this.words[place * 2 + 1] === high)) break;
          slot = (slot + 1) % SLOTS;
        }
        if (place === NONE) {
          if (this.size === sizeMax) return false;
          place = this.size;
          this.size += 1;
          this.words[place * 2] = low;
          this.words[place * 2 + 1] = high;
          slots[slot] = place;
        }
      }
      this.places[at] = place;
    }
    return true;
  }
}

function hash(low: number, high: number): number {
  const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) & (SLOTS - 1);
}
