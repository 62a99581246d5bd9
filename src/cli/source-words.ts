import type { ServedList, SourceReport } from '../publish/sources.js';

/** Where a source stands, as a line of the banner. */
export function sourceLine(report: SourceReport): string {
  const { name, kind, connections, connectedSinceMs, books, checksums, tops, lastGap } = report;
  const { list } = report;
  if (list !== undefined && list.fetchedMs === null && connections.length === 0) {
    return `source   ${name}: waiting for the list of instruments ${listWords(list)}`;
  }
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
    ...(list === undefined || list.failingSinceMs === null
      ? []
      : [
          list.fetchedMs === null
            ? `no list of instruments ${listWords(list)}`
            : list.error?.code === 'instruments.shrunken'
              ? `instruments that the list lacks are kept, ${listWords(list)}`
              : `the list of instruments of ${dayTime(list.fetchedMs)} counts, for there is none better ${listWords(list)}`,
        ]),
    ...skewWords(report.clockSkewMs),
  ];
  return `source   ${name}: ${parts.join(', ')}`;
}

/** Since when a list is asked for in vain, why, and when it is asked for next. */
function listWords({ failingSinceMs, retryMs, error }: ServedList): string {
  const why = error === null ? '' : ` (${error.code}: ${error.got})`;
  const again = retryMs === null ? 'being asked for' : `asked for again at ${clockTime(retryMs)}`;
  return `since ${clockTime(failingSinceMs ?? 0)}${why}, ${again}`;
}

/** A venue's clock that is certainly so far from ours is told. */
const SKEW_MS = 1000;

function skewWords(skew: SourceReport['clockSkewMs']): readonly string[] {
  const [minMs, maxMs] = skew ?? [0, 0];
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  if (minMs >= SKEW_MS) return [`the venue’s clock is ${seconds(minMs)} or more ahead of ours`];
  if (maxMs <= -SKEW_MS) return [`the venue’s clock is ${seconds(-maxMs)} or more behind ours`];
  return [];
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
