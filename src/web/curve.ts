import uPlot from 'uplot';
import { compact } from './decimal-text.js';

/** Reads a colour of the style sheet; the canvas knows no variables. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const FONT = '11px system-ui, sans-serif';

/** uPlot numbers the sides: 2 is the bottom, 3 the left. */
function axis(side: 2 | 3, values: (value: number) => string, sizePx: number): uPlot.Axis {
  return {
    side,
    font: FONT,
    stroke: () => colour('--quiet'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
    size: sizePx,
    gap: 4,
    values: (_plot, splits) => splits.map(values),
  };
}

/** A uPlot drawing that fills its element and follows its size. */
export class Curve {
  readonly #plot: uPlot;
  readonly #observer: ResizeObserver;

  constructor(
    element: HTMLElement,
    options: Omit<uPlot.Options, 'width' | 'height'>,
    data: uPlot.AlignedData,
  ) {
    this.#plot = new uPlot({ width: 10, height: 10, ...options }, data, element);
    this.#observer = new ResizeObserver((entries) => {
      const box = entries[0]?.contentRect;
      if (box !== undefined && box.width > 0 && box.height > 0) {
        this.#plot.setSize({ width: Math.floor(box.width), height: Math.floor(box.height) });
      }
    });
    this.#observer.observe(element);
  }

  set(data: uPlot.AlignedData): void {
    this.#plot.setData(data);
  }

  /** Draws again with the colours of the present theme. */
  recolour(): void {
    this.#plot.redraw(false, true);
  }

  close(): void {
    this.#observer.disconnect();
    this.#plot.destroy();
  }
}

const STEPPED = { stepped: uPlot.paths.stepped };

/** Cumulative quantity over price; data are price, bid and ask columns. */
export function depthCurve(element: HTMLElement): Curve {
  const side = (name: 'bid' | 'ask', align: 1 | -1): uPlot.Series => ({
    stroke: () => colour(`--${name}`),
    fill: () => `${colour(`--${name}-bar`)}b0`,
    width: 1.5,
    points: { show: false },
    ...(STEPPED.stepped === undefined ? {} : { paths: STEPPED.stepped({ align }) }),
  });
  return new Curve(
    element,
    {
      scales: { x: { time: false }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.05 : 1] } },
      axes: [axis(2, (value) => value.toLocaleString('en'), 24), axis(3, compact, 44)],
      series: [{}, side('bid', -1), side('ask', 1)],
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 22, 0, 0],
    },
    [[], [], []],
  );
}

/** The latency line starts with this span, so that its first samples do not fill it. */
const SECONDS_SHOWN_MIN = 30;

/** Latency over the last minutes; data are seconds before now, p50 and p99 in ms. */
export function latencyCurve(element: HTMLElement): Curve {
  const line = (name: string, dash: number[]): uPlot.Series => ({
    stroke: () => colour(name),
    width: 1.5,
    dash,
    points: { show: false },
  });
  return new Curve(
    element,
    {
      scales: {
        x: { time: false, range: (_plot, low) => [Math.min(low, -SECONDS_SHOWN_MIN), 0] },
        y: { range: (_plot, low, high) => [Math.min(0, low), high > 0 ? high * 1.2 : 1] },
      },
      axes: [axis(2, (value) => `${value.toFixed(0)} s`, 20), axis(3, (value) => `${compact(value)} ms`, 56)],
      series: [{}, line('--accent', []), line('--warn', [4, 3])],
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 12, 0, 0],
    },
    [[], [], []],
  );
}

const BARS = { bars: uPlot.paths.bars };

/** Delta of each second as bars around zero, and its running sum as a line on a scale of its own; data are seconds before now. */
export function flowCurve(element: HTMLElement): Curve {
  const bars = BARS.bars?.({ size: [0.8, 8] });
  const bought = (sign: 1 | -1, name: 'bid' | 'ask'): uPlot.Series => ({
    scale: 'delta',
    stroke: () => colour(`--${name}`),
    fill: () => colour(`--${name}`),
    width: 0,
    points: { show: false },
    ...(bars === undefined ? {} : { paths: bars }),
    label: sign === 1 ? 'bought more' : 'sold more',
  });
  return new Curve(
    element,
    {
      scales: {
        x: { time: false, range: (_plot, low) => [Math.min(low, -SECONDS_SHOWN_MIN), 0] },
        delta: { range: (_plot, low, high) => around(low, high) },
        sum: { range: (_plot, low, high) => (high > low ? [low, high] : [low - 1, high + 1]) },
      },
      axes: [axis(2, (value) => `${value.toFixed(0)} s`, 20), { ...axis(3, compact, 44), scale: 'sum' }],
      series: [
        {},
        bought(1, 'bid'),
        bought(-1, 'ask'),
        { scale: 'sum', stroke: () => colour('--accent'), width: 1.5, points: { show: false } },
      ],
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 12, 0, 0],
    },
    [[], [], [], []],
  );
}

/** A range with zero in its middle. */
function around(low: number, high: number): [number, number] {
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return [-reach * 1.1, reach * 1.1];
}
