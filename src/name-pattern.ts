/** Whether a text is a pattern of names rather than one name: `*` is any text, `?` one character. */
export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

/** A pattern that is asked many names. */
export class NamePattern {
  readonly #letters: readonly string[];

  constructor(pattern: string) {
    this.#letters = [...pattern];
  }

  /** Whether a whole name fits. Time: the product of the lengths at most, for only the last star is tried again. */
  fits(name: string): boolean {
    const pattern = this.#letters;
    const text = [...name];
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
}
