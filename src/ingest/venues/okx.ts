import {
  type BudgetFacts,
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

const KINDS = ['SPOT', 'SWAP', 'FUTURES', 'OPTION'] as const;

function stream(name: string, channels: readonly Channel[], args: readonly string[]): StreamFacts {
  return {
    name,
    channels,
    subscribe: '{"op":"subscribe","args":[{args}]}',
    unsubscribe: '{"op":"unsubscribe","args":[{args}]}',
    args,
    argsMax: 100,
    ...PLAIN_STREAM,
    // All arguments of a message together.
    bytesMax: 65_536,
  };
}

/** A channel of one instrument. */
function ofInstrument(name: string, channels: readonly Channel[]): StreamFacts {
  return stream(name, channels, [`{"channel":"${name}","instId":"{symbol}"}`]);
}

/** A channel of all instruments of some kinds. */
function ofKinds(name: string, channels: readonly Channel[], kinds: readonly string[]): StreamFacts {
  return stream(
    name,
    channels,
    kinds.map((kind) => `{"channel":"${name}","instType":"${kind}"}`),
  );
}

/** Each address has its own budget of 20 requests in two seconds; the tightest serves for all. */
const REST: BudgetFacts = {
  weightMax: 20,
  windowMs: 2000,
  usedHeader: null,
  leftHeader: null,
  ban: { statuses: [], pauseMs: 60_000 },
};

const LISTS = 'https://www.okx.com/api/v5/public/instruments?instType=';

/** Books come in the stream. Books of every change need the login of an account with a VIP level. */
export const OKX: VenueFacts = {
  sources: [
    'okx.com/docs-v5: Overview (connect, login, connection count limit), Public Data and Order Book Trading channels, Get instruments',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'okx',
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
          url: 'wss://ws.okx.com:8443/ws/v5/public',
          // Half a minute before a service upgrade.
          farewells: [{ event: 'notice', code: '64008' }],
          streams: [
            ofKinds('instruments', ['status'], KINDS),
            ofInstrument('books', ['book']),
            { ...ofInstrument('books-l2-tbt', ['book']), needsKey: true },
            { ...ofInstrument('books50-l2-tbt', ['book']), needsKey: true },
            ofInstrument('books5', ['book']),
            ofInstrument('bbo-tbt', ['bbo']),
            ofInstrument('trades', ['trades']),
            ofInstrument('tickers', ['ticker']),
            ofInstrument('mark-price', ['ticker']),
            ofInstrument('funding-rate', ['ticker']),
            ofInstrument('open-interest', ['ticker']),
            stream('index-tickers', ['ticker'], ['{"channel":"index-tickers","instId":"{family}"}']),
            stream('opt-summary', ['ticker'], ['{"channel":"opt-summary","instFamily":"{family}"}']),
            ofKinds('liquidation-orders', ['liquidations'], KINDS.slice(1)),
          ],
          login: {
            kind: 'message',
            text: '{"op":"login","args":[{"apiKey":"{key}","passphrase":"{passphrase}","timestamp":"{seconds}","sign":"{signature}"}]}',
            signature: {
              hash: 'sha256',
              secret: 'text',
              over: '{seconds}GET/users/self/verify',
              encoding: 'base64',
              expiresMs: 30_000,
            },
            accepted: { event: 'login', code: '0' },
            refused: { event: 'error' },
            renewMs: null,
          },
          beat: { from: 'us', text: 'ping', everyMs: 10_000, deadMs: 25_000 },
          limits: {
            ...UNLIMITED,
            rates: [{ of: 'requests', max: 480, windowMs: 3_600_000 }],
            connects: { max: 3, windowMs: 1000 },
            connectionsMax: 30,
          },
        },
      ],
      snapshot: null,
      instruments: {
        urls: [
          `${LISTS}SPOT`,
          `${LISTS}SWAP`,
          `${LISTS}FUTURES`,
          `${LISTS}OPTION&instFamily=BTC-USD`,
          `${LISTS}OPTION&instFamily=ETH-USD`,
        ],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: { rest: REST },
};
