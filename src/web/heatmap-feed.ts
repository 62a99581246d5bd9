import {
  type BookSubscription,
  decimalText,
  type Feed,
  Flag,
  type LocalBook,
  parseDecimal,
  type Trade,
} from '../wire/index.js';
import { groupingSteps } from './grouping.js';
import { type BucketBook, COLUMN_LEVELS, HeatmapColumns } from './heatmap-columns.js';
import type { Replay } from './replay.js';
import type { WatchedMarket } from './watched-market.js';
import { refusalWords } from './wording.js';

/** Columns that are kept: at half a second each the last 17 minutes, 7 MB. */
const COLUMNS = 2048;
/** While nothing comes, time goes on by a clock, so much later, so that what is under way is not late. */
const QUIET_LAG_MS = 1000;
/** A replay that begins an epoch so far from where it was, in ms of its readers' time, has gone elsewhere. */
const ELSEWHERE_MS = 5000;
/** More columns than these without a frame of a replay are a gap: they say nothing, and would push all others out. */
const SILENT_COLUMNS_MAX = 240;
/** Share of the price that a bucket of the first choice is as wide as. */
const BUCKET_SHARE = 1e-4;

/** Widths of a column, ms, that a reader can choose. */
export const COLUMN_WIDTHS_MS = [250, 500, 1000, 2500, 5000] as const;

/** A bucket width for a price: the step at a ten-thousandth of it, `coarser` steps further. A price mantissa, a multiple of the tick. */
export function bucketWidth(price: number, tick: number, coarser: number): number {
  const wanted = Math.abs(price) * BUCKET_SHARE;
  const steps = groupingSteps(tick);
  const fit = steps.findIndex((step) => step * tick >= wanted);
  const first = fit < 0 ? steps.length - 1 : fit;
  const at = Math.min(steps.length - 1, Math.max(0, first + coarser));
  return (steps[at] ?? 1) * tick;
}

/**
 * Fills the columns of one market from its `depth` channel, whose buckets the engine makes, and from its trades.
 *
 * Time is the market's: live the server's clock when it sent, in a replay that of the recording when it was received. So a
 * column holds as much of the recording at every speed, a pause adds none, and another time begins behind a gap.
 */
export class HeatmapFeed {
  /** Replaced when the scale or the width of a bucket changes; null before the first frame. */
  columns: HeatmapColumns | null = null;
  readonly #columnMs: number;
  readonly #depth: BookSubscription;
  readonly #replay: Replay;
  readonly #endTrades: () => void;
  #scale = '';
  #priceExponent = 0;
  #qtyExponent = 0;
  #serverMs = Number.NaN;
  #heardMs = Number.NaN;
  #isReplay = false;
  #epoch = 0n;
  /** Whether the replay was seen on its way to another time. */
  #isSeeking = false;

