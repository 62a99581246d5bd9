import type { OrderStats } from '../engine.js';
import type { DepthwireError, ErrorJson } from '../errors.js';
import { holeLines, hourLines, type VerifiedHours } from './verify-hours.js';

/** What a book came to, in the engine and in a replica that saw the feed frames alone. */
export interface VerifiedBook extends VerifiedHours {
  readonly instrument: string;
  readonly state: string;
  /** Why it is stale; `none` where it is not. */
  readonly reason: string;
  /** What helps, where it is not synced. */
  readonly fix: string | null;
  readonly bids: number;
  readonly asks: number;
  readonly bestBid: string | null;
  readonly bestAsk: string | null;
  readonly digest: string;
  readonly replicaDigest: string | null;
  /** Of the sum of its own orders; null where the venue names no orders. */
  readonly ordersDigest: string | null;
}

/** The report of `verify --json`. */
export interface VerifyReport {
  readonly venue: string;
  readonly files: readonly string[];
  readonly frames: number;
  readonly bookMessages: number;
  readonly applied: number;
  readonly levelChanges: number;
  readonly appliedLevelChanges: number;
  readonly snapshots: number;
  readonly trades: number;
  readonly gaps: number;
  readonly resyncs: number;
  readonly crossed: number;
  readonly decodeErrors: number;
  /** Parts of the files that are not of their form. */
  readonly recordingErrors: number;
  /** Books that the venue contradicts, by its own top of book or by a checksum. */
  readonly contradictions: number;
  /** Snapshots that do not say which instrument they are of, among several. */
  readonly unattributed: number;
  /** Frames of other instruments. */
  readonly foreign: number;
  readonly tickers: number;
  readonly liquidations: number;
  /** Changes of trading status. */
  readonly statuses: number;
  /** Times that a line was received before the one in front of it, by a second or more. */
  readonly backward: number;
  /** The first file in which that happened. */
  readonly backwardIn: string | null;
  /** What is wrong with the files, of which all that could be read was read. */
  readonly damages: readonly ErrorJson[];
  readonly bbo: { readonly checked: number; readonly matched: number };
  readonly checksums: { readonly checked: number; readonly matched: number };
  /** What an order feed told; null where the venue names no orders. */
  readonly orders: OrderStats | null;
  readonly books: readonly VerifiedBook[];
  readonly elapsedMs: number;
  readonly framesPerSecond: number;
}

/** A report, what in it does not hold, and the first input that was wrong. */
export interface Verified {
  readonly report: VerifyReport;
  readonly failures: readonly string[];
  readonly firstFault: DepthwireError | undefined;
}

