import { nextTick } from 'node:process';
import { type Config, isLoopback } from '../config.js';
import type { InstrumentInfo } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { VERSION } from '../version.js';
import { type ErrorAnswer, errorAnswer } from './answers.js';
import { tellable } from './auth/credential.js';
import { connectionsFull, type Gate, NOTHING } from './auth/gate.js';
import type { Grant } from './auth/grant.js';
import { unauthorized } from './auth/refusals.js';
import { Backlog } from './backlog.js';
import type { Census } from './census.js';
import type { Distribution, ServerEvents } from './distribution.js';
import { Fanout } from './fanout.js';
import type { FeedEngine } from './feed-engine.js';
import { Hosts } from './hosts.js';
import type { Hub } from './hub.js';
import type { Metrics } from './metrics.js';
import { FEED_PATH, PROTOCOL } from './protocol.js';
import { bodyBytesMax } from './routes.js';
import { Subscriber } from './subscriber.js';
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

/** What a gateway works with. */
export interface GatewayNeeds {
  readonly config: Config;
  readonly engine: FeedEngine;
  /** Decides on tokens; whoever owns it opens it before `listen`. */
  readonly gate: Gate;
  readonly census: Census;
  readonly metrics: Metrics;
  /** The instruments that are served, by name. `serve` keeps it current. */
  readonly instruments: Map<string, InstrumentInfo>;
  /** Answers what is no handshake. Never throws. */
  answer(request: Request): Answer;
  /** Told of what clients do. */
  events(): ServerEvents;
  /** Asks for the next `tick` to come soon. */
  hurry(): void;
  /** Told when a turn's frames have been handed to the transport, those that nobody takes too; absent = nobody wants to know. */
  readonly published?: (() => void) | undefined;
  /** Others listen on the same port, and the kernel spreads connections among them. */
  readonly isPortShared: boolean;
}

