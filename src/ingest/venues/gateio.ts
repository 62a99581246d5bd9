import {
  type Channel,
  PLAIN,
  PLAIN_STREAM,
  type ProductFacts,
  type SnapshotFacts,
  type StreamFacts,
  UNLIMITED,
  type VenueFacts,
} from './facts.js';

function stream(
  family: string,
  name: string,
  channels: readonly Channel[],
  args: readonly string[] = ['"{symbol}"'],
  payload = '{args}',
): StreamFacts {
  const members = `"time":{seconds},"id":{id},"channel":"${family}.${name}"`;
  return {
    name,
    channels,
    subscribe: `{${members},"event":"subscribe","payload":[${payload}]}`,
    unsubscribe: `{${members},"event":"unsubscribe","payload":[${payload}]}`,
    args,
    argsMax: 20,
    ...PLAIN_STREAM,
  };
}

/** A stream that comes twice on a connection is refused, so that one depth is subscribed at a time. */
function book(family: string): StreamFacts {
  return {
    ...stream(family, 'obu', ['book'], ['"ob.{symbol}.{depth}"']),
    depths: [{ levels: 400 }, { levels: 50 }],
  };
}

/** Differences of a book that is asked for over HTTP. */
function updates(family: string): StreamFacts {
  return { ...stream(family, 'order_book_update', ['book'], ['"{symbol}"'], '{args},"100ms"'), argsMax: 1 };
}

function product(
  name: string,
  family: string,
  urls: readonly string[],
  lists: readonly string[],
  books: StreamFacts,
  more: readonly StreamFacts[] = [],
  snapshot: SnapshotFacts | null = null,
): ProductFacts {
  return {
    name,
    offers: {
      book: 'built',
      orders: 'none',
      bbo: 'built',
      trades: 'built',
      ticker: 'built',
      liquidations: more.length > 0 ? 'built' : 'none',
      status: 'none',
    },
    sockets: urls.map((url) => ({
      ...PLAIN,
      url,
      streams: [
        books,
        stream(family, 'book_ticker', ['bbo']),
        stream(family, 'trades', ['trades']),
        stream(family, 'tickers', ['ticker']),
        ...more,
      ],
      beat: {
        from: 'us',
        text: `{"time":{seconds},"channel":"${family}.ping"}`,
        everyMs: 15_000,
        deadMs: 30_000,
      },
      limits: { ...UNLIMITED, connectionsMax: 300 },
    })),
    snapshot,
    instruments: { urls: lists, weight: 1, budget: 'rest', page: null },
  };
}

/** `obu` is subscribed anew where it breaks; some regional hosts do not have it. */
export const GATEIO: VenueFacts = {
  sources: [
    'gate.io, Spot and Futures WebSocket v4; announcements of spot.obu and futures.obu; REST v4: currency_pairs, contracts, order_book',
  ],
  heard: 'sockets',
  products: [
    product(
      'gateio',
      'spot',
      ['wss://api.gateio.ws/ws/v4/'],
      ['https://api.gateio.ws/api/v4/spot/currency_pairs'],
      book('spot'),
    ),
    product(
      'gateio-futures',
      'futures',
      ['wss://fx-ws.gateio.ws/v4/ws/usdt'],
      ['https://api.gateio.ws/api/v4/futures/usdt/contracts'],
      book('futures'),
      [stream('futures', 'public_liquidates', ['liquidations'])],
    ),
    product(
      'gateio-delivery',
      'futures',
      ['wss://fx-ws.gateio.ws/v4/ws/delivery/usdt'],
      ['https://api.gateio.ws/api/v4/delivery/usdt/contracts'],
      updates('futures'),
      [],
      {
        url: 'https://api.gateio.ws/api/v4/delivery/usdt/order_book?contract={symbol}&limit={levels}&with_id=true',
        weights: [{ levelsMax: 100, weight: 1 }],
        budget: 'rest',
      },
    ),
  ],
  budgets: {
    rest: {
      weightMax: 200,
      windowMs: 10_000,
      usedHeader: null,
      leftHeader: 'X-Gate-RateLimit-Requests-Remain',
      ban: { statuses: [], pauseMs: 60_000 },
    },
  },
};
