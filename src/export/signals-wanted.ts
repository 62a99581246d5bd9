import type { Engine } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { parseDecimal } from '../wire/decimal.js';

/** What signals are computed of. */
export interface SignalsWanted {
  /** 1,000 to 3,600,000 ms. */
  readonly windowMs: number;
  /** Volume of a bucket of VPIN as a decimal of each instrument's quantity; absent = VPIN is not told. */
  readonly vpinVolume?: string | undefined;
}

/**
 * Has the signals of each instrument computed, by every event. Returns the stream on which they are told: of each the first of its
 * views, for nothing else has opened one. Throws `export.signals`.
 */
export function openSignals(
  engine: Engine,
  ids: readonly number[],
  { windowMs, vpinVolume }: SignalsWanted,
): number {
  let stream = 0;
  for (const id of ids) {
    const vpin = vpinVolume === undefined ? {} : { vpinVolume: volumeOf(engine, id, vpinVolume) };
    stream = engine.openSignals(id, 0, { windowMs, ...vpin });
  }
  return stream;
}

function volumeOf(engine: Engine, id: number, text: string): bigint {
  const { name, qtyExponent } = engine.instrument(id);
  try {
    const volume = parseDecimal(text, qtyExponent);
    if (volume > 0) return BigInt(volume);
  } catch {
    // Told below, as what is not above 0 is.
  }
  throw new DepthwireError('export.signals', {
    what: `this is no volume of a bucket of VPIN for ${name}`,
    where: '--vpin-volume',
    expected: `a quantity above 0 with at most ${Math.max(0, -qtyExponent)} decimals`,
    got: text,
    fix: 'Give a quantity that the instrument trades, or leave VPIN out.',
  });
}
