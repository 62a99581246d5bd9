import type { BringBy, StreamPlace } from '../engine.js';
import { DepthwireError, type ErrorDetail, shown } from '../errors.js';
import { isPattern } from '../name-pattern.js';
import { nearest } from '../nearest.js';
import {
  BPS_MAX,
  COSTS_MAX,
  DEPTH_MAX,
  INTERVAL_MS_MAX,
  VPIN_BUCKETS,
  VPIN_BUCKETS_MAX,
  WINDOW_MS_MAX,
  WINDOW_MS_MIN,
} from '../wire/generated/constants.js';
import { type Channel, isOfEvents, type Mode, SERVED_CHANNELS } from './channels.js';

/** The client's own number or name of a message, sent back with the answer. */
export type MessageId = number | string | undefined;

/** Where a reader stands that comes back. */
export interface Resume extends StreamPlace {
  readonly by: BringBy;
}

/** What a message is about: a channel of one instrument or of several. */
interface About {
  readonly id: MessageId;
  readonly channel: Channel;
  /** Names, or patterns of them; at least one, each once. */
  readonly instruments: readonly string[];
  /** One name was given, and no list or pattern. */
  readonly isSingle: boolean;
}

export interface Subscribe extends About {
  readonly op: 'subscribe';
  readonly mode: Mode | undefined;
  /** By the instrument's name as the message has it. */
  readonly resume: ReadonlyMap<string, Resume>;
}

export interface Unsubscribe extends About {
  readonly op: 'unsubscribe';
}

export interface Resync extends About {
  readonly op: 'resync';
}

/** One control message of a client, checked. */
export type Control = Subscribe | Unsubscribe | Resync | { readonly op: 'ping'; readonly id: MessageId };

/** A control message, or what is wrong with it. */
export type Parsed =
  | { readonly ok: true; readonly control: Control }
  | { readonly ok: false; readonly id: MessageId; readonly error: DepthwireError };

export const DEPTH_DEFAULT = 20;
export const INTERVAL_MS_DEFAULT = 100;
export const WINDOW_MS_DEFAULT = 60_000;
/** Basis points of costs where nothing is asked for. */
const BPS_DEFAULT = [5, 10, 25, 50];
export const ID_LENGTH_MAX = 64;

const OPS = ['subscribe', 'unsubscribe', 'resync', 'ping'] as const;
export const SOURCES = ['book', 'venue'] as const;
export const MODES = ['conflate', 'strict'] as const;
export const BYS = ['range', 'net'] as const;
/** A decimal above 0, as far as an expression can say it. */
export const GROUPING = /^(?=.*[1-9])\d{1,18}(\.\d{1,18})?$/;
const U64_MAX = 2n ** 64n - 1n;

const NO_RESUME: ReadonlyMap<string, Resume> = new Map();

/**
 * Reads one control message of docs/protocol.md. Fields that it does not know are ignored, so that an older server
 * understands a newer client. Never throws: what is wrong comes back with the message's id where that can be read.
 */
