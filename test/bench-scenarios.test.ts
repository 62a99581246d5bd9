import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { stageChart } from '../src/bench/chart.js';
import { type HiccupReport, Samples, type StepReport, type TargetReport } from '../src/bench/measure.js';
import { type Measured, measured } from '../src/bench/micro.js';
import { SimBook, updateText } from '../src/bench/sim-book.js';
import { benchCommand, type Ended, IS_COUNTED, SMALL } from './support/bench-command.js';
import { simulatedRecording } from './support/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-scenarios-'));
afterAll(() => rmSync(folder, { recursive: true }));

const command = (...args: readonly string[]): Promise<Ended> => benchCommand(folder, args);

/** The only result of a run that was written as JSON. */
async function resultOf(...args: readonly string[]) {
  const { code, out, err } = await command(...args, '-o', 'json');
  expect(err).toBe('');
  const { verdict, results } = JSON.parse(out);
  expect(code).toBe({ PASS: 0, NOISY: 4, FAIL: 1 }[verdict.word as 'PASS']);
  return { ...results[0], verdict };
}

describe('micro', () => {
  it('measures each operation beside a plain one, and counts the same each time', {
    timeout: 60_000,
  }, async () => {
    const [first, second] = [await measured(SMALL), await measured(SMALL)];
    expect(first.groups.map(({ operations }) => operations.length)).toEqual([2, 2, 2, 2, 4, 3, 3]);
    // The plain ways may take some steps more or less by where their memory lies.
    const counts = ({ groups, operations }: Measured) =>
      operations
        .filter(({ name }) => !groups.some((group) => group.operations[0]?.name === name))
        .map(({ name, instructions, allocations, work }) => ({
          name,
          instructions,
          allocations,
          work,
        }));
    expect(counts(second)).toEqual(counts(first));
    expect(counts(first)).toHaveLength(11);
    for (const { name, ns, ratio, instructions, allocations } of first.operations.slice(0, 12)) {
      expect(ns, name).toBeGreaterThan(0);
      expect(ratio.pairs).toBe(8);
      if (IS_COUNTED)
        expect([instructions !== null && instructions > 50, allocations], name).toEqual([true, 0]);
    }
    // An operation of JavaScript has no count.
    expect(first.operations.at(-1)).toMatchObject({
      instructions: null,
      work: expect.stringContaining(' × '),
    });
  });

  it('says what it found as a command', { timeout: 60_000 }, async () => {
    const { code, out } = await command('micro', '--quick');
    expect([0, 4]).toContain(code);
    expect(out).toMatch(/depthwire +[\d.]+ [nµ]s/);
    expect(out).toContain('JSON.parse, a Map and sorted prices');
  });
});

describe('pipeline', () => {
  it('says where the time goes', { timeout: 60_000 }, async () => {
    const to = join(folder, 'pipeline');
    const { data, stages } = await resultOf('pipeline', '--rate', '5000', '--seconds', '0.2', '--out', to);
    const [step] = data.steps as readonly StepReport[];
    expect([step?.planned, step?.engine.all.count, step?.control.all.count]).toEqual([1000, 1000, 1000]);
    expect(step?.stages.map(({ stage, count }) => [stage, count])).toEqual(
      ['decoded', 'sequenced', 'applied', 'encoded', 'published'].map((stage) => [stage, 1000]),
    );
    expect(data.flatOut).toBeGreaterThan(1000);
    expect(stages[0].parts).toHaveLength(5);
    expect(readdirSync(to)).toContain('pipeline-5000-1.hlog');
    expect(readFileSync(join(to, 'report.html'), 'utf8')).toContain('aria-label="time by stage"');
  });

  it('draws each stage as wide as its share', () => {
    const parts = [1, 3].map((times) => ({ stage: `s${times}`, p50: 100 * times, p99: 1000 * times }));
    const widths = [...stageChart([{ name: '<a>', parts }]).matchAll(/width="([\d.]+)" height="16"/g)].map(
      ([, width]) => Number(width),
    );
    const [whole = 0] = widths.slice(-1);
    expect(widths.map((width) => Number((width / whole).toFixed(3)))).toEqual([0.033, 0.1, 0.333, 1]);
    expect(stageChart([])).toBe('');
    expect(stageChart([{ name: '<a>', parts }])).toContain('&lt;a&gt;');
  });
});

