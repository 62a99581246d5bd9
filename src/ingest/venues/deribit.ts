import {
  type Beat,
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type SocketLimits,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

/** The shortest interval that can be asked for; a question that nobody answers ends the connection. */
const BEAT: Beat = { from: 'venue', everyMs: 10_000, deadMs: 30_000 };

const LIMITS: SocketLimits = {
  ...UNLIMITED,
  rates: [{ of: 'requests', max: 10, windowMs: 3000 }],
  connectionsMax: 32,
};

function stream(name: string, channels: readonly Channel[], arg: string): StreamFacts {
  const message = (method: string): string =>
    `{"jsonrpc":"2.0","id":{id},"method":"public/${method}","params":{"channels":[{args}]}}`;
  return {
    name,
    channels,
    subscribe: message('subscribe'),
    unsubscribe: message('unsubscribe'),
    args: [`"${arg}"`],
    argsMax: 500,
    ...PLAIN_STREAM,
  };
}

/** Books come in the stream. Many channels in one message: few messages are allowed. */
export const DERIBIT: VenueFacts = {
  sources: [
    'docs.deribit.com: subscriptions of book, trades, ticker, quote and instrument.state; public/auth, public/set_heartbeat, public/get_instruments; rate limits',
  ],
  heard: 'sockets',
  products: [
    {
      name: 'deribit',
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
          url: 'wss://www.deribit.com/ws/api/v2',
          opening: ['{"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":10}}'],
          streams: [
            stream('instrument.state', [], 'instrument.state.any.any'),
            stream('book.100ms', ['book'], 'book.{symbol}.100ms'),
            { ...stream('book.raw', ['book'], 'book.{symbol}.raw'), needsKey: true },
            stream('trades', ['trades', 'liquidations'], 'trades.{symbol}.100ms'),
            stream('ticker', ['ticker', 'status'], 'ticker.{symbol}.100ms'),
            stream('quote', ['bbo'], 'quote.{symbol}'),
          ],
          login: {
            kind: 'message',
            text: '{"jsonrpc":"2.0","id":{id},"method":"public/auth","params":{"grant_type":"client_credentials","client_id":"{key}","client_secret":"{secret}"}}',
            signature: null,
            accepted: { 'result.token_type': 'bearer' },
            refused: { 'error.code': null },
            renewMs: 600_000,
          },
          beat: BEAT,
          limits: LIMITS,
        },
      ],
      snapshot: null,
      instruments: {
        urls: ['https://www.deribit.com/api/v2/public/get_instruments?currency=any&expired=false'],
        weight: 1,
        budget: 'rest',
        page: null,
      },
    },
  ],
  budgets: {
    rest: {
      weightMax: 50,
      windowMs: 50_000,
      usedHeader: null,
      leftHeader: null,
      ban: { statuses: [], pauseMs: 10_000 },
    },
  },
};
