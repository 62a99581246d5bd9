import type { Config } from '../config.js';
import { type Engine, instrumentName, type ListedInstrument } from '../engine.js';
import { DepthwireError } from '../errors.js';
import type { InstrumentCache } from '../ingest/instrument-cache.js';
import { type InstrumentList, named, resolved } from '../ingest/instruments.js';
import type { LiveSource } from '../ingest/live-venues.js';
import { isPattern } from '../name-pattern.js';
import { accountKeys } from './account-keys.js';
import { authorities } from './authorities.js';
import { catalogue, hasSettings, idsOf, overridesOf } from './catalogue.js';
import { listNaming } from './instrument-lists.js';

/** Variables of the environment. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A source as it is to be heard, but for the instruments that its patterns name. */
export interface WantedSource extends Omit<LiveSource, 'instruments'> {
  readonly patterns: readonly string[];
}

/** The sources of a configuration. Throws `live.keys`, `config.ca_file`. */
export function wantedSources({ sources }: Config, env: Env): readonly WantedSource[] {
  return Object.entries(sources).map(([name, source]) => {
    const { channels, depth, streams, lines, proxy, urls, caFile } = source;
    return {
      name,
      venue: source.venue ?? name,
      patterns: source.instruments,
      channels,
      depth,
      streams,
      lines,
      proxy,
      ca: caFile === undefined ? undefined : authorities(`sources.${name}.ca_file`, caFile),
      urls,
      keys: accountKeys(name, source.keys, env),
    };
  });
}

/** What finding a source's instruments takes. */
export interface ListNeeds {
  readonly engine: Engine;
  readonly env: Env;
  readonly catalogue: Config['catalogue'];
  /** Scales that the user gave, which go before those that venues list. */
  readonly scales: Config['instruments'];
  readonly cache: InstrumentCache;
  readonly nowMs: () => number;
  /** Names of instruments that some source carries. */
  readonly spoken: () => ReadonlySet<string>;
}

/** The instruments of a source, and the list that they are of. */
export interface Listing {
  /** Names of instruments; undefined: none can be named without a list. */
  readonly names: readonly string[] | undefined;
  /** When the list was had, ms since 1970; null = there is none. */
  readonly fetchedMs: number | null;
  /** Why there is no list, or why it, or a part of it, is an older one. */
  readonly fault: DepthwireError | undefined;
  /** Patterns of a source that runs and that nothing fits any more. */
  readonly missing: readonly string[];
}

/** Most instruments that patterns of one source may name: as many as may be named one by one. */
const INSTRUMENTS_MAX = 10_000;

/**
 * The instruments of a source as its venue's own list has them, which the engine takes over. Where there is no list, names
 * that are no patterns are taken as they stand. `carried`: names that a source that runs has, empty for one that is to be
 * opened; some of the former may be listed no more. Throws `instruments.no_such`, `instruments.too_many`, `instrument.*`.
 */
export async function listing(
  { name, venue, patterns, proxy, ca, urls }: WantedSource,
  carried: ReadonlySet<string>,
  needs: ListNeeds,
): Promise<Listing> {
  const { engine, env, cache, nowMs } = needs;
  try {
    const way = { urls, proxy, ca, cache, nowMs };
    const list = await listNaming(venue, patterns, needs.catalogue, { env }, way);
    const where = `sources.${name}.instruments`;
    const { found, missing } = named(list, patterns);
    if (carried.size === 0 || found.length === 0) resolved(list, patterns, where);
    if (found.length > INSTRUMENTS_MAX) throw tooMany(where, found.length);
    const symbols = found.map(({ symbol }) => symbol);
    const names = symbols.map((symbol) => `${venue}:${symbol}`);
    idsOf(engine, names);
    takeOver(list, names, needs);
    return { names, fetchedMs: list.fetchedMs, fault: list.stale, missing };
  } catch (error) {
    if (!(error instanceof DepthwireError) || !isOfList(error)) throw error;
    const none = { fetchedMs: null, fault: error, missing: [] };
    if (patterns.some(isPattern)) return { ...none, names: undefined };
    const names = patterns.map((symbol) => instrumentName(`${venue}:${symbol}`));
    idsOf(engine, names);
    scale(names, needs);
    return { ...none, names };
  }
}

/** Lets the engine know what a list says of instruments, but for scales that the user gave. */
function takeOver(list: InstrumentList<ListedInstrument>, names: readonly string[], needs: ListNeeds): void {
  const { engine, scales } = needs;
  const { product: venue, before, pages } = list;
  const spoken = needs.spoken();
  const own = new Set(overridesOf(scales.filter(hasSettings), names).map(({ name }) => name));
  // A book that runs keeps the user's scale.
  const symbols = names
    .filter((name) => !(spoken.has(name) && own.has(name)))
    .map((name) => name.slice(venue.length + 1));
  const kept = new Set(before?.symbols);
  for (const page of before?.pages ?? [])
    engine.define(
      venue,
      page,
      symbols.filter((symbol) => kept.has(symbol)),
    );
  for (const page of pages) engine.define(venue, page, symbols);
  scale(names, needs);
}

/** Gives instruments that nothing carries yet the scales that the user gave. */
function scale(names: readonly string[], { engine, scales, spoken }: ListNeeds): void {
  const isSpoken = spoken();
  catalogue(
    engine,
    overridesOf(
      scales,
      names.filter((name) => !isSpoken.has(name)),
    ),
  );
}

/** Whether an error says that no list can be had, rather than that something else is wanted than it has. */
function isOfList({ code }: DepthwireError): boolean {
  return /^(http_get|decode)\.|^instruments\.(contradiction|endless|no_endpoint)$/.test(code);
}

function tooMany(where: string, count: number): DepthwireError {
  return new DepthwireError('instruments.too_many', {
    what: 'patterns name more instruments than a source carries',
    where,
    expected: `at most ${INSTRUMENTS_MAX}`,
    got: String(count),
    fix: 'Write patterns that fit fewer, or name another source for a part of them.',
  });
}
