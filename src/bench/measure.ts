import { Measurement } from '#native';
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
  readonly unknown: number;
  readonly late: number;
  readonly counted: number;
  readonly deliveries: number;
  readonly fromPlanned: Quantiles;
  readonly fromPlannedQuiet: Quantiles;
  readonly quietShare: number;
  readonly hiccupNsMax: number;
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
  readonly ended: Fault | null;
}

/** Looks at the machine for so many seconds. Throws `bench.*`. */
export function measureFloor(seconds: number, signal?: AbortSignal): Promise<FloorReport> {
  return measure({ scenario: 'floor', seconds }, signal);
}

/** Runs a plan over the wire. Throws `bench.*` where it cannot begin; what ends it later is part of the report. */
export function measureWire(plan: WirePlan, signal?: AbortSignal): Promise<WireReport> {
  return measure({ scenario: 'wire', ...plan }, signal);
}

async function measure<Report>(plan: object, signal: AbortSignal | undefined): Promise<Report> {
  const measurement = new Measurement(JSON.stringify(plan));
  const cancel = (): void => measurement.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    if (signal?.aborted) cancel();
    const { report, fault } = JSON.parse(await measurement.run()) as {
      readonly report: Report;
      readonly fault?: Fault;
    };
    if (fault !== undefined) throw errorOf(fault);
    return report;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** As an error of this package. */
export function errorOf({ code, ...detail }: Fault): DepthwireError {
  return new DepthwireError(code, detail);
}
