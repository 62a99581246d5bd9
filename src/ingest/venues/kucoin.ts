import {
  type BudgetFacts,
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type ProductFacts,
  type SnapshotFacts,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

/** A topic; the symbols of a message stand behind its colon. */
function stream(topic: string, channels: readonly Channel[]): StreamFacts {
  const message = (type: string): string =>
    `{"id":"{id}","type":"${type}","topic":"${topic}:{args}","privateChannel":false,"response":true}`;
  return {
    name: topic,
    channels,
    subscribe: message('subscribe'),
    unsubscribe: message('unsubscribe'),
    args: ['{symbol}'],
    argsMax: 100,
    ...PLAIN_STREAM,
  };
}

/** Requests that need no key, of one address, are of one pool. */
const REST: BudgetFacts = {
  weightMax: 2000,
  windowMs: 30_000,
  usedHeader: null,
  leftHeader: 'gw-ratelimit-remaining',
  ban: { statuses: [], pauseMs: 30_000 },
};

function product(
  name: string,
  host: string,
  streams: readonly StreamFacts[],
  snapshot: SnapshotFacts,
  list: string,
): ProductFacts {
  return {
    name,
    offers: {
      book: 'built',
      orders: 'none',
      bbo: 'built',
      trades: 'built',
      ticker: 'built',
      liquidations: 'none',
      status: 'none',
    },
    sockets: [
      {
        ...PLAIN,
        url: '{endpoint}?token={token}',
        streams,
        address: {
          request: { method: 'POST', url: `${host}/api/v1/bullet-public`, weight: 10, budget: 'rest' },
          token: 'data.token',
          endpoint: 'data.instanceServers.0.endpoint',
          beatMs: 'data.instanceServers.0.pingInterval',
        },
        welcome: { type: 'welcome' },
        beat: { from: 'us', text: '{"id":"{id}","type":"ping"}', everyMs: 18_000, deadMs: 28_000 },
        limits: {
          ...UNLIMITED,
          // Of copies of the venue's page that differ the least.
          subscriptionsMax: 300,
          rates: [{ of: 'messages', max: 100, windowMs: 10_000 }],
          connects: { max: 30, windowMs: 60_000 },
          connectionsMax: 50,
          // A token is good for a day.
          lifeMs: 86_400_000,
        },
      },
    ],
    snapshot,
    instruments: { urls: [`${host}${list}`], weight: 4, budget: 'rest', page: null },
  };
}

const SPOT = 'https://api.kucoin.com';
const FUTURES = 'https://api-futures.kucoin.com';

/** Without a key a book of spot is known to 100 levels, one of futures to its end. */
export const KUCOIN: VenueFacts = {
  sources: [
    'kucoin.com/docs: WebSocket introduction (apply for a token, connect, ping, limits), Level 2, Ticker and Match topics of spot and futures, rate limits, Get Part OrderBook, Get Full OrderBook, symbol lists',
  ],
  heard: 'sockets',
  products: [
    product(
      'kucoin',
      SPOT,
      [
        stream('/market/level2', ['book']),
        stream('/market/ticker', ['bbo', 'ticker']),
        stream('/market/match', ['trades']),
      ],
      {
        url: `${SPOT}/api/v1/market/orderbook/level2_{levels}?symbol={symbol}`,
        weights: [
          { levelsMax: 20, weight: 2 },
          { levelsMax: 100, weight: 4 },
        ],
        budget: 'rest',
      },
      '/api/v2/symbols',
    ),
    product(
      'kucoin-futures',
      FUTURES,
      [
        stream('/contractMarket/level2', ['book']),
        stream('/contractMarket/tickerV2', ['bbo']),
        stream('/contractMarket/execution', ['trades']),
        stream('/contract/instrument', ['ticker']),
      ],
      {
        url: `${FUTURES}/api/v1/level2/snapshot?symbol={symbol}`,
        weights: [{ levelsMax: 100_000, weight: 3 }],
        budget: 'rest',
      },
      '/api/v1/contracts/active',
    ),
  ],
  budgets: { rest: REST },
};
