import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type ConnectOptions, connect, type Feed } from '../../src/wire/index.js';

/** A control message of the client. */
export interface Control {
  readonly op: string;
  readonly id: number;
  readonly channel?: string;
  readonly instrument?: string;
  readonly instruments?: readonly string[];
  readonly resume?: unknown;
}

/** One client's connection, as a test plays the server on it. */
export class Peer {
  readonly received: Control[] = [];
  /** What the client's handshake said. */
  readonly headers: IncomingHttpHeaders;
  private readonly socket: WebSocket;
  private readonly waiting: { readonly op: string; readonly resolve: (message: Control) => void }[] = [];

  constructor(socket: WebSocket, headers: IncomingHttpHeaders) {
    this.socket = socket;
    this.headers = headers;
  }

  /** The next message with this `op` that no earlier call has taken. */
  async next(op: string): Promise<Control> {
    const at = this.received.findIndex((message) => message.op === op);
    if (at >= 0) return this.received.splice(at, 1)[0] as Control;
    return new Promise((resolve) => this.waiting.push({ op, resolve }));
  }

  /** How many messages with this `op` wait to be taken. */
  count(op: string): number {
    return this.received.filter((message) => message.op === op).length;
  }

  control(message: Readonly<Record<string, unknown>>): void {
    this.socket.send(JSON.stringify(message));
  }

  text(text: string): void {
    this.socket.send(text);
  }

  bytes(bytes: Uint8Array): void {
    this.socket.send(bytes);
  }

  /** Acknowledges a subscribe. */
  grant(subscribe: Control, fields: Readonly<Record<string, unknown>> = {}): void {
    this.control({
      op: 'subscribed',
      id: subscribe.id,
      channel: subscribe.channel,
      instrument: subscribe.instrument,
      instrumentId: 7,
      stream: 1,
      state: 'synced',
      reason: 'none',
      epoch: '1',
      seq: '1',
      priceExponent: -2,
      qtyExponent: -5,
      tickSize: 1,
      lotSize: 1,
      qtyUnit: 'base',
      ...fields,
    });
  }

  close(code: number, reason = ''): void {
    this.socket.close(code, reason);
  }

  cut(): void {
    this.socket.terminate();
  }

  /** Stops reading and answering, without closing. */
  freeze(): void {
    this.socket.pause();
    this.socket.removeAllListeners('message');
  }

  take(message: Control): void {
    const at = this.waiting.findIndex((waiter) => waiter.op === message.op);
    if (at >= 0) this.waiting.splice(at, 1)[0]?.resolve(message);
    else this.received.push(message);
  }
}

/** A WebSocket server on a free port, on which a test speaks the feed's protocol by hand. Pings are answered. */
export class FeedServer implements AsyncDisposable {
  readonly url: string;
  /** The server's clock minus this process's, ms. */
  clockOffsetMs = 0;
  /** Further fields of the greeting. */
  hello: Readonly<Record<string, unknown>> = {};
  /** The HTTP status with which handshakes are refused; 0 = they are not. */
  refusal = 0;
  private readonly server: WebSocketServer;
  private readonly arrived: Peer[] = [];
  private readonly waiting: ((peer: Peer) => void)[] = [];

  private constructor(server: WebSocketServer) {
    this.server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/feed`;
    server.on('connection', (socket, { headers }) => this.connected(socket, headers));
  }

  /** On a free port unless one is given. */
  static async start(port = 0): Promise<FeedServer> {
    const door: { server?: FeedServer } = {};
    const server = new WebSocketServer({
      port,
      host: '127.0.0.1',
      verifyClient: (_info, answer) => answer(!door.server?.refusal, door.server?.refusal),
    });
    await once(server, 'listening');
    door.server = new FeedServer(server);
    return door.server;
  }

  /** The next client's connection. */
  async peer(): Promise<Peer> {
    const peer = this.arrived.shift();
    return peer ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.server.clients) client.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private connected(socket: WebSocket, headers: IncomingHttpHeaders): void {
    const peer = new Peer(socket, headers);
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Control;
      if (message.op === 'ping') {
        const ns =
          BigInt(Math.round((performance.timeOrigin + performance.now() + this.clockOffsetMs) * 1e3)) * 1000n;
        peer.control({ op: 'pong', id: message.id, ts: String(ns) });
      } else {
        peer.take(message);
      }
    });
    peer.control({ op: 'hello', protocol: 'depthwire.v1', version: '0.1.0', limits: {}, ...this.hello });
    const waiter = this.waiting.shift();
    if (waiter) waiter(peer);
    else this.arrived.push(peer);
  }
}

/** Pauses that a test does not wait for. */
export const QUICK = { delayMs: 5, delayMsMax: 40 };

/** A server, a feed and its first connection; everything is closed afterwards. `hello` is what the server adds to its own. */
export async function withFeed(
  run: (parts: { server: FeedServer; feed: Feed; peer: Peer }) => Promise<void>,
  options: ConnectOptions = {},
  hello: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const server = await FeedServer.start();
  server.hello = hello;
  const feed = connect(server.url, { reconnect: QUICK, resync: QUICK, ...options });
  try {
    await run({ server, feed, peer: await server.peer() });
  } finally {
    await feed.close();
    await server[Symbol.asyncDispose]();
  }
}

/** Resolves when an event of a feed or a subscription passes the test. */
export function until<Value>(
  source: { on(event: never, callback: (value: never) => void): () => void },
  event: string,
  test: (value: Value) => boolean = () => true,
): Promise<Value> {
  return new Promise((resolve) => {
    const off = source.on(event as never, (value: Value) => {
      if (!test(value)) return;
      off();
      resolve(value);
    });
  });
}

/** Resolves when the server's greeting has come. */
export async function opened(feed: Feed): Promise<void> {
  if (feed.state !== 'open') await until<string>(feed, 'state', (state) => state === 'open');
}
