import { DepthwireError, type ErrorDetail, shown } from '../errors.js';
import { nearest } from '../nearest.js';
import { DEPTH_MAX, INTERVAL_MS_MAX } from '../wire/generated/constants.js';

/** The client's own number or name of a message, sent back with the answer. */
export type MessageId = number | string | undefined;

/** What a client may subscribe to. */
export type Channel =
  | { readonly channel: 'book' }
  | { readonly channel: 'depth'; readonly depth: number; readonly intervalMs: number }
  | { readonly channel: 'bbo'; readonly source: 'book' | 'venue' }
  | { readonly channel: 'trades' }
  | { readonly channel: 'status' };

/** One control message of a client, checked. */
export type Control =
  | {
      readonly op: 'subscribe' | 'unsubscribe' | 'resync';
      readonly id: MessageId;
      readonly instrument: string;
      readonly channel: Channel;
    }
  | { readonly op: 'ping'; readonly id: MessageId };

/** A control message, or what is wrong with it. */
export type Parsed =
  | { readonly ok: true; readonly control: Control }
  | { readonly ok: false; readonly id: MessageId; readonly error: DepthwireError };

export const DEPTH_DEFAULT = 20;
export const INTERVAL_MS_DEFAULT = 100;
const ID_LENGTH_MAX = 64;

const OPS = ['subscribe', 'unsubscribe', 'resync', 'ping'] as const;
const CHANNELS = ['book', 'depth', 'bbo', 'trades', 'status'] as const;
const SOURCES = ['book', 'venue'] as const;

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
    const instrument = message.instrument;
    if (typeof instrument !== 'string' || instrument === '') {
      throw fault('feed.bad_field', {
        what: 'the instrument is missing or is no text',
        where: `${op}.instrument`,
        expected: 'a name like those of /v1/instruments, venue:SYMBOL',
        got: shown(instrument),
        fix: 'Name an instrument of /v1/instruments.',
      });
    }
    return { ok: true, control: { op, id, instrument, channel } };
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    return { ok: false, id, error };
  }
}

/** Names a subscription within its client and instrument. */
export function channelKey(channel: Channel): string {
  switch (channel.channel) {
    case 'depth':
      return `depth/${channel.depth}/${channel.intervalMs}`;
    case 'bbo':
      return `bbo/${channel.source}`;
    default:
      return channel.channel;
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
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw fault('feed.bad_json', {
    what: 'a control message is no JSON object',
    where: 'message',
    expected: 'a JSON object',
    got: shown(value),
    fix: 'Send one JSON object per message, as docs/protocol.md shows.',
  });
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

function channelOf(message: Record<string, unknown>, op: string): Channel {
  const channel = oneOf(CHANNELS, message.channel, `${op}.channel`, 'feed.unknown_channel');
  switch (channel) {
    case 'depth':
      return {
        channel,
        depth: integer(message.depth, `${op}.depth`, 1, DEPTH_MAX, DEPTH_DEFAULT),
        intervalMs: integer(message.intervalMs, `${op}.intervalMs`, 0, INTERVAL_MS_MAX, INTERVAL_MS_DEFAULT),
      };
    case 'bbo':
      return { channel, source: oneOf(SOURCES, message.source ?? 'book', `${op}.source`, 'feed.bad_field') };
    default:
      return { channel };
  }
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
