import type { InstrumentInfo } from '../engine.js';
import { DepthwireError } from '../errors.js';
import type { CatchUp } from './catch-up.js';
import { type Channel, channelKey, isView, type Mode, modeOf, streamOf } from './channels.js';
import type { MessageId, Resume } from './control.js';
import type { Standing } from './feed-engine.js';
import { Holdings } from './holdings.js';
import type { Hub } from './hub.js';
import { openOrders } from './order-streams.js';
import { Owed } from './owed.js';
import { keyOf, namesOf, type Subscription } from './subscription.js';
import type { Connection } from './transport.js';
import { grantedView, openView } from './views.js';

/** Streams that one message of a slow reader names at most. */
const TOLD_MAX = 100;

/** What a client wants of one instrument. */
export interface Wish {
  readonly id: MessageId;
  readonly channel: Channel;
  readonly instrument: InstrumentInfo;
  readonly mode: Mode | undefined;
  readonly resume: Resume | undefined;
  /** A pattern fits the instrument, which is not named itself. */
  readonly isByPattern: boolean;
  /** The instrument came later than the pattern that it fits. */
  readonly isAdded: boolean;
}

/**
 * The streams of one client: what it holds, what it is owed of it, and which of it has left the client behind. Everything
 * that is sent of a stream outside its topic is sent here, and always just after the topic was joined.
 */
export class ClientStreams {
  readonly #connection: Connection;
  readonly #hub: Hub;
  readonly #holdings: Holdings;
  readonly #owed = new Owed<Subscription>();
  /** Whether there is room for more than answers. */
  readonly #hasRoom: () => boolean;
  /** Resumptions that are still to be acknowledged. */
  readonly #resuming = new Map<Subscription, Wish>();

  constructor(connection: Connection, hub: Hub, hasRoom: () => boolean) {
    this.#connection = connection;
    this.#hub = hub;
    this.#hasRoom = hasRoom;
    this.#holdings = new Holdings(hub, connection);
  }

  get size(): number {
    return this.#holdings.size;
  }

  /** Whether something waits that only time or room bring. */
  get isOwed(): boolean {
    return !this.#owed.isEmpty;
  }

  get(instrument: string, channel: Channel): Subscription | undefined {
    return this.#holdings.get(keyOf(instrument, channelKey(channel)));
  }

  all(): IterableIterator<Subscription> {
    return this.#holdings.all();
  }

  /** Grants a wish and acknowledges it, one that is held already anew: a pattern leaves that where it stands. Throws `feed.views_full`, `feed.bad_field`, `feed.no_orders`. */
  grant(wish: Wish): void {
    const { channel, instrument, resume } = wish;
    let subscription = this.get(instrument.name, channel);
    const waiting = subscription && this.#resuming.get(subscription);
    const goesOn =
      subscription !== undefined && waiting === undefined && wish.isByPattern && resume === undefined;
    if (subscription === undefined) {
      subscription = this.#granted(wish);
      this.#holdings.add(subscription);
    }
    subscription.mode = modeOf(channel, wish.mode);
    if (goesOn) {
      this.#acknowledge(wish, subscription, this.#standing(subscription));
      return;
    }
    if (resume === undefined) {
      // Who asks for the whole before it was brought gets the whole for both.
      if (waiting !== undefined) this.#tellImage(subscription);
      subscription.place = undefined;
      this.#acknowledge(wish, subscription, this.#standing(subscription));
    } else {
      // What it missed is known only when it is sent, and the acknowledgement says what that is.
      this.#holdings.leave(subscription);
      subscription.place = resume;
      subscription.by = resume.by;
      this.#resuming.set(subscription, wish);
    }
    this.#owed.add(subscription);
  }

  /** Owes it an image, whatever it has. */
  resync(subscription: Subscription): void {
    subscription.place = undefined;
    this.#owed.add(subscription);
  }

  drop(subscription: Subscription): void {
    this.#owed.delete(subscription);
    this.#resuming.delete(subscription);
    this.#holdings.remove(subscription);
  }

  clear(): void {
    this.#owed.clear();
    this.#resuming.clear();
    this.#holdings.clear();
  }

