import { DepthwireError, shown } from '../errors.js';
import { TIME_FORM, timeNs } from '../time-text.js';
import { errorAnswer, json } from './answers.js';
import { replayChangeSchema } from './http-schemas.js';
import type { Answer } from './transport.js';

export const REPLAY_PATH = '/v1/replay';

/** Recorded seconds that pass in one; `max` = as fast as the slowest reader takes it. */
type Speed = number | 'max';

/** Where a replay stands. Times are of the recording, ns since the epoch; null = not known. */
export interface ReplayStanding {
  readonly state: 'starting' | 'running' | 'paused' | 'seeking' | 'ended' | 'failed';
  readonly clockNs: bigint | null;
  readonly beginNs: bigint | null;
  readonly endNs: bigint | null;
  readonly speed: Speed;
  readonly isPaused: boolean;
  readonly seekNs: bigint | null;
  readonly skipsIdle: boolean;
  readonly loops: boolean;
  readonly passes: number;
}

/** A replay as clients see and change it. Whoever runs it hands it in. */
export interface Replayed {
  status(): ReplayStanding;
  change(change: {
    readonly isPaused?: boolean;
    readonly speed?: Speed;
    readonly skipsIdle?: boolean;
    readonly seekNs?: bigint;
  }): void;
}

/** Where the replay stands, with 64-bit numbers as texts. */
export function replayJson(replay: Replayed): object {
  const { state, clockNs, beginNs, endNs, speed, isPaused, seekNs, skipsIdle, loops, passes } =
    replay.status();
  const text = (ns: bigint | null): string | null => (ns === null ? null : String(ns));
  return {
    state,
    clockNs: text(clockNs),
    beginNs: text(beginNs),
    endNs: text(endNs),
    seekNs: text(seekNs),
    speed,
    paused: isPaused,
    skipIdle: skipsIdle,
    loop: loops,
    passes,
  };
}

/** The answer to GET: where it stands, or that nothing is replayed here. */
export function replayAnswer(replay: Replayed | undefined): Answer {
  return replay === undefined ? errorAnswer('404 Not Found', noReplay()) : json('200 OK', replayJson(replay));
}

/** The answer to POST with this body; undefined = a body that is too long. */
export function changeReplay(body: string | undefined, replay: Replayed | undefined): Answer {
  if (replay === undefined) return errorAnswer('404 Not Found', noReplay());
  if (body === undefined) return errorAnswer('413 Content Too Large', tooLong());
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return errorAnswer('400 Bad Request', badChange('body', 'JSON', shown(body)));
  }
  const parsed = replayChangeSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    return errorAnswer('400 Bad Request', badChange(where || 'body', issue?.message ?? FORM, shown(value)));
  }
  const { paused, speed, skipIdle, seek } = parsed.data;
  const seekNs = seek === undefined ? undefined : timeNs(seek);
  if (seek !== undefined && seekNs === undefined)
    return errorAnswer('400 Bad Request', badChange('seek', TIME_FORM, shown(seek)));
  if (replay.status().state === 'failed') return errorAnswer('409 Conflict', failed());
  replay.change({
    ...(paused === undefined ? {} : { isPaused: paused }),
    ...(speed === undefined ? {} : { speed }),
    ...(skipIdle === undefined ? {} : { skipsIdle: skipIdle }),
    ...(seekNs === undefined ? {} : { seekNs }),
  });
  return json('200 OK', replayJson(replay));
}

const FORM = '{"paused": true}, and any of "speed", "seek", "skipIdle"';

function noReplay(): DepthwireError {
  return new DepthwireError('replay.none', {
    what: 'this server replays nothing: its books are of now',
    where: REPLAY_PATH,
    expected: 'a server of recordings',
    got: 'live sources or the embedded venue',
    fix: 'Start one with --replay FILE.',
  });
}

function failed(): DepthwireError {
  return new DepthwireError('replay.failed', {
    what: 'the recording could not be read, and its replay is over',
    where: REPLAY_PATH,
    expected: 'a replay that goes on',
    got: 'one that has failed',
    fix: 'Look at the log of the server for the reason, and start it anew.',
  });
}

function tooLong(): DepthwireError {
  return new DepthwireError('http.body_too_long', {
    what: 'what was sent is longer than any change of a replay',
    where: 'body',
    expected: `at most 4096 bytes: ${FORM}`,
    got: 'more',
    fix: 'Send the members that are to change, and nothing else.',
  });
}

function badChange(where: string, expected: string, got: string): DepthwireError {
  return new DepthwireError('replay.bad_change', {
    what: 'this is no change of a replay',
    where,
    expected,
    got,
    fix: `Send JSON, as in ${FORM}.`,
  });
}
