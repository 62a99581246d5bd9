import type { Config, SourceConfig } from '../config.js';
import { instrumentPage, type ListedInstrument } from '../engine.js';
import { httpGet } from '../ingest/http-get.js';
import { InstrumentCache, userCacheFolder } from '../ingest/instrument-cache.js';
import { type InstrumentList, instrumentList, named } from '../ingest/instruments.js';
import { productFacts } from '../ingest/venues/index.js';
import type { ConfigPlace } from './config-options.js';

/** How a list is to be had. */
export interface ListWay {
  /** Whatever the cache has. */
  readonly refresh?: boolean;
  readonly urls?: SourceConfig['urls'] | undefined;
  readonly proxy?: string | undefined;
  /** Certificates of authorities, PEM. */
  readonly ca?: string | undefined;
  /** Where lists are kept; absent = one for this call, in the folder that `catalogue` names. */
  readonly cache?: InstrumentCache | undefined;
  readonly nowMs?: (() => number) | undefined;
}

/** Where lists are kept as `catalogue` says. */
export function cacheOf(
  { cacheDir }: Config['catalogue'],
  { env }: Pick<ConfigPlace, 'env'>,
): InstrumentCache {
  return new InstrumentCache(cacheDir ?? userCacheFolder(env));
}

/** A list that is no older is not asked for again, whatever it lacks. */
const NEW_MS = 10_000;

/**
 * As `listOf`, but for one of the cache that has nothing for some pattern: the venue may have listed it since, so it is asked.
 */
export async function listNaming(
  product: string,
  patterns: readonly string[],
  ...[catalogue, place, way = {}]: Tail<Parameters<typeof listOf>>
): Promise<InstrumentList<ListedInstrument>> {
  const list = await listOf(product, catalogue, place, way);
  const ageMs = (way.nowMs ?? Date.now)() - list.fetchedMs;
  const isAsWanted = named(list, patterns).missing.length === 0 || ageMs < NEW_MS || list.stale !== undefined;
  return isAsWanted ? list : listOf(product, catalogue, place, { ...way, refresh: true });
}

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never;

/** The list of a product, as `catalogue` says that lists are kept. Throws as `instrumentList`. */
export function listOf(
  product: string,
  catalogue: Config['catalogue'],
  place: Pick<ConfigPlace, 'env'>,
  { refresh = false, urls = {}, proxy, ca, cache, nowMs }: ListWay = {},
): Promise<InstrumentList<ListedInstrument>> {
  const facts = productFacts(product)?.product.instruments ?? null;
  const options = {
    cache: cache ?? cacheOf(catalogue, place),
    refreshMs: refresh ? 0 : catalogue.refreshMinutes * 60_000,
    get: httpGet({ proxy, ca }),
    read: instrumentPage,
    nowMs: nowMs ?? Date.now,
  };
  return instrumentList(
    product,
    facts,
    options,
    facts?.urls.map((url) => replaced(url, urls)),
  );
}

/** An address with its beginning replaced: the longest that is known counts. */
function replaced(url: string, urls: SourceConfig['urls']): string {
  const known = Object.keys(urls).filter((beginning) => url.startsWith(beginning));
  const longest = known.reduce((best, one) => (one.length > best.length ? one : best), '');
  return longest === '' ? url : `${urls[longest]}${url.slice(longest.length)}`;
}
