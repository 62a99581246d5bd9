import { endOf } from './interval-times.js';
import type { Line, StageShare } from './result.js';
import { nsText } from './time-text.js';

/** Charts as SVG in a text: no script, so that a report opens anywhere and prints. */
const WIDTH = 860;
const HEIGHT = 320;
const LEFT = 70;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 34;

/** Told apart by people who see colours differently too: Okabe and Ito. */
const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#7f3c8d',
  '#8c6d31',
] as const;
const HICCUPS = '#999999';

interface Scale {
  readonly from: number;
  readonly to: number;
}

/** Places on a logarithmic axis, from 0 to 1. */
function share(value: number, { from, to }: Scale): number {
  return Math.log(Math.max(value, from) / from) / Math.log(to / from);
}

const x = (part: number): number => LEFT + part * (WIDTH - LEFT - RIGHT);
const y = (part: number): number => HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);

/** Whole powers of ten around some times. */
function around(times: readonly number[]): Scale {
  const some = times.filter((time) => time > 0);
  const from = 10 ** Math.floor(Math.log10(some.reduce((least, time) => Math.min(least, time), 1e9)));
  const to = 10 ** Math.ceil(Math.log10(some.reduce((most, time) => Math.max(most, time), 10)));
  return { from: Math.max(1, from), to: Math.max(to, from * 10) };
}

/** Time by the share of samples that it is not exceeded by; each step to the right is a nine more. */
export function curveChart(lines: readonly Line[]): string {
  const drawn = lines.filter(({ curve }) => curve.length > 0);
  if (drawn.length === 0) return '';
  // The last point of a curve, all samples, stands where one sample of all is: behind it there is nothing.
  const nines = drawn.map(({ curve }) => Math.max(...curve.map(([of]) => (of < 1 ? 1 / (1 - of) : 1)), 10));
  const across: Scale = { from: 1, to: Math.max(100, ...nines) };
  const up = around(drawn.flatMap(({ curve }) => curve.map(([, ns]) => ns)));
  const paths = drawn.map(({ name, curve }, at) => {
    const most = nines[at] ?? 10;
    const points = curve.map(([of, ns]) => {
      const nine = of < 1 ? 1 / (1 - of) : most;
      return [x(share(nine, across)), y(share(ns, up))] as const;
    });
    return path(
      points,
      colourOf(
        name,
        lines.findIndex((line) => line.name === name),
      ),
      isBeside(name),
    );
  });
  const ticks: [number, string][] = [];
  for (let nine = 1; nine <= across.to * 1.001; nine *= 10) {
    ticks.push([x(share(nine, across)), nine === 1 ? '0 %' : `${100 - 100 / nine} %`]);
  }
  return svg(
    [
      ...grid(up),
      ...bottom(ticks),
      ...paths,
      ...legend(lines.map(({ name, curve }) => (curve.length > 0 ? name : ''))),
    ],
    'share of samples',
  );
}

/** Middle and worst of each interval, and behind them the worst hiccup of the machine in it. */
export function timelineChart(lines: readonly Line[]): string {
  const drawn = lines.filter(({ intervals, name }) => intervals.length > 1 && name !== 'hiccups');
  if (drawn.length === 0) return '';
  // Lines may be of different lengths, and their intervals too.
  const ends = drawn.map(({ intervals }) => endOf(intervals, intervals.length - 1));
  const end = Math.max(...ends);
  const longest = drawn[ends.indexOf(end)]?.intervals ?? [];
  const up = around(
    drawn.flatMap(({ intervals, hiccups }) => [
      ...intervals.flatMap(({ p50, max }) => [p50, max]),
      ...hiccups,
    ]),
  );
  // Lines that take turns have an interval each at nearly one time: the worst hiccup of all of them stands behind them. What nothing
  // was measured in has none.
  const bars = longest.flatMap(({ fromNs }, cell) => {
    const toNs = endOf(longest, cell);
    const all = drawn.flatMap(({ intervals, hiccups }) =>
      intervals.flatMap(({ fromNs: from, count }, at) =>
        count > 0 && from < toNs && endOf(intervals, at) > fromNs ? [hiccups[at] ?? 0] : [],
      ),
    );
    if (all.length === 0) return [];
    const high = y(share(Math.max(...all, up.from), up));
    const wide = ((toNs - fromNs) / end) * (WIDTH - LEFT - RIGHT);
    return `<rect x="${px(x(fromNs / end))}" y="${px(high)}" width="${px(wide)}" height="${px(HEIGHT - BOTTOM - high)}" fill="${HICCUPS}" opacity="0.25"/>`;
  });
  const at = (intervals: Line['intervals'], place: number): number =>
    x(((intervals[place]?.fromNs ?? 0) + endOf(intervals, place)) / 2 / end);
  const paths = drawn.flatMap(({ name, intervals }) => {
    const colour = colourOf(
      name,
      lines.findIndex((line) => line.name === name),
    );
    const line = (pick: (interval: Line['intervals'][number]) => number): readonly Point[] =>
      intervals.map((interval, place) =>
        interval.count > 0 ? [at(intervals, place), y(share(pick(interval), up))] : undefined,
      );
    return [
      path(
        line(({ p50 }) => p50),
        colour,
        false,
      ),
      path(
        line(({ max }) => max),
        colour,
        true,
      ),
    ];
  });
  const step = Math.max(1, Math.ceil(longest.length / 8));
  const ticks: [number, string][] = [];
  for (let place = 0; place < longest.length; place += step) {
    const fromNs = longest[place]?.fromNs ?? 0;
    ticks.push([at(longest, place), fromNs === 0 ? '0 s' : nsText(fromNs)]);
  }
  const names = lines.map(({ name }) => (drawn.some((line) => line.name === name) ? name : ''));
  return svg(
    [...bars, ...grid(up), ...bottom(ticks), ...paths, ...legend(names)],
    'counted time: p50, and the worst dashed',
  );
}

