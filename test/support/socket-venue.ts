import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** One connection as the server sees it. */
export interface Visitor {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** Texts received, in order. */
  readonly said: string[];
  pings: number;
  isClosed: boolean;
}

export interface SocketVenueOptions {
  readonly onConnect?: (visitor: Visitor) => void;
  readonly onText?: (visitor: Visitor, text: string) => void;
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Refuses the socket with this status. */
  readonly refuse?: () => number | undefined;
  readonly isPacked?: boolean;
  /** Whether pings are answered. */
  readonly autoPong?: boolean;
}

/** A plain WebSocket and HTTP server on this machine, on a port of its own. */
export class SocketVenue {
  readonly visitors: Visitor[] = [];
  readonly #server: Server;
  readonly #sockets: WebSocketServer;

  constructor(options: SocketVenueOptions = {}) {
    this.#server = createServer((request, response) => {
      if (options.onRequest !== undefined) return options.onRequest(request, response);
      response.writeHead(404).end();
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: options.isPacked ?? false,
      autoPong: options.autoPong ?? true,
    });
    this.#server.on('upgrade', (request, socket, head) => {
      const status = options.refuse?.();
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (accepted) => {
        const visitor: Visitor = { socket: accepted, request, said: [], pings: 0, isClosed: false };
        this.visitors.push(visitor);
        accepted.on('message', (data: Buffer) => {
          visitor.said.push(data.toString());
          options.onText?.(visitor, data.toString());
        });
        accepted.on('ping', () => {
          visitor.pings += 1;
        });
        accepted.on('close', () => {
          visitor.isClosed = true;
        });
        accepted.on('error', () => {});
        options.onConnect?.(visitor);
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const { socket } of this.visitors) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get open(): readonly Visitor[] {
    return this.visitors.filter(({ isClosed }) => !isClosed);
  }
}
