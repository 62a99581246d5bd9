import { LoadMeter } from './machine.js';
import { measureFloor } from './measure.js';
import type { Scenario } from './result.js';
import { nsText, QUANTILE_HEADS, quantileCells } from './time-text.js';
import { judgeFloor } from './verdict.js';

const SECONDS = 6;
const SECONDS_QUICK = 1;

/** What the machine gives, before anything of ours runs on it. */
export const FLOOR: Scenario = {
  name: 'floor',
  summary: 'what the machine gives: clocks, a system call, another core, the loopback, its hiccups',
  takes: ['seconds'],
  seconds: ({ seconds, isQuick }) => seconds ?? (isQuick ? SECONDS_QUICK : SECONDS),
  async run(wish) {
    const meter = new LoadMeter();
    const report = await measureFloor(this.seconds(wish), wish.signal);
    const verdict = judgeFloor(report, meter.stop());
    const once = (ns: number | null): string => (ns === null ? 'absent' : nsText(ns));
    return {
      scenario: 'floor',
      title: 'What the machine gives',
      verdict,
      tables: [
        {
          title: 'once',
          heads: ['what', 'takes'],
          rows: [
            [`a reading of the stamping clock (${report.clock})`, once(report.tickNs)],
            ['a reading of the system’s monotonic clock', once(report.monotonicNs)],
            ['a reading of the time of day', once(report.timeOfDayNs)],
            ['the cheapest system call', once(report.syscallNs)],
            ['from core to core', once(report.coreToCoreNs)],
          ],
        },
        {
          title: 'again and again',
          heads: ['what', ...QUANTILE_HEADS],
          rows: [
            ['128 bytes over the loopback and back', ...quantileCells(report.loopback)],
            ['beyond a sleep of 1 ms', ...quantileCells(report.hiccups)],
            ['stops of a thread that never sleeps', ...quantileCells(report.gaps)],
          ],
        },
      ],
      notes: [
        `A thread that never sleeps was stopped ${report.gapsPerSecond.toFixed(0)} times a second for more than 1 µs, ${(report.gapShare * 100).toFixed(2)} % of the time.`,
      ],
      lines: [
        {
          name: 'hiccups',
          curve: report.hiccupCurve,
          intervals: report.intervals,
          hiccups: report.intervals.map(({ max }) => max),
        },
      ],
      files: [
        { name: 'floor-loopback.hgrm', text: report.hgrm },
        { name: 'floor-hiccups.hlog', text: report.hlog },
      ],
      data: report,
    };
  },
};
