import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { Report } from '../bench/document.js';
import type { Scenario, ScenarioResult, Wish } from '../bench/result.js';
import type { Verdict } from '../bench/verdict.js';
import { instrumentName } from '../engine.js';
import { DepthwireError, explain } from '../errors.js';
import { EXIT, type Shell } from './shell.js';
import { ProgressBar } from './terminal.js';
import { textTable } from './text-table.js';

interface Flags {
  readonly seconds?: number;
  readonly rate?: number;
  readonly subscribers?: readonly number[];
  readonly changes?: number;
  readonly arrivals?: 'even' | 'poisson' | 'bursts';
  readonly lines?: readonly [string, string];
  readonly limitUs?: number;
  readonly say?: readonly string[];
  readonly instrument?: readonly string[];
  readonly beside?: readonly string[];
  readonly record?: true;
  readonly quick?: true;
  readonly output: 'text' | 'json' | 'markdown';
  readonly out?: string;
}

const PROGRESS_MS = 250;
/** Levels a side of the book that is measured. */
const CHANGES_MAX = 50;

/** Exit code of a run whose figures are to be taken with care. */
const EXIT_NOISY = 4;

/** `depthwire bench`: latency of this machine, this server, this build. `done` takes the exit code. */
export function addBenchCommand(program: Command, shell: Shell, done: (code: number) => void): void {
  program
    .command('bench')
    .description(
      'measure latency on this machine: floor, micro, pipeline, wire and fanout, which run without a name; slow, recover, replay FILE…, max, compare A B, race FILE [FILE], venue URL [INSTRUMENT], gate [FILE], soak, proof',
    )
    .argument('[scenario...]', 'what to measure; behind compare, race, replay, venue and gate, of what')
    .option('--seconds <number>', 'counted time of each server', positive)
    .option('--rate <number>', 'messages a second', positive)
    .option('--subscribers <list>', 'subscribers, separated by commas', counts)
    .option('--changes <number>', 'levels that a message changes, 1 to 50', changes)
    .option('--arrivals <plan>', 'even, poisson, or bursts of ten', arrivals)
    .option('--limit-us <number>', 'p99 that max must hold, microseconds', positive)
    .option('--lines <two>', 'two lines of a capture that race, separated by a comma', two)
    .option(
      '--instrument <name>',
      'venue:SYMBOL that a replayed recording is of, where it does not say it; more than once',
      collected,
    )
    .option(
      '--beside <server>',
      'a further server in the runs of wire and fanout: ws, or a program that speaks as docs/bench.md says; more than once',
      collected,
    )
    .option(
      '--say <text>',
      'said to a venue when its line is open, as a subscription; more than once',
      collected,
    )
    .option('--record', 'gate: write the record that later runs are held to')
    .option('--quick', 'some seconds in place of a minute')
    .option('-o, --output <format>', 'text, json or markdown', output, 'text')
    .option(
      '--out <folder>',
      'also write report.html, .json and .md, and .hgrm and .hlog files, into a folder',
    )
    .addHelpText(
      'after',
      `\nExit codes: 0 PASS, ${EXIT.failed} FAIL, ${EXIT.usage} a wrong command line, ${EXIT_NOISY} NOISY.\n`,
    )
    .action(async (names: readonly string[], flags: Flags) => {
      done(await bench(names, flags, shell));
    });
}

async function bench(names: readonly string[], flags: Flags, shell: Shell): Promise<number> {
  const { checkSubscribers, scenariosOf } = await import('../bench/scenarios.js');
  const { machineFacts, machineText } = await import('../bench/machine.js');
  const { worst } = await import('../bench/verdict.js');
  const { html, markdown } = await import('../bench/document.js');
  const { scenarios, files } = scenariosOf(names);
  const { out: folder, output, quick, instrument: instruments, ...asked } = flags;
  const wish: Wish = {
    ...asked,
    ...(instruments === undefined ? {} : { instruments: instruments.map(instrumentName) }),
    files,
    isQuick: quick === true,
    signal: shell.signal,
  };
  const stray = strayOf(wish, scenarios);
  if (stray !== undefined) throw stray;
  checkSubscribers(scenarios, wish);
  for (const scenario of scenarios) await scenario.check?.(wish);
  if (folder !== undefined) openFolder(folder);
  const machine = machineFacts();
  const isText = output === 'text';
  if (isText) await shell.stdout.write(`${machineText(machine)}\n`);
  const results: ScenarioResult[] = [];
  let fault: unknown;
  for (const scenario of scenarios) {
    if (shell.signal.aborted) break;
    try {
      const result = await withProgress(scenario, wish, shell);
      results.push(result);
      if (isText) await shell.stdout.write(`\n${resultText(result)}`);
    } catch (error) {
      // What was found before is still a report.
      fault = error;
      break;
    }
  }
  const early =
    fault === undefined ? (shell.signal.aborted ? ['ended before its time'] : []) : [oneLine(fault)];
  const ended: Verdict[] = early.length === 0 ? [] : [{ word: 'FAIL', reasons: early }];
  const verdict = worst([...results.map(({ verdict }) => verdict), ...ended]);
  const told = fault instanceof DepthwireError ? { fault: fault.toJSON() } : {};
  const report: Report = { machine, verdict, results: results.map(withoutFiles), ...told };
  if (!isText) await shell.stdout.write(output === 'json' ? `${JSON.stringify(report)}\n` : markdown(report));
  if (folder !== undefined) {
    writeReport(folder, [
      { name: 'report.json', text: `${JSON.stringify(report, null, 2)}\n` },
      { name: 'report.html', text: html(report) },
      { name: 'report.md', text: markdown(report) },
      ...results.flatMap(({ files }) => files),
    ]);
  }
  if (fault !== undefined) throw fault;
  if (isText) await shell.stdout.write(`\n${[verdict.word, ...early].join(': ')}\n`);
  return codeOf(verdict, shell.signal.aborted);
}

