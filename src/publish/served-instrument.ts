import { type InstrumentInfo, instrumentNameIfAny } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { nearest } from '../nearest.js';
import type { Grant } from './auth/grant.js';

/** The served instrument of a name, or of another name that its venue has for it. */
export function servedInstrument(
  name: string,
  instruments: ReadonlyMap<string, InstrumentInfo>,
): InstrumentInfo | undefined {
  return instruments.get(name) ?? instruments.get(instrumentNameIfAny(name) ?? '');
}

/** Of the instruments that are served, those that a client may know of: an error names no others. */
export function seenBy(
  grant: Grant,
  instruments: ReadonlyMap<string, InstrumentInfo>,
): ReadonlyMap<string, InstrumentInfo> {
  return new Map([...instruments].filter(([name]) => grant.sees(name)));
}

/**
 * The error for a name that is not served, with the name that was probably meant, which `fix` puts into words: one of
 * `instruments`, which are those that the client may know of.
 */
export function unknownInstrument(
  name: string,
  instruments: ReadonlyMap<string, InstrumentInfo>,
  where: string,
  fix: (meant: string) => string = (meant) => `Write ${meant}.`,
): DepthwireError {
  const meant = servedInstrument(name, instruments)?.name ?? nearest(name, instruments.keys());
  return new DepthwireError('feed.unknown_instrument', {
    what: 'this instrument is not served',
    where,
    expected: 'an instrument of /v1/instruments',
    got: name.length <= 80 ? name : `${name.slice(0, 80)}…`,
    fix: meant === undefined ? 'Choose one of /v1/instruments.' : fix(meant),
  });
}
