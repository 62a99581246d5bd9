import type { Config, SourceConfig } from '../config.js';
import { type Engine, instrumentName } from '../engine.js';
import { DepthwireError, explain } from '../errors.js';
import { resolved } from '../ingest/instruments.js';
import type { LiveSource, LiveVenues } from '../ingest/live-venues.js';
import { isPattern } from '../ingest/patterns.js';
import type { FeedServer } from '../publish/server.js';
import type { ServedSource } from '../publish/sources.js';
import { accountKeys } from './account-keys.js';
import { idsOf } from './catalogue.js';
import { listOf } from './instrument-lists.js';
import { changeInstruments, type NamedSource, type TakeOver } from './reload.js';

/** Variables of the environment. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The live sources of a configuration, with their instruments by name: as the venue's own list has them, which the engine
 * takes over. Where that cannot be had, names that are no patterns are taken as they stand, and `warn` hears why. Throws
 * `instruments.*`, `instrument.*`, `live.keys`.
 */
export async function liveSources(
  config: Config,
  engine: Engine,
  env: Env,
  warn: (line: string) => void,
): Promise<readonly LiveSource[]> {
  const sources: LiveSource[] = [];
  for (const [name, source] of Object.entries(config.sources)) {
    const venue = source.venue ?? name;
    const { channels, depth, lines, proxy, urls } = source;
    sources.push({
      name,
      venue,
      instruments: await namesOf({ name, venue, source }, config, engine, env, warn),
      channels,
      depth,
      lines,
      proxy,
      urls,
      keys: accountKeys(name, source.keys, env),
    });
  }
  return sources;
}

async function namesOf(
  { name, venue, source }: { readonly name: string; readonly venue: string; readonly source: SourceConfig },
  { catalogue }: Config,
  engine: Engine,
  env: Env,
  warn: (line: string) => void,
): Promise<readonly string[]> {
  const { instruments: patterns, urls } = source;
  try {
    const list = await listOf(venue, catalogue, { env }, { urls });
    if (list.stale !== undefined) warn(explain(list.stale));
    const symbols = resolved(list, patterns, `sources.${name}.instruments`).map(({ symbol }) => symbol);
    const names = symbols.map((symbol) => `${venue}:${symbol}`);
    idsOf(engine, names);
    for (const page of list.pages) engine.define(venue, page, symbols);
    return names;
  } catch (error) {
    const isUnavailable = error instanceof DepthwireError && !error.code.startsWith('instruments.no_such');
    if (!isUnavailable || patterns.some(isPattern)) throw error;
    warn(explain(error));
    const names = patterns.map((symbol) => instrumentName(`${venue}:${symbol}`));
    idsOf(engine, names);
    return names;
  }
}

/** Where the live sources of a server stand. */
export function servedSources(live: LiveVenues, startedMs: number): readonly ServedSource[] {
  return live.status().map(({ name, instruments, connections, clockSkew }) => ({
    name,
    kind: 'live',
    startedMs,
    instruments,
    connections,
    ...(clockSkew === undefined ? {} : { clockSkewMs: [clockSkew.minMs, clockSkew.maxMs] as const }),
  }));
}

/** Takes over which instruments the sources of another configuration have; what is new of a venue's list with them. */
export function takeOverOf(
  live: LiveVenues,
  engine: Engine,
  server: FeedServer,
  env: Env,
  warn: (line: string) => void,
): TakeOver {
  let before: readonly NamedSource[] = live.sources();
  return async (config) => {
    const after = await liveSources(config, engine, env, warn);
    const { ids, lines, sources } = changeInstruments(live, before, after);
    before = sources;
    const carried = new Set(ids);
    server.serve(engine.instruments().filter(({ id }) => carried.has(id)));
    return lines;
  };
}
