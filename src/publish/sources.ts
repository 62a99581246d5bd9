import type { BookInfo } from '../engine.js';
import type { ErrorJson } from '../errors.js';
import type { ServedEngine } from './feed-engine.js';
import type { BookCounts } from './metrics.js';

/** A connection of a source, as whoever runs it tells. */
export interface ServedConnection {
  readonly url: string;
  /** Of several that carry the same: 0, 1. */
  readonly line: number;
  readonly state: string;
  /** ms since the epoch; 0 = it is not connected. */
  readonly connectedSinceMs: number;
  readonly reconnects: number;
  /** Why it was lost last; empty = it never was. */
  readonly lastLoss: string;
}

/** The venue's list of instruments that a source goes by. */
export interface ServedList {
  /** When it was had, ms since the epoch; null = it never was, so that a source that has only patterns waits for it. */
  readonly fetchedMs: number | null;
  /** Since when none was had, or none that is believed; null = it is as it should be. */
  readonly failingSinceMs: number | null;
  /** When it is asked for again because of that; null = as usual, or it is being asked for. */
  readonly retryMs: number | null;
  /** Why; null where nothing is wrong, or not known yet. */
  readonly error: ErrorJson | null;
}

/** Where books come from. */
export interface ServedSource {
  readonly name: string;
  readonly kind: 'live' | 'recording' | 'embedded';
  /** Since when it delivers, ms since the epoch; of a live one its connections tell. */
  readonly startedMs: number;
  /** Numbers of the instruments that it is asked for. */
  readonly instruments: readonly number[];
  /** Empty of what is not live. */
  readonly connections: readonly ServedConnection[];
  /** How far the venue's clock is ahead of ours, at least and at most; absent where that is not known. */
  readonly clockSkewMs?: readonly [number, number];
  /** Of live ones. */
  readonly list?: ServedList;
}

/** How often something of the venue's own was compared with a book, and how often it agreed. */
interface Compared {
  readonly checked: number;
  readonly matched: number;
}

/** Where a source stands: what `/health` and `/v1/sources` say of it. */
export interface SourceReport extends Omit<ServedSource, 'instruments' | 'startedMs'> {
  /** Since when a connection of it has lasted, or since when it delivers; null = none is open. */
  readonly connectedSinceMs: number | null;
  readonly books: BookCounts;
  readonly checksums: Compared;
  readonly tops: Compared;
  /** The last time that a book's truth was lost; `mendedMs`: how long it took to be exact again, null = it is not yet. */
  readonly lastGap: {
    readonly instrument: string;
    readonly atMs: number;
    readonly mendedMs: number | null;
  } | null;
}

/** What the books of a source make of it. Cost: one question to the engine a book. */
export function sourceReport(
  engine: Pick<ServedEngine, 'book' | 'instrument'>,
  source: ServedSource,
): SourceReport {
  const { name, kind, startedMs, instruments, connections, clockSkewMs, list } = source;
  const open = connections.map(({ connectedSinceMs }) => connectedSinceMs).filter((since) => since > 0);
  const counts = { syncing: 0, synced: 0, stale: 0 };
  const checksums = { checked: 0, matched: 0 };
  const tops = { checked: 0, matched: 0 };
  let last: { readonly id: number; readonly book: BookInfo } | undefined;
  for (const id of instruments) {
    const book = engine.book(id);
    counts[book.state === 'synced' || book.state === 'syncing' ? book.state : 'stale'] += 1;
    checksums.checked += book.checksumsChecked;
    checksums.matched += book.checksumsMatched;
    tops.checked += book.topsChecked;
    tops.matched += book.topsMatched;
    if (book.losses > 0 && book.lostMs > (last?.book.lostMs ?? 0)) last = { id, book };
  }
  const lastGap =
    last === undefined
      ? null
      : {
          instrument: engine.instrument(last.id).name,
          atMs: last.book.lostMs,
          mendedMs: last.book.state === 'synced' ? last.book.mendedMs : null,
        };
  const connectedSinceMs = kind === 'live' ? (open.length === 0 ? null : Math.min(...open)) : startedMs;
  return {
    name,
    kind,
    connections,
    connectedSinceMs,
    books: counts,
    checksums,
    tops,
    lastGap,
    ...(clockSkewMs === undefined ? {} : { clockSkewMs }),
    ...(list === undefined ? {} : { list }),
  };
}