describe('wire', () => {
  it('has others beside it', { timeout: 60_000 }, async () => {
    const args = ['wire', '--quick', '--seconds', '0.4', '--rate', '500', '--beside', 'ws'];
    const { data } = await resultOf(...args);
    const counts = data[0].report.targets.map(({ name, deliveries, lost }: TargetReport) => {
      return { name, deliveries, lost };
    });
    const all = ['control', 'depthwire', 'ws'].map((name) => ({ name, deliveries: 200, lost: 0 }));
    expect(counts).toEqual(all);
  });

  it('keeps what the steps before one found that cannot begin', { timeout: 60_000 }, async () => {
    // A server that starts once.
    const [program, mark] = [join(folder, 'once.mjs'), join(folder, 'once')];
    const server = new URL('../dist/bench/server.js', import.meta.url);
    writeFileSync(
      program,
      `import { existsSync, writeFileSync } from 'node:fs';
       if (existsSync(${JSON.stringify(mark)})) process.exit(3);
       writeFileSync(${JSON.stringify(mark)}, '');
       process.argv[2] = '{"kind":"bare"}';
       await import(${JSON.stringify(server)});`,
    );
    const args = ['fanout', '--quick', '--seconds', '0.4', '--rate', '500', '--subscribers', '1,2'];
    const { data, verdict } = await resultOf(...args, '--beside', `${process.execPath} ${program}`);
    expect(data).toHaveLength(1);
    expect(verdict).toMatchObject({
      word: 'FAIL',
      reasons: expect.arrayContaining([
        expect.stringMatching(/^2 subscribers: .*bench\.server.*exit code 3/),
      ]),
    });
  });

  it.each([
    ['is not there', join(folder, 'no-program'), 'ENOENT'],
    ['says something else', `${process.execPath} -e console.log(1)`, 'no ports: 1'],
  ])('says when a program %s', { timeout: 30_000 }, async (_, program, got) => {
    const { code, err } = await command('wire', '--quick', '--beside', program);
    expect([code, err.includes('bench.server'), err.includes(got)], err).toEqual([1, true, true]);
  });
});

describe('recover', () => {
  it('times how soon a lost message is told and mended', { timeout: 60_000 }, async () => {
    const { data, verdict } = await resultOf('recover', '--quick');
    expect(verdict.word, verdict.reasons.join('\n')).not.toBe('FAIL');
    expect(
      data.parts.map(({ part, all }: { part: string; all: { count: number } }) => [part, all.count]),
    ).toEqual([
      ['told', 8],
      ['shown', 8],
    ]);
  });

  it('has a market whose book is what its updates make of it', () => {
    const book = new SimBook();
    expect(book.next().toString()).toBe(updateText(0));
    book.next();
    const { lastUpdateId, bids } = JSON.parse(book.snapshot().toString());
    expect(lastUpdateId).toBe(100_000_000_002);
    expect(bids.slice(0, 5).map(([, qty]: readonly string[]) => qty)).toEqual([
      '1.00000000',
      '1.10000000',
      '2.00000000',
      '2.10000000',
      '9.00000000',
    ]);
  });
});