/** A listener and its clients: frames go in by `onFrameBytes`, clients come in by one port. Owns no timer: `tick` drives it. */
export class Gateway implements Distribution {
  readonly #needs: GatewayNeeds;
  readonly #hub: Hub;
  readonly #hosts: Hosts;
  readonly #subscribers = new Set<Subscriber>();
  /** What the handshake was granted that is being answered: its connection opens in the same turn. */
  #admitted: Grant = NOTHING;
  #transport: Transport | undefined;
  #isDraining = false;
  #isTurnEnding = false;
  readonly #endTurn = (): void => {
    this.#isTurnEnding = false;
    this.#hub.fanout.flush();
    this.#hub.backlog.sent();
    this.#needs.published?.();
  };

  constructor(needs: GatewayNeeds) {
    const { config, engine, metrics, instruments } = needs;
    this.#needs = needs;
    this.#hosts = new Hosts(config.server);
    const fanout = new Fanout({ publish: (name, message) => this.#transport?.publish(name, message) });
    this.#hub = {
      engine,
      fanout,
      backlog: new Backlog(
        this.#subscribers,
        config.limits,
        () => fanout.bytes,
        () => needs.hurry(),
      ),
      wishing: new Set(),
      metrics,
      limits: config.limits,
      heartbeatMs: config.server.heartbeatMs,
      instruments,
      version: VERSION,
      isReplay: config.replay !== undefined,
    };
  }

  get transport(): Pick<Transport, 'name' | 'reason'> | undefined {
    return this.#transport;
  }

  /** This process has the clients. */
  readonly gateways = undefined;

  counted(own: Metrics): Metrics {
    return own;
  }

  get waitingBytes(): number {
    return this.#hub.backlog.totalBytes;
  }

  async listen(open: typeof openTransport = openTransport): Promise<number> {
    const { config, metrics, answer, isPortShared } = this.#needs;
    const { host, port, transport } = config.server;
    this.#transport = await open(transport, this.#transportOptions(), {
      onRequest: answer,
      bodyBytesMax,
      onConnectionRefused: (cause) => {
        metrics.connectionsRefused += 1;
        metrics.refused(`connection.${cause}`);
        if (cause === 'descriptors') this.#needs.events().refused(DESCRIPTORS_FULL, NO_REQUEST);
      },
      refuse: (request, protocols) => this.#refuse(request, protocols),
      onOpen: (connection) => this.#open(connection),
      onCertificate: (outcome) => this.#needs.events().certificate(outcome),
    });
    const { name, reason } = this.#transport;
    if (isPortShared && name !== 'uws') throw notShared(reason);
    return this.#transport.listen(host, port);
  }

  onFrameBytes(instrument: number, stream: number, source: Uint8Array, offset: number, size: number): void {
    const { metrics, published } = this.#needs;
    if (this.#hub.fanout.add(instrument, stream, source, offset, size)) {
      metrics.framesPublished += 1;
      metrics.bytesPublished += size;
    } else if (published === undefined) return;
    if (this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    nextTick(this.#endTurn);
  }

  /** Sends what waits for the end of the turn. */
  flush(): void {
    this.#hub.fanout.flush();
  }

  get isBusy(): boolean {
    const { backlog, wishing } = this.#hub;
    return backlog.isBusy || wishing.size > 0;
  }

  tick(nowMs: number): void {
    this.#hub.backlog.sweep(nowMs);
    let left = WISHES_PER_TICK;
    const { wishing } = this.#hub;
    for (const subscriber of [...wishing]) {
      if (left <= 0) break;
      // Whoever has had its turn is last in the next tick.
      wishing.delete(subscriber);
      left -= Math.max(1, subscriber.grantWishes(Math.min(left, WISHES_PER_TURN), nowMs));
      if (subscriber.hasWishes) wishing.add(subscriber);
    }
  }

  pressed(nowMs: number): boolean {
    this.#hub.backlog.sweep(nowMs);
    for (const subscriber of this.#subscribers) if (subscriber.isWorthWaiting(nowMs)) return true;
    return false;
  }

  serve(instruments: readonly InstrumentInfo[]): void {
    const served = this.#needs.instruments;
    const now = new Map(instruments.map((instrument) => [instrument.name, instrument]));
    const isSame = (one: InstrumentInfo): boolean => now.get(one.name)?.id === one.id;
    const removed = new Set([...served.values()].filter((one) => !isSame(one)).map(({ name }) => name));
    const added = instruments.filter(({ name, id }) => served.get(name)?.id !== id);
    served.clear();
    for (const [name, instrument] of now) served.set(name, instrument);
    if (added.length === 0 && removed.size === 0) return;
    for (const subscriber of this.#subscribers) subscriber.served(added, removed);
  }

  reloadCertificate(): void {
    this.#transport?.reloadCertificate();
  }

  /** Those of this process are the server's own, which has read them. */
  reloadKeys(): Promise<void> {
    return Promise.resolve();
  }

  async drain(reason: string): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#transport?.stopListening();
    const { reconnectMs, drainMs } = this.#needs.config.server;
    for (const subscriber of this.#subscribers) subscriber.announceShutdown(reason, reconnectMs);
    const untilMs = performance.now() + drainMs;
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
  }

  /** Cuts everybody at once. */
  close(): void {
    this.#transport?.close();
  }

  #transportOptions(): TransportOptions {
    const { config, isPortShared } = this.#needs;
    const { limits, server } = config;
    return {
      path: FEED_PATH,
      protocol: PROTOCOL,
      isPortShared,
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
      tls: config.tls,
    };
  }

  #open(connection: Connection): Subscriber {
    const { census, metrics } = this.#needs;
    const openedMs = performance.now();
    const grant = this.#admitted;
    this.#admitted = NOTHING;
    census.enter();
    const onGone = (gone: Subscriber, code: number, cause: CloseCause): void => {
      census.leave(grant.subject);
      this.#subscribers.delete(gone);
      metrics.clients = this.#subscribers.size;
      const seconds = Math.round(performance.now() - openedMs) / 1000;
      this.#needs.events().closed({ code, cause, seconds, address: connection.address });
    };
    const subscriber = new Subscriber(connection, this.#hub, onGone, grant);
    this.#subscribers.add(subscriber);
    metrics.clients = this.#subscribers.size;
    metrics.clientsTotal += 1;
    return subscriber;
  }

  #refuse(request: Request, protocols: readonly string[]): Answer | undefined {
    const refusal = this.#refusal(request, protocols);
    if (refusal === undefined) return undefined;
    const { metrics } = this.#needs;
    metrics.clientsRefused += 1;
    metrics.refused(refusal.error.code);
    this.#needs.events().refused(refusal.error, request);
    return refusal;
  }

  #refusal(request: Request, protocols: readonly string[]): ErrorAnswer | undefined {
    const foreign = this.#hosts.refusal(request.host, request.origin);
    if (foreign !== undefined) return errorAnswer('403 Forbidden', foreign);
    if (!protocols.includes(PROTOCOL)) return errorAnswer('400 Bad Request', wrongProtocol(protocols));
    if (this.#isDraining) return errorAnswer('503 Service Unavailable', draining());
    const { gate, census, config } = this.#needs;
    const admitted = gate.admit({ authorization: request.authorization, protocols });
    if (admitted instanceof DepthwireError) return unauthorized(admitted);
    const full = census.reserve(admitted.subject, admitted.connectionsMax);
    if (full?.of === 'subject') return unauthorized(connectionsFull(admitted, full.open));
    if (full !== undefined)
      return errorAnswer('503 Service Unavailable', clientsFull(config.limits.clientsMax, full.open));
    this.#admitted = admitted;
    return undefined;
  }
}

function wrongProtocol(offered: readonly string[]): DepthwireError {
  return new DepthwireError('feed.subprotocol', {
    what: 'the handshake does not offer the protocol of this feed',
    where: 'Sec-WebSocket-Protocol',
    expected: PROTOCOL,
    got: tellable(offered).join(', ').slice(0, 120),
    fix: `Connect with: new WebSocket(url, '${PROTOCOL}').`,
  });
}

function notShared(reason: string): DepthwireError {
  return new DepthwireError('serve.gateways_transport', {
    what: 'several gateways need uWebSockets.js, which can share a port',
    where: 'server.gateways',
    expected: 'a transport that shares its port',
    got: `ws: ${reason}`,
    fix: 'Set server.gateways to 0, or run npm install with a Node that uWebSockets.js has a binary for (20 or 22, glibc).',
  });
}

function draining(): DepthwireError {
  return new DepthwireError('feed.draining', {
    what: 'the server is stopping',
    where: 'clients',
    expected: 'a server that goes on',
    got: 'one that takes no new clients',
    fix: 'Try again later.',
  });
}

function clientsFull(clientsMax: number, open: number): DepthwireError {
  return new DepthwireError('feed.clients_full', {
    what: 'the server holds as many clients as it may',
    where: 'clients',
    expected: `at most ${clientsMax} clients`,
    got: `${open + 1}`,
    fix: 'Try again later, or close other clients.',
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
