import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { DepthwireError } from '../errors.js';
import { machineFacts } from './machine.js';
import { type Measured, measured, microPlan, type Operation } from './micro.js';
import { PAIRS_MIN } from './paired.js';
import type { Scenario, ScenarioResult, Table, Wish } from './result.js';

const FILE = 'bench-gate.json';
/** Of the recorded count: what is beyond fails, and what is said of less. */
const INSTRUCTIONS_MAX = 1.01;
const INSTRUCTIONS_TOLD = 1.002;
/** Of the recorded ratio to the plain way of doing the same. */
const TIME_MAX = 1.05;

const ratio = z.object({ pairs: z.number(), median: z.number(), low: z.number(), high: z.number() });
const operation = z.object({
  group: z.string(),
  name: z.string(),
  instructions: z.number().nullable(),
  allocations: z.number().nullable(),
  work: z.string(),
  ratio,
});
const recorded = z.object({
  format: z.literal(1),
  depthwire: z.string(),
  processor: z.string(),
  /** Whether nothing else of weight ran, so that its times may be compared. */
  isQuiet: z.boolean(),
  date: z.string(),
  plan: z.object({
    rounds: z.int().min(1).max(1000),
    things: z.int().min(1).max(100_000),
    counted: z.int().min(0).max(100_000),
  }),
  operations: z.array(operation).min(1),
});

/** What later runs are held to. */
export type GateRecord = z.infer<typeof recorded>;

/** What holds and what does not. */
export interface Judged {
  readonly fails: readonly string[];
  /** What was not compared. */
  readonly noises: readonly string[];
  readonly notes: readonly string[];
}

/** Whether this build is as good as a recorded one. */
export const GATE: Scenario = {
  name: 'gate',
  summary: 'for CI: instructions, time and allocations of micro against a record; --record writes it',
  takes: ['record'],
  seconds: () => 12,
  async check(wish) {
    openRecord(wish);
  },
  async run(wish) {
    const { isQuick, signal } = wish;
    const { file, before } = openRecord(wish);
    const plan = before?.plan ?? microPlan({ isQuick });
    const found = await measured(plan, signal);
    if (before === undefined) {
      if (found.verdict.word === 'FAIL')
        return resultOf(found, { fails: found.verdict.reasons, noises: [], notes: [] }, []);
      return resultOf(found, keep(file, recordOf(found, plan), found.verdict.reasons), []);
    }
    return resultOf(found, judge(before, found), before.operations);
  },
};

export function recordOf({ operations, verdict }: Measured, plan: GateRecord['plan']): GateRecord {
  const { depthwire, processor, date } = machineFacts();
  return {
    format: 1,
    depthwire,
    processor,
    isQuiet: verdict.word === 'PASS',
    date,
    plan: { rounds: plan.rounds, things: plan.things, counted: plan.counted },
    operations: operations.map(({ group, name, instructions, allocations, work, ratio }) => {
      return { group, name, instructions, allocations, work, ratio };
    }),
  };
}

/**
 * Holds what was found to a record. Instructions are compared on the processor that they were recorded on, for code chooses its way
 * by it; time where nothing else of weight ran; allocations always.
 */
export function judge(before: GateRecord, { operations, verdict }: Measured): Judged {
  const isSame = before.processor === machineFacts().processor;
  const busy = before.isQuiet ? verdict.reasons : ['something else ran when they were recorded'];
  // What was cut short is missing, not gone.
  if (verdict.word === 'FAIL') return { fails: verdict.reasons, noises: [], notes: [] };
  const fails: string[] = [];
  const noises = [
    ...(isSame ? [] : [`recorded on another processor (${before.processor}): instructions are not compared`]),
    ...(busy.length === 0 ? [] : [`times are not compared: ${busy.join('; ')}`]),
  ];
  const added = operations.filter((one) => !before.operations.some((was) => isOf(was, one)));
  const notes = added.map(({ group, name }) => `${group}: ${name} is new: record it.`);
  const firsts = new Set(operations.filter(({ group }, at) => operations[at - 1]?.group !== group));
  for (const was of before.operations) {
    const name = `${was.group}: ${was.name}`;
    const is = operations.find((one) => isOf(was, one));
    if (is === undefined) {
      fails.push(`${name} is not there any more`);
      continue;
    }
    if (is.work !== was.work) {
      fails.push(`${name} does other work than the recorded: record it anew`);
      continue;
    }
    // The plain ways are others' code, and take some steps by where their memory lies.
    const counted = isSame && !firsts.has(is) ? instructionsOf(name, was, is) : { fails: [], notes: [] };
    fails.push(...counted.fails);
    notes.push(...counted.notes);
    if (was.allocations !== null && is.allocations === null)
      fails.push(`${name}: allocations were recorded and cannot be counted here`);
    if (was.allocations !== null && is.allocations !== null && is.allocations > was.allocations)
      fails.push(`${name} allocates ${is.allocations} times, ${was.allocations} were recorded`);
    if (busy.length === 0 && isSlower(was, is))
      fails.push(
        `${name} takes ${is.ratio.median.toFixed(3)} (at least ${is.ratio.low.toFixed(3)}) of the first, ${was.ratio.median.toFixed(3)} were recorded`,
      );
  }
  return { fails, noises, notes };
}

