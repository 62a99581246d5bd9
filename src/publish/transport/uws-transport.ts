import type {
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  WebSocket,
} from 'uWebSockets.js';
import {
  type Answer,
  type CloseCause,
  type Connection,
  END_BYTES_MAX,
  payloadBytesMax,
  type Request,
  type Session,
  type Transport,
  type TransportHandlers,
  type TransportOptions,
} from '../transport.js';
import { type Handshake, handshakeRefusal, isHandshake, listOf } from './handshake.js';
import { whyNotListening } from './listen-error.js';

/** The package, loaded when it is needed: where its binary does not load, the server has another transport. */
export type Uws = typeof import('uWebSockets.js');

interface SocketData {
  connection: SocketConnection;
  session: Session;
}

/** What uWebSockets says of the ends that it decides on itself. */
const OWN_CAUSES: readonly (readonly [text: string, cause: CloseCause])[] = [
  ['too big', 'transport_too_big'],
  ['inactivity', 'idle'],
  ['TCP FIN', 'lost'],
  ['invalid', 'protocol'],
];

/** The transport over uWebSockets.js, and the only file that knows it. */
export class UwsTransport implements Transport {
  readonly name = 'uws';
  readonly reason = '';
  readonly #uws: Uws;
  readonly #app: TemplatedApp;
  readonly #options: TransportOptions;
  readonly #handlers: TransportHandlers;
  #listening: us_listen_socket | undefined;
  #connections = 0;

