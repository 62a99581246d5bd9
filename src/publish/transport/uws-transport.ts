import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { DepthwireError } from '../../errors.js';
import {
  type Answer,
  payloadBytesMax,
  type Request,
  type Transport,
  type TransportHandlers,
  type TransportOptions,
} from '../transport.js';
import { Admission } from './admission.js';
import { CertificateWatch } from './certificate-watch.js';
import { type Handshake, handshakeRefusal, isHandshake, listOf } from './handshake.js';
import type { Pending } from './pending.js';
import { NO_SESSION, ownCause, SocketConnection, type SocketData } from './uws-connection.js';
import { type Listener, UwsListeners } from './uws-listeners.js';
import {
  addressOf,
  handshakeOf,
  hidesItsConnection,
  refuse,
  requestOf,
  writeHead,
  wrongHandshake,
} from './uws-request.js';

/** The package, loaded when it is needed: where its binary does not load, the server has another transport. */
export type Uws = typeof import('uWebSockets.js');

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

/** The transport over uWebSockets.js, and the only file that knows it. */
export class UwsTransport implements Transport {
  readonly name = 'uws';
  readonly reason = '';
  readonly #uws: Uws;
  readonly #listeners: UwsListeners;
  readonly #tls: CertificateWatch | undefined;
  readonly #options: TransportOptions;
  readonly #handlers: TransportHandlers;
  readonly #admission: Admission;
  readonly #sweep: NodeJS.Timeout;
  /** The request whose handler has just returned. */
  #asking: Asking | undefined;

  constructor(uws: Uws, options: TransportOptions, handlers: TransportHandlers) {
    this.#uws = uws;
    this.#options = options;
    this.#handlers = handlers;
    this.#tls = options.tls && new CertificateWatch(options.tls);
    this.#admission = new Admission(options.limits, (cause) => handlers.onConnectionRefused(cause));
    this.#listeners = new UwsListeners(uws, options, this.#tls?.current, (one) => this.#serve(one));
    this.#sweep = setInterval(() => this.#look(), SWEEP_MS).unref();
  }

  #serve(listener: Listener): void {
    const { app } = listener;
    // Called with 1 for each new connection, and with -1 for each that ends before it became a WebSocket.
    const onConnection = (response: HttpResponse, change: unknown): void => {
      if (Number(change) < 0) this.#ended(listener);
      else this.#accept(listener, response);
    };
    app.filter(onConnection);
    this.#serveWebSockets(listener);
    app.any('/*', (response, request) => this.#request(response, request));
  }

  #serveWebSockets(listener: Listener): void {
    const options = this.#options;
    listener.app.ws<SocketData>(options.path, {
      compression: this.#uws.DISABLED,
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
        data.session = this.#handlers.onOpen(data.connection);
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
        this.#ended(listener);
        this.#admission.closed(account);
        connection.detach();
        session.onClose(code, connection.cause ?? ownCause(code, Buffer.from(message).toString()));
      },
    });
  }

  listen(host: string, port: number): Promise<number> {
    return this.#listeners.listen(host, port);
  }

  publish(topic: string, frames: Uint8Array): void {
    this.#listeners.publish(topic, frames);
  }

  reloadCertificate(): void {
    let outcome = this.#tls?.reload();
    if (outcome === undefined) return;
    try {
      if (!(outcome instanceof DepthwireError)) this.#listeners.replace(outcome);
    } catch (cause) {
      // What has been read a moment ago has been replaced since.
      outcome = this.#tls?.failed(cause) ?? outcome;
    }
    this.#handlers.onCertificate(outcome);
  }

  stopListening(): void {
    this.#listeners.stop();
  }

  close(): void {
    clearInterval(this.#sweep);
    this.#admission.close();
    this.#listeners.close();
  }

  #look(): void {
    const nowMs = performance.now();
    this.#admission.sweep(nowMs);
    if (this.#tls?.isDue(nowMs) === true) this.reloadCertificate();
    this.#listeners.look();
  }

  #ended(listener: Listener): void {
    listener.open -= 1;
    this.#admission.ended();
  }

  #accept(listener: Listener, response: HttpResponse): void {
    listener.open += 1;
    const waiting = new Waiting(response, addressOf(response));
    // What TLS does for a connection costs more than all that comes after, so its handshakes are counted before.
    const isTooOften = this.#tls !== undefined && !this.#admission.takeHandshake(waiting.address);
    if (!this.#admission.accept(waiting)) {
      response.close();
    } else if (isTooOften) {
      this.#admission.pending.remove(waiting);
      response.close();
    } else {
      this.#watch(waiting);
    }
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
    const address = addressOf(response);
    // One that has been reset has no address any more, and could not be found among the pending ones.
    if (address === '' || hidesItsConnection(request)) {
      response.close();
      return;
    }
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
    const address = addressOf(response);
    if (!isHandshake(handshake) || hidesItsConnection(request) || address === '') {
      this.#request(response, request);
      return;
    }
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
      (this.#tls !== undefined || this.#admission.takeHandshake(address)
        ? undefined
        : this.#admission.rateRefusal()) ??
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
