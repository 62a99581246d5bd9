import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { curveChart, timelineChart } from '../src/bench/chart.js';
import { html, markdown, type Report } from '../src/bench/document.js';
import { hiccupsIn } from '../src/bench/interval-times.js';
import { type MachineFacts, machineText } from '../src/bench/machine.js';
import type { Line } from '../src/bench/result.js';
import { launch } from './support/page.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MACHINE: MachineFacts = {
  depthwire: '1.2.3',
  node: '22.12.0',
  system: 'linux 6 x64',
  processor: 'A <processor> & more',
  cores: 2,
  memoryBytes: 2 ** 34,
  virtual: 'virtual',
  governor: 'performance',
  clockSource: 'tsc',
  load: 0.25,
  date: '2026-01-02T03:04:05.000Z',
};

/** A line whose times grow with the share of samples, for two minutes. */
function line(name: string, ns: number): Line {
  const curve = Array.from({ length: 60 }, (_, at) => [1 - 0.8 ** at, ns * (at + 1)] as const);
  return {
    name,
    curve: [...curve, [1, ns * 100]],
    intervals: Array.from({ length: 120 }, (_, at) => ({
      fromNs: at * 1e9,
      count: 100,
      p50: ns,
      p99: ns * 10,
      max: ns * (20 + at),
    })),
    hiccups: Array.from({ length: 120 }, (_, at) => (at === 60 ? 5e6 : 1e5)),
  };
}

const REPORT: Report = {
  machine: MACHINE,
  verdict: { word: 'NOISY', reasons: [] },
  results: [
    {
      scenario: 'wire',
      title: 'From the planned time',
      verdict: { word: 'NOISY', reasons: ['other programs took 0.20 of a core'] },
      tables: [{ title: 'times', heads: ['what', 'p50'], rows: [['a <b> | c', '1.00 µs']] }],
      notes: ['How to read it.'],
      lines: [line('control', 3e4), line('depthwire', 4e4), { ...line('hiccups', 1e3), intervals: [] }],
      data: {},
    },
  ],
};

