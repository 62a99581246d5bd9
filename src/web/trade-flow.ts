import type { Aggressor } from '../wire/index.js';

/** Columns of the flow, x ascending: seconds before now, delta of each second, and the sum of all deltas up to it. */
export interface FlowSeries {
  readonly second: number[];
  readonly delta: number[];
  readonly cumulative: number[];
}

/**
 * What takers bought less what they sold (delta), by seconds of arrival, and its running sum (CVD) since the market is
 * watched. It has no clock: seconds are what it is told. Quantities are in units, to draw.
 */
export class TradeFlow {
  readonly seconds: number;
  readonly #deltas: Float64Array;
  readonly #sums: Float64Array;
  #first = Number.NaN;
  #now = Number.NaN;
  #sum = 0;

  /** Keeps so many seconds. */
  constructor(seconds: number) {
    this.seconds = seconds;
    this.#deltas = new Float64Array(seconds);
    this.#sums = new Float64Array(seconds);
  }

  /** The sum of all deltas. */
  get cumulative(): number {
    return this.#sum;
  }

  /** Time goes on to a second; one in the past is the present. */
  advance(second: number): void {
    if (Number.isNaN(this.#now)) {
      this.#now = second;
      this.#first = second;
    }
    const from = Math.max(this.#now + 1, second - this.seconds + 1);
    for (let at = from; at <= second; at += 1) {
      this.#deltas[at % this.seconds] = 0;
      this.#sums[at % this.seconds] = this.#sum;
    }
    this.#now = Math.max(this.#now, second);
  }

  add(second: number, qty: number, aggressor: Aggressor): void {
    this.advance(second);
    const by = aggressor === 'buy' ? qty : aggressor === 'sell' ? -qty : 0;
    this.#sum += by;
    const at = this.#now % this.seconds;
    this.#deltas[at] = (this.#deltas[at] ?? 0) + by;
    this.#sums[at] = this.#sum;
  }

  /** The seconds that are held, up to the present one. */
  series(): FlowSeries {
    const series: FlowSeries = { second: [], delta: [], cumulative: [] };
    if (Number.isNaN(this.#now)) return series;
    for (let at = Math.max(this.#first, this.#now - this.seconds + 1); at <= this.#now; at += 1) {
      series.second.push(at - this.#now);
      series.delta.push(this.#deltas[at % this.seconds] ?? 0);
      series.cumulative.push(this.#sums[at % this.seconds] ?? 0);
    }
    return series;
  }
}
