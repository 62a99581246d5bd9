import { DepthwireError } from '../errors.js';
import type { Named } from './patterns.js';

/** A list that lacks so many instruments of the one before is not believed in that at once. */
const SEVERAL = 2;
/** A second list that lacks the same is believed when it was asked for so long after the first: not the same answer again. */
export const SECOND_MS = 60_000;
/** A list of before that is older says nothing of what a venue still lists; see `heldMs`. */
const HELD_MS = 24 * 3_600_000;
const NAMES_SHOWN = 5;

/** Instruments and when they were asked for, ms since 1970. */
export interface Dated<T extends Named> {
  readonly instruments: readonly T[];
  readonly fetchedMs: number;
}

/** What a list says of being shorter than the one before. */
export interface Shrinking<T extends Named> {
  /** Instruments of the list before that are kept, since it is not certain that they are gone. */
  readonly kept: readonly T[];
  /** Whether this list must be remembered as the first that lacks them. */
  readonly isFirst: boolean;
}

/**
 * Whether a list that lacks what the one before had is believed. One instrument that is missing is gone, as are those that
 * the venue calls closed and those whose end is past. Several that are missing at once are as likely a part of a list, a
 * filtered answer or a broken page: they are kept until a second list, asked for a minute later at least, lacks the same.
 * `first`: the list that lacked some first; `refreshMs`: the age at which lists are asked for again.
 */
export function shrinking<T extends Named>(
  before: Dated<T> | undefined,
  list: Dated<T>,
  first: Dated<T> | undefined,
  refreshMs: number,
): Shrinking<T> {
  const isHeld =
    before !== undefined && list.fetchedMs - before.fetchedMs <= Math.max(HELD_MS, 2 * refreshMs);
  const kept = isHeld ? lacking(before, list) : [];
  if (kept.length < SEVERAL || before === undefined) return { kept: [], isFirst: false };
  if (first === undefined || first.fetchedMs <= before.fetchedMs) return { kept, isFirst: true };
  const isSame = symbolsOf(lacking(before, first)) === symbolsOf(kept);
  if (!isSame) return { kept, isFirst: true };
  const isSecond = list.fetchedMs - first.fetchedMs >= SECOND_MS;
  return { kept: isSecond ? [] : kept, isFirst: false };
}

/** What the list before had that may be traded still, and this one does not have. */
function lacking<T extends Named>(before: Dated<T>, { instruments, fetchedMs }: Dated<T>): readonly T[] {
  const symbols = new Set(instruments.map(({ symbol }) => symbol));
  const isOver = ({ status, expiryMs = 0 }: Named): boolean =>
    status === 'closed' || (expiryMs > 0 && expiryMs <= fetchedMs);
  return before.instruments.filter((one) => !symbols.has(one.symbol) && !isOver(one));
}

function symbolsOf(list: readonly Named[]): string {
  return JSON.stringify(list.map(({ symbol }) => symbol).sort());
}

/** That instruments are kept, for people. */
export function shrunken(product: string, kept: readonly Named[], before: readonly Named[]): DepthwireError {
  const more = kept.length - NAMES_SHOWN;
  const names = kept.slice(0, NAMES_SHOWN).map(({ symbol }) => symbol);
  return new DepthwireError('instruments.shrunken', {
    what: 'a list of instruments lacks several that the one before had',
    where: product,
    expected: `the ${before.length} instruments of before, or one less at a time`,
    got: `${kept.length} are missing: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    fix: `They are kept until a second list, asked for ${SECOND_MS / 1000} s later or more, lacks the same.`,
  });
}
