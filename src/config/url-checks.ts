import { DepthwireError } from '../errors.js';
import type { ProductFacts } from '../ingest/venues/facts.js';
import { VENUE_FACTS } from '../ingest/venues/index.js';
import { nearest } from '../nearest.js';
import { type OriginOf, placed, withoutPassword } from './faults.js';

/** A source whose addresses are replaced. */
export interface Replacing {
  readonly name: string;
  readonly product: ProductFacts;
  /** Beginnings of addresses, and what stands in their place. */
  readonly urls: Readonly<Record<string, string>>;
}

/**
 * Holds replacements of addresses to the addresses that the products have: one that a file gives a source to those of its
 * product, others to those of any product, for they are given for whatever is served. Throws `config.url`.
 */
export function checkUrls(sources: readonly Replacing[], originOf: OriginOf): void {
  for (const { name, product, urls } of sources) {
    for (const [from, to] of Object.entries(urls)) {
      const where = placed(`sources.${name}.urls.${from}`, originOf);
      const addresses = addressesOf(product);
      const fitting = addresses.filter((address) => fits(from, address));
      const isForAll = !isOfFile(originOf(`sources.${name}.urls.${from}`));
      if (fitting.length === 0 && !(isForAll && ALL_PRODUCTS.some((other) => fitsAny(from, other))))
        throw fitsNothing(
          where,
          isForAll ? 'no venue has' : `${product.name} does not have`,
          from,
          addresses,
        );
      const wrong = wrongReplacement(from, to, fitting);
      if (wrong !== undefined) throw replacedWrong(where, from, to, wrong);
    }
  }
}

const ALL_PRODUCTS = VENUE_FACTS.flatMap(({ products }) => products);

/** Whether a place is a line of a file, rather than a flag or a variable. */
function isOfFile(origin: string | undefined): boolean {
  return origin !== undefined && /:\d+$/.test(origin);
}

/** The addresses of a product, with their parts in braces. */
function addressesOf({ sockets, snapshot, instruments }: ProductFacts): readonly string[] {
  const all = sockets.flatMap(({ url, address, login }) => [
    url,
    ...(address === null ? [] : [address.request.url]),
    ...(login?.kind === 'token' ? [login.request.url] : []),
  ]);
  return [...all, ...(snapshot === null ? [] : [snapshot.url]), ...(instruments?.urls ?? [])];
}

/** Whether a product that may not be served has such an address. One that its venue gives out is of the venue's domain. */
function fitsAny(from: string, product: ProductFacts): boolean {
  const addresses = addressesOf(product);
  const isOfVenue = (): boolean => addresses.some((address) => domainOf(address) === domainOf(from));
  return addresses.some((address) => fits(from, address) && (fixedPart(address) !== '' || isOfVenue()));
}

function domainOf(address: string): string | undefined {
  return /^\w+:\/\/(?:[^/.:]+\.)*?([^/.:]+\.[^/.:]+)(?=[/:]|$)/.exec(address)?.[1];
}

/** Whether an address may begin so once its parts are filled in; one that the venue gives out may begin in any way. */
function fits(from: string, address: string): boolean {
  const fixed = fixedPart(address);
  if (fixed === '') return from.startsWith('ws') && !from.includes('{');
  return fixed.startsWith(from) || (fixed !== address && from.startsWith(fixed) && !from.includes('{'));
}

/** An address up to its first part in braces. */
function fixedPart(address: string): string {
  return /^[^{]*/.exec(address)?.[0] ?? '';
}

/** What is wrong with a replacement, and what would be right. */
function wrongReplacement(
  from: string,
  to: string,
  fitting: readonly string[],
): { readonly what: string; readonly expected: string } | undefined {
  const kind = from.startsWith('ws') ? /^wss?:/ : /^https?:/;
  if (!kind.test(to)) {
    const schemes = from.startsWith('ws') ? 'wss:// or ws://' : 'https:// or http://';
    return { what: 'an address is replaced by one of another kind', expected: `an address with ${schemes}` };
  }
  if (to.includes('{')) {
    const what = 'a replacement has a part in braces, which nothing fills in';
    return { what, expected: 'the beginning of an address, up to its first part in braces' };
  }
  const broken = fitting.map(fixedPart).find((address) => {
    const made = to + address.slice(Math.min(from.length, address.length));
    return !URL.canParse(made) || new URL(made).host !== new URL(to).host;
  });
  if (broken === undefined) return undefined;
  return {
    what: 'an address that is replaced so is none any more',
    expected: `both to end alike: ${to} would stand before ${broken.slice(from.length)}`,
  };
}

function replacedWrong(
  where: string,
  from: string,
  to: string,
  { what, expected }: { readonly what: string; readonly expected: string },
): DepthwireError {
  const example = from.startsWith('ws') ? 'ws://127.0.0.1:9000' : 'http://127.0.0.1:9000';
  return new DepthwireError('config.url', {
    what,
    where,
    expected: withoutPassword(expected),
    got: withoutPassword(to),
    fix: `Write for example "${new URL(from.replace(/\{.*/, '')).origin}" = "${example}".`,
  });
}

function fitsNothing(
  where: string,
  whoHasNone: string,
  from: string,
  addresses: readonly string[],
): DepthwireError {
  const own = [...new Set(addresses.map(fixedPart).filter((address) => address !== ''))];
  const hosts = [...new Set(own.map((address) => /^\w+:\/\/[^/]+/.exec(address)?.[0] ?? address))];
  const template = addresses.find(
    (address) => address.startsWith(from.replace(/\{.*/, '')) && from.includes('{'),
  );
  const meant = template === undefined ? nearest(from, hosts) : fixedPart(template);
  return new DepthwireError('config.url', {
    what:
      template === undefined
        ? `an address is replaced that ${whoHasNone}`
        : 'an address is replaced beyond its first part in braces',
    where,
    expected: `the beginning of one of ${own.join(', ')}`,
    got: withoutPassword(from),
    fix: meant === undefined ? `Write one of these, or leave it out.` : `Write ${meant}.`,
  });
}
