import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { DepthwireError } from '../errors.js';
import type { BudgetFacts } from '../ingest/venues/facts.js';
import type { Address } from './address.js';
import { selfSigned } from './certificate.js';
import { type Budget, Desk } from './desk.js';
import { CONNECT_FAULTS, type Fault, FaultPlan } from './fault.js';
import { Allowance, Ledger, type Request } from './ledger.js';
import { Line } from './line.js';
import type { Account } from './login.js';
import type { Market } from './market.js';
import { type Offered, offerOf } from './offer.js';
import { UNSENT_BYTES_MAX } from './outlet.js';
import { PacketFeed } from './packet-feed.js';
import { SimulatedHearing, SimulatedMarket } from './simulated-market.js';

/** The market lives on so often. */
const TICK_MS = 5;
/** For so long at most at a time, so that requests are answered meanwhile, also where there is more to live through than time. */
const STEP_MS_MAX = 100;
/** A machine that slept does not live through what it missed. */
const BEHIND_MS_MAX = 1000;

/** The account whose logins are accepted where no other is given. Public, of course. */
export const FAKE_ACCOUNT: Account = {
  key: 'fake-key',
  secret: Buffer.from('fake-secret').toString('base64'),
  passphrase: 'fake-passphrase',
  publicKey: null,
};

export interface FakeVenueOptions {
  readonly products: readonly Offered[];
  readonly seed?: number;
  readonly faults?: readonly Fault[];
  readonly account?: Account;
  /** Simulated time that passes in a unit of time; 1 where absent. */
  readonly speed?: number;
  /** Where datagrams of a simulated day of orders go: MoldUDP64. */
  readonly udp?: { readonly host: string; readonly port: number };
  /** The port at which the same day is told over TCP: SoupBinTCP. 0 = one that is free. */
  readonly tcpPort?: number;
  /** Bytes that may wait for a client before it is cut off. */
  readonly unsentBytesMax?: number;
  /** wss and https in place of ws and http, with a certificate made for this start. */
  readonly tls?: boolean;
}

/** A venue's host as clients of the fake reach it. */
export interface Host {
  /** `wss://ws.kraken.com`. */
  readonly venue: string;
  /** What stands in its place: `ws://127.0.0.1:8700/ws.kraken.com`. */
  readonly fake: string;
}

/**
 * A venue on this machine: its sockets and HTTP addresses, with markets of the simulator or recordings of its own, its limits
 * and bans, its logins, and the faults that are planned. Each of the venue's hosts is the first part of a path:
 * `wss://ws.kraken.com/v2` becomes `ws://127.0.0.1:PORT/ws.kraken.com/v2`. Where only one address of all hosts has the rest of
 * a path, it is found without.
 */
export class FakeVenue {
  readonly ledger = new Ledger();
  readonly faults: FaultPlan;
  /** PEM of the certificate that clients are to trust; null without TLS. */
  readonly certificate: string | null;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #addresses: readonly Address[];
  readonly #markets: readonly Market[];
  readonly #desk: Desk;
  readonly #lines = new Map<Line, string>();
  readonly #connects = new Map<string, Allowance>();
  readonly #wires = new Set<Socket>();
  readonly #isTls: boolean;
  readonly #zeroMs = Date.now() - performance.now();
  readonly #packets: PacketFeed | null;
  readonly #tcp: TcpServer | null;
  readonly #tcpPort: number;
  #endDatagrams: () => void = () => {};
  readonly #speed: number;
  /** Time as recordings are told by it, and as the simulator's markets live by it. */
  #toldMs: number;
  #livedMs: number;
  #tickedMs = performance.now();
  /** Not lived through yet. */
  #behindMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isPaused = false;

