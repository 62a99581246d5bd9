import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('support/addon-memory.mjs', import.meta.url));
/** Some 10 s on a quiet machine. */
const RUN_MS_MAX = 120_000;
const MIB = 1 << 20;

/** What the script prints: bytes. */
async function measured(mode: string): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, mode], { timeout: RUN_MS_MAX });
  return JSON.parse(stdout) as Readonly<Record<string, number>>;
}

/** Resident memory is read where Linux tells it. */
const isLinux = process.platform === 'linux';

it.runIf(isLinux).each([
  [1200, 'turns'],
  [1200, 'one turn'],
  [400, 'ring'],
])(
  '%i engines that are fed a megabyte and dropped never hold 64 MiB more than 100 do (%s)',
  async (_engines, mode) => {
    const { first = 0, most = Number.POSITIVE_INFINITY } = await measured(mode);
    expect(first).toBeGreaterThan(0);
    expect((most - first) / MIB).toBeLessThan(64);
  },
  RUN_MS_MAX + 5_000,
);

it.runIf(isLinux)(
  'engines that are closed give their memory back at once, while JavaScript still holds them',
  async () => {
    const { before = 0, open = 0, closed = Number.POSITIVE_INFINITY } = await measured('close');
    expect((open - before) / MIB).toBeGreaterThan(64);
    expect((closed - before) / (open - before)).toBeLessThan(0.25);
  },
  RUN_MS_MAX + 5_000,
);
