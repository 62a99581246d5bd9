import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { run } from '../scripts/run.mjs';
import {
  excerpt,
  ofBench,
  ofCargoTest,
  ofExit,
  ofUnittest,
  ofVitest,
  sum,
  totalsLine,
} from '../scripts/totals.mjs';

function outcome(output: string, ok = true) {
  return { ok, ending: ok ? 'exit code 0' : 'exit code 101', output, elapsedMs: 1 };
}

function counts({ passed, failed, skipped }: { passed: number; failed: number; skipped: number }): number[] {
  return [passed, failed, skipped];
}

const CARGO = `     Running unittests src/lib.rs (target/release/deps/depthwire_core-1)

running 3 tests
test book::keeps_order ... ok
test book::slow_case ... ignored
test replay::manifest ... ok

successes:

---- replay::manifest stdout ----
SKIPPED: replay::manifest: no recordings at ../shared/data


successes:
    book::keeps_order
    replay::manifest

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests depthwire_core

running 1 test
test crates/core/src/lib.rs - (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
`;

describe('unittest', () => {
  const lines = "test_a (x.A.test_a) ... ok\ntest_b (x.A.test_b) ... skipped 'no server'\n\n";

  test('counts tests, and names what was skipped', () => {
    const told = ofUnittest(outcome(`${lines}Ran 2 tests in 0.1s\n\nOK (skipped=1)\n`));
    expect(counts(told)).toEqual([1, 0, 1]);
    expect(told.notes).toEqual(["test_b (x.A.test_b): 'no server'"]);
    expect(counts(ofUnittest(outcome('Ran 15 tests in 9s\n\nOK\n')))).toEqual([15, 0, 0]);
  });

  test('counts failures and errors, of which one test may have several', () => {
    const told = ofUnittest(outcome('Ran 3 tests in 1s\n\nFAILED (failures=1, errors=1)\n', false));
    expect(counts(told)).toEqual([1, 2, 0]);
    expect(counts(ofUnittest(outcome('Ran 1 test in 1s\n\nFAILED (failures=7)\n', false)))).toEqual([
      0, 1, 0,
    ]);
  });

  test('fails where nothing ran or the runner ended badly', () => {
    expect(ofUnittest(outcome('')).failed).toBe(1);
    expect(ofUnittest(outcome('Ran 2 tests in 1s\n\nOK\n', false)).failed).toBe(1);
  });
});

describe('cargo test', () => {
  test('sums over its groups; a test that said SKIPPED has not passed', () => {
    const totals = ofCargoTest(outcome(CARGO));
    expect(counts(totals)).toEqual([2, 0, 2]);
    expect(totals.notes).toEqual([
      'replay::manifest: no recordings at ../shared/data',
      'book::slow_case: ignored',
    ]);
  });

  test('counts failed tests once, also when cargo ends with a code for them', () => {
    const output =
      'running 2 tests\ntest a::b ... FAILED\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured\n';
    expect(ofCargoTest(outcome(output, false)).notes).toEqual(['a::b: FAILED']);
    expect(counts(ofCargoTest(outcome(output, false)))).toEqual([1, 1, 0]);
  });

  test('a group that crashed before its result is a failure beside the others', () => {
    const totals = ofCargoTest(outcome(`running 9 tests\n${CARGO}`, false));
    expect(counts(totals)).toEqual([2, 1, 2]);
    expect(totals.notes).toContain('3 groups of tests began, 2 told their result');
  });

  test('a compile error is a failure', () => {
    const totals = ofCargoTest(outcome('error[E0308]: mismatched types\n', false));
    expect(counts(totals)).toEqual([0, 1, 0]);
  });

  test('no test at all is a failure, also with exit code 0', () => {
    expect(ofCargoTest(outcome('')).notes).toEqual(['no test ran']);
    const none = 'running 0 tests\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured\n';
    expect(counts(ofCargoTest(outcome(none)))).toEqual([0, 1, 0]);
  });

  test('a bad exit code is a failure when every test passed', () => {
    expect(ofCargoTest(outcome(CARGO, false)).notes).toContain('no test failed, but: exit code 101');
  });

  test('a test that skips for two recordings is one, and its name in another group is another', () => {
    const group = (said: string) =>
      `running 2 tests\n${said}test result: ok. 2 passed; 0 failed; 0 ignored\n`;
    const output = group('SKIPPED: ends: spot\nSKIPPED: ends: usdm\n') + group('SKIPPED: ends: spot\n');
    expect(counts(ofCargoTest(outcome(output)))).toEqual([2, 0, 2]);
  });

  test('more skips than tests is a failure', () => {
    const output = `running 1 test\nSKIPPED: a: b\nSKIPPED: c: d\ntest result: ok. 1 passed; 0 failed; 0 ignored\n`;
    expect(counts(ofCargoTest(outcome(output)))).toEqual([0, 1, 2]);
  });
});