function isOf(was: GateRecord['operations'][number], { group, name }: Operation): boolean {
  return was.group === group && was.name === name;
}

function instructionsOf(
  name: string,
  was: GateRecord['operations'][number],
  is: Operation,
): Pick<Judged, 'fails' | 'notes'> {
  if (was.instructions === null || was.instructions === 0) return { fails: [], notes: [] };
  if (is.instructions === null)
    return { fails: [`${name}: instructions were recorded and cannot be counted here`], notes: [] };
  const over = is.instructions / was.instructions;
  const text = `${name}: ${is.instructions} instructions, ${was.instructions} were recorded (${over > 1 ? '+' : '−'}${(Math.abs(over - 1) * 100).toFixed(2)} %)`;
  if (over > INSTRUCTIONS_MAX) return { fails: [text], notes: [] };
  const isTold = over > INSTRUCTIONS_TOLD || over < 2 - INSTRUCTIONS_MAX;
  return { fails: [], notes: isTold ? [`${text}${over < 1 ? ': record it' : ''}.`] : [] };
}

/** Beyond the limit even by the least that the interval allows, and beyond what the record itself allowed. */
function isSlower(was: GateRecord['operations'][number], is: Operation): boolean {
  const isStated = was.ratio.pairs >= PAIRS_MIN && is.ratio.pairs >= PAIRS_MIN;
  return isStated && is.ratio.low > Math.max(was.ratio.median * TIME_MAX, was.ratio.high);
}

function resultOf(
  found: Measured,
  { fails, noises, notes }: Judged,
  before: GateRecord['operations'],
): ScenarioResult {
  return {
    scenario: 'gate',
    title: before.length === 0 ? 'A record for later runs' : 'Against a record',
    verdict: {
      word: fails.length > 0 ? 'FAIL' : noises.length > 0 ? 'NOISY' : 'PASS',
      reasons: [...fails, ...noises],
    },
    tables: [tableOf(found.operations, before)],
    notes,
    lines: [],
    files: [],
    data: found.operations,
  };
}

function tableOf(operations: readonly Operation[], before: GateRecord['operations']): Table {
  const text = (number: number | null | undefined): string => (number == null ? '–' : String(number));
  return {
    title: 'operations',
    heads: ['operation', 'instructions', 'recorded', 'allocations', 'recorded', 'of the first', 'recorded'],
    rows: operations.map(({ group, name, instructions, allocations, ratio }) => {
      const was = before.find((one) => one.group === group && one.name === name);
      return [
        `${group}: ${name}`,
        text(instructions),
        text(was?.instructions),
        text(allocations),
        text(was?.allocations),
        ratio.median.toFixed(3),
        was?.ratio.median.toFixed(3) ?? '–',
      ];
    }),
  };
}

/** The record that is named, and what it holds where it is to be held to. What cannot be written is told before the seconds of the run. */
function openRecord({ files = [], record = false }: Wish): {
  readonly file: string;
  readonly before: GateRecord | undefined;
} {
  const [file = FILE, ...more] = files;
  if (more.length > 0) throw unusable('more than one record', file, 'one file', files.join(' '));
  if (!record) return { file, before: readRecord(file) };
  writing(file, () => {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error('a folder');
    writeFileSync(besideOf(file), '');
    rmSync(besideOf(file));
  });
  return { file, before: undefined };
}

/**
 * Writes a record, beside its place and then into it: what is interrupted leaves the one before. One of a busy machine, by which no
 * times are compared, takes the place of none of a quiet one.
 */
export function keep(file: string, record: GateRecord, noises: readonly string[]): Judged {
  if (!record.isQuiet && isOfQuiet(file)) {
    const kept = `${file} stays as it was: it was recorded on a quiet machine, which this was not. Record on a quiet one, or remove it first`;
    return { fails: [], noises: [...noises, kept], notes: [] };
  }
  writing(file, () => {
    writeFileSync(besideOf(file), `${JSON.stringify(record, null, 2)}\n`);
    renameSync(besideOf(file), file);
  });
  const care = record.isQuiet ? '' : ' Its times will not be compared, for the machine was busy.';
  return { fails: [], noises, notes: [`Written to ${file}.${care}`] };
}

function isOfQuiet(file: string): boolean {
  try {
    return readRecord(file).isQuiet;
  } catch {
    // What is no record is none to lose.
    return false;
  }
}

/** In the same folder, so that it can take the place. */
function besideOf(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
}

function readRecord(file: string): GateRecord {
  let text: string;
  let json: unknown;
  const wrong = (got: string, cause: unknown): DepthwireError =>
    unusable('no record of a gate', file, 'a file that bench gate --record wrote', got, cause);
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause), cause);
  }
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw wrong(text.trim() === '' ? 'an empty file' : 'a file that is no JSON', cause);
  }
  const { success, data, error } = recorded.safeParse(json);
  if (!success) throw wrong(z.prettifyError(error), error);
  return data;
}

function writing(file: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw unusable('the record cannot be written', file, 'a file in a folder that takes files', got, cause);
  }
}

function unusable(
  what: string,
  where: string,
  expected: string,
  got: string,
  cause?: unknown,
): DepthwireError {
  const fix = 'write one on a quiet machine: depthwire bench gate --record bench-gate.json';
  return new DepthwireError('bench.gate', { what, where, expected, got, fix, cause });
}
