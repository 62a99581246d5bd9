import type { Curve, Interval } from './measure.js';
import type { Verdict } from './verdict.js';

/** Rows of text under heads; the first cell names the row. */
export interface Table {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a chart shows of a line. Times in ns. */
export interface Line {
  readonly name: string;
  readonly curve: Curve;
  readonly intervals: readonly Interval[];
  /** The worst hiccup of the machine in each of the intervals. */
  readonly hiccups: readonly number[];
}

/** Where the time of messages went, ns. */
export interface StageShare {
  readonly name: string;
  readonly parts: readonly { readonly stage: string; readonly p50: number; readonly p99: number }[];
}

/** What a scenario found. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly title: string;
  readonly verdict: Verdict;
  readonly tables: readonly Table[];
  /** How to read them, a line each. */
  readonly notes: readonly string[];
  readonly lines: readonly Line[];
  readonly stages?: readonly StageShare[];
  /** Percentile tables and interval logs, by their file's name. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** What was measured, as it was measured. */
  readonly data: unknown;
}

/** What a scenario is told. All have their own idea of what is absent. */
export interface Wish {
  readonly seconds?: number;
  readonly rate?: number;
  readonly subscribers?: readonly number[];
  readonly changes?: number;
  readonly arrivals?: 'even' | 'poisson' | 'bursts';
  /** Of p99, for the search of the highest rate. */
  readonly limitUs?: number;
  /** Recordings, or what is compared. */
  readonly files?: readonly string[];
  /** Further servers in the same run: `ws`, or programs with their arguments. */
  readonly beside?: readonly string[];
  /** Whether what is found is written as what later runs are held to. */
  readonly record?: boolean;
  /** What is said to a venue when its line is open. */
  readonly say?: readonly string[];
  /** Whose the recordings are, where they do not say it: `venue:SYMBOL`. */
  readonly instruments?: readonly string[];
  /** Names of two of their lines. */
  readonly lines?: readonly [string, string];
  readonly isQuick: boolean;
  readonly signal?: AbortSignal;
}

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** What of a wish it heeds, beside how quick it is and of what files. */
  readonly takes: readonly (keyof Wish)[];
  /** How long it takes, about. */
  seconds(wish: Wish): number;
  /** Throws what a run would not begin with, before another one takes its minutes. */
  check?(wish: Wish): Promise<void>;
  run(wish: Wish): Promise<ScenarioResult>;
}
