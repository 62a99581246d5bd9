import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { afterAll, describe, expect, it } from 'vitest';
import { errorOf, type TargetReport } from '../src/bench/measure.js';
import { PROOF } from '../src/bench/proof.js';
import { SCENARIOS, scenariosOf } from '../src/bench/scenarios.js';
import { startTarget } from '../src/bench/target.js';
import { type Asked, asked, CONTROL, overWire } from '../src/bench/wire.js';
import { benchCommand, type Ended } from './support/bench-command.js';
import { fault } from './support/layered.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL: Asked = { ...asked({ isQuick: true, seconds: 1, rate: 1000 }, 1), warmSeconds: 0.3 };

const command = (args: readonly string[], signal?: AbortSignal): Promise<Ended> =>
  benchCommand(folder, args, signal);

describe('depthwire bench', () => {
  it('looks at the machine, and writes what other tools read', { timeout: 60_000 }, async () => {
    const to = join(folder, 'floor');
    const { code, out, err } = await command(['floor', '--seconds', '0.6', '--out', to]);
    expect(err).toBe('');
    expect([0, 4]).toContain(code);
    expect(out).toMatch(/from core to core +[\d.]+ [nµm]s/);
    expect(out).toMatch(/128 bytes over the loopback and back +400 /);
    expect(out).toMatch(/^Of 400 messages over the loopback 400 came back and \d+ left late\.$/m);
    expect(readdirSync(to).sort()).toEqual([
      'floor-hiccups.hlog',
      'floor-loopback.hgrm',
      'report.html',
      'report.json',
      'report.md',
    ]);
    expect(readFileSync(join(to, 'report.md'), 'utf8')).toMatch(
      /^\| 128 bytes over the loopback and back \| 400 \|/m,
    );
    const report = JSON.parse(readFileSync(join(to, 'report.json'), 'utf8'));
    expect(report).toMatchObject({
      verdict: { word: code === 0 ? 'PASS' : 'NOISY' },
      results: [{ scenario: 'floor', data: { loopback: { count: 400 } } }],
    });
  });

  it('sends over the wire, loses nothing, and counts what other tools count', {
    timeout: 60_000,
  }, async () => {
    const to = join(folder, 'wire');
    const args = ['wire', '--seconds', '1.5', '--rate', '1000', '--quick', '-o', 'json', '--out', to];
    const { code, out } = await command(args);
    const { verdict, results } = JSON.parse(out);
    expect(code, verdict.reasons.join('\n')).toBe({ PASS: 0, NOISY: 4, FAIL: 1 }[verdict.word as 'PASS']);
    const { targets } = results[0].data[0].report;
    expect(targets.map(({ name }: TargetReport) => name)).toEqual(['control', 'depthwire']);
    for (const target of targets as readonly TargetReport[]) {
      const { planned, sent, lost, repeated, unknown, counted, deliveries, fromPlanned } = target;
      expect({ planned, sent, lost, repeated, unknown }).toEqual({
        planned: 1800,
        sent: 1800,
        lost: 0,
        repeated: 0,
        unknown: 0,
      });
      expect({ counted, deliveries, samples: fromPlanned.count }).toEqual({
        counted: 1500,
        deliveries: 1500,
        samples: 1500,
      });
      expect(fromPlanned.p50).toBeGreaterThan(1000);
      const read = histogramOf(readFileSync(join(to, `wire-${target.name}.hlog`), 'utf8'));
      expect(read.totalCount).toBe(1500);
      expect(read.getValueAtPercentile(50)).toBe(fromPlanned.p50);
      expect(read.getValueAtPercentile(99)).toBe(fromPlanned.p99);
      // The percentile table is what that library itself makes of the log.
      const table = readFileSync(join(to, `wire-${target.name}.hgrm`), 'utf8');
      const [last] = valuesOf(table).slice(-1);
      expect(last).toEqual([(fromPlanned.max / 1000).toFixed(3), '1.000000000000', '1500']);
      const [mine, theirs] = [valuesOf(table), valuesOf(read.outputPercentileDistribution(5, 1000))];
      expect(mine.map(([, share]) => share)).toEqual(theirs.map(([, share]) => share));
      // Which of two neighbours is "the value at 62.5 %" is a question of rounding.
      for (const [value, share] of mine) {
        const around = [-1, 1].map((by) => {
          const percentile = Math.min(100, Math.max(0, Number(share) * 100 + (by * 100) / read.totalCount));
          return read.getValueAtPercentile(percentile) / 1000;
        });
        // Values are told by the end of what is not told apart, a thousandth on.
        expect(Number(value)).toBeGreaterThanOrEqual((around[0] ?? 0) * 0.999);
        expect(Number(value)).toBeLessThanOrEqual((around[1] ?? 0) * 1.001);
      }
    }
  });

  it('goes through steps of subscribers', { timeout: 60_000 }, async () => {
    const args = [
      'fanout',
      '--subscribers',
      '1,3',
      '--seconds',
      '1',
      '--rate',
      '500',
      '--quick',
      '-o',
      'json',
    ];
    const { results } = JSON.parse((await command(args)).out);
    const rans: readonly { readonly report: { readonly targets: readonly TargetReport[] } }[] =
      results[0].data;
    const deliveries = rans.map(({ report }) => report.targets.map(({ deliveries }) => deliveries));
    expect(deliveries).toEqual([
      [250, 250],
      [750, 750],
    ]);
    for (const target of rans[1]?.report.targets ?? []) {
      expect(target).toMatchObject({ lost: 0, skew: { count: 250 } });
      const [least, middle, greatest] = target.subscribersP50;
      expect(least > 0 && least <= middle && middle <= greatest).toBe(true);
    }
  });

  it('finds no difference between a thing and itself, and says what a slow one is', {
    timeout: 60_000,
  }, async () => {
    const args = ['--seconds', '1', '--rate', '1000', '--quick', '-o', 'json'];
    const same = JSON.parse((await command([...args, 'compare', 'control', 'control'])).out).results[0];
    expect(same.tables[0].rows[0]).toEqual(['p50', expect.stringMatching(/ of 4$/), expect.any(String)]);
    expect(same.data[0].report.targets.map(({ name }: TargetReport) => name)).toEqual([
      'A control',
      'B control',
    ]);
    expect(await command(['compare', 'control', 'none.node'])).toMatchObject({ code: 2 });
    expect(await command(['compare', 'control'])).toMatchObject({ code: 2 });
  });

  it('has readers that never read beside others, which lose nothing', { timeout: 60_000 }, async () => {
    const args = ['slow', '--subscribers', '3,2', '--seconds', '1', '--rate', '500', '--quick', '-o', 'json'];
    const { results } = JSON.parse((await command(args)).out);
    const targets: readonly TargetReport[] = results[0].data[0].report.targets;
    expect(targets.map(({ deliveries, lost }) => [deliveries, lost])).toEqual([
      [1500, 0],
      [1500, 0],
    ]);
    expect(results[0].tables[0].rows).toEqual([
      ['p50', expect.stringMatching(/ of 2$/)],
      ['p99', expect.stringMatching(/ of 2$/)],
    ]);
  });

  it.each(['poisson', 'bursts'])('sends by a plan of %s', { timeout: 60_000 }, async (arrivals) => {
    const args = ['wire', '--arrivals', arrivals, '--rate', '500', '--quick', '-o', 'json'];
    const { targets } = JSON.parse((await command(args)).out).results[0].data[0].report;
    for (const { planned, sent, lost } of targets) {
      // Of 650 that come by chance, five standard deviations.
      expect(Math.abs(planned - 650)).toBeLessThan(arrivals === 'poisson' ? 128 : 1);
      expect({ sent, lost }).toEqual({ sent: planned, lost: 0 });
    }
  });

  it('says when no rate holds a limit', { timeout: 60_000 }, async () => {
    const ended = await command(['max', '--limit-us', '1', '--seconds', '0.3', '--rate', '1000']);
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('not even 1000 messages a second hold p99 below 1.00 µs');
  });

  it('soaks', { timeout: 60_000 }, async () => {
    const args = ['soak', '--seconds', '3', '--rate', '200', '--subscribers', '2', '-o', 'json'];
    const { results } = JSON.parse((await command(args)).out);
    const { tenths, looks, kept } = results[0].data;
    expect(tenths.reduce((sum: number, { samples }: { samples: number }) => sum + samples, 0)).toBe(1200);
    expect(looks.length).toBeGreaterThan(10);
    expect(looks.every(({ bytes }: { bytes: number }) => bytes > 2 ** 24)).toBe(true);
    // Nobody is stopped to collect garbage in a run that is short.
    expect(kept).toEqual([]);
  });

  it.each([
    [
      ['latency'],
      'bench.scenario',
      'floor, micro, pipeline, wire, fanout, slow, recover, replay, max, compare, race, venue, soak, gate, proof',
      2,
    ],
    [['wrie'], 'bench.scenario', 'did you mean wire?', 2],
    [['wire', '--rate', '9000000'], 'bench.rate', 'at most 5000000 a second', 2],
    [['wire', '--rate', '100000', '--seconds', '100000'], 'bench.seconds', 'at most 90000 s', 2],
    [['wire', '--subscribers', '60000'], 'bench.subscribers', '1 to 20000', 2],
    [['slow', '--subscribers', '19000,2000'], 'bench.subscribers', '21000', 2],
    [['max', '--rate', '1e9'], 'bench.rate', '1 to 20000000', 2],
    [['soak', '--seconds', '86400', '--rate', '1000'], 'bench.rate', '1 to 20000000', 2],
    [['floor', '--seconds', '1e-9'], 'bench.seconds', '0.1 to 10000 s', 2],
    // Before the first scenario, which would take its time.
    [['soak', 'wire', 'replay'], 'bench.replay', 'nothing to replay', 2],
    [['soak', 'replay', join(folder, 'none.gz')], 'recording.missing', 'none.gz', 2],
    [['soak', 'compare', 'x'], 'bench.compare', 'a comparison is of two', 2],
    [['soak', 'compare', 'control', 'x'], 'bench.compare', 'nothing to compare', 2],
    [['soak', 'race', join(folder, 'none')], 'recording.missing', 'none', 2],
    [['soak', 'venue', 'http://x'], 'bench.address', 'no address of a WebSocket', 2],
    [['soak', 'venue', 'ws://x', 'x'], 'instrument', 'x', 2],
    [['soak', 'gate', join(folder, 'none.json')], 'bench.gate', 'no such file', 2],
    [['wire', '--subscribers', '2,50'], 'bench.subscribers', 'one number', 2],
    [['max', 'soak', '--subscribers', '2,50'], 'bench.subscribers', 'max, soak', 2],
    [['slow', '--subscribers', '2,1,1'], 'bench.subscribers', 'two numbers', 2],
    // Before the first of the five, which would take its time.
    [['--rate', '1e8'], 'bench.rate', '1 to 20000000', 2],
    [['floor', '--out', join(folder, 'taken', 'x')], 'bench.folder', 'a folder that takes files', 2],
  ])('refuses %j', async (args, code, text, exit) => {
    writeFileSync(join(folder, 'taken'), '');
    const ended = await command(args);
    expect(ended).toMatchObject({ code: exit, out: '', err: expect.stringContaining(code) });
    expect(ended.err).toContain(text);
  });

  it.each([
    ['--changes', '51'],
    ['--changes', '2.5'],
    ['--arrivals', 'odd'],
    ['--seconds', '0'],
    ['--rate', '-1'],
    ['--rate', 'x'],
    ['--subscribers', '0'],
    ['--output', 'xml'],
  ])('refuses %s %s', async (...args) => {
    expect(await command(['wire', ...args])).toMatchObject({ code: 2, out: '' });
  });

  it('writes what it has when it is interrupted', { timeout: 60_000 }, async () => {
    const stop = new AbortController();
    const to = join(folder, 'cut');
    const running = command(['wire', '--seconds', '60', '--out', to], stop.signal);
    // Two servers have started by then, on a busy machine too.
    await pause(5000);
    stop.abort('SIGINT');
    const { code, out } = await running;
    expect(code).toBe(1);
    expect(out).toContain('the run was ended before its time');
    const report = JSON.parse(readFileSync(join(to, 'report.json'), 'utf8'));
    expect(report.results[0].data[0].report.ended.code).toBe('bench.cancelled');
  });

  it('that could not begin is no PASS, and its report says why', async () => {
    const to = join(folder, 'refused');
    const { code, out } = await command(['wire', '--beside', '/no/such', '-o', 'json', '--out', to]);
    expect(code).toBe(1);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ verdict: { word: 'FAIL' }, results: [], fault: { code: 'bench.server' } });
    expect(JSON.parse(readFileSync(join(to, 'report.json'), 'utf8'))).toEqual(report);
    expect(readFileSync(join(to, 'report.html'), 'utf8')).toContain('bench.server');
  });

  it('has a summary and a duration for each scenario', () => {
    const { scenarios } = scenariosOf([]);
    expect(scenarios.map(({ name }) => name)).toEqual(['floor', 'micro', 'pipeline', 'wire', 'fanout']);
    const seconds = (isQuick: boolean) =>
      scenarios.reduce((sum, scenario) => sum + scenario.seconds({ isQuick }), 0);
    expect(seconds(true)).toBeLessThanOrEqual(20);
    expect(seconds(false)).toBeLessThanOrEqual(180);
    for (const { summary } of SCENARIOS) expect(summary).not.toBe('');
    expect(fault(() => scenariosOf(['x'])).code).toBe('bench.scenario');
  });
});

