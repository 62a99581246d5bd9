import { DepthwireError } from '../errors.js';
import { nearest } from '../nearest.js';
import { FLOOR } from './floor.js';
import { PROOF } from './proof.js';
import type { Scenario } from './result.js';
import { FANOUT, WIRE } from './wire.js';

export const SCENARIOS: readonly Scenario[] = [FLOOR, WIRE, FANOUT, PROOF];

/** What is measured where nothing is named. */
const DEFAULT: readonly Scenario[] = [FLOOR, WIRE, FANOUT];

/** The scenarios of these names, in their order. Throws `bench.scenario`. */
export function scenariosOf(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return DEFAULT;
  return names.map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    const known = SCENARIOS.map((scenario) => scenario.name);
    const near = nearest(name, known);
    throw new DepthwireError('bench.scenario', {
      what: 'no such scenario',
      expected: known.join(', '),
      got: name,
      fix: near === undefined ? 'name one of these, or none' : `did you mean ${near}?`,
    });
  });
}
