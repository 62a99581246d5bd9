import { ServerError } from './errors.js';
import { STATE } from './generated/constants.js';
import type { BookState } from './protocol.js';

/** What a server takes that does not say. */
const CONTROL_BYTES_MAX = 4096;

/** What may be subscribed to. */
export type ChannelName =
  | 'book'
  | 'depth'
  | 'bbo'
  | 'trades'
  | 'orders'
  | 'ticker'
  | 'liquidations'
  | 'trading'
  | 'volumes'
  | 'costs'
  | 'signals'
  | 'status';

/** Where a top of book comes from: the engine's book, or the venue's own message. */
export type BboSource = 'book' | 'venue';

/** Whether the server may merge changes for a reader that is slow, or closes it instead. */
export type Mode = 'conflate' | 'strict';

/** How a reader that missed something is brought to the present: by each frame that it missed, or by the net change. */
export type By = 'range' | 'net';

/**
 * What brought it there. `nothing`: it had missed nothing, and a check tells what is doubted of a book by now. `image`: what it
 * had was replaced, because the server holds what is between no longer.
 */
export type Brought = 'nothing' | By | 'image';

/** What a subscription asks for; together it names the subscription. */
export interface Topic {
  readonly channel: ChannelName;
  readonly instrument: string;
  readonly depth?: number;
  readonly intervalMs?: number;
  readonly grouping?: string;
  readonly quantities?: readonly string[];
  readonly bps?: readonly number[];
  readonly windowMs?: number;
  readonly vpinVolume?: string;
  readonly vpinBuckets?: number;
  readonly source?: BboSource;
  readonly mode?: Mode;
}

/** How the server brings a subscription that was away: from its last sequence to the present one. */
export interface Resumed {
  readonly by: Brought;
  readonly from: bigint;
  readonly to: bigint;
}

/** What the server granted. Exponents are powers of ten; tick and lot are mantissas, 0 = unknown. */
export interface Granted {
  readonly op: 'subscribed';
  readonly id: number;
  readonly channel: string;
  readonly instrument: string;
  readonly instrumentId: number;
  readonly stream: number;
  readonly state: BookState;
  readonly reason: string;
  /** Where the stream stands. */
  readonly epoch: bigint;
  readonly seq: bigint;
  readonly priceExponent: number;
  readonly qtyExponent: number;
  readonly tickSize: number;
  readonly lotSize: number;
  readonly qtyUnit: string;
  readonly depth: number | undefined;
  readonly intervalMs: number | undefined;
  readonly grouping: string | undefined;
  readonly mode: string | undefined;
  /** The instrument came later than the pattern that it fits. */
  readonly isAdded: boolean;
  /** Undefined where nothing was asked for. */
  readonly resume: Resumed | undefined;
}

/** A stream of an instrument, as the server names it. */
export interface StreamName {
  readonly channel: string;
  readonly instrument: string;
  readonly stream: number | undefined;
}

/** The greeting of a server, and what it takes. */
export interface Hello {
  readonly op: 'hello';
  readonly protocol: string;
  readonly version: string;
  /** How often the server is heard at least, ms; 0 = it promises nothing, undefined = it does not know of heartbeats. */
  readonly heartbeatMs: number | undefined;
  /** The longest control message that the server takes. */
  readonly controlBytesMax: number;
}

export type ControlMessage =
  | Hello
  | Granted
  | { readonly op: 'matched'; readonly id: number; readonly instruments: number }
  | ({ readonly op: 'removed'; readonly reason: string } & StreamName)
  | {
      readonly op: 'slow';
      readonly state: 'behind';
      readonly streams: readonly (StreamName & { readonly epoch: bigint; readonly seq: bigint })[];
    }
  | ({ readonly op: 'slow'; readonly state: 'rejoined' } & StreamName & Resumed)
  | { readonly op: 'unsubscribed' }
  | { readonly op: 'pong'; readonly id: number; readonly serverMs: number }
  | {
      readonly op: 'error';
      readonly id: number | undefined;
      /** Which of several instruments it is about; undefined where the server does not say. */
      readonly instrument: string | undefined;
      readonly error: ServerError;
    }
  | { readonly op: 'shutdown'; readonly reason: string; readonly reconnectMs: number | undefined }
  | { readonly op: 'heartbeat' }
  | { readonly op: 'unknown' };

