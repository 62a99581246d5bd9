import type { Channel, SocketFacts, VenueFacts } from './facts.js';

/** Without a message for so long a connection is dead: a heartbeat comes each second in which nothing else does. */
const DEAD_MS = 5000;

function socket(
  url: string,
  channels: readonly Channel[],
  params: string,
  limits: { readonly needsKey: boolean; readonly subscriptionsMax: number | null },
): SocketFacts {
  return {
    name: 'kraken',
    url,
    channels,
    subscribe: `{"method":"subscribe","params":${params},"req_id":{id}}`,
    unsubscribe: `{"method":"unsubscribe","params":${params},"req_id":{id}}`,
    needsKey: limits.needsKey,
    beat: { from: 'venue', everyMs: 1000, deadMs: DEAD_MS },
    limits: {
      subscriptionsMax: limits.subscriptionsMax,
      messagesPerSecondMax: null,
      connects: { max: 150, windowMs: 600_000 },
      lifeMs: null,
    },
  };
}

const PUBLIC = 'wss://ws.kraken.com/v2';
const UNLIMITED = { needsKey: false, subscriptionsMax: null } as const;

/** Books come in the stream, with their checksums; nothing is asked for over HTTP. */
export const KRAKEN: VenueFacts = {
  names: ['kraken'],
  sources: ['docs.kraken.com, WebSocket API v2: book, trade, ticker, instrument, heartbeat, level3'],
  heard: 'sockets',
  sockets: [
    socket(PUBLIC, ['book'], '{"channel":"book","symbol":["{symbol}"],"depth":{depth}}', UNLIMITED),
    socket(PUBLIC, ['trades'], '{"channel":"trade","symbol":["{symbol}"]}', UNLIMITED),
    socket(PUBLIC, ['ticker', 'bbo'], '{"channel":"ticker","symbol":["{symbol}"]}', UNLIMITED),
    socket(
      'wss://ws-l3.kraken.com/v2',
      ['orders'],
      '{"channel":"level3","symbol":["{symbol}"],"depth":{depth},"token":"{token}"}',
      { needsKey: true, subscriptionsMax: 200 },
    ),
  ],
  snapshots: [],
};
