import { rangeOf, ticksOf } from './chart-axis.js';
import { compact } from './decimal-text.js';
import { themeColour } from './theme.js';

/** Columns of a drawing: x ascending, then a column for each series. Null: nothing there. */
export type CurveData = readonly (readonly (number | null)[])[];

type Range = readonly [low: number, high: number];

interface Series {
  /** Name of a colour of the style sheet. */
  readonly colour: string;
  /** `before`: a value holds back to the point before it; `after`: on to the next one. */
  readonly shape: 'line' | 'before' | 'after' | 'bars';
  /** Colour of the area below, with its share of opacity as two hexadecimal digits. */
  readonly fill?: readonly [colour: string, opacity: string];
  readonly dash?: readonly number[];
  /** Series of one scale share their range. */
  readonly scale: 'main' | 'other';
}

interface Look {
  readonly series: readonly Series[];
  xRange(range: Range): Range;
  range(scale: Series['scale'], range: Range): Range;
  xText(value: number): string;
  yText(value: number): string;
  /** The scale whose numbers stand at the left. */
  readonly labels: Series['scale'];
  readonly leftPx: number;
}

const FONT_PX = 11;
const TOP_PX = 8;
const BOTTOM_PX = 20;
/** Room for one number of an axis. */
const X_LABEL_PX = 74;
const Y_LABEL_PX = 30;
const BAR_PX_MAX = 8;
const LINE_PX = 1.5;

/**
 * A drawing of lines, steps or bars on a canvas that fills its element and follows its size. It draws when it is given data,
 * once, and does nothing else.
 */
export class Curve {
  readonly #canvas: HTMLCanvasElement;
  readonly #look: Look;
  readonly #observer: ResizeObserver;
  #data: CurveData = [];
  #widthPx = 0;
  #heightPx = 0;

  constructor(element: HTMLElement, look: Look) {
    this.#look = look;
    this.#canvas = element.appendChild(document.createElement('canvas'));
    this.#observer = new ResizeObserver((entries) => {
      const box = entries[0]?.contentRect;
      if (box === undefined) return;
      [this.#widthPx, this.#heightPx] = [Math.floor(box.width), Math.floor(box.height)];
      this.#canvas.width = this.#widthPx * devicePixelRatio;
      this.#canvas.height = this.#heightPx * devicePixelRatio;
      this.#canvas.style.width = `${this.#widthPx}px`;
      this.#canvas.style.height = `${this.#heightPx}px`;
      this.#draw();
    });
    this.#observer.observe(element);
  }

  set(data: CurveData): void {
    this.#data = data;
    this.#draw();
  }

  /** Draws again with the colours of the present theme. */
  recolour(): void {
    this.#draw();
  }

  close(): void {
    this.#observer.disconnect();
    this.#canvas.remove();
  }

  #draw(): void {
    // Without alpha what is behind it is not mixed in, pixel by pixel, at each frame that damages it.
    const context = this.#canvas.getContext('2d', { alpha: false });
    if (context === null || this.#widthPx === 0 || this.#heightPx === 0) return;
    new Pen(context, this.#look, this.#widthPx, this.#heightPx).draw(this.#data);
  }
}

/** One drawing, from the data to the pixels. */
class Pen {
  readonly #context: CanvasRenderingContext2D;
  readonly #look: Look;
  readonly #width: number;
  readonly #height: number;

  constructor(context: CanvasRenderingContext2D, look: Look, width: number, height: number) {
    this.#context = context;
    this.#look = look;
    this.#width = width;
    this.#height = height;
  }

