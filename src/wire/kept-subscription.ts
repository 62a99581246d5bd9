import type { ApplyOutcome } from './apply-outcome.js';
import type { Brought, Granted, Topic } from './control.js';
import { decimalsOf } from './decimal.js';
import type { FrameReader } from './frame.js';
import type { Inbox, InboxPolicy } from './inbox.js';
import type { LocalStream, Place } from './local-stream.js';
import { type BookState, Flag, type StateReason } from './protocol.js';
import { type Backoff, Resync } from './resync.js';
import {
  type Host,
  Subscription,
  type SubscriptionEvents,
  type SubscriptionOptions,
} from './subscription.js';

/** A frame is missing, the checksums differ, or a change does not fit: what is kept is stale and an image is asked for. */
export type StreamGap = Extract<ApplyOutcome, { readonly tag: 'gap' | 'check_failed' | 'contradiction' }>;

export interface KeptEvents<Item> extends SubscriptionEvents {
  /** The content, or what the server doubts about it, changed. */
  update: Item;
  gap: StreamGap;
}

/**
 * A subscription that keeps a state by frames and mends it by itself: after a gap or a failed check by an image, after a
 * lost connection by what the server still has of what was missed.
 *
 * A loop over it yields the state whenever its content or its trust has changed since the last turn: a slow loop sees
 * fewer, newer states and never waits behind old ones. Callbacks see every change.
 */
export abstract class KeptSubscription<
  Kept extends LocalStream,
  Item,
  Events extends KeptEvents<Item> = KeptEvents<Item>,
> extends Subscription<Item, Events> {
  protected readonly inboxPolicy: InboxPolicy<Item> = { tag: 'latest' };
  protected readonly kept: Kept;
  private readonly resync: Resync;

  constructor(host: Host, topic: Topic, options: SubscriptionOptions, backoff: Backoff, kept: Kept) {
    super(host, topic, options);
    this.kept = kept;
    this.resync = new Resync(backoff, () => host.resync(this as never));
  }

  /** What loops and callbacks get; undefined before there is any. */
  protected abstract readonly item: Item | undefined;

  /** Whether what is kept may be trusted. */
  get state(): BookState {
    return this.kept.state;
  }

  /** Why not, if not. */
  get reason(): StateReason {
    return this.kept.reason;
  }

  get place(): Place | undefined {
    return this.kept.place;
  }

  /** @internal */
  override grant(granted: Granted): void {
    this.kept.priceDecimalsMin = decimalsOf(granted.tickSize, granted.priceExponent);
    this.kept.qtyDecimalsMin = decimalsOf(granted.lotSize, granted.qtyExponent);
    super.grant(granted);
  }

  protected take(frame: FrameReader): void {
    const { kept, host } = this;
    const { flags, place } = kept;
    const outcome = kept.apply(frame);
    const { tag } = outcome;
    if (tag === 'checked' || tag === 'check_failed' || (tag === 'image' && frame.hasCheck))
      host.count('checks');
    switch (outcome.tag) {
      case 'image':
        this.resync.done();
        this.brought('image');
        this.changed();
        break;
      case 'applied':
        if (kept.state === 'synced') this.resync.done();
        if ((frame.flags & Flag.conflated) !== 0) this.brought('net');
        this.applied(frame);
        this.changed();
        break;
      case 'gap':
      case 'check_failed':
      case 'contradiction':
        host.count(tag === 'gap' ? 'gaps' : 'checkFailures');
        this.leave('gap', place);
        this.listeners.emit('gap', outcome as Events['gap']);
        if (!this.closed) this.resync.request();
        break;
      case 'status':
        // The image will come when the server's own book is synced again.
        if (kept.state !== 'synced' && frame.statusState !== 2) this.resync.done();
        break;
      case 'ignored':
        if (outcome.why === 'chunk_discarded' && kept.state !== 'synced') this.resync.request();
        break;
      case 'checked':
        if (kept.flags !== flags) this.changed();
        break;
      case 'old':
        break;
    }
  }

  protected doubt(reason: 'disconnected' | 'behind'): void {
    this.resync.done();
    this.kept.doubt(reason);
  }

  protected bring(by: Brought, to: Place, state: BookState, reason: StateReason): void {
    const { kept, granted } = this;
    if (by === 'image') return;
    if (kept.stream === granted?.stream) {
      kept.bringTo(to, state, reason);
    } else if (kept.place !== undefined) {
      // Views change their numbers, and a sequence counts within its stream: what comes is no sequel of what is kept.
      kept.loseTruth('disconnected');
      this.resync.request();
    }
  }

  /** Changes of a frame are in. */
  protected applied(_frame: FrameReader): void {}

  protected override greet(inbox: Inbox<Item>): void {
    if (this.kept.seq > 0 && this.item !== undefined) inbox.push(this.item);
  }

  protected override stateChanged(): void {
    if (this.item !== undefined) this.push(this.item);
  }

  protected override dispose(): void {
    this.resync.done();
  }

  private changed(): void {
    const { item } = this;
    if (item === undefined) return;
    this.push(item);
    this.listeners.emit('update', item as Events['update']);
  }
}
