import {
  App,
  DISABLED,
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  us_socket_local_port,
  type WebSocket,
} from 'uWebSockets.js';
import { createServer } from 'node:net';
import { codeOf, DepthwireError } from '../errors.js';

/** Bytes or text of an answer with its headers. */
export interface Answer {
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What an HTTP handler is told of a request. */
export interface Request {
  /** Lower case. */
  readonly method: string;
  readonly path: string;
  /** What stands after `?`. */
  readonly query: string;
  readonly host: string;
  readonly origin: string;
}

/** Why a connection ended, as metrics count it. */
export type CloseCause =
  | 'client'
  | 'drain'
  | 'control_too_big'
  | 'transport_too_big'
  | 'bad_request'
  | 'too_slow'
  | 'too_slow_cut'
  | 'transport_backpressure'
  | 'idle'
  | 'protocol'
  | 'lost';

/** One client's socket. After it has closed every call is a no-op, so that nothing is ever asked of a dead socket. */
export interface Connection {
  /** JSON to the client. */
  sendText(text: string): void;
  /** Feed frames to the client; copied before the call returns. */
  sendFrames(frames: Uint8Array): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Bytes that wait because the client does not take them. */
  bufferedBytes(): number;
  /** Closes with a code, after what is buffered; cuts at once when that is more than `END_BYTES_MAX`. */
  end(code: number, cause: CloseCause, reason: string): void;
  /** Cuts at once. */
  cut(cause: CloseCause): void;
}

/** Who serves one connection. */
export interface Session {
  onText(text: string): void;
  onBinary(): void;
  onOversize(bytes: number): void;
  /** A ping of the WebSocket itself, which the transport answers. */
  onPing(): void;
  onClose(code: number, cause: CloseCause): void;
}

export interface TransportHandlers {
  onRequest(request: Request): Answer;
  /** A connection above `connectionsMax` was cut. */
  onConnectionRefused(): void;
  /** Decides on a WebSocket handshake: an answer refuses it, undefined takes it. */
  refuse(request: Request, protocols: readonly string[]): Answer | undefined;
  onOpen(connection: Connection): Session;
}

export interface TransportOptions {
  readonly path: string;
  readonly protocol: string;
  /** Longest control message that reaches `onText`; a longer one reaches `onOversize`. */
  readonly controlBytesMax: number;
  /** Bytes waiting for one client at which the transport itself ends it. Must be above every limit of ours. */
  readonly backpressureBytesMax: number;
  /** Connections that may be open at once, idle ones and those of HTTP included. */
  readonly connectionsMax: number;
  /** 0 or 8 to 960: uWebSockets ends the process on any other. */
  readonly idleTimeoutSeconds: number;
}

/** A socket that has ended is in no count of ours until its buffer is taken, so little may be in it. */
const END_BYTES_MAX = 65_536;

/** Four times our own limit and at least uWebSockets' default: between the two a client still gets an explanation. */
export function payloadBytesMax(controlBytesMax: number): number {
  return Math.max(16_384, controlBytesMax * 4);
}

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

/** The only file that knows uWebSockets. One listener with HTTP and one WebSocket path. */
export class Transport {
  readonly #app: TemplatedApp;
  #listening: us_listen_socket | undefined;
  #connections = 0;

  constructor(options: TransportOptions, handlers: TransportHandlers) {
    this.#app = App();
    // Called with 1 for each new connection, and with -1 for each that ends before it became a WebSocket.
    const onConnection = (response: HttpResponse, change: unknown): void => {
      this.#connections += Number(change);
      if (Number(change) < 0 || this.#connections <= options.connectionsMax) return;
      handlers.onConnectionRefused();
      response.close();
    };
    this.#app.filter(onConnection);
    this.#app.ws<SocketData>(options.path, {
      compression: DISABLED,
      maxPayloadLength: payloadBytesMax(options.controlBytesMax),
      // A message that uWebSockets drops is a hole in a delta feed, so it must close instead; ours comes first.
      maxBackpressure: options.backpressureBytesMax,
      closeOnBackpressureLimit: true,
      idleTimeout: options.idleTimeoutSeconds,
      sendPingsAutomatically: true,
      upgrade: (response, request, context) => {
        const offered = request.getHeader('sec-websocket-protocol');
        const protocols = offered.split(',').map((protocol) => protocol.trim());
        const refusal = handlers.refuse(requestOf(request), protocols);
        if (refusal !== undefined) return write(response, refusal, false);
        const key = request.getHeader('sec-websocket-key');
        const connection = new SocketConnection();
        response.upgrade<SocketData>(
          { connection, session: NO_SESSION },
          key,
          options.protocol,
          request.getHeader('sec-websocket-extensions'),
          context,
        );
      },
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
      write(response, handlers.onRequest(requestOf(request)), request.getMethod() === 'head');
    });
  }

  /** Starts to listen and returns the port. Throws `serve.port_taken`, `serve.port_forbidden` or `serve.listen`. */
  async listen(host: string, port: number): Promise<number> {
    // Without the exclusive option a second server would share the port silently.
    const listen = this.#app.listen as unknown as Listen;
    listen.call(this.#app, host, port, EXCLUSIVE_PORT, (socket) => {
      if (socket !== false) this.#listening = socket;
    });
    if (this.#listening === undefined) throw await whyNot(host, port);
    return us_socket_local_port(this.#listening);
  }

  /** One feed frame to all subscribers of a topic. Copies it once; costs a walk of the subscribers. */
  publish(topic: string, frame: Uint8Array): void {
    this.#app.publish(topic, frame, true, false);
  }

  /** No further connections; those that are open go on. */
  stopListening(): void {
    if (this.#listening === undefined) return;
    us_listen_socket_close(this.#listening);
    this.#listening = undefined;
  }

  /** Cuts whatever is still connected. The transport cannot be used again. */
  close(): void {
    this.#listening = undefined;
    this.#app.close();
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

/** uWebSockets says only that it could not listen, so Node is asked for the reason. */
async function whyNot(host: string, port: number): Promise<DepthwireError> {
  const reason = await new Promise<unknown>((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
  const where = `${host}:${port}`;
  if (codeOf(reason) === 'EADDRINUSE') {
    return new DepthwireError('serve.port_taken', {
      what: `port ${port} is taken by another process`,
      where,
      expected: 'a free port',
      got: 'an address in use',
      fix: `Find it with: ss -ltnp 'sport = :${port}'  and end it, or choose another port with --port ${port + 1}.`,
      cause: reason,
    });
  }
  if (codeOf(reason) === 'EACCES') {
    return new DepthwireError('serve.port_forbidden', {
      what: `this user may not listen on port ${port}`,
      where,
      expected: 'a port of 1024 or above',
      got: String(port),
      fix: 'Choose a port above 1023 with --port 8642.',
      cause: reason,
    });
  }
  return new DepthwireError('serve.listen', {
    what: 'the server cannot listen at this address',
    where,
    expected: 'an address of this machine',
    got: codeOf(reason) || 'refused',
    fix: 'Use --host 127.0.0.1 and a port that is free.',
    cause: reason,
  });
}
