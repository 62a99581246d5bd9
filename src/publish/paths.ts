/** Where the state of an instrument's book is answered; the name follows, percent-encoded. */
export const BOOK_PATH = '/v1/book/';

/** The path of an instrument's book. The colon stays as it is: it means nothing in a path, and people read it. */
export function bookPath(name: string): string {
  return BOOK_PATH + encodeURIComponent(name).replaceAll('%3A', ':');
}

/** The name in a path part, decoded once; undefined for percent signs that encode no text. */
export function nameInPath(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
