import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FIGURES, Found, section, untold, withSection } from '../bench/performance.mjs';

const README = readFileSync(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');

describe('the figures of the README', () => {
  it('are those of the records', () => {
    expect(withSection(README)).toBe(README);
  });

  it.each(FIGURES.map((row) => [row.what, row] as const))('%s', (_, row) => {
    expect(row.record).toMatch(/^[\w-]+\.(json|md)$/);
    if (typeof row.here === 'string' && typeof row.beside === 'string')
      expect(untold({ ...row, here: row.here, beside: row.beside })).toEqual([]);
    expect(section()).toContain(`| ${row.what} | `);
  });

  it('cannot be of a record that is not there, or that does not say them', () => {
    const prose = { what: 'x', beside: '', record: '2026-11-30-page.md' };
    expect(untold({ ...prose, here: '38.6 %' })).toEqual([]);
    expect(untold({ ...prose, here: '38.7 %, 1.23' })).toEqual(['38.7', '1.23']);
    expect(() => untold({ ...prose, here: '1', record: 'none.md' })).toThrow('none.md');
    expect(() => new Found('none.json')).toThrow('none.json');
    const found = new Found('2026-11-30-in-process.json');
    expect(() => found.cell('micro', 'no table', 'x', 'p50')).toThrow('has no micro · no table');
    expect(() => found.rows('no_bench', /./, 'x')).toThrow('has no no_bench');
  });

  it('are figures of runs that may be believed', () => {
    for (const name of new Set(FIGURES.map(({ record }) => record))) {
      if (!name.endsWith('.json')) continue;
      const { verdict, machine } = new Found(name).json;
      if (verdict === undefined) {
        // The benchmarks themselves are one.
        expect(machine.loadAverage[0], name).toBeLessThan(1.5);
        continue;
      }
      expect(verdict.word, name).not.toBe('FAIL');
      expect(verdict.reasons.join(), name).not.toContain('other programs');
    }
  });
});
