import type { Config, SourceConfig } from '../config.js';
import { instrumentPage, type ListedInstrument } from '../engine.js';
import { httpGet } from '../ingest/http-get.js';
import { InstrumentCache, userCacheFolder } from '../ingest/instrument-cache.js';
import { type InstrumentList, instrumentList } from '../ingest/instruments.js';
import { productFacts } from '../ingest/venues/index.js';
import type { ConfigPlace } from './config-options.js';

/** The list of a product, as `catalogue` says that lists are kept. Throws as `instrumentList`. */
export function listOf(
  product: string,
  { cacheDir, refreshMinutes }: Config['catalogue'],
  { env }: Pick<ConfigPlace, 'env'>,
  { refresh = false, urls = {} }: { readonly refresh?: boolean; readonly urls?: SourceConfig['urls'] } = {},
): Promise<InstrumentList<ListedInstrument>> {
  const facts = productFacts(product)?.product.instruments ?? null;
  const options = {
    cache: new InstrumentCache(cacheDir ?? userCacheFolder(env)),
    refreshMs: refresh ? 0 : refreshMinutes * 60_000,
    get: httpGet,
    read: instrumentPage,
    nowMs: Date.now,
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