  constructor(uws: Uws, options: TransportOptions, handlers: TransportHandlers) {
    this.#uws = uws;
    this.#options = options;
    this.#handlers = handlers;
    this.#app = uws.App();
    // Called with 1 for each new connection, and with -1 for each that ends before it became a WebSocket.
    const onConnection = (response: HttpResponse, change: unknown): void => {
      this.#connections += Number(change);
      if (Number(change) < 0 || this.#connections <= options.connectionsMax) return;
      handlers.onConnectionRefused();
      response.close();
    };
    this.#app.filter(onConnection);
    this.#app.ws<SocketData>(options.path, {
      compression: uws.DISABLED,
      maxPayloadLength: payloadBytesMax(options.controlBytesMax),
      // A message that uWebSockets drops is a hole in a delta feed, so it must close instead; ours comes first.
      maxBackpressure: options.backpressureBytesMax,
      closeOnBackpressureLimit: true,
      idleTimeout: options.idleTimeoutSeconds,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => this.#upgrade(response, request, context),
      open: (socket) => {
        const data = socket.getUserData();
        data.connection.attach(socket);
        data.session = handlers.onOpen(data.connection);
      },
      message: (socket, message, isBinary) => {
        const { session } = socket.getUserData();
        if (isBinary) session.onBinary();
        else if (message.byteLength > options.controlBytesMax) session.onOversize(message.byteLength);
        else session.onText(Buffer.from(message).toString());
      },
      ping: (socket) => socket.getUserData().session.onPing(),
      dropped: (socket) => {
        socket.getUserData().connection.cause ??= 'transport_backpressure';
      },
      close: (socket, code, message) => {
        this.#connections -= 1;
        const { connection, session } = socket.getUserData();
        connection.detach();
        session.onClose(code, connection.cause ?? ownCause(code, Buffer.from(message).toString()));
      },
    });
    this.#app.any('/*', (response, request) => {
      // uWebSockets takes a request with a key of the wrong length for no handshake.
      const refusal = request.getUrl() === options.path ? wrongHandshake(request) : undefined;
      const answer = refusal ?? handlers.onRequest(requestOf(request));
      write(response, answer, request.getMethod() === 'head');
    });
  }

  async listen(host: string, port: number): Promise<number> {
    // Without the exclusive option a second server would share the port silently.
    const listen = this.#app.listen as unknown as Listen;
    listen.call(this.#app, host, port, EXCLUSIVE_PORT, (socket) => {
      if (socket !== false) this.#listening = socket;
    });
    if (this.#listening === undefined) throw await whyNotListening(host, port);
    return this.#uws.us_socket_local_port(this.#listening);
  }

  publish(topic: string, frames: Uint8Array): void {
    this.#app.publish(topic, frames, true, false);
  }

  stopListening(): void {
    if (this.#listening === undefined) return;
    this.#uws.us_listen_socket_close(this.#listening);
    this.#listening = undefined;
  }

  close(): void {
    this.#listening = undefined;
    this.#app.close();
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const handshake = handshakeOf(request);
    if (!isHandshake(handshake)) {
      write(response, this.#handlers.onRequest(requestOf(request)), false);
      return;
    }
    const protocols = listOf(request.getHeader('sec-websocket-protocol'));
    const refusal = handshakeRefusal(handshake) ?? this.#handlers.refuse(requestOf(request), protocols);
    if (refusal !== undefined) {
      write(response, refusal, false);
      return;
    }
    const connection = new SocketConnection();
    response.upgrade<SocketData>(
      { connection, session: NO_SESSION },
      handshake.key,
      this.#options.protocol,
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  }
}

/** uWebSockets' LIBUS_LISTEN_EXCLUSIVE_PORT, which the package's types declare under a name that does not exist. */
const EXCLUSIVE_PORT = 1;

/** The form of `listen` with host and option, which works but is missing from the package's types. */
type Listen = (
  host: string,
  port: number,
  options: number,
  done: (socket: us_listen_socket | false) => void,
) => TemplatedApp;

class SocketConnection implements Connection {
  /** Set by who ends the connection first. */
  cause: CloseCause | undefined;
  #socket: WebSocket<SocketData> | undefined;

  attach(socket: WebSocket<SocketData>): void {
    this.#socket = socket;
  }

  detach(): void {
    this.#socket = undefined;
  }

  sendText(text: string): void {
    this.#socket?.send(text, false, false);
  }

  sendFrames(frames: Uint8Array): void {
    this.#socket?.send(frames, true, false);
  }

  subscribe(topic: string): void {
    this.#socket?.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#socket?.unsubscribe(topic);
  }

  bufferedBytes(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  end(code: number, cause: CloseCause, reason: string): void {
    this.cause ??= cause;
    if (this.bufferedBytes() > END_BYTES_MAX) this.#socket?.close();
    else this.#socket?.end(code, reason);
  }

  cut(cause: CloseCause): void {
    this.cause ??= cause;
    this.#socket?.close();
  }
}

/** Stands in between upgrade and open, which follow one another in the same turn. */
const NO_SESSION: Session = { onText() {}, onBinary() {}, onOversize() {}, onPing() {}, onClose() {} };

function ownCause(code: number, message: string): CloseCause {
  if (code !== 1006) return 'client';
  return OWN_CAUSES.find(([text]) => message.includes(text))?.[1] ?? 'lost';
}

function requestOf(request: HttpRequest): Request {
  return {
    method: request.getMethod(),
    path: request.getUrl(),
    query: request.getQuery(),
    host: request.getHeader('host'),
    origin: request.getHeader('origin'),
  };
}

function wrongHandshake(request: HttpRequest): Answer | undefined {
  const handshake = handshakeOf(request);
  return request.getMethod() === 'get' && isHandshake(handshake) ? handshakeRefusal(handshake) : undefined;
}

function handshakeOf(request: HttpRequest): Handshake {
  return {
    upgrade: request.getHeader('upgrade'),
    connection: request.getHeader('connection'),
    version: request.getHeader('sec-websocket-version'),
    key: request.getHeader('sec-websocket-key'),
  };
}

/**
 * Answers one request in a later turn. While an answer is on its way uWebSockets ends a connection that sends another
 * request, so a client has one answer at a time; nothing of it is buffered beyond what the kernel takes.
 */
function write(response: HttpResponse, answer: Answer, headOnly: boolean): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  const size = body.byteLength;
  let gone = false;
  response.onAborted(() => {
    gone = true;
  });
  setImmediate(() => {
    if (gone) return;
    let done = false;
    response.cork(() => {
      response.writeStatus(answer.status);
      for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value);
      if (headOnly) response.writeHeader('Connection', 'close');
      done = response.tryEnd(headOnly ? '' : body, size)[1];
      if (done || headOnly) return;
      response.onWritable((offset) => response.tryEnd(body.subarray(offset), size)[0]);
    });
    // Handing the length to endWithoutBody ends the process in this build of uWebSockets, so a length without the body
    // is an answer that is cut behind its headers.
    if (headOnly && !done && !gone) response.close();
  });
}
