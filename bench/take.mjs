// @ts-check
/**
 * `node bench/take.mjs NAME ARGUMENT…`: runs `depthwire bench ARGUMENT…` and keeps what it told as `bench/record/NAME.json`: the machine
 * with its load, the verdict, the tables and the notes. Exit code as the command's; a run that fails, or
 * beside which something else ran, is not kept.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [name = '', ...args] = process.argv.slice(2);
if (!/^[\w-]+$/.test(name)) {
  process.stderr.write('usage: node bench/take.mjs NAME ARGUMENT…, as 2026-11-30-wire wire --seconds 30\n');
  process.exit(2);
}
const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const { status, stdout } = spawnSync(process.execPath, [program, 'bench', ...args, '-o', 'json'], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
  maxBuffer: 1 << 30,
});
if (stdout === '') process.exit(status ?? 1);
const { machine, verdict, results } = JSON.parse(stdout);
for (const reason of verdict.reasons) process.stdout.write(`${reason}\n`);
process.stdout.write(`${verdict.word}\n`);
/** @param {string} reason */
const isBusy = (reason) => reason.startsWith('other programs');
if (verdict.word !== 'FAIL' && !verdict.reasons.some(isBusy)) {
  /** @param {Record<string, unknown>} result */
  const kept = ({ scenario, title, verdict, tables, notes }) => ({ scenario, title, verdict, tables, notes });
  // Folders of this machine say nothing to others.
  const plain = args.map((arg) => arg.replaceAll(/(?:^|(?<= ))\/\S*\/(?=\S)/g, ''));
  const quoted = plain.map((arg) => (/^[\w./:,=-]+$/.test(arg) ? arg : `'${arg}'`));
  const record = {
    command: ['depthwire bench', ...quoted].join(' '),
    machine,
    verdict,
    results: results.map(kept),
  };
  writeFileSync(new URL(`./record/${name}.json`, import.meta.url), `${JSON.stringify(record, null, 1)}\n`);
}
process.exit(status ?? 1);