describe('a figure is true', () => {
  it('of a stall, which a client that waits does not see', { timeout: 60_000 }, async () => {
    const stall = { atMessage: 2600, ms: 200 };
    const plan: Asked = { ...SMALL, seconds: 4, arrivals: { kind: 'even', rate: 2000 } };
    const { report } = await overWire([{ name: 'stalled', spec: { kind: 'bare', stall } }], plan);
    const found = report.targets[0] as TargetReport;
    // 200 of 4,000 ms: 2.5 % wait for more than half of it, 1 % for more than four fifths. The machine may add to it.
    expect(found.fromPlanned.p975 / 1e6).toBeGreaterThan(95);
    expect(found.fromPlanned.p975 / 1e6).toBeLessThan(200);
    expect(found.fromPlanned.p99 / 1e6).toBeGreaterThan(152);
    expect(found.fromPlanned.p99 / 1e6).toBeLessThan(300);
    expect(found.fromPlanned.max / 1e6).toBeGreaterThan(195);
    expect(found.closedLoop.p99).toBeLessThan(found.fromPlanned.p99 / 3);
  });

  // Of a machine that others use much the stall is theirs in part, and left out.
  it('without hiccups has what the server itself held up', { timeout: 90_000, retry: 4 }, async () => {
    const stall = { atMessage: 600, ms: 100 };
    const plan: Asked = { ...SMALL, seconds: 2, arrivals: { kind: 'even', rate: 1000 } };
    const { report } = await overWire([{ name: 'stalled', spec: { kind: 'bare', stall } }], plan);
    const { fromPlanned, fromPlannedQuiet, quietShare } = report.targets[0] as TargetReport;
    expect(fromPlanned.max / 1e6).toBeGreaterThan(95);
    // Left out, the stall and what is near it are 6 % of the time.
    if ((quietShare ?? 0) > 0.9) expect(fromPlannedQuiet.max / 1e6).toBeGreaterThan(95);
  });

  const onLinux = it.runIf(process.platform === 'linux');
  onLinux('of servers that are kept off the generator’s core', { timeout: 60_000 }, async () => {
    const coresOf = (pid: number | 'self') => {
      const list =
        /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
      return list.split(',').flatMap((part) => {
        const [from = 0, to = from] = part.split('-').map(Number);
        return Array.from({ length: to - from + 1 }, (_, at) => from + at);
      });
    };
    const all = coresOf('self');
    let ofServer: readonly number[] = [];
    const { report } = await overWire([CONTROL], SMALL, undefined, ([server]) => {
      ofServer = coresOf(server?.pid ?? 0);
      return () => {};
    });
    expect(coresOf('self')).toEqual(all);
    expect(ofServer).toEqual(all.length > 1 ? all.slice(0, -1) : all);
    expect(report.generatorCore).toBe(all.length > 1 ? all.at(-1) : null);
  });

  it('of a delay', { timeout: 60_000 }, async () => {
    const delayed = { name: 'delayed', spec: { kind: 'bare', busyUs: 1000 } } as const;
    const plan: Asked = { ...SMALL, seconds: 2, arrivals: { kind: 'even', rate: 200 } };
    const { report } = await overWire([CONTROL, delayed], plan);
    const [control, slow] = report.targets as readonly [TargetReport, TargetReport];
    // Of the least, which no other program of the machine touches; `depthwire bench proof` holds the middle to 5 %.
    const difference = slow.fromPlanned.min - control.fromPlanned.min;
    expect(difference / 1e6).toBeGreaterThan(0.7);
    expect(difference / 1e6).toBeLessThan(2);
  });
});

