/** How a venue announces that it is going to end a connection. */
export interface Farewell {
  readonly text: (nowMs: number) => string;
  /** From the announcement to the end. */
  readonly afterMs: number;
}

/** Those that bid "a few seconds", or say nothing of when. */
const SOON_MS = 5000;

const BITSTAMP: Farewell = {
  text: () => '{"event":"bts:request_reconnect","channel":"","data":""}',
  afterMs: SOON_MS,
};

/**
 * By products; absent where the venue documents none: its connections just end.
 *
 * Sources: binance-spot-api-docs, web-socket-streams.md (`serverShutdown`; the page names no time, an earlier one ten minutes);
 * okx.com/docs-v5, Notification (64008, 60 seconds before); bitstamp.net/websocket/v2, Reconnect request; docs.bitfinex.com, Info
 * messages (20051).
 */
const FAREWELLS: Readonly<Record<string, Farewell>> = {
  binance: {
    text: (nowMs) => `{"e":"serverShutdown","E":${Math.floor(nowMs)}}`,
    afterMs: 600_000,
  },
  bitfinex: {
    text: () => '{"event":"info","code":20051,"msg":"Stopping. Please try to reconnect"}',
    afterMs: SOON_MS,
  },
  bitstamp: BITSTAMP,
  'bitstamp-orders': BITSTAMP,
  okx: {
    text: () =>
      '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.","connId":"a4d3ae55"}',
    afterMs: 60_000,
  },
};

export function farewellOf(product: string): Farewell | undefined {
  return FAREWELLS[product];
}
