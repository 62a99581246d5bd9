import type { MachineLoad } from './machine.js';
import type { FloorReport, HiccupReport, StepReport, TargetReport } from './measure.js';
import { percent } from './time-text.js';

/** Whether a run's figures may be believed: all of them, with care, not at all. */
export interface Verdict {
  readonly word: 'PASS' | 'NOISY' | 'FAIL';
  /** One line each; none with PASS. */
  readonly reasons: readonly string[];
}

/** Of the plan that must have been sent. */
const SENT_SHARE_MIN = 0.999;
/** Of the messages that may have left late. */
const LATE_SHARE_MAX = 0.001;
/** Of the time, which must have been without a great hiccup of the machine. */
const QUIET_SHARE_MIN = 0.9;
/** A core's worth of time that other programs may have taken. */
const OTHERS_MAX = 0.1;
/** Of the time, which the machine's host may have taken. */
const STOLEN_MAX = 0.01;
/** Of the time, for which a thread that never sleeps may have been stopped. */
const GAP_SHARE_MAX = 0.02;
/** A greater one is a hiccup; see `crates/latency/src/hiccup.rs`. */
const HICCUP_NS_MAX = 2_000_000;
/** How late a thread that slept may run at 99.9 %. */
const HICCUP_P999_NS_MAX = 5_000_000;
/** What a run of one generator and one server keeps busy. */
export const BUSY_THREADS = 2;

const noisy = (name: string, quietShare: number): string =>
  `${name}: ${percent(1 - quietShare)} of the messages were due near a hiccup of the machine above ${HICCUP_NS_MAX / 1e6} ms`;

/** Whether as much of the plan was sent as must be. */
export function isSent({ sent, planned }: Pick<TargetReport, 'sent' | 'planned'>): boolean {
  return sent >= planned * SENT_SHARE_MIN;
}

/** Whether more messages left late than may. */
export function isLate({ late, counted }: Pick<TargetReport, 'late' | 'counted'>): boolean {
  return late > counted * LATE_SHARE_MAX;
}

/** Of a target of a run over the wire. */
export function judgeTarget(report: TargetReport, load: MachineLoad, ended?: string): Verdict {
  const fails: string[] = [];
  const { planned, sent, lost, late, counted, name } = report;
  if (ended !== undefined) fails.push(`${name}: ended early: ${ended}`);
  if (!isSent(report))
    fails.push(
      `${name}: sent ${percent(sent / planned)} of ${planned} messages, ${percent(SENT_SHARE_MIN)} are needed`,
    );
  if (lost > 0) fails.push(`${name}: ${lost} deliveries never came`);
  for (const [count, what] of [
    [report.repeated, 'came twice'],
    [report.disordered, 'came behind a later one'],
    [report.unknown, 'were of no message that had been sent'],
  ] as const)
    if (count > 0) fails.push(`${name}: ${count} deliveries ${what}`);
  if (isLate(report))
    fails.push(
      `${name}: ${percent(late / counted)} of the messages left late, ${percent(LATE_SHARE_MAX)} may`,
    );
  if (report.fromPlanned.count === 0) fails.push(`${name}: nothing was counted`);
  const noises = noisesOf(load);
  if (report.quietShare !== null && report.quietShare < QUIET_SHARE_MIN)
    noises.push(noisy(name, report.quietShare));
  return verdictOf(fails, noises);
}

/** Of messages that were taken in this process at planned times. */
export function judgeStep(name: string, { planned, late, engine }: StepReport): Verdict {
  const { all, quietShare } = engine;
  const fails: string[] = [];
  if (all.count < planned * SENT_SHARE_MIN)
    fails.push(`${name}: ${all.count} of ${planned} messages were taken`);
  if (late > planned * LATE_SHARE_MAX)
    fails.push(
      `${name}: more than the engine takes: ${percent(late / planned)} of the messages were done a millisecond behind the 50 ms in which they were due`,
    );
  return verdictOf(
    fails,
    quietShare !== null && quietShare < QUIET_SHARE_MIN ? [noisy(name, quietShare)] : [],
  );
}

/** Of what was measured in this process, beside a log of hiccups. */
export function judgeHiccups({ quietShare }: HiccupReport): Verdict {
  return verdictOf(
    [],
    quietShare !== null && quietShare < QUIET_SHARE_MIN
      ? [
          `${percent(1 - quietShare)} of the time was near a hiccup of the machine above ${HICCUP_NS_MAX / 1e6} ms`,
        ]
      : [],
  );
}

/** Of a look at the machine, in which so many messages were due over the loopback. */
export function judgeFloor(report: FloorReport, echoes: number, load: MachineLoad): Verdict {
  const { gapShare, hiccups, clock, isCut, loopback, loopbackLate } = report;
  const fails = isCut ? ['the run was ended before its time'] : [];
  // What was cut short is missing, not lost.
  if (!isCut && loopback.count < echoes)
    fails.push(`${echoes - loopback.count} of ${echoes} messages over the loopback never came back`);
  const noises = noisesOf(load);
  if (loopbackLate > loopback.count * LATE_SHARE_MAX)
    noises.push(
      `${loopbackLate} of ${echoes} messages over the loopback left late, ${percent(LATE_SHARE_MAX)} may`,
    );
  if (gapShare > GAP_SHARE_MAX)
    noises.push(`a thread that never sleeps was stopped for ${percent(gapShare)} of the time`);
  if (hiccups.p999 > HICCUP_P999_NS_MAX)
    noises.push(`one sleep of a thousand ended ${(hiccups.p999 / 1e6).toFixed(1)} ms late`);
  if (clock === 'system')
    noises.push('the processor has no invariant counter: the slower clock of the system is used');
  return verdictOf(fails, noises);
}

/** Of what went on beside a run in this process, which has one busy thread. */
export function judgeLoad(load: MachineLoad): Verdict {
  return verdictOf([], noisesOf(load, 1));
}

function noisesOf({ othersCores, stolenShare, cores }: MachineLoad, threads = BUSY_THREADS): string[] {
  const noises: string[] = [];
  if (Number.isNaN(othersCores)) noises.push('this system does not say what other programs took');
  if (othersCores > OTHERS_MAX) noises.push(`other programs took ${othersCores.toFixed(2)} of a core`);
  if (stolenShare > STOLEN_MAX) noises.push(`the host took ${percent(stolenShare)} of the time`);
  if (cores < threads)
    noises.push(`${threads} threads are busy on ${cores} core: generator and server wait for one another`);
  return noises;
}

/** The worst of several, with all reasons, each once. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const reasons = [...new Set(verdicts.flatMap(({ reasons }) => reasons))];
  const has = (word: Verdict['word']): boolean => verdicts.some((verdict) => verdict.word === word);
  return { word: has('FAIL') ? 'FAIL' : has('NOISY') ? 'NOISY' : 'PASS', reasons };
}

function verdictOf(fails: readonly string[], noises: readonly string[]): Verdict {
  const word = fails.length > 0 ? 'FAIL' : noises.length > 0 ? 'NOISY' : 'PASS';
  return { word, reasons: [...fails, ...noises] };
}
