import type { EngineStats, RecordStatus } from '../engine.js';
import { type Labelled, OpenMetrics } from './open-metrics.js';
import { writeRecord } from './record-metrics.js';
import { writeStages } from './stage-metrics.js';
import type { Stages } from './stages.js';
import type { CloseCause } from './transport.js';

/** Codes that get a series of their own; clients may send any, and each would be a new one. */
const CODES: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 4400, 4401, 4403, 4408, 4429,
]);

/** Causes of refusals that get a series of their own. The codes of this program are fewer. */
const CAUSES_MAX = 64;

/** Books by state. */
export interface BookCounts {
  readonly syncing: number;
  readonly synced: number;
  readonly stale: number;
}

/** What is done about a client that does not take the feed as fast as it comes. */
export type SlowStep = 'behind' | 'rejoined' | 'closed' | 'cut';

/** What brings a client that was away to the present of a stream. */
export type ResumeKind = 'nothing' | 'range' | 'net' | 'image';

/** Counters that grow, and the two that tell what there is now. */
const GROWING = [
  'clientsTotal',
  'clientsRefused',
  'connectionsRefused',
  'framesPublished',
  'bytesPublished',
  'badMessages',
  'clientResyncs',
  'floods',
  'faults',
] as const;
const PRESENT = ['clients', 'subscriptions'] as const;

/** What one gateway has counted, as it goes to the server's process. */
export interface MetricCounts {
  readonly numbers: Readonly<Record<(typeof GROWING)[number] | (typeof PRESENT)[number], number>>;
  readonly closes: readonly Labelled[];
  readonly refusals: readonly Labelled[];
  readonly slow: Readonly<Record<SlowStep, number>>;
  readonly resumes: Readonly<Record<ResumeKind, number>>;
}

/** Gateways of other processes. */
export interface GatewayCounts {
  /** As many as there should be. */
  readonly wanted: number;
  /** Those that listen. */
  readonly running: number;
  /** Their processes, and those that are beginning. */
  readonly pids: readonly number[];
  /** Since the server started. */
  readonly restarts: number;
}

/** What a scrape asks the server for, once. */
export interface Scrape {
  readonly engine: EngineStats;
  /** Undefined where no message is stamped. */
  readonly stages: Stages | undefined;
  /** The name of an instrument that is served. */
  nameOf(instrument: number): string | undefined;
  readonly imagesEncoded: number;
  /** Bytes that wait for all clients together. */
  readonly waitingBytes: number;
  readonly connections: { readonly open: number; readonly lost: number };
  /** Null where nothing is recorded. */
  readonly record: RecordStatus | null;
  readonly isReady: boolean;
  /** Absent where the server's own process has the clients. */
  readonly gateways?: GatewayCounts | undefined;
  readonly uptimeSeconds: number;
  /** Of the process as a whole, as labels. */
  readonly build: Readonly<Record<string, string>>;
  /** Writes what the process takes of the machine. */
  process(out: OpenMetrics): void;
}

/** What the server counts beside the engine's own counters. */
export class Metrics {
  clients = 0;
  clientsTotal = 0;
  clientsRefused = 0;
  /** Connections cut before they asked for anything, because there were too many. */
  connectionsRefused = 0;
  subscriptions = 0;
  /** Frames that had at least one subscriber. */
  framesPublished = 0;
  bytesPublished = 0;
  badMessages = 0;
  clientResyncs = 0;
  /** Clients that sent more messages than they may. */
  floods = 0;
  /** Inputs that the engine reported as wrong. */
  faults = 0;
  readonly #closes = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #slow: Record<SlowStep, number> = { behind: 0, rejoined: 0, closed: 0, cut: 0 };
  readonly #resumes: Record<ResumeKind, number> = { nothing: 0, range: 0, net: 0, image: 0 };

