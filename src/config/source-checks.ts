import { DepthwireError } from '../errors.js';
import { CHANNELS, type ProductFacts } from '../ingest/venues/facts.js';
import { productFacts, VENUE_FACTS } from '../ingest/venues/index.js';
import { nearest } from '../nearest.js';
import { type OriginOf, placed } from './faults.js';
import type { Config, SourceConfig } from './schema.js';

/**
 * Holds the sources of a configuration to what is known of their venues. Throws `config.source` for a venue that nothing
 * connects to, `config.channel` for a channel that it does not offer, or not without a key.
 */
export function checkSources({ sources }: Config, originOf: OriginOf): void {
  for (const [name, source] of Object.entries(sources)) {
    checkChannels(name, source, productOf(name, source, originOf), originOf);
  }
}

function productOf(name: string, { venue }: SourceConfig, originOf: OriginOf): ProductFacts {
  const wanted = venue ?? name;
  const found = productFacts(wanted);
  if (found?.facts.heard === 'sockets') return found.product;
  const heard = VENUE_FACTS.filter((facts) => facts.heard === 'sockets').flatMap(({ products }) =>
    products.map((product) => product.name),
  );
  throw new DepthwireError('config.source', {
    what: found === undefined ? 'no venue is called so' : 'nothing connects to this venue',
    where: placed(`sources.${name}${venue === undefined ? '' : '.venue'}`, originOf),
    expected: heard.join(', '),
    got: wanted,
    fix: remedy(found?.facts.heard, nearest(wanted, heard)),
  });
}

function remedy(heard: 'recordings' | 'embedded' | undefined, meant: string | undefined): string {
  if (heard === 'embedded') return 'Name no source: depthwire serve without one serves the embedded venue.';
  if (heard === 'recordings') return 'Serve a recording of it with --replay FILE.';
  return meant === undefined
    ? 'Choose one of these; depthwire venues says what each offers.'
    : `Write ${meant}.`;
}

function checkChannels(
  name: string,
  { channels, keys }: SourceConfig,
  { name: product, offers }: ProductFacts,
  originOf: OriginOf,
): void {
  const hasKey = Object.keys(keys).length > 0;
  const isOffered = (channel: (typeof CHANNELS)[number]): boolean =>
    offers[channel] === 'built' || (offers[channel] === 'key' && hasKey);
  const wrong = channels?.find((channel) => !isOffered(channel));
  if (wrong === undefined) return;
  const needsKey = offers[wrong] === 'key';
  throw new DepthwireError('config.channel', {
    what: needsKey
      ? `${product} offers a channel only to those who have a key`
      : `${product} does not offer a channel`,
    where: placed(`sources.${name}.channels`, originOf),
    expected: CHANNELS.filter(isOffered).join(', '),
    got: wrong,
    fix: needsKey
      ? `Say where the key lies: sources.${name}.keys.`
      : 'Leave it out; depthwire venues has the whole table.',
  });
}