  draw(data: CurveData): void {
    const context = this.#context;
    const { series } = this.#look;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.fillStyle = themeColour('panel');
    context.fillRect(0, 0, this.#width, this.#height);
    const xs = data[0] ?? [];
    const xRange = this.#look.xRange(rangeOf([xs]));
    const rangeOfScale = (scale: Series['scale']): Range =>
      this.#look.range(scale, rangeOf(data.slice(1).filter((_, at) => series[at]?.scale === scale)));
    const ranges = { main: rangeOfScale('main'), other: rangeOfScale('other') };
    this.#axes(xRange, ranges[this.#look.labels]);
    const right = this.#width - this.#rightPx;
    context.save();
    context.beginPath();
    context.rect(this.#look.leftPx, 0, right - this.#look.leftPx, this.#height - BOTTOM_PX);
    context.clip();
    for (const [at, one] of series.entries()) {
      const points = this.#points(xs, data[at + 1] ?? [], xRange, ranges[one.scale]);
      if (one.shape === 'bars') this.#bars(one, points, this.#y(0, ranges[one.scale]), xs.length);
      else this.#line(one, points);
    }
    context.restore();
  }

  /** Half a label stands beyond the last tick. */
  get #rightPx(): number {
    return 14;
  }

  #x(value: number, [low, high]: Range): number {
    const { leftPx } = this.#look;
    return leftPx + ((value - low) / (high - low)) * (this.#width - leftPx - this.#rightPx);
  }

  #y(value: number, [low, high]: Range): number {
    return TOP_PX + ((high - value) / (high - low)) * (this.#height - BOTTOM_PX - TOP_PX);
  }

  #points(
    xs: readonly (number | null)[],
    ys: readonly (number | null)[],
    xRange: Range,
    yRange: Range,
  ): readonly (readonly [x: number, y: number] | null)[] {
    return xs.map((x, at) => {
      const y = ys[at] ?? null;
      return x === null || y === null ? null : [this.#x(x, xRange), this.#y(y, yRange)];
    });
  }

  #axes(xRange: Range, yRange: Range): void {
    const context = this.#context;
    const { leftPx, xText, yText } = this.#look;
    const floor = this.#height - BOTTOM_PX;
    context.font = `${FONT_PX}px system-ui, sans-serif`;
    context.fillStyle = themeColour('quiet');
    context.strokeStyle = themeColour('line');
    context.lineWidth = 1;
    context.setLineDash([]);
    context.beginPath();
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const right = this.#width - this.#rightPx;
    for (const tick of ticksOf(...xRange, Math.floor((right - leftPx) / X_LABEL_PX))) {
      const x = Math.round(this.#x(tick, xRange)) + 0.5;
      context.moveTo(x, TOP_PX);
      context.lineTo(x, floor);
      // A number that would be cut says something else: its line stays.
      const text = xText(tick);
      const half = context.measureText(text).width / 2;
      if (x + half <= this.#width) context.fillText(text, x, floor + 5);
    }
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const tick of ticksOf(...yRange, Math.floor((floor - TOP_PX) / Y_LABEL_PX))) {
      const y = Math.round(this.#y(tick, yRange)) + 0.5;
      context.moveTo(leftPx, y);
      context.lineTo(right, y);
      context.fillText(yText(tick), leftPx - 5, y);
    }
    context.stroke();
  }

  #line({ colour, shape, fill, dash }: Series, points: readonly (readonly [number, number] | null)[]): void {
    const context = this.#context;
    const floor = this.#height - BOTTOM_PX;
    context.lineWidth = LINE_PX;
    context.strokeStyle = themeColour(colour);
    context.setLineDash([...(dash ?? [])]);
    for (const run of runsOf(points)) {
      const path = new Path2D();
      for (const [at, [x, y]] of run.entries()) {
        const before = run[at - 1];
        if (before !== undefined && shape === 'before') path.lineTo(before[0], y);
        if (before !== undefined && shape === 'after') path.lineTo(x, before[1]);
        path.lineTo(x, y);
      }
      context.stroke(path);
      const [first, last] = [run[0], run.at(-1)];
      // A side of one level is a stem.
      if (first !== undefined && run.length === 1) {
        context.beginPath();
        context.moveTo(first[0], floor);
        context.lineTo(...first);
        context.stroke();
      }
      if (fill === undefined || first === undefined || last === undefined) continue;
      path.lineTo(last[0], floor);
      path.lineTo(first[0], floor);
      context.fillStyle = `${themeColour(fill[0])}${fill[1]}`;
      context.fill(path);
    }
  }

  #bars(
    { colour }: Series,
    points: readonly (readonly [number, number] | null)[],
    zero: number,
    count: number,
  ): void {
    const room = (this.#width - this.#look.leftPx) / Math.max(1, count);
    const width = Math.max(1, Math.min(BAR_PX_MAX, room * 0.8));
    this.#context.fillStyle = themeColour(colour);
    for (const point of points) {
      if (point !== null) this.#context.fillRect(point[0] - width / 2, point[1], width, zero - point[1]);
    }
  }
}

/** The stretches of points without a hole. */
function runsOf<Point>(points: readonly (Point | null)[]): readonly (readonly Point[])[] {
  const runs: Point[][] = [];
  let isOpen = false;
  for (const point of points) {
    if (point === null) {
      isOpen = false;
      continue;
    }
    if (!isOpen) runs.push([]);
    isOpen = true;
    runs.at(-1)?.push(point);
  }
  return runs;
}

/** Cumulative quantity over price; data are price, bid and ask columns. */
export function depthCurve(element: HTMLElement): Curve {
  const side = (name: 'bid' | 'ask', shape: 'before' | 'after'): Series => ({
    colour: name,
    shape,
    fill: [`${name}-bar`, 'b0'],
    scale: 'main',
  });
  return new Curve(element, {
    series: [side('bid', 'before'), side('ask', 'after')],
    // A single price has room, too.
    xRange: ([low, high]) =>
      low === high ? [low - Math.abs(low) / 100, high + Math.abs(high) / 100] : [low, high],
    range: (_scale, [, high]) => [0, high > 0 ? high * 1.05 : 1],
    xText: (value) => value.toLocaleString('en', { maximumSignificantDigits: 10 }),
    yText: compact,
    labels: 'main',
    leftPx: 44,
  });
}

/** Lines over time start with this span, so that their first samples do not fill them. */
const SECONDS_SHOWN_MIN = 30;

function lastSeconds([low]: Range): Range {
  return [Math.min(Number.isNaN(low) ? 0 : low, -SECONDS_SHOWN_MIN), 0];
}

function secondsText(value: number): string {
  return `${value.toFixed(0)} s`;
}

/** Latency over the last minutes; data are seconds before now, p50 and p99 in ms. */
export function latencyCurve(element: HTMLElement): Curve {
  return new Curve(element, {
    series: [
      { colour: 'accent', shape: 'line', scale: 'main' },
      { colour: 'warn', shape: 'line', dash: [4, 3], scale: 'main' },
    ],
    xRange: lastSeconds,
    range: (_scale, [low, high]) => [Math.min(0, low || 0), high > 0 ? high * 1.2 : 1],
    xText: secondsText,
    yText: (value) => `${compact(value)} ms`,
    labels: 'main',
    leftPx: 56,
  });
}

/** Delta of each second as bars around zero, and its running sum as a line on a scale of its own; data are seconds before now. */
export function flowCurve(element: HTMLElement): Curve {
  return new Curve(element, {
    series: [
      { colour: 'bid', shape: 'bars', scale: 'main' },
      { colour: 'ask', shape: 'bars', scale: 'main' },
      { colour: 'accent', shape: 'line', scale: 'other' },
    ],
    xRange: lastSeconds,
    range: (scale, [low, high]) => {
      if (scale === 'other') return high > low ? [low, high] : [(low || 0) - 1, (low || 0) + 1];
      const reach = Math.max(Math.abs(low || 0), Math.abs(high || 0)) || 1;
      return [-reach * 1.1, reach * 1.1];
    },
    xText: secondsText,
    yText: compact,
    labels: 'other',
    leftPx: 44,
  });
}
