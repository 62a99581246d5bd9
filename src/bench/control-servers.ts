/** Servers that keep no book, to be measured beside ours, and how messages come into either. Loaded by a process that is one of them. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { FEED_PATH } from './target.js';

/** A server that listens. */
export interface ControlServer {
  readonly port: number;
  /** Sends a frame to all subscribers. The bytes must not change afterwards. */
  publish(frame: Uint8Array): void;
}

const TOPIC = 'book';
const BACKPRESSURE_BYTES_MAX = 64 << 20;
const SUBSCRIBED = '{"op":"subscribed"}';

/** Publishes by uWebSockets.js. Who subscribes, by any message, is sent `image` first where one is given. */
export async function bareServer(image?: Uint8Array): Promise<ControlServer> {
  const { App, DISABLED, us_socket_local_port } = await import('uWebSockets.js');
  const app = App();
  app.ws(FEED_PATH, {
    compression: DISABLED,
    maxBackpressure: BACKPRESSURE_BYTES_MAX,
    idleTimeout: 0,
    // With pings a timeout of 0 is one of 252 seconds.
    sendPingsAutomatically: false,
    message(socket) {
      socket.subscribe(TOPIC);
      socket.send(SUBSCRIBED, false);
      if (image !== undefined) socket.send(image, true);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) reject(new Error('no port'));
      else resolve(us_socket_local_port(socket));
    });
  });
  return { port, publish: (frame) => void app.publish(TOPIC, frame, true) };
}

/** What many servers do: a loop over the clients of `ws`. */
export async function loopServer(): Promise<ControlServer> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    path: FEED_PATH,
    perMessageDeflate: false,
  });
  const subscribers = new Set<import('ws').WebSocket>();
  server.on('connection', (socket) => {
    socket.once('message', () => {
      subscribers.add(socket);
      socket.send(SUBSCRIBED);
    });
    socket.on('close', () => subscribers.delete(socket));
    socket.on('error', () => {});
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    publish(frame) {
      for (const socket of subscribers) socket.send(frame);
    },
  };
}

/** A port of this machine on which messages come, each behind its size as a little-endian u32. `take` may not keep what it is given. */
export function messagesIn(take: (message: Uint8Array) => void): Server {
  return createServer((socket) => {
    socket.setNoDelay();
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      while (at + 4 <= bytes.length) {
        const end = at + 4 + bytes.readUInt32LE(at);
        if (end > bytes.length) break;
        take(bytes.subarray(at + 4, end));
        at = end;
      }
      rest = bytes.subarray(at);
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
}
