import type { Config } from '../config.js';
import type { InstrumentInfo, RecordStatus } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { NamePattern } from '../name-pattern.js';
import type { Pace } from '../tick-timer.js';
import { VERSION } from '../version.js';
import { Gate, operationsOnly } from './auth/gate.js';
import type { Grant } from './auth/grant.js';
import { unauthorized } from './auth/refusals.js';
import { Clients } from './census.js';
import type { Distribution, ServerEvents } from './distribution.js';
import { LocalEngine, type ServedEngine } from './feed-engine.js';
import { Gateway } from './gateway.js';
import { Gateways } from './gateways/gateways.js';
import { notReady } from './health.js';
import { Hosts } from './hosts.js';
import { answerHttp, type HttpContext, type SourceState } from './http.js';
import { type BookCounts, type GatewayCounts, Metrics } from './metrics.js';
import type { Replayed } from './replay.js';
import type { Access } from './routes.js';
import { Scraper } from './scrape.js';
import type { Site } from './site.js';
import { type ServedSource, type SourceReport, sourceReport } from './sources.js';
import { StageReport, type Stages } from './stages.js';
import type { openTransport } from './transport/open-transport.js';
import type { Answer, Request, Transport } from './transport.js';

export type { ClientEnd, ServerEvents } from './distribution.js';
export type { ServedEngine } from './feed-engine.js';

/** The server: frames go in by `onFrame`, clients come in by one port. Owns no timer: `tick` drives it. */
export class FeedServer {
  /** What this process counts; `counted` has all. */
  readonly metrics = new Metrics();
  /** What `/health` says of the source. Whoever runs the source keeps it current. */
  sourceState: SourceState = 'running';
  /** What the books come from, as it stands now. Whoever runs the sources sets it. */
  sources: () => readonly ServedSource[] = () => [];
  /** The replay that clients may see and change; undefined where nothing is replayed. Whoever runs it sets it. */
  replay: Replayed | undefined;
  /** How far a record of what is received has come; null where none is made. Whoever makes it sets it. */
  record: () => RecordStatus | null = () => null;
  /** Told of what clients do. Whoever keeps a log sets it. */
  events: ServerEvents = { refused() {}, closed() {}, certificate() {}, gatewayEnded() {} };
  /** Takes lines for people. Whoever runs the server sets it. */
  say: (line: string) => void = () => {};
  /** Asks for the next `tick` to come soon. Whoever ticks sets it. */
  hurry: () => void = () => {};
  readonly #config: Config;
  readonly #gate: Gate;
  readonly #engine: ServedEngine;
  readonly #local: LocalEngine;
  readonly #distribution: Distribution;
  readonly #http: HttpContext;
  readonly #scraper: Scraper;
  readonly #startedMs = performance.now();
  #isLeaving = false;
  /** The engine has put out a frame since the last tick. */
  #hasPublished = false;