describe('a run fails', () => {
  const short: Asked = { ...SMALL, seconds: 0.8, drainSeconds: 0.5 };

  it('when the server is given more than it takes', { timeout: 60_000 }, async () => {
    const plan: Asked = { ...short, arrivals: { kind: 'even', rate: 5000 } };
    const { verdict } = await overWire([{ name: 'slow', spec: { kind: 'bare', busyUs: 1000 } }], plan);
    expect(verdict.word).toBe('FAIL');
    expect(verdict.reasons.join('\n')).toMatch(/slow: \d+ deliveries never came/);
  });

  it('when something is lost', { timeout: 60_000 }, async () => {
    const { verdict, report } = await overWire(
      [{ name: 'lossy', spec: { kind: 'bare', dropEach: 100 } }],
      short,
    );
    // Of 1,100 messages and the first of all.
    expect(report.targets[0]?.lost).toBe(11);
    expect(verdict).toMatchObject({
      word: 'FAIL',
      reasons: expect.arrayContaining(['lossy: 11 deliveries never came']),
    });
  });

  it('when the generator is late', { timeout: 60_000 }, async () => {
    const { verdict } = await overWire([CONTROL], { ...short, pauseMs: 50 });
    expect(verdict.word).toBe('FAIL');
    expect(verdict.reasons.join('\n')).toMatch(/control: \d+\.\d % of the messages left late/);
  });

  it('when the server dies, and tells what it had', { timeout: 60_000 }, async () => {
    const crash = { name: 'dying', spec: { kind: 'bare', stall: { atMessage: 900, ms: 60_000 } } } as const;
    const { verdict, report } = await overWire([crash], { ...short, seconds: 30 }, undefined, ([server]) => {
      const timer = setTimeout(() => process.kill(server?.pid ?? 0, 'SIGKILL'), 3000);
      return () => clearTimeout(timer);
    });
    expect(report.ended?.code).toBe('bench.server');
    expect(report.targets[0]?.deliveries).toBeGreaterThan(300);
    expect(verdict.word).toBe('FAIL');
    expect(verdict.reasons[0]).toContain('dying ended: SIGKILL');
  });
});

