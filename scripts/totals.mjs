// @ts-check
/**
 * Reads what the runners printed into counts. Output that cannot be read, a runner that ended badly without
 * saying which test failed, and a runner that ran nothing are failures: a check must be able to fail.
 */

/**
 * @typedef {import('./run.mjs').Outcome} Outcome
 *
 * @typedef {object} Totals
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {readonly string[]} notes lines for people: each skip, and what was wrong beside failed tests
 */

/** @type {Totals} */
export const NOTHING = { passed: 0, failed: 0, skipped: 0, notes: [] };

/**
 * A check without tests of its own counts as one.
 * @param {Outcome} outcome
 * @returns {Totals}
 */
export function ofExit(outcome) {
  return outcome.ok ? { ...NOTHING, passed: 1 } : { ...NOTHING, failed: 1, notes: [outcome.ending] };
}

/**
 * `cargo test … -- --show-output`. A test that skips prints `SKIPPED: name: reason` and then passes, since
 * libtest knows no skip at run time; it is taken from the passed ones. Ignored tests are skipped ones.
 * @param {Outcome} outcome
 * @returns {Totals}
 */
export function ofCargoTest(outcome) {
  const started = outcome.output.match(/^running \d+ tests?$/gm)?.length ?? 0;
  const results = [
    ...outcome.output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm),
  ];
  const skips = outcome.output.split(/^running \d+ tests?$/gm).flatMap(skippedOf);
  const told = [...outcome.output.matchAll(/^test (.+) \.\.\. (ignored|FAILED)/gm)].map(
    ([, name, result]) => `${name}: ${result}`,
  );
  /** @param {number} group */
  const sum = (group) => results.reduce((total, match) => total + Number(match[group]), 0);
  const passed = sum(1) - skips.length;
  return judge(
    outcome,
    { passed, failed: sum(2), skipped: sum(3) + skips.length, notes: [...skips, ...told] },
    [
      started === results.length
        ? ''
        : `${started} groups of tests began, ${results.length} told their result`,
      passed < 0 ? 'more tests said SKIPPED than passed' : '',
    ],
  );
}

/**
 * The file that vitest's JSON reporter wrote.
 * @param {Outcome} outcome
 * @param {string | undefined} json undefined: no such file
 * @returns {Totals}
 */
export function ofVitest(outcome, json) {
  /** @type {VitestFile[]} */
  let files;
  /** @type {VitestTest[]} */
  let tests;
  try {
    files = JSON.parse(json ?? '').testResults;
    tests = files.flatMap((file) => file.assertionResults);
  } catch {
    return judge(outcome, NOTHING, ['vitest left no readable report']);
  }
  const passed = tests.filter(({ status }) => status === 'passed');
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const failed = tests.filter(({ status }) => status === 'failed');
  const empty = files.filter((file) => file.assertionResults.length === 0);
  return judge(
    outcome,
    {
      passed: passed.length,
      failed: failed.length,
      skipped: skipped.length,
      notes: [
        ...skipped.map(({ fullName, status }) => `${fullName}: ${status}`),
        // Named beside the totals: of a long output only a part may reach its reader.
        ...failed.map(
          ({ fullName, failureMessages: [why = 'it does not say why'] = [] }) =>
            `${fullName}: ${why.split('\n', 1)[0]}`,
        ),
      ],
    },
    empty.map((file) => `${file.name} ran no test${file.message ? `: ${file.message}` : ''}`),
  );
}

/**
 * A TypeScript benchmark prints one line of JSON for each row: `{"name": …, "ok": true, …}`. It counts as one
 * check: all rows ok, and at least one.
 * @param {Outcome} outcome
 * @returns {Totals}
 */
export function ofBench(outcome) {
  const rows = outcome.output.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      return [JSON.parse(line)];
    } catch {
      return [{ name: line, ok: false }];
    }
  });
  const wrong = rows.filter((row) => row.ok !== true).map((row) => `${row.name}: not ok`);
  if (rows.length === 0) wrong.push('it printed no result');
  if (outcome.ok && wrong.length === 0) return { ...NOTHING, passed: 1 };
  return { ...NOTHING, failed: 1, notes: outcome.ok ? wrong : [outcome.ending, ...wrong] };
}

