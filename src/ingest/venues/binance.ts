import type { Channel, SnapshotFacts, SocketFacts, VenueFacts } from './facts.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const BUDGET_HEADER = 'X-MBX-USED-WEIGHT-1M';

function socket(
  name: string,
  url: string,
  channels: readonly Channel[],
  pingMs: number,
  pongMs: number,
  messagesPerSecondMax: number,
): SocketFacts {
  return {
    name,
    url,
    channels,
    subscribe: '{"method":"SUBSCRIBE","params":["{stream}"],"id":{id}}',
    unsubscribe: '{"method":"UNSUBSCRIBE","params":["{stream}"],"id":{id}}',
    needsKey: false,
    beat: { from: 'venue', everyMs: pingMs, deadMs: pingMs + pongMs },
    limits: {
      subscriptionsMax: 1024,
      messagesPerSecondMax,
      connects: { max: 300, windowMs: 5 * MINUTE_MS },
      lifeMs: DAY_MS,
    },
  };
}

function futuresSnapshot(name: string, url: string): SnapshotFacts {
  return {
    name,
    url: `${url}?symbol={symbol}&limit={levels}`,
    weights: [
      { levelsMax: 50, weight: 2 },
      { levelsMax: 100, weight: 5 },
      { levelsMax: 500, weight: 10 },
      { levelsMax: 1000, weight: 20 },
    ],
    budget: { weightMax: 2400, windowMs: MINUTE_MS },
    usedHeader: BUDGET_HEADER,
  };
}

const FUTURES_PING_MS = 3 * MINUTE_MS;
const FUTURES_PONG_MS = 10 * MINUTE_MS;

/** A book of USD-M with mark price and liquidations takes two sockets: each path is silent about the other's streams. */
export const BINANCE: VenueFacts = {
  names: ['binance', 'binance-usdm', 'binance-coinm'],
  sources: [
    'binance/binance-spot-api-docs, web-socket-streams.md and rest-api.md',
    'developers.binance.com, USD-M and COIN-M futures, WebSocket market streams; Important WebSocket Change Notice',
  ],
  heard: 'sockets',
  sockets: [
    socket(
      'binance',
      'wss://data-stream.binance.vision/stream',
      ['book', 'bbo', 'trades'],
      20_000,
      MINUTE_MS,
      5,
    ),
    socket(
      'binance-usdm',
      'wss://fstream.binance.com/public/stream',
      ['book', 'bbo', 'trades'],
      FUTURES_PING_MS,
      FUTURES_PONG_MS,
      10,
    ),
    socket(
      'binance-usdm',
      'wss://fstream.binance.com/market/stream',
      ['trades', 'ticker', 'liquidations'],
      FUTURES_PING_MS,
      FUTURES_PONG_MS,
      10,
    ),
    socket(
      'binance-coinm',
      'wss://dstream.binance.com/stream',
      ['book', 'bbo', 'trades', 'ticker', 'liquidations'],
      FUTURES_PING_MS,
      FUTURES_PONG_MS,
      10,
    ),
  ],
  snapshots: [
    {
      name: 'binance',
      url: 'https://data-api.binance.vision/api/v3/depth?symbol={symbol}&limit={levels}',
      weights: [
        { levelsMax: 100, weight: 5 },
        { levelsMax: 500, weight: 25 },
        { levelsMax: 1000, weight: 50 },
        { levelsMax: 5000, weight: 250 },
      ],
      budget: { weightMax: 6000, windowMs: MINUTE_MS },
      usedHeader: BUDGET_HEADER,
    },
    futuresSnapshot('binance-usdm', 'https://fapi.binance.com/fapi/v1/depth'),
    futuresSnapshot('binance-coinm', 'https://dapi.binance.com/dapi/v1/depth'),
  ],
};
