import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { DepthwireError } from '../../errors.js';
import {
  type Answer,
  payloadBytesMax,
  type Transport,
  type TransportHandlers,
  type TransportOptions,
} from '../transport.js';
import { Admission } from './admission.js';
import type { Certificate } from './certificate.js';
import { CertificateWatch } from './certificate-watch.js';
import { handshakeRefusal, isHandshake, listOf } from './handshake.js';
import { listenError } from './listen-error.js';
import { farEnd, TcpConnection } from './tcp-connection.js';
import { causeOf, type Subscribers, WsConnection } from './ws-connection.js';
import { bodyOf, requestOf, statusOf, textOf, writeRaw } from './ws-request.js';

/** The limits that uWebSockets has built in, kept here too. */
const HEADER_BYTES_MAX = 4096;
const HTTP_IDLE_MS = 10_000;
/** Connections that the kernel holds until they are accepted: as many as come back at once when a server has restarted. */
const BACKLOG_MAX = 4096;
const HTTP_OPTIONS: ServerOptions = {
  maxHeaderSize: HEADER_BYTES_MAX,
  headersTimeout: HTTP_IDLE_MS,
  requestTimeout: HTTP_IDLE_MS,
  keepAliveTimeout: HTTP_IDLE_MS,
  connectionsCheckingInterval: 1000,
  noDelay: true,
};
/** How long a client may take to answer a close frame before it is cut. */
const CLOSE_MS = 1000;
/** How often connections are looked at for silence. */
const SWEEP_MS = 1000;
/** A silent client is asked for a sign of life so long before it is cut. */
const PING_LEAD_MS = 4000;

/** The transport over `ws` and Node's own sockets: slower, and at home wherever Node is. */
export class WsTransport implements Transport {
  readonly name = 'ws';
  readonly reason: string;
  readonly #options: TransportOptions;
  readonly #handlers: TransportHandlers;
  readonly #http: Server | TlsServer;
  readonly #tls: CertificateWatch | undefined;
  readonly #sockets: WebSocketServer;
  readonly #subscribers: Subscribers = new Map();
  readonly #connections = new Set<WsConnection>();
  /** All sockets, by the far end, for a request over TLS comes by another object than its connection. */
  readonly #open = new Map<string, TcpConnection>();
  readonly #admission: Admission;
  #sweep: NodeJS.Timeout | undefined;

