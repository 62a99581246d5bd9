import { DepthwireError, shown } from '../errors.js';
import { RECORD } from '../wire/generated/constants.js';

export { RECORD, ROW_NUMBERS } from '../wire/generated/constants.js';

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
