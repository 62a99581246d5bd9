import type { EngineStats } from '../engine.js';
import type { CloseCause } from './transport.js';

/** Codes that get a series of their own; clients may send any, and each would be a new one. */
const CODES: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006, 1009, 4400, 4408]);

/** Books by state. */
export interface BookCounts {
  readonly syncing: number;
  readonly synced: number;
  readonly stale: number;
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
  /** Inputs that the engine reported as wrong. */
  faults = 0;
  readonly #closes = new Map<string, number>();

  /** A connection ended. */
  closed(code: number, cause: CloseCause): void {
    const labels = `code="${CODES.has(code) ? code : 'other'}",cause="${cause}"`;
    this.#closes.set(labels, (this.#closes.get(labels) ?? 0) + 1);
  }

  /** Connections that ended for this cause, whatever the code. */
  closedFor(cause: CloseCause): number {
    let sum = 0;
    for (const [labels, count] of this.#closes) if (labels.endsWith(`cause="${cause}"`)) sum += count;
    return sum;
  }

  /** The OpenMetrics text of `/metrics`. No series is per client or per instrument, so it stays small. */
  text(engine: EngineStats, books: BookCounts, imagesEncoded: number, uptimeSeconds: number): string {
    const lines: string[] = [];
    const counter = (name: string, help: string, value: number): void => {
      lines.push(
        `# TYPE depthwire_${name} counter`,
        `# HELP depthwire_${name} ${help}`,
        `depthwire_${name}_total ${value}`,
      );
    };
    const gauge = (name: string, help: string, value: number): void => {
      lines.push(
        `# TYPE depthwire_${name} gauge`,
        `# HELP depthwire_${name} ${help}`,
        `depthwire_${name} ${value}`,
      );
    };
    counter('frames_received', 'Frames that the venues sent.', engine.frames);
    counter('book_messages', 'Book updates among them.', engine.bookMessages);
    counter('book_messages_applied', 'Book updates that changed a book.', engine.applied);
    counter('level_changes', 'Level changes in book updates.', engine.levelChanges);
    counter('level_changes_applied', 'Level changes that were applied.', engine.appliedLevelChanges);
    counter('snapshots', 'Venue snapshots taken in.', engine.snapshots);
    counter('snapshots_old', 'Venue snapshots that were too old to use.', engine.snapshotsOld);
    counter('snapshot_requests', 'Venue snapshots asked for.', engine.snapshotRequests);
    counter('trades', 'Trades received.', engine.trades);
    counter('gaps', 'Gaps in venue sequences.', engine.gaps);
    counter('resyncs', 'Books synced again after they were not.', engine.resyncs);
    lines.push(...mendingLines(engine.mending));
    counter('silences', 'Books that turned stale because nothing arrived.', engine.silences);
    counter('crossed', 'Synced books seen with bid above ask.', engine.crossed);
    counter('decode_errors', 'Frames that could not be decoded.', engine.decodeErrors);
    counter('frames_ignored', 'Frames that change nothing here.', engine.ignored);
    counter('updates_dropped', 'Updates dropped while waiting for a snapshot.', engine.pendingDropped);
    counter('bbo_checked', 'Comparisons with the venue top of book.', engine.bboChecked);
    counter('bbo_matched', 'Comparisons that agreed.', engine.bboMatched);
    counter('checksums_checked', 'Venue checksums compared.', engine.checksumsChecked);
    counter('checksums_matched', 'Venue checksums that agreed.', engine.checksumsMatched);
    counter('feed_frames', 'Frames that the engine emitted.', engine.feedFrames);
    counter('feed_bytes', 'Bytes of these frames.', engine.feedBytes);
    counter('frames_published', 'Emitted frames that had a subscriber.', this.framesPublished);
    counter('bytes_published', 'Bytes of these frames, once each.', this.bytesPublished);
    counter('images_encoded', 'Images made for clients that joined.', imagesEncoded);
    counter('faults', 'Inputs that the engine reported as wrong.', this.faults);
    counter('bad_messages', 'Control messages that were wrong.', this.badMessages);
    counter('client_resyncs', 'Images that clients asked for again.', this.clientResyncs);
    counter('clients_accepted', 'Connections accepted.', this.clientsTotal);
    counter('clients_refused', 'Handshakes refused.', this.clientsRefused);
    counter('connections_refused', 'Connections cut because too many were open.', this.connectionsRefused);
    lines.push(
      '# TYPE depthwire_closes counter',
      '# HELP depthwire_closes Connections ended, by close code and cause.',
    );
    for (const [labels, count] of this.#closes) lines.push(`depthwire_closes_total{${labels}} ${count}`);
    gauge('clients', 'Connections open now.', this.clients);
    gauge('subscriptions', 'Subscriptions held now.', this.subscriptions);
    lines.push('# TYPE depthwire_books gauge', '# HELP depthwire_books Books by state.');
    for (const [state, count] of Object.entries(books))
      lines.push(`depthwire_books{state="${state}"} ${count}`);
    gauge('uptime_seconds', 'Time since the server started.', uptimeSeconds);
    lines.push('# EOF', '');
    return lines.join('\n');
  }
}

/** How long books took from the loss of their truth until they were exact again, as a histogram in seconds. */
function mendingLines({ boundsMs, counts, sumMs }: EngineStats['mending']): readonly string[] {
  let sum = 0;
  const buckets = counts.map((count, at) => {
    sum += count;
    const bound = boundsMs[at];
    return `depthwire_resync_seconds_bucket{le="${bound === undefined ? '+Inf' : bound / 1000}"} ${sum}`;
  });
  return [
    '# TYPE depthwire_resync_seconds histogram',
    '# HELP depthwire_resync_seconds Time that books took to be exact again.',
    ...buckets,
    `depthwire_resync_seconds_sum ${sumMs / 1000}`,
    `depthwire_resync_seconds_count ${sum}`,
  ];
}
