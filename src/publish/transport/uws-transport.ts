import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { DepthwireError } from '../../errors.js';
import {
  payloadBytesMax,
  type Request,
  type Transport,
  type TransportHandlers,
  type TransportOptions,
} from '../transport.js';
import { Admission } from './admission.js';
import { CertificateWatch } from './certificate-watch.js';
import { type Handshake, handshakeRefusal, isHandshake, listOf } from './handshake.js';
import { NO_SESSION, ownCause, SocketConnection, type SocketData } from './uws-connection.js';
import { type Listener, UwsListeners } from './uws-listeners.js';
import {
  addressOf,
  handshakeOf,
  hidesItsConnection,
  refuse,
  requestOf,
  wrongHandshake,
} from './uws-request.js';
import { Waiting, WaitingConnections } from './uws-waiting.js';

/** The package, loaded when it is needed: where its binary does not load, the server has another transport. */
export type Uws = typeof import('uWebSockets.js');

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

/** The transport over uWebSockets.js. */
export class UwsTransport implements Transport {
  readonly name = 'uws';
  readonly reason = '';
  readonly #uws: Uws;
  readonly #listeners: UwsListeners;
  readonly #tls: CertificateWatch | undefined;
  readonly #options: TransportOptions;
  readonly #handlers: TransportHandlers;
  readonly #admission: Admission;
  readonly #waiting: WaitingConnections;
  readonly #sweep: NodeJS.Timeout;

  constructor(uws: Uws, options: TransportOptions, handlers: TransportHandlers) {
    this.#uws = uws;
    this.#options = options;
    this.#handlers = handlers;
    this.#tls = options.tls && new CertificateWatch(options.tls);
    this.#admission = new Admission(options.limits, (cause) => handlers.onConnectionRefused(cause));
    this.#waiting = new WaitingConnections(this.#admission);
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
      // It takes the time for an answer to a ping off the timeout: of 0, which is to be never, that leaves 252 seconds.
      sendPingsAutomatically: options.idleTimeoutSeconds > 0,
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
      this.#waiting.watch(waiting);
    }
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
    const bytesMax = wrong === undefined ? this.#handlers.bodyBytesMax(asked) : 0;
    const early = wrong ?? (bytesMax === 0 ? this.#handlers.onRequest(asked) : undefined);
    // uWebSockets ends the connection of a client that asks for it, by the same word length.
    const isLast = request.getHeader('connection').length === 'close'.length;
    const isHead = asked.method === 'head';
    this.#waiting.later(
      response,
      address,
      (waiting, body) => {
        const answer = early ?? this.#handlers.onRequest({ ...asked, body: body.text });
        if (wrong !== undefined || body.isIgnored) refuse(response, answer);
        else this.#waiting.answer(response, waiting, answer, isHead, isLast);
      },
      bytesMax,
    );
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
    this.#waiting.later(response, asked.address, () => {
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
}
