import { type Config, isLoopback } from '../config.js';
import type { EngineStats, InstrumentInfo } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { VERSION } from '../version.js';
import { tellable } from './auth/credential.js';
import { Gate, NOTHING, operationsOnly } from './auth/gate.js';
import type { Grant } from './auth/grant.js';
import { statusOf } from './auth/refusals.js';
import { Backlog } from './backlog.js';
import { CatchUps } from './catch-up.js';
import { Fanout } from './fanout.js';
import { notReady } from './health.js';
import { Hosts } from './hosts.js';
import { answerHttp, type ErrorAnswer, errorAnswer, type HttpContext, type SourceState } from './http.js';
import type { FeedEngine, Hub } from './hub.js';
import { Images } from './images.js';
import { type BookCounts, Metrics } from './metrics.js';
import { FEED_PATH, PROTOCOL } from './protocol.js';
import type { Access } from './routes.js';
import { Scraper } from './scrape.js';
import type { Site } from './site.js';
import { type ServedSource, type SourceReport, sourceReport } from './sources.js';
import { Subscriber } from './subscriber.js';
import type { Certificate } from './transport/certificate.js';
import { connectionsByDescriptors } from './transport/descriptors.js';
import { openTransport } from './transport/open-transport.js';
import type { Answer, CloseCause, Connection, Request, Transport, TransportOptions } from './transport.js';

/** How often a drain looks whether the clients have taken everything. */
const DRAIN_POLL_MS = 10;
/** Subscriptions that are granted in one tick beside those of single messages: of all clients, and of one in its turn. */
const WISHES_PER_TICK = 256;
const WISHES_PER_TURN = 32;
/** Time for the close frames to be answered before what is left is cut. */
const FAREWELL_MS = 100;

/** What the server needs of the engine. */
export interface ServedEngine extends FeedEngine {
  stats(): EngineStats;
}

/** What a log may say of clients. */
export interface ServerEvents {
  /** A request or a handshake was refused. */
  refused(error: DepthwireError, request: Request): void;
  /** The connection of a client ended, after so long. */
  closed(end: ClientEnd): void;
  /** The files of the certificate have changed: the new one is in use, or cannot be used and the old one stays. */
  certificate(outcome: Certificate | DepthwireError): void;
}

export interface ClientEnd {
  readonly code: number;
  readonly cause: CloseCause;
  readonly seconds: number;
  readonly address: string | undefined;
}

const DESCRIPTORS_FULL = new DepthwireError('serve.descriptors_full', {
  what: 'there are no file descriptors left for further connections',
  where: 'connections',
  expected: 'descriptors for all clients, venues and files',
  got: 'none but a reserve',
  fix: 'Raise the limit (ulimit -n, LimitNOFILE in the unit), or lower limits.clients_max.',
});

/** Of a connection that has not asked for anything. */
const NO_REQUEST: Request = {
  method: '',
  path: 'a new connection',
  query: '',
  host: '',
  origin: '',
  authorization: '',
};