export function parseControl(text: string): Parsed {
  let id: MessageId;
  try {
    const message = objectOf(text);
    id = idOf(message.id);
    const op = oneOf(OPS, message.op, 'op', 'feed.unknown_op');
    if (op === 'ping') return { ok: true, control: { op, id } };
    const channel = channelOf(message, op);
    const instruments = instrumentsOf(message, op);
    const [first = ''] = instruments;
    const isSingle = message.instruments === undefined && !isPattern(first);
    const about = { id, channel, instruments, isSingle };
    if (op !== 'subscribe') return { ok: true, control: { op, ...about } };
    const { mode: wanted } = message;
    const mode = wanted === undefined ? undefined : oneOf(MODES, wanted, `${op}.mode`, 'feed.bad_field');
    if (mode === 'conflate' && isOfEvents(channel)) throw neverThinned(channel);
    const preset = isOfEvents(channel) || mode === 'strict' ? 'range' : 'net';
    return { ok: true, control: { op, ...about, mode, resume: resumeOf(message, isSingle, first, preset) } };
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    return { ok: false, id, error };
  }
}

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fault('feed.bad_json', {
      what: 'a control message is no JSON',
      where: 'message',
      expected: 'a JSON object',
      got: shown(text),
      fix: 'Send one JSON object per message, as docs/protocol.md shows.',
      cause,
    });
  }
  if (isObject(value)) return value;
  throw fault('feed.bad_json', {
    what: 'a control message is no JSON object',
    where: 'message',
    expected: 'a JSON object',
    got: shown(value),
    fix: 'Send one JSON object per message, as docs/protocol.md shows.',
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function idOf(id: unknown): MessageId {
  if (id === undefined || Number.isSafeInteger(id)) return id as MessageId;
  if (typeof id === 'string' && id.length <= ID_LENGTH_MAX) return id;
  throw fault('feed.bad_field', {
    what: 'the id of a message cannot be sent back exactly',
    where: 'id',
    expected: `an integer within 2^53 or a text of at most ${ID_LENGTH_MAX} characters`,
    got: shown(id),
    fix: 'Number your messages from 1.',
  });
}

/** The names and patterns of a message, each once. */
function instrumentsOf({ instrument, instruments }: Record<string, unknown>, op: string): readonly string[] {
  if (instruments === undefined) {
    if (typeof instrument === 'string' && instrument !== '') return [instrument];
    throw fault('feed.bad_field', {
      what: 'the instrument is missing or is no text',
      where: `${op}.instrument`,
      expected: 'a name like those of /v1/instruments, venue:SYMBOL',
      got: shown(instrument),
      fix: 'Name an instrument of /v1/instruments.',
    });
  }
  const isList = Array.isArray(instruments) && instruments.length > 0 && instrument === undefined;
  if (isList && instruments.every((name) => typeof name === 'string' && name !== '')) {
    return [...new Set(instruments as readonly string[])];
  }
  throw fault('feed.bad_field', {
    what: 'the instruments are no list of names, or a single one is named beside them',
    where: `${op}.instruments`,
    expected: 'a list of names and patterns such as "venue:BTC/USD" and "venue:BTC-*", and no instrument',
    got: shown(instruments),
    fix: 'Give either instrument, or instruments with at least one name.',
  });
}

function channelOf(message: Record<string, unknown>, op: string): Channel {
  const channel = oneOf(SERVED_CHANNELS, message.channel, `${op}.channel`, 'feed.unknown_channel');
  switch (channel) {
    case 'depth': {
      const grouping = groupingOf(message.grouping, `${op}.grouping`);
      return {
        channel,
        depth: integer(message.depth, `${op}.depth`, 1, DEPTH_MAX, DEPTH_DEFAULT),
        intervalMs: integer(message.intervalMs, `${op}.intervalMs`, 0, INTERVAL_MS_MAX, INTERVAL_MS_DEFAULT),
        ...(grouping === undefined ? {} : { grouping }),
      };
    }
    case 'volumes': {
      const grouping = groupingOf(message.grouping, `${op}.grouping`);
      return {
        channel,
        intervalMs: integer(message.intervalMs, `${op}.intervalMs`, 0, INTERVAL_MS_MAX, INTERVAL_MS_DEFAULT),
        ...(grouping === undefined ? {} : { grouping }),
      };
    }
    case 'costs': {
      const intervalMs = message.intervalMs;
      return {
        channel,
        intervalMs: integer(intervalMs, `${op}.intervalMs`, 0, INTERVAL_MS_MAX, INTERVAL_MS_DEFAULT),
        ...costsOf(message, op),
      };
    }
    case 'signals': {
      const { intervalMs, windowMs } = message;
      return {
        channel,
        intervalMs: integer(intervalMs, `${op}.intervalMs`, 0, INTERVAL_MS_MAX, INTERVAL_MS_DEFAULT),
        windowMs: integer(windowMs, `${op}.windowMs`, WINDOW_MS_MIN, WINDOW_MS_MAX, WINDOW_MS_DEFAULT),
        ...vpinOf(message, op),
      };
    }
    case 'bbo':
      return { channel, source: oneOf(SOURCES, message.source ?? 'book', `${op}.source`, 'feed.bad_field') };
    default:
      return { channel };
  }
}

function costsOf(
  message: Record<string, unknown>,
  op: string,
): { readonly quantities: readonly string[]; readonly bps: readonly number[] } {
  const { quantities = [] } = message;
  const { bps = Array.isArray(quantities) && quantities.length > 0 ? [] : BPS_DEFAULT } = message;
  const areRight =
    Array.isArray(quantities) &&
    Array.isArray(bps) &&
    quantities.length + bps.length >= 1 &&
    quantities.length + bps.length <= COSTS_MAX &&
    quantities.every((qty) => typeof qty === 'string' && GROUPING.test(qty)) &&
    bps.every((band) => Number.isInteger(band) && band >= 1 && band <= BPS_MAX);
  if (areRight) return { quantities: quantities as string[], bps: bps as number[] };
  throw fault('feed.bad_field', {
    what: 'these are no quantities and basis points to tell the costs of',
    where: `${op}.quantities`,
    expected: `1 to ${COSTS_MAX} in all: quantities as decimals above 0 in texts, and bps as integers from 1 to ${BPS_MAX}`,
    got: shown({ quantities, bps }),
    fix: 'Name at least one, such as quantities ["0.1","1"] or bps [10].',
  });
}

function vpinOf(
  { vpinVolume, vpinBuckets }: Record<string, unknown>,
  op: string,
): { readonly vpinVolume?: string; readonly vpinBuckets?: number } {
  if (vpinVolume === undefined && vpinBuckets === undefined) return {};
  if (typeof vpinVolume === 'string' && GROUPING.test(vpinVolume)) {
    const buckets = integer(vpinBuckets, `${op}.vpinBuckets`, 1, VPIN_BUCKETS_MAX, VPIN_BUCKETS);
    return { vpinVolume, vpinBuckets: buckets };
  }
  throw fault('feed.bad_field', {
    what: 'the volume of a bucket of VPIN is missing or is no quantity',
    where: `${op}.vpinVolume`,
    expected: 'a decimal above 0 as a text, such as "5"',
    got: shown(vpinVolume),
    fix: 'Leave vpinVolume and vpinBuckets out for signals without VPIN, or give the volume as a text.',
  });
}

function groupingOf(value: unknown, where: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && GROUPING.test(value)) return value;
  throw fault('feed.bad_field', {
    what: 'the grouping of a view is no step of prices',
    where,
    expected: 'a decimal above 0 as a text, such as "0.5"',
    got: shown(value),
    fix: 'Leave it out for single prices, or give the step as a text.',
  });
}

function resumeOf(
  { resume }: Record<string, unknown>,
  isSingle: boolean,
  first: string,
  preset: BringBy,
): ReadonlyMap<string, Resume> {
  if (resume === undefined) return NO_RESUME;
  if (isSingle && isObject(resume)) return new Map([[first, placeOf(resume, 'subscribe.resume', preset)]]);
  if (!Array.isArray(resume)) throw badResume('subscribe.resume', resume);
  const places = new Map<string, Resume>();
  for (const [at, entry] of resume.entries()) {
    const where = `subscribe.resume[${at}]`;
    if (!isObject(entry) || typeof entry.instrument !== 'string') throw badResume(where, entry);
    places.set(entry.instrument, placeOf(entry, where, preset));
  }
  return places;
}

function placeOf(entry: Record<string, unknown>, where: string, preset: BringBy): Resume {
  const by = entry.by === undefined ? preset : oneOf(BYS, entry.by, `${where}.by`, 'feed.bad_field');
  // The net change of events would leave some of them out.
  const used = preset === 'range' ? 'range' : by;
  return { epoch: unsigned(entry, 'epoch', where), seq: unsigned(entry, 'seq', where), by: used };
}

function unsigned(entry: Record<string, unknown>, name: string, where: string): bigint {
  const text = entry[name];
  if (typeof text === 'string' && /^\d{1,20}$/.test(text)) {
    const value = BigInt(text);
    if (value <= U64_MAX) return value;
  }
  throw badResume(where, entry);
}

function badResume(where: string, got: unknown): DepthwireError {
  return fault('feed.bad_field', {
    what: 'this does not say where a reader stands',
    where,
    expected:
      '{"epoch":"…","seq":"…"} for one instrument, or a list of such with "instrument", as unsigned texts',
    got: shown(got),
    fix: 'Give the epoch and seq of the last frame that was applied, or leave resume out for an image.',
  });
}

function neverThinned({ channel }: Channel): DepthwireError {
  return fault('feed.bad_field', {
    what: 'frames of this channel are events, and none of them is ever left out',
    where: 'subscribe.mode',
    expected: 'strict, or no mode',
    got: `conflate of ${channel}`,
    fix: 'Leave the mode out.',
  });
}

function integer(value: unknown, where: string, min: number, max: number, preset: number): number {
  if (value === undefined) return preset;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw fault('feed.bad_field', {
    what: 'a number is outside its range',
    where,
    expected: `an integer from ${min} to ${max}`,
    got: shown(value),
    fix: `Leave it out for ${preset}, or choose one from ${min} to ${max}.`,
  });
}

function oneOf<const T extends readonly string[]>(
  known: T,
  value: unknown,
  where: string,
  code: string,
): T[number] {
  const found = known.find((name) => name === value);
  if (found !== undefined) return found;
  const meant = typeof value === 'string' ? nearest(value, known) : undefined;
  throw fault(code, {
    what: 'a control message names what does not exist',
    where,
    expected: known.join(', '),
    got: shown(value),
    fix: meant === undefined ? `Use one of ${known.join(', ')}.` : `Write ${meant}.`,
  });
}

function fault(code: string, detail: ErrorDetail): DepthwireError {
  return new DepthwireError(code, detail);
}
