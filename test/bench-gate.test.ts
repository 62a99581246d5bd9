import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type GateRecord, judge, keep, recordOf } from '../src/bench/gate.js';
import type { MicroPlan } from '../src/bench/measure.js';
import { type Measured, measured, type Operation } from '../src/bench/micro.js';
import { benchCommand, type Ended, IS_COUNTED, SMALL } from './support/bench-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-gate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const command = (...args: readonly string[]): Promise<Ended> => benchCommand(folder, args);

describe('gate', () => {
  const busy: Measured = {
    groups: [],
    operations: [],
    verdict: { word: 'NOISY', reasons: ['other programs took 0.20 of a core'] },
  };
  const operation: Operation = {
    group: 'g',
    name: 'o',
    ns: 10,
    spread: 0,
    ratio: { pairs: 31, median: 0.5, low: 0.49, high: 0.51 },
    instructions: 1000,
    allocations: 0,
    work: 'w',
  };
  /** The plain way, whose instructions nobody is held to. */
  const plain: Operation = { ...operation, name: 'plain', instructions: 7 };
  const found = (
    change: Partial<Operation>,
    verdict: Measured['verdict'] = { word: 'PASS', reasons: [] },
  ) => ({
    groups: [],
    operations: [plain, { ...operation, ...change }],
    verdict,
  });
  const before = recordOf(found({}), { rounds: 31, things: 100, counted: 1 });

  it.each<[string, Partial<Operation>, number, number]>([
    ['the same', {}, 0, 0],
    ['0.1 % more', { instructions: 1001 }, 0, 0],
    ['0.5 % more', { instructions: 1005 }, 0, 1],
    ['1 % more', { instructions: 1010 }, 0, 1],
    ['beyond 1 %', { instructions: 1011 }, 1, 0],
    ['fewer', { instructions: 900 }, 0, 1],
    ['no count', { instructions: null }, 1, 0],
    ['an allocation', { allocations: 1 }, 1, 0],
    ['allocations that cannot be counted', { allocations: null }, 1, 0],
    ['an allocation in sixteen', { allocations: 0.0625 }, 1, 0],
    ['time within 5 %', { ratio: { pairs: 31, median: 0.53, low: 0.52, high: 0.54 } }, 0, 0],
    ['time that may be within', { ratio: { pairs: 31, median: 0.6, low: 0.5, high: 0.7 } }, 0, 0],
    ['time beyond 5 %', { ratio: { pairs: 31, median: 0.54, low: 0.53, high: 0.55 } }, 1, 0],
    ['too few pairs', { ratio: { pairs: 5, median: 9, low: 9, high: 9 } }, 0, 0],
    ['other work', { work: 'x' }, 1, 0],
    ['another operation', { name: 'p' }, 1, 1],
  ])('judges %s', (_, change, fails, notes) => {
    const judged = judge(before, found(change));
    expect([judged.fails.length, judged.notes.length], JSON.stringify(judged)).toEqual([fails, notes]);
  });

  it('compares no times of a busy machine, and no instructions of another processor', () => {
    const slow = { ratio: { pairs: 31, median: 5, low: 5, high: 5 } };
    for (const judged of [
      judge(before, found(slow, busy.verdict)),
      judge({ ...before, isQuiet: false }, found(slow)),
      judge({ ...before, processor: 'x' }, found({ instructions: 9999 })),
    ])
      expect([judged.fails, judged.noises.length]).toEqual([[], 1]);
    expect(judge({ ...before, processor: 'x' }, found({ allocations: 1 })).fails).toHaveLength(1);
  });

  it.runIf(IS_COUNTED)('sees what is planted', { timeout: 60_000 }, async () => {
    const record = { ...recordOf(await measured(SMALL), SMALL), isQuiet: true };
    const quiet = async (change: Partial<MicroPlan>) => {
      const again = await measured({ ...SMALL, ...change });
      // Whatever else runs here: times are compared, too.
      return judge(record, { ...again, verdict: { word: 'PASS', reasons: [] } }).fails;
    };
    const isOf = (what: RegExp) => (text: string) => what.test(text);
    const counts = (fails: readonly string[], what: RegExp) => fails.filter(isOf(what)).length;
    const planted = {
      turns: await quiet({ planted: { turns: 100 } }),
      allocations: await quiet({ planted: { allocations: 1 } }),
    };
    // Seven operations of the addon are made worse, those that the others are measured by are not.
    expect(counts(planted.turns, / instructions, /)).toBe(7);
    expect(counts(planted.allocations, / allocates 1 times, 0 were recorded/)).toBe(7);
    // Counting so much would take minutes. It is many times what any of them takes: the machine may be busy.
    const slow = await quiet({ counted: 0, planted: { turns: 100_000 } });
    expect(counts(slow, / of the first, /)).toBeGreaterThanOrEqual(7);
    expect(counts(await quiet({}), / instructions, | allocates /)).toBe(0);
  });

  it('writes a record and reads it again', { timeout: 60_000 }, async () => {
    const file = join(folder, 'gate.json');
    // On a busy machine it says that its times are not compared.
    expect([0, 4]).toContain((await command('gate', '--record', '--quick', file)).code);
    const record = JSON.parse(readFileSync(file, 'utf8')) as GateRecord;
    expect(record).toMatchObject({ format: 1, plan: { counted: 4 } });
    record.operations = record.operations.map((one) => ({ ...one, allocations: null, instructions: 1 }));
    writeFileSync(file, JSON.stringify({ ...record, isQuiet: false }));
    if (!IS_COUNTED) return;
    const { code, out } = await command('gate', file);
    expect(code).toBe(1);
    expect(out).toContain(' instructions, 1 were recorded');
  });

  it.each([
    ['none', [join(folder, 'none.json')]],
    ['two', ['a', 'b']],
  ])('refuses %s', async (_, files) => {
    expect(await command('gate', ...files)).toMatchObject({
      code: 2,
      err: expect.stringContaining('bench.gate'),
    });
  });

  it('refuses what is no record', async () => {
    const file = join(folder, 'bad.json');
    for (const [text, got] of [
      ['{"format":2}', 'format'],
      ['{"format":', 'a file that is no JSON'],
      ['', 'an empty file'],
    ] as const) {
      writeFileSync(file, text);
      const { code, err } = await command('gate', file);
      expect([code, err.includes('bench.gate'), err.includes('--record'), err.includes(got)], err).toEqual([
        2,
        true,
        true,
        true,
      ]);
    }
  });

  it('leaves nothing where a record was to be, when it is interrupted or cannot write', async () => {
    const to = join(folder, 'cut-record');
    mkdirSync(to);
    const stop = new AbortController();
    setTimeout(() => stop.abort('SIGINT'), 200);
    const { code } = await benchCommand(folder, ['gate', '--record', join(to, 'g.json')], stop.signal);
    expect([code, readdirSync(to)]).toEqual([1, []]);
    for (const file of [to, join(to, 'none', 'g.json')]) {
      const { code, err } = await command('gate', '--record', file);
      expect([code, err.includes('the record cannot be written')], err).toEqual([2, true]);
    }
  });

  it('keeps what a quiet machine recorded from what a busy one would', () => {
    const file = join(folder, 'kept.json');
    const isQuietIn = (): boolean => JSON.parse(readFileSync(file, 'utf8')).isQuiet;
    const [quiet, noisy] = [before, { ...before, isQuiet: false }];
    expect(keep(file, noisy, ['busy']).notes[0]).toContain('Its times will not be compared');
    expect(keep(file, quiet, [])).toEqual({ fails: [], noises: [], notes: [`Written to ${file}.`] });
    expect(keep(file, noisy, ['busy'])).toEqual({
      fails: [],
      noises: ['busy', expect.stringContaining(`${file} stays as it was: `)],
      notes: [],
    });
    expect(isQuietIn()).toBe(true);
    // What is no record is none to lose.
    writeFileSync(file, '');
    keep(file, noisy, ['busy']);
    expect(isQuietIn()).toBe(false);
  });
});
