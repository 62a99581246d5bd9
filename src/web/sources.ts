import { durationWords } from './wording.js';

/** Where a source stands, as GET /v1/sources tells. */
export interface SourceView {
  readonly name: string;
  readonly kind: 'live' | 'recording' | 'embedded';
  /** ms since the epoch; null = no connection is open. */
  readonly connectedSinceMs: number | null;
  readonly connectionsOpen: number;
  readonly connections: number;
  /** Why a connection that is not open was lost last; empty = it never was. */
  readonly lastLoss: string;
  readonly books: { readonly synced: number; readonly syncing: number; readonly stale: number };
  readonly checksums: Compared;
  readonly tops: Compared;
  readonly lastGap: LastGap | null;
  /** How far the venue's clock is certainly ahead of the server's, ms; negative = behind, 0 = not known to be off. */
  readonly clockOffMs: number;
  /** The venue's list of instruments that it goes by, where that is not as it should be. */
  readonly list: FailingList | null;
}

interface FailingList {
  /** When the list that counts was had; null = there is none, and the source waits. */
  readonly fetchedMs: number | null;
  readonly failingSinceMs: number;
  /** The error's code; empty = not known yet. */
  readonly code: string;
  /** Why, for people; empty = not known yet. */
  readonly why: string;
}

interface Compared {
  readonly checked: number;
  readonly matched: number;
}

interface LastGap {
  readonly instrument: string;
  readonly atMs: number;
  /** null = the book is not exact again yet. */
  readonly mendedMs: number | null;
}

/** One line about a source; `alert` marks what a reader should look into. */
export interface SourceLine {
  readonly label: string;
  readonly value: string;
  readonly title: string;
  readonly alert: boolean;
}

/** Reads an answer of GET /v1/sources; entries that are not understood are left out. */
export function parseSources(value: unknown): readonly SourceView[] {
  const list = isRecord(value) ? value.sources : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown) => {
    if (!isRecord(entry) || typeof entry.name !== 'string') return [];
    const { name, kind, connectedSinceMs, lastGap } = entry;
    const connections = Array.isArray(entry.connections) ? entry.connections : [];
    const open = connections.filter((one: unknown) => isRecord(one) && countOf(one.connectedSinceMs) > 0);
    const books = isRecord(entry.books) ? entry.books : {};
    return [
      {
        name,
        kind: kind === 'live' || kind === 'recording' ? kind : 'embedded',
        connectedSinceMs: typeof connectedSinceMs === 'number' ? connectedSinceMs : null,
        connectionsOpen: open.length,
        connections: connections.length,
        lastLoss: lossOf(connections),
        books: {
          synced: countOf(books.synced),
          syncing: countOf(books.syncing),
          stale: countOf(books.stale),
        },
        checksums: comparedOf(entry.checksums),
        tops: comparedOf(entry.tops),
        lastGap: lastGapOf(lastGap),
        clockOffMs: clockOffOf(entry.clockSkewMs),
        list: failingListOf(entry.list),
      } satisfies SourceView,
    ];
  });
}

/** What is said of a source beside its name and kind. `clock` writes a time, ms since the epoch. */
export function sourceLines(source: SourceView, clock: (ms: number) => string): readonly SourceLine[] {
  const { kind, connectedSinceMs, connections, connectionsOpen, books, checksums, tops, lastGap } = source;
  const all = books.synced + books.syncing + books.stale;
  const line = (label: string, value: string, title: string, alert = false): SourceLine => ({
    label,
    value,
    title,
    alert,
  });
  // Its note says what there is to say.
  if (isWaiting(source)) return [];
  return [
    line(
      kind === 'live' ? 'Connected' : 'Running',
      connectedSinceMs === null ? 'no connection' : `since ${clock(connectedSinceMs)}`,
      source.lastLoss === '' ? 'Since when it delivers without a break' : `Lost last: ${source.lastLoss}`,
      connectedSinceMs === null,
    ),
    ...(connections > 1
      ? [
          line(
            'Connections',
            `${connectionsOpen} of ${connections}`,
            'Connections that are open at this moment',
            connectionsOpen < connections,
          ),
        ]
      : []),
    line('Synced', `${books.synced} of ${all}`, 'Books that are exact at this moment', books.synced < all),
    ...(checksums.checked > 0 || tops.checked === 0
      ? [compared('Checksums', checksums, 'The venue’s own checksums that were compared with books')]
      : []),
    ...(tops.checked > 0
      ? [compared('Best prices', tops, 'The venue’s own best prices that were compared with books')]
      : []),
    line(
      'Last gap',
      gapWords(lastGap, clock),
      gapTitle(lastGap),
      lastGap !== null && lastGap.mendedMs === null,
    ),
    ...(Math.abs(source.clockOffMs) < CLOCK_OFF_MS
      ? []
      : [
          line(
            'Clock',
            `${durationWords(Math.abs(source.clockOffMs))} ${source.clockOffMs > 0 ? 'ahead' : 'behind'}`,
            'How far the venue’s clock is off the server’s at least: logins and ages suffer from it',
            true,
          ),
        ]),
  ];
}

