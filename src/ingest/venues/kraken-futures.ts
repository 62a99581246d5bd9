import { type Channel, PLAIN, PLAIN_STREAM, type StreamFacts, UNLIMITED, type VenueFacts } from './facts.js';

function stream(feed: string, channels: readonly Channel[], products = true): StreamFacts {
  const members = `"feed":"${feed}"${products ? ',"product_ids":[{args}]' : ''}`;
  return {
    name: feed,
    channels,
    subscribe: `{"event":"subscribe",${members}}`,
    unsubscribe: `{"event":"unsubscribe",${members}}`,
    args: products ? ['"{symbol}"'] : [''],
    argsMax: 100,
    ...PLAIN_STREAM,
  };
}

/** Books come in the stream and are subscribed anew where they break; the book over HTTP has no number. */
export const KRAKEN_FUTURES: VenueFacts = {
  sources: [
    'docs.kraken.com, Derivatives: WebSocket v1 Book, Trade, Ticker, Heartbeat; REST Get instruments; Rate Limits',
    'support.kraken.com, Subscriptions (WebSockets API): what keeps a connection open',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'kraken-futures',
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
          url: 'wss://futures.kraken.com/ws/v1',
          streams: [
            stream('heartbeat', [], false),
            stream('book', ['book']),
            stream('trade', ['trades', 'liquidations']),
            stream('ticker', ['bbo', 'ticker', 'status']),
          ],
          beat: { from: 'us', text: null, everyMs: 30_000, deadMs: 60_000 },
          limits: {
            ...UNLIMITED,
            rates: [{ of: 'messages', max: 100, windowMs: 1000 }],
            connectionsMax: 100,
          },
        },
      ],
      snapshot: null,
      instruments: {
        urls: ['https://futures.kraken.com/derivatives/api/v3/instruments'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: {
    // Public addresses cost nothing; this is what others may use.
    rest: {
      weightMax: 500,
      windowMs: 10_000,
      usedHeader: null,
      leftHeader: null,
      ban: { statuses: [], pauseMs: 10_000 },
    },
  },
};
