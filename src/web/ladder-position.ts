import { decimalText } from '../wire/index.js';
import { bucketOf, groupingSteps, stepFrom, stepThatFits } from './grouping.js';
import { centredTop, followTop } from './ladder-window.js';
import type { Levels } from './levels.js';

/** Levels a side that the first grouping of an instrument wants in view, when the window has the rows for them. */
const LEVELS_IN_VIEW = 8;
/** Levels a side by which an unknown tick is guessed. */
const LEVELS_LOOKED_AT = 100;
/** Share of the rows that those levels may take. */
const SHARE_IN_VIEW = 0.8;

/**
 * Where a reader is in the ladder of one instrument: the grouping, the window's top bucket, whether it follows the
 * touch, and the row chosen by keyboard or tap. Buckets are whole numbers, see grouping.ts.
 */
export class LadderPosition {
  /** Grouping in ticks; 0 until the first book decides it. */
  step = 0;
  top = 0;
  follow = true;
  /** Chosen bucket; NaN = none. */
  cursor = Number.NaN;
  #tick: number;
  #exponent: number;
  #isTickKnown: boolean;
  #steps: readonly number[] | undefined;
  /** The grouping that the reader wants, as a price; undefined = whatever fits. */
  #wanted: string | undefined;

  /** `tick` is a price mantissa at `exponent`; an unknown one (0) is taken from the levels of the first book. */
  constructor(tick: number, exponent = 0) {
    this.#isTickKnown = tick > 0;
    this.#tick = this.#isTickKnown ? tick : 1;
    this.#exponent = exponent;
  }

  /** Width of a bucket as a price mantissa. */
  get size(): number {
    return Math.max(1, this.step) * this.#tick;
  }

  /** The grouping that the reader has chosen, as a price such as `0.5`; undefined where it was chosen by what fits. */
  get chosen(): string | undefined {
    return this.#wanted;
  }

  /** Takes a grouping as a price. One that is no step of this instrument is left to what fits. */
  choose(wanted: string | undefined): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.step = 0;
    this.follow = true;
  }

  /** The book's prices have another exponent than those before: the same prices stay in view. */
  rescale(exponent: number): void {
    const finer = 10 ** (this.#exponent - exponent);
    if (finer === 1) return;
    this.#exponent = exponent;
    this.#steps = undefined;
    const tick = this.#tick * finer;
    // An unknown tick, and one that the new exponent cannot say, are found anew.
    this.#isTickKnown &&= Number.isSafeInteger(tick) && tick > 0;
    this.#tick = this.#isTickKnown ? tick : 1;
    if (this.#isTickKnown) return;
    this.step = 0;
    this.cursor = Number.NaN;
    this.follow = true;
  }

  get #stepsOfTick(): readonly number[] {
    this.#steps ??= groupingSteps(this.#tick);
    return this.#steps;
  }

  /**
   * Chooses the first grouping, so that the best levels of both sides are in view. Does nothing before both sides
   * have levels, and once there is a grouping.
   */
  chooseStep(bids: Levels, asks: Levels, rows: number): void {
    if (this.step !== 0 || rows === 0 || bids.count === 0 || asks.count === 0) return;
    if (!this.#isTickKnown) {
      this.#tick = commonStep(bids, asks);
      this.#steps = undefined;
    }
    const steps = this.#stepsOfTick;
    const wanted = steps.find((step) => this.#textOf(step) === this.#wanted);
    if (wanted !== undefined) {
      this.step = wanted;
      return;
    }
    this.#wanted = undefined;
    const low = bids.price(Math.min(bids.count, LEVELS_IN_VIEW) - 1);
    const high = asks.price(Math.min(asks.count, LEVELS_IN_VIEW) - 1);
    const rowsMax = Math.max(4, Math.floor(rows * SHARE_IN_VIEW));
    this.step = stepThatFits(steps, low, high, this.#tick, rowsMax);
  }

  #textOf(step: number): string {
    return decimalText(step * this.#tick, this.#exponent);
  }

  /** Moves the window with the touch, when it follows. Prices are mantissas, NaN for an empty side. */
  settle(rows: number, bestBid: number, bestAsk: number): void {
    if (this.follow) this.top = followTop(this.top, rows, this.bid(bestBid), this.ask(bestAsk));
  }

  bid(price: number): number {
    return bucketOf('bid', price, this.size);
  }

  ask(price: number): number {
    return bucketOf('ask', price, this.size);
  }

  /** Scrolls by rows, downwards for a positive number, and stops following. */
  scroll(by: number): void {
    this.top -= by;
    this.follow = false;
  }

  /** Follows again, centred at once. */
  followTouch(rows: number, bestBid: number, bestAsk: number): void {
    this.follow = true;
    this.cursor = Number.NaN;
    this.top = centredTop(rows, this.bid(bestBid), this.ask(bestAsk));
  }

  /** Moves the chosen row; the window scrolls only when it would leave the view. */
  move(by: number, rows: number, bestBid: number, bestAsk: number): void {
    if (Number.isNaN(this.cursor)) {
      const start = by > 0 ? this.bid(bestBid) : this.ask(bestAsk);
      this.cursor = Number.isNaN(start) ? this.top - Math.floor(rows / 2) : start;
    } else {
      this.cursor -= by;
    }
    const row = this.top - this.cursor;
    if (row < 0) this.scroll(row);
    else if (row >= rows) this.scroll(row - rows + 1);
  }

  /** Changes the grouping by places in the list of steps and keeps the middle of the window where it is. */
  regroup(by: number, rows: number): void {
    const middlePrice = (this.top - (rows - 1) / 2) * this.size;
    const cursorPrice = this.cursor * this.size;
    this.step = stepFrom(this.#stepsOfTick, Math.max(1, this.step), by);
    this.#wanted = this.#textOf(this.step);
    this.top = Math.round(middlePrice / this.size + (rows - 1) / 2);
    if (!Number.isNaN(cursorPrice)) this.cursor = Math.floor(cursorPrice / this.size);
  }
}

/** The greatest step of which every price among the best levels is a multiple: a step to group by, no claim about the venue. */
function commonStep(bids: Levels, asks: Levels): number {
  let step = 0;
  for (const levels of [bids, asks]) {
    for (let index = 0; index < Math.min(levels.count, LEVELS_LOOKED_AT); index += 1) {
      step = greatestDivisor(step, Math.abs(levels.price(index)));
    }
  }
  return Number.isSafeInteger(step) && step > 0 ? step : 1;
}

function greatestDivisor(a: number, b: number): number {
  let [greater, less] = [a, b];
  while (less > 0) [greater, less] = [less, greater % less];
  return greater;
}
