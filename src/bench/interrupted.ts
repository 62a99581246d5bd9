import { type Asked, type Measured, overWire, type Ran } from './wire.js';

/** Of a run that was ended before all was measured. */
export const ENDED_EARLY = 'ended before its time';

/**
 * `overWire` for a scenario of many runs: `undefined` where it was ended before this run had anything to tell. No server is started for
 * one that is over already. Throws as `overWire` does.
 */
export async function overWireUntil(
  measured: readonly Measured[],
  asked: Asked,
  signal: AbortSignal | undefined,
): Promise<Ran | undefined> {
  const isOver = (): boolean => signal?.aborted === true;
  if (isOver()) return undefined;
  try {
    return await overWire(measured, asked, signal);
  } catch (error) {
    // Whatever broke then, broke by that: servers have the same terminal, and hear of it too.
    if (isOver()) return undefined;
    throw error;
  }
}
