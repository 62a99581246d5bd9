import { type Channel, PLAIN, PLAIN_STREAM, type StreamFacts, UNLIMITED, type VenueFacts } from './facts.js';

const HOUR_MS = 3_600_000;

function stream(table: string, channels: readonly Channel[], topic = table): StreamFacts {
  return {
    name: table,
    channels,
    subscribe: '{"op":"subscribe","args":[{args}]}',
    unsubscribe: '{"op":"unsubscribe","args":[{args}]}',
    args: [`"${topic}:{symbol}"`],
    argsMax: 20,
    ...PLAIN_STREAM,
  };
}

/** Books come in the stream, and nothing numbers them; the book over HTTP could not be joined to what follows it. */
export const BITMEX: VenueFacts = {
  sources: [
    'bitmex.com/app/wsAPI: Subscriptions, Heartbeats, Rate Limits; bitmex.com/app/restAPI: Limits; API Explorer: Instrument',
    'blog.bitmex.com: Rate Limiting on WebSocket Connections; Potentially-Breaking API Update to ID Generation',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'bitmex',
      offers: {
        book: 'built',
        orders: 'none',
        bbo: 'built',
        trades: 'built',
        ticker: 'built',
        liquidations: 'built',
        status: 'built',
      },
      sockets: [
        {
          ...PLAIN,
          url: 'wss://ws.bitmex.com/realtime',
          streams: [
            stream('orderBookL2', ['book']),
            {
              ...stream('orderBookL2_25', ['book'], 'orderBookL2_{depth}'),
              depths: [{ levels: 25 }],
            },
            { ...stream('orderBook10', ['book'], 'orderBook{depth}'), depths: [{ levels: 10 }] },
            stream('trade', ['trades']),
            stream('quote', ['bbo']),
            stream('instrument', ['ticker', 'status']),
            stream('liquidation', ['liquidations']),
          ],
          beat: { from: 'us', text: 'ping', everyMs: 5000, deadMs: 10_000 },
          limits: {
            ...UNLIMITED,
            rates: [{ of: 'subscriptions', max: 720, windowMs: HOUR_MS }],
            // Forty an hour, of which some are kept for later.
            connects: { max: 6, windowMs: 600_000 },
          },
        },
      ],
      snapshot: null,
      instruments: {
        urls: ['https://www.bitmex.com/api/v1/instrument/active'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: {
    rest: {
      weightMax: 30,
      windowMs: 60_000,
      usedHeader: null,
      leftHeader: 'x-ratelimit-remaining',
      ban: { statuses: [403], pauseMs: HOUR_MS },
    },
  },
};
