import { DepthwireError, shown } from '../errors.js';

/**
 * Where the fields of a book's record in shared memory stand, as the addon writes them. In units of the array in which they
 * are read: 32-bit words up to `rows`, 64-bit floats behind it.
 */
export const RECORD = {
  headerBytes: 64,
  rowBytes: 32,
  depthMax: 100,
  word: {
    /** Even = stable. */
    sequence: 0,
    /** State in the lowest byte, reason in the next, feed flags above. */
    state: 1,
    /** From the lowest byte: bid levels, certain bid levels, ask levels, certain ask levels. */
    counts: 2,
    /** From the lowest byte: inexact bits, price exponent, quantity exponent. */
    scale: 3,
    epoch: 4,
    seq: 6,
    venueSeq: 8,
    tsEvent: 10,
    tsRecv: 12,
    instrument: 14,
  },
  /** Header words that are in use. */
  words: 15,
  inexact: { best: 1, any: 2 },
  flag: { crossed: 8 },
} as const;

/** Numbers in a row: bid price, bid quantity, ask price, ask quantity. */
export const ROW_NUMBERS = 4;

/**
 * Shared memory for the best levels (1 to 100 a side) of one book, to be handed to `Engine.shareBook` and, in any thread, to
 * `SharedBook`. Many books may share one buffer: any 8-aligned view of the same size does. Throws `shared.not_an_integer`.
 */
export function allocateSharedBook(depth: number): Uint8Array<SharedArrayBuffer> {
  if (!Number.isInteger(depth) || depth < 1 || depth > RECORD.depthMax) {
    throw wrongNumber('depth', RECORD.depthMax, depth);
  }
  return new Uint8Array(new SharedArrayBuffer(RECORD.headerBytes + RECORD.rowBytes * depth));
}

/** The error of a number that is no integer from 1 to `max`. */
export function wrongNumber(name: string, max: number, value: unknown): DepthwireError {
  return new DepthwireError('shared.not_an_integer', {
    what: `wrong ${name}`,
    where: 'SharedBook',
    expected: `an integer from 1 to ${max}`,
    got: shown(value),
    fix: 'Pass an integer of that range.',
  });
}