describe('replay', () => {
  const file = join(folder, 'sim.txt');
  writeFileSync(file, simulatedRecording('BTCUSDT', 3000));
  const of = ['replay', '--instrument', 'sim:BTCUSDT', '--seconds', '0.5'] as const;

  it('goes by the recording’s times, eight times as fast, and without a pause', {
    timeout: 60_000,
  }, async () => {
    const { data, verdict } = await resultOf(...of, file);
    expect(verdict.word, verdict.reasons.join('\n')).not.toBe('FAIL');
    const [one, eight, all] = data;
    expect(data.map(({ speed, isWhole }: { speed: unknown; isWhole: boolean }) => [speed, isWhole])).toEqual([
      [1, false],
      [8, true],
      ['max', true],
    ]);
    expect(eight.messages).toBe(all.messages);
    expect(eight.frames).toBe(all.frames);
    expect(eight.books).toBe(1);
    expect(eight.synced).toBe(1);
    // A sixth of the recording's time.
    expect(one.messages / all.messages).toBeGreaterThan(0.05);
    expect(one.messages / all.messages).toBeLessThan(0.3);
    expect(one.seconds).toBeGreaterThan(0.3);
    expect(eight.lag.count).toBeGreaterThan(20);
    expect(eight.busiest[0]).toBeGreaterThan(eight.busiest[1]);
  });

  it('fails where no book was there', { timeout: 60_000 }, async () => {
    const whole = readFileSync(file, 'utf8').split('\n');
    const torso = join(folder, 'torso.txt');
    writeFileSync(torso, whole.filter((line) => !line.includes('"lastUpdateId"')).join('\n'));
    const { verdict } = await resultOf('replay', '--instrument', 'sim:BTCUSDT', '--seconds', '0.2', torso);
    expect(verdict.word).toBe('FAIL');
    expect(verdict.reasons.join('\n')).toContain('no book was synced');
  });

  it.each([
    ['no file', ['replay'], 2, 'bench.replay'],
    ['a file that is no recording', ['replay', join(folder, 'no.txt')], 1, 'recording.'],
    ['none that is there', ['replay', join(folder, 'absent.gz')], 2, 'recording.missing'],
  ])('refuses %s', async (_, args, code, fault) => {
    writeFileSync(join(folder, 'no.txt'), 'this is no recording\n');
    expect(await command(...args)).toMatchObject({ code, err: expect.stringContaining(fault) });
  });
});

describe('venue', () => {
  async function served(said: (text: string) => readonly string[]): Promise<[string, WebSocketServer]> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      socket.on('message', (text) => {
        for (const answer of said(String(text))) socket.send(answer);
      });
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return [`ws://127.0.0.1:${(server.address() as AddressInfo).port}/x`, server];
  }

  it('measures a line: round trips, gaps and ages', { timeout: 30_000 }, async () => {
    const trade = (id: number): string =>
      JSON.stringify({
        e: 'trade',
        E: Date.now() - 50,
        s: 'BTCUSDT',
        t: id,
        p: '100.00',
        q: '1.0',
        T: Date.now() - 50,
        m: true,
      });
    const [url, server] = await served((text) => (text === 'trades' ? [1, 2, 3, 4].map(trade) : []));
    try {
      const args = ['venue', url, 'sim:BTCUSDT', '--say', 'trades', '--seconds', '1.2'];
      const { data, verdict } = await resultOf(...args);
      expect(verdict.word, verdict.reasons.join('\n')).not.toBe('FAIL');
      const part = (name: string) => data.parts.find((one: { name: string }) => one.name === name)?.all;
      expect(data.messages).toBe(4);
      // The silence behind the last one is the fourth.
      expect(part('between messages').count).toBe(4);
      expect(part('round trip').count).toBeGreaterThanOrEqual(2);
      expect(part('age when received').count).toBe(4);
      expect(part('age when received').p50 / 1e6).toBeGreaterThan(49);
    } finally {
      server.close();
    }
  });

  it('tells no age by a clock that is behind, and charges for what never came', {
    timeout: 30_000,
  }, async () => {
    const trade = JSON.stringify({
      e: 'trade',
      E: 4e12,
      s: 'BTCUSDT',
      t: 1,
      p: '100.00',
      q: '1.0',
      T: 4e12,
      m: true,
    });
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
    server.on('connection', (socket) => socket.on('message', () => socket.send(trade)));
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const { data, verdict } = await resultOf('venue', url, 'sim:BTCUSDT', '--say', 'x', '--seconds', '1.4');
      const part = (name: string) => data.parts.find((one: { name: string }) => one.name === name)?.all;
      expect(part('age when received')).toBeUndefined();
      expect(part('round trip').count).toBe(3);
      expect(part('round trip').max / 1e9).toBeGreaterThan(1.3);
      expect(part('between messages').max / 1e9).toBeGreaterThan(1.2);
      expect(verdict.word).toBe('FAIL');
      expect(verdict.reasons.join('\n')).toMatch(/2 pings had no answer\n1 of 1 events are dated behind/);
    } finally {
      server.close();
      for (const socket of server.clients) socket.terminate();
    }
  });

  it('fails where nothing comes, and where there is nobody', { timeout: 30_000 }, async () => {
    const [url, server] = await served(() => []);
    try {
      const { verdict } = await resultOf('venue', url, '--seconds', '0.1');
      expect(verdict).toMatchObject({
        word: 'FAIL',
        reasons: expect.arrayContaining([expect.stringContaining('--say')]),
      });
    } finally {
      server.close();
    }
    const refused = async (url: string) => {
      const { code, err } = await command('venue', url);
      return [code, /\(bench\.\w+\)/.exec(err)?.[0]];
    };
    expect(await refused('ws://127.0.0.1:1/x')).toEqual([1, '(bench.venue)']);
    expect(await refused('http://x')).toEqual([2, '(bench.address)']);
  });
});

