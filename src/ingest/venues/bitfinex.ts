import { type Channel, PLAIN, PLAIN_STREAM, type StreamFacts, UNLIMITED, type VenueFacts } from './facts.js';

/** Each subscription is a message of its own and ends by the number that the venue gave it. */
function stream(name: string, channels: readonly Channel[], argument: string): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"event":"subscribe",{args}}',
    unsubscribe: null,
    args: [argument],
    argsMax: 1,
    ...PLAIN_STREAM,
  };
}

/** A book of levels, or of orders; both by the venue's word `book`. */
function book(name: string, channel: Channel, precision: string): StreamFacts {
  const argument = `"channel":"book","symbol":"{symbol}","prec":"${precision}","freq":"F0","len":"{depth}"`;
  return {
    ...stream(name, [channel], argument),
    depths: [{ levels: 250 }, { levels: 100 }, { levels: 25 }, { levels: 1 }],
  };
}

/** Books come in the stream; every message of a connection is counted, so that a loss shows with the next one. */
export const BITFINEX: VenueFacts = {
  sources: [
    'docs.bitfinex.com, WebSocket 2: general, books, raw books, trades, ticker, status; REST: configs',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'bitfinex',
      offers: {
        book: 'built',
        orders: 'built',
        bbo: 'none',
        trades: 'built',
        ticker: 'built',
        liquidations: 'built',
        status: 'none',
      },
      sockets: [
        {
          ...PLAIN,
          url: 'wss://api-pub.bitfinex.com/ws/2',
          // Number (65536) and time (32768) behind each message, checksums of books (131072).
          opening: ['{"event":"conf","flags":229376}'],
          streams: [
            book('book', 'book', 'P0'),
            book('raw', 'orders', 'R0'),
            stream('trades', ['trades'], '"channel":"trades","symbol":"{symbol}"'),
            stream('ticker', ['ticker'], '"channel":"ticker","symbol":"{symbol}"'),
            stream('status', ['ticker'], '"channel":"status","key":"deriv:{symbol}"'),
            stream('liquidations', ['liquidations'], '"channel":"status","key":"liq:global"'),
          ],
          beat: { from: 'venue', everyMs: 15_000, deadMs: 30_000 },
          limits: {
            ...UNLIMITED,
            subscriptionsMax: 25,
            connects: { max: 20, windowMs: 60_000 },
          },
        },
      ],
      snapshot: null,
      instruments: {
        urls: ['https://api-pub.bitfinex.com/v2/conf/pub:info:pair,pub:info:pair:futures'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: {
    rest: {
      weightMax: 10,
      windowMs: 60_000,
      usedHeader: null,
      leftHeader: null,
      ban: { statuses: [], pauseMs: 60_000 },
    },
  },
};
