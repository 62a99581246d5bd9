import { LoadMeter } from './machine.js';
import { type GroupReport, type MicroPlan, measureMicro } from './measure.js';
import { measureJs } from './micro-js.js';
import { type Paired, pairedOf, ratioText } from './paired.js';
import type { Scenario, Table } from './result.js';
import { nsText } from './time-text.js';
import { judgeLoad, type Verdict, worst } from './verdict.js';

const ROUNDS = 31;
const ROUNDS_QUICK = 11;
const THINGS = 2000;
const THINGS_QUICK = 500;
/** An instruction takes some 20 µs to count. */
const COUNTED = 16;
const COUNTED_QUICK = 4;
const SECONDS = 12;
const SECONDS_QUICK = 3;

/** The head of the column of times. */
const TIME = 'time, fastest quarter';

/** An operation, as it is told: what `bench gate` compares. */
export interface Operation {
  readonly group: string;
  readonly name: string;
  /** Median of the fastest quarter of the rounds. */
  readonly ns: number;
  /** Distance of the quartiles of all rounds, as a share of their median. */
  readonly spread: number;
  /** Its time over that of the group's first, round by round. */
  readonly ratio: Paired;
  readonly instructions: number | null;
  readonly allocations: number | null;
  readonly work: string;
}

/** What `micro` found, and how much of it may be believed. */
export interface Measured {
  readonly groups: readonly GroupReport[];
  readonly operations: readonly Operation[];
  readonly verdict: Verdict;
}

/** What a wish makes of the plan. */
export function microPlan({ isQuick }: { readonly isQuick: boolean }): MicroPlan {
  return isQuick
    ? { rounds: ROUNDS_QUICK, things: THINGS_QUICK, counted: COUNTED_QUICK }
    : { rounds: ROUNDS, things: THINGS, counted: COUNTED };
}

/** Measures all operations. Throws `bench.answer` where one of them is wrong. */
export async function measured(plan: MicroPlan, signal?: AbortSignal): Promise<Measured> {
  const meter = new LoadMeter();
  const { groups, isCut } = await measureMicro(plan, signal);
  const all = isCut ? groups : [...groups, ...(await measureJs(plan, signal))];
  const verdicts: Verdict[] = [judgeLoad(meter.stop())];
  if (isCut || signal?.aborted === true)
    verdicts.push({ word: 'FAIL', reasons: ['the run was ended before its time'] });
  return { groups: all, operations: all.flatMap(operationsOf), verdict: worst(verdicts) };
}

function operationsOf({ name: group, operations }: GroupReport): readonly Operation[] {
  const first = operations[0]?.ns ?? [];
  return operations.map(({ name, ns, instructions, allocations, work }) => ({
    group,
    name,
    ns: fastest(ns),
    spread: spreadOf(ns),
    ratio: pairedOf(ns.map((own, round) => own / (first[round] ?? Number.NaN))),
    instructions,
    allocations,
    work,
  }));
}

/** The median of the fastest quarter: near what the machine does when it is left alone. */
function fastest(ns: readonly number[]): number {
  const sorted = ns.toSorted((a, b) => a - b);
  return pairedOf(sorted.slice(0, Math.ceil(sorted.length / 4))).median;
}

function spreadOf(ns: readonly number[]): number {
  const sorted = ns.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return (at(0.75) - at(0.25)) / at(0.5);
}

/** What single operations cost. */
export const MICRO: Scenario = {
  name: 'micro',
  summary:
    'what single operations cost beside a plain way of doing the same: time, instructions, allocations',
  takes: [],
  seconds: ({ isQuick }) => (isQuick ? SECONDS_QUICK : SECONDS),
  async run({ isQuick, signal }) {
    const { groups, operations, verdict } = await measured(microPlan({ isQuick }), signal);
    const isCounted = operations.some(({ instructions }) => instructions !== null);
    return {
      scenario: 'micro',
      title: 'What single operations cost',
      verdict,
      tables: groups.map(({ name, thing }) => tableOf(name, thing, operations)),
      notes: [
        'Operations of a table take turns. The time is the median of the fastest quarter of the rounds, near what the machine does when it is left alone; the ratio is of the same round, with where its median lies in 95 of 100 runs.',
        isCounted
          ? 'Instructions and allocations are counted one by one in a copy of this process: those of depthwire are the same in each run of this build.'
          : 'This system does not let a process be stepped through: no instructions are counted.',
      ],
      lines: [],
      files: [],
      data: { operations, groups },
    };
  },
};

function tableOf(name: string, thing: string, operations: readonly Operation[]): Table {
  const [first, ...others] = operations.filter(({ group }) => group === name);
  const count = (number: number | null): string =>
    number === null ? '–' : number.toFixed(number < 100 && !Number.isInteger(number) ? 1 : 0);
  const row = ({ name, ns, spread, instructions, allocations, work }: Operation, ratio: string): string[] => [
    name,
    nsText(ns),
    `${(spread * 100).toFixed(0)} %`,
    ratio,
    count(instructions),
    count(allocations),
    work.slice(0, 12),
  ];
  return {
    title: name,
    heads: [`a ${thing}`, TIME, 'spread', 'of the first', 'instructions', 'allocations', 'work'],
    rows: [
      ...(first === undefined ? [] : [row(first, '1')]),
      ...others.map((operation) => row(operation, ratioText(operation.ratio))),
    ],
  };
}
