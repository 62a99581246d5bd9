import { type SpotMessage, SpotOracle } from './spot-oracle.js';

/** Lines of a recording, without their ends. */
export type Lines = readonly string[];

/** Kinds of lines in a recording of the Binance spot format. */
export type LineKind = 'depth' | 'ticker' | 'trade' | 'snapshot';

/** The lines of a recording's text. */
export function linesOf(text: string): Lines {
  return text.split('\n').filter((line) => line !== '');
}

/** The text of a recording. */
export function textOf(lines: Lines): string {
  return `${lines.join('\n')}\n`;
}

export function kindOf(line: string): LineKind {
  if (line.includes('"lastUpdateId"')) return 'snapshot';
  if (line.includes('"depthUpdate"')) return 'depth';
  return line.includes('"trade"') ? 'trade' : 'ticker';
}

/** Where the lines of a kind stand. */
export function placesOf(lines: Lines, kind: LineKind): readonly number[] {
  return lines.flatMap((line, index) => (kindOf(line) === kind ? [index] : []));
}

/** Where the line of a kind stands, counted from 0. Throws when the recording has fewer. */
export function placeOf(lines: Lines, kind: LineKind, nth: number): number {
  const place = placesOf(lines, kind)[nth];
  if (place === undefined) throw new Error(`the recording has no ${kind} line ${nth}`);
  return place;
}

/** Without the line at a place. */
export function dropped(lines: Lines, place: number): Lines {
  return lines.toSpliced(place, 1);
}

/** With another line at a place. */
export function replaced(lines: Lines, place: number, change: (line: string) => string): Lines {
  return lines.with(place, change(lines[place] ?? ''));
}

/** With a line more before a place. */
export function inserted(lines: Lines, place: number, line: string): Lines {
  return lines.toSpliced(place, 0, line);
}

/** With the message of a line changed. */
export function edited(
  lines: Lines,
  place: number,
  change: (message: SpotMessage) => Partial<SpotMessage>,
): Lines {
  return replaced(lines, place, (line) => {
    const space = line.indexOf(' ');
    const whole = JSON.parse(line.slice(space + 1)) as SpotMessage & { data?: SpotMessage };
    const message = whole.data ?? whole;
    const after = { ...message, ...change(message) };
    const text = JSON.stringify(whole.data === undefined ? after : { ...whole, data: after });
    return `${line.slice(0, space)} ${text}`;
  });
}

/** Two recordings as one, by their times. */
export function merged(one: Lines, other: Lines): Lines {
  const timeOf = (line: string): bigint => BigInt(line.split(' ', 1)[0] ?? '');
  return [...one, ...other].toSorted((left, right) => Number(timeOf(left) - timeOf(right)));
}

/**
 * With a REST snapshot before a place, cut from the oracle's book of the undamaged lines before it. It holds all levels,
 * so that the book after it is the undamaged one again.
 */
export function healed(damaged: Lines, place: number, undamagedBefore: Lines): Lines {
  const oracle = SpotOracle.of(undamagedBefore);
  const snapshot = {
    lastUpdateId: oracle.lastId,
    bids: oracle.levels('bids'),
    asks: oracle.levels('asks'),
  };
  const timeNs = (damaged[place] ?? '').split(' ', 1)[0];
  return inserted(damaged, place, `${timeNs} ${JSON.stringify(snapshot)}`);
}
