import { type Channel, PLAIN, PLAIN_STREAM, type StreamFacts, UNLIMITED, type VenueFacts } from './facts.js';

const MINUTE_MS = 60_000;
const INFO = 'https://api.hyperliquid.xyz/info';

function stream(name: string, channels: readonly Channel[]): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"method":"subscribe","subscription":{args}}',
    unsubscribe: '{"method":"unsubscribe","subscription":{args}}',
    args: [`{"type":"${name}","coin":"{symbol}"}`],
    argsMax: 1,
    ...PLAIN_STREAM,
  };
}

/** Perpetuals and spot pairs are listed at one address, by what is posted to it. */
export const HYPERLIQUID: VenueFacts = {
  sources: [
    'hyperliquid.gitbook.io: WebSocket, Subscriptions, Timeouts and heartbeats, Rate limits; Info endpoint: meta, spotMeta',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'hyperliquid',
      offers: {
        book: 'built',
        orders: 'none',
        bbo: 'built',
        trades: 'built',
        ticker: 'built',
        liquidations: 'none',
        status: 'none',
      },
      sockets: [
        {
          ...PLAIN,
          url: 'wss://api.hyperliquid.xyz/ws',
          streams: [
            stream('l2Book', ['book']),
            stream('bbo', ['bbo']),
            stream('trades', ['trades']),
            stream('activeAssetCtx', ['ticker']),
          ],
          beat: { from: 'us', text: '{"method":"ping"}', everyMs: 20_000, deadMs: 45_000 },
          limits: {
            ...UNLIMITED,
            subscriptionsMax: 1000,
            rates: [{ of: 'messages', max: 2000, windowMs: MINUTE_MS }],
            connects: { max: 30, windowMs: MINUTE_MS },
            connectionsMax: 10,
          },
        },
      ],
      snapshot: null,
      instruments: {
        urls: [INFO, INFO],
        bodies: ['{"type":"meta"}', '{"type":"spotMeta"}'],
        weight: 20,
        budget: 'info',
        page: null,
      },
    },
  ],
  budgets: {
    info: {
      weightMax: 1200,
      windowMs: MINUTE_MS,
      usedHeader: null,
      leftHeader: null,
      ban: { statuses: [], pauseMs: MINUTE_MS },
    },
  },
};
