import type { BookState, ServerReason } from '../wire/state-words.js';

const UNATTRIBUTED =
  'A snapshot did not say which of several instruments it is of, so it is nobody’s: record it with the address that was asked, or each instrument in files of its own.';

/** What helps a book that a recording leaves without its truth, by the reason that the engine gives. */
const REMEDIES: Readonly<Record<ServerReason, string>> = {
  none: 'Give a recording that holds a snapshot of this book which meets its updates: taken after the first of them.',
  gap: 'Give all files in the order of their times; where updates were never recorded, a snapshot behind the gap heals it.',
  silence:
    'Nothing arrived for longer than the venue is ever quiet: look for a lost connection at that time.',
  levels_limit:
    'The book outgrew what the engine holds: check that the scale and the messages are of this instrument.',
  contradiction:
    'The venue’s own messages do not fit the book: look for lost, damaged or doubled lines before; a later snapshot heals it.',
  orders_limit: 'The feed outgrew what the engine holds: give a recording of fewer instruments.',
  unreadable:
    'A message of this book could not be read: see the first fault. A later snapshot heals it, as would a scale that fits.',
  source_failed:
    'The file is damaged, cut or gone: copy it again; what follows in another file needs a snapshot.',
  unattributed: UNATTRIBUTED,
  skipped: 'Bytes of the order feed could not be read: see the first fault, and copy the file again.',
  venue_doubt:
    'The venue or the supplier says that its data may be wrong here; its next clear or snapshot heals it.',
};

/**
 * What to do about a book that did not end synced; null for one that did. An unknown reason stands for itself.
 * `unattributed`: snapshots that named no instrument were passed over.
 */
export function remedyOf(state: string, reason: string, unattributed: number): string | null {
  if (state === ('synced' satisfies BookState)) return null;
  if (state === ('syncing' satisfies BookState) && unattributed > 0) return UNATTRIBUTED;
  return Object.hasOwn(REMEDIES, reason)
    ? REMEDIES[reason as ServerReason]
    : `The engine gives the reason ${reason}, which this version does not know: update both together.`;
}
