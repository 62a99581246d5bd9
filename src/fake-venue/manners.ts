import type { Asked, Reading } from './subscriptions.js';

/** An argument with the instruments that it names; none: the venue does not have it. */
export interface Answered extends Asked {
  readonly codes: readonly string[];
  /** Why its login was refused; null where none was needed, or it was right. */
  readonly refused: string | null;
}

/** What a venue says of itself and of requests, apart from markets: texts of its documents. What is absent, the dialect says. */
export interface Manners {
  /** Said on each new connection, before anything else. */
  greeting?(): readonly string[];
  /** Levels of a book that is subscribed without a depth; absent: the first that the facts have. */
  readonly depth?: number;
  /** The answers to a message that subscribes or unsubscribes. Without it the dialect's acknowledgements are sent. */
  answer?(message: unknown, reading: Reading, answered: readonly Answered[]): readonly string[];
  /** The body of an HTTP answer that refuses. */
  refusal?(status: number): string;
  /** A frame with the number that the connection gives it, which hears several instruments; null where it has none. */
  renumber?(frame: string, count: number): string | null;
  /** A frame with the number of its channel as the `nth` of an instrument's on one connection has it. */
  channelled?(frame: string, nth: number): string;
  /** Whether what a dialect says is of the connection rather than of its instrument, and said once. */
  isOfConnection?(frame: string): boolean;
  /** The stream that an answer opens under a number, by which it is left again; null for other frames. */
  opens?(frame: string): { readonly stream: string; readonly channel: number } | null;
  /** The number of the stream that a message leaves, and the answer to that; null for other messages. */
  leaves?(message: unknown): { readonly channel: number; readonly answer: string } | null;
  /** The answer to a client's beat. Without it: the same, with `pong` where it said `ping`. */
  pong?(): string;
}

