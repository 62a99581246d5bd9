import { withThousands } from './decimal-text.js';
import { bucketPriceText } from './grouping.js';
import type { Column, HeatmapColumns } from './heatmap-columns.js';
import { bucketWidth, HeatmapFeed } from './heatmap-feed.js';
import { type HeatmapColours, HeatmapPainter } from './heatmap-painter.js';
import { BUCKET_PX, type HeatmapCursor, HeatmapView } from './heatmap-view.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';
import { addElement, setData, TextCell } from './text-cell.js';
import { themeColour } from './theme.js';
import type { WatchedMarket } from './watched-market.js';
import { clockWords } from './wording.js';

/** Shares of all cells: below the first all is ground, above the second one colour, so that an outlier dims nothing. */
const DARK_SHARE = 0.4;
const FULL_SHARE = 0.997;
const PRICE_LABELS = 5;
const TIME_LABELS = 4;

/** The heatmap of the selected market: its feed, its view, its painter and the words around it. */
export class HeatmapDrawing {
  readonly #session: Session;
  readonly #settings: Settings;
  readonly #canvas: HTMLCanvasElement;
  readonly #painter: HeatmapPainter;
  readonly #view = new HeatmapView();
  readonly #observer: ResizeObserver;
  readonly #readout: TextCell;
  readonly #bucket: TextCell;
  readonly #note: TextCell;
  readonly #cross: HTMLElement;
  readonly #live: HTMLElement;
  readonly #prices: readonly TextCell[];
  readonly #times: readonly TextCell[];
  readonly #field: HTMLElement;
  #feed: HeatmapFeed | null = null;
  #market: WatchedMarket | null = null;
  #columns: HeatmapColumns | null = null;
  #chosen = '';
  #drawn = '';
  #dragX = Number.NaN;

