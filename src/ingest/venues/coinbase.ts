import {
  type Beat,
  type BudgetFacts,
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type SocketLimits,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

/** A heartbeat comes each second once it is subscribed, and keeps the other channels open. */
const BEAT: Beat = { from: 'venue', everyMs: 1000, deadMs: 5000 };

/** A message subscribes one channel. */
const LIMITS: SocketLimits = {
  ...UNLIMITED,
  rates: [{ of: 'messages', max: 8, windowMs: 1000 }],
  connects: { max: 8, windowMs: 1000 },
  firstSubscribeMs: 5000,
};

function stream(name: string, channels: readonly Channel[], products = true): StreamFacts {
  const members = `${products ? '"product_ids":[{args}],' : ''}"channel":"${name}"`;
  return {
    name,
    channels,
    subscribe: `{"type":"subscribe",${members}}`,
    unsubscribe: `{"type":"unsubscribe",${members}}`,
    args: products ? ['"{symbol}"'] : [''],
    argsMax: 100,
    ...PLAIN_STREAM,
  };
}

/** Public addresses: ten requests a second. */
const REST: BudgetFacts = {
  weightMax: 10,
  windowMs: 1000,
  usedHeader: null,
  leftHeader: 'x-ratelimit-remaining',
  ban: { statuses: [], pauseMs: 1000 },
};

/** Of Exchange, where a message may subscribe several channels: with orders go heartbeats, which show the loss of the last. */
function exchange(
  name: string,
  channels: readonly Channel[],
  { needsKey = false, products = true } = {},
): StreamFacts {
  const signed = needsKey ? SIGNED : '';
  const names = name === 'full' ? '"full","heartbeat"' : `"${name}"`;
  const channel = `"channels":[${names}]${products ? ',"product_ids":[{args}]' : ''}`;
  return {
    ...stream(name, channels, products),
    subscribe: `{"type":"subscribe",${channel}${signed}}`,
    unsubscribe: `{"type":"unsubscribe",${channel}}`,
    needsKey,
  };
}

/** What proves an account, in each subscription that needs one. */
const SIGNED = ',"key":"{key}","passphrase":"{passphrase}","timestamp":"{seconds}","signature":"{signature}"';

const EXCHANGE_LIMITS: SocketLimits = {
  ...LIMITS,
  rates: [{ of: 'messages', max: 100, windowMs: 1000 }],
};

/** Books come in the stream, and one count runs through all messages of a connection: whoever hears it hears all of it. */
export const COINBASE: VenueFacts = {
  sources: [
    'docs.cdp.coinbase.com, Advanced Trade: WebSocket Channels, Overview, Rate Limits; REST: List Public Products',
    'docs.cdp.coinbase.com, Exchange: WebSocket Feed, Channels, Authentication, Rate Limits; REST: Get product book',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'coinbase',
      offers: {
        book: 'built',
        orders: 'none',
        bbo: 'built',
        trades: 'built',
        ticker: 'built',
        liquidations: 'none',
        status: 'built',
      },
      sockets: [
        {
          ...PLAIN,
          url: 'wss://advanced-trade-ws.coinbase.com',
          streams: [
            stream('heartbeats', [], false),
            stream('status', ['status']),
            stream('level2', ['book']),
            stream('market_trades', ['trades']),
            stream('ticker', ['ticker', 'bbo']),
          ],
          beat: BEAT,
          limits: LIMITS,
        },
      ],
      snapshot: null,
      instruments: {
        urls: ['https://api.coinbase.com/api/v3/brokerage/market/products'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
    {
      name: 'coinbase-exchange',
      offers: {
        book: 'none',
        orders: 'built',
        bbo: 'built',
        trades: 'built',
        ticker: 'built',
        liquidations: 'none',
        status: 'built',
      },
      sockets: [
        {
          ...PLAIN,
          url: 'wss://ws-feed.exchange.coinbase.com',
          streams: [
            exchange('status', ['status'], { products: false }),
            exchange('full', ['orders', 'trades']),
            exchange('ticker', ['ticker', 'bbo']),
          ],
          beat: BEAT,
          limits: EXCHANGE_LIMITS,
        },
        {
          ...PLAIN,
          url: 'wss://ws-direct.exchange.coinbase.com',
          streams: [exchange('full', ['orders', 'trades'], { needsKey: true })],
          login: {
            kind: 'fields',
            signature: {
              hash: 'sha256',
              secret: 'base64',
              over: '{seconds}GET/users/self/verify',
              encoding: 'base64',
              expiresMs: 0,
            },
          },
          beat: BEAT,
          limits: EXCHANGE_LIMITS,
        },
      ],
      snapshot: {
        url: 'https://api.exchange.coinbase.com/products/{symbol}/book?level=3',
        weights: [{ levelsMax: 1_048_576, weight: 1 }],
        budget: 'rest',
      },
      instruments: {
        urls: ['https://api.exchange.coinbase.com/products'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: { rest: REST },
};
