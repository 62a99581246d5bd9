import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { countsOf, judge } from '../bench/gates.mjs';
import { root } from '../scripts/sources.mjs';
import { ofGates } from '../scripts/totals.mjs';

const gate = {
  bench: 'l2_apply',
  workload: 'sim-btcusdt',
  contender: 'ladder',
  unit: 'level change',
  instructions: 100,
  ratio: 0.25,
};
const recorded = { rustc: 'rustc 1.95.0', arch: 'x64', tolerance: 0.02, ratioTolerance: 0.15, gates: [gate] };

describe('a gate', () => {
  test('holds at its limit and when the planted regression lies above it', () => {
    expect(judge(gate, { gate: 102, planted: 103 }, recorded).ok).toBe(true);
  });

  test('fails above its limit', () => {
    const verdict = judge(gate, { gate: 102.1, planted: 110 }, recorded);
    expect(verdict).toEqual({ ok: false, text: '102.1 instructions per level change, limit 102.0: ABOVE' });
  });

  test('fails when it does not see a planted regression', () => {
    const verdict = judge(gate, { gate: 100, planted: 102 }, recorded);
    expect(verdict.ok).toBe(false);
    expect(verdict.text).toContain('a planted regression of 2.0 % was NOT SEEN');
  });

  test('compares the ratio to the baseline where it was counted, for another compiler', () => {
    expect(judge(gate, { gate: 280, baseline: 1_000 }, recorded).ok).toBe(true);
    expect(judge(gate, { gate: 290, baseline: 1_000 }, recorded).ok).toBe(false);
  });

  test('fails without a count', () => {
    expect(judge(gate, { gate: Number.NaN }, recorded).ok).toBe(false);
  });

  test('says when a count has become better', () => {
    expect(judge(gate, { gate: 90, planted: 110 }, recorded).text).toContain('better than 100.0: record it');
  });
});

test('counts are paired with runs in order, each for one thing done', () => {
  const line = (run: string) => JSON.stringify({ bench: 'b', workload: 'w', contender: 'c', run, count: 10 });
  const counts = countsOf(['SKIPPED: gate b other c: no recordings', line('warm'), line('gate')], [5, 30]);
  expect(counts.get('b w c')).toEqual({ warm: 0.5, gate: 3 });
  expect(() => countsOf([line('gate')], [])).toThrow('1 runs, but 0 counts');
});

test('every gate that is kept has a count and a ratio of its own', () => {
  const kept = JSON.parse(readFileSync(path.join(root, 'bench', 'gates.json'), 'utf8'));
  const names = kept.gates.map((each: typeof gate) => `${each.bench} ${each.workload} ${each.contender}`);
  expect(new Set(names).size).toBe(names.length);
  for (const { instructions, ratio } of kept.gates) {
    expect(instructions).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
  }
  expect(kept.rustc).toMatch(/^rustc \d/);
});

test('totals: a line for each gate, and a bad end is a failure', () => {
  const outcome = (output: string, ok: boolean) => ({ ok, ending: 'exit code 1', output, elapsedMs: 0 });
  const lines = 'ok     a b c: 1.0\nSKIPPED: gate a d c: no recordings at x\n';
  expect(ofGates(outcome(lines, true))).toMatchObject({ passed: 1, failed: 0, skipped: 1 });
  expect(ofGates(outcome(`${lines}FAILED a e c: 2.0\n`, false))).toMatchObject({ passed: 1, failed: 1 });
  expect(ofGates(outcome('', false)).failed).toBe(1);
  expect(ofGates(outcome('', true)).failed).toBe(1);
});