describe('a report', () => {
  it('is one page that needs no network, and draws its curves', { timeout: 60_000 }, async () => {
    const text = html(REPORT);
    expect(text.length).toBeLessThan(2e6);
    const path = join(folder, 'report.html');
    writeFileSync(path, text);
    const browser = await launch();
    try {
      const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
      const said: string[] = [];
      const asked: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(String(error)));
      page.on('request', (request) => {
        if (!request.url().startsWith('data:')) asked.push(request.url());
      });
      await page.context().setOffline(true);
      await page.goto(pathToFileURL(path).href);
      expect(said).toEqual([]);
      expect(asked).toEqual([pathToFileURL(path).href]);
      expect(await page.title()).toContain(MACHINE.date);
      expect(await page.locator('body').textContent()).toContain('A <processor> & more, 2 cores, virtual');
      const charts = page.locator('svg');
      expect(await charts.count()).toBe(2);
      // Three curves; two lines twice. Each has a width and a height.
      const paths = await page.locator('svg path').evaluateAll((all) =>
        all.map((drawn) => {
          const { width, height } = drawn.getBoundingClientRect();
          return [width > 100, height > 5];
        }),
      );
      expect(paths.length).toBe(7);
      expect(paths.slice(0, 3)).toEqual([
        [true, true],
        [true, true],
        [true, true],
      ]);
      expect(paths.every(([isWide]) => isWide)).toBe(true);
      const isWhole = await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
      expect(isWhole).toBe(true);
    } finally {
      await browser.close();
    }
  });

  it('says which clock it speaks of', () => {
    expect(machineText(MACHINE)).toContain(' · kernel clock tsc · ');
  });

  it('is Markdown whose tables hold together', () => {
    const lines = markdown(REPORT).split('\n');
    expect(lines[0]).toBe('# depthwire bench: NOISY');
    expect(lines).toContain('| a <b> \\| c | 1.00 µs |');
    expect(lines).toContain('* other programs took 0.20 of a core');
  });

  it('draws every point where it belongs', () => {
    const flat = (ns: number): Line => ({
      ...line('flat', ns),
      curve: [
        [0, ns],
        [0.9, ns],
        [1, ns],
      ],
    });
    const drawn = curveChart([flat(1e3), flat(1e5)]);
    const heights = [...drawn.matchAll(/<path d="M[\d.]+ ([\d.]+)L/g)].map(([, top]) => Number(top));
    // 1 to 100 µs are two of the axis's powers of ten, bottom to top.
    expect(heights).toEqual([286, 14]);
    const places = /<path d="([^"]*)"/
      .exec(drawn)?.[1]
      ?.split(/[ML]/)
      .slice(1)
      .map((at) => Number(at.split(' ')[0]));
    // 0 %, 90 %, and all: of samples whose shares end at 90 %, one of ten.
    expect(places).toEqual([70, 457, 457]);
  });

  it('breaks a line where nothing was measured, and has no bar there', () => {
    const whole = line('x', 1e3);
    const holes = whole.intervals.map((interval, at) =>
      at < 10 || at === 60 || at === 62 ? { ...interval, count: 0, p50: 0, p99: 0, max: 0 } : interval,
    );
    const drawn = timelineChart([{ ...whole, intervals: holes }]);
    const paths = [...drawn.matchAll(/<path d="([^"]*)"/g)].map(([, d = '']) => d);
    expect(paths).toHaveLength(2);
    for (const d of paths) {
      // Three stretches, one of them a single interval between two that have nothing.
      expect(d.split('M').slice(1)).toHaveLength(3);
      expect(d.match(/[ML]/g)).toHaveLength(120 - 12);
      expect(d.match(/h/g)).toHaveLength(1);
    }
    expect(drawn.match(/opacity="0.25"/g)).toHaveLength(120 - 12);
  });

  it('has hiccups where they were, whatever the length of an interval', () => {
    const of = (lengthNs: number, maxes: readonly number[]) =>
      maxes.map((max, at) => ({
        fromNs: at * lengthNs,
        count: max === 0 ? 0 : 100,
        p50: max,
        p99: max,
        max,
      }));
    // The log began half a second before, and has an interval each second.
    const log = of(1e9, [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(hiccupsIn(of(2e9, [9, 9, 9]), log, 0.5e9)).toEqual([3, 5, 7]);
    expect(hiccupsIn(of(0.5e9, [9, 9, 9]), log, 0.5e9)).toEqual([1, 2, 2]);
    expect([hiccupsIn([], log, 0), hiccupsIn(of(1e9, [9, 9]), [], 0)]).toEqual([[], [0, 0]]);
    // A line of four intervals, and one that ended after half the time, with shorter ones.
    const lines = [
      { name: 'long', curve: [], intervals: of(2e9, [1e3, 1e3, 1e3, 1e3]), hiccups: [1e3, 1e3, 1e3, 1e3] },
      { name: 'short', curve: [], intervals: of(1e9, [1e3, 1e3, 0, 1e3]), hiccups: [1e3, 1e6, 1e6, 1e3] },
    ];
    const drawn = timelineChart(lines);
    const bars = [...drawn.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"[^>]*opacity/g)];
    // 774 points are eight seconds; the millisecond stands behind the first two only.
    expect(bars.map(([, left, top, width]) => [left, top === '14.0', width].map(String))).toEqual([
      ['70.0', 'true', '193.5'],
      ['263.5', 'false', '193.5'],
      ['457.0', 'false', '193.5'],
      ['650.5', 'false', '193.5'],
    ]);
    const [, , short = ''] = [...drawn.matchAll(/<path d="([^"]*)"/g)].map(([, d]) => d);
    expect(short.split(/[MLh]/).map((place) => place.split(' ')[0])).toEqual([
      '',
      '118.4',
      '215.1',
      '408.6',
      '1.8',
    ]);
  });

  it.each([
    ['no line', []],
    ['a line of nothing', [{ name: 'x', curve: [], intervals: [], hiccups: [] }]],
  ])('has no chart of %s', (_, lines: readonly Line[]) => {
    expect([curveChart(lines), timelineChart(lines)]).toEqual(['', '']);
  });

  it('has no number that is none, whatever was measured', () => {
    const odd: Line = {
      name: '<&"',
      curve: [
        [0, 0],
        [1, 0],
      ],
      intervals: [
        { fromNs: 0, count: 0, p50: 0, p99: 0, max: 0 },
        { fromNs: 1, count: 1, p50: 4e12, p99: 4e12, max: 4e12 },
      ],
      hiccups: [0, 0],
    };
    for (const chart of [curveChart([odd]), timelineChart([odd])]) {
      expect(chart).not.toMatch(/NaN|Infinity|undefined/);
      expect(chart).toContain('&lt;&amp;&quot;');
    }
  });
});
