import type { StageTime, StageTimes } from '../engine.js';
import { errorAnswer, json } from './answers.js';
import type { Grant } from './auth/grant.js';
import type { HttpContext } from './http.js';
import { seenBy, servedInstrument, unknownInstrument } from './served-instrument.js';
import type { Answer } from './transport.js';

export const STAGES_PATH = '/v1/stages';

/** What the engine is asked for is handed out again for so long. */
const KEPT_MS = 250;

/** The engine's stage times as the server tells them. */
export interface Stages extends StageTimes {
  /** Whether `published` is known: the process of the engine has the clients. */
  readonly hasPublished: boolean;
}

/** Asks the engine for its stage times, at most four times a second. */
export class StageReport {
  readonly #ask: () => StageTimes | null;
  readonly #hasPublished: boolean;
  #kept: Stages | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(ask: () => StageTimes | null, hasPublished: boolean) {
    this.#ask = ask;
    this.#hasPublished = hasPublished;
  }

  /** `nowMs` is monotonic. Undefined where no message is stamped. */
  stages(nowMs: number): Stages | undefined {
    if (nowMs - this.#askedMs < KEPT_MS) return this.#kept;
    const times = this.#ask();
    this.#kept = times === null ? undefined : { ...times, hasPublished: this.#hasPublished };
    this.#askedMs = nowMs;
    return this.#kept;
  }
}

/** One stage as `/v1/stages` has it. */
interface StageRow {
  readonly stage: string;
  readonly count: number;
  readonly meanNs: number;
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly p9999Ns: number;
  readonly maxNs: number;
}

/** Answers `/v1/stages`: of all messages, and of one instrument or of all that have times of their own. */
export function stagesAnswer(query: string, context: HttpContext, grant: Grant): Answer {
  const times = context.stages();
  if (times === undefined) return json('200 OK', OFF);
  const name = new URLSearchParams(query).get('instrument');
  const instruments = seenBy(grant, context.instruments);
  const wanted = name === null ? undefined : servedInstrument(name, instruments);
  if (name !== null && wanted === undefined)
    return errorAnswer('404 Not Found', unknownInstrument(name, instruments, 'instrument'));
  const names = new Map([...instruments.values()].map((one) => [one.id, one.name]));
  const rows = (stages: readonly StageTime[]): readonly StageRow[] =>
    stages.filter(({ stage }) => times.hasPublished || stage !== 'published').map(stageRow);
  const { clock, every, stamped, unread, unpublished, instrumentsMax } = times;
  return json('200 OK', {
    clock,
    every,
    stamped,
    unread,
    unpublished: times.hasPublished ? unpublished : null,
    stages: rows(times.all),
    instruments: times.instruments.flatMap(({ instrument, stages }) => {
      const known = names.get(instrument);
      const isWanted = known !== undefined && (wanted === undefined || wanted.id === instrument);
      return isWanted ? [{ instrument: known, stages: rows(stages) }] : [];
    }),
    instrumentsMax,
    others: rows(times.others),
    fix: '',
  });
}

function stageRow({ stage, count, sumNs, maxNs, quantilesNs }: StageTime): StageRow {
  const [p50Ns = 0, p90Ns = 0, p99Ns = 0, p999Ns = 0, p9999Ns = 0] = quantilesNs;
  const meanNs = count === 0 ? 0 : Math.round(sumNs / count);
  return { stage, count, meanNs, p50Ns, p90Ns, p99Ns, p999Ns, p9999Ns, maxNs };
}

/** What is told where nothing is stamped: a page asks without knowing, and that is no fault of its. */
const OFF = {
  clock: 'none',
  every: 0,
  stamped: 0,
  unread: 0,
  unpublished: null,
  stages: [],
  instruments: [],
  instrumentsMax: 0,
  others: [],
  fix: 'Start the server with --stages, or write stages = true under [metrics].',
};
