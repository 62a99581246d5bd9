import { type VenueInfo, venues } from '../engine.js';
import { CHANNELS, type ProductFacts, type VenueFacts } from '../ingest/venues/facts.js';
import { productFacts } from '../ingest/venues/index.js';

/** A product of a venue: how its books behave, and where it is heard live. */
export interface VenueRow extends VenueInfo {
  readonly facts: VenueFacts;
  readonly product: ProductFacts;
}

/** Every product that is read, in the order of the core's table. */
export function venueRows(): readonly VenueRow[] {
  return venues().map((info) => {
    const found = productFacts(info.name);
    if (found === undefined) throw new Error(`no facts of ${info.name} in src/ingest/venues`);
    return { ...info, ...found };
  });
}

const RULES: Readonly<Record<string, string>> = {
  range: 'first and last number of each update',
  linked: 'each update names the one before',
  counter: 'one by one',
  unnumbered: 'none',
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

/** The table as text for a terminal. */
export function venuesText(rows: readonly VenueRow[]): string {
  const table = [HEADS, ...rows.map(cells)];
  const widths = HEADS.map((_, at) => Math.max(...table.map((line) => line[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  return `${table.map(line).join('\n')}\n`;
}

/** The same as it stands in docs/venues.md. */
export function venuesMarkdown(rows: readonly VenueRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [line(HEADS), line(HEADS.map(() => '---')), ...rows.map((row) => line(cells(row)))].join('');
}
