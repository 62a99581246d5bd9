import { DepthwireError, shown } from '../errors.js';
import { nearest } from '../nearest.js';

/** What may happen to a frame. `late`, `stall` and `farewell` take a time. */
export const FRAME_FAULTS = [
  /** It is never sent. */
  'drop',
  'duplicate',
  /** It is sent behind the next one. */
  'reorder',
  /** Its second half is missing. */
  'truncate',
  /** Another digit stands in place of one of its digits. */
  'corrupt',
  /** A byte that no UTF-8 text has. */
  'garble',
  /** A page for people in its place. */
  'html',
  /** The connection breaks in the middle of it. */
  'cut',
  /** From it on the connection is silent, though open. */
  'stall',
  /** It comes in many TCP segments. */
  'split',
  /** It comes in one TCP segment with the next one. */
  'merge',
  /** It, and what is behind it, comes later. */
  'late',
  /** Behind it the venue announces, where it does so, that the connection is going to end, and ends it after its time. */
  'farewell',
] as const;

/** What may happen to the answer to a request. */
export const ANSWER_FAULTS = [
  'answer-429',
  'answer-418',
  'answer-500',
  'answer-503',
  /** A page for people, with status 200. */
  'answer-html',
  /** The venue's refusal, with status 400. */
  'answer-refused',
  'answer-truncate',
  /** The connection breaks in the middle of it. */
  'answer-cut',
  'answer-late',
  /** The first answer about that instrument again. */
  'answer-old',
  /** The answer about another instrument. */
  'answer-other',
  /** Nothing ever. */
  'answer-never',
] as const;

/** What may happen to a new connection. */
export const CONNECT_FAULTS = [
  /** Status 503. */
  'connect-refused',
  /** Accepted, and never answered. */
  'connect-silent',
  /** Answered, and then nothing. */
  'connect-mute',
] as const;

export const LOGIN_FAULTS = ['login-refused'] as const;

export const FAULTS = [...FRAME_FAULTS, ...ANSWER_FAULTS, ...CONNECT_FAULTS, ...LOGIN_FAULTS] as const;

export type FrameFault = (typeof FRAME_FAULTS)[number];
export type AnswerFault = (typeof ANSWER_FAULTS)[number];
export type ConnectFault = (typeof CONNECT_FAULTS)[number];
export type FaultKind = (typeof FAULTS)[number];

/** One thing that goes wrong, or one each so often. */
export interface Fault {
  readonly kind: FaultKind;
  /** The frame, request, connection or login that it happens to, counted from 1 over the whole venue. */
  readonly at: number;
  /** Each so many from there on it happens again; absent = once. */
  readonly every?: number;
  /** For how long; absent = 1 s for what comes late, for ever for what stalls, the venue's own time for a farewell. */
  readonly ms?: number;
  /** Counts frames of one channel only. */
  readonly channel?: string;
}

const FORM = /^([a-z0-9-]+)(?::([a-z]+))?@(\d{1,9})(?:\/(\d{1,9}))?(?:=(\d{1,9}))?$/;

/** Reads `KIND[:CHANNEL]@N[/EACH][=MS]`. Throws `config.fault`. */
export function parseFault(text: string): Fault {
  const [, kind = '', channel, at, every, ms] = FORM.exec(text) ?? [];
  const known = FAULTS.find((name) => name === kind);
  if (known !== undefined && at !== undefined && Number(at) > 0 && Number(every ?? 1) > 0) {
    return {
      kind: known,
      at: Number(at),
      ...(every === undefined ? {} : { every: Number(every) }),
      ...(ms === undefined ? {} : { ms: Number(ms) }),
      ...(channel === undefined ? {} : { channel }),
    };
  }
  const meant = nearest(kind, FAULTS);
  throw new DepthwireError('config.fault', {
    what: known === undefined ? 'a fault is not known' : 'a fault does not say where it happens',
    where: `--fault ${text}`,
    expected: `KIND@N, KIND@N/EACH or KIND:CHANNEL@N=MS, where KIND is one of ${FAULTS.join(', ')}`,
    got: shown(text),
    fix: `Write for example --fault ${known ?? meant ?? 'drop'}@100.`,
  });
}

/** Says of each frame, answer, connection and login what goes wrong with it. Several faults of one: the first counts. */
export class FaultPlan {
  readonly #faults: Fault[];
  /** How often each fault's own kind of thing has come. */
  readonly #seen = new Map<Fault, number>();
  /** How often each kind of fault happened. */
  readonly happened = new Map<FaultKind, number>();

  constructor(faults: readonly Fault[] = []) {
    this.#faults = [...faults];
  }

  /** From here on: `at` counts what is still to come. */
  add(fault: Fault): void {
    this.#faults.push(fault);
  }

  has(kind: FaultKind): boolean {
    return this.#faults.some((fault) => fault.kind === kind);
  }

  /** The next one of these kinds of faults' things, and its fault if it has one. */
  next(kinds: readonly FaultKind[], channel?: string): Fault | undefined {
    let found: Fault | undefined;
    for (const fault of this.#faults) {
      if (!kinds.includes(fault.kind)) continue;
      if (fault.channel !== undefined && fault.channel !== channel) continue;
      const count = (this.#seen.get(fault) ?? 0) + 1;
      this.#seen.set(fault, count);
      const isDue =
        count === fault.at ||
        (fault.every !== undefined && count > fault.at && (count - fault.at) % fault.every === 0);
      if (isDue) found ??= fault;
    }
    if (found !== undefined) this.happened.set(found.kind, (this.happened.get(found.kind) ?? 0) + 1);
    return found;
  }
}
