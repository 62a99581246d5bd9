/** Words for what the feed says in codes. A reader who has never seen the protocol must understand them. */

import type { StateReason } from '../wire/index.js';
import type { BookDoubts } from './book-view.js';

const STALE_REASONS: Readonly<Record<Exclude<StateReason, 'none' | 'unknown'>, string>> = {
  gap: 'the venue’s updates skipped a number',
  silence: 'the venue has gone silent',
  levels_limit: 'the book has more levels than the engine’s limit',
  contradiction: 'the venue’s messages contradict each other',
  orders_limit: 'the feed has more orders than the engine’s limit',
  unreadable: 'a message of the venue could not be read',
  source_failed: 'the source has failed: its file is damaged or gone, or its connection is lost',
  unattributed: 'a snapshot did not say which instrument it is of',
  skipped: 'a part of the venue’s feed could not be read',
  venue_doubt: 'the venue itself says that its data may be wrong',
  sequence_gap: 'a message of the server is missing',
  check_failed: 'a checksum of the book did not agree',
  bad_frame: 'a message could not be read exactly',
  no_image: 'no image has arrived yet',
  disconnected: 'the connection to the server is lost',
  behind: 'this page reads too slowly, and the server holds back changes',
};

/** What decides whether the book in view may be trusted. */
export interface BookCondition {
  readonly connected: boolean;
  /** Why no more will come, when the server has refused; null otherwise. */
  readonly refusal: string | null;
  readonly state: string;
  readonly reason: string;
  readonly doubts: BookDoubts;
  readonly hasLevels: boolean;
  /** Nothing more will come, as at the end of a recording. */
  readonly ended: boolean;
}

/** Why a book may not be trusted at this moment, in one or two sentences; empty for one that may. */
export function bookNotice({
  connected,
  refusal,
  state,
  reason,
  doubts,
  hasLevels,
  ended,
}: BookCondition): string {
  const shown = hasLevels ? ' What is shown is the last known book.' : '';
  if (refusal !== null) return `Refused: ${refusal}${shown}`;
  if (state === 'synced' && connected) return doubtNotice(doubts);
  if (!connected) return `Not connected: waiting for the server.${shown}`;
  const next = ended ? 'The recording has ended.' : 'A new image is on its way.';
  if (state === 'stale') return `Stale: ${reasonWords(reason)}. ${next}${shown}`;
  if (ended) return `Syncing: the recording has ended before the book was complete.${shown}`;
  return `Syncing: waiting for a complete image of the book.${shown}`;
}

/** What is in doubt about a book that is synced; empty for one that is not doubted. */
function doubtNotice({ beyondKnown }: BookDoubts): string {
  if (beyondKnown) {
    return 'Beyond known: the best price lies where the venue has not shown its book; others may stand before it.';
  }
  return '';
}

/** A book's state in a word or two. */
export function stateWords(state: string, reason: string, { beyondKnown, crossed }: BookDoubts): string {
  if (state === 'stale') return `stale: ${reason.replaceAll('_', ' ')}`;
  if (state !== 'synced') return state;
  const doubts = [...(beyondKnown ? ['beyond known'] : []), ...(crossed ? ['crossed'] : [])].join(', ');
  return doubts === '' ? 'synced' : `synced: ${doubts}`;
}

/** Whether a book that the server calls synced is doubted, which is marked as a stale one is. */
export function isDoubted(state: string, { beyondKnown, crossed }: BookDoubts): boolean {
  return state === 'synced' && (beyondKnown || crossed);
}

/** A reason code in words; an unknown code stands for itself. */
export function reasonWords(reason: string): string {
  const words = Object.hasOwn(STALE_REASONS, reason)
    ? STALE_REASONS[reason as keyof typeof STALE_REASONS]
    : undefined;
  return words ?? (reason === '' || reason === 'none' ? 'no reason was given' : reason.replaceAll('_', ' '));
}

/** An age or a delay: `0.4 ms`, `12 ms`, `1.3 s`, `4 min`. */
export function durationWords(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const size = Math.abs(ms);
  if (size < 10) return `${ms.toFixed(2)} ms`;
  if (size < 1000) return `${ms.toFixed(0)} ms`;
  if (size < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (size < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}

/** The age of the last input, quiet below a second so that it does not flicker. */
export function ageWords(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  return ms < 1000 ? '< 1 s' : durationWords(ms);
}

/** A rate of bytes: `812 B/s`, `14.2 kB/s`. */
export function bytesPerSecondWords(rate: number): string {
  if (rate >= 1e6) return `${(rate / 1e6).toFixed(2)} MB/s`;
  if (rate >= 1e3) return `${(rate / 1e3).toFixed(1)} kB/s`;
  return `${rate.toFixed(0)} B/s`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The time of day of a moment, ms since the epoch. */
export function clockWords(ms: number): string {
  return clock.format(ms);
}

/** Why the server or the client refuses something, and what helps, as sentences. */
export function refusalWords({ what, fix }: { readonly what: string; readonly fix: string }): string {
  return [what, fix]
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1).replace(/\.+$/, '')}.`)
    .join(' ');
}
