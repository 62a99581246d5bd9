import {
  type BudgetFacts,
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type ProductFacts,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

/** A topic of version 3; `instType` in lower case. */
function stream(instType: string, topic: string, channels: readonly Channel[]): StreamFacts {
  return {
    name: topic,
    channels,
    subscribe: '{"op":"subscribe","args":[{args}]}',
    unsubscribe: '{"op":"unsubscribe","args":[{args}]}',
    args: [`{"instType":"${instType}","topic":"${topic}","symbol":"{symbol}"}`],
    argsMax: 20,
    ...PLAIN_STREAM,
  };
}

/** Each address has its own budget; the tightest serves for all. */
const REST: BudgetFacts = {
  weightMax: 20,
  windowMs: 1000,
  usedHeader: null,
  leftHeader: null,
  ban: { statuses: [], pauseMs: 60_000 },
};

function product(name: string, instType: string, list: string): ProductFacts {
  const isSpot = instType === 'spot';
  return {
    name,
    offers: {
      book: 'built',
      orders: 'none',
      bbo: 'built',
      trades: 'built',
      ticker: 'built',
      liquidations: isSpot ? 'none' : 'built',
      status: 'none',
    },
    sockets: [
      {
        ...PLAIN,
        url: 'wss://ws.bitget.com/v3/ws/public',
        streams: [
          stream(instType, 'books', ['book']),
          stream(instType, 'books15', ['book']),
          stream(instType, 'books5', ['book']),
          stream(instType, 'books1', ['bbo']),
          stream(instType, 'publicTrade', ['trades']),
          stream(instType, 'ticker', ['ticker']),
          ...(isSpot
            ? []
            : [
                {
                  ...stream(instType, 'liquidation', ['liquidations']),
                  args: [`{"instType":"${instType}","topic":"liquidation"}`],
                },
              ]),
        ],
        beat: { from: 'us', text: 'ping', everyMs: 20_000, deadMs: 30_000 },
        limits: {
          ...UNLIMITED,
          // 1,000 are allowed; the venue advises against more than so many.
          subscriptionsMax: 50,
          rates: [
            { of: 'messages', max: 10, windowMs: 1000 },
            { of: 'subscriptions', max: 240, windowMs: 3_600_000 },
          ],
          connects: { max: 300, windowMs: 300_000 },
          connectionsMax: 100,
          lifeMs: 86_400_000,
        },
      },
    ],
    snapshot: null,
    instruments: { urls: [list], weight: 1, budget: 'rest', page: null },
  };
}

const CONTRACTS = 'https://api.bitget.com/api/v2/mix/market/contracts?productType=';

/** Version 3 numbers what it says of a book, version 2 does not: there only checksums show a loss. */
export const BITGET: VenueFacts = {
  sources: [
    'bitget.com/api-doc: Websocket API (connect, limits), unified account Order Book, Public Trades, Tickers and Liquidation channels, Get Symbol Info, Get Contract Config',
  ],
  heard: 'sockets',
  products: [
    product('bitget', 'spot', 'https://api.bitget.com/api/v2/spot/public/symbols'),
    product('bitget-usdt-futures', 'usdt-futures', `${CONTRACTS}USDT-FUTURES`),
    product('bitget-usdc-futures', 'usdc-futures', `${CONTRACTS}USDC-FUTURES`),
    product('bitget-coin-futures', 'coin-futures', `${CONTRACTS}COIN-FUTURES`),
  ],
  budgets: { rest: REST },
};
