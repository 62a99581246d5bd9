import { DepthwireError } from '../errors.js';
import { isText, type LineFilter, readHead } from './recording.js';

/** Finds the instruments that a recording's bytes may speak of; several of one symbol are alternatives. */
export interface StreamDetector {
  detect(bytes: Uint8Array): readonly string[];
}

/** Which venue and instruments a run of recordings holds. */
export interface RecordedStreams {
  readonly venue: string;
  /** `venue:symbol`. */
  readonly names: readonly string[];
  /** Present where the recordings hold other instruments too, whose lines are to be left out. */
  readonly keeps?: LineFilter;
}

/**
 * Looks at the beginning of each file. `wanted` are the instruments that the user named: they decide where a symbol may
 * be of several venues, and of several symbols only theirs are taken. Throws `recording.*` and the detector's `decode.*`.
 */
export async function recordedStreams(
  paths: readonly string[],
  wanted: readonly string[],
  detector: StreamDetector,
): Promise<RecordedStreams> {
  const all = new Set<string>();
  let leavesOut = false;
  let first: ReadonlySet<string> | undefined;
  for (const path of paths) {
    const head = await readHead(path);
    const detected = detectIn(path, head, detector);
    const found = resolve(path, detected, wanted);
    const chosen = found.filter((name) => wanted.includes(name));
    const names = chosen.length > 0 ? chosen : found;
    // A feed of messages names instruments by numbers of its own: the engine passes over those that it does not carry.
    leavesOut ||= names.length < found.length && isText(head);
    if (first !== undefined && !names.some((name) => first?.has(name))) throw differ(path, [...first], names);
    first ??= new Set(names);
    for (const name of names) all.add(name);
  }
  const names = [...all];
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
  return leavesOut ? { venue, names, keeps: onlyOf(names, detector) } : { venue, names };
}

/** Keeps the lines of these instruments and those that name none, or that cannot be read: the engine tells of them. */
function onlyOf(names: readonly string[], detector: StreamDetector): LineFilter {
  const symbols = new Set(names.map(symbolOf));
  return (line) => {
    try {
      const [name] = detector.detect(line);
      return name === undefined || symbols.has(symbolOf(name));
    } catch {
      return true;
    }
  };
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
      fix: 'Give lines of Binance streams, an ITCH file, a capture with MoldUDP64 packets, or DBN; plain, gzip or zstd.',
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
    if (name === undefined || (named.length !== 1 && candidates.length > 1))
      throw ambiguous(path, symbol, candidates);
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

/** What to ask where snapshots that name no symbol stand among the streams of several instruments. */
export function ambiguousSnapshot(paths: readonly string[], names: readonly string[]): DepthwireError {
  return new DepthwireError('recording.ambiguous', {
    what: 'a snapshot does not say which of the recorded instruments it is of',
    where: paths.join(', '),
    expected: `one of ${names.join(', ')}`,
    got: 'a snapshot without symbol',
    fix: `Say which: --instrument ${names[0] ?? ''}`,
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