/** What does not hold, as sentences. */
export function failuresOf(report: VerifyReport, strict: boolean): readonly string[] {
  const failures: string[] = [];
  const { decodeErrors, crossed, applied, gaps, resyncs, bbo, checksums, orders } = report;
  for (const { code, where, what, got, fix } of report.damages)
    failures.push(`${where}: ${what} (${code}): ${got}. ${fix}`);
  if (isOutOfOrder(report)) {
    failures.push(
      `time runs backward ${report.backward} times, first in ${report.backwardIn}: give the files in the order of their times`,
    );
  }
  if (applied === 0) failures.push(`nothing was proven: ${nothingApplied(report)}`);
  if (decodeErrors > 0) failures.push(`${decodeErrors} frames could not be decoded`);
  if (report.recordingErrors > 0)
    failures.push(`${report.recordingErrors} parts of the files are not of their form`);
  if (report.contradictions > 0) {
    failures.push(`${report.contradictions} times the venue's own messages contradict their book`);
  }
  if (report.unattributed > 0) {
    failures.push(
      `${report.unattributed} snapshots do not say which instrument they are of, and the recording holds several`,
    );
  }
  if (crossed > 0) failures.push(`${crossed} updates left a synced book crossed`);
  if (bbo.matched !== bbo.checked) {
    failures.push(
      `${bbo.checked - bbo.matched} of ${bbo.checked} comparisons with the venue's top of book differ`,
    );
  }
  if (checksums.matched !== checksums.checked) {
    failures.push(`${checksums.checked - checksums.matched} of ${checksums.checked} venue checksums differ`);
  }
  if (orders !== null && orders.contradictions > 0) {
    failures.push(`${orders.contradictions} order messages contradict their book`);
  }
  if (orders !== null && orders.doubts > 0) {
    failures.push(`${orders.doubts} records by which the venue itself doubts their book`);
  }
  if (strict && orders !== null && orders.passedOver > 0) {
    failures.push(`${orders.passedOver} order messages of unknown books, and --strict allows none`);
  }
  if (strict && gaps > 0) failures.push(`${gaps} gaps, ${resyncs} resyncs, and --strict allows none`);
  for (const { instrument, state, reason, digest, replicaDigest, ordersDigest } of report.books) {
    if (state !== 'synced') failures.push(`${instrument} ends ${stateWords(state, reason)}`);
    // Readers of a book whose truth is lost keep what they had, and are told so.
    if (state === 'synced' && digest !== replicaDigest) {
      failures.push(`${instrument}: the book rebuilt from the feed differs`);
    }
    // A book whose truth is lost has forgotten its orders, and says so by its state.
    if (state === 'synced' && ordersDigest !== null && ordersDigest !== digest) {
      failures.push(`${instrument}: the book is not the sum of its orders`);
    }
  }
  return failures;
}

/** Within one file time runs backward where its connections stand one behind the other, which loses nothing. */
function isOutOfOrder({ backward, files }: VerifyReport): boolean {
  return backward > 0 && files.length > 1;
}

function nothingApplied({ snapshots, orders, books }: VerifyReport): string {
  const isWhole = books.length > 0 && books.every(({ state }) => state === 'synced');
  if (isWhole && (snapshots > 0 || orders !== null))
    return 'the recording holds whole books and no change of them: give the one that goes on from it, too';
  return 'no book message was applied';
}

function stateWords(state: string, reason: string): string {
  return reason === 'none' ? state : `${state} (${reason})`;
}

/** The report for people. */
export function reportText({ report, failures, firstFault }: Verified): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  const { bbo, checksums } = report;
  const lines = [
    `${report.venue}: ${report.files.join(', ')}`,
    ...holeLines(report.books),
    `  frames           ${number(report.frames)} in ${number(Math.round(report.elapsedMs))} ms (${number(report.framesPerSecond)}/s)`,
    `  book messages    ${number(report.bookMessages)}, applied ${number(report.applied)}`,
    `  level changes    ${number(report.levelChanges)}, applied ${number(report.appliedLevelChanges)}`,
    `  snapshots        ${number(report.snapshots)}`,
    `  trades           ${number(report.trades)}`,
    `  gaps             ${number(report.gaps)}, resyncs ${number(report.resyncs)}`,
    `  crossed          ${number(report.crossed)}`,
    `  decode errors    ${number(report.decodeErrors)}, ${number(report.recordingErrors)} parts of the files not of their form`,
    `  other frames     ${number(report.foreign)} of other instruments, ${number(report.unattributed)} snapshots that name none`,
    `  statistics       ${number(report.tickers)}, liquidations ${number(report.liquidations)}, changes of status ${number(report.statuses)}`,
    `  top of book      ${number(bbo.matched)} of ${number(bbo.checked)} comparisons equal`,
  ];
  if (report.backward > 0 && !isOutOfOrder(report)) {
    lines.push(`  time             runs backward ${number(report.backward)} times within the file`);
  }
  if (checksums.checked > 0) {
    lines.push(`  checksums        ${number(checksums.matched)} of ${number(checksums.checked)} equal`);
  }
  if (report.orders !== null) lines.push(...orderLines(report.orders));
  for (const book of largest(report.books)) {
    lines.push(
      `  ${book.instrument}  ${stateWords(book.state, book.reason)}, ${number(book.bids)} bids, ${number(book.asks)} asks, ` +
        `${book.bestBid ?? 'none'} / ${book.bestAsk ?? 'none'}`,
      `    engine   ${book.digest}`,
      `    replica  ${book.replicaDigest ?? 'no book'}`,
      ...hourLines(book),
    );
  }
  const hidden = report.books.length - BOOKS_SHOWN;
  if (hidden > 0) lines.push(`  and ${number(hidden)} smaller books; --json has all`);
  if (firstFault !== undefined) {
    lines.push(
      `  first fault      ${firstFault.message} (${firstFault.got})`,
      `                   ${firstFault.fix}`,
    );
  }
  for (const failure of failures.slice(0, FAILURES_SHOWN)) lines.push(`  FAIL  ${failure}`);
  if (failures.length > FAILURES_SHOWN) {
    lines.push(`  FAIL  and ${number(failures.length - FAILURES_SHOWN)} more; --json has all`);
  }
  lines.push(failures.length === 0 ? 'proven' : notProven(report));
  return lines.join('\n');
}

