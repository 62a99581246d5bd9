import {
  type Channel,
  type InstrumentsFacts,
  PLAIN,
  PLAIN_STREAM,
  type ProductFacts,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

function stream(name: string, channels: readonly Channel[], topic = `${name}.{symbol}`): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"req_id":"{id}","op":"subscribe","args":[{args}]}',
    unsubscribe: '{"req_id":"{id}","op":"unsubscribe","args":[{args}]}',
    args: [`"${topic}"`],
    argsMax: 10,
    ...PLAIN_STREAM,
  };
}

function book(levels: readonly number[]): StreamFacts {
  return {
    ...stream('orderbook', ['book'], 'orderbook.{depth}.{symbol}'),
    depths: levels.map((levels) => ({ levels })),
  };
}

const BOOK = book([200, 1000, 50]);
const TOP = stream('orderbook.1', ['bbo']);
const TRADES = stream('publicTrade', ['trades']);
const LIQUIDATIONS = stream('allLiquidation', ['liquidations']);

function product(
  name: string,
  category: string,
  streams: readonly StreamFacts[],
  subscriptionsMax: number | null,
  instruments: readonly string[] = [''],
): ProductFacts {
  const channels = streams.flatMap(({ channels }) => channels);
  const offer = (channel: Channel) => (channels.includes(channel) ? 'built' : 'none');
  const list: InstrumentsFacts = {
    urls: instruments.map(
      (more) => `https://api.bybit.com/v5/market/instruments-info?category=${category}&limit=1000${more}`,
    ),
    weight: 1,
    budget: 'rest',
    page: { cursor: 'result.nextPageCursor', parameter: 'cursor' },
  };
  return {
    name,
    offers: {
      book: offer('book'),
      orders: offer('orders'),
      bbo: offer('bbo'),
      trades: offer('trades'),
      ticker: offer('ticker'),
      liquidations: offer('liquidations'),
      status: offer('status'),
    },
    sockets: [
      {
        ...PLAIN,
        url: `wss://stream.bybit.com/v5/public/${category}`,
        streams,
        beat: { from: 'us', text: '{"op":"ping"}', everyMs: 20_000, deadMs: 30_000 },
        limits: {
          ...UNLIMITED,
          subscriptionsMax,
          connects: { max: 500, windowMs: 300_000 },
          connectionsMax: 1000,
        },
      },
    ],
    snapshot: null,
    instruments: list,
  };
}

/** Symbols repeat between the products, and no message names its own: each has an address, and a connection is of one. */
export const BYBIT: VenueFacts = {
  sources: [
    'bybit-exchange.github.io, v5: WebSocket public, orderbook, trade, ticker, all liquidation; Get Instruments Info; Rate Limit',
  ],
  heard: 'sockets',
  products: [
    product('bybit', 'spot', [BOOK, TOP, TRADES, stream('tickers', ['ticker'])], null),
    // The topics of a connection have 21,000 characters together.
    product(
      'bybit-linear',
      'linear',
      [BOOK, TOP, TRADES, stream('tickers', ['ticker', 'status']), LIQUIDATIONS],
      600,
    ),
    product(
      'bybit-inverse',
      'inverse',
      [BOOK, TOP, TRADES, stream('tickers', ['ticker']), LIQUIDATIONS],
      600,
    ),
    // Trades of options come for all of a coin; the lists, too, are a coin's.
    product(
      'bybit-option',
      'option',
      [
        book([100, 25]),
        stream('publicTrade', ['trades'], 'publicTrade.{base}'),
        stream('tickers', ['ticker', 'bbo']),
      ],
      2000,
      ['&baseCoin=BTC', '&baseCoin=ETH', '&baseCoin=SOL'],
    ),
  ],
  budgets: {
    rest: {
      weightMax: 600,
      windowMs: 5000,
      usedHeader: null,
      leftHeader: null,
      ban: { statuses: [403], pauseMs: 600_000 },
    },
  },
};
