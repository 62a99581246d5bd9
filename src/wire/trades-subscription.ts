import type { Channel } from './channel.js';
import type { Brought, Granted, Topic } from './control.js';
import { decimalsOf, decimalText } from './decimal.js';
import type { FrameReader } from './frame.js';
import type { InboxPolicy } from './inbox.js';
import { priceOf, qtyOf } from './level.js';
import type { Place } from './local-stream.js';
import { type BookState, Kind, type StateReason } from './protocol.js';
import { type Backoff, Resync } from './resync.js';
import {
  type Host,
  Subscription,
  type SubscriptionEvents,
  type SubscriptionOptions,
} from './subscription.js';
import { type Trade, type TradeEvent, type TradeGap, TradeTape } from './trade-tape.js';

/** Events that a loop over trades may be behind, unless told otherwise. */
const QUEUE_MAX = 4096;

/** What a subscription of trades may be given. */
export interface TradesOptions extends SubscriptionOptions {
  /** Events that a loop may be behind; default 4096. */
  readonly queueMax?: number;
}

export interface TradesEvents extends SubscriptionEvents {
  update: Trade;
  gap: TradeGap;
}

/**
 * The trades of an instrument, or its liquidations. Trades are never merged: a loop gets each of them, or a `gap` event in the place of
 * those that are missing. A loop that falls `queueMax` events behind loses the newest ones and is told so by a `gap`
 * with reason `overflow` after what it had queued.
 */
export class TradesSubscription extends Subscription<TradeEvent, TradesEvents> {
  protected readonly inboxPolicy: InboxPolicy<TradeEvent>;
  private readonly tape: TradeTape;
  private readonly resync: Resync;
  private priceDecimalsMin = 0;
  private qtyDecimalsMin = 0;

  /** @internal */
  constructor(host: Host, topic: Topic, options: TradesOptions, backoff: Backoff) {
    super(host, topic, options);
    this.resync = new Resync(backoff, () => host.resync(this as never));
    this.tape = new TradeTape(topic.channel === 'liquidations' ? Kind.liquidation : Kind.trade);
    this.inboxPolicy = {
      tag: 'queue',
      itemsMax: options.queueMax ?? QUEUE_MAX,
      overflow: (lost) => ({ tag: 'gap', reason: 'overflow', lost }),
    };
  }

  /** `synced` while the trades are followed. */
  get state(): BookState {
    return this.tape.state;
  }

  /** Why not, if not. */
  get reason(): StateReason {
    return this.tape.reason;
  }

  /** The epoch in which `seq` counts. */
  get epoch(): bigint {
    return this.tape.epoch;
  }

  get place(): Place | undefined {
    return this.tape.place;
  }

  /** Sequence that the trades reach within the epoch. */
  get seq(): number {
    return this.tape.seq;
  }

  /** @internal */
  override grant(granted: Granted): void {
    this.tape.priceExponent = granted.priceExponent;
    this.tape.qtyExponent = granted.qtyExponent;
    this.priceDecimalsMin = decimalsOf(granted.tickSize, granted.priceExponent);
    this.qtyDecimalsMin = decimalsOf(granted.lotSize, granted.qtyExponent);
    super.grant(granted);
  }

  /** The exact decimal of a trade's price, or of a price mantissa at the scale that is followed. */
  priceText(price: number | bigint | Trade): string {
    const { priceExponent } = typeof price === 'object' ? price : this.tape;
    return decimalText(priceOf(price), priceExponent, this.priceDecimalsMin);
  }

  /** The exact decimal of a trade's quantity, or of a quantity mantissa at the scale that is followed. */
  qtyText(qty: number | bigint | Trade): string {
    const { qtyExponent } = typeof qty === 'object' ? qty : this.tape;
    return decimalText(qtyOf(qty), qtyExponent, this.qtyDecimalsMin);
  }

  protected take(frame: FrameReader): void {
    if (frame.kind === Kind.status) return;
    const { take, gap } = this.tape.apply(frame);
    if (this.tape.lacksImage) this.resync.request();
    if (frame.kind === Kind.image) {
      this.resync.done();
      this.brought('image');
    }
    if (gap) {
      this.host.count('gaps');
      this.push(gap);
      this.listeners.emit('gap', gap);
    }
    if (!take) return;
    for (const trade of this.tape.tradesOf(frame)) {
      this.push(trade);
      this.listeners.emit('update', trade);
    }
  }

  protected override dispose(): void {
    this.resync.done();
  }

  protected doubt(reason: 'disconnected' | 'behind'): void {
    this.resync.done();
    this.tape.doubt(reason);
  }

  protected bring(by: Brought, to: Place): void {
    if (by !== 'image') this.tape.bringTo(to);
  }
}

/** Each trade, never merged. */
export const trades: Channel<TradesOptions, TradesSubscription> = {
  name: 'trades',
  Subscription: TradesSubscription,
};

/** Trades that closed a position by force. */
export const liquidations: Channel<TradesOptions, TradesSubscription> = {
  name: 'liquidations',
  Subscription: TradesSubscription,
};
