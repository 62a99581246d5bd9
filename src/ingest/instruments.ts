import { DepthwireError } from '../errors.js';
import { isPattern } from '../name-pattern.js';
import { nearest } from '../nearest.js';
import type { HttpGet } from './http-get.js';
import type { InstrumentCache, StoredList } from './instrument-cache.js';
import { matching, type Named } from './patterns.js';
import { type Shrinking, shrinking, shrunken } from './shrunken-list.js';
import type { InstrumentsFacts } from './venues/facts.js';

/** Most parts of one list: none is known to have a tenth of them. */
const PAGES_MAX = 64;

/** A page of a venue's list, as its room reads it. */
export interface ReadPage<T extends Named> {
  readonly instruments: readonly T[];
  /** Entries that are no instruments here. */
  readonly passedOver: number;
  /** What the next page is asked for with. */
  readonly next?: string;
}

/** Reads an untouched answer. Throws `decode.*`. */
export type PageReader<T extends Named> = (product: string, page: Uint8Array) => ReadPage<T>;

/** A product's list of instruments. */
export interface InstrumentList<T extends Named> {
  readonly product: string;
  readonly instruments: readonly T[];
  readonly passedOver: number;
  /** The untouched answers, for the engine. */
  readonly pages: readonly Uint8Array[];
  readonly fetchedMs: number;
  /** Answers of the list before, of which it has instruments that `pages` do not tell of, by their symbols. */
  readonly before?: { readonly pages: readonly Uint8Array[]; readonly symbols: readonly string[] };
  /** Why the list, or a part of it, is an older one than was wanted. */
  readonly stale?: DepthwireError;
}

export interface ListOptions<T extends Named> {
  readonly cache: InstrumentCache;
  /** Age at which a list is asked for again. */
  readonly refreshMs: number;
  readonly get: HttpGet;
  readonly read: PageReader<T>;
  readonly nowMs: () => number;
}

/**
 * A product's list: from the cache while it is young, else from the venue's endpoint, else the old one of the cache, which
 * then says why. Instruments that a new list lacks are kept, and that said, until it is certain that they are gone; see
 * `shrinking`. `urls` stand in place of those of the facts. Throws `instruments.*`, and where there is no list of before what
 * the endpoint's failure was: `http_get.*` or `decode.*`.
 */
export async function instrumentList<T extends Named>(
  product: string,
  facts: InstrumentsFacts | null,
  options: ListOptions<T>,
  urls: readonly string[] = facts?.urls ?? [],
): Promise<InstrumentList<T>> {
  if (facts === null) throw noEndpoint(product);
  const { cache, refreshMs, nowMs } = options;
  const shorter = `${product}.shorter`;
  const read = async (name: string) => {
    const onDisk = await cache.load(name, urls);
    const stored = onDisk ?? cache.stored(name, urls);
    const list = stored === undefined ? undefined : listIfReadable(product, stored, options);
    return { list, isOnDisk: onDisk !== undefined };
  };
  const [{ list: known, isOnDisk }, { list: first }] = [await read(product), await read(shorter)];
  const isDoubted = first !== undefined && known !== undefined && first.fetchedMs > known.fetchedMs;
  const isYoung = known !== undefined && nowMs() - known.fetchedMs < refreshMs && known.fetchedMs <= nowMs();
  if (isYoung && isOnDisk && !isDoubted) return known;
  try {
    const { pages, parts } = await fetched(product, facts, urls, options);
    const list = assembled(product, nowMs(), pages, parts);
    const shrunk = shrinking(known, list, first, refreshMs);
    const isWhole = shrunk.kept.length === 0;
    // A list that cannot be kept is as good as one that can.
    if (isWhole || shrunk.isFirst) await cache.store(isWhole ? product : shorter, urls, list).catch(() => {});
    return isWhole || known === undefined ? list : withKept(list, known, shrunk);
  } catch (error) {
    if (known === undefined || !(error instanceof DepthwireError)) throw error;
    return { ...known, stale: error };
  }
}

function withKept<T extends Named>(
  list: InstrumentList<T>,
  known: InstrumentList<T>,
  { kept }: Shrinking<T>,
): InstrumentList<T> {
  return {
    ...list,
    instruments: [...list.instruments, ...kept],
    before: { pages: known.pages, symbols: kept.map(({ symbol }) => symbol) },
    stale: shrunken(list.product, kept, known.instruments),
  };
}

interface Fetched<T extends Named> {
  readonly pages: readonly Uint8Array[];
  readonly parts: readonly ReadPage<T>[];
}