/** The last line of a report that proves nothing: each book that is not synced, and what helps. */
function notProven(report: VerifyReport): string {
  const lost = report.books.filter(({ fix }) => fix !== null);
  const alike = new Map<string, string[]>();
  for (const { instrument, state, reason, fix } of lost) {
    const words = `${stateWords(state, reason)}: ${fix}`;
    alike.set(words, [...(alike.get(words) ?? []), instrument]);
  }
  const sentences = [...alike].slice(0, BOOKS_SHOWN).map(([words, names]) => {
    const more = names.length - BOOKS_SHOWN;
    const named = names.slice(0, BOOKS_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
    return `${named} ${names.length === 1 ? 'is' : 'are'} ${words}`;
  });
  if (alike.size > BOOKS_SHOWN) sentences.push(`And ${alike.size - BOOKS_SHOWN} more; --json has all.`);
  return `not proven: ${sentences.length === 0 ? otherRemedy(report) : sentences.join(' ')}`;
}

/** What helps where every book ended synced, and something on the way was wrong. */
function otherRemedy(report: VerifyReport): string {
  const { applied, decodeErrors, recordingErrors, damages } = report;
  if (applied === 0) return `${nothingApplied(report)}.`;
  if (isOutOfOrder(report)) return 'give the files in the order of their times.';
  if (damages.length + recordingErrors > 0)
    return 'a file is damaged or cut: copy it again from where it is whole.';
  if (decodeErrors > 0)
    return 'the first fault says which message could not be read, and what to do about it.';
  return 'every book ended synced, but not all that the venue told on the way agrees with it: see the lines above; --json has the numbers.';
}

/** Most books and most failures that the report for people names. */
const BOOKS_SHOWN = 10;
const FAILURES_SHOWN = 20;

function largest(books: readonly VerifiedBook[]): readonly VerifiedBook[] {
  if (books.length <= BOOKS_SHOWN) return books;
  return books.toSorted((a, b) => b.bids + b.asks - a.bids - a.asks).slice(0, BOOKS_SHOWN);
}

function orderLines(orders: OrderStats): readonly string[] {
  const number = (value: number): string => value.toLocaleString('en-US');
  const { adds, reduces, executes, replaces, modifies, deletes, clears } = orders;
  return [
    `  orders           ${number(adds)} added, ${number(reduces)} reduced, ${number(executes)} executed, ${number(replaces)} replaced,`,
    `                   ${number(modifies)} modified, ${number(deletes)} deleted, ${number(clears)} books cleared`,
    `  events           ${number(orders.events)} marked, ${number(orders.untouching)} records that touch no book, ${number(orders.crossed)} left a book crossed`,
    `  resting          at most ${number(orders.restingMax)} orders`,
    `  not applied      ${number(orders.contradictions)} contradictions, ${number(orders.passedOver)} of books not known, ${number(orders.doubts)} doubts of the venue`,
  ];
}
