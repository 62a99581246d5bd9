import { readFileSync } from 'node:fs';
import type { Config, SourceConfig } from '../config.js';
import { type Engine, instrumentName } from '../engine.js';
import { codeOf, DepthwireError, explain } from '../errors.js';
import { named, resolved } from '../ingest/instruments.js';
import type { LiveSource, LiveVenues } from '../ingest/live-venues.js';
import { isPattern } from '../ingest/patterns.js';
import type { ServedSource } from '../publish/sources.js';
import { accountKeys } from './account-keys.js';
import { idsOf } from './catalogue.js';
import { listOf } from './instrument-lists.js';
import { olderText } from './instruments.js';

/** Variables of the environment. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The live sources of a configuration, with their instruments by name: as the venue's own list has them, which the engine
 * takes over. Where that cannot be had, names that are no patterns are taken as they stand, and `warn` hears why. Throws
 * `instruments.*`, `instrument.*`, `live.keys`, `config.ca_file`. `isRunning`: a source of which some instruments are listed no
 * more goes on with the others.
 */
export async function liveSources(
  config: Config,
  engine: Engine,
  env: Env,
  warn: (line: string) => void,
  isRunning = false,
): Promise<readonly LiveSource[]> {
  const sources: LiveSource[] = [];
  for (const [name, source] of Object.entries(config.sources)) {
    const venue = source.venue ?? name;
    const { channels, depth, streams, lines, proxy, urls, caFile } = source;
    const ca = caFile === undefined ? undefined : authorities(`sources.${name}.ca_file`, caFile);
    sources.push({
      name,
      venue,
      instruments: await namesOf({ name, venue, source, ca }, config, engine, env, warn, isRunning),
      channels,
      depth,
      streams,
      lines,
      proxy,
      ca,
      urls,
      keys: accountKeys(name, source.keys, env),
    });
  }
  return sources;
}

/** A source whose instruments are wanted. */
interface Wanted {
  readonly name: string;
  readonly venue: string;
  readonly source: SourceConfig;
  /** Certificates of authorities, PEM. */
  readonly ca: string | undefined;
}

async function namesOf(
  { name, venue, source, ca }: Wanted,
  { catalogue }: Config,
  engine: Engine,
  env: Env,
  warn: (line: string) => void,
  isRunning: boolean,
): Promise<readonly string[]> {
  const { instruments: patterns, urls, proxy } = source;
  try {
    const list = await listOf(venue, catalogue, { env }, { urls, proxy, ca });
    if (list.stale !== undefined) warn(olderText(list.stale, list.fetchedMs));
    const where = `sources.${name}.instruments`;
    const { found, missing } = named(list, patterns);
    if (!isRunning || found.length === 0) resolved(list, patterns, where);
    for (const pattern of missing) warn(`${where}: the venue lists ${pattern} no more`);
    const symbols = found.map(({ symbol }) => symbol);
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

function authorities(where: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DepthwireError('config.ca_file', {
      what: 'a file of authorities cannot be read',
      where,
      expected: 'a file of certificates in PEM',
      got: `${file}: ${codeOf(cause)}`,
      fix: 'Name a file that this user can read.',
      cause,
    });
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
