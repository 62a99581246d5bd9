// @ts-check
/**
 * The test of random readers over many seeds: `test/deliveries.test.ts`, in which slow, leaving, joining and resuming readers hold
 * what they have against what the engine had, a process a seed, until they have got so many frames in all. It ends at the first
 * seed that fails and prints how that one is repeated. Takes about a CPU second for each 100,000 frames.
 *
 * `node bench/deliveries.mjs [OPTIONS]`, after `npm run build`. `--total N`: frames in all, default 10⁸. `--each N`: frames of a seed, default
 * 10⁶. `--seed N`: the first seed, default 1; the next ones follow. `--json FILE`: also writes the verdict.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endWithSignals, run } from '../scripts/run.mjs';
import { installedTool } from '../scripts/sources.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TEST = 'test/deliveries.test.ts';

/** What a seed's readers did. @typedef {Readonly<Record<'deliveries' | 'compared' | 'behind' | 'rejoined' | 'resumed' | 'lost', number>>} Told */
const COUNTS = /** @type {const} */ (['deliveries', 'compared', 'behind', 'rejoined', 'resumed', 'lost']);

/** A whole number above 0. @param {string} name @param {string} text */
function positive(name, text) {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`--${name}: a whole number above 0, not ${text}`);
}

/**
 * One seed in a process of its own.
 * @param {number} seed
 * @param {number} deliveries
 * @returns {Promise<{ told: Told | undefined, output: string }>} `told` of one that passed
 */
async function seedRun(seed, deliveries) {
  const env = {
    ...process.env,
    DELIVERIES: String(deliveries),
    DELIVERIES_SEED: String(seed),
    NO_COLOR: '1',
  };
  const { ok, output } = await run([installedTool('vitest'), 'run', TEST], { cwd: ROOT, env });
  const line = output.split('\n').find((text) => text.startsWith('{"deliveries":'));
  return { told: ok && line !== undefined ? JSON.parse(line) : undefined, output };
}

async function main() {
  const { values } = parseArgs({
    options: {
      total: { type: 'string', default: '100000000' },
      each: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
    },
  });
  const total = positive('total', values.total);
  const each = positive('each', values.each);
  const first = positive('seed', values.seed);
  const sums = { deliveries: 0, compared: 0, behind: 0, rejoined: 0, resumed: 0, lost: 0 };
  let failed;
  let seed = first;
  for (; sums.deliveries < total; seed++) {
    const { told, output } = await seedRun(seed, each);
    if (told === undefined) {
      failed = seed;
      process.stdout.write(
        `${output}\nseed ${seed} failed; again: DELIVERIES=${each} DELIVERIES_SEED=${seed} `,
      );
      process.stdout.write(`npx vitest run ${TEST}\n`);
      break;
    }
    for (const name of COUNTS) sums[name] += told[name];
    process.stdout.write(`seed ${seed}  ${COUNTS.map((name) => `${name} ${told[name]}`).join('  ')}\n`);
  }
  const ok = failed === undefined;
  const verdict = { name: 'deliveries', ok, seeds: [first, ok ? seed - 1 : seed], each, ...sums };
  process.stdout.write(`${JSON.stringify(ok ? verdict : { ...verdict, failed })}\n`);
  // No contenders are compared, so there are no rows.
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify({ rows: [], deliveries: verdict }));
  return ok ? 0 : 1;
}

endWithSignals();
process.exitCode = await main();
