import { type Channel, PLAIN, PLAIN_STREAM, type StreamFacts, UNLIMITED, type VenueFacts } from './facts.js';

const MINUTE_MS = 60_000;

function stream(name: string, channels: readonly Channel[]): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"type":"subscribe","channel":"{args}"}',
    unsubscribe: '{"type":"unsubscribe","channel":"{args}"}',
    args: [`${name}/{code}`],
    argsMax: 1,
    ...PLAIN_STREAM,
  };
}

/** Markets are numbers on the wire, which only the list of instruments tells. */
export const LIGHTER: VenueFacts = {
  sources: ['apidocs.lighter.xyz: WebSocket, Rate limits, orderBookDetails'],
  heard: 'sockets',
  products: [
    {
      name: 'lighter',
      offers: {
        book: 'built',
        orders: 'none',
        bbo: 'built',
        trades: 'built',
        ticker: 'built',
        liquidations: 'built',
        status: 'none',
      },
      sockets: [
        {
          ...PLAIN,
          url: 'wss://mainnet.zklighter.elliot.ai/stream',
          welcome: { type: 'connected' },
          streams: [
            stream('order_book', ['book']),
            stream('trade', ['trades', 'liquidations']),
            stream('ticker', ['bbo']),
            stream('market_stats', ['ticker']),
          ],
          beat: { from: 'us', text: '{"type":"ping"}', everyMs: 30_000, deadMs: 70_000 },
          limits: {
            ...UNLIMITED,
            subscriptionsMax: 500,
            rates: [
              { of: 'messages', max: 200, windowMs: MINUTE_MS },
              { of: 'subscriptions', max: 50, windowMs: 1000 },
            ],
            connects: { max: 80, windowMs: MINUTE_MS },
            connectionsMax: 200,
          },
        },
      ],
      snapshot: null,
      instruments: {
        urls: ['https://mainnet.zklighter.elliot.ai/api/v1/orderBookDetails'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: {
    rest: {
      weightMax: 60,
      windowMs: MINUTE_MS,
      usedHeader: null,
      leftHeader: null,
      ban: { statuses: [], pauseMs: MINUTE_MS },
    },
  },
};
