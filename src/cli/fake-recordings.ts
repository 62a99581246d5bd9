import { DepthwireError } from '../errors.js';
import type { Offered } from '../fake-venue/offer.js';
import { readRecordedFrames, recordedProduct } from '../fake-venue/recorded-frames.js';
import { productFacts, VENUE_FACTS } from '../ingest/venues/index.js';
import { nearest } from '../nearest.js';

/** A recording as it is given: `PRODUCT=FILE`, or `FILE` where that tells whose it is. */
export interface GivenRecording {
  readonly product: string | undefined;
  readonly path: string;
}

/** Reads `PRODUCT=FILE` or `FILE`. */
export function parseRecording(text: string): GivenRecording {
  const [, product, path] = /^([a-z][a-z0-9-]*)=(.+)$/s.exec(text) ?? [];
  return path === undefined ? { product: undefined, path: text } : { product, path };
}

/** How recordings are told. */
export interface Telling {
  /** Recorded seconds that pass in one, at most. */
  readonly speed: number;
  /** A recording is slowed down so that it lasts so long at least. */
  readonly lastsMs: number;
  readonly loop: boolean;
}

/**
 * What the fake venue tells of recordings, a product each; those of one product are one recording in parts. Throws `fake.*`,
 * `recording.*`, `decode.*`.
 */
export async function recordedOffers(
  given: readonly GivenRecording[],
  { speed, lastsMs, loop }: Telling,
): Promise<readonly Offered[]> {
  const paths = new Map<string, string[]>();
  for (const { product, path } of given) {
    const name = product ?? (await recordedProduct(path));
    paths.set(name, [...(paths.get(name) ?? []), path]);
  }
  const offers: Offered[] = [];
  for (const [name, files] of paths) {
    const known = productFacts(name);
    if (known === undefined || known.product.sockets.length === 0) throw noSocket(name);
    const frames = await readRecordedFrames(known.product, files);
    const codes = frames.instruments.map(({ code }) => code);
    const slower = lastsMs > 0 ? Math.min(speed, frames.lastMs / lastsMs) : speed;
    // All at one moment cannot be slowed down.
    const playback = { frames, speed: slower > 0 ? slower : speed, isLooped: loop };
    offers.push({ ...known, codes, playback });
  }
  return offers;
}

function noSocket(name: string): DepthwireError {
  const names = VENUE_FACTS.flatMap(({ products }) =>
    products.flatMap((product) => (product.sockets.length > 0 ? [product.name] : [])),
  );
  const meant = nearest(name, names);
  return new DepthwireError('fake.venue', {
    what: 'a recording can only be told as a product that is heard over sockets',
    where: '--recording',
    expected: names.join(', '),
    got: name,
    fix: meant === undefined ? 'Take one of those.' : `Write --recording ${meant}=FILE.`,
  });
}
