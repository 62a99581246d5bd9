import type { Clock, Timer } from './clock.js';
import { SlidingWindow } from './sliding-window.js';
import type { SocketLimits } from './venues/facts.js';

/** A connection that waits to be made. */
interface Waiting {
  readonly connect: () => void;
  isGivenUp: boolean;
}

/** What was allowed; must be given back when the connection has ended. */
export interface Pass {
  release(): void;
}

/** Lets connections to one host be made, in order, no more and no faster than the host allows. */
export class ConnectGate {
  readonly #clock: Clock;
  readonly #window: SlidingWindow | undefined;
  readonly #openMax: number;
  readonly #waiting: Waiting[] = [];
  #open = 0;
  #timer: Timer | undefined;

  constructor({ connects, connectionsMax }: SocketLimits, clock: Clock) {
    this.#clock = clock;
    this.#window = connects === null ? undefined : new SlidingWindow(connects);
    this.#openMax = connectionsMax ?? Number.POSITIVE_INFINITY;
  }

  /** Calls `connect` with a pass when a connection may be made, in this turn or later. `cancel` gives the wait up. */
  enter(connect: (pass: Pass) => void): Timer {
    let isReleased = false;
    const pass: Pass = {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#open -= 1;
        this.#next();
      },
    };
    const waiting: Waiting = { connect: () => connect(pass), isGivenUp: false };
    this.#waiting.push(waiting);
    this.#next();
    return {
      cancel: () => {
        waiting.isGivenUp = true;
      },
    };
  }

  #next(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#open < this.#openMax) {
      const first = this.#waiting[0];
      if (first === undefined) return;
      if (!first.isGivenUp) {
        const nowMs = this.#clock.nowMs();
        const waitMs = this.#window?.waitMs(nowMs, 1) ?? 0;
        if (waitMs > 0) {
          this.#timer = this.#clock.after(waitMs, () => this.#next());
          return;
        }
        this.#window?.use(nowMs, 1);
        this.#open += 1;
      }
      this.#waiting.shift();
      if (!first.isGivenUp) first.connect();
    }
  }
}
