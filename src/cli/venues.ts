import { type VenueInfo, venues } from '../engine.js';
import { CHANNELS, type Offer, type ProductFacts, type VenueFacts } from '../ingest/venues/facts.js';
import { productFacts } from '../ingest/venues/index.js';
import { textTable } from './text-table.js';

/** A product of a venue: how its books behave, and where it is heard live. */
export interface VenueRow extends VenueInfo {
  readonly facts: VenueFacts;
  readonly product: ProductFacts;
  /** What of its books can go wrong unseen, as a sentence. */
  readonly cannotDetect: string;
}

/** Every product that is read, in the order of the core's table. */
export function venueRows(): readonly VenueRow[] {
  return venues().map((info) => {
    const found = productFacts(info.name);
    if (found === undefined) throw new Error(`no facts of ${info.name} in src/ingest/venues`);
    return { ...info, ...found, cannotDetect: cannotDetect(info) };
  });
}

const RULES: Readonly<Record<string, string>> = {
  range: 'first and last number of each update',
  linked: 'each update names the one before',
  counter: 'one by one',
  time: 'a time',
  unnumbered: 'none',
  linked_if_numbered: 'each update names the one before; none in old recordings',
};

const MENDS: Readonly<Record<string, string>> = {
  snapshot: 'a snapshot that is asked for',
  resubscribe: 'a new subscription',
  reconnect: 'a new connection',
  wait: "the feed's next beginning",
};

const SHOWS: Readonly<Record<string, string>> = {
  next: 'the next message',
  later: 'a later message',
  never: 'nothing',
};

/**
 * What the venue itself makes undetectable. A number or a packet's place shows any loss, but not before the next message; a
 * checksum shows only what it covers.
 */
function cannotDetect(info: VenueInfo): string {
  const { rule, detects, hasChecksum, hasTopProof, isByOrder, silenceMs, life } = info;
  if (detects === 'next') {
    // Where no book is numbered, a count of the connection's messages shows what is lost.
    const isCounted = rule === 'unnumbered' && life === 'connection';
    const until = `A lost message, until the next one of its ${isCounted ? 'connection' : 'book'}`;
    if (silenceMs === 0) return `${until}, however long that takes.`;
    return life === 'book' || isCounted
      ? `${until} comes or ${silenceMs / 1000} s pass.`
      : `${until}: other messages of the connection keep the book synced.`;
  }
  if (detects === 'later') {
    if (hasChecksum)
      return 'A lost message beyond the levels that the checksum covers, until they come among them; never, if it is undone before.';
    const such = isByOrder
      ? 'an order that is not spoken of again'
      : 'a level of which only the quantity changed';
    return `A lost message that no later one contradicts, as of ${such}.`;
  }
  const best = hasTopProof ? ' but of the best prices' : '';
  return `Any lost message${best}: nothing that the venue sends shows it.`;
}

const OFFERS: Readonly<Record<Offer, string>> = { built: 'built', key: 'key', none: 'not offered' };

const HEADS = [
  'name',
  'books of',
  'numbers of updates',
  'mended by',
  'a loss is shown by',
  'held to',
  'quiet for',
  'live',
];

function cells(row: VenueRow): readonly string[] {
  const proofs = [row.hasChecksum ? 'checksum' : '', row.hasTopProof ? 'own best prices' : ''].filter(
    Boolean,
  );
  const { offers, sockets } = row.product;
  const channels = CHANNELS.filter((channel) => offers[channel] !== 'none');
  return [
    row.name,
    row.isByOrder ? 'orders' : offers.orders !== 'none' ? 'levels, orders' : 'levels',
    RULES[row.rule] ?? row.rule,
    MENDS[row.resync] ?? row.resync,
    SHOWS[row.detects] ?? row.detects,
    proofs.length === 0 ? 'none' : proofs.join(', '),
    row.silenceMs === 0 ? 'ever' : `${row.silenceMs / 1000} s (${row.life})`,
    sockets.length === 0 ? row.facts.heard : channels.join(' '),
  ];
}

/** A table with its heads, and the words above it. */
interface Table {
  readonly title: string;
  readonly heads: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

function tablesOf(rows: readonly VenueRow[]): readonly Table[] {
  return [
    { title: 'Books', heads: HEADS, lines: rows.map(cells) },
    {
      title: 'Channels',
      heads: ['name', ...CHANNELS],
      lines: rows.map(({ name, product }) => [
        name,
        ...CHANNELS.map((channel) => OFFERS[product.offers[channel]]),
      ]),
    },
    {
      title: 'What cannot be detected',
      heads: ['name', 'unseen'],
      lines: rows.map(({ name, cannotDetect }) => [name, cannotDetect]),
    },
  ];
}

/** The tables as text for a terminal. */
export function venuesText(rows: readonly VenueRow[]): string {
  return tablesOf(rows)
    .map(({ title, heads, lines }) => `${title}\n${textTable([heads, ...lines])}`)
    .join('\n');
}

/** The same as it stands in docs/venues.md. */
export function venuesMarkdown(rows: readonly VenueRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return tablesOf(rows)
    .map(
      ({ title, heads, lines }) =>
        `## ${title}\n${line(heads)}${line(heads.map(() => '---'))}${lines.map(line).join('')}`,
    )
    .join('\n');
}
