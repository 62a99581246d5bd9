import { type Channel, PLAIN, type StreamFacts, UNLIMITED, type VenueFacts } from './facts.js';

const MINUTE_MS = 60_000;

function stream(name: string, channels: readonly Channel[]): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"method":"subscribe","subscription":{args}}',
    unsubscribe: '{"method":"unsubscribe","subscription":{args}}',
    args: [`{"type":"${name}","coin":"{symbol}"}`],
    argsMax: 1,
    bytesMax: null,
    depths: [],
    needsKey: false,
    silenceMs: null,
  };
}

/** Its list of instruments is asked for by a POST with a body, which no facts of lists have: coins are named as they are. */
export const HYPERLIQUID: VenueFacts = {
  sources: ['hyperliquid.gitbook.io: WebSocket, Subscriptions, Timeouts and heartbeats, Rate limits'],
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
      instruments: null,
    },
  ],
  budgets: {},
};