/**
 * The instruction gates: a line for each, which begins with `ok`, `FAILED` or, without its recording, `SKIPPED: gate`.
 * @param {Outcome} outcome
 * @returns {Totals}
 */
export function ofGates(outcome) {
  /** @param {RegExp} pattern */
  const lines = (pattern) => [...outcome.output.matchAll(pattern)].map((match) => match[1] ?? '');
  const skips = lines(/^SKIPPED: (gate .+)$/gm);
  const failures = lines(/^FAILED (.+)$/gm);
  const passed = lines(/^ok +(.+)$/gm).length;
  return judge(outcome, { passed, failed: failures.length, skipped: skips.length, notes: skips }, []);
}

/**
 * Python's `unittest --verbose`: a line for each test, then `Ran 15 tests` and `OK` or `FAILED`, with counts in parentheses.
 * @param {Outcome} outcome
 * @returns {Totals}
 */
export function ofUnittest(outcome) {
  const ran = Number(/^Ran (\d+) tests?/m.exec(outcome.output)?.[1] ?? 0);
  const [, counts = ''] = /^(?:OK|FAILED)(?: \((.+)\))?$/m.exec(outcome.output) ?? [];
  /** @param {string} name */
  const count = (name) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(counts)?.[1] ?? 0);
  // Each part of a test that fails counts there.
  const failed = Math.min(ran, count('failures') + count('errors'));
  const skips = [...outcome.output.matchAll(/^(.+) \.\.\. skipped (.+)$/gm)].map(
    (match) => `${match[1]}: ${match[2]}`,
  );
  const skipped = count('skipped');
  return judge(outcome, { passed: ran - failed - skipped, failed, skipped, notes: skips }, [
    ran === 0 ? 'it ran no test' : '',
  ]);
}

/**
 * @param {readonly Totals[]} parts
 * @returns {Totals}
 */
export function sum(parts) {
  return {
    passed: parts.reduce((total, part) => total + part.passed, 0),
    failed: parts.reduce((total, part) => total + part.failed, 0),
    skipped: parts.reduce((total, part) => total + part.skipped, 0),
    notes: parts.flatMap((part) => part.notes),
  };
}

/** @param {Totals} totals */
export function totalsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * What to show of a failed run: without the captured output of tests that passed, and at most the last
 * `linesMax` lines.
 * @param {string} output
 * @param {number} [linesMax]
 */
export function excerpt(output, linesMax = 400) {
  const lines = output
    .replace(/^successes:\n[\s\S]*?(?=^failures:$|^test result: )/gm, '')
    .trimEnd()
    .split('\n');
  return lines.length <= linesMax ? lines.join('\n') : `…\n${lines.slice(-linesMax).join('\n')}`;
}

/**
 * The tests of one group that said they skip, each with the first of its reasons.
 * @param {string} output
 * @returns {string[]}
 */
function skippedOf(output) {
  /** @type {Map<string, string>} */
  const skips = new Map();
  for (const [, name = '', reason = ''] of output.matchAll(/SKIPPED: (.+?): (.+)$/gm)) {
    if (!skips.has(name)) skips.set(name, `${name}: ${reason}`);
  }
  return [...skips.values()];
}

/**
 * Adds what is wrong beside failed tests as one more failure each.
 * @param {Outcome} outcome
 * @param {Totals} totals
 * @param {readonly string[]} problems empty strings are none
 * @returns {Totals}
 */
function judge(outcome, totals, problems) {
  const found = problems.filter((problem) => problem !== '');
  if (totals.passed + totals.failed + totals.skipped === 0 && found.length === 0) found.push('no test ran');
  if (!outcome.ok && totals.failed + found.length === 0) found.push(`no test failed, but: ${outcome.ending}`);
  return {
    ...totals,
    passed: Math.max(totals.passed, 0),
    failed: totals.failed + found.length,
    notes: [...totals.notes, ...found],
  };
}

/**
 * @typedef {object} VitestTest
 * @property {string} fullName
 * @property {string} status
 * @property {readonly string[]} [failureMessages]
 *
 * @typedef {object} VitestFile
 * @property {string} name
 * @property {string} [message]
 * @property {readonly VitestTest[]} assertionResults
 */