function member(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null
    ? (message as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** One answer to each message, whether its streams exist or not. */
const BINANCE: Manners = {
  greeting: () => [],
  answer: (message) => [JSON.stringify({ result: null, id: member(message, 'id') ?? null })],
  refusal: (status) =>
    status === 400
      ? '{"code":-1121,"msg":"Invalid symbol."}'
      : '{"code":-1003,"msg":"Too much request weight used; please use WebSocket Streams for live updates."}',
};

let krakenConnections = 7_204_881_492_680_171_915n;

/** One answer to each pair. */
const KRAKEN: Manners = {
  depth: 10,
  greeting: () => {
    krakenConnections += 1n;
    const data = `{"version":"2.0.10","system":"online","api_version":"v2","connection_id":${krakenConnections}}`;
    return [`{"channel":"status","type":"update","data":[${data}]}`];
  },
  answer: (message, { verb }, answered) =>
    answered.map(({ stream, said, codes, refused }) => {
      const { symbol, depth } = said;
      const time = new Date().toISOString().replace('Z', '000Z');
      const ending = {
        time_in: time,
        time_out: time,
        ...(member(message, 'req_id') === undefined ? {} : { req_id: member(message, 'req_id') }),
      };
      if (symbol !== undefined && codes.length === 0) {
        const error =
          refused === null ? `Currency pair not supported ${symbol}` : `Invalid token: ${refused}`;
        return JSON.stringify({ error, method: verb, success: false, symbol, ...ending });
      }
      const result = {
        channel: stream.name,
        ...(depth === undefined ? {} : { depth: Number(depth) }),
        ...(verb === 'subscribe' ? { snapshot: true } : {}),
        ...(symbol === undefined ? {} : { symbol }),
      };
      return JSON.stringify({ method: verb, result, success: true, ...ending });
    }),
  refusal: (status) =>
    status === 429 ? '{"error":["EAPI:Rate limit exceeded"]}' : '{"error":["EQuery:Unknown asset pair"]}',
};

/** One answer to each message: what it asked for, or why not. */
const KRAKEN_FUTURES: Manners = {
  greeting: () => ['{"event":"info","version":1}'],
  answer: (message, { verb }, answered) => {
    if (answered.some(({ said, codes }) => said.symbol !== undefined && codes.length === 0))
      return ['{"event":"error","message":"Invalid product id"}'];
    const products = member(message, 'product_ids');
    const asked = {
      feed: member(message, 'feed'),
      ...(products === undefined ? {} : { product_ids: products }),
    };
    return [JSON.stringify({ event: `${verb}d`, ...asked })];
  },
  refusal: (status) =>
    JSON.stringify({
      result: 'error',
      error: status === 429 ? 'apiLimitExceeded' : 'Bad Request',
      serverTime: new Date().toISOString(),
    }),
};

/** One answer to each message: the channels that there are. */
const DERIBIT: Manners = {
  greeting: () => [],
  answer: (message, _reading, answered) => {
    const id = member(message, 'id') ?? null;
    const now = Date.now() * 1000;
    if (answered.some(({ refused }) => refused !== null)) {
      const error = { code: 13_778, message: 'raw_subscriptions_not_available_for_unauthorized' };
      return [
        JSON.stringify({ jsonrpc: '2.0', id, error, usIn: now, usOut: now, usDiff: 0, testnet: false }),
      ];
    }
    const result = answered
      .filter(({ said, codes }) => said.symbol === undefined || codes.length > 0)
      .map(({ stream, said }) =>
        (stream.args[0] ?? '').slice(1, -1).replace('{symbol}', String(said.symbol)),
      );
    return [JSON.stringify({ jsonrpc: '2.0', id, result, usIn: now, usOut: now, usDiff: 0, testnet: false })];
  },
  refusal: (status) =>
    status === 429
      ? '{"jsonrpc":"2.0","error":{"code":10028,"message":"too_many_requests"}}'
      : '{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params"}}',
};

/** One answer to each argument, which repeats it. */
const BITGET: Manners = {
  greeting: () => [],
  answer: (_message, { verb }, answered) =>
    answered.map(({ stream, said, codes }) => {
      const arg: unknown = JSON.parse((stream.args[0] ?? '{}').replace('{symbol}', said.symbol ?? ''));
      return JSON.stringify(
        said.symbol === undefined || codes.length > 0
          ? { event: verb, arg }
          : { event: 'error', arg, code: 30_001, msg: `${stream.name},${said.symbol} doesn't exist` },
      );
    }),
  refusal: (status) =>
    status === 429
      ? '{"code":"429","msg":"Too Many Requests","data":null}'
      : '{"code":"40034","msg":"Parameter does not exist","data":null}',
};

/** One answer to each message, whatever it asks for; the symbols that there are not are refused together. */
const KUCOIN: Manners = {
  greeting: () => ['{"id":"hQvf8jkno","type":"welcome"}'],
  answer: (message, _reading, answered) => {
    const id = member(message, 'id') ?? null;
    const [unknown] = answered.filter(({ codes }) => codes.length === 0);
    const data = `topic ${unknown?.stream.name}:${unknown?.said.symbol} is not found`;
    return [
      JSON.stringify(
        unknown === undefined ? { id, type: 'ack' } : { id, type: 'error', code: 404, topic: null, data },
      ),
    ];
  },
  refusal: (status) =>
    status === 429
      ? '{"code":"429000","msg":"Too many requests"}'
      : '{"code":"400100","msg":"symbol not exists"}',
};

/** Every message of a connection is counted, from 0. */
const COINBASE: Manners = {
  renumber: (frame, count) => frame.replace(/"sequence_num":\d+/, `"sequence_num":${count}`),
};

/** More channels than a dialect opens. */
const CHANNELS = 1_000_000;

/** Arrays end with their number, from 1, and where times are wanted with the time behind it. */
const BITFINEX: Manners = {
  depth: 25,
  renumber: (frame, count) =>
    frame.startsWith('[') ? frame.replace(/,\d+(,\d{13})?\]$/, `,${count + 1}$1]`) : null,
  channelled: (frame, nth) =>
    frame.replace(
      /^(\[|\{.*?"chanId":)(\d+)/,
      (_, head: string, channel: string) => `${head}${Number(channel) + nth * CHANNELS}`,
    ),
  isOfConnection: (frame) => /^\{"event":"(info|conf)"/.test(frame),
  opens: (frame) => {
    const [, word, channel] = /^\{"event":"subscribed","channel":"(\w+)","chanId":(\d+)/.exec(frame) ?? [];
    if (word === undefined) return null;
    // Orders are a book, too, and what is told of all a status.
    const stream = frame.includes('"prec":"R0"')
      ? 'raw'
      : frame.includes('"key":"liq:')
        ? 'liquidations'
        : word;
    return { stream, channel: Number(channel) };
  },
  leaves: (message) => {
    const channel = member(message, 'chanId');
    if (member(message, 'event') !== 'unsubscribe' || typeof channel !== 'number') return null;
    return { channel, answer: JSON.stringify({ event: 'unsubscribed', status: 'OK', chanId: channel }) };
  },
};

/** One answer to each topic. */
const BITMEX: Manners = {
  greeting: () => {
    const info = 'Welcome to the BitMEX Realtime API.';
    const docs = 'https://www.bitmex.com/app/wsAPI';
    const more = { docs, heartbeatEnabled: false, limit: { remaining: 39 } };
    return [JSON.stringify({ info, version: '2.0.0', timestamp: new Date().toISOString(), ...more })];
  },
  answer: (message, { verb }, answered) =>
    answered.map(({ stream, said, codes }) => {
      const topic = `${stream.name}:${said.symbol}`;
      const request = { op: verb, args: member(message, 'args') };
      return JSON.stringify(
        codes.length > 0
          ? { success: true, [verb]: topic, request }
          : { status: 400, error: `Unknown or expired symbol: ${said.symbol}.`, meta: {}, request },
      );
    }),
  refusal: (status) =>
    JSON.stringify({
      error:
        status === 429
          ? { message: 'Rate limit exceeded, retry in 1 seconds.', name: 'RateLimitError' }
          : { message: 'Invalid request.', name: 'HTTPError' },
    }),
};

/** A beat is answered by its own name. */
const BITSTAMP: Manners = {
  pong: () => '{"event":"bts:heartbeat","channel":"","data":{"status":"success"}}',
};

/** A beat is a `method`, its answer a `channel`. */
const HYPERLIQUID: Manners = { pong: () => '{"channel":"pong"}' };

/** By the beginnings of products' names. */
const MANNERS: Readonly<Record<string, Manners>> = {
  binance: BINANCE,
  bitfinex: BITFINEX,
  bitstamp: BITSTAMP,
  bitget: BITGET,
  bitmex: BITMEX,
  coinbase: COINBASE,
  deribit: DERIBIT,
  hyperliquid: HYPERLIQUID,
  kraken: KRAKEN,
  'kraken-futures': KRAKEN_FUTURES,
  kucoin: KUCOIN,
};

export function mannersOf(product: string): Manners {
  return MANNERS[product] ?? MANNERS[product.split('-')[0] ?? ''] ?? {};
}

/** The page for people that a broken gateway sends. */
export const HTML_PAGE =
  '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n';