/** Reads a control message of the server; messages of unknown kinds are `unknown`. Throws `feed.bad_control`. */
export function parseControl(text: string): ControlMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badControl('a JSON object', text.slice(0, 60), cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badControl('a JSON object', text.slice(0, 60));
  }
  const message = new Fields(value as Record<string, unknown>);
  switch (message.text('op')) {
    case 'hello':
      return {
        op: 'hello',
        protocol: message.text('protocol'),
        version: message.text('version'),
        heartbeatMs: message.has('heartbeatMs') ? message.integer('heartbeatMs') : undefined,
        controlBytesMax: message.part('limits').above0('controlBytesMax') ?? CONTROL_BYTES_MAX,
      };
    case 'subscribed':
      return {
        op: 'subscribed',
        id: message.integer('id'),
        channel: message.text('channel'),
        instrument: message.text('instrument'),
        instrumentId: message.integer('instrumentId'),
        stream: message.integer('stream'),
        state: message.state('state'),
        reason: message.text('reason'),
        epoch: BigInt(message.digits('epoch')),
        seq: BigInt(message.digits('seq')),
        priceExponent: message.integer('priceExponent'),
        qtyExponent: message.integer('qtyExponent'),
        tickSize: message.integer('tickSize'),
        lotSize: message.integer('lotSize'),
        qtyUnit: message.text('qtyUnit'),
        depth: message.has('depth') ? message.integer('depth') : undefined,
        intervalMs: message.has('intervalMs') ? message.integer('intervalMs') : undefined,
        grouping: message.has('grouping') ? message.text('grouping') : undefined,
        mode: message.has('mode') ? message.text('mode') : undefined,
        isAdded: message.is('added'),
        resume: message.has('resume') ? resumed(message.part('resume')) : undefined,
      };
    case 'matched':
      return { op: 'matched', id: message.integer('id'), instruments: message.integer('instruments') };
    case 'removed':
      return { op: 'removed', reason: message.textOr('reason', 'not said'), ...streamName(message) };
    case 'slow':
      return slow(message);
    case 'unsubscribed':
      return { op: 'unsubscribed' };
    case 'pong':
      return { op: 'pong', id: message.integer('id'), serverMs: Number(message.digits('ts')) / 1e6 };
    case 'error':
      return {
        op: 'error',
        id: message.has('id') ? message.integer('id') : undefined,
        instrument: message.has('instrument') ? message.text('instrument') : undefined,
        error: new ServerError({
          code: message.text('code'),
          what: message.textOr('what', 'not said'),
          where: message.textOr('where', 'not said'),
          expected: message.textOr('expected', 'not said'),
          got: message.textOr('got', 'not said'),
          fix: message.textOr('fix', 'not said'),
        }),
      };
    case 'shutdown':
      return {
        op: 'shutdown',
        reason: message.textOr('reason', 'not said'),
        reconnectMs: message.above0('reconnectMs'),
      };
    case 'heartbeat':
      return { op: 'heartbeat' };
    default:
      return { op: 'unknown' };
  }
}

function streamName(message: Fields): StreamName {
  return {
    channel: message.text('channel'),
    instrument: message.text('instrument'),
    stream: message.has('stream') ? message.integer('stream') : undefined,
  };
}

function resumed(message: Fields): Resumed {
  const by = message.text('by');
  return {
    // A word of the future: what follows is then taken by the rules for a reader alone.
    by: by === 'nothing' || by === 'range' || by === 'net' ? by : 'image',
    from: BigInt(message.digits('from')),
    to: BigInt(message.digits('to')),
  };
}

function slow(message: Fields): ControlMessage {
  const state = message.text('state');
  if (state === 'rejoined') return { op: 'slow', state, ...streamName(message), ...resumed(message) };
  if (state !== 'behind') return { op: 'unknown' };
  const streams = message.list('streams') ?? [message];
  return {
    op: 'slow',
    state,
    streams: streams.map((stream) => ({
      ...streamName(stream),
      epoch: BigInt(stream.digits('epoch')),
      seq: BigInt(stream.digits('seq')),
    })),
  };
}

/** Typed access to the fields of a parsed message. */
class Fields {
  private readonly fields: Record<string, unknown>;

  constructor(fields: Record<string, unknown>) {
    this.fields = fields;
  }

  has(name: string): boolean {
    return this.fields[name] !== undefined && this.fields[name] !== null;
  }

  is(name: string): boolean {
    return this.fields[name] === true;
  }

  /** A list of objects; undefined when there is none. */
  list(name: string): Fields[] | undefined {
    if (!this.has(name)) return undefined;
    const value = this.fields[name];
    if (!Array.isArray(value)) throw this.bad(name, 'a list');
    return value.map((_, at) => new Fields({ value: value[at] }).part('value'));
  }

  text(name: string): string {
    const value = this.fields[name];
    if (typeof value !== 'string') throw this.bad(name, 'a text');
    return value;
  }

  textOr(name: string, absent: string): string {
    return this.has(name) ? this.text(name) : absent;
  }

  integer(name: string): number {
    const value = this.fields[name];
    if (!Number.isSafeInteger(value)) throw this.bad(name, 'an integer within 2^53');
    return value as number;
  }

  /** A number of 1 or more; undefined when there is none. */
  above0(name: string): number | undefined {
    if (!this.has(name)) return undefined;
    const value = this.integer(name);
    if (value < 1) throw this.bad(name, 'an integer of 1 or more');
    return value;
  }

  /** The fields of an object within; none when it is not there. */
  part(name: string): Fields {
    const value = this.fields[name] ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) throw this.bad(name, 'an object');
    return new Fields(value as Record<string, unknown>);
  }

  digits(name: string): string {
    const value = this.text(name);
    if (!/^\d{1,20}$/.test(value)) throw this.bad(name, 'a text of 1 to 20 digits');
    return value;
  }

  state(name: string): BookState {
    const value = this.text(name);
    if (!Object.hasOwn(STATE, value)) throw this.bad(name, 'a book state');
    return value as BookState;
  }

  private bad(name: string, expected: string): ServerError {
    return badControl(`${expected} in "${name}"`, String(JSON.stringify(this.fields[name])).slice(0, 60));
  }
}

function badControl(expected: string, got: string, cause?: unknown): ServerError {
  return new ServerError({
    code: 'feed.bad_control',
    what: 'a control message of the server cannot be read',
    where: 'control message',
    expected,
    got,
    fix: 'check that the URL is that of a depthwire.v1 feed',
    cause,
  });
}