  /** `instruments`: those that sources speak for; nothing else is served. */
  constructor(engine: ServedEngine, instruments: readonly InstrumentInfo[], config: Config, site: Site) {
    this.#config = config;
    this.#engine = engine;
    this.#gate = new Gate(config, {
      say: (line) => this.say(line),
      now: () => Date.now(),
      random: Math.random,
    });
    this.#keepVolumes(instruments);
    this.#local = new LocalEngine(engine, config.limits.imageBytesMax);
    const served = new Map(instruments.map((instrument) => [instrument.name, instrument]));
    const clients = new Clients(config.limits.clientsMax);
    const common = {
      config,
      engine: this.#local,
      instruments: served,
      answer: (request: Request) => answerHttp(request, this.#http),
      events: () => this.events,
    };
    this.#distribution =
      config.server.gateways === 0
        ? new Gateway({
            ...common,
            gate: this.#gate,
            census: clients.join(),
            metrics: this.metrics,
            hurry: () => this.hurry(),
            published: config.metrics.stages ? () => engine.published() : undefined,
            isPortShared: false,
          })
        : new Gateways({ ...common, clients, say: (line) => this.say(line) });
    const build: HttpContext['build'] = () => ({
      version: VERSION,
      node: process.version,
      transport: this.transport?.name ?? 'none',
      tls: config.tls === undefined ? 'no' : 'yes',
    });
    const report = new StageReport(() => engine.stageTimes(), config.server.gateways === 0);
    const stages = (): Stages | undefined => report.stages(performance.now());
    this.#scraper = new Scraper({
      metrics: () => this.counted,
      gateways: () => this.gateways,
      build,
      stats: () => this.#engine.stats(),
      stages,
      nameOf: (id) => [...served.values()].find((one) => one.id === id)?.name,
      imagesEncoded: () => this.#local.images.encoded,
      waitingBytes: () => this.waitingBytes,
      sources: () => this.sources(),
      record: () => this.record(),
      isReady: (books) => notReady(this.#http, books).length === 0,
      uptimeSeconds: () => this.#uptimeSeconds(),
    });
    this.#http = {
      engine,
      images: this.#local.images,
      instruments: served,
      version: VERSION,
      gateways: () => this.gateways,
      clients: () => clients.open,
      hosts: new Hosts(config.server),
      site,
      build,
      transportReason: () => this.transport?.reason ?? '',
      refused: (error, request) => this.#refused(error, request),
      access: (request, access) => this.#access(request, access),
      books: () => this.books(),
      stages,
      metricsText: () => this.#scraper.text(performance.now()),
      draining: () => this.#isLeaving,
      sourceState: () => this.sourceState,
      replay: () => this.replay,
      record: () => this.record(),
      sources: () => this.reports(),
      uptimeSeconds: () => this.#uptimeSeconds(),
    };
  }

  /** Has the keys of tokens, then as `Distribution.listen`. Throws `auth.key_set*`, `serve.*`. */
  async listen(open?: typeof openTransport): Promise<number> {
    await this.#gate.open(performance.now());
    return this.#distribution.listen(open);
  }

  /** Gateways of other processes; undefined where this one has the clients. */
  get gateways(): GatewayCounts | undefined {
    return this.#distribution.gateways;
  }

  /** What has been counted of all clients. */
  get counted(): Metrics {
    return this.#distribution.counted(this.metrics);
  }

  /** As `Distribution.reloadCertificate`. */
  reloadCertificate(): void {
    this.#distribution.reloadCertificate();
  }

  /** What the sockets are served by, and why it is not the preferred one; undefined before `listen`. */
  get transport(): Pick<Transport, 'name' | 'reason'> | undefined {
    return this.#distribution.transport;
  }

  /** One frame of the engine, as a view. */
  onFrame(instrument: number, stream: number, frame: Uint8Array): void {
    this.onFrameBytes(instrument, stream, frame, 0, frame.byteLength);
  }

  /** As `Distribution.onFrameBytes`. */
  onFrameBytes(instrument: number, stream: number, source: Uint8Array, offset: number, size: number): void {
    this.#hasPublished = true;
    this.#local.images.forget(instrument);
    this.#distribution.onFrameBytes(instrument, stream, source, offset, size);
  }

  /** As `Distribution.tick`; it came so late. Returns how soon engine and server want the next one. */
  tick(lateMs = 0): Pace {
    this.#scraper.ticked(lateMs);
    const nowMs = performance.now();
    this.#gate.tick(nowMs);
    this.#local.images.clear();
    this.#distribution.tick(nowMs);
    const hasPublished = this.#hasPublished;
    this.#hasPublished = false;
    if (this.#distribution.isBusy || this.#local.hasTimedViews) return 'soon';
    return hasPublished ? 'steady' : 'rest';
  }

  /** Bytes that wait for all clients together, as they were looked at last. */
  get waitingBytes(): number {
    return this.#distribution.waitingBytes;
  }

  /** As `Distribution.pressed`. */
  pressed(): boolean {
    return this.#distribution.pressed(performance.now());
  }

  /** Where each source stands. */
  reports(): readonly SourceReport[] {
    return this.sources().map((source) => sourceReport(this.#engine, source));
  }

  /** As `Distribution.serve`. */
  serve(instruments: readonly InstrumentInfo[]): void {
    this.#keepVolumes(instruments);
    this.#distribution.serve(instruments);
  }

  /** As `Distribution.reloadKeys`. */
  reloadKeys(): Promise<void> {
    return this.#gate.reload(performance.now()).then(() => this.#distribution.reloadKeys());
  }

  /** Books by state, by the engine's own count. */
  books(): BookCounts {
    return this.#engine.stats().books;
  }

  /** The first stage of an end: not ready, so that nobody sends new clients here, but serving for `unreadyMs` more. */
  async leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const { unreadyMs } = this.#config.server;
    if (unreadyMs > 0) await new Promise((resolve) => setTimeout(resolve, unreadyMs));
  }

  /** As `Distribution.drain`. */
  async drain(reason: string): Promise<void> {
    this.#isLeaving = true;
    await this.#distribution.drain(reason);
  }

  #keepVolumes(instruments: readonly InstrumentInfo[]): void {
    const patterns = this.#config.engine.volumes.map((name) => new NamePattern(name));
    for (const { id, name } of instruments)
      if (patterns.some((pattern) => pattern.fits(name))) this.#engine.keepVolumes(id);
  }

  #uptimeSeconds(): number {
    return Math.round(performance.now() - this.#startedMs) / 1000;
  }

  #refused(error: DepthwireError, request: Request): void {
    this.metrics.refused(error.code);
    this.events.refused(error, request);
  }

  /** What a request for something that not everybody may have is granted. */
  #access(request: Request, access: Access): Grant | Answer {
    const { method, authorization } = request;
    // Paths that are open to everybody are so to those who ask, and not to those who change.
    const path = method === 'post' ? `POST ${request.path}` : request.path;
    const granted = this.#gate.access(path, { authorization }, access === 'open');
    const isForOthers = access === 'operations' && 'operations' in granted && !granted.operations;
    const decided = isForOthers ? operationsOnly(path) : granted;
    if (!(decided instanceof DepthwireError)) return decided;
    this.#refused(decided, request);
    return unauthorized(decided);
  }
}
