import { Measurement, timelineOf } from '#native';
import { guarded } from '../engine/guarded.js';
import { DepthwireError } from '../errors.js';

/** Times in ns; see `crates/latency/src/quantiles.rs`. */
export interface Quantiles {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p975: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

/** Of a stretch of the counted time, ns. */
export interface Interval {
  readonly fromNs: number;
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** `[share of samples, ns]`. */
export type Curve = readonly (readonly [share: number, ns: number])[];

/** Why a run did not begin, or ended early. */
export interface Fault {
  readonly code: string;
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  readonly fix: string;
}

export interface FloorReport {
  readonly clock: 'tsc' | 'system';
  readonly tickNs: number;
  readonly monotonicNs: number;
  readonly timeOfDayNs: number;
  readonly syscallNs: number | null;
  readonly coreToCoreNs: number | null;
  readonly hiccups: Quantiles;
  readonly gaps: Quantiles;
  readonly gapsPerSecond: number;
  readonly gapShare: number;
  readonly loopback: Quantiles;
  readonly loopbackLate: number;
  readonly isCut: boolean;
  readonly intervals: readonly Interval[];
  readonly hiccupCurve: Curve;
  readonly hgrm: string;
  readonly hlog: string;
}

/** A server, as the generator needs it. */
export interface WireTarget {
  readonly name: string;
  readonly feed: string;
  readonly path: string;
  readonly protocol: string | null;
  readonly subscribe: readonly string[];
  readonly input: string;
  readonly sends: 'updates' | 'frames';
  readonly stalled?: number;
  /** What the process itself uses is no hiccup of the machine. */
  readonly pid?: number;
}

export type Arrivals =
  | { readonly kind: 'even'; readonly rate: number }
  | { readonly kind: 'poisson'; readonly rate: number; readonly seed: number }
  | { readonly kind: 'bursts'; readonly rate: number; readonly size: number };

export interface WirePlan {
  readonly targets: readonly WireTarget[];
  readonly subscribers: number;
  readonly arrivals: Arrivals;
  readonly warmSeconds: number;
  readonly seconds: number;
  readonly blockSeconds: number;
  readonly changes: number;
  readonly drainSeconds: number;
  readonly pauseMs?: number;
}

/** What was found of a target; see `crates/latency/src/deliveries.rs`. */
export interface TargetReport {
  readonly name: string;
  readonly startedMs: number;
  readonly planned: number;
  readonly sent: number;
  readonly lost: number;
  readonly repeated: number;
  readonly disordered: number;
  readonly unknown: number;
  readonly late: number;
  readonly counted: number;
  readonly deliveries: number;
  readonly fromPlanned: Quantiles;
  readonly fromPlannedQuiet: Quantiles;
  readonly quietShare: number | null;
  readonly fromSent: Quantiles;
  readonly closedLoop: Quantiles;
  readonly lateness: Quantiles;
  readonly hiccups: Quantiles;
  readonly skew: Quantiles;
  readonly subscribersP50: readonly [number, number, number];
  readonly subscribersP99: readonly [number, number, number];
  readonly intervals: readonly Interval[];
  readonly intervalHiccups: readonly number[];
  readonly curve: Curve;
  readonly hiccupCurve: Curve;
  readonly hgrm: string;
  readonly hlog: string;
}

export interface WireReport {
  readonly targets: readonly TargetReport[];
  readonly clock: 'tsc' | 'system';
  /** On which the generator was kept, and still was at the end; null where it was not. */
  readonly generatorCore: number | null;
  readonly ended: Fault | null;
}

/** See `crates/latency/src/micro.rs`. */
export interface MicroPlan {
  readonly rounds: number;
  readonly things: number;
  /** Things of which instructions and allocations are counted, 0 to leave it. */
  readonly counted: number;
  /** Work that makes operations worse, for each thing, to prove that it is seen. */
  readonly planted?: { readonly turns?: number; readonly allocations?: number };
}

/** What an operation cost, for each thing done. */
export interface OperationReport {
  readonly name: string;
  /** Nanoseconds in each round. */
  readonly ns: readonly number[];
  readonly instructions: number | null;
  readonly allocations: number | null;
  /** What all came to, in hexadecimal. */
  readonly work: string;
}

/** Operations that were compared; the others are measured by the first. */
export interface GroupReport {
  readonly name: string;
  /** What one of it is. */
  readonly thing: string;
  readonly operations: readonly OperationReport[];
}

export interface MicroReport {
  readonly groups: readonly GroupReport[];
  readonly isCounted: boolean;
  readonly isCut: boolean;
}

/** See `crates/latency/src/pipeline.rs`. */
export interface PipelinePlan {
  readonly steps: readonly { readonly rate: number; readonly batch: number }[];
  readonly seconds: number;
  readonly changes: number;
}

export interface LineReport {
  readonly all: Quantiles;
  readonly quiet: Quantiles;
  readonly quietShare: number | null;
  readonly intervals: readonly Interval[];
  readonly intervalHiccups: readonly number[];
  readonly curve: Curve;
  readonly hgrm: string;
  readonly hlog: string;
}

/** Times of a stage, ns. */
export interface StageTimes {
  readonly stage: string;
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

/** The way of one message, ns: until it was looked at, and by stage up to the encoded one. */
export interface Way {
  readonly total: number;
  readonly waited: number;
  readonly stages: readonly (number | null)[];
}

export interface StepReport {
  readonly rate: number;
  readonly batch: number;
  readonly planned: number;
  /** Messages that the engine had not done soon behind the time in which they were due. */
  readonly late: number;
  readonly engine: LineReport;
  readonly control: LineReport;
  readonly stages: readonly StageTimes[];
  readonly worst: readonly Way[];
  readonly hiccups: Quantiles;
}

export interface PipelineReport {
  readonly steps: readonly StepReport[];
  /** Messages a second that go through without a pause. */
  readonly flatOut: number;
  readonly clock: 'tsc' | 'system';
  readonly isCut: boolean;
}

/** See `crates/latency/src/timeline.rs`. */
export interface TimelineReport {
  readonly all: Quantiles;
  readonly intervals: readonly Interval[];
  readonly curve: Curve;
  readonly hgrm: string;
  readonly hlog: string;
}

/** See `crates/latency/src/hiccup.rs`. */
export interface HiccupReport extends TimelineReport {
  readonly startedMs: number;
  /** What had a great hiccup in it or near it, ns from the beginning, in order. */
  readonly noisy: readonly (readonly [fromNs: number, toNs: number])[];
  /** Nothing is known of what was later. */
  readonly lengthNs: number;
  /** Share of the time that had none; null of no time. */
  readonly quietShare: number | null;
}

/** Samples that were taken here, of all the time and of that without hiccups of the machine. */
export interface SamplesReport extends TimelineReport {
  readonly quiet: Quantiles;
  /** Share of the samples that were so; null of none. */
  readonly quietShare: number | null;
}

/** A log of the machine's hiccups beside something that is measured here, from its making until it is stopped. */
export class HiccupLog {
  readonly #over = new AbortController();
  readonly #report: Promise<HiccupReport>;

