/** How a piece of text is painted. `bad` and `alert` are for what a reader must not miss. */
const STYLES = {
  bid: '32',
  ask: '31',
  good: '32',
  bad: '33;1',
  alert: '30;43',
  faint: '2',
  strong: '1',
} as const;

export type Style = keyof typeof STYLES | 'plain';

/**
 * A piece of a line. A `whole` one is shown in full or not at all: a number that lost its last digits would be another
 * number. Any other may be cut, and then ends with an ellipsis.
 */
export interface Span {
  readonly style: Style;
  readonly text: string;
  readonly whole: boolean;
}

export type Line = readonly Span[];

const ELLIPSIS = '…';
/** Letters that take two columns: East Asian wide and full-width ones, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Marks that take none. */
const MARK = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** What would move the cursor, or change how the rest is read. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A piece that stays whole: a number, a state. */
export function whole(style: Style, text: string): Span {
  return { style, text, whole: true };
}

/** A piece that may be cut: a name, a sentence. */
export function words(style: Style, text: string): Span {
  return { style, text, whole: false };
}

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const letter of text) width += MARK.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return width;
}

/** Columns that a line takes. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + textWidth(text), 0);
}

/** The beginning of a line that fits into so many columns; where something is left out, an ellipsis says so. */
export function fitted(line: Line, columns: number): Line {
  if (lineWidth(line) <= columns) return line;
  const kept: Span[] = [];
  let left = columns;
  for (const [at, span] of line.entries()) {
    const isLast = at === line.length - 1;
    const width = textWidth(span.text);
    // What follows is left out, which takes a column to say.
    if (width + (isLast ? 0 : 1) <= left) {
      kept.push(span);
      left -= width;
      continue;
    }
    if (!span.whole) kept.push({ ...span, text: cut(span.text, left) });
    else if (left > 0) kept.push({ ...span, text: ELLIPSIS });
    break;
  }
  return kept;
}

/** A line with spaces behind it, to exactly so many columns. */
export function padded(line: Line, columns: number): Line {
  const kept = fitted(line, columns);
  const missing = columns - lineWidth(kept);
  return missing > 0 ? [...kept, words('plain', ' '.repeat(missing))] : kept;
}

/** A line as a terminal takes it. Control characters, which no name or number has, are replaced. */
export function painted(line: Line, hasColor: boolean): string {
  return line
    .map(({ style, text }) => {
      const safe = text.replace(CONTROL, '\ufffd');
      return hasColor && style !== 'plain' && safe !== '' ? `\x1b[${STYLES[style]}m${safe}\x1b[0m` : safe;
    })
    .join('');
}

/** The beginning of a text, with an ellipsis in its last column. */
function cut(text: string, columns: number): string {
  if (columns <= 0) return '';
  let kept = '';
  let left = columns - 1;
  for (const letter of text) {
    left -= textWidth(letter);
    if (left < 0) break;
    kept += letter;
  }
  return kept + ELLIPSIS;
}
