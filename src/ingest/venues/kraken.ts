import {
  type Beat,
  type BudgetFacts,
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type SocketLimits,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

/** Without a message for so long a connection is dead: a heartbeat comes each second in which nothing else does. */
const BEAT: Beat = { from: 'venue', everyMs: 1000, deadMs: 5000 };
const LIMITS: SocketLimits = {
  ...UNLIMITED,
  rates: [{ of: 'messages', max: 10, windowMs: 1000 }],
  connects: { max: 150, windowMs: 600_000 },
};

function stream(name: string, channels: readonly Channel[], more: string, symbols = true): StreamFacts {
  const members = `"channel":"${name}"${symbols ? ',"symbol":[{args}]' : ''}${more}`;
  return {
    name,
    channels,
    subscribe: `{"method":"subscribe","params":{${members}},"req_id":{id}}`,
    unsubscribe: `{"method":"unsubscribe","params":{${members}},"req_id":{id}}`,
    args: symbols ? ['"{symbol}"'] : [''],
    argsMax: 100,
    ...PLAIN_STREAM,
  };
}

const REST: BudgetFacts = {
  weightMax: 15,
  windowMs: 45_000,
  usedHeader: null,
  leftHeader: null,
  ban: { statuses: [], pauseMs: 60_000 },
};

/** Errors that a key or a token that is not taken is answered with: API errors, REST and WebSocket. */
const REFUSED = [
  'EAPI:Invalid key',
  'EAPI:Invalid signature',
  'EAPI:Invalid nonce',
  'EAPI:Invalid session',
  'EAPI:Feature disabled',
  'ESession:Invalid session',
  'EGeneral:Permission denied',
  'EAccount:Invalid permissions',
];

/** Books come in the stream, with their checksums; nothing is asked for over HTTP but instruments and tokens. */
export const KRAKEN: VenueFacts = {
  sources: [
    'docs.kraken.com, WebSocket API v2: book, trade, ticker, instrument, heartbeat, level3; REST: AssetPairs, GetWebSocketsToken, API error messages',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'kraken',
      offers: {
        book: 'built',
        orders: 'key',
        bbo: 'built',
        trades: 'built',
        ticker: 'built',
        liquidations: 'none',
        status: 'built',
      },
      sockets: [
        {
          ...PLAIN,
          url: 'wss://ws.kraken.com/v2',
          streams: [
            stream('instrument', ['status'], '', false),
            {
              ...stream('book', ['book'], ',"depth":{depth}'),
              depths: [{ levels: 1000 }, { levels: 500 }, { levels: 100 }, { levels: 25 }, { levels: 10 }],
            },
            stream('trade', ['trades'], ''),
            stream('ticker', ['ticker', 'bbo'], ',"event_trigger":"bbo"'),
          ],
          beat: BEAT,
          limits: LIMITS,
        },
        {
          ...PLAIN,
          url: 'wss://ws-l3.kraken.com/v2',
          streams: [
            {
              ...stream('level3', ['orders'], ',"depth":{depth},"token":"{token}"'),
              depths: [
                { levels: 1000, cost: 100 },
                { levels: 100, cost: 25 },
                { levels: 10, cost: 5 },
              ],
              needsKey: true,
            },
          ],
          login: {
            kind: 'token',
            request: {
              method: 'POST',
              url: 'https://api.kraken.com/0/private/GetWebSocketsToken',
              weight: 1,
              budget: 'rest',
            },
            keyHeader: 'API-Key',
            signatureHeader: 'API-Sign',
            token: 'result.token',
            requestError: 'error.0',
            subscribeError: 'error',
            refused: REFUSED,
            permission: 'WebSocket interface (create and manage WebSocket tokens)',
          },
          beat: BEAT,
          limits: {
            ...LIMITS,
            subscriptionsMax: 200,
            rates: [...LIMITS.rates, { of: 'subscriptions', max: 200, windowMs: 1000 }],
          },
        },
      ],
      snapshot: null,
      instruments: {
        urls: ['https://api.kraken.com/0/public/AssetPairs'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: { rest: REST },
};
