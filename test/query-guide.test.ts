import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { type Sample, samplesOf } from './support/samples.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'depthwire-query-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SAMPLES = samplesOf(ROOT, join(ROOT, 'docs/guides/query.md'));
const python = async (program: string): Promise<string> =>
  (await promisify(execFile)('python3', ['-c', program], { cwd: folder })).stdout;

/** DuckDB, pandas and pyarrow are of who reads, and on few machines that build this. */
const canQuery = await python('import duckdb, pandas, pyarrow').then(
  () => true,
  () => false,
);

/** Lines without spaces at their ends, which no page keeps. */
const trimmed = (text: string): string => text.replaceAll(/[ \t]+$/gm, '').trim();

describe('the guide to queries', () => {
  const pairs = SAMPLES.flatMap((sample, at): [string, Sample, Sample][] => {
    const next = SAMPLES[at + 1];
    return sample.note === 'prints what follows' && next !== undefined ? [[sample.place, sample, next]] : [];
  });

  it('shows what is printed', () => {
    expect(pairs.map(([, query, result]) => [query.language, result.language])).toEqual([
      ['python', 'text'],
      ['python', 'text'],
    ]);
  });

  if (canQuery) {
    it('prints what it shows', async () => {
      const [commands] = SAMPLES.filter(({ note }) => note === 'a session');
      const main = `'${process.execPath}' '${join(ROOT, 'dist/cli/main.js')}'`;
      const program = `npx() { shift; ${main} "$@"; }; ${(commands?.text ?? '').replace('node_modules/depthwire/', ROOT)}`;
      await promisify(execFile)('bash', ['-euc', program], { cwd: folder });
      for (const [, query, result] of pairs)
        expect(trimmed(await python(query.text))).toBe(trimmed(result.text));
    }, 60_000);
  } else {
    it('is not run: python3 has no duckdb, pandas, pyarrow', async () => {
      await expect(python('import duckdb, pandas, pyarrow')).rejects.toThrow();
    });
  }
});