  constructor(seconds: number) {
    this.#report = measure({ scenario: 'hiccups', seconds }, this.#over.signal);
    // Who ends early for another reason does not ask for it.
    this.#report.catch(() => {});
  }

  stop(): Promise<HiccupReport> {
    this.#over.abort();
    return this.#report;
  }
}

/** Looks at the machine for so many seconds. Throws `bench.*`. */
export function measureFloor(seconds: number, signal?: AbortSignal): Promise<FloorReport> {
  return measure({ scenario: 'floor', seconds }, signal);
}

/** Measures single operations. Throws `bench.plan`, and `bench.answer` where one of them is wrong. */
export function measureMicro(plan: MicroPlan, signal?: AbortSignal): Promise<MicroReport> {
  return measure({ scenario: 'micro', ...plan }, signal);
}

/** Throws `bench.rate`, `bench.seconds` or `bench.subscribers` where such a run cannot be begun; `seconds` has the warm-up in it. */
export async function checkSize(size: {
  readonly arrivals: Arrivals;
  readonly seconds: number;
  readonly subscribers: number;
}): Promise<void> {
  await measure({ scenario: 'check', ...size }, undefined);
}

/** Runs messages through an engine. Throws `bench.*`. */
export function measurePipeline(plan: PipelinePlan, signal?: AbortSignal): Promise<PipelineReport> {
  return measure({ scenario: 'pipeline', ...plan }, signal);
}

/** Runs a plan over the wire. Throws `bench.*` where it cannot begin; what ends it later is part of the report. */
export function measureWire(plan: WirePlan, signal?: AbortSignal): Promise<WireReport> {
  return measure({ scenario: 'wire', ...plan }, signal);
}

async function measure<Report>(plan: object, signal: AbortSignal | undefined): Promise<Report> {
  const measurement = new Measurement(Buffer.from(JSON.stringify(plan)));
  const cancel = (): void => measurement.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    if (signal?.aborted) cancel();
    return reportOf(await measurement.run());
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

function reportOf<Report>(json: string): Report {
  const { report, fault } = JSON.parse(json) as { readonly report: Report; readonly fault?: Fault };
  if (fault !== undefined) throw errorOf(fault);
  return report;
}

/** Samples that are taken here, 16 bytes each. Beyond `samplesMax` no further one is kept, and `dropped` counts them. */
export class Samples {
  readonly #samplesMax: number;
  readonly #beganMs: number;
  #numbers = new BigUint64Array(2048);
  #length = 0;
  dropped = 0;

  /** `beganMs`: what their times run from, as `performance.now()` has it. */
  constructor(beganMs: number, samplesMax = 5_000_000) {
    this.#beganMs = beganMs;
    this.#samplesMax = samplesMax;
  }

  get count(): number {
    return this.#length / 2;
  }

  /** When it was planned, ns from the beginning, and how long it took. */
  add(plannedNs: number, ns: number): void {
    if (this.count >= this.#samplesMax) {
      this.dropped += 1;
      return;
    }
    if (this.#length === this.#numbers.length) {
      const more = new BigUint64Array(2 * this.#length);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#length] = BigInt(Math.max(0, Math.round(plannedNs)));
    this.#numbers[this.#length + 1] = BigInt(Math.max(0, Math.round(ns)));
    this.#length += 2;
  }

  report(comment: string, { noisy, lengthNs, startedMs }: HiccupReport): SamplesReport {
    const beganMs = performance.timeOrigin + this.#beganMs;
    const all = reportOfSamples(this.#numbers.subarray(0, this.#length), beganMs, comment);
    const offsetNs = (beganMs - startedMs) * 1e6;
    const kept = new BigUint64Array(this.#length);
    let length = 0;
    for (let at = 0; at < this.#length; at += 2) {
      const planned = this.#numbers[at] ?? 0n;
      const ns = Number(planned) + offsetNs;
      if (ns >= lengthNs || isWithin(noisy, ns)) continue;
      kept[length] = planned;
      kept[length + 1] = this.#numbers[at + 1] ?? 0n;
      length += 2;
    }
    const quiet = reportOfSamples(kept.subarray(0, length), beganMs, comment).all;
    return { ...all, quiet, quietShare: this.#length === 0 ? null : length / this.#length };
  }
}

function reportOfSamples(numbers: BigUint64Array, startedMs: number, comment: string): TimelineReport {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return reportOf(guarded(() => timelineOf(bytes, Math.floor(startedMs), comment)));
}

function isWithin(spans: HiccupReport['noisy'], ns: number): boolean {
  let [from, to] = [0, spans.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const [begins, ends] = spans[middle] ?? [0, 0];
    if (ns < begins) to = middle;
    else if (ns >= ends) from = middle + 1;
    else return true;
  }
  return false;
}

/** As an error of this package. */
export function errorOf({ code, ...detail }: Fault): DepthwireError {
  return new DepthwireError(code, detail);
}