async function fetched<T extends Named>(
  product: string,
  { bodies, page }: InstrumentsFacts,
  urls: readonly string[],
  { get, read }: ListOptions<T>,
): Promise<Fetched<T>> {
  const pages: Uint8Array[] = [];
  const parts: ReadPage<T>[] = [];
  for (const [at, url] of urls.entries()) {
    let cursor: string | undefined;
    do {
      if (pages.length === PAGES_MAX) throw endless(product, url);
      const address = new URL(url);
      if (cursor !== undefined && page !== null) address.searchParams.set(page.parameter, cursor);
      const answer = await get(address.href, bodies?.[at]);
      // One address of several may have nothing to list: options of a coin, for example.
      const mayBeEmpty = cursor !== undefined || parts.length > 0 || at < urls.length - 1;
      const part = readAt(address.href, () => read(product, answer), mayBeEmpty);
      if (part === undefined) break;
      pages.push(answer);
      parts.push(part);
      cursor = page === null ? undefined : part.next || undefined;
    } while (cursor !== undefined);
  }
  return { pages, parts };
}

/** What a page says; undefined for one behind the last. Throws what reading it threw, with its address. */
function readAt<R>(where: string, read: () => R, mayBeEmpty: boolean): R | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    if (mayBeEmpty && error.code === 'decode.no_instruments') return undefined;
    const fix =
      'See whether the venue is in maintenance, or a proxy or a gateway answers in its place; if neither, keep the answer and report it.';
    throw new DepthwireError(error.code, { ...error.toJSON(), where, fix, cause: error });
  }
}

function listIfReadable<T extends Named>(
  product: string,
  { fetchedMs, pages }: StoredList,
  { read }: ListOptions<T>,
): InstrumentList<T> | undefined {
  try {
    return assembled(
      product,
      fetchedMs,
      pages,
      pages.map((page) => read(product, page)),
    );
  } catch (error) {
    // Of another version of this program, or damaged: the endpoint has it again.
    if (error instanceof DepthwireError) return undefined;
    throw error;
  }
}

function assembled<T extends Named>(
  product: string,
  fetchedMs: number,
  pages: readonly Uint8Array[],
  parts: readonly ReadPage<T>[],
): InstrumentList<T> {
  const bySymbol = new Map<string, T>();
  let passedOver = 0;
  for (const part of parts) {
    passedOver += part.passedOver;
    for (const instrument of part.instruments) {
      const known = bySymbol.get(instrument.symbol);
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(instrument)) {
        throw contradiction(product, instrument.symbol);
      }
      bySymbol.set(instrument.symbol, instrument);
    }
  }
  return { product, instruments: [...bySymbol.values()], passedOver, pages, fetchedMs };
}

type Listed<T extends Named> = Pick<InstrumentList<T>, 'product' | 'instruments'>;

/** The instruments that patterns name, each once, and the patterns that name none. */
export function named<T extends Named>(
  { instruments }: Listed<T>,
  patterns: readonly string[],
): { readonly found: readonly T[]; readonly missing: readonly string[] } {
  const found = new Set<T>();
  const missing: string[] = [];
  for (const pattern of patterns) {
    const fitting = matching(pattern, instruments);
    if (fitting.length === 0) missing.push(pattern);
    for (const instrument of fitting) found.add(instrument);
  }
  return { found: [...found], missing };
}

/** The instruments that patterns name, each once. Throws `instruments.no_such` for a pattern that names none. */
export function resolved<T extends Named>(
  list: Listed<T>,
  patterns: readonly string[],
  where: string,
): readonly T[] {
  const { found, missing } = named(list, patterns);
  if (missing[0] !== undefined) throw noSuch(list.product, missing[0], list.instruments, where);
  return found;
}

function noSuch(product: string, pattern: string, list: readonly Named[], where: string): DepthwireError {
  const symbols = list.map(({ symbol }) => symbol);
  const meant = isPattern(pattern) ? undefined : nearest(pattern, symbols);
  return new DepthwireError('instruments.no_such', {
    what: isPattern(pattern)
      ? 'no instrument of the venue fits a pattern'
      : 'the venue does not list this instrument',
    where,
    expected: `one of the ${symbols.length} that ${product} lists`,
    got: pattern,
    fix:
      meant === undefined
        ? `See depthwire instruments ${product}; symbols are written as the venue writes them.`
        : `Write ${product}:${meant}.`,
  });
}

function noEndpoint(product: string): DepthwireError {
  return new DepthwireError('instruments.no_endpoint', {
    what: 'no list of instruments of this product is read',
    where: product,
    expected: 'a product whose venue has an endpoint that lists them',
    got: product,
    fix: 'Name its instruments one by one.',
  });
}

function endless(product: string, where: string): DepthwireError {
  return new DepthwireError('instruments.endless', {
    what: 'a list of instruments does not end',
    where,
    expected: `at most ${PAGES_MAX} parts`,
    got: 'the cursor of another',
    fix: `Check that the address is ${product}’s own.`,
  });
}

function contradiction(product: string, symbol: string): DepthwireError {
  return new DepthwireError('instruments.contradiction', {
    what: 'two parts of a list tell different things of one instrument',
    where: product,
    expected: 'each instrument once',
    got: symbol,
    fix: 'Ask again; where it stays so, report it with both answers.',
  });
}
