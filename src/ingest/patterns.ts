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

/** Whether a text is a pattern rather than the name of one instrument. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
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
  const letters = [...pattern];
  return list.filter(
    ({ symbol, codes, status }) =>
      status !== 'closed' && [symbol, ...codes].some((name) => fits(letters, [...name])),
  );
}

/** Whether a text fits a pattern. Time: the product of their lengths at most, for only the last star is tried again. */
function fits(pattern: readonly string[], text: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let starText = 0;
  for (let next = 0; next < text.length; ) {
    if (pattern[at] === '*') {
      star = at;
      starText = next;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[next])) {
      at += 1;
      next += 1;
    } else if (star !== -1) {
      at = star + 1;
      starText += 1;
      next = starText;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
