import type { Topic } from './control.js';
import type { FrameReader } from './frame.js';
import type { Inbox, InboxPolicy } from './inbox.js';
import { type BookState, Kind, reasonOf, type StateReason, stateOf } from './protocol.js';
import {
  type Host,
  Subscription,
  type SubscriptionEvents,
  type SubscriptionOptions,
} from './subscription.js';

/** The server's word on an instrument's book. */
export interface InstrumentStatus {
  readonly state: BookState;
  readonly reason: StateReason;
  readonly epoch: bigint;
  readonly seq: number;
  /** For a gap, the venue's sequence that was due and the one that came. */
  readonly expected: bigint;
  readonly received: bigint;
  /** Time since the last input for the instrument, ms, when the frame was sent. */
  readonly ageMs: number;
}

export interface StatusEvents extends SubscriptionEvents {
  update: InstrumentStatus;
}

/** The state of an instrument's book at the server. A loop yields the latest status, as often as it changes. */
export class StatusSubscription extends Subscription<InstrumentStatus, StatusEvents> {
  /** The last status; undefined before the first. */
  status: InstrumentStatus | undefined;
  protected readonly inboxPolicy: InboxPolicy<InstrumentStatus> = { tag: 'latest' };
  private disconnected = false;

  /** @internal */
  constructor(host: Host, topic: Topic, options: SubscriptionOptions) {
    super(host, topic, options.signal);
  }

  /** The server's book's state; `stale` while disconnected. */
  get state(): BookState {
    if (this.status === undefined) return 'syncing';
    return this.disconnected ? 'stale' : this.status.state;
  }

  get reason(): StateReason {
    if (this.disconnected) return 'disconnected';
    return this.status?.reason ?? 'no_image';
  }

  protected take(frame: FrameReader): void {
    if (frame.kind !== Kind.status) return;
    const status: InstrumentStatus = {
      state: stateOf(frame.statusState),
      reason: reasonOf(frame.statusReason),
      epoch: frame.epoch,
      seq: frame.seq,
      expected: frame.statusExpected,
      received: frame.statusReceived,
      ageMs: frame.statusAgeMs,
    };
    this.disconnected = false;
    this.status = status;
    this.push(status);
    this.listeners.emit('update', status);
  }

  protected disconnect(): void {
    this.disconnected = true;
  }

  protected override greet(inbox: Inbox<InstrumentStatus>): void {
    if (this.status) inbox.push(this.status);
  }
}
