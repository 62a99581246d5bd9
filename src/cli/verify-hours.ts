import type { ReplicaThread } from '#native';

/** An hour of a book as readers of the feed had it, of the time by which frames were received. */
export interface VerifiedHour {
  /** Its begin, in UTC. */
  readonly hour: string;
  /** For how long the book was synced, ms; for how long not, although it had been; for how long not yet. */
  readonly syncedMs: number;
  readonly lostMs: number;
  readonly beforeMs: number;
  /** Frames that changed the book. */
  readonly changes: number;
  /** Holes that began in it. */
  readonly holes: number;
}

/** A time in which a book that had been synced was not. */
export interface VerifiedHole {
  readonly from: string;
  /** When it was synced again; null = it was not. */
  readonly until: string | null;
  /** For how long; null = to the end. */
  readonly ms: number | null;
  readonly state: string;
  readonly reason: string;
  /** The venue's number that was due and the one that came; null where it numbers nothing or something else was wrong. */
  readonly numbers: { readonly expected: string; readonly received: string } | null;
}

/** What readers of the feed had of a book, hour by hour. */
export interface VerifiedHours {
  readonly hours: readonly VerifiedHour[];
  /** The first 1,000. */
  readonly holes: readonly VerifiedHole[];
  readonly holesMore: number;
}

export const NO_HOURS: VerifiedHours = { hours: [], holes: [], holesMore: 0 };

type Standing = ReturnType<ReplicaThread['standings']>[number];

const timeText = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString();

/** Of whole microseconds: what is below is not of a clock. */
const msOf = (ns: number): number => Math.round(ns / 1000) / 1000;

export function hoursOf({ hours, holes, holesMore }: Standing): VerifiedHours {
  return {
    hours: hours.map(({ begin, syncedNs, lostNs, beforeNs, changes, holes }) => ({
      hour: timeText(begin),
      syncedMs: msOf(syncedNs),
      lostMs: msOf(lostNs),
      beforeMs: msOf(beforeNs),
      changes,
      holes,
    })),
    holes: holes.map(({ from, until, state, reason, expected, received }) => ({
      from: timeText(from),
      until: until === 0n ? null : timeText(until),
      ms: until === 0n ? null : msOf(Number(until - from)),
      state,
      reason,
      numbers:
        expected === 0n && received === 0n ? null : { expected: `${expected}`, received: `${received}` },
    })),
    holesMore,
  };
}

/** Most holes, and most hours of a book, that the report for people shows. */
const HOLES_SHOWN = 20;
const HOURS_SHOWN = 24;

const count = (value: number): string => value.toLocaleString('en-US');

const secondsText = (ms: number): string =>
  `${(ms / 1000).toLocaleString('en-US', { minimumFractionDigits: 3, maximumFractionDigits: 3 })} s`;

/** Where books that had been synced were not, the oldest first. */
export function holeLines(
  books: readonly (VerifiedHours & { readonly instrument: string })[],
): readonly string[] {
  const holes = books.flatMap(({ instrument, holes }) => holes.map((hole) => ({ instrument, hole })));
  const more = books.reduce((sum, { holesMore }) => sum + holesMore, 0);
  if (holes.length === 0) return ['  holes            none'];
  holes.sort((a, b) => (a.hole.from < b.hole.from ? -1 : a.hole.from > b.hole.from ? 1 : 0));
  const lines = holes.slice(0, HOLES_SHOWN).map(({ instrument, hole }) => {
    const { from, ms, state, reason, numbers } = hole;
    const why = reason === 'none' ? state : reason;
    const said = numbers === null ? why : `${why}: ${numbers.expected} was due, ${numbers.received} came`;
    return `    ${instrument}  ${from}  ${ms === null ? 'to the end' : secondsText(ms)}, ${said}`;
  });
  const hidden = holes.length + more - lines.length;
  if (hidden > 0) lines.push(`    and ${count(hidden)} more; --json has the first 1,000 of each book`);
  return [`  holes            ${count(holes.length + more)} times a book that was synced was not`, ...lines];
}

/** How long a book was synced in each hour. */
export function hourLines({ hours }: VerifiedHours): readonly string[] {
  const lines = hours.slice(0, HOURS_SHOWN).map(({ hour, syncedMs, lostMs, beforeMs, changes, holes }) => {
    const parts = [`synced ${secondsText(syncedMs)}`];
    if (holes > 0 || lostMs > 0) parts.push(`lost ${secondsText(lostMs)} in ${count(holes)} new holes`);
    if (beforeMs > 0) parts.push(`not yet ${secondsText(beforeMs)}`);
    return `    ${hour.slice(0, 10)} ${hour.slice(11, 13)}h UTC  ${parts.join(', ')}, ${count(changes)} changes`;
  });
  const hidden = hours.length - lines.length;
  if (hidden > 0) lines.push(`    and ${count(hidden)} more hours; --json has all`);
  return lines;
}
