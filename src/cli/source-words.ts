import type { ServedList, SourceReport } from '../publish/sources.js';

/** Where a source stands, as a line of the banner. */
export function sourceLine(report: SourceReport): string {
  const { name, kind, connections, connectedSinceMs, books, checksums, tops, lastGap } = report;
  const isWaiting = kind === 'live' && connections.length === 0 && report.list?.fetchedMs === null;
  if (isWaiting) return `source   ${name}: ${listWords(report.list)}`;
  const all = books.synced + books.syncing + books.stale;
  const open = connections.filter(({ connectedSinceMs: since }) => since > 0).length;
  const parts = [
    kind === 'live' ? connectionWords(open, connections, connectedSinceMs) : KIND_WORDS[kind],
    `${books.synced} of ${all} books synced`,
    ...(checksums.checked > 0 ? [`checksums ${checksums.matched} of ${checksums.checked}`] : []),
    ...(tops.checked > 0 ? [`best prices ${tops.matched} of ${tops.checked}`] : []),
    lastGap === null
      ? 'no gap'
      : `last gap ${clockTime(lastGap.atMs)} (${lastGap.instrument}), ${lastGap.mendedMs === null ? 'open' : `mended in ${lastGap.mendedMs} ms`}`,
    ...(report.list === undefined || report.list.failingSinceMs === null ? [] : [listWords(report.list)]),
  ];
  return `source   ${name}: ${parts.join(', ')}`;
}

/** What is wrong with the list that a source goes by. */
function listWords({ fetchedMs, failingSinceMs, retryMs, error }: ServedList): string {
  const since = clockTime(failingSinceMs ?? 0);
  const why = error === null ? '' : ` (${error.code}: ${error.got})`;
  const again = retryMs === null ? 'being asked for' : `asked for again at ${clockTime(retryMs)}`;
  const what =
    fetchedMs === null
      ? `waiting for the list of instruments since ${since}`
      : `the list of instruments of ${dayTime(fetchedMs)} counts, for there is none better since ${since}`;
  return `${what}${why}, ${again}`;
}

const KIND_WORDS = { recording: 'recording', embedded: 'simulated' } as const;

function connectionWords(
  open: number,
  connections: SourceReport['connections'],
  sinceMs: number | null,
): string {
  const all = connections.length;
  const loss = connections.find(
    ({ connectedSinceMs, lastLoss }) => connectedSinceMs === 0 && lastLoss !== '',
  );
  const why = loss === undefined ? '' : ` (${loss.lastLoss})`;
  if (sinceMs === null) return `live, not connected${why}`;
  return `live since ${clockTime(sinceMs)}${all === 1 ? '' : ` over ${open} of ${all} connections${why}`}`;
}

function dayTime(ms: number): string {
  return `${new Date(ms).toLocaleDateString('sv-SE')} ${clockTime(ms)}`;
}

function clockTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}
