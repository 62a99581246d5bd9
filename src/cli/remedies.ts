import { venues } from '../engine.js';
import { addressOf, instrumentParts } from '../ingest/template.js';
import { productFacts } from '../ingest/venues/index.js';
import { type BookState, SERVER_REASONS, type ServerReason } from '../wire/state-words.js';

/** What a recording as a whole came to, as far as it says what helps. */
export interface RecordedFacts {
  readonly venue: string;
  readonly bookMessages: number;
  readonly snapshots: number;
  /** Messages of orders whose book was not known. */
  readonly ordersPassedOver: number;
  /** Snapshots that named no instrument and were passed over. */
  readonly unattributed: number;
}

/** How books of a product begin, and so what heals one. */
type Beginning = 'snapshot' | 'subscription' | 'image' | 'day';

/** What follows a loss and heals it, by how books begin. */
const HEALS: Readonly<Record<Beginning, string>> = {
  snapshot: 'a later snapshot heals it',
  subscription: 'a later subscription, which begins with the whole book, heals it',
  image: 'the next clear or image of the book heals it',
  day: 'nothing heals it before the feed begins anew, the next day',
};

const UNATTRIBUTED =
  'A snapshot did not say which of several instruments it is of, so it is nobody’s: record it with the address that was asked, or each instrument in files of its own.';

/**
 * What to do about a book that did not end synced; null for one that did. An unknown reason stands for itself.
 */
export function remedyOf(
  instrument: string,
  state: string,
  reason: string,
  facts: RecordedFacts,
): string | null {
  if (state === ('synced' satisfies BookState)) return null;
  if (state === ('syncing' satisfies BookState) && facts.unattributed > 0) return UNATTRIBUTED;
  const beginning = beginningOf(facts.venue);
  return isReason(reason)
    ? remedies(instrument, beginning, facts)[reason]
    : `The engine gives the reason ${reason}, which this version does not know: update both together.`;
}

function isReason(reason: string): reason is ServerReason {
  return (SERVER_REASONS as readonly string[]).includes(reason);
}

function remedies(
  instrument: string,
  beginning: Beginning,
  facts: RecordedFacts,
): Readonly<Record<ServerReason, string>> {
  const heals = HEALS[beginning];
  return {
    none: whole(instrument, beginning, facts),
    gap: `Updates are missing: give all files in the order of their times${beginning === 'day' ? ', and of a feed over two lines both' : ''}; where they were never recorded, ${heals}.`,
    silence:
      'Nothing arrived for longer than the venue is ever quiet: look for a lost connection at that time.',
    levels_limit:
      'The book outgrew what the engine holds: check that the scale and the messages are of this instrument.',
    contradiction: `The venue’s own messages do not fit the book: look for lost, damaged or doubled lines before; ${heals}.`,
    orders_limit: 'The feed outgrew what the engine holds: give a recording of fewer instruments.',
    unreadable: `A message of this book could not be read: see the first fault. A scale that fits may heal it (--instrument ${instrument},tick=…,lot=…), else ${heals}.`,
    source_failed: `The file is damaged, cut or gone: copy it again. What follows in another file is not joined to it: ${heals}.`,
    unattributed: UNATTRIBUTED,
    skipped: `Bytes of the feed could not be read: see the first fault, and copy the file again; ${heals}.`,
    venue_doubt: `The venue or the supplier says that its data may be wrong here; ${heals}.`,
  };
}

/** What a recording lacks whose book has never been whole. */
function whole(
  instrument: string,
  beginning: Beginning,
  { venue, bookMessages, snapshots, ordersPassedOver }: RecordedFacts,
): string {
  if (bookMessages + snapshots + ordersPassedOver === 0) {
    const form = venue === 'databento' ? 'the schema mbo, which alone has orders' : 'the channel of the book';
    return `Nothing in the recording is of a book: give one of ${form}.`;
  }
  switch (beginning) {
    case 'snapshot':
      return `No snapshot meets its updates: give the recording before this one, which ends with the book, or beside this one the answer of ${snapshotUrl(instrument)} as a file of its own, taken after the first of its updates.`;
    case 'subscription':
      return 'The venue sends the whole book once, behind the subscription: give the recording that begins there, before this one.';
    case 'image':
      return 'A book of orders is whole from a clear or an image of it on (records with the flag snapshot): give the file that begins with one, before this one.';
    case 'day':
      return 'A book of orders is whole from the feed’s first message on: give the recording from the beginning of the day.';
  }
}

function beginningOf(venue: string): Beginning {
  const { resync = 'snapshot' } = venues().find(({ name }) => name === venue) ?? {};
  if (resync === 'wait') return venue === 'databento' ? 'image' : 'day';
  return resync === 'snapshot' ? 'snapshot' : 'subscription';
}

/** Where the snapshot of an instrument is had, at the most levels. */
function snapshotUrl(instrument: string): string {
  const at = instrument.indexOf(':');
  const symbol = instrument.slice(at + 1);
  const snapshot = productFacts(instrument.slice(0, at))?.product.snapshot ?? null;
  if (snapshot === null) return 'its snapshot address';
  const levels = String(snapshot.weights.at(-1)?.levelsMax ?? '');
  return addressOf(snapshot.url, { ...instrumentParts(symbol, symbol), levels });
}
