import {
  type BudgetFacts,
  type Channel,
  PLAIN,
  type ProductFacts,
  type SnapshotFacts,
  type SocketFacts,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

function stream(channel: Channel, name: string, silenceMs: number | null = null): StreamFacts {
  return {
    name,
    channels: [channel],
    subscribe: '{"method":"SUBSCRIBE","params":[{args}],"id":{id}}',
    unsubscribe: '{"method":"UNSUBSCRIBE","params":[{args}],"id":{id}}',
    args: [`"{lower}@${name}"`],
    argsMax: 100,
    bytesMax: 4096,
    depths: [],
    needsKey: false,
    silenceMs,
  };
}

const SPOT_BEAT = { from: 'venue', everyMs: 20_000, deadMs: 80_000 } as const;
const FUTURES_BEAT = { from: 'venue', everyMs: 3 * MINUTE_MS, deadMs: 10 * MINUTE_MS } as const;

/** Spot says it as it is, or wrapped as its documents show it; ten minutes before the end. */
const SHUTDOWN = ['e', 'event.e', 'data.e'].map((path) => ({ [path]: 'serverShutdown' }));

function socket(
  url: string,
  beat: SocketFacts['beat'],
  messages: number,
  streams: SocketFacts['streams'],
): SocketFacts {
  return {
    ...PLAIN,
    url,
    farewells: SHUTDOWN,
    streams,
    beat,
    limits: {
      ...UNLIMITED,
      subscriptionsMax: 1024,
      rates: [{ of: 'messages', max: messages, windowMs: 1000 }],
      connects: { max: 300, windowMs: 5 * MINUTE_MS },
      lifeMs: DAY_MS,
    },
  };
}

function budget(weightMax: number): BudgetFacts {
  return {
    weightMax,
    windowMs: MINUTE_MS,
    usedHeader: 'X-MBX-USED-WEIGHT-1M',
    leftHeader: null,
    ban: { statuses: [418], pauseMs: 2 * MINUTE_MS },
  };
}

function futuresSnapshot(url: string, budget: string): SnapshotFacts {
  return {
    url: `${url}?symbol={symbol}&limit={levels}`,
    weights: [
      { levelsMax: 50, weight: 2 },
      { levelsMax: 100, weight: 5 },
      { levelsMax: 500, weight: 10 },
      { levelsMax: 1000, weight: 20 },
    ],
    budget,
  };
}

const BOOK = stream('book', 'depth@100ms');
const BBO = stream('bbo', 'bookTicker');
const TRADES = stream('trades', 'aggTrade');
const MARK = stream('ticker', 'markPrice@1s', 10_000);
const LIQUIDATIONS = stream('liquidations', 'forceOrder');

const FUTURES: ProductFacts['offers'] = {
  book: 'built',
  orders: 'none',
  bbo: 'built',
  trades: 'built',
  ticker: 'built',
  liquidations: 'built',
  status: 'none',
};

/** A book of USD-M with mark price and liquidations takes two sockets: each path is silent about the other's streams. */
export const BINANCE: VenueFacts = {
  sources: [
    'binance/binance-spot-api-docs, web-socket-streams.md and rest-api.md',
    'binance-us/binance-us-api-docs, web-socket-streams.md and rest-api.md',
    'developers.binance.com, USD-M and COIN-M futures, WebSocket market streams; Important WebSocket Change Notice',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'binance',
      offers: { ...FUTURES, ticker: 'none', liquidations: 'none' },
      sockets: [
        socket('wss://data-stream.binance.vision/stream', SPOT_BEAT, 5, [
          BOOK,
          BBO,
          stream('trades', 'trade'),
        ]),
      ],
      snapshot: {
        url: 'https://data-api.binance.vision/api/v3/depth?symbol={symbol}&limit={levels}',
        weights: [
          { levelsMax: 100, weight: 5 },
          { levelsMax: 500, weight: 25 },
          { levelsMax: 1000, weight: 50 },
          { levelsMax: 5000, weight: 250 },
        ],
        budget: 'spot',
      },
      instruments: {
        urls: ['https://data-api.binance.vision/api/v3/exchangeInfo'],
        weight: 20,
        budget: 'spot',
        page: null,
      },
    },
    {
      name: 'binance-us',
      offers: { ...FUTURES, ticker: 'none', liquidations: 'none' },
      sockets: [
        socket('wss://stream.binance.us:9443/stream', FUTURES_BEAT, 5, [
          BOOK,
          BBO,
          stream('trades', 'trade'),
        ]),
      ],
      snapshot: {
        url: 'https://api.binance.us/api/v3/depth?symbol={symbol}&limit={levels}',
        weights: [
          { levelsMax: 100, weight: 1 },
          { levelsMax: 500, weight: 5 },
          { levelsMax: 1000, weight: 10 },
          { levelsMax: 5000, weight: 50 },
        ],
        budget: 'us',
      },
      instruments: {
        urls: ['https://api.binance.us/api/v3/exchangeInfo'],
        weight: 10,
        budget: 'us',
        page: null,
      },
    },
    {
      name: 'binance-usdm',
      offers: FUTURES,
      sockets: [
        socket('wss://fstream.binance.com/public/stream', FUTURES_BEAT, 10, [BOOK, BBO]),
        socket('wss://fstream.binance.com/market/stream', FUTURES_BEAT, 10, [TRADES, MARK, LIQUIDATIONS]),
      ],
      snapshot: futuresSnapshot('https://fapi.binance.com/fapi/v1/depth', 'usdm'),
      instruments: {
        urls: ['https://fapi.binance.com/fapi/v1/exchangeInfo'],
        weight: 1,
        budget: 'usdm',
        page: null,
      },
    },
    {
      name: 'binance-coinm',
      offers: FUTURES,
      sockets: [
        socket('wss://dstream.binance.com/stream', FUTURES_BEAT, 10, [BOOK, BBO, TRADES, MARK, LIQUIDATIONS]),
      ],
      snapshot: futuresSnapshot('https://dapi.binance.com/dapi/v1/depth', 'coinm'),
      instruments: {
        urls: ['https://dapi.binance.com/dapi/v1/exchangeInfo'],
        weight: 1,
        budget: 'coinm',
        page: null,
      },
    },
  ],
  budgets: { spot: budget(6000), us: budget(1200), usdm: budget(2400), coinm: budget(2400) },
};
