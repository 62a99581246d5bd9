import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Metrics } from '../src/publish/metrics.js';
import { OpenMetrics } from '../src/publish/open-metrics.js';
import { Scraper } from '../src/publish/scrape.js';
import { FakeNative } from './support/fake-engine.js';
import { STAGE_TIMES } from './support/fake-stages.js';
import { type Family, readOpenMetrics } from './support/open-metrics.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

/** What the fake engine does not count. */
const COUNTED = {
  latency: { boundsNs: [1000, 1_000_000], counts: [4, 2, 1], sumNs: 3_000_000 },
  history: { bytes: 10, bytesMax: 100, evictedBytes: 0 },
  brought: { nothing: 0, range: 1, net: 2, image: 3 },
  books: { syncing: 0, synced: 900, stale: 100 },
};

function value(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
) {
  for (const { samples } of families.values()) {
    const found = samples.find(
      (sample) =>
        sample.name === name &&
        sample.labels.size === Object.keys(labels).length &&
        Object.entries(labels).every(([label, text]) => sample.labels.get(label) === text),
    );
    if (found !== undefined) return found.value;
  }
  return undefined;
}

/** A scraper over an engine that is asked nothing but its counters. */
function scraper(metrics = new Metrics()) {
  const asked = { stats: 0 };
  const one = new Scraper({
    metrics: () => metrics,
    gateways: () => ({ wanted: 2, running: 2, pids: [7, 8], restarts: 1 }),
    build: () => ({ version: '1', node: 'v20' }),
    stats: () => {
      asked.stats += 1;
      return { ...new FakeNative().stats(), ...COUNTED };
    },
    stages: () => ({ ...STAGE_TIMES, hasPublished: true }),
    nameOf: (id) => (id === 11 ? 'sim:BTCUSDT' : undefined),
    imagesEncoded: () => 5,
    waitingBytes: () => 1234,
    sources: () => [],
    record: () => ({
      records: 900,
      acknowledged: 800,
      missed: 7,
      bytes: 5000,
      segments: 3,
      sealed: 2,
      unsealed: 0,
      letGo: 1,
      isRecording: true,
    }),
    isReady: () => true,
    uptimeSeconds: () => 1.5,
  });
  return { scraper: one, asked };
}

