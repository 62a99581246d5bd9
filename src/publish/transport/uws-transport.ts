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
import { type Account, addressKey } from './addresses.js';
import { Admission } from './admission.js';
import { type Handshake, handshakeRefusal, isHandshake, listOf } from './handshake.js';
import { whyNotListening } from './listen-error.js';
import type { Pending } from './pending.js';

/** The package, loaded when it is needed: where its binary does not load, the server has another transport. */
export type Uws = typeof import('uWebSockets.js');

interface SocketData {
  connection: SocketConnection;
  session: Session;
  account: Account;
}

/**
 * A connection that is no WebSocket, by the response object that uWebSockets gives its filter. The object is good as long as
 * the connection is: it tells of its end by `onAborted` and of each request by `onData`, and only an upgrade ends it
 * unsaid, so it must be let go of before.
 */
class Waiting implements Pending {
  readonly response: HttpResponse;
  readonly address: string;
  sinceMs = performance.now();

  constructor(response: HttpResponse, address: string) {
    this.response = response;
    this.address = address;
  }

  close(): void {
    this.response.close();
  }
}

/** A request until it is known which connection it came by. */
interface Asking {
  waiting: Waiting | undefined;
  hasBody: boolean;
  isGone: boolean;
}

/** A handshake, read out of a request that is gone when its handler returns. */
interface Asked {
  readonly handshake: Handshake;
  readonly request: Request;
  readonly protocols: readonly string[];
  readonly extensions: string;
  readonly address: string;
  readonly context: us_socket_context_t;
}

