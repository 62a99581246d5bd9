import type { Clock, Timer } from './clock.js';
import { SlidingWindow } from './sliding-window.js';
import type { SocketLimits } from './venues/facts.js';

/** A message that waits to be sent. */
export interface Outgoing {
  readonly kind: 'beat' | 'request';
  /** Subscriptions that it asks for, by their cost. */
  readonly cost: number;
  /** Sends it. */
  readonly send: () => void;
}

/** What a message uses of a rate, and what must stay free beside it. */
interface Cost {
  readonly window: SlidingWindow;
  readonly cost: number;
  readonly kept: number;
}

/** Messages of each rate that are kept for beats, which cannot wait: without its answer the venue ends the connection. */
const KEPT = 1;

/**
 * Subscriptions are what a venue has work with: in bursts they would be done with late, and those of two windows fall into one. They
 * go out over this part of their window, where that is no longer than this.
 */
const SPREAD = 0.5;
const SPREAD_WINDOW_MS_MAX = 10_000;

/**
 * Sends messages of one connection in order, no faster than the venue allows; beats before requests. The queue is bounded by
 * what is subscribed: a subscription stands in it once.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #windows: readonly { readonly of: SocketLimits['rates'][number]['of']; window: SlidingWindow }[];
  readonly #beats: Outgoing[] = [];
  readonly #requests: Outgoing[] = [];
  /** Time that a subscription takes of itself by its cost, and until when the last one does. */
  readonly #spreadMs: number;
  #spreadUntilMs = 0;
  #timer: Timer | undefined;

  constructor(rates: SocketLimits['rates'], clock: Clock) {
    this.#clock = clock;
    this.#windows = rates.map((rate) => ({ of: rate.of, window: new SlidingWindow(rate) }));
    const spreads = rates
      .filter(({ of, windowMs }) => of === 'subscriptions' && windowMs <= SPREAD_WINDOW_MS_MAX)
      .map(({ max, windowMs }) => (SPREAD * windowMs) / max);
    this.#spreadMs = Math.max(0, ...spreads);
  }

  /** Sends it in this turn, or when its time has come. */
  push(outgoing: Outgoing): void {
    (outgoing.kind === 'beat' ? this.#beats : this.#requests).push(outgoing);
    this.#next();
  }

  /** Forgets what waits: the connection is gone. What was sent on it does not count for the next one. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#beats.length = 0;
    this.#requests.length = 0;
  }

  #next(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (;;) {
      const queue = this.#beats.length > 0 ? this.#beats : this.#requests;
      const first = queue[0];
      if (first === undefined) return;
      const nowMs = this.#clock.nowMs();
      const waitMs = this.#costs(first).reduce(
        (most, { window, cost, kept }) => Math.max(most, window.waitMs(nowMs, cost + kept)),
        first.cost > 0 ? this.#spreadUntilMs - nowMs : 0,
      );
      if (waitMs > 0) {
        this.#timer = this.#clock.after(waitMs, () => this.#next());
        return;
      }
      for (const { window, cost } of this.#costs(first)) window.use(nowMs, cost);
      if (first.cost > 0) this.#spreadUntilMs = nowMs + first.cost * this.#spreadMs;
      queue.shift();
      first.send();
    }
  }

  #costs({ kind, cost }: Outgoing): readonly Cost[] {
    return this.#windows.flatMap(({ of, window }) => {
      if (of === 'messages') return [{ window, cost: 1, kept: kind === 'beat' ? 0 : KEPT }];
      if (kind === 'beat') return [];
      if (of === 'requests') return [{ window, cost: 1, kept: 0 }];
      return cost > 0 ? [{ window, cost, kept: 0 }] : [];
    });
  }
}