/** Options by what they are in a wish; those of the report itself are no part of one. */
const OPTIONS = {
  seconds: '--seconds',
  rate: '--rate',
  subscribers: '--subscribers',
  changes: '--changes',
  arrivals: '--arrivals',
  limitUs: '--limit-us',
  lines: '--lines',
  instruments: '--instrument',
  beside: '--beside',
  say: '--say',
  record: '--record',
} as const;

/** An option that none of the scenarios heeds: who gives it would believe that it was. */
function strayOf(wish: Wish, scenarios: readonly Scenario[]): DepthwireError | undefined {
  const heeded = new Set<string>(scenarios.flatMap(({ takes }) => takes));
  const names = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];
  const stray = names.find((name) => wish[name] !== undefined && !heeded.has(name));
  if (stray === undefined) return undefined;
  const options = names.filter((name) => heeded.has(name)).map((name) => OPTIONS[name]);
  return new DepthwireError('bench.option', {
    what: `${OPTIONS[stray]} has no effect on ${scenarios.map(({ name }) => name).join(', ')}`,
    expected: options.length === 0 ? 'no such option' : options.join(', '),
    got: OPTIONS[stray],
    fix: `leave ${OPTIONS[stray]} out, or name a scenario that heeds it`,
  });
}

function oneLine(fault: unknown): string {
  return explain(fault).split('\n', 1)[0] ?? '';
}

function codeOf({ word }: Verdict, isAborted: boolean): number {
  if (isAborted || word === 'FAIL') return EXIT.failed;
  return word === 'NOISY' ? EXIT_NOISY : EXIT.ok;
}

async function withProgress(scenario: Scenario, wish: Wish, shell: Shell): Promise<ScenarioResult> {
  const bar = new ProgressBar(shell.stderr);
  const began = performance.now();
  const whole = scenario.seconds(wish) * 1000;
  const timer = setInterval(() => bar.show(Math.min((performance.now() - began) / whole, 0.99)), PROGRESS_MS);
  try {
    return await scenario.run(wish);
  } finally {
    clearInterval(timer);
    bar.end();
  }
}

/** A result for a terminal. */
export function resultText({ scenario, title, verdict, tables, notes }: ScenarioResult): string {
  const parts = tables.map((table) => `${table.title}\n${textTable([table.heads, ...table.rows])}`);
  const reasons = verdict.reasons.map((reason) => `  ${reason}\n`).join('');
  const reading = notes.map((note) => `${note}\n`).join('');
  return `${scenario}: ${title}\n\n${parts.join('\n')}\n${reading}${verdict.word}\n${reasons}`;
}

function withoutFiles({ files: _, ...result }: ScenarioResult): Omit<ScenarioResult, 'files'> {
  return result;
}

function openFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    // A folder that takes no file is found before the minutes of the run, not after them. A report that is there stays until then.
    const probe = path.join(folder, '.probe');
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

function writeReport(folder: string, files: ScenarioResult['files']): void {
  try {
    for (const { name, text } of files) writeFileSync(path.join(folder, name), text);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

function unwritable(folder: string, cause: unknown): DepthwireError {
  return new DepthwireError('bench.folder', {
    what: 'the report cannot be written',
    where: folder,
    expected: 'a folder that takes files',
    got: cause instanceof Error ? cause.message : String(cause),
    fix: 'choose another --out, or make room on its disk; the tables above are complete',
    cause,
  });
}

function positive(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('Give a number above 0.');
}

function changes(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= CHANGES_MAX) return number;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${CHANGES_MAX}.`);
}

function arrivals(text: string): Flags['arrivals'] & string {
  if (text === 'even' || text === 'poisson' || text === 'bursts') return text;
  throw new InvalidArgumentError('Use even, poisson or bursts.');
}

function counts(text: string): readonly number[] {
  if (/^[1-9]\d{0,4}(,[1-9]\d{0,4})*$/.test(text)) return text.split(',').map(Number);
  throw new InvalidArgumentError('Give whole numbers of 1 or more, separated by commas.');
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function two(text: string): readonly [string, string] {
  const [first, second, ...more] = text.split(',');
  if (first && second && more.length === 0) return [first, second];
  throw new InvalidArgumentError('Give two names, as 224.0.31.64:14340,224.0.32.64:15340.');
}

function output(text: string): Flags['output'] {
  if (text === 'text' || text === 'json' || text === 'markdown') return text;
  throw new InvalidArgumentError('Use text, json or markdown.');
}
