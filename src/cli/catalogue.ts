import type { InstrumentOverride } from '../config.js';
import type { Engine } from '../engine.js';
import { DepthwireError } from '../errors.js';

/** Adds the instruments that the user described; what was not given stays as the catalogue has it. */
export function catalogue(engine: Engine, overrides: readonly InstrumentOverride[]): void {
  for (const { name, ...given } of overrides) {
    const listed = engine.instruments().find((instrument) => instrument.name === name);
    engine.addInstrument(name, { ...listed, ...definedOf(given) });
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

function definedOf<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
