import { LoadMeter } from './machine.js';
import {
  checkSize,
  type LineReport,
  measurePipeline,
  type PipelineReport,
  type StepReport,
} from './measure.js';
import type { Line, Scenario, StageShare, Table, Wish } from './result.js';
import { nsText, QUANTILE_HEADS, quantileCells, quietText } from './time-text.js';
import { judgeLoad, judgeStep, worst } from './verdict.js';

const SECONDS = 1;
const SECONDS_QUICK = 0.25;
const CHANGES = 4;
/** Messages a second and at once: first faster and faster, then more and more together. */
const STEPS = [
  { rate: 10_000, batch: 1 },
  { rate: 50_000, batch: 1 },
  { rate: 200_000, batch: 1 },
  { rate: 50_000, batch: 16 },
  { rate: 50_000, batch: 64 },
] as const;
const STEPS_QUICK = STEPS.slice(1, 4);
/** Messages whose ways are told in a table; the data have some more. */
const WORST_SHOWN = 3;

/** Bytes in, frames out, in this process. */
export const PIPELINE: Scenario = {
  name: 'pipeline',
  summary:
    'bytes in, feed frames out, without a socket: where the time goes, stage by stage, at planned times',
  takes: ['seconds', 'rate', 'changes'],
  seconds: (wish) => stepsOf(wish).length * 2 * secondsOf(wish) + secondsOf(wish) + 0.5,
  async check(wish) {
    for (const { rate, batch } of stepsOf(wish)) {
      const arrivals = { kind: 'bursts', rate, size: batch } as const;
      await checkSize({ arrivals, seconds: secondsOf(wish), subscribers: 1 });
    }
  },
  async run(wish) {
    const meter = new LoadMeter();
    const plan = { steps: stepsOf(wish), seconds: secondsOf(wish), changes: wish.changes ?? CHANGES };
    const report = await measurePipeline(plan, wish.signal);
    const judged = report.steps.map((step) => judgeStep(stepName(step), step));
    if (report.isCut) judged.push({ word: 'FAIL', reasons: ['the run was ended before its time'] });
    return {
      scenario: 'pipeline',
      title: 'Within the engine',
      verdict: worst([judgeLoad(meter.stop()), ...judged]),
      tables: [timesTable(report), ...report.steps.flatMap((step) => [stageTable(step), worstTable(step)])],
      notes: [
        ...(report.isCut
          ? []
          : [`Without a pause ${report.flatOut.toFixed(0)} messages a second go through.`]),
        'Times run from when a message was due. The control is handed the same bytes and adds them up; both take turns, 50 ms each.',
        'Each message is stamped at the end of each stage, which is part of its time.',
      ],
      lines: linesOf(report),
      stages: report.steps.map(sharesOf),
      files: report.steps.flatMap((step) => [
        { name: `pipeline-${fileName(step)}.hgrm`, text: step.engine.hgrm },
        { name: `pipeline-${fileName(step)}.hlog`, text: step.engine.hlog },
      ]),
      data: report,
    };
  },
};

function stepsOf({ isQuick, rate }: Wish): PipelinePlanSteps {
  if (rate !== undefined) return [{ rate, batch: 1 }];
  return isQuick ? STEPS_QUICK : STEPS;
}

type PipelinePlanSteps = readonly { readonly rate: number; readonly batch: number }[];

function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? SECONDS_QUICK : SECONDS);
}

function stepName({ rate, batch }: StepReport): string {
  return batch === 1 ? `${rate}/s` : `${rate}/s, ${batch} at once`;
}

function fileName({ rate, batch }: StepReport): string {
  return `${rate}-${batch}`;
}

function timesTable({ steps }: PipelineReport): Table {
  const rows = steps.flatMap((step) => {
    const row = (name: string, { all, quiet, quietShare }: LineReport): string[][] => [
      [`${stepName(step)}, ${name}`, ...quantileCells(all)],
      [`${stepName(step)}, ${name}, ${quietText(quietShare)}`, ...quantileCells(quiet)],
    ];
    return [...row('engine', step.engine), ...row('control', step.control)];
  });
  return { title: 'from the planned time to the frame', heads: ['messages', ...QUANTILE_HEADS], rows };
}

function stageTable(step: StepReport): Table {
  return {
    title: `${stepName(step)}: by stage`,
    heads: ['stage', ...QUANTILE_HEADS],
    rows: step.stages.map(({ stage, ...times }) => [stage, ...quantileCells(times)]),
  };
}

function worstTable(step: StepReport): Table {
  const names = step.stages.map(({ stage }) => stage).slice(0, -1);
  return {
    title: `${stepName(step)}: the longest`,
    heads: ['from the planned time', 'waited', ...names],
    rows: step.worst
      .slice(0, WORST_SHOWN)
      .map(({ total, waited, stages }) => [
        nsText(total),
        nsText(waited),
        ...stages.map((ns) => (ns === null ? '–' : nsText(ns))),
      ]),
  };
}

/** The engine's, step by step, and the control of the first one. */
function linesOf({ steps }: PipelineReport): readonly Line[] {
  const engine = steps.map((step): Line => {
    const { curve, intervals, intervalHiccups } = step.engine;
    return { name: stepName(step), curve, intervals, hiccups: intervalHiccups };
  });
  const [first] = steps;
  if (first === undefined) return engine;
  const control = { curve: first.control.curve, intervals: [], hiccups: [] };
  return [...engine, { name: `${stepName(first)}, control`, ...control }];
}

function sharesOf(step: StepReport): StageShare {
  return {
    name: stepName(step),
    parts: step.stages.map(({ stage, p50, p99 }) => ({ stage, p50, p99 })),
  };
}