const BAR_HEIGHT = 16;
const BAR_GAP = 6;
const NAMES_WIDTH = 220;

/** How much of the time of messages each stage took: a bar of the stages' medians, and one of their 99 %, whose sum is of no message. */
export function stageChart(shares: readonly StageShare[]): string {
  const bars = shares.flatMap(({ name, parts }) =>
    (['p50', 'p99'] as const).map((quantile) => ({
      name: `${name}, ${quantile} of each`,
      parts: parts.map((part) => ({ stage: part.stage, ns: part[quantile] })),
    })),
  );
  const sums = bars.map(({ parts }) => parts.reduce((sum, { ns }) => sum + ns, 0));
  const longest = Math.max(...sums, 1);
  const stages = shares[0]?.parts.map(({ stage }) => stage) ?? [];
  if (bars.length === 0) return '';
  const drawn = bars.flatMap(({ name, parts }, at) => {
    const top = 24 + at * (BAR_HEIGHT + BAR_GAP);
    let left = NAMES_WIDTH;
    const rects = parts.map(({ stage, ns }, of) => {
      const wide = (ns / longest) * (WIDTH - NAMES_WIDTH - LEFT);
      const rect = `<rect x="${px(left)}" y="${top}" width="${px(wide)}" height="${BAR_HEIGHT}" fill="${COLOURS[of % COLOURS.length]}"><title>${escaped(stage)} ${nsText(ns)}</title></rect>`;
      left += wide;
      return rect;
    });
    return [
      `<text x="${NAMES_WIDTH - 8}" y="${top + 12}" text-anchor="end">${escaped(name)}</text>`,
      ...rects,
    ];
  });
  const key = stages.map((stage, at) => {
    const left = NAMES_WIDTH + at * 110;
    return `<rect x="${left}" y="6" width="12" height="8" fill="${COLOURS[at % COLOURS.length]}"/><text x="${left + 18}" y="14">${escaped(stage)}</text>`;
  });
  const height = 30 + bars.length * (BAR_HEIGHT + BAR_GAP);
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="time by stage">${[...key, ...drawn].join('')}</svg>`;
}

/** What stands beside what is measured is dashed. */
function isBeside(name: string): boolean {
  return name === 'hiccups' || name.includes('control');
}

function colourOf(name: string, at: number): string {
  return name === 'hiccups' ? HICCUPS : (COLOURS[at % COLOURS.length] ?? HICCUPS);
}

/** A place, or none: there the line is broken. */
type Point = readonly [left: number, top: number] | undefined;

function path(points: readonly Point[], colour: string, isDashed: boolean): string {
  const d = points
    .map((point, at) => {
      if (point === undefined) return '';
      const place = `${px(point[0])} ${px(point[1])}`;
      if (points[at - 1] !== undefined) return `L${place}`;
      // One that stands alone is drawn too: a line of its own width.
      return points[at + 1] === undefined ? `M${place}h1.8` : `M${place}`;
    })
    .join('');
  const dash = isDashed ? ' stroke-dasharray="5 4"' : '';
  return `<path d="${d}" fill="none" stroke="${colour}" stroke-width="1.8"${dash}/>`;
}

function grid(up: Scale): string[] {
  const lines: string[] = [];
  for (let ns = up.from; ns <= up.to * 1.001; ns *= 10) {
    const at = px(y(share(ns, up)));
    lines.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#8884"/>`);
    lines.push(
      `<text x="${LEFT - 8}" y="${px(y(share(ns, up)) + 4)}" text-anchor="end">${nsText(ns)}</text>`,
    );
  }
  return lines;
}

function bottom(ticks: readonly (readonly [number, string])[]): string[] {
  return ticks.map(
    ([at, text]) => `<text x="${px(at)}" y="${HEIGHT - 16}" text-anchor="middle">${text}</text>`,
  );
}

/** Lines by their place, an empty name where one is not drawn. */
function legend(names: readonly string[]): string[] {
  let drawn = 0;
  return names.flatMap((name, at) => {
    if (name === '') return [];
    const top = TOP + 6 + 17 * drawn;
    drawn += 1;
    return `<rect x="${LEFT + 14}" y="${top - 8}" width="16" height="4" fill="${colourOf(name, at)}"/><text x="${LEFT + 36}" y="${top - 2}">${escaped(name)}</text>`;
  });
}

function svg(parts: readonly string[], label: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${parts.join('')}<text x="${WIDTH - RIGHT}" y="${HEIGHT - 2}" text-anchor="end">${label}</text></svg>`;
}

function px(value: number): string {
  return value.toFixed(1);
}

/** A text within HTML. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
