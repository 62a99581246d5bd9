import { DepthwireError } from '../errors.js';
import { isPattern } from '../name-pattern.js';
import { nearest } from '../nearest.js';
import { matching } from './patterns.js';
import { linesOf, readHead } from './recording.js';
import type { Sink } from './source.js';

/** Finds the instruments that a recording's bytes may speak of; several of one symbol are alternatives. */
export interface StreamDetector {
  detect(bytes: Uint8Array): readonly string[];
  /** Whether they say how their connections were taken, and of which venues these are. */
  setUp(bytes: Uint8Array): boolean;
}

/** Which venue and instruments a run of recordings holds. */
export interface RecordedStreams {
  /** The venue; of recordings that say how their connections were taken all of them, with commas between. */
  readonly venue: string;
  /** Whether they do. */
  readonly isSetUp: boolean;
  /** `venue:symbol`. */
  readonly names: readonly string[];
  /** Whether the recordings speak of other instruments too. */
  readonly hasOthers: boolean;
}

/** Instruments that an error names. */
const NAMES_SHOWN = 10;

/**
 * Looks at the beginning of each file. `wanted` are the instruments that the user named, by patterns of their symbols too
 * (`bybit-linear:*`): they decide where a symbol may be of several venues, and of several symbols only theirs are taken; each
 * must be held by some file, which is read to its end where the beginning does not say so. A file whose streams name no
 * instrument, as a snapshot, is of those of the others. Throws `recording.*` and the detector's `decode.*`.
 */
export async function recordedStreams(
  paths: readonly string[],
  wanted: readonly string[],
  detector: StreamDetector,
): Promise<RecordedStreams> {
  const held = new Set<string>();
  const exact = wanted.filter((name) => !isPattern(symbolOf(name)));
  const patterns = wanted.filter((name) => isPattern(symbolOf(name)));
  const fitting = new Set<string>();
  const heads: { readonly path: string; readonly head: Uint8Array; readonly detected: readonly string[] }[] =
    [];
  for (const path of paths) {
    const head = await readHead(path);
    heads.push({ path, head, detected: detectIn(path, head, detector) });
  }
  const firstSetUp = heads.find(({ head }) => detector.setUp(head));
  if (firstSetUp !== undefined) {
    const other = heads.find(({ head }) => !detector.setUp(head));
    if (other !== undefined) throw differ(other.path, firstSetUp.detected, other.detected);
    return setUpStreams(paths, wanted, [...new Set(heads.flatMap(({ detected }) => detected))]);
  }
  const isNamed = heads.some(({ detected }) => detected.length > 0);
  let first: ReadonlySet<string> | undefined;
  for (const { path, head, detected } of heads) {
    const fits = patterns.flatMap((pattern) => fittingIn(pattern, detected));
    for (const name of fits) fitting.add(name);
    // What says nothing of its instrument is of those that the other files name.
    if (detected.length === 0 && isNamed) continue;
    const found = resolve({ path, head, detected }, [...exact, ...fits], wanted.length > 0);
    if (first !== undefined && !found.some((name) => first?.has(name))) throw differ(path, [...first], found);
    first ??= new Set(found);
    for (const name of found) held.add(name);
  }
  for (const name of exact) {
    if (!held.has(name) && !(await isHeldLater(paths, name, detector))) {
      throw noSuchInstrument(paths, name, [...held]);
    }
  }
  for (const pattern of patterns) {
    if (![...fitting].some((name) => fittingIn(pattern, [name]).length > 0))
      throw noSuchInstrument(paths, pattern, [...held]);
  }
  const names = wanted.length > 0 ? [...new Set([...exact, ...fitting])] : [...held];
  const venues = [...new Set(names.map(venueOf))];
  const venue = venues[0];
  if (venue === undefined || venues.length > 1) {
    throw severalVenues(paths, venues, wanted.length > 0);
  }
  const symbols = new Set(names.map(symbolOf));
  const hasOthers = [...held].some((name) => !symbols.has(symbolOf(name)));
  return { venue, isSetUp: false, names, hasOthers };
}