/** The server: frames go in by `onFrame`, clients come in by one port. Owns no timer: `tick` drives it. */
export class FeedServer {
  readonly metrics = new Metrics();
  /** What `/health` says of the source. Whoever runs the source keeps it current. */
  sourceState: SourceState = 'running';
  /** What the books come from, as it stands now. Whoever runs the sources sets it. */
  sources: () => readonly ServedSource[] = () => [];
  /** Told of what clients do. Whoever keeps a log sets it. */
  events: ServerEvents = { refused() {}, closed() {}, certificate() {} };
  /** Takes lines for people. Whoever runs the server sets it. */
  say: (line: string) => void = () => {};
  readonly #config: Config;
  readonly #gate: Gate;
  /** What the handshake was granted that is being answered: its connection opens in the same turn. */
  #admitted: Grant = NOTHING;
  readonly #hub: Hub;
  readonly #http: HttpContext;
  readonly #instruments = new Map<string, InstrumentInfo>();
  readonly #stats: () => EngineStats;
  readonly #scraper: Scraper;
  #transport: Transport | undefined;
  readonly #subscribers = new Set<Subscriber>();
  readonly #startedMs = performance.now();
  #leaving = false;
  #draining = false;
  #isTurnEnding = false;
  readonly #endTurn = (): void => {
    this.#isTurnEnding = false;
    this.#hub.fanout.flush();
    this.#hub.backlog.sent(performance.now());
  };

  /** `instruments`: those that sources speak for; nothing else is served. */
  constructor(engine: ServedEngine, instruments: readonly InstrumentInfo[], config: Config, site: Site) {
    this.#config = config;
    this.#gate = new Gate(config, {
      say: (line) => this.say(line),
      now: () => Date.now(),
      random: Math.random,
    });
    this.#stats = () => engine.stats();
    const { limits } = config;
    for (const instrument of instruments) this.#instruments.set(instrument.name, instrument);
    const images = new Images(engine, limits.imageBytesMax);
    const fanout = new Fanout({ publish: (name, message) => this.#transport?.publish(name, message) });
    this.#hub = {
      engine,
      images,
      catchUps: new CatchUps(engine, images, limits.imageBytesMax),
      fanout,
      backlog: new Backlog(this.#subscribers, limits, () => fanout.bytes),
      metrics: this.metrics,
      limits,
      heartbeatMs: config.server.heartbeatMs,
      instruments: this.#instruments,
      version: VERSION,
    };
    const build: HttpContext['build'] = () => ({
      version: VERSION,
      node: process.version,
      transport: this.#transport?.name ?? 'none',
      tls: config.tls === undefined ? 'no' : 'yes',
    });
    this.#scraper = new Scraper({
      metrics: this.metrics,
      build,
      stats: this.#stats,
      imagesEncoded: () => this.#hub.images.encoded,
      waitingBytes: () => this.#hub.backlog.totalBytes,
      sources: () => this.sources(),
      isReady: (books) => notReady(this.#http, books).length === 0,
      uptimeSeconds: () => this.#uptimeSeconds(),
    });
    this.#http = {
      hub: this.#hub,
      hosts: new Hosts(config.server),
      site,
      build,
      transportReason: () => this.#transport?.reason ?? '',
      refused: (error, request) => this.#refused(error, request),
      access: (request, access) => this.#access(request, access),
      books: () => this.books(),
      metricsText: () => this.#scraper.text(performance.now()),
      draining: () => this.#leaving,
      sourceState: () => this.sourceState,
      sources: () => this.reports(),
      uptimeSeconds: () => this.#uptimeSeconds(),
    };
  }

  /**
   * Has the keys of tokens, opens the transport, listens, and returns the port. `open`: how a transport is opened. Throws
   * `auth.key_set*`, `serve.*`.
   */
  async listen(open: typeof openTransport = openTransport): Promise<number> {
    await this.#gate.open(performance.now());
    const { host, port, transport } = this.#config.server;
    this.#transport = await open(transport, this.#transportOptions(), {
      onRequest: (request) => answerHttp(request, this.#http),
      onConnectionRefused: (cause) => {
        this.metrics.connectionsRefused += 1;
        this.metrics.refused(`connection.${cause}`);
        if (cause === 'descriptors') this.events.refused(DESCRIPTORS_FULL, NO_REQUEST);
      },
      refuse: (request, protocols) => this.#refuse(request, protocols),
      onOpen: (connection) => this.#open(connection),
      onCertificate: (outcome) => this.events.certificate(outcome),
    });
    return this.#transport.listen(host, port);
  }

  /** Looks at the files of the certificate, and tells `events` where they have changed. */
  reloadCertificate(): void {
    this.#transport?.reloadCertificate();
  }

  /** What the sockets are served by, and why it is not the preferred one; undefined before `listen`. */
  get transport(): Pick<Transport, 'name' | 'reason'> | undefined {
    return this.#transport;
  }

  /** One frame of the engine, as a view. */
  onFrame(instrument: number, stream: number, frame: Uint8Array): void {
    this.onFrameBytes(instrument, stream, frame, 0, frame.byteLength);
  }

  /**
   * One frame of the engine, as `EngineListener.onFrameBytes` has it. It goes out when this turn ends, with the others of its
   * stream. Without subscribers it costs a look-up.
   */
  onFrameBytes(instrument: number, stream: number, source: Uint8Array, offset: number, size: number): void {
    const { images, fanout } = this.#hub;
    images.forget(instrument);
    if (!fanout.add(instrument, stream, source, offset, size)) return;
    this.metrics.framesPublished += 1;
    this.metrics.bytesPublished += size;
    if (this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    process.nextTick(this.#endTurn);
  }

  /** Holds every client to its limits, sends what is owed, and grants what waits for its turn. Every 10 ms or so. */
  tick(): void {
    const nowMs = performance.now();
    this.#gate.tick(nowMs);
    this.#hub.images.clear();
    this.#hub.backlog.sweep(nowMs);
    let left = WISHES_PER_TICK;
    for (const subscriber of this.#subscribers) {
      if (left <= 0) break;
      if (!subscriber.hasWishes) continue;
      left -= Math.max(1, subscriber.grantWishes(Math.min(left, WISHES_PER_TURN), nowMs));
      // Whoever has had its turn is last in the next tick.
      this.#subscribers.delete(subscriber);
      this.#subscribers.add(subscriber);
    }
  }

  /** Bytes that wait for all clients together, as they were looked at last. */
  get waitingBytes(): number {
    return this.#hub.backlog.totalBytes;
  }

  /** Whether a replay at full speed should pause: for a client that is behind, and takes bytes. */
  pressed(): boolean {
    const nowMs = performance.now();
    this.#hub.backlog.sweep(nowMs);
    for (const subscriber of this.#subscribers) if (subscriber.isWorthWaiting(nowMs)) return true;
    return false;
  }

  /** Where each source stands. */
  reports(): readonly SourceReport[] {
    return this.sources().map((source) => sourceReport(this.#hub, source));
  }

  /** Serves these instruments from now on. Clients are told of what they held and is gone, and get what fits their patterns. */
  serve(instruments: readonly InstrumentInfo[]): void {
    const now = new Map(instruments.map((instrument) => [instrument.name, instrument]));
    const isSame = (one: InstrumentInfo): boolean => now.get(one.name)?.id === one.id;
    const removed = new Set(
      [...this.#instruments.values()].filter((one) => !isSame(one)).map(({ name }) => name),
    );
    const added = instruments.filter(({ name, id }) => this.#instruments.get(name)?.id !== id);
    this.#instruments.clear();
    for (const [name, instrument] of now) this.#instruments.set(name, instrument);
    if (added.length === 0 && removed.size === 0) return;
    for (const subscriber of this.#subscribers) subscriber.served(added, removed);
  }

  /** Reads the keys of tokens anew. Never rejects: what is wrong is said. */
  reloadKeys(): Promise<void> {
    return this.#gate.reload(performance.now());
  }

  /** Books by state, by the engine's own count. */
  books(): BookCounts {
    return this.#stats().books;
  }

  /** The first stage of an end: not ready, so that nobody sends new clients here, but serving for `unreadyMs` more. */
  async leave(): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    const { unreadyMs } = this.#config.server;
    if (unreadyMs > 0) await pause(unreadyMs);
  }

  /**
   * Ends politely: no new clients, a notice to those that are here, up to `drainMs` for them to take what waits, 1001,
   * then the port closes. Resolves at the latest a little after `drainMs`.
   */
  async drain(reason: string): Promise<void> {
    if (this.#draining) return;
    this.#leaving = true;
    this.#draining = true;
    this.#transport?.stopListening();
    const { reconnectMs } = this.#config.server;
    for (const subscriber of this.#subscribers) subscriber.announceShutdown(reason, reconnectMs);
    const untilMs = performance.now() + this.#config.server.drainMs;
    const waiting = new Set(this.#subscribers);
    while (waiting.size > 0) {
      const late = performance.now() >= untilMs;
      for (const subscriber of waiting) {
        if (!late && subscriber.bytesToDrain() > 0) continue;
        waiting.delete(subscriber);
        subscriber.closeForShutdown();
      }
      if (waiting.size > 0) await pause(DRAIN_POLL_MS);
    }
    await pause(FAREWELL_MS);
    this.#transport?.close();
    this.#scraper.close();
  }

  #transportOptions(): TransportOptions {
    const { limits, server } = this.#config;
    return {
      path: FEED_PATH,
      protocol: PROTOCOL,
      controlBytesMax: limits.controlBytesMax,
      // The largest image may come on top of what our own limit allows to wait.
      backpressureBytesMax: limits.backpressureHardBytes * 2 + limits.imageBytesMax,
      limits: {
        connectionsMax: connectionsByDescriptors(),
        pendingMax: limits.pendingMax,
        pendingPerAddressMax: limits.pendingPerAddressMax,
        pendingMs: limits.pendingMs,
        clientsPerAddressMax: limits.clientsPerAddressMax,
        handshakesPerSecond: limits.handshakesPerSecond,
        // What comes from this machine is one user's, or comes through a proxy that has limits of its own.
        isExempt: isLoopback,
      },
      idleTimeoutSeconds: server.idleTimeoutSeconds,
      tls: this.#config.tls,
    };
  }

  #uptimeSeconds(): number {
    return Math.round(performance.now() - this.#startedMs) / 1000;
  }

  #open(connection: Connection): Subscriber {
    const openedMs = performance.now();
    const grant = this.#admitted;
    this.#admitted = NOTHING;
    this.#gate.entered(grant);
    const onGone = (gone: Subscriber, code: number, cause: CloseCause): void => {
      this.#gate.left(grant);
      this.#subscribers.delete(gone);
      const seconds = Math.round(performance.now() - openedMs) / 1000;
      this.events.closed({ code, cause, seconds, address: connection.address });
      this.metrics.clients = this.#subscribers.size;
    };
    const subscriber = new Subscriber(connection, this.#hub, onGone, grant);
    this.#subscribers.add(subscriber);
    this.metrics.clients = this.#subscribers.size;
    this.metrics.clientsTotal += 1;
    return subscriber;
  }

  #refuse(request: Request, protocols: readonly string[]): Answer | undefined {
    const refusal = this.#refusal(request, protocols);
    if (refusal === undefined) return undefined;
    this.metrics.clientsRefused += 1;
    this.#refused(refusal.error, request);
    return refusal;
  }

  #refused(error: DepthwireError, request: Request): void {
    this.metrics.refused(error.code);
    this.events.refused(error, request);
  }

  /** What a request for something that not everybody may have is granted. */
  #access(request: Request, access: Access): Grant | Answer {
    const { path, authorization } = request;
    const granted = this.#gate.access(path, { authorization }, access === 'open');
    const isForOthers = access === 'operations' && 'operations' in granted && !granted.operations;
    const decided = isForOthers ? operationsOnly(path) : granted;
    if (!(decided instanceof DepthwireError)) return decided;
    this.#refused(decided, request);
    return unauthorized(decided);
  }

  #refusal(request: Request, protocols: readonly string[]): ErrorAnswer | undefined {
    const foreign = this.#http.hosts.refusal(request.host, request.origin);
    if (foreign !== undefined) return errorAnswer('403 Forbidden', foreign);
    if (!protocols.includes(PROTOCOL)) {
      const error = new DepthwireError('feed.subprotocol', {
        what: 'the handshake does not offer the protocol of this feed',
        where: 'Sec-WebSocket-Protocol',
        expected: PROTOCOL,
        got: tellable(protocols).join(', ').slice(0, 120),
        fix: `Connect with: new WebSocket(url, '${PROTOCOL}').`,
      });
      return errorAnswer('400 Bad Request', error);
    }
    const { clientsMax } = this.#config.limits;
    if (this.#draining || this.#subscribers.size >= clientsMax) {
      const error = new DepthwireError(this.#draining ? 'feed.draining' : 'feed.clients_full', {
        what: this.#draining ? 'the server is stopping' : 'the server holds as many clients as it may',
        where: 'clients',
        expected: `at most ${clientsMax} clients`,
        got: `${this.#subscribers.size + 1}`,
        fix: 'Try again later, or close other clients.',
      });
      return errorAnswer('503 Service Unavailable', error);
    }
    const admitted = this.#gate.admit({ authorization: request.authorization, protocols });
    if (admitted instanceof DepthwireError) return unauthorized(admitted);
    this.#admitted = admitted;
    return undefined;
  }
}

/** A refusal of the gate, with the header that says how to identify oneself (RFC 6750, 3). */
function unauthorized(error: DepthwireError): ErrorAnswer {
  const status = statusOf(error);
  const answer = errorAnswer(status, error);
  if (!status.startsWith('401')) return answer;
  const challenge = error.code === 'auth.missing' ? 'Bearer' : 'Bearer error="invalid_token"';
  return { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': challenge } };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
