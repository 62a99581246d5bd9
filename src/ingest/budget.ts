import type { IncomingHttpHeaders } from 'node:http';
import type { Clock, Timer } from './clock.js';
import type { HttpAnswer } from './http-client.js';
import { retryAfterMs } from './retry-after.js';
import { SlidingWindow } from './sliding-window.js';
import type { BudgetFacts } from './venues/facts.js';

const TOO_MANY = 429;
/** A window that begins with an answer is behind whatever the way to the venue took: only clocks may differ. */
const SLACK = 0.01;
/** Requests of one budget under way at a time. */
const IN_FLIGHT_MAX = 16;
/** A venue that says no again and again is asked at most this much more rarely each time. */
const PAUSE_DOUBLINGS_MAX = 6;
/** However long a venue says, it is asked again after this time. */
const PAUSE_MS_MAX = 3 * 86_400_000;

/** A request that waits for its turn. */
interface Waiting {
  readonly weight: number;
  /** Does it, or undefined where it is not needed any more. */
  readonly request: () => Promise<HttpAnswer> | undefined;
  /** Undefined: it was not needed, or the budget was closed. */
  readonly resolve: (answer: HttpAnswer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A venue's budget of requests, shared by all books: in the order of asking, never above the limit whenever between its sending
 * and its answer the venue counts a request, and after a refusal not one until the time that the venue says, then a single one
 * until that succeeds. A refused request is asked again by itself.
 */
export class Budget {
  readonly #facts: BudgetFacts;
  readonly #clock: Clock;
  readonly #window: SlidingWindow;
  readonly #waiting: Waiting[] = [];
  #inFlight = 0;
  /** Weight of those: until they are answered nobody knows in which window the venue counts them. */
  #heldWeight = 0;
  #refusals = 0;
  #pausedUntilMs = 0;
  #timer: Timer | undefined;
  #isClosed = false;
  /** Requests made, and those that the venue refused for their number. */
  readonly counts = { requests: 0, refused: 0 };

  constructor(facts: BudgetFacts, clock: Clock) {
    this.#facts = facts;
    this.#clock = clock;
    this.#window = new SlidingWindow({ max: facts.weightMax, windowMs: facts.windowMs }, SLACK);
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Ms until the venue may be asked again after a refusal; 0 = it may. */
  get pausedMs(): number {
    return Math.max(0, this.#pausedUntilMs - this.#clock.nowMs());
  }

  /** Makes a request when it is its turn; see `Waiting`. Rejects where the request did. */
  ask(weight: number, request: Waiting['request']): Promise<HttpAnswer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return resolve(undefined);
      this.#waiting.push({ weight, request, resolve, reject });
      this.#next();
    });
  }

  /** A request of so much weight was made by others than this budget. */
  note(weight: number): void {
    this.#window.use(this.#clock.nowMs(), weight);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined);
  }

  #next(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const most = this.#refusals > 0 ? 1 : IN_FLIGHT_MAX;
    while (this.#inFlight < most) {
      const first = this.#waiting[0];
      if (first === undefined) return;
      const nowMs = this.#clock.nowMs();
      const weight = this.#heldWeight + first.weight;
      // An answer comes, or is given up, before there can be room.
      if (this.#inFlight > 0 && weight > this.#facts.weightMax) return;
      const waitMs = Math.max(this.#pausedUntilMs - nowMs, this.#window.waitMs(nowMs, weight));
      if (waitMs > 0) {
        this.#timer = this.#clock.after(waitMs, () => this.#next());
        return;
      }
      this.#waiting.shift();
      const asked = first.request();
      if (asked === undefined) {
        first.resolve(undefined);
        continue;
      }
      this.#inFlight += 1;
      this.#heldWeight += first.weight;
      this.counts.requests += 1;
      asked.then(
        (answer) => this.#answered(first, answer),
        (error: unknown) => {
          this.#used(first);
          first.reject(error);
          this.#next();
        },
      );
    }
  }

  /** A request has ended: it counts from here on for as long as a window lasts. */
  #used({ weight }: Waiting): void {
    this.#inFlight -= 1;
    this.#heldWeight -= weight;
    this.#window.use(this.#clock.nowMs(), weight);
  }

  #answered(waiting: Waiting, answer: HttpAnswer): void {
    this.#used(waiting);
    const { status, headers } = answer;
    const isBan = this.#facts.ban.statuses.includes(status);
    this.#learn(headers);
    if (isBan || status === TOO_MANY) {
      this.counts.refused += 1;
      const ownMs = isBan ? this.#facts.ban.pauseMs : this.#facts.windowMs;
      const grownMs = ownMs * 2 ** Math.min(this.#refusals, PAUSE_DOUBLINGS_MAX);
      const pauseMs = Math.min(PAUSE_MS_MAX, retryAfterMs(headers, this.#clock.wallMs()) ?? grownMs);
      this.#refusals += 1;
      this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.nowMs() + pauseMs);
      if (this.#isClosed) waiting.resolve(undefined);
      else this.#waiting.unshift(waiting);
    } else {
      this.#refusals = 0;
      waiting.resolve(answer);
    }
    this.#next();
  }

  #learn(headers: IncomingHttpHeaders): void {
    const { usedHeader, leftHeader, weightMax } = this.#facts;
    const used = numberIn(headers, usedHeader);
    const left = numberIn(headers, leftHeader);
    const nowMs = this.#clock.nowMs();
    if (used !== undefined) this.#window.learn(nowMs, used - this.#heldWeight);
    if (left !== undefined) this.#window.learn(nowMs, weightMax - left - this.#heldWeight);
  }
}

function numberIn(headers: IncomingHttpHeaders, name: string | null): number | undefined {
  const text = name === null ? undefined : headers[name.toLowerCase()];
  const number = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN;
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}
