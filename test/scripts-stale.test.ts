import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { build } from '../scripts/build.mjs';
import type { BuildStep } from '../scripts/sources.mjs';
import { inputsHash, isCurrent, listFiles, writeStamp } from '../scripts/stale.mjs';

let root: string;

/** Joins its sources into one output, and counts its runs in a file beside. */
const JOIN = `
const fs = require('node:fs');
fs.appendFileSync('runs', 'x');
const sources = fs.readdirSync('src').sort().map((name) => fs.readFileSync('src/' + name, 'utf8'));
fs.mkdirSync('out', { recursive: true });
fs.writeFileSync('out/joined', sources.join(''));
`;

const step: BuildStep = {
  name: 'join',
  inputs: { entries: ['src', 'absent.toml'], skip: ['tests', 'src/page'], skipExtensions: ['.node'] },
  outputs: { entries: ['out'] },
  proof: 'out/joined',
  command: [process.execPath, '-e', JOIN],
};

function write(file: string, content: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
}

function runs(): number {
  return readFileSync(path.join(root, 'runs'), 'utf8').length;
}

async function buildAgain(steps: readonly BuildStep[] = [step]): Promise<{ ok: boolean; said: string }> {
  let said = '';
  const { ok } = await build({ root, steps, env: process.env, say: (text) => (said += text) });
  return { ok, said };
}

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'depthwire-stale-'));
  write('src/a', 'one');
  write('src/b', 'two');
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

test('lists files sorted, without what is skipped by name, by path or by extension', () => {
  write('src/deep/tests/t', '');
  write('src/deep/c', '');
  write('src/page/d', '');
  write('src/other/page/e', '');
  write('src/addon.node', '');
  expect(listFiles(root, step.inputs)).toEqual(['src/a', 'src/b', 'src/deep/c', 'src/other/page/e']);
});

test('builds once and says one line, then nothing while nothing changes', async () => {
  expect((await buildAgain()).said).toMatch(/^build join … [\d.]+ s\n$/);
  expect(await buildAgain()).toEqual({ ok: true, said: '' });
  expect(runs()).toBe(1);
});

test('builds again after a change, an added, a renamed and a removed source', async () => {
  await buildAgain();
  write('src/a', 'changed');
  await buildAgain();
  expect(runs()).toBe(2);
  write('src/c', '');
  await buildAgain();
  expect(runs()).toBe(3);
  rmSync(path.join(root, 'src/c'));
  write('src/d', '');
  await buildAgain();
  expect(runs()).toBe(4);
  rmSync(path.join(root, 'src/d'));
  await buildAgain();
  expect(runs()).toBe(5);
  write('absent.toml', '');
  await buildAgain();
  expect(runs()).toBe(6);
});

test('bytes that move from one file to the next are a change', () => {
  const before = inputsHash(root, step);
  write('src/a', 'onetw');
  write('src/b', 'o');
  expect(inputsHash(root, step)).not.toBe(before);
});

test('a newer time alone is no change', async () => {
  await buildAgain();
  utimesSync(path.join(root, 'src/a'), new Date(), new Date(Date.now() + 60_000));
  await buildAgain();
  expect(runs()).toBe(1);
});

test('builds again when an output is missing or was edited', async () => {
  await buildAgain();
  rmSync(path.join(root, 'out'), { recursive: true });
  await buildAgain();
  expect(runs()).toBe(2);
  write('out/joined', 'edited');
  await buildAgain();
  expect(runs()).toBe(3);
  expect(readFileSync(path.join(root, 'out/joined'), 'utf8')).toBe('onetwo');
});

test('another platform, another command and a stamp that cannot be read make a step stale', async () => {
  await buildAgain();
  await buildAgain([{ ...step, facts: ['another platform'] }]);
  expect(runs()).toBe(2);
  await buildAgain([{ ...step, command: [process.execPath, '--no-warnings', '-e', JOIN] }]);
  expect(runs()).toBe(3);
  write('.build/join.json', '{');
  await buildAgain();
  expect(runs()).toBe(4);
});

test('a source edited while the step runs makes it stale again', () => {
  const inputs = inputsHash(root, step);
  write('out/joined', 'onetwo');
  write('src/a', 'edited meanwhile');
  writeStamp(root, step, inputs);
  expect(isCurrent(root, step, inputsHash(root, step))).toBe(false);
});

test('removes the outputs of deleted sources, and only those named', async () => {
  write('out/joined-old', '');
  write('out/kept/page', '');
  await buildAgain([{ ...step, clear: { entries: ['out'], skip: ['out/kept'] } }]);
  expect(listFiles(root, { entries: ['out'] })).toEqual(['out/joined', 'out/kept/page']);
});

test('shows the output of a step that fails, stops there and tries it again', async () => {
  const failing: BuildStep = {
    ...step,
    command: [process.execPath, '-e', `console.error('no such type'); process.exit(2)`],
  };
  const { ok, said } = await buildAgain([failing, { ...step, name: 'next' }]);
  expect(ok).toBe(false);
  expect(said).toMatch(/^build join … failed \(exit code 2\)\nno such type\n$/);
  expect((await buildAgain([failing])).ok).toBe(false);
});

test('a step that succeeds without its output has failed', async () => {
  const { ok, said } = await buildAgain([{ ...step, command: [process.execPath, '-e', ''] }]);
  expect(ok).toBe(false);
  expect(said).toContain('out/joined was not written');
});

test('names the missing tool of a stale step, and asks for none when it is current', async () => {
  write('Cargo.toml', '[workspace.package]\nrust-version = "1.88"\n');
  const addon: BuildStep = { ...step, needsRust: true };
  let said = '';
  const { ok } = await build({
    root,
    steps: [addon],
    env: { PATH: path.join(root, 'empty') },
    say: (text) => (said += text),
  });
  expect(ok).toBe(false);
  expect(said).toContain('https://sh.rustup.rs');
  await buildAgain();
  expect((await build({ root, steps: [addon], env: { PATH: '' }, say: () => {} })).ok).toBe(true);
});
