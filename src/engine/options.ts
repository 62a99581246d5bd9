import type { Engine } from '#native';

/** What an engine is opened with. */
export interface EngineOptions {
  /** Names this start of the process in every epoch: its high half. */
  readonly startId: number;
  /**
   * What every instrument's count of resets begins from, the low half of its epochs: a whole number below 2³¹; absent = 0.
   * By chance where another process may have this `startId`, so that no epoch is of both.
   */
  readonly resetsFrom?: number | undefined;
  /** A book whose venue is silent for longer turns stale; 0 = never, absent = as each product allows. */
  readonly silenceMs?: number | undefined;
  /** Time comes from the recording, and frames say so. */
  readonly replay: boolean;
  /** A power of two, from 4 MiB to 1 GiB. */
  readonly outputBytes: number;
  /** Memory for published frames that are kept for readers who come back, up to 64 GiB; 0 or absent = nothing is kept. */
  readonly historyBytes?: number | undefined;
  /** What one stream may keep of it; absent = 1 MiB. */
  readonly historyStreamBytes?: number | undefined;
  /** How long frames are kept at most; absent = 30,000. */
  readonly historyMs?: number | undefined;
  /** One frame in so many that `ingest` takes gets stage stamps, up to 1,000,000; 0 or absent = none. See `stageTimes`. */
  readonly stagesEvery?: number | undefined;
}

/** The addon's declarations know absent options, but none that are `undefined`. */
export function withoutAbsent({
  startId,
  replay,
  ...rest
}: Omit<EngineOptions, 'outputBytes'>): ConstructorParameters<typeof Engine>[0] {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { startId, replay, ...Object.fromEntries(given) };
}

/** A number for this start of the process: tenths of a second, so that a later start has a greater one for 13 years. */
export function startIdNow(): number {
  return Math.floor(Date.now() / 100) >>> 0;
}
