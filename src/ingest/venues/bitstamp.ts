import { type Channel, PLAIN, type StreamFacts, UNLIMITED, type VenueFacts } from './facts.js';

function stream(name: string, channels: readonly Channel[]): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"event":"bts:subscribe","data":{"channel":{args}}}',
    unsubscribe: '{"event":"bts:unsubscribe","data":{"channel":{args}}}',
    args: [`"${name}_{symbol}"`],
    argsMax: 1,
    bytesMax: null,
    depths: [],
    needsKey: false,
    silenceMs: null,
  };
}

/** Books are asked for over HTTP and followed by differences, which have a time and no number. */
export const BITSTAMP: VenueFacts = {
  sources: ['bitstamp.net/websocket/v2; bitstamp.net/api: order book, trading pairs info, request limits'],
  heard: 'sockets',
  products: [
    {
      name: 'bitstamp',
      offers: {
        book: 'built',
        orders: 'none',
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
          streams: [stream('diff_order_book', ['book']), stream('live_trades', ['trades'])],
          beat: { from: 'us', text: '{"event":"bts:heartbeat"}', everyMs: 20_000, deadMs: 60_000 },
          limits: UNLIMITED,
        },
      ],
      snapshot: {
        url: 'https://www.bitstamp.net/api/v2/order_book/{symbol}/?group=1',
        weights: [{ levelsMax: 100_000, weight: 1 }],
        budget: 'rest',
      },
      instruments: {
        urls: ['https://www.bitstamp.net/api/v2/trading-pairs-info/'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
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
