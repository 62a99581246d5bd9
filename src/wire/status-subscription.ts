import type { Channel } from './channel.js';
import type { Topic } from './control.js';
import type { FrameReader } from './frame.js';
import { GapFields } from './frame-facts.js';
import type { Inbox, InboxPolicy } from './inbox.js';
import { printable } from './level.js';
import type { Place } from './local-stream.js';
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
  /** What was lost of the book when it last was; undefined = it never was. */
  readonly gap: InstrumentGap | undefined;
}

/** What was lost of a book. Times are ns since the Unix epoch. */
export interface InstrumentGap {
  readonly reason: StateReason;
  /** The venue's number that was due and the one that came; 0 where the reason has none. */
  readonly expected: bigint;
  readonly received: bigint;
  /** When the last input arrived that the book was exact at. */
  readonly lostFrom: bigint;
  /** When the loss was noticed. */
  readonly noticed: bigint;
  /** When the book was exact again; undefined = not yet. */
  readonly mended: bigint | undefined;
  /** The last place of the `book` stream that was exact. */
  readonly before: Place;
}

export interface StatusEvents extends SubscriptionEvents {
  update: InstrumentStatus;
  /** The book was lost, and again when it is mended. Each once, however often the server repeats it. */
  gap: InstrumentGap;
}

/** The state of an instrument's book at the server. A loop yields the latest status, as often as it changes. */
export class StatusSubscription extends Subscription<InstrumentStatus, StatusEvents> {
  /** The last status; undefined before the first. */
  status: InstrumentStatus | undefined;
  protected readonly inboxPolicy: InboxPolicy<InstrumentStatus> = { tag: 'latest' };
  private doubted: StateReason | undefined;

  /** @internal */
  constructor(host: Host, topic: Topic, options: SubscriptionOptions) {
    super(host, topic, options);
  }

  /** The server's book's state; `stale` while disconnected. */
  get state(): BookState {
    if (this.status === undefined) return 'syncing';
    return this.doubted === undefined ? this.status.state : 'stale';
  }

  /** Why it is not synced, if it is not. */
  get reason(): StateReason {
    return this.doubted ?? this.status?.reason ?? 'no_image';
  }

  /** None: each status is whole. */
  get place(): undefined {
    return undefined;
  }

  protected take(frame: FrameReader): void {
    if (frame.kind !== Kind.status) return;
    const status: InstrumentStatus = printable({
      state: stateOf(frame.statusState),
      reason: reasonOf(frame.statusReason),
      epoch: frame.epoch,
      seq: frame.seq,
      expected: frame.statusExpected,
      received: frame.statusReceived,
      ageMs: frame.statusAgeMs,
      gap: gapOf(frame),
    });
    const { gap } = status;
    const before = this.status?.gap;
    this.doubted = undefined;
    this.status = status;
    this.push(status);
    this.listeners.emit('update', status);
    if (gap !== undefined && (gap.noticed !== before?.noticed || gap.mended !== before.mended)) {
      this.listeners.emit('gap', gap);
    }
  }

  protected doubt(reason: 'disconnected' | 'behind'): void {
    this.doubted = reason;
  }

  protected bring(): void {}

  protected override greet(inbox: Inbox<InstrumentStatus>): void {
    if (this.status) inbox.push(this.status);
  }
}

function gapOf(frame: FrameReader): InstrumentGap | undefined {
  const gap = new GapFields(frame);
  if (!gap.isPresent) return undefined;
  const { mended } = gap;
  return printable({
    reason: reasonOf(gap.reason),
    expected: gap.expected,
    received: gap.received,
    lostFrom: gap.lostFrom,
    noticed: gap.noticed,
    mended: mended === 0n ? undefined : mended,
    before: printable({ epoch: gap.epochBefore, seq: Number(gap.seqBefore) }),
  });
}

/** What the server says of the instrument's book, and what was lost of it. */
export const status: Channel<SubscriptionOptions, StatusSubscription> = {
  name: 'status',
  Subscription: StatusSubscription,
};