it('tells faults of the addon as errors of this package', () => {
  const error = errorOf({ code: 'bench.x', what: 'w', expected: 'e', got: 'g', fix: 'f' });
  expect(error.toJSON()).toEqual({
    code: 'bench.x',
    what: 'w',
    where: '',
    expected: 'e',
    got: 'g',
    fix: 'f',
  });
});

it('says when the server under test does not come up', { timeout: 30_000 }, async () => {
  const wrong = startTarget('none', { kind: 'none' as 'bare' });
  await expect(wrong).rejects.toMatchObject({
    code: 'bench.server',
    got: expect.stringContaining('no server of the kind none'),
  });
});

it('tells the memory that a server keeps when its garbage is collected', { timeout: 30_000 }, async () => {
  const target = await startTarget('control', { kind: 'bare' });
  const kept = (): Promise<number> => new Promise((resolve) => target.collect(resolve));
  try {
    const [first, second] = [await kept(), await kept()];
    expect(first).toBeGreaterThan(2 ** 24);
    expect(first).toBeLessThan(2 ** 28);
    expect(Math.abs(second / first - 1)).toBeLessThan(0.1);
  } finally {
    await target.stop();
  }
  // One that has ended is asked in vain.
  expect(() => target.collect(() => {})).not.toThrow();
});

it('proves itself in less time than it states', () => {
  expect(PROOF.seconds({ isQuick: true })).toBeLessThan(40);
});

/** The sum of an interval log. */
function histogramOf(log: string): Histogram {
  const encoded = log.split('\n').flatMap((line) => {
    const last = line.split(',').at(-1) ?? '';
    return last.startsWith('HIST') ? [last] : [];
  });
  const [first, ...rest] = encoded.map((text) => decodeFromCompressedBase64(text));
  if (first === undefined) throw new Error('no histogram in the log');
  for (const histogram of rest) first.add(histogram);
  return first;
}

/** Value, percentile and count of each line. */
function valuesOf(table: string): readonly (readonly string[])[] {
  return table
    .split('\n')
    .flatMap((line) => (/^ *\d/.test(line) ? [line.trim().split(/ +/).slice(0, 3)] : []));
}