  /** Sends what is owed, as far as there is room. */
  sendOwed(nowMs: number): void {
    if (this.#owed.isEmpty) return;
    this.#owed.flush(nowMs, this.#hasRoom, (subscription) => {
      try {
        this.#deliver(subscription);
      } catch (error) {
        if (!(error instanceof DepthwireError)) throw error;
        this.#send({ op: 'error', id: this.#resuming.get(subscription)?.id, ...error.toJSON() });
      }
    });
  }

  /** Takes the client out of every stream that may be thinned, and tells it where each stood. Returns how many those are. */
  fallBehind(): number {
    const leaving = [...this.#holdings.all()].filter(({ mode, isLive }) => mode !== 'strict' && isLive);
    const places = this.#hub.engine.places(
      leaving.map(({ instrument: { id: instrument }, stream }) => ({ instrument, stream })),
    );
    const left: object[] = [];
    for (const [at, subscription] of leaving.entries()) {
      const place = places[at];
      if (place === undefined) continue;
      this.#holdings.leave(subscription);
      // One that still waits for an image, that of this epoch or one that it has asked for, has no place.
      const hasContent = subscription.imagelessEpoch !== place.epoch && !this.#owed.has(subscription);
      subscription.place = hasContent ? place : undefined;
      subscription.by = 'net';
      subscription.isBehind = true;
      this.#owed.add(subscription);
      const { epoch, seq } = hasContent ? place : { epoch: 0n, seq: 0n };
      left.push({ ...namesOf(subscription), epoch: String(epoch), seq: String(seq) });
    }
    for (let at = 0; at < left.length; at += TOLD_MAX)
      this.#send({ op: 'slow', state: 'behind', streams: left.slice(at, at + TOLD_MAX) });
    this.#hub.metrics.slow('behind', left.length);
    return left.length;
  }

  #granted({ channel: asked, instrument, mode }: Wish): Subscription {
    const key = keyOf(instrument.name, channelKey(asked));
    let channel = asked;
    let stream: number;
    if (isView(asked)) {
      const scaled = this.#hub.engine.instrument(instrument.id);
      const granted = grantedView(asked, scaled);
      stream = openView(this.#hub, scaled, granted.view, this.#holdings.views(instrument.id, asked.channel));
      channel = granted.channel;
    } else if (asked.channel === 'orders') {
      stream = openOrders(this.#hub, instrument);
    } else {
      stream = streamOf(asked);
    }
    return {
      key,
      asked,
      channel,
      instrument,
      stream,
      mode: modeOf(channel, mode),
      isLive: false,
      isBehind: false,
      place: undefined,
      by: 'net',
      imagelessEpoch: undefined,
    };
  }

  #deliver(subscription: Subscription): void {
    const { engine } = this.#hub;
    const { instrument, stream, place, by } = subscription;
    const catchUp =
      place === undefined
        ? engine.image(instrument.id, stream)
        : engine.bring(instrument.id, stream, place, by);
    this.#holdings.join(subscription);
    subscription.imagelessEpoch = catchUp.isImageless ? catchUp.standing.place.epoch : undefined;
    this.#tell(subscription, catchUp.by, String(place?.seq ?? 0n), catchUp.standing);
    subscription.place = undefined;
    if (catchUp.frames !== undefined) this.#connection.sendFrames(catchUp.frames);
  }

  /** Says what brings it back, before that is sent. */
  #tell(subscription: Subscription, by: CatchUp['by'], from: string, standing: Standing): void {
    const to = String(standing.place.seq);
    const resumed = this.#resuming.get(subscription);
    if (resumed !== undefined) {
      this.#resuming.delete(subscription);
      this.#acknowledge(resumed, subscription, standing, { resume: { by, from, to } });
      this.#hub.metrics.resumed(by);
    }
    if (!subscription.isBehind) return;
    subscription.isBehind = false;
    this.#hub.metrics.slow('rejoined', 1);
    if (resumed === undefined)
      this.#send({ op: 'slow', state: 'rejoined', ...namesOf(subscription), from, to, by });
  }

  /** Says that an image brings it back, whatever it has. */
  #tellImage(subscription: Subscription): void {
    this.#tell(subscription, 'image', String(subscription.place?.seq ?? 0n), this.#standing(subscription));
  }

  #standing({ instrument, stream }: Subscription): Standing {
    return this.#hub.engine.standing(instrument.id, stream);
  }

  #acknowledge(
    { id, isAdded }: Wish,
    { channel, instrument, stream, mode }: Subscription,
    { state, reason, place: { epoch, seq }, instrument: scaled }: Standing,
    more: object = {},
  ): void {
    const { priceExponent, qtyExponent, tickSize, lotSize, qtyUnit } = scaled;
    this.#send({
      op: 'subscribed',
      id,
      ...channel,
      instrument: instrument.name,
      instrumentId: instrument.id,
      stream,
      mode,
      state,
      reason,
      epoch: String(epoch),
      seq: String(seq),
      priceExponent,
      qtyExponent,
      tickSize,
      lotSize,
      qtyUnit,
      ...(isAdded ? { added: true } : {}),
      ...more,
    });
  }

  #send(message: object): void {
    this.#connection.sendText(JSON.stringify(message));
  }
}