/** What is wanted of what recordings say that their connections carried. */
function setUpStreams(
  paths: readonly string[],
  wanted: readonly string[],
  held: readonly string[],
): RecordedStreams {
  const names = wanted.flatMap((name) => {
    const fitting = isPattern(symbolOf(name)) ? fittingIn(name, held) : held.filter((one) => one === name);
    if (fitting.length === 0) throw noSuchInstrument(paths, name, held);
    return fitting;
  });
  const taken = wanted.length === 0 ? held : [...new Set(names)];
  const venue = [...new Set(taken.map(venueOf))].join(', ');
  return { venue, isSetUp: true, names: taken, hasOthers: false };
}

/** Opens what recordings hold, for instruments of a sink, and returns its number. */
export function openStreams(
  sink: Pick<Sink, 'openSource' | 'openRecorded' | 'expectOthers'>,
  { venue, isSetUp, hasOthers }: Omit<RecordedStreams, 'names'>,
  instruments: readonly number[],
): number {
  if (isSetUp) return sink.openRecorded(instruments);
  const source = sink.openSource(venue, instruments);
  if (hasOthers) sink.expectOthers(source);
  return source;
}

/** Names that a pattern fits, of the pattern's own venue. */
function fittingIn(pattern: string, names: readonly string[]): readonly string[] {
  const own = names.filter((name) => venueOf(name) === venueOf(pattern));
  const list = own.map((name) => ({ name, symbol: symbolOf(name), codes: [], status: 'unknown' }));
  return matching(symbolOf(pattern), list).map(({ name }) => name);
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
function resolve(
  {
    path,
    head,
    detected,
  }: { readonly path: string; readonly head: Uint8Array; readonly detected: readonly string[] },
  wanted: readonly string[],
  isChosenOnly: boolean,
): readonly string[] {
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
    const isChosen = named.length === 1 || candidates.length === 1 || (named.length === 0 && isChosenOnly);
    if (name === undefined || !isChosen) throw ambiguous(path, symbol, candidates);
    names.push(name);
  }
  if (names.length > 0) return names;
  throw noStreams(path, head);
}

function noStreams(path: string, head: Uint8Array): DepthwireError {
  const isText = /^\uFEFF?[\t-\r -~]*$/.test(Buffer.from(head.subarray(0, 7)).toString('utf8'));
  return new DepthwireError('recording.no_streams', {
    what: 'no stream of an instrument was found at the beginning of a recording',
    where: path,
    expected: isText
      ? 'messages of a known venue that name their instrument'
      : 'packets or records of a feed that is read, which name their instruments',
    got: 'none',
    fix: isText
      ? 'Name the instrument with --instrument venue:SYMBOL; a snapshot alone goes beside the recording of its updates.'
      : 'See depthwire venues for the feeds that are read; a feed that names its instruments once a day is read from its first message on.',
  });
}

function severalVenues(
  paths: readonly string[],
  venues: readonly string[],
  isWanted: boolean,
): DepthwireError {
  const isOneFile = paths.length === 1 && !isWanted;
  return new DepthwireError('recording.venues', {
    what: isOneFile ? 'the recording is of several products' : 'what is asked for is not of one product',
    where: paths.join(', '),
    expected: 'one product at a time',
    got: venues.join(', ') || 'none',
    fix:
      isWanted || venues[0] === undefined
        ? 'Give the instruments of each product to a command of their own.'
        : `Say which: --instrument '${venues[0]}:*' for all of ${venues[0]}, and each other one in a command of its own.`,
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
    fix: `Say which: --instrument ${candidates[0] ?? ''}, or '${venueOf(candidates[0] ?? '')}:*' for all that it holds of one product.`,
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
