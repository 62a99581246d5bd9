/** One stage of messages, ns. */
export interface StageLine {
  readonly stage: string;
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p9999Ns: number;
  readonly maxNs: number;
}

/** Where the server's time goes, as GET /v1/stages tells. */
export interface StagesView {
  /** One message in so many is stamped; 0 = none. */
  readonly every: number;
  readonly clock: string;
  readonly stamped: number;
  readonly all: readonly StageLine[];
  /** Of the instrument in view; none where it has none of its own. */
  readonly own: readonly StageLine[];
  /** Its name. */
  readonly instrument: string;
  /** How stamps are switched on; empty where they are. */
  readonly fix: string;
}

/** What a stage is, for the hover. */
export const STAGE_TITLES: Readonly<Record<string, string>> = {
  decoded: 'Until the bytes were read',
  sequenced: 'Until it was decided whether they continue the book',
  applied: 'Until the book had them',
  encoded: 'Until the frames that follow were written',
  published: 'Until these were handed to the sockets',
  whole: 'From the receipt until the frames were written',
};

/** Reads an answer of GET /v1/stages; null where it is none. */
export function parseStages(value: unknown, instrument = ''): StagesView | null {
  if (!isRecord(value) || typeof value.every !== 'number') return null;
  const list = Array.isArray(value.instruments) ? value.instruments : [];
  const own: unknown = list.find((one: unknown) => isRecord(one) && one.instrument === instrument);
  return {
    every: value.every,
    clock: typeof value.clock === 'string' ? value.clock : '',
    stamped: countOf(value.stamped),
    all: linesOf(value.stages),
    own: isRecord(own) ? linesOf(own.stages) : [],
    instrument,
    fix: typeof value.fix === 'string' ? value.fix : '',
  };
}

function linesOf(value: unknown): readonly StageLine[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    if (!isRecord(entry) || typeof entry.stage !== 'string') return [];
    const { stage, count, p50Ns, p99Ns, p9999Ns, maxNs } = entry;
    const times = {
      p50Ns: countOf(p50Ns),
      p99Ns: countOf(p99Ns),
      p9999Ns: countOf(p9999Ns),
      maxNs: countOf(maxNs),
    };
    return [{ stage, count: countOf(count), ...times }];
  });
}

/** A time to two digits, as precise as those of one instrument are: `480 ns`, `12 µs`, `1.1 ms`. */
export function nsWords(ns: number): string {
  if (ns < 1e3) return `${ns.toFixed(0)} ns`;
  if (ns < 1e6) return `${two(ns / 1e3)} µs`;
  if (ns < 1e9) return `${two(ns / 1e6)} ms`;
  return `${two(ns / 1e9)} s`;
}

/** At least two digits of a number from 1 on. */
function two(number: number): string {
  return number.toFixed(number < 10 ? 1 : 0);
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