it.each([
  ['micro', '--rate', '5'],
  ['slow', '--beside', 'ws'],
  ['recover', '--seconds', '60'],
  ['floor', '--record'],
])('refuses %s with %s, which it does not heed', async (...args) => {
  const { code, err } = await command(...args);
  expect([
    code,
    err.includes('bench.option'),
    err.includes(`${args[1]} has no effect on ${args[0]}`),
  ]).toEqual([2, true, true]);
});

it.each([
  ['micro', 1500],
  ['pipeline', 1000],
  ['floor', 500],
])('%s that is interrupted still writes its report', { timeout: 60_000 }, async (name, ms) => {
  const to = join(folder, `cut-${name}`);
  const stop = new AbortController();
  setTimeout(() => stop.abort('SIGINT'), ms);
  const began = performance.now();
  const { code, out } = await benchCommand(folder, [name, '--out', to], stop.signal);
  expect(code).toBe(1);
  expect(performance.now() - began).toBeLessThan(ms + 8000);
  expect(out).toContain('ended before its time');
  expect(JSON.parse(readFileSync(join(to, 'report.json'), 'utf8')).results).toHaveLength(1);
});

it('keeps no more samples than it says, and counts the others', () => {
  const began = performance.now();
  const samples = new Samples(began, 5000);
  for (let at = 0; at < 5007; at += 1) samples.add(at * 1e6, 1000 + at);
  expect([samples.count, samples.dropped]).toEqual([5000, 7]);
  // The log began a second before the samples, and was noisy at 0.5, 2.1 to 2.2 and 3.1 s.
  const startedMs = performance.timeOrigin + began - 1000;
  const noisy = [
    [0.49e9, 0.51e9],
    [2.1e9, 2.2e9],
    [3.1e9, 3.103e9],
  ] as const;
  const log = { noisy, startedMs } as unknown as HiccupReport;
  const { all, quiet, quietShare } = samples.report('x', log);
  // To three digits.
  expect([all.count, all.min, all.max]).toEqual([5000, 1000, 5999]);
  expect(quiet.count).toBe(5000 - 100 - 3);
  expect(quietShare).toBeCloseTo(quiet.count / 5000, 12);
});