describe('/metrics', () => {
  it('is OpenMetrics by its own rules', () => {
    const metrics = new Metrics();
    metrics.closed(1000, 'client');
    metrics.closed(4999, 'client');
    metrics.closed(4408, 'too_slow');
    metrics.refused('auth.expired');
    metrics.slow('behind', 1);
    metrics.resumed('range');
    const { scraper: one } = scraper(metrics);
    one.ticked(5);
    one.ticked(20);
    const families = readOpenMetrics(one.text(0));
    expect(families.get('depthwire_feed_bytes')).toMatchObject({ type: 'counter', unit: 'bytes' });
    expect(families.get('depthwire_resync_seconds')).toMatchObject({ type: 'histogram', unit: 'seconds' });
    expect(families.get('depthwire_build')).toMatchObject({ type: 'info' });
    expect(value(families, 'depthwire_resync_seconds_bucket', { le: '0.05' })).toBe(3);
    expect(value(families, 'depthwire_frame_delay_seconds_bucket', { le: '0.001' })).toBe(6);
    expect(value(families, 'depthwire_closes_total', { code: '1000', cause: 'client' })).toBe(1);
    expect(value(families, 'depthwire_closes_total', { code: 'other', cause: 'client' })).toBe(1);
    expect(value(families, 'depthwire_slow_steps_total', { step: 'closed' })).toBe(1);
    expect(value(families, 'depthwire_slow_steps_total', { step: 'behind' })).toBe(1);
    expect(value(families, 'depthwire_resumes_total', { by: 'range' })).toBe(1);
    expect(value(families, 'depthwire_brought_total', { by: 'image' })).toBe(3);
    expect(value(families, 'depthwire_refusals_total', { cause: 'auth.expired' })).toBe(1);
    expect(value(families, 'depthwire_waiting_bytes')).toBe(1234);
    expect(value(families, 'depthwire_books', { state: 'stale' })).toBe(100);
    expect(value(families, 'depthwire_event_loop_idle_seconds_total')).toBeGreaterThanOrEqual(0);
    expect(value(families, 'depthwire_event_loop_delay_seconds_count')).toBe(2);
    expect(value(families, 'depthwire_event_loop_delay_seconds_sum')).toBeCloseTo(0.025, 9);
    expect(value(families, 'depthwire_event_loop_delay_seconds', { quantile: '1.0' })).toBeCloseTo(0.02, 3);
    if (process.platform === 'linux') {
      expect(value(families, 'process_open_fds')).toBeGreaterThan(0);
      expect(value(families, 'process_max_fds')).toBeGreaterThan(0);
    }
  });

  it('tells the stages of stamped messages, by stage and by instrument', () => {
    const families = readOpenMetrics(scraper().scraper.text(0));
    expect(families.get('depthwire_stage_seconds')).toMatchObject({ type: 'histogram', unit: 'seconds' });
    const bucket = (stage: string, le: string) =>
      value(families, 'depthwire_stage_seconds_bucket', { stage, le });
    expect([bucket('decoded', '0.000001023'), bucket('decoded', '0.000004095')]).toEqual([1, 4]);
    expect([bucket('decoded', '+Inf'), bucket('published', '+Inf')]).toEqual([5, 3]);
    expect(value(families, 'depthwire_stage_seconds_sum', { stage: 'decoded' })).toBe(0.000_015);
    expect(value(families, 'depthwire_stage_seconds_count', { stage: 'published' })).toBe(3);
    const message = (instrument: string, quantile: string) =>
      value(families, 'depthwire_message_seconds', { instrument, quantile });
    expect(message('sim:BTCUSDT', '0.5')).toBe(0.000_001);
    expect(message('sim:BTCUSDT', '0.9999')).toBe(0.000_005);
    expect(value(families, 'depthwire_message_seconds_count', { instrument: 'others' })).toBe(1);
    // Five quantiles, a sum and a count, of the one that is served and of the others.
    expect(families.get('depthwire_message_seconds')?.samples).toHaveLength(14);
    expect(value(families, 'depthwire_stamped_messages_total')).toBe(6);
    expect(value(families, 'depthwire_stamped_unread_total')).toBe(1);
    expect(value(families, 'depthwire_stamped_unpublished_total')).toBe(2);
    expect(value(families, 'depthwire_stamps_info', { clock: 'tsc', every: '16' })).toBe(1);
  });

  it('costs one question to the engine, whatever its books, and none within a quarter of a second', () => {
    const { scraper: one, asked } = scraper();
    const text = one.text(1000);
    expect(one.text(1249)).toBe(text);
    expect(asked).toEqual({ stats: 1 });
    one.text(1250);
    expect(asked).toEqual({ stats: 2 });
  });

  it('stays small whatever clients do', () => {
    const metrics = new Metrics();
    for (let at = 0; at < 5000; at++) {
      metrics.closed(at, 'client');
      metrics.refused(`made.up_${at}`);
    }
    const { scraper: one } = scraper(metrics);
    const families = readOpenMetrics(one.text(0));
    expect(families.get('depthwire_closes')?.samples.length).toBeLessThan(20);
    expect(families.get('depthwire_refusals')?.samples).toHaveLength(65);
    expect(value(families, 'depthwire_refusals_total', { cause: 'other' })).toBe(5000 - 64);
  });

  it('of a server tells what its clients do, and why it refused some', async () => {
    const server = await startServer();
    running.push(server);
    const client = await TestClient.open(server.port);
    client.send({ op: 'subscribe', id: 1, channel: 'book', instrument: 'sim:BTCUSDT' });
    await client.count(2);
    const foreign = new TestClient(server.port, { origin: 'http://elsewhere.example' });
    await foreign.closed();
    const families = readOpenMetrics(await (await fetch(`${server.url}/metrics`)).text());
    expect(value(families, 'depthwire_clients')).toBe(1);
    expect(value(families, 'depthwire_subscriptions')).toBe(1);
    expect(value(families, 'depthwire_ready')).toBe(1);
    expect(value(families, 'depthwire_refusals_total', { cause: 'http.foreign_origin' })).toBe(1);
  });
});