  constructor(reason: string, options: TransportOptions, handlers: TransportHandlers) {
    this.reason = reason;
    this.#options = options;
    this.#handlers = handlers;
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: payloadBytesMax(options.controlBytesMax),
      // The session counts pings; what waits is bounded for all messages alike.
      maxPendingAutoPongs: 0,
      closeTimeout: CLOSE_MS,
      handleProtocols: () => options.protocol,
    } as ConstructorParameters<typeof WebSocketServer>[0]);
    this.#tls = options.tls && new CertificateWatch(options.tls);
    this.#admission = new Admission(options.limits, (cause) => handlers.onConnectionRefused(cause));
    this.#http =
      this.#tls === undefined
        ? createServer(HTTP_OPTIONS)
        : createTlsServer({ ...HTTP_OPTIONS, ...contextOf(this.#tls.current) });
    // An answer that nobody takes ends with its connection.
    this.#http.timeout = HTTP_IDLE_MS;
    this.#http.on('connection', (socket: Socket) => this.#connected(socket));
    this.#http.on('request', (request, response) => this.#answer(request, response));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const refused = (error: Error): void => reject(listenError(host, port, error));
      this.#http.once('error', refused);
      this.#http.listen({ host, port, exclusive: true, backlog: BACKLOG_MAX }, () => {
        this.#http.off('error', refused);
        // What fails in accepting one connection is no fault of the others.
        this.#http.on('error', () => this.#handlers.onConnectionRefused('descriptors'));
        this.#sweep = setInterval(() => {
          const nowMs = performance.now();
          this.#admission.sweep(nowMs);
          this.#endSilent(nowMs);
          if (this.#tls?.isDue(nowMs) === true) this.reloadCertificate();
        }, SWEEP_MS).unref();
        const address = this.#http.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  publish(topic: string, frames: Uint8Array): void {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return;
    const shared = Buffer.from(frames);
    for (const connection of subscribers) connection.sendShared(shared);
  }

  reloadCertificate(): void {
    const outcome = this.#tls?.reload();
    if (outcome === undefined) return;
    if (!(outcome instanceof DepthwireError) && 'setSecureContext' in this.#http) {
      this.#http.setSecureContext(contextOf(outcome));
    }
    this.#handlers.onCertificate(outcome);
  }

  stopListening(): void {
    this.#http.close();
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#admission.close();
    for (const connection of this.#connections) connection.cut('drain');
    for (const { socket } of this.#open.values()) socket.destroy();
    this.#http.close();
  }

  #connected(socket: Socket): void {
    const key = farEnd(socket);
    const tcp = new TcpConnection(socket);
    this.#open.set(key, tcp);
    socket.once('close', () => {
      this.#open.delete(key);
      this.#admission.pending.remove(tcp);
      this.#admission.ended();
    });
    // What TLS does for a connection costs more than all that comes after, so its handshakes are counted before.
    const isTooOften = this.#tls !== undefined && !this.#admission.takeHandshake(tcp.address);
    if (!this.#admission.accept(tcp) || isTooOften) tcp.close();
  }

  /** One answer at a time: a client that asks again before it has the last one is cut. */
  #answer(request: IncomingMessage, response: ServerResponse): void {
    const tcp = this.#open.get(farEnd(request.socket));
    if (tcp === undefined || tcp.isBusy) {
      request.socket.destroy();
      return;
    }
    const { answers, pending } = this.#admission;
    tcp.isBusy = true;
    tcp.sinceMs = performance.now();
    pending.remove(tcp);
    answers.add(tcp);
    response.once('close', () => {
      tcp.isBusy = false;
      answers.remove(tcp);
      if (tcp.socket.destroyed) return;
      tcp.sinceMs = performance.now();
      pending.add(tcp);
    });
    const asked = requestOf(request, tcp.address);
    const bytesMax = this.#handlers.bodyBytesMax(asked);
    if (bytesMax === 0) {
      this.#say(request, response, this.#handlers.onRequest(asked));
      return;
    }
    // Until all of it has come its connection is a pending one, and cut as those are.
    answers.remove(tcp);
    pending.add(tcp);
    void bodyOf(request, bytesMax).then((body) => {
      if (tcp.socket.destroyed) return;
      pending.remove(tcp);
      answers.add(tcp);
      this.#say(request, response, this.#handlers.onRequest({ ...asked, body }), body !== undefined);
    });
  }

  /** `isRead`: all that was sent with the request has been read. */
  #say(request: IncomingMessage, response: ServerResponse, answer: Answer, isRead = false): void {
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    const [code, text] = statusOf(answer);
    // Elsewhere a body is not asked for, and not waited for.
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
    if (!isRead && (length !== '0' || encoding !== undefined)) response.shouldKeepAlive = false;
    response.writeHead(code, text, { ...answer.headers, 'Content-Length': String(body.byteLength) });
    if (request.method === 'HEAD') response.end();
    else response.end(body);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const tcp = this.#open.get(farEnd(request.socket));
    if (tcp === undefined || tcp.isBusy) {
      socket.destroy();
      return;
    }
    const asked = requestOf(request, tcp.address);
    const { headers } = request;
    // Node looks for it in other requests only.
    if (headers.host === undefined) {
      writeRaw(socket, { status: '400 Bad Request', headers: {}, body: '' }, false);
      return;
    }
    const handshake = {
      upgrade: headers.upgrade ?? '',
      connection: headers.connection ?? '',
      version: textOf(headers['sec-websocket-version']),
      key: headers['sec-websocket-key'] ?? '',
    };
    if (asked.path !== this.#options.path || asked.method !== 'get' || !isHandshake(handshake)) {
      writeRaw(socket, this.#handlers.onRequest(asked), asked.method === 'head');
      return;
    }
    const protocols = listOf(headers['sec-websocket-protocol'] ?? '');
    const refusal =
      handshakeRefusal(handshake) ??
      (this.#tls !== undefined || this.#admission.takeHandshake(tcp.address)
        ? undefined
        : this.#admission.rateRefusal()) ??
      this.#admission.refusalOf(tcp.address) ??
      this.#handlers.refuse(asked, protocols);
    if (refusal !== undefined) {
      writeRaw(socket, refusal, false);
      return;
    }
    // These have been looked at; `ws` would read their lists in its own way.
    headers.upgrade = 'websocket';
    headers['sec-websocket-protocol'] = this.#options.protocol;
    this.#admission.pending.remove(tcp);
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#opened(webSocket, socket, tcp.address),
    );
  }

  #opened(socket: WebSocket, stream: Duplex, address: string): void {
    const { controlBytesMax, backpressureBytesMax } = this.#options;
    const account = this.#admission.opened(address);
    const connection = new WsConnection(
      socket,
      stream,
      address,
      this.#subscribers,
      backpressureBytesMax,
      (gone) => {
        this.#connections.delete(gone);
        this.#admission.closed(account);
      },
    );
    this.#connections.add(connection);
    const heard = (): void => {
      connection.heardMs = performance.now();
    };
    socket.on('error', (error) => connection.closed(1006, causeOf(error)));
    socket.on('close', (code) => connection.closed(code, code === 1006 ? 'lost' : 'client'));
    socket.on('pong', heard);
    const session = this.#handlers.onOpen(connection);
    connection.session = session;
    socket.on('ping', () => {
      heard();
      if (!connection.isClosed) session.onPing();
    });
    socket.on('message', (data: Buffer, isBinary) => {
      heard();
      if (connection.isClosed) return;
      if (isBinary) session.onBinary();
      else if (data.byteLength > controlBytesMax) session.onOversize(data.byteLength);
      else session.onText(data.toString());
    });
  }

  /** Asks silent clients for a sign of life, and cuts those that give none. */
  #endSilent(nowMs: number): void {
    const idleMs = this.#options.idleTimeoutSeconds * 1000;
    if (idleMs === 0) return;
    for (const connection of this.#connections) {
      connection.noteProgress(nowMs);
      const silentMs = nowMs - connection.heardMs;
      if (silentMs >= idleMs) connection.cut('idle');
      else if (silentMs >= idleMs - PING_LEAD_MS) connection.ping();
    }
  }
}

function contextOf({ cert, key, ca, passphrase }: Certificate): SecureContextOptions & TlsOptions {
  return {
    cert,
    key,
    ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }),
    ...(passphrase !== undefined && { passphrase }),
  };
}