/** Whether a source has no instruments yet, for its venue's list has not come. */
function isWaiting({ list, connections }: SourceView): boolean {
  return list !== null && list.fetchedMs === null && connections === 0;
}

/** What is wrong with the list of instruments of a source, as a sentence and at length; null where nothing is. */
export function sourceNote(
  source: SourceView,
  clock: (ms: number) => string,
): { readonly text: string; readonly title: string } | null {
  const { list } = source;
  if (list === null) return null;
  return { text: noteText(source, list, `since ${clock(list.failingSinceMs)}`), title: listTitle(list) };
}

function noteText(source: SourceView, { fetchedMs, code }: FailingList, since: string): string {
  if (code === 'instruments.no_such') return `The venue lists nothing of what is wanted ${since}.`;
  if (isWaiting(source)) return `Waiting for the list of instruments ${since}.`;
  if (fetchedMs === null) return `No list of instruments ${since}: names as they were given.`;
  return code === 'instruments.shrunken'
    ? `Instruments that the list lacks ${since} are kept.`
    : `An older list of instruments counts ${since}.`;
}

/** What stands in place of a list of instruments that is empty. */
export function emptyNotice(sources: readonly SourceView[], clock: (ms: number) => string): string {
  const waiting = sources.filter(isWaiting);
  const [first] = waiting;
  if (first === undefined) return 'The server has no instruments yet. They will appear here.';
  const names = waiting.map(({ name }) => name).join(', ');
  const sinceMs = Math.min(...waiting.map(({ list }) => list?.failingSinceMs ?? Number.POSITIVE_INFINITY));
  return `Waiting for the list of instruments of ${names} since ${clock(sinceMs)}. They will appear here.`;
}

function listTitle({ fetchedMs, why }: FailingList): string {
  const what = fetchedMs === null ? why : `Listed ${new Date(fetchedMs).toISOString()}: ${why}`;
  return `The venue’s list of instruments. ${what}`;
}

function compared(label: string, { checked, matched }: Compared, title: string): SourceLine {
  const value =
    checked === 0 ? 'none sent' : `${matched.toLocaleString('en-US')} of ${checked.toLocaleString('en-US')}`;
  return { label, value, title, alert: matched < checked };
}

function gapWords(gap: LastGap | null, clock: (ms: number) => string): string {
  if (gap === null) return 'none';
  const when = clock(gap.atMs);
  return gap.mendedMs === null ? `${when}, open` : `${when}, ${durationWords(gap.mendedMs)}`;
}

function gapTitle(gap: LastGap | null): string {
  const what = 'When a book’s truth was lost last, and how long it took to be exact again';
  return gap === null ? what : `${what}: ${gap.instrument}`;
}

/** A venue's clock that is certainly so far off is told. */
const CLOCK_OFF_MS = 1000;

function clockOffOf(value: unknown): number {
  const [min, max] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const [minMs, maxMs] = [Number(min), Number(max)];
  if (minMs > 0) return minMs;
  if (maxMs < 0) return maxMs;
  return 0;
}

function lossOf(connections: readonly unknown[]): string {
  const lost = connections.find(
    (one) => isRecord(one) && countOf(one.connectedSinceMs) === 0 && isText(one.lastLoss),
  );
  return isRecord(lost) && isText(lost.lastLoss) ? lost.lastLoss : '';
}

function failingListOf(value: unknown): FailingList | null {
  if (!isRecord(value) || typeof value.failingSinceMs !== 'number') return null;
  const { fetchedMs, failingSinceMs, error } = value;
  const why = isRecord(error) ? [error.what, error.where, error.got].filter(isText).join(': ') : '';
  const code = isRecord(error) && isText(error.code) ? error.code : '';
  return { fetchedMs: typeof fetchedMs === 'number' ? fetchedMs : null, failingSinceMs, code, why };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function lastGapOf(value: unknown): LastGap | null {
  if (!isRecord(value) || typeof value.instrument !== 'string' || typeof value.atMs !== 'number') return null;
  const { instrument, atMs, mendedMs } = value;
  return { instrument, atMs, mendedMs: typeof mendedMs === 'number' ? mendedMs : null };
}

function comparedOf(value: unknown): Compared {
  const record = isRecord(value) ? value : {};
  return { checked: countOf(record.checked), matched: countOf(record.matched) };
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