  constructor(part: (selector: string) => HTMLElement, session: Session, settings: Settings) {
    this.#session = session;
    this.#settings = settings;
    this.#canvas = part('.heat-canvas') as HTMLCanvasElement;
    this.#painter = new HeatmapPainter(this.#canvas, themeColours());
    this.#readout = new TextCell(part('.heat-readout'));
    this.#bucket = new TextCell(part('.heat-bucket'));
    this.#note = new TextCell(part('.heat-note'));
    this.#cross = part('.heat-cross');
    this.#live = part('.heat-live');
    this.#field = part('.heat-field');
    const labels = (parent: HTMLElement, count: number) =>
      Array.from({ length: count }, () => new TextCell(addElement(parent, 'span', 'heat-label')));
    this.#prices = labels(part('.heat-prices'), PRICE_LABELS);
    this.#times = labels(part('.heat-times'), TIME_LABELS);
    this.#observer = new ResizeObserver((entries) => {
      const box = entries[0]?.contentRect;
      if (box !== undefined) this.#resize(Math.floor(box.width), Math.floor(box.height));
    });
    this.#observer.observe(this.#canvas);
    const field = this.#field;
    field.addEventListener('pointermove', this.#onMove);
    field.addEventListener('pointerleave', this.#onLeave);
    field.addEventListener('pointerdown', this.#onDown);
    field.addEventListener('pointerup', this.#onUp);
    field.addEventListener('pointercancel', this.#onUp);
    field.addEventListener('wheel', this.#onWheel, { passive: false });
    field.addEventListener('copy', this.#onCopy);
  }

  close(): void {
    this.#observer.disconnect();
    this.#feed?.close();
    this.#painter.close();
    for (const cell of [...this.#prices, ...this.#times]) cell.element.remove();
  }

  recolour(): void {
    this.#painter.recolour(themeColours());
    this.#drawn = '';
  }

  /** Draws where a column was completed, or the view has changed. */
  paint(nowMs: number): void {
    this.#follow();
    const columns = this.#feed?.columns ?? null;
    this.#note.set(this.#noteText(columns));
    if (columns !== this.#columns) {
      this.#columns = columns;
      this.#view.reset();
    }
    if (columns === null) return;
    this.#feed?.advance(nowMs);
    const view = this.#view;
    view.settle(columns);
    const { end, low, cursor, widthPx, heightPx } = view;
    const key = `${columns.open} ${end} ${low} ${cursor?.column} ${cursor?.bucket} ${widthPx} ${heightPx} ${view.isLive}`;
    if (key === this.#drawn || Number.isNaN(end) || widthPx === 0) return;
    this.#drawn = key;
    const isLive = String(view.isLive);
    if (this.#live.ariaPressed !== isLive) this.#live.ariaPressed = isLive;
    if (!Number.isNaN(low)) {
      const [dark, full] = [columns.qtyAtShare(DARK_SHARE), columns.qtyAtShare(FULL_SHARE)];
      this.#painter.paint({ columns, end, low, rowPx: BUCKET_PX, dark, full });
    }
    this.#label(columns);
    this.#point(columns);
  }

  move(columnsBy: number, bucketsBy: number): void {
    if (this.#columns !== null && !Number.isNaN(this.#view.low))
      this.#view.move(columnsBy, bucketsBy, this.#columns);
  }

  /** Scrolls in time by a share of the width, backwards for a negative one. */
  scrollScreens(share: number): void {
    if (this.#columns !== null) this.#view.scroll(Math.round(this.#view.widthPx * share), this.#columns);
  }

  toggleLive(): void {
    if (this.#view.isLive) this.#view.pause();
    else this.#view.goLive();
  }

  goLive(): void {
    this.#view.goLive();
  }

  /** Another market, another width of columns or buckets: other columns. */
  #follow(): void {
    const { market, book, feed, replay } = this.#session;
    const { heatms, heatstep } = this.#settings.values;
    if (market !== this.#market) {
      this.#market = market;
      this.#chosen = '';
      this.#feed?.close();
      this.#feed = null;
    }
    const position = market?.instrument.position;
    // The ladder knows the tick once it has grouped the first book.
    if (market === null || position === undefined || position.step === 0) return;
    const chosen = `${heatms} ${heatstep} ${book.priceExponent}`;
    if (chosen === this.#chosen) return;
    this.#chosen = chosen;
    const price = Number.isNaN(book.bestBid) ? book.bestAsk : book.bestBid;
    const width = bucketWidth(price, position.size / position.step, heatstep);
    this.#feed?.close();
    this.#feed = new HeatmapFeed(feed, market, replay, heatms, width);
  }

  #noteText(columns: HeatmapColumns | null): string {
    if (!this.#painter.canPaint) return 'The heatmap needs WebGL2, which this browser does not give.';
    const error = this.#feed?.error ?? '';
    if (error !== '') return `Refused: ${error}`;
    return columns === null || !(columns.open > columns.first) ? 'Waiting for the first column.' : '';
  }

  #label(columns: HeatmapColumns): void {
    const { end, low, rows, widthPx } = this.#view;
    this.#bucket.set(bucketPriceText(1, columns.bucketSize, this.#feed?.book.priceExponent ?? 0));
    if (!Number.isNaN(low)) {
      for (const [at, cell] of this.#prices.entries()) {
        const bucket = Math.round(low + (rows * (PRICE_LABELS - at - 0.5)) / PRICE_LABELS);
        cell.set(this.#priceText(bucket, columns));
      }
    }
    for (const [at, cell] of this.#times.entries()) {
      const column = end - Math.floor((widthPx * (TIME_LABELS - 1 - at)) / (TIME_LABELS - 1));
      cell.set(timeWords(columns.column(column)));
    }
  }

  #priceText(bucket: number, columns: HeatmapColumns): string {
    return withThousands(bucketPriceText(bucket, columns.bucketSize, this.#feed?.book.priceExponent ?? 0));
  }

  /** Says and marks what the cursor is on. */
  #point(columns: HeatmapColumns): void {
    const { cursor, end, low, widthPx, heightPx } = this.#view;
    setData(this.#cross, 'shown', cursor === null ? null : '');
    this.#readout.set(cursor === null ? '' : this.#cellText(cursor, columns));
    if (cursor === null) return;
    const x = widthPx - (end - cursor.column) - 1;
    const y = heightPx - (cursor.bucket - low + 1) * BUCKET_PX;
    this.#cross.style.transform = `translate(${x}px, ${y}px)`;
  }

  #cellText(cursor: HeatmapCursor, columns: HeatmapColumns): string {
    const facts = columns.column(cursor.column);
    if (facts?.mark === 'gap') return 'the replay went to another time';
    return `${timeWords(facts)}  ${this.#priceText(cursor.bucket, columns)}  ${this.#qtyWords(cursor, columns)}`;
  }

  #qtyWords({ column, bucket }: HeatmapCursor, columns: HeatmapColumns): string {
    const facts = columns.column(column);
    if (facts === undefined || facts.mark === 'none') return 'not recorded';
    if (facts.mark === 'broken') return 'the book was not exact';
    if (bucket < facts.bidTo || bucket > facts.askTo) return 'beyond the view';
    const parts: string[] = [];
    columns.cellsOf(column, (side, at, qty) => {
      if (at === bucket) parts.push(`${side} ${this.#qtyText(qty)}`);
    });
    return parts.length === 0 ? 'nothing' : parts.join(', ');
  }

  #qtyText(qty: number): string {
    const text = this.#feed?.book.qtyText(qty) ?? '';
    return Number.isSafeInteger(qty) ? withThousands(text) : `≈ ${text}`;
  }

  #resize(widthPx: number, heightPx: number): void {
    if (widthPx === 0 || heightPx === 0) return;
    const view = this.#view;
    // The middle stays where it is.
    view.low -= (heightPx - view.heightPx) / BUCKET_PX / 2;
    view.widthPx = widthPx;
    view.heightPx = heightPx;
    this.#painter.resize(widthPx, heightPx);
    this.#drawn = '';
  }

  readonly #onMove = (event: PointerEvent): void => {
    const columns = this.#columns;
    if (columns === null) return;
    if (!Number.isNaN(this.#dragX)) {
      const by = Math.trunc(this.#dragX - event.clientX);
      if (by === 0) return;
      this.#dragX -= by;
      this.#view.scroll(by, columns);
      return;
    }
    const box = this.#canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const isInside = x >= 0 && y >= 0 && x < box.width && y < box.height;
    this.#view.cursor = isInside && !Number.isNaN(this.#view.low) ? this.#view.at(x, y) : null;
  };

  readonly #onLeave = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse') this.#view.cursor = null;
  };

  readonly #onDown = (event: PointerEvent): void => {
    this.#onMove(event);
    this.#dragX = event.clientX;
    this.#field.setPointerCapture(event.pointerId);
  };

  readonly #onUp = (): void => {
    this.#dragX = Number.NaN;
  };

  readonly #onWheel = (event: WheelEvent): void => {
    if (event.ctrlKey || this.#columns === null) return;
    event.preventDefault();
    const by = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
    this.#view.scroll(Math.round(by / 2) || Math.sign(by), this.#columns);
  };

  /** Copies the column under the cursor, else the newest one in view: exact decimals, whatever the page shows. */
  readonly #onCopy = (event: ClipboardEvent): void => {
    const columns = this.#columns;
    if (columns === null || event.clipboardData === null) return;
    const column = this.#view.cursor?.column ?? this.#view.end;
    const facts = columns.column(column);
    if (facts === undefined) return;
    const { book } = this.#feed ?? {};
    const time = Number.isNaN(facts.endMs) ? '' : new Date(facts.endMs).toISOString();
    const lines = [`${time}\t${facts.mark}`];
    columns.cellsOf(column, (side, bucket, qty) => {
      const price = bucketPriceText(bucket, columns.bucketSize, book?.priceExponent ?? 0);
      lines.push(`${side}\t${price}\t${Number.isSafeInteger(qty) ? book?.qtyText(qty) : `≈${qty}`}`);
    });
    event.clipboardData.setData('text/plain', `${lines.join('\n')}\n`);
    event.preventDefault();
  };
}

/** The time of day at which a column ended; empty for one that is not there, or has no time. */
function timeWords(column: Column | undefined): string {
  return column === undefined || Number.isNaN(column.endMs) ? '' : clockWords(column.endMs);
}

/** The theme's colours as WebGL takes them. */
function themeColours(): HeatmapColours {
  const rgb = (name: string): readonly [number, number, number] => {
    const value = Number.parseInt(themeColour(name).slice(1), 16);
    return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
  };
  return {
    ground: rgb('panel'),
    untold: rgb('raised'),
    broken: rgb('warn-ground'),
    bid: rgb('bid'),
    ask: rgb('ask'),
    bright: rgb('text'),
  };
}
