import { DepthwireError } from '../errors.js';
import { CHANNELS, type ProductFacts } from '../ingest/venues/facts.js';
import { productFacts, VENUE_FACTS } from '../ingest/venues/index.js';
import { nearest } from '../nearest.js';
import { type OriginOf, placed } from './faults.js';
import type { Config, SourceConfig } from './schema.js';
import { checkUrls } from './url-checks.js';

/**
 * Holds the sources of a configuration to what is known of their venues. Throws `config.source` for a venue that nothing
 * connects to, `config.channel` for a channel that it does not offer, or not without a key, `config.depth` for a depth that
 * it does not offer, `config.stream` for a stream that it does not have, `config.url` for a replacement of an address that it
 * does not have.
 */
export function checkSources({ sources }: Config, originOf: OriginOf): void {
  const known = Object.entries(sources).map(([name, source]) => {
    const product = productOf(name, source, originOf);
    checkChannels(name, source, product, originOf);
    checkStreams(name, source, product, originOf);
    checkDepth(name, source, product, originOf);
    return { name, product, urls: source.urls };
  });
  checkUrls(known, originOf);
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

function checkStreams(
  name: string,
  { streams }: SourceConfig,
  { name: product, sockets }: ProductFacts,
  originOf: OriginOf,
): void {
  const known = [...new Set(sockets.flatMap((socket) => socket.streams.map((stream) => stream.name)))];
  const wrong = streams?.find((stream) => !known.includes(stream));
  if (wrong === undefined) return;
  const meant = nearest(wrong, known);
  throw new DepthwireError('config.stream', {
    what: `${product} has no stream of this name that is read`,
    where: placed(`sources.${name}.streams`, originOf),
    expected: known.join(', '),
    got: wrong,
    fix: meant === undefined ? 'Write one of these, or leave it out.' : `Write ${meant}.`,
  });
}

/** Channels that bring books. */
const BOOKS = ['book', 'orders'] as const;

/** Streams that bring a book whole have no depth to choose, and take any; so do snapshots that are asked for. */
function checkDepth(
  name: string,
  { depth, channels, streams: preferred, keys }: SourceConfig,
  { name: product, offers, sockets }: ProductFacts,
  originOf: OriginOf,
): void {
  if (depth === undefined) return;
  const hasKey = Object.keys(keys).length > 0;
  const wanted = BOOKS.filter((channel) => channels?.includes(channel) ?? offers[channel] === 'built');
  const able = sockets
    .flatMap(({ streams }) => streams)
    .filter((stream) => stream.channels.some((channel) => wanted.some((one) => one === channel)))
    .filter(({ needsKey }) => hasKey || !needsKey);
  const named = able.filter((stream) => preferred?.includes(stream.name));
  const heard = named.length > 0 ? named : able;
  const offered = [...new Set(heard.flatMap(({ depths }) => depths.map(({ levels }) => levels)))];
  const isAny = heard.length === 0 || heard.some(({ depths }) => depths.length === 0);
  if (isAny || offered.includes(depth)) return;
  offered.sort((a, b) => a - b);
  const enough = offered.find((levels) => levels >= depth) ?? offered.at(-1);
  throw new DepthwireError('config.depth', {
    what: `${product} does not offer books of this depth`,
    where: placed(`sources.${name}.depth`, originOf),
    expected: offered.join(', '),
    got: String(depth),
    fix: `Write ${enough}, or leave it out for the default.`,
  });
}