describe('vitest', () => {
  const file = (statuses: readonly string[], message = '') => ({
    name: '/test/a.test.ts',
    message,
    assertionResults: statuses.map((status, index) => ({
      fullName: `test ${index}`,
      status,
      failureMessages: status === 'failed' ? ['expected 1 to be 2\n    at a.test.ts:7'] : [],
    })),
  });
  const report = (...testResults: object[]) => JSON.stringify({ testResults });

  test('counts by status and names what was skipped or failed', () => {
    const totals = ofVitest(
      outcome('', false),
      report(file(['passed', 'failed']), file(['skipped', 'todo'])),
    );
    expect(counts(totals)).toEqual([1, 1, 2]);
    expect(totals.notes).toEqual(['test 0: skipped', 'test 1: todo', 'test 1: expected 1 to be 2']);
  });

  test('a file that could not be loaded is a failure', () => {
    const totals = ofVitest(outcome('', false), report(file(['passed']), file([], 'cannot find module')));
    expect(counts(totals)).toEqual([1, 1, 0]);
    expect(totals.notes).toEqual(['/test/a.test.ts ran no test: cannot find module']);
  });

  test('an error outside of any test is a failure', () => {
    expect(counts(ofVitest(outcome('', false), report(file(['passed']))))).toEqual([1, 1, 0]);
  });

  test.each([undefined, '', '{"testRes', '{}', 'null'])(
    'a crash that leaves the report %j is a failure',
    (json) => {
      expect(counts(ofVitest(outcome('', false), json))).toEqual([0, 1, 0]);
      expect(counts(ofVitest(outcome(''), json))).toEqual([0, 1, 0]);
    },
  );

  test('an empty report is a failure', () => {
    expect(counts(ofVitest(outcome(''), report()))).toEqual([0, 1, 0]);
  });
});

describe('benchmarks and plain checks', () => {
  test('a benchmark passes when each of its rows is ok', () => {
    expect(counts(ofBench(outcome('warming up\n{"name":"a","ok":true}\n{"name":"b","ok":true}\n')))).toEqual([
      1, 0, 0,
    ]);
  });

  test.each([
    ['a row is not ok', '{"name":"a","ok":true}\n{"name":"b","ok":false}\n', true],
    ['a row says nothing', '{"name":"a"}\n', true],
    ['a row is cut', '{"name":"a","ok":true}\n{"name":', true],
    ['there is no row', 'done\n', true],
    ['it crashed after its rows', '{"name":"a","ok":true}\n', false],
  ])('a benchmark fails when %s', (_, output, ok) => {
    expect(counts(ofBench(outcome(output, ok)))).toEqual([0, 1, 0]);
  });

  test('a plain check is one test', () => {
    expect(counts(ofExit(outcome('')))).toEqual([1, 0, 0]);
    expect(ofExit(outcome('', false))).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
      notes: ['exit code 101'],
    });
  });

  test('sums up to one line', () => {
    const parts = [ofCargoTest(outcome(CARGO)), ofExit(outcome('', false)), ofExit(outcome(''))];
    expect(totalsLine(sum(parts))).toBe('3 passed, 1 failed, 2 skipped');
  });
});

describe('what is shown of a failure', () => {
  test('leaves out the output of tests that passed', () => {
    const shown = excerpt(`${CARGO}failures:\n\n---- book::b stdout ----\nassertion failed\n`);
    expect(shown).not.toContain('SKIPPED');
    expect(shown).toContain('test result: ok. 2 passed');
    expect(shown).toContain('assertion failed');
  });

  test('keeps the last lines of many', () => {
    const lines = Array.from({ length: 10 }, (_, index) => `line ${index}`);
    expect(excerpt(lines.join('\n'), 2)).toBe('…\nline 8\nline 9');
  });
});

describe('running a program', () => {
  const node = (code: string) => [process.execPath, '-e', code] as const;

  test('keeps both outputs and the exit code', async () => {
    const ended = await run(node(`console.log('out'); console.error('err'); process.exitCode = 3`), {
      cwd: '.',
    });
    expect(ended).toMatchObject({ ok: false, ending: 'exit code 3' });
    expect(ended.output.split('\n').sort()).toEqual(['', 'err', 'out']);
  });

  test('a program that does not exist is a failure', async () => {
    const ended = await run(['/nowhere/napi'], { cwd: '.' });
    expect(ended.ok).toBe(false);
    expect(ended.ending).toContain('could not be started');
  });

  test('a signal is a failure', async () => {
    expect(await run(node(`process.kill(process.pid, 'SIGKILL')`), { cwd: '.' })).toMatchObject({
      ok: false,
      ending: 'ended by SIGKILL',
    });
  });

  test('one that does not end is ended at its limit, with its children', async () => {
    const child = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' })`;
    const ended = await run(node(`${child}; setInterval(() => {}, 1e6)`), { cwd: '.', limitMs: 500 });
    expect(ended).toMatchObject({ ok: false, ending: 'ended after its limit of 0.5 s' });
  });

  test.skipIf(process.platform === 'win32')('ends itself once the one that started it is gone', async () => {
    const runner = JSON.stringify(new URL('../scripts/run.mjs', import.meta.url).href);
    const orphan = `
      import { endWithParent } from ${runner};
      endWithParent();
      process.on('SIGTERM', () => { console.log('ended'); process.exit(0); });
      setTimeout(() => process.exit(1), 20_000);
      process.send('ready');`;
    const parent = `
      const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
      const args = ['--input-type=module', '-e', ${JSON.stringify(orphan)}];
      const child = require('node:child_process').spawn(process.execPath, args, { stdio });
      child.on('message', () => process.exit(0));`;
    // The output closes when the orphan has ended.
    expect(await run(node(parent), { cwd: '.', limitMs: 15_000 })).toMatchObject({
      ok: true,
      output: 'ended\n',
    });
  });

  test('one that yields has the lowest priority', async () => {
    const ended = await run(node(`console.log(require('node:os').getPriority())`), {
      cwd: '.',
      yields: true,
    });
    expect(ended.output).toBe(`${constants.priority.PRIORITY_LOW}\n`);
  });

  test('one that prints without end is ended', async () => {
    const ended = await run(node(`setInterval(() => console.log('x'.repeat(1000)), 0)`), {
      cwd: '.',
      outputBytesMax: 10_000,
    });
    expect(ended).toMatchObject({ ok: false, ending: 'ended: it printed more than 10000 bytes' });
    expect(ended.output.length).toBeLessThanOrEqual(10_000);
  });
});
