import { DepthwireError } from '../errors.js';
import { nearest } from '../nearest.js';
import { linesOf, readHead } from './recording.js';

/** Finds the instruments that a recording's bytes may speak of; several of one symbol are alternatives. */
export interface StreamDetector {
  detect(bytes: Uint8Array): readonly string[];
}

/** Which venue and instruments a run of recordings holds. */
export interface RecordedStreams {
  readonly venue: string;
  /** `venue:symbol`. */
  readonly names: readonly string[];
  /** Whether the recordings speak of other instruments too. */
  readonly hasOthers: boolean;
}

/** Instruments that an error names. */
const NAMES_SHOWN = 10;

/**
 * Looks at the beginning of each file. `wanted` are the instruments that the user named: they decide where a symbol may
 * be of several venues, and of several symbols only theirs are taken; each must be held by some file, which is read to its
 * end where the beginning does not say so. Throws `recording.*` and the detector's `decode.*`.
 */
export async function recordedStreams(
  paths: readonly string[],
  wanted: readonly string[],
  detector: StreamDetector,
): Promise<RecordedStreams> {
  const held = new Set<string>();
  let first: ReadonlySet<string> | undefined;
  for (const path of paths) {
    const head = await readHead(path);
    const found = resolve(path, detectIn(path, head, detector), wanted);
    if (first !== undefined && !found.some((name) => first?.has(name))) throw differ(path, [...first], found);
    first ??= new Set(found);
    for (const name of found) held.add(name);
  }
  for (const name of wanted) {
    if (!held.has(name) && !(await isHeldLater(paths, name, detector))) {
      throw noSuchInstrument(paths, name, [...held]);
    }
  }
  const names = wanted.length > 0 ? wanted : [...held];
  const venues = [...new Set(names.map(venueOf))];
  const venue = venues[0];
  if (venue === undefined || venues.length > 1) {
    throw new DepthwireError('recording.venues', {
      what: 'the recordings are not of one venue',
      where: paths.join(', '),
      expected: 'one venue',
      got: venues.join(', ') || 'none',
      fix: 'Give the recordings of each venue to a command of their own.',
    });
  }
  const symbols = new Set(names.map(symbolOf));
  return { venue, names, hasOthers: [...held].some((name) => !symbols.has(symbolOf(name))) };
}

/** Whether lines behind the beginning of some file speak of an instrument. Costs a pass over the files. */
async function isHeldLater(
  paths: readonly string[],
  name: string,
  detector: StreamDetector,
): Promise<boolean> {
  const symbol = symbolOf(name);
  for (const path of paths) {
    for await (const lines of linesOf(path)) {
      if (symbolsIn(lines, detector).has(symbol)) return true;
    }
  }
  return false;
}

function symbolsIn(lines: Uint8Array, detector: StreamDetector): ReadonlySet<string> {
  try {
    return new Set(detector.detect(lines).map(symbolOf));
  } catch (error) {
    // Lines that say nothing, or not enough, of where they come from.
    if (error instanceof DepthwireError) return new Set();
    throw error;
  }
}

function detectIn(path: string, head: Uint8Array, detector: StreamDetector): readonly string[] {
  try {
    return detector.detect(head);
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    throw new DepthwireError(error.code, {
      what: `this is no recording that can be read: ${error.what}`,
      where: path,
      expected: error.expected || 'lines of: RECEIVE_TIME_NS JSON',
      got: error.got,
      fix: 'Give a recording of a known venue: plain, gzip or zstd.',
      cause: error,
    });
  }
}

/** One name per symbol: the one that was wanted, which may also be of a venue that speaks another one's format. */
function resolve(path: string, detected: readonly string[], wanted: readonly string[]): readonly string[] {
  const bySymbol = new Map<string, string[]>();
  for (const name of detected) {
    const symbol = symbolOf(name);
    bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), name]);
  }
  // A file whose streams say nothing of their instrument is what the user says that it is.
  if (bySymbol.size === 0 && wanted.length > 0) return wanted;
  const names: string[] = [];
  for (const [symbol, candidates] of bySymbol) {
    const named = wanted.filter((name) => symbolOf(name) === symbol);
    const [name] = named.length > 0 ? named : candidates;
    const isChosen =
      named.length === 1 || candidates.length === 1 || (named.length === 0 && wanted.length > 0);
    if (name === undefined || !isChosen) throw ambiguous(path, symbol, candidates);
    names.push(name);
  }
  if (names.length > 0) return names;
  throw new DepthwireError('recording.no_streams', {
    what: 'no stream of an instrument was found at the beginning of a recording',
    where: path,
    expected: 'depth, bookTicker or trade messages of a known venue',
    got: 'none',
    fix: 'Name the instrument with --instrument venue:SYMBOL.',
  });
}

function symbolOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function venueOf(name: string): string {
  return name.slice(0, name.indexOf(':'));
}

function noSuchInstrument(paths: readonly string[], wanted: string, held: readonly string[]): DepthwireError {
  const shown = held.slice(0, NAMES_SHOWN).join(', ');
  const more = held.length > NAMES_SHOWN ? ` and ${held.length - NAMES_SHOWN} more` : '';
  const meant = nearest(wanted, held) ?? nearest(symbolOf(wanted), held);
  return new DepthwireError('recording.no_such_instrument', {
    what: 'the recording does not hold this instrument',
    where: paths.join(', '),
    expected: shown + more,
    got: wanted,
    fix:
      meant === undefined
        ? 'Name one that it holds, or leave --instrument out.'
        : `Write --instrument ${meant}.`,
  });
}

function ambiguous(path: string, symbol: string, candidates: readonly string[]): DepthwireError {
  return new DepthwireError('recording.ambiguous', {
    what: `${symbol} may be of several venues`,
    where: path,
    expected: `one of ${candidates.join(', ')}`,
    got: 'streams that fit them all',
    fix: `Say which: --instrument ${candidates[0] ?? ''}`,
  });
}

function differ(path: string, first: readonly string[], names: readonly string[]): DepthwireError {
  return new DepthwireError('recording.differ', {
    what: 'the recordings are not of the same instruments, so they are not one recording in parts',
    where: path,
    expected: first.join(', '),
    got: names.join(', '),
    fix: 'Give the recordings of other instruments to a command of their own.',
  });
}
