import type { InstrumentInfo } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { nearest } from '../nearest.js';

/** The error for a name that is not served, with the name that was probably meant, which `fix` puts into words. */
export function unknownInstrument(
  name: string,
  instruments: ReadonlyMap<string, InstrumentInfo>,
  where: string,
  fix: (meant: string) => string = (meant) => `Write ${meant}.`,
): DepthwireError {
  const meant = nearest(name, instruments.keys());
  return new DepthwireError('feed.unknown_instrument', {
    what: 'this instrument is not served',
    where,
    expected: 'an instrument of /v1/instruments',
    got: name.length <= 80 ? name : `${name.slice(0, 80)}…`,
    fix: meant === undefined ? 'Choose one of /v1/instruments.' : fix(meant),
  });
}