  /** `width` is a price mantissa at the market's present scale; `replay` has the clock of a recording. */
  constructor(feed: Feed, market: WatchedMarket, replay: Replay, columnMs: number, width: number) {
    this.#replay = replay;
    this.#columnMs = columnMs;
    this.#depth = feed.depth(market.instrument.facts.name, {
      depth: COLUMN_LEVELS,
      intervalMs: columnMs / 2,
      grouping: decimalText(width, market.book.priceExponent),
    });
    this.#depth.on('update', () => this.#takeFrame());
    this.#depth.on('state', ({ state }) => {
      if (state !== 'synced') this.columns?.doubt();
      else if (!Number.isNaN(this.#serverMs)) this.#take(this.#serverMs);
    });
    this.#endTrades = market.onTrade((trade) => {
      if (trade !== null) this.#takeTrade(trade);
    });
  }

  /** Why no columns come. */
  get error(): string {
    const { error } = this.#depth;
    return error === undefined ? '' : refusalWords(error);
  }

  /** The exact decimal of a quantity of a cell. */
  get book(): LocalBook {
    return this.#depth.book;
  }

  /** Time goes on though nothing comes. `nowMs` is `performance.now`. */
  advance(nowMs: number): void {
    const { columns } = this;
    if (columns === null) return;
    const atMs = this.#isReplay
      ? this.#recordedMs(nowMs)
      : this.#serverMs + (nowMs - this.#heardMs) - QUIET_LAG_MS;
    // The clock of a replay that has leapt is elsewhere, and the next frame says where.
    if (this.#isReplay && !(columns.columnsTo(atMs) <= SILENT_COLUMNS_MAX)) return;
    columns.advance(atMs);
  }

  close(): void {
    this.#endTrades();
    this.#depth.close();
  }

  /** The recording's time, as late as what it sends may be; NaN while that is not known. */
  #recordedMs(nowMs: number): number {
    const { standing } = this.#replay;
    this.#isSeeking ||= standing?.state === 'seeking';
    if (standing === null || this.#isSeeking) return Number.NaN;
    // The clock is asked for twice a second only: until then it may be that of before, wherever the frames are.
    const passedMs = (nowMs - this.#heardMs) * standing.speed;
    return Math.min(this.#replay.clockMs(nowMs), this.#serverMs + passedMs) - QUIET_LAG_MS * standing.speed;
  }

  #takeFrame(): void {
    const { flags, tsRecv, tsSend, epoch } = this.#depth.book;
    this.#isReplay = (flags & Flag.replay) !== 0;
    const atMs = Number((this.#isReplay ? tsRecv : tsSend) / 1_000_000n);
    const isNewEpoch = epoch !== this.#epoch;
    if (this.#isReplay && this.#isElsewhere(atMs, isNewEpoch)) this.columns?.cut();
    // One that did not go to another time after all goes on in its epoch.
    if (isNewEpoch || this.#replay.standing?.state !== 'seeking') this.#isSeeking = false;
    this.#epoch = epoch;
    this.#take(atMs);
  }

  #isElsewhere(atMs: number, isNewEpoch: boolean): boolean {
    const by = this.columns?.columnsTo(atMs) ?? 0;
    if (by > SILENT_COLUMNS_MAX) return true;
    const farMs = ELSEWHERE_MS * Math.max(1, this.#replay.standing?.speed ?? 1);
    return isNewEpoch && (this.#isSeeking || by < -2 || by * this.#columnMs > farMs);
  }

  #take(serverMs: number): void {
    this.#serverMs = serverMs;
    this.#heardMs = performance.now();
    const { book, granted } = this.#depth;
    const { priceExponent, qtyExponent } = book;
    const scale = `${priceExponent} ${qtyExponent} ${granted?.grouping}`;
    if (this.columns === null || scale !== this.#scale) {
      this.#scale = scale;
      this.#priceExponent = priceExponent;
      this.#qtyExponent = qtyExponent;
      const width = parseDecimal(granted?.grouping ?? '0', priceExponent);
      if (!(width > 0)) return;
      this.columns = new HeatmapColumns(COLUMNS, this.#columnMs, width);
    }
    this.columns.take(serverMs, bucketsOf(book), book.state === 'synced');
  }

  #takeTrade(trade: Trade): void {
    const price = trade.price * 10 ** (trade.priceExponent - this.#priceExponent);
    const qty = trade.qty * 10 ** (trade.qtyExponent - this.#qtyExponent);
    if (price > -Infinity && qty > 0) this.columns?.trade(price, qty, trade.aggressor);
  }
}

function bucketsOf(book: LocalBook): BucketBook {
  return {
    bidCount: book.count('bid'),
    askCount: book.count('ask'),
    depthMax: book.depthMax,
    bidPrice: (at) => book.priceNearestAt('bid', at),
    bidQty: (at) => book.qtyNearestAt('bid', at),
    askPrice: (at) => book.priceNearestAt('ask', at),
    askQty: (at) => book.qtyNearestAt('ask', at),
  };
}
