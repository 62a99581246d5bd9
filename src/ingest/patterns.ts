import { isPattern, NamePattern } from '../name-pattern.js';

/** What a list of instruments must say of each for a pattern to find it. */
export interface Named {
  readonly symbol: string;
  /** Other texts under which the venue names it. */
  readonly codes: readonly string[];
  /** `closed` is not found by a pattern, only by its own name. */
  readonly status: string;
  /** When it ends, ms since 1970; 0 or absent = never. */
  readonly expiryMs?: number;
}

/**
 * The instruments that a pattern names, in the order of the list: `*` is any text, `?` one character, and everything else
 * itself. Without either it is the one whose symbol or code it is.
 */
export function matching<T extends Named>(pattern: string, list: readonly T[]): readonly T[] {
  if (!isPattern(pattern)) {
    const named = list.find(({ symbol }) => symbol === pattern);
    const coded = named ?? list.find(({ codes }) => codes.includes(pattern));
    return coded === undefined ? [] : [coded];
  }
  const wanted = new NamePattern(pattern);
  return list.filter(
    ({ symbol, codes, status }) =>
      status !== 'closed' && [symbol, ...codes].some((name) => wanted.fits(name)),
  );
}
