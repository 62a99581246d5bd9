import {
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type ProductFacts,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

function stream(name: string, channels: readonly Channel[]): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"event":"bts:subscribe","data":{"channel":{args}}}',
    unsubscribe: '{"event":"bts:unsubscribe","data":{"channel":{args}}}',
    args: [`"${name}_{symbol}"`],
    argsMax: 1,
    ...PLAIN_STREAM,
  };
}

function product(
  name: string,
  told: 'book' | 'orders',
  streams: readonly StreamFacts[],
  group: 1 | 2,
): ProductFacts {
  return {
    name,
    offers: {
      book: told === 'book' ? 'built' : 'none',
      orders: told === 'orders' ? 'built' : 'none',
      bbo: 'none',
      trades: 'built',
      ticker: 'none',
      liquidations: 'none',
      status: 'none',
    },
    sockets: [
      {
        ...PLAIN,
        url: 'wss://ws.bitstamp.net',
        // Two connections tell the same levels at the same times; a book of orders is joined to the events of one alone.
        farewells: told === 'book' ? [{ event: 'bts:request_reconnect' }] : [],
        streams,
        beat: { from: 'us', text: '{"event":"bts:heartbeat"}', everyMs: 20_000, deadMs: 60_000 },
        limits: UNLIMITED,
      },
    ],
    snapshot: {
      url: `https://www.bitstamp.net/api/v2/order_book/{symbol}/?group=${group}`,
      weights: [{ levelsMax: 100_000, weight: 1 }],
      budget: 'rest',
    },
    instruments: {
      urls: ['https://www.bitstamp.net/api/v2/trading-pairs-info/'],
      weight: 1,
      budget: 'rest',
      page: null,
    },
  };
}

const TRADES = stream('live_trades', ['trades']);

/**
 * Books are asked for over HTTP and followed by differences, which have a time and no number, or by events of orders, each
 * of which names the one before.
 */
export const BITSTAMP: VenueFacts = {
  sources: ['bitstamp.net/websocket/v2; bitstamp.net/api: order book, trading pairs info, request limits'],
  heard: 'sockets',
  products: [
    product('bitstamp', 'book', [stream('diff_order_book', ['book']), TRADES], 1),
    product('bitstamp-orders', 'orders', [stream('live_orders', ['orders']), TRADES], 2),
  ],
  budgets: {
    rest: {
      weightMax: 400,
      windowMs: 1000,
      usedHeader: null,
      leftHeader: null,
      ban: { statuses: [], pauseMs: 60_000 },
    },
  },
};
