import { DepthwireError } from '../errors.js';
import { nearest } from '../nearest.js';
import { COMPARE } from './compare.js';
import { FLOOR } from './floor.js';
import { GATE } from './gate.js';
import { MAX } from './max.js';
import { MICRO } from './micro.js';
import { PIPELINE } from './pipeline.js';
import { PROOF } from './proof.js';
import { RACE } from './race.js';
import { RECOVER } from './recover.js';
import { REPLAY } from './replay.js';
import type { Scenario, Wish } from './result.js';
import { SLOW } from './slow.js';
import { SOAK } from './soak.js';
import { VENUE } from './venue.js';
import { FANOUT, WIRE } from './wire.js';

export const SCENARIOS: readonly Scenario[] = [
  FLOOR,
  MICRO,
  PIPELINE,
  WIRE,
  FANOUT,
  SLOW,
  RECOVER,
  REPLAY,
  MAX,
  COMPARE,
  RACE,
  VENUE,
  SOAK,
  GATE,
  PROOF,
];

/** What is measured where nothing is named. */
const DEFAULT: readonly Scenario[] = [FLOOR, MICRO, PIPELINE, WIRE, FANOUT];

/** How many numbers of subscribers a scenario takes, of those that take any: one where it does not stand here. */
const SUBSCRIBERS_MAX: ReadonlyMap<Scenario, number> = new Map([
  [SLOW, 2],
  [FANOUT, Number.POSITIVE_INFINITY],
]);

/** Throws `bench.subscribers` for more numbers of subscribers than any of the scenarios takes: who gives them would believe that they were measured. */
export function checkSubscribers(scenarios: readonly Scenario[], { subscribers = [] }: Wish): void {
  const takers = scenarios.filter(({ takes }) => takes.includes('subscribers'));
  const most = Math.max(...takers.map((scenario) => SUBSCRIBERS_MAX.get(scenario) ?? 1), 0);
  if (takers.length === 0 || subscribers.length <= most) return;
  throw new DepthwireError('bench.subscribers', {
    what: `more numbers of subscribers than ${takers.map(({ name }) => name).join(', ')} measures`,
    expected: most === 1 ? 'one number' : 'two numbers: those that read, and those that never do',
    got: subscribers.join(','),
    fix: `give --subscribers ${subscribers.slice(0, most).join(',')}, or measure fanout, which takes any`,
  });
}

/** What is to be measured, and the recordings that it is measured of. */
export interface Named {
  readonly scenarios: readonly Scenario[];
  readonly files: readonly string[];
}

/** Those behind whose name stands what they are of. */
const OF_SOMETHING: readonly string[] = [RACE.name, COMPARE.name, REPLAY.name, VENUE.name, GATE.name];

/** The scenarios of these names, in their order; behind `race`, `compare`, `replay`, `venue` and `gate` stands what they are of. Throws `bench.scenario`. */
export function scenariosOf(names: readonly string[]): Named {
  if (names.length === 0) return { scenarios: DEFAULT, files: [] };
  const of = names.findIndex((name) => OF_SOMETHING.includes(name));
  const files = of === -1 ? [] : names.slice(of + 1);
  const scenarios = (of === -1 ? names : names.slice(0, of + 1)).map((name) => {
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
  return { scenarios, files };
}
