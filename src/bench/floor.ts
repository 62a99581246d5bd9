import { DepthwireError } from '../errors.js';
import { LoadMeter } from './machine.js';
import { measureFloor } from './measure.js';
import type { Scenario, Wish } from './result.js';
import { nsText, QUANTILE_HEADS, quantileCells } from './time-text.js';
import { judgeFloor } from './verdict.js';

const SECONDS = 6;
const SECONDS_QUICK = 1;
/** Some hundred messages over the loopback, and what a run of them may be. */
const SECONDS_MIN = 0.1;
const SECONDS_MAX = 10_000;
/** Messages a second over the loopback in the last third of the time; see `crates/latency/src/floor.rs`. */
const ECHO_RATE = 2000;

/** What the machine gives, before anything of ours runs on it. */
export const FLOOR: Scenario = {
  name: 'floor',
  summary: 'what the machine gives: clocks, a system call, another core, the loopback, its hiccups',
  takes: ['seconds'],
  seconds: secondsOf,
  async check(wish) {
    checkSeconds(secondsOf(wish));
  },
  async run(wish) {
    const seconds = secondsOf(wish);
    checkSeconds(seconds);
    const meter = new LoadMeter();
    const report = await measureFloor(seconds, wish.signal);
    const echoes = echoesIn(seconds);
    const verdict = judgeFloor(report, echoes, meter.stop());
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
        `Of ${echoes} messages over the loopback ${report.loopback.count} came back and ${report.loopbackLate} left late.`,
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

function secondsOf({ seconds, isQuick }: Wish): number {
  return seconds ?? (isQuick ? SECONDS_QUICK : SECONDS);
}

function checkSeconds(seconds: number): void {
  if (seconds >= SECONDS_MIN && seconds <= SECONDS_MAX) return;
  throw new DepthwireError('bench.seconds', {
    what: 'no such duration',
    expected: `${SECONDS_MIN} to ${SECONDS_MAX} s`,
    got: `${seconds} s`,
    fix: `give a ${seconds < SECONDS_MIN ? 'longer' : 'shorter'} --seconds; floor has a rate of its own`,
  });
}

/** Messages that are due over the loopback: a product that is a whole number but for its rounding is that number. */
export function echoesIn(seconds: number): number {
  return Math.floor((seconds / 3) * ECHO_RATE * (1 + 8 * Number.EPSILON));
}