  constructor(options: FakeVenueOptions) {
    this.faults = new FaultPlan(options.faults);
    this.#speed = options.speed ?? 1;
    this.#toldMs = Math.floor(this.nowMs());
    this.#livedMs = this.#toldMs;
    this.#isTls = options.tls === true;
    const account = options.account ?? FAKE_ACCOUNT;
    const budgets = new Map<BudgetFacts, Budget>();
    const offers = options.products.map((offered) =>
      offerOf(offered, {
        account,
        seed: options.seed ?? 1,
        ledger: this.ledger,
        faults: this.faults,
        nowMs: () => this.nowMs(),
        unsentBytesMax: options.unsentBytesMax ?? UNSENT_BYTES_MAX,
        fakeUrl: (url) => this.#fakeUrl(url),
        budgets,
      }),
    );
    const addresses = offers.flatMap((offer) => offer.addresses);
    this.#addresses = addresses;
    this.#markets = offers.map(({ market }) => market);
    const services = offers.flatMap((offer) => offer.services);
    this.#desk = new Desk(services, this.ledger, this.faults, () => this.nowMs());
    const { udp, tcpPort } = options;
    const hasPackets = udp !== undefined || tcpPort !== undefined;
    this.#packets = hasPackets ? new PacketFeed(options.seed ?? 1, this.faults) : null;
    if (udp !== undefined)
      this.#endDatagrams = this.#packets?.sendTo(udp.host, udp.port) ?? this.#endDatagrams;
    this.#tcp = tcpPort === undefined ? null : createTcpServer((wire) => this.#packets?.accept(wire));
    this.#tcpPort = tcpPort ?? 0;
    this.#sockets = new WebSocketServer({
      noServer: true,
      autoPong: false,
      perMessageDeflate: addresses.some(({ socket }) => socket.isPacked),
    });
    const take = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#asked(request, response);
    };
    const pair = this.#isTls ? selfSigned(new Date()) : null;
    this.certificate = pair?.cert ?? null;
    this.#server = pair === null ? createServer(take) : createTlsServer(pair, take);
    this.#server.on('upgrade', (request, wire, head) => this.#upgrade(request, wire, head));
    this.#server.on('connection', (wire: Socket) => {
      this.#wires.add(wire);
      wire.on('error', () => {});
      wire.on('close', () => this.#wires.delete(wire));
    });
  }

  /** Listens. Throws `fake.port` where a port cannot be had. */
  async listen(port = 0): Promise<void> {
    await listenAt(this.#server, port);
    if (this.#tcp !== null) await listenAt(this.#tcp, this.#tcpPort);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Of the day of orders over TCP; 0 = it is not told. */
  get tcpPort(): number {
    return (this.#tcp?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** The venue's hosts, and what stands in their places. */
  hosts(): readonly Host[] {
    const urls = [...this.#addresses.map(({ url }) => url), ...this.#desk.urls()];
    const own = [...new Set(urls.map((url) => beginning(url)))];
    return own.map((venue) => ({ venue, fake: this.#fakeUrl(venue) }));
  }

  /** Ms since 1970, running evenly. */
  nowMs(): number {
    return this.#zeroMs + performance.now();
  }

  /** Connections that are open. */
  lines(): readonly Line[] {
    return [...this.#lines.keys()].filter((line) => line.isOpen);
  }

  /** Requests that went beyond a limit, logins that were refused, and clients that read too slowly. */
  breaches(): readonly Request[] {
    return this.ledger.breaches();
  }

  /** The market stands still; connections and requests go on. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Breaks every connection at once. */
  cutAll(): void {
    for (const line of this.lines()) line.cut();
  }

  /** The simulator's market of a product. */
  market(product: string): SimulatedMarket | undefined {
    const market = this.#markets.find((market) => market.product === product);
    return market instanceof SimulatedMarket ? market : undefined;
  }

  /**
   * An instrument of the simulator as each open connection hears it that has subscribed to its book: the venue's own book, as
   * it was told.
   */
  hearings(code: string): readonly SimulatedHearing[] {
    return this.lines().flatMap((line) =>
      line.heard().flatMap(({ code: of, wanted, hearing }) => {
        const isIt = of === code && (wanted.has('book') || wanted.has('orders'));
        return isIt && hearing instanceof SimulatedHearing ? [hearing] : [];
      }),
    );
  }

  /** Breaks all connections and closes the port. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const line of this.#lines.keys()) line.cut();
    for (const wire of this.#wires) wire.destroy();
    await closed(this.#server);
    this.#endDatagrams();
    this.#packets?.close();
    if (this.#tcp !== null) await closed(this.#tcp);
    for (const market of this.#markets) market.close();
  }

  #fakeUrl(url: string): string {
    const { host, pathname } = new URL(url.replace(/\{[a-z]+\}/g, ''));
    const scheme = `${url.startsWith('ws') ? 'ws' : 'http'}${this.#isTls ? 's' : ''}`;
    return `${scheme}://127.0.0.1:${this.port}/${host}${pathname === '/' ? '' : pathname}`;
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#behindMs = Math.min(BEHIND_MS_MAX, this.#behindMs + nowMs - this.#tickedMs);
    this.#tickedMs = nowMs;
    if (this.#isPaused) this.#behindMs = 0;
    const passedMs = Math.min(STEP_MS_MAX, this.#behindMs);
    this.#behindMs -= passedMs;
    if (this.#isPaused) return;
    this.#toldMs += passedMs;
    this.#livedMs += passedMs * this.#speed;
    for (const market of this.#markets) {
      const isLive = market instanceof SimulatedMarket;
      market.step(Math.floor(isLive ? this.#livedMs : this.#toldMs));
    }
    for (const line of this.#lines.keys()) line.step();
    this.#packets?.step(Math.floor(this.#livedMs));
  }

  async #asked(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { host, url } = this.#placeOf(request);
    try {
      await this.#desk.take(request, response, host, url);
    } catch {
      response.destroy();
    }
  }

  /** The venue's host that a path begins with, and the rest as an address. */
  #placeOf(request: IncomingMessage): { readonly host: string | undefined; readonly url: URL } {
    const path = request.url ?? '/';
    const [, first = '', rest = ''] = /^\/([^/?]*)(.*)$/s.exec(path) ?? [];
    const hosts = this.hosts().map(({ venue }) => new URL(venue).host);
    return hosts.includes(first)
      ? { host: first, url: new URL(rest === '' ? '/' : rest, 'http://venue') }
      : { host: undefined, url: new URL(path, 'http://venue') };
  }

  #upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    // A server's connections are sockets, whatever the declarations say of them.
    const wire = duplex as Socket;
    wire.on('error', () => {});
    const { host, url } = this.#placeOf(request);
    const [address, ...others] = this.#addresses.filter(
      (own) => (host === undefined || new URL(own.url).host === host) && pathOf(own.url) === url.pathname,
    );
    if (address === undefined) {
      reject(wire, 404, 0);
      return;
    }
    const of = new URL(address.url).host;
    const refused = this.#connected(address, of);
    if (refused !== undefined) {
      reject(wire, 429, refused);
      return;
    }
    if (address.market.isClosed) {
      reject(wire, 503, 0);
      return;
    }
    const fault = this.faults.next(CONNECT_FAULTS);
    if (fault?.kind === 'connect-silent') return;
    if (fault?.kind === 'connect-refused') {
      reject(wire, 503, fault.ms ?? 1000);
      return;
    }
    this.#sockets.handleUpgrade(request, wire, head, (socket) => {
      const sharing = others.filter((other) => other.url === address.url);
      const line = new Line([address, ...sharing], socket, wire, () => this.nowMs());
      this.#lines.set(line, of);
      socket.on('close', () => this.#lines.delete(line));
      if (fault?.kind === 'connect-mute') line.mute();
    });
  }

  /** Counts a connection; the time to wait where it is beyond a limit. */
  #connected({ socket, url }: Address, host: string): number | undefined {
    const nowMs = this.nowMs();
    const { connects, connectionsMax } = socket.limits;
    let beyond: string | null = null;
    let waitMs = 1000;
    if (connects !== null) {
      const allowance = this.#connects.get(host) ?? new Allowance(connects);
      this.#connects.set(host, allowance);
      if (!allowance.use(nowMs, 1)) {
        beyond = `more than ${connects.max} connections in ${connects.windowMs} ms`;
        waitMs = allowance.waitMs(nowMs);
      }
    }
    const open = [...this.#lines.values()].filter((other) => other === host).length;
    if (connectionsMax !== null && open >= connectionsMax)
      beyond ??= `more than ${connectionsMax} connections at a time`;
    this.ledger.note({ atMs: nowMs, kind: 'connect', where: url, units: 1, beyond });
    return beyond === null ? undefined : waitMs;
  }
}

async function listenAt(server: TcpServer, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new DepthwireError('fake.port', {
          what: 'the fake venue cannot listen',
          where: `127.0.0.1:${port}`,
          expected: 'a port that is free',
          got: cause.message,
          fix: 'Choose another port, or 0 for one that is free.',
          cause,
        }),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
}

function closed(server: TcpServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Scheme and host of an address. */
function beginning(url: string): string {
  const { protocol, host } = new URL(url.replace(/\{[a-z]+\}/g, ''));
  return `${protocol}//${host}`;
}

function pathOf(url: string): string {
  return new URL(url.replace(/\{[a-z]+\}/g, '')).pathname;
}

function reject(wire: Socket, status: number, waitMs: number): void {
  const wait = waitMs > 0 ? `retry-after: ${Math.ceil(waitMs / 1000)}\r\n` : '';
  wire.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\n${wait}content-length: 0\r\n\r\n`);
}