  /** All of it, for another process. */
  counts(): MetricCounts {
    const numbers = Object.fromEntries([...GROWING, ...PRESENT].map((name) => [name, this[name]]));
    return {
      numbers: numbers as MetricCounts['numbers'],
      closes: [...this.#closes],
      refusals: [...this.#refusals],
      slow: { ...this.#slow },
      resumes: { ...this.#resumes },
    };
  }

  /** Adds what a gateway has counted. `isGone`: it has ended, and what it held with it. */
  add({ numbers, closes, refusals, slow, resumes }: MetricCounts, isGone = false): void {
    for (const name of GROWING) this[name] += numbers[name];
    if (!isGone) for (const name of PRESENT) this[name] += numbers[name];
    for (const [labels, count] of closes) this.#closes.set(labels, (this.#closes.get(labels) ?? 0) + count);
    for (const [cause, count] of refusals) this.#refuse(cause, count);
    for (const step of Object.keys(slow) as SlowStep[]) this.#slow[step] += slow[step];
    for (const kind of Object.keys(resumes) as ResumeKind[]) this.#resumes[kind] += resumes[kind];
  }

  /** A connection ended. */
  closed(code: number, cause: CloseCause): void {
    const labels = `code="${CODES.has(code) ? code : 'other'}",cause="${cause}"`;
    this.#closes.set(labels, (this.#closes.get(labels) ?? 0) + 1);
    if (cause === 'too_slow') this.#slow.closed += 1;
    if (cause === 'too_slow_cut' || cause === 'transport_backpressure') this.#slow.cut += 1;
  }

  /** Connections that ended for this cause, whatever the code. */
  closedFor(cause: CloseCause): number {
    let sum = 0;
    for (const [labels, count] of this.#closes) if (labels.endsWith(`cause="${cause}"`)) sum += count;
    return sum;
  }

  /** A request or a handshake was refused with an error of this code. */
  refused(code: string): void {
    this.#refuse(code, 1);
  }

  /** A client was cut from so many live streams, or came back to them. */
  slow(step: 'behind' | 'rejoined', streams: number): void {
    this.#slow[step] += streams;
  }

  /** How often a step was taken. */
  slowSteps(step: SlowStep): number {
    return this.#slow[step];
  }

  /** A client that was away was brought to the present of a stream. */
  resumed(by: ResumeKind): void {
    this.#resumes[by] += 1;
  }

  /**
   * The OpenMetrics text of `/metrics`. No series is per client, and none per instrument but those of stage stamps, which have a
   * limit: so it stays small.
   */
  text(scrape: Scrape): string {
    const out = new OpenMetrics();
    out.info('build', 'What runs.', scrape.build);
    out.gauge('ready', 'Whether /ready says so.', scrape.isReady ? 1 : 0);
    out.gauge('uptime_seconds', 'Time since the server started.', scrape.uptimeSeconds, 'seconds');
    writeInput(out, scrape.engine);
    writeBooks(out, scrape);
    writeOutput(out, scrape.engine, this.framesPublished, this.bytesPublished, scrape.imagesEncoded);
    if (scrape.record !== null) writeRecord(out, scrape.record);
    if (scrape.stages !== undefined) writeStages(out, scrape.stages, (id) => scrape.nameOf(id));
    this.#writeClients(out, scrape.waitingBytes);
    if (scrape.gateways !== undefined) {
      out.gauge('gateways', 'Gateways that run.', scrape.gateways.running);
      out.counter('gateway_restarts', 'Gateways that ended and were started anew.', scrape.gateways.restarts);
    }
    out.counter('faults', 'Inputs that the engine reported as wrong.', this.faults);
    scrape.process(out);
    return out.end();
  }

  #refuse(code: string, count: number): void {
    const cause = this.#refusals.has(code) || this.#refusals.size < CAUSES_MAX ? code : 'other';
    this.#refusals.set(cause, (this.#refusals.get(cause) ?? 0) + count);
  }

  #writeClients(out: OpenMetrics, waitingBytes: number): void {
    out.gauge('clients', 'Connections open now.', this.clients);
    out.gauge('subscriptions', 'Subscriptions held now.', this.subscriptions);
    out.gauge('waiting_bytes', 'Bytes that wait for clients to take them.', waitingBytes, 'bytes');
    out.counter('clients_accepted', 'Connections accepted.', this.clientsTotal);
    out.counter('clients_refused', 'Handshakes refused.', this.clientsRefused);
    out.counters(
      'refusals',
      'Requests and handshakes refused, by the code of the error.',
      'cause',
      this.#refusals,
    );
    out.counter(
      'connections_refused',
      'Connections cut because too many were open.',
      this.connectionsRefused,
    );
    out.countersBy('closes', 'Connections ended, by close code and cause.', this.#closes);
    out.counters('slow_steps', 'What was done about slow clients.', 'step', Object.entries(this.#slow));
    out.counters('resumes', 'Clients that came back, by what it took.', 'by', Object.entries(this.#resumes));
    out.counter('client_resyncs', 'Images that clients asked for again.', this.clientResyncs);
    out.counter('floods', 'Clients that sent more messages than they may.', this.floods);
    out.counter('bad_messages', 'Control messages that were wrong.', this.badMessages);
  }
}

function writeInput(out: OpenMetrics, engine: EngineStats): void {
  out.counter('frames_received', 'Frames that the venues sent.', engine.frames);
  out.counter('book_messages', 'Book updates among them.', engine.bookMessages);
  out.counter('book_messages_applied', 'Book updates that changed a book.', engine.applied);
  out.counter('level_changes', 'Level changes in book updates.', engine.levelChanges);
  out.counter('level_changes_applied', 'Level changes that were applied.', engine.appliedLevelChanges);
  out.counter('order_events', 'Events of order feeds that changed a book.', engine.orders.events);
  out.counter('snapshots', 'Venue snapshots taken in.', engine.snapshots);
  out.counter('snapshots_old', 'Venue snapshots that were too old to use.', engine.snapshotsOld);
  out.counter('snapshot_requests', 'Venue snapshots asked for.', engine.snapshotRequests);
  out.counter('trades', 'Trades received.', engine.trades);
  out.counter('tickers', 'Statistics of instruments received.', engine.tickers);
  out.counter('liquidations', 'Trades that closed a position by force.', engine.liquidations);
  out.counter('trading_changes', 'Changes of trading status.', engine.statuses);
  out.counter('decode_errors', 'Frames that could not be decoded.', engine.decodeErrors);
  out.counter('frames_ignored', 'Frames that change nothing here.', engine.ignored);
  out.counter('frames_foreign', 'Frames of instruments that are not carried.', engine.foreign);
  out.counter('updates_dropped', 'Updates dropped while waiting for a snapshot.', engine.pendingDropped);
}

function writeBooks(out: OpenMetrics, { engine, connections }: Scrape): void {
  const states: readonly Labelled[] = [
    ['syncing', engine.books.syncing],
    ['synced', engine.books.synced],
    ['stale', engine.books.stale],
  ];
  out.gauges('books', 'Books by state.', 'state', states);
  out.gauges('source_connections', 'Connections to venues.', 'state', Object.entries(connections));
  out.counter('gaps', 'Gaps in venue sequences.', engine.gaps);
  out.counter('resyncs', 'Books synced again after they were not.', engine.resyncs);
  const { boundsMs, counts, sumMs } = engine.mending;
  const bounds = boundsMs.map((ms) => ms / 1000);
  const help = 'Time that books took to be exact again.';
  out.histogram('resync_seconds', help, bounds, counts, sumMs / 1000, 'seconds');
  out.counter('silences', 'Books that turned stale because nothing arrived.', engine.silences);
  out.counter('contradictions', 'Books that their venue contradicted.', engine.contradictions);
  out.counter('crossed', 'Synced books seen with bid above ask.', engine.crossed);
  out.counter('bbo_checked', 'Comparisons with the venue top of book.', engine.bboChecked);
  out.counter('bbo_matched', 'Comparisons that agreed.', engine.bboMatched);
  out.counter('checksums_checked', 'Venue checksums compared.', engine.checksumsChecked);
  out.counter('checksums_matched', 'Venue checksums that agreed.', engine.checksumsMatched);
}

function writeOutput(
  out: OpenMetrics,
  engine: EngineStats,
  framesPublished: number,
  bytesPublished: number,
  imagesEncoded: number,
): void {
  const { latency, history, brought } = engine;
  out.counter('feed_frames', 'Frames that the engine emitted.', engine.feedFrames);
  out.counter('feed_bytes', 'Bytes of these frames.', engine.feedBytes, 'bytes');
  out.histogram(
    'frame_delay_seconds',
    'Time from the receipt of an input to the frame that it caused.',
    latency.boundsNs.map((ns) => ns / 1e9),
    latency.counts,
    latency.sumNs / 1e9,
    'seconds',
  );
  out.counter('frames_published', 'Emitted frames that had a subscriber.', framesPublished);
  out.counter('published_bytes', 'Bytes of these frames, once each.', bytesPublished, 'bytes');
  out.counter('images_encoded', 'Images made for clients.', imagesEncoded);
  out.gauge('history_bytes', 'Memory of frames kept for those who come back.', history.bytes, 'bytes');
  out.gauge('history_limit_bytes', 'The most that it may be.', history.bytesMax, 'bytes');
  out.counter(
    'history_evicted_bytes',
    'Kept frames that went early, for all that may be used was.',
    history.evictedBytes,
    'bytes',
  );
  out.counters('brought', 'Readers brought to the present, by what it took.', 'by', Object.entries(brought));
}
