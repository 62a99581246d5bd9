import { type Command, Option } from 'commander';
import { type ListedInstrument, venues } from '../engine.js';
import { DepthwireError, explain } from '../errors.js';
import { type InstrumentList, resolved } from '../ingest/instruments.js';
import { productFacts } from '../ingest/venues/index.js';
import { nearest } from '../nearest.js';
import { decimalText } from '../wire/decimal.js';
import { authorities } from './authorities.js';
import { configOf, WAY_FLAGS, withCatalogueOptions } from './config-options.js';
import { listNaming } from './instrument-lists.js';
import type { Shell } from './shell.js';
import { textTable } from './text-table.js';

/** `depthwire instruments VENUE [PATTERN…]`. */
export function addInstrumentsCommand(program: Command, shell: Shell): void {
  const command = program
    .command('instruments')
    .description('list the instruments of a venue, by its own list')
    .argument('<venue>', 'a product of depthwire venues')
    .argument('[pattern...]', "symbols or patterns, such as 'BTC*' (default: all)")
    .option('--json', 'as JSON')
    .option('--refresh', 'ask the venue, whatever the cache has');
  withCatalogueOptions(command).action(async (venue: string, patterns: readonly string[]) => {
    const { json, refresh } = command.opts<{ readonly json?: true; readonly refresh?: true }>();
    const product = productOf(venue);
    // Flags are of a source, which a file need not have.
    const hasWay = WAY_FLAGS.some(
      (flag) => command.opts()[new Option(`--${flag}`).attributeName()] !== undefined,
    );
    const { config } = configOf(hasWay ? [`${venue}:*`] : [], command, shell);
    const source = Object.entries(config.sources).find(([name, one]) => (one.venue ?? name) === venue)?.[1];
    const ca = source?.caFile;
    const list = await listNaming(product, patterns, config.catalogue, shell, {
      refresh: refresh === true,
      urls: source?.urls,
      proxy: source?.proxy,
      ca: ca === undefined ? undefined : authorities(`sources.${venue}.ca_file`, ca),
    });
    if (list.stale !== undefined) await shell.stderr.write(`${olderText(list.stale, list.fetchedMs)}\n`);
    const found = resolved(list, patterns.length === 0 ? ['*'] : patterns, 'PATTERN');
    await shell.stdout.write(json === true ? jsonText(list, found) : text(list, found, Date.now()));
  });
}

function productOf(venue: string): string {
  if (productFacts(venue) !== undefined) return venue;
  const names = venues().map(({ name }) => name);
  const meant = nearest(venue, names);
  throw new DepthwireError('instruments.unknown_venue', {
    what: 'no venue is called so',
    where: 'VENUE',
    expected: names.join(', '),
    got: venue,
    fix: meant === undefined ? 'Choose one that depthwire venues lists.' : `Write ${meant}.`,
  });
}

type List = InstrumentList<ListedInstrument>;

function jsonText(list: List, found: readonly ListedInstrument[]): string {
  const { product, fetchedMs, instruments, stale } = list;
  const body = {
    venue: product,
    listedMs: fetchedMs,
    listed: instruments.length,
    error: stale?.toJSON() ?? null,
    instruments: found,
  };
  return `${JSON.stringify(body, null, 2)}\n`;
}

const HEADS = ['name', 'kind', 'tick', 'lot', 'contract', 'expires', 'strike', 'status', 'also'];

function text(
  { product, instruments, passedOver, fetchedMs }: List,
  found: readonly ListedInstrument[],
  nowMs: number,
): string {
  const others = passedOver === 0 ? '' : `, ${passedOver} entries that are not read`;
  const head = `${product}: ${found.length} of ${instruments.length}, listed ${ageWords(nowMs - fetchedMs)}${others}\n`;
  return head + textTable([HEADS, ...found.map(cells)]);
}

function cells(listed: ListedInstrument): readonly string[] {
  const { name, symbol, codes, kind, expiryMs, strike, isCall, status, contractSize, qtyUnit } = listed;
  const option = strike === undefined ? '' : `${strike} ${isCall === true ? 'call' : 'put'}`;
  return [
    name,
    kind,
    decimalText(listed.tickSize, listed.priceExponent),
    decimalText(listed.lotSize, listed.qtyExponent),
    qtyUnit === 'contracts' ? `${contractSize} ${listed.inverse ? listed.quote : listed.base}`.trim() : '',
    expiryMs === 0 ? '' : new Date(expiryMs).toISOString().slice(0, 16).replace('T', ' '),
    option,
    status,
    codes.filter((code) => code !== symbol).join(' '),
  ];
}

/** Why the list, or a part of it, is an older one. */
export function olderText(why: DepthwireError, fetchedMs: number): string {
  if (why.code === 'instruments.shrunken') return explain(why);
  const age = ageWords(Date.now() - fetchedMs);
  return `${explain(why)}\n  the list of before, ${age}, goes on to count`;
}

/** How long ago, in words. */
export function ageWords(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