describe('the writer of OpenMetrics', () => {
  it('escapes what stands in texts', () => {
    const out = new OpenMetrics();
    out.gauges('a', 'One "line"\nand \\ more.', 'of', [['x"\\\ny', 1]]);
    const text = out.end();
    expect(text).toContain('# HELP depthwire_a One \\"line\\"\\nand \\\\ more.\n');
    expect(readOpenMetrics(text).get('depthwire_a')?.samples[0]?.labels.get('of')).toBe('x"\\\ny');
  });

  it.each([
    ['no end', '# TYPE a gauge\na 1\n'],
    ['a family twice', '# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\n# EOF\n'],
    ['a series twice', '# TYPE a gauge\na 1\na 2\n# EOF\n'],
    ['a counter without _total', '# TYPE a counter\na 1\n# EOF\n'],
    ['a unit that is not in the name', '# TYPE a gauge\n# UNIT a bytes\na 1\n# EOF\n'],
    ['an empty line', '# TYPE a gauge\n\na 1\n# EOF\n'],
    [
      'a bucket that shrinks',
      '# TYPE a histogram\na_bucket{le="1.0"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n# EOF\n',
    ],
    ['a label that is not escaped', '# TYPE a gauge\na{b="\\x"} 1\n# EOF\n'],
  ])('is held to rules: %s', (_, text) => {
    expect(() => readOpenMetrics(text)).toThrow();
  });
});

describe('the Grafana board', () => {
  interface Panel {
    readonly title: string;
    readonly type: string;
    readonly targets?: readonly { readonly expr: string }[];
    readonly panels?: readonly Panel[];
  }
  const file = fileURLToPath(new URL('../deploy/grafana/depthwire.json', import.meta.url));
  const board = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly uid: string;
    readonly panels: readonly Panel[];
  };
  const panels = board.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  const { scraper: one } = scraper();
  const families = readOpenMetrics(one.text(0));
  const suffixes: Readonly<Record<string, readonly string[]>> = {
    counter: ['_total'],
    histogram: ['_bucket', '_sum', '_count'],
    summary: ['', '_sum', '_count'],
    info: ['_info'],
  };
  const known = [...families.values()].flatMap(({ name, type }) =>
    (suffixes[type] ?? ['']).map((suffix) => name + suffix),
  );

  it('asks only for metrics and labels that there are', () => {
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(20);
    for (const query of queries) {
      const names = query.match(/\b(?:depthwire|process)_[a-z0-9_]+/g) ?? [];
      expect(names.length, query).toBeGreaterThan(0);
      for (const name of names) expect(known, query).toContain(name);
      for (const [, by = ''] of query.matchAll(/\bby \(([^)]*)\)/g))
        for (const label of by.split(',').map((part) => part.trim()))
          expect(['instance', 'le', 'state', 'code', 'cause', 'step', 'by', 'quantile'], query).toContain(
            label,
          );
    }
  });

  it('has no name that the documents know better', () => {
    const documents = ['operations.md', 'protocol.md'].map((name) =>
      readFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), 'utf8'),
    );
    for (const name of documents.join('').match(/\b(?:depthwire|process)_[a-z0-9_]+/g) ?? [])
      expect(known).toContain(name);
  });

  it('has a place and a title for each panel, and shows every question that an operator asks first', () => {
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const all = JSON.stringify(board);
    for (const name of [
      'depthwire_books',
      'depthwire_gaps_total',
      'depthwire_slow_steps_total',
      'depthwire_closes_total',
      'depthwire_waiting_bytes',
      'depthwire_event_loop_delay_seconds',
      'process_open_fds',
    ])
      expect(all).toContain(name);
  });
});
