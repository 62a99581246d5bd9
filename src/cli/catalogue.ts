import type { InstrumentOverride } from '../config.js';
import { type Engine, type InstrumentInfo, type InstrumentScale, instrumentName } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { matching } from '../ingest/patterns.js';
import { isPattern } from '../name-pattern.js';
import { decimalText, parseDecimal } from '../wire/decimal.js';

/**
 * Instruments as the user described them, under their own names: a venue may have several for one. Patterns stay as they are.
 * Throws `instrument.*`.
 */
export function underOwnNames(overrides: readonly InstrumentOverride[]): InstrumentOverride[] {
  return overrides.map((override) =>
    isPattern(override.name) ? override : { ...override, name: instrumentName(override.name) },
  );
}

/** What the user said of these instruments, by their names or by patterns of them. */
export function overridesOf(
  overrides: readonly InstrumentOverride[],
  names: readonly string[],
): readonly InstrumentOverride[] {
  const exact = new Map(overrides.map((override) => [override.name, override]));
  return names.flatMap((name) => {
    const override = exact.get(name) ?? overrides.find((one) => isPattern(one.name) && fits(one.name, name));
    return override === undefined ? [] : [{ ...override, name }];
  });
}

/** Whether a name is what `--instrument` says, by itself or as a pattern. */
export function fits(pattern: string, name: string): boolean {
  return pattern === name || matching(pattern, [{ symbol: name, codes: [], status: 'unknown' }]).length > 0;
}

/**
 * Adds the instruments that the user described. What was not given stays as the catalogue has it; of an instrument that is
 * not listed it is left to the engine, which finds the scale in the venue's messages.
 */
export function catalogue(engine: Engine, overrides: readonly InstrumentOverride[]): void {
  for (const override of overrides.filter(({ name }) => !isPattern(name))) {
    const { name } = override;
    const listed = engine.instruments().find((instrument) => instrument.name === name);
    const [id] = idsOf(engine, [name]);
    const known = engine.instruments().find((instrument) => instrument.id === id);
    if (known === undefined || !hasSettings(override)) continue;
    engine.addInstrument(name, { ...listed, ...scaleOf(override, known) });
  }
}

/** Whether anything is said of an instrument's scale. */
export function hasSettings({ tick, lot, priceExponent, qtyExponent }: InstrumentOverride): boolean {
  return [tick, lot, priceExponent, qtyExponent].some((setting) => setting !== undefined);
}

/**
 * What an override says of the scale, in mantissas, as the engine takes it. An exponent that was not given is the known
 * one, or a finer one where the tick or lot needs it. Throws `config.instrument` where an exponent that was given does not
 * hold the tick or lot.
 */
export function scaleOf(override: InstrumentOverride, known: InstrumentInfo): InstrumentScale {
  const { tick, lot, priceExponent, qtyExponent } = override;
  const price = stepOf('price', tick, priceExponent, known.tickSize, known.priceExponent);
  const qty = stepOf('qty', lot, qtyExponent, known.lotSize, known.qtyExponent);
  return {
    ...(price === undefined ? {} : { priceExponent: price.exponent, tickSize: price.mantissa }),
    ...(qty === undefined ? {} : { qtyExponent: qty.exponent, lotSize: qty.mantissa }),
  };
}

/** The step that a decimal means, or the known one, at the exponent that was given or that it needs; undefined without both. */
function stepOf(
  what: 'price' | 'qty',
  decimal: string | undefined,
  givenExponent: number | undefined,
  knownStep: number,
  knownExponent: number,
): { readonly exponent: number; readonly mantissa: number } | undefined {
  if (decimal === undefined && givenExponent === undefined) return undefined;
  const step = decimal ?? decimalText(knownStep, knownExponent);
  const [, decimals = ''] = step.split('.');
  const exponent = givenExponent ?? Math.min(knownExponent, 0 - decimals.replace(/0+$/, '').length);
  try {
    return { exponent, mantissa: parseDecimal(step, exponent) };
  } catch (cause) {
    const word = what === 'price' ? 'tick' : 'lot';
    throw new DepthwireError('config.instrument', {
      what: `the ${word} is no multiple of the smallest ${what === 'price' ? 'price' : 'quantity'} that the exponent allows, or has too many digits`,
      where: '--instrument',
      expected: `a ${word} of 1 to 2^53 times 10^${exponent}`,
      got: step,
      fix: `Leave ${what}_exponent out, or give a ${word} that it can hold, as in ${word}=${decimalText(1, exponent)}.`,
      cause,
    });
  }
}

/** Numbers of instruments by name; those that are not listed are added at the scale of their venue's messages. */
export function idsOf(engine: Engine, names: readonly string[]): readonly number[] {
  const listed = new Map(engine.instruments().map(({ name, id }) => [name, id]));
  return names.map((name) => listed.get(name) ?? engine.addInstrument(name));
}

/** The name of an instrument of the catalogue. Throws `instrument.unlisted`. */
export function nameOf(engine: Engine, id: number): string {
  const listed = engine.instruments().find((instrument) => instrument.id === id);
  if (listed !== undefined) return listed.name;
  throw new DepthwireError('instrument.unlisted', {
    what: 'an instrument is not in the catalogue',
    where: 'instrument',
    expected: 'a number of the catalogue',
    got: String(id),
    fix: 'Add it with --instrument venue:SYMBOL.',
  });
}