/** How often silent connections are looked at. */
const SWEEP_MS = 1000;

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
  readonly #admission: Admission;
  readonly #sweep: NodeJS.Timeout;
  #listening: us_listen_socket | undefined;
  /** The request whose handler has just returned. */
  #asking: Asking | undefined;

  constructor(uws: Uws, options: TransportOptions, handlers: TransportHandlers) {
    this.#uws = uws;
    this.#options = options;
    this.#handlers = handlers;
    this.#admission = new Admission(options.limits, (cause) => handlers.onConnectionRefused(cause));
    this.#sweep = setInterval(() => this.#admission.sweep(performance.now()), SWEEP_MS).unref();
    this.#app = uws.App();
    // Called with 1 for each new connection, and with -1 for each that ends before it became a WebSocket.
    const onConnection = (response: HttpResponse, change: unknown): void => {
      if (Number(change) < 0) this.#admission.ended();
      else this.#accept(response);
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
        const { connection, session, account } = socket.getUserData();
        this.#admission.ended();
        this.#admission.closed(account);
        connection.detach();
        session.onClose(code, connection.cause ?? ownCause(code, Buffer.from(message).toString()));
      },
    });
    this.#app.any('/*', (response, request) => this.#request(response, request));
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
    clearInterval(this.#sweep);
    this.#admission.close();
    this.#listening = undefined;
    this.#app.close();
  }

  #accept(response: HttpResponse): void {
    const waiting = new Waiting(response, addressOf(response));
    if (!this.#admission.accept(waiting)) {
      response.close();
      return;
    }
    this.#watch(waiting);
  }

  #watch(waiting: Waiting): void {
    waiting.response.onAborted(() => this.#admission.pending.remove(waiting));
    // Called behind the handler of each request, with or without a body: the only word of which connection it came by.
    waiting.response.onData((_bytes, isLast) => {
      const asking = this.#asking;
      if (asking === undefined) return;
      this.#asking = undefined;
      asking.waiting = waiting;
      asking.hasBody = !isLast;
      this.#admission.pending.remove(waiting);
    });
  }

  /** Runs in a later turn, when it is known by which connection a request came. */
  #later(response: HttpResponse, address: string, run: (waiting: Waiting, hasBody: boolean) => void): void {
    const asking: Asking = { waiting: undefined, hasBody: false, isGone: false };
    response.onAborted(() => {
      asking.isGone = true;
      if (asking.waiting === undefined) this.#admission.pending.forget(address);
    });
    this.#asking = asking;
    setImmediate(() => {
      if (asking.isGone) return;
      if (asking.waiting !== undefined) {
        run(asking.waiting, asking.hasBody);
        return;
      }
      // One of them is this one; uWebSockets ends the others by its own time limit.
      this.#admission.pending.forget(address);
      response.close();
    });
  }

  #request(response: HttpResponse, request: HttpRequest): void {
    if (hidesItsConnection(request)) {
      response.close();
      return;
    }
    const address = addressOf(response);
    const asked = requestOf(request, address);
    // uWebSockets takes a request with a key of the wrong length for no handshake.
    const wrong =
      asked.path === this.#options.path && asked.method === 'get' ? wrongHandshake(request) : undefined;
    const answer = wrong ?? this.#handlers.onRequest(asked);
    // uWebSockets ends the connection of a client that asks for it, by the same word length.
    const isLast = request.getHeader('connection').length === 'close'.length;
    const isHead = asked.method === 'head';
    this.#later(response, address, (waiting, hasBody) => {
      if (wrong !== undefined || hasBody) refuse(response, answer);
      else this.#answer(response, waiting, answer, isHead, isLast);
    });
  }

  #upgrade(response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void {
    const handshake = handshakeOf(request);
    if (!isHandshake(handshake) || hidesItsConnection(request)) {
      this.#request(response, request);
      return;
    }
    const address = addressOf(response);
    const asked: Asked = {
      handshake,
      request: requestOf(request, address),
      protocols: listOf(request.getHeader('sec-websocket-protocol')),
      extensions: request.getHeader('sec-websocket-extensions'),
      address,
      context,
    };
    // Which of the connections of this address asks is not known in this handler, and one that has become a WebSocket must
    // not be held as a pending one; so none of them is.
    if (this.#admission.letGo(asked.address)) {
      this.#decide(response, asked);
      return;
    }
    // An address that holds many silent ones has to wait until it is known. Outside of a handler nothing is corked, and what
    // corks the response itself would take it for one of HTTP still, so another response does.
    this.#later(response, asked.address, () => {
      const holder = this.#admission.pending.any();
      const decide = (): void => this.#decide(response, asked);
      if (holder instanceof Waiting) holder.response.cork(decide);
      else decide();
    });
  }

  /** Upgrades, or refuses. */
  #decide(response: HttpResponse, asked: Asked): void {
    const { handshake, request, protocols, extensions, address, context } = asked;
    const refusal =
      handshakeRefusal(handshake) ??
      (this.#admission.takeHandshake(address) ? undefined : this.#admission.rateRefusal()) ??
      this.#admission.refusalOf(address) ??
      this.#handlers.refuse(request, protocols);
    if (refusal !== undefined) {
      let isGone = false;
      response.onAborted(() => {
        isGone = true;
      });
      setImmediate(() => {
        if (!isGone) refuse(response, refusal);
      });
      return;
    }
    const connection = new SocketConnection(address);
    const account = this.#admission.opened(address);
    response.upgrade<SocketData>(
      { connection, session: NO_SESSION, account },
      handshake.key,
      this.#options.protocol,
      extensions,
      context,
    );
  }

  /**
   * Answers one request. While an answer is on its way uWebSockets ends a connection that sends another request, so a client
   * has one answer at a time; nothing of it is buffered beyond what the kernel takes.
   */
  #answer(response: HttpResponse, waiting: Waiting, answer: Answer, isHead: boolean, isLast: boolean): void {
    const { answers, pending } = this.#admission;
    const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
    const size = body.byteLength;
    const underWay: Pending = {
      address: waiting.address,
      sinceMs: performance.now(),
      close: () => response.close(),
    };
    answers.add(underWay);
    response.onAborted(() => answers.remove(underWay));
    const ended = (): void => {
      answers.remove(underWay);
      if (isLast) return;
      waiting.sinceMs = performance.now();
      this.#watch(waiting);
      pending.add(waiting);
    };
    let isDone = false;
    response.cork(() => {
      writeHead(response, answer);
      if (isHead) response.writeHeader('Connection', 'close');
      isDone = response.tryEnd(isHead ? '' : body, size)[1];
      if (isDone || isHead) return;
      response.onWritable((offset) => {
        const [isOk, isAll] = response.tryEnd(body.subarray(offset), size);
        if (isAll) ended();
        return isOk;
      });
    });
    if (isDone) ended();
    // Handing the length to endWithoutBody ends the process in this build of uWebSockets, so a length without the body
    // is an answer that is cut behind its headers.
    else if (isHead) response.close();
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
  readonly address: string;
  /** Set by who ends the connection first. */
  cause: CloseCause | undefined;
  #socket: WebSocket<SocketData> | undefined;

  constructor(address: string) {
    this.address = address;
  }

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

function requestOf(request: HttpRequest, address: string): Request {
  return {
    method: request.getMethod(),
    path: request.getUrl(),
    query: request.getQuery(),
    host: request.getHeader('host'),
    origin: request.getHeader('origin'),
    address,
    authorization: request.getHeader('authorization'),
  };
}

function wrongHandshake(request: HttpRequest): Answer | undefined {
  const handshake = handshakeOf(request);
  return isHandshake(handshake) ? handshakeRefusal(handshake) : undefined;
}

function handshakeOf(request: HttpRequest): Handshake {
  return {
    upgrade: request.getHeader('upgrade'),
    connection: request.getHeader('connection'),
    version: request.getHeader('sec-websocket-version'),
    key: request.getHeader('sec-websocket-key'),
  };
}

/** Answers and ends the connection. */
function refuse(response: HttpResponse, answer: Answer): void {
  response.cork(() => {
    writeHead(response, answer);
    response.end(answer.body, true);
  });
}

function writeHead(response: HttpResponse, answer: Answer): void {
  response.writeStatus(answer.status);
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value);
}

/** Whether a body is announced in a way in which uWebSockets may read on without a word of the connection. */
function hidesItsConnection(request: HttpRequest): boolean {
  return (
    request.getHeader('transfer-encoding') !== '' || !/^\d{0,15}$/.test(request.getHeader('content-length'))
  );
}

function addressOf(response: HttpResponse): string {
  return addressKey(Buffer.from(response.getRemoteAddressAsText()).toString('latin1'));
}
