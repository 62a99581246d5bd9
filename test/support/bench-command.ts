import type { MicroPlan } from '../../src/bench/measure.js';
import { run } from '../../src/cli/program.js';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `depthwire bench` in this process. `folder`: where it looks for a configuration. */
export async function benchCommand(
  folder: string,
  args: readonly string[],
  signal = new AbortController().signal,
): Promise<Ended> {
  const said = { out: '', err: '' };
  const stream = (to: 'out' | 'err') => ({
    isTty: false,
    hasColor: false,
    size: () => ({ columns: 80, rows: 24 }),
    atExit: () => () => {},
    write: (text: string): Promise<void> => {
      said[to] += text;
      return Promise.resolve();
    },
  });
  const code = await run(['bench', ...args], {
    stdout: stream('out'),
    stderr: stream('err'),
    signal,
    env: {},
    folder,
    onHangup: () => () => {},
    endWithin: () => {},
  });
  return { code, ...said };
}

/** Whether instructions can be counted: elsewhere a run says that it cannot. */
export const IS_COUNTED = process.platform === 'linux' && process.arch === 'x64';
/** A measurement of the micro scenario that takes a second. */
export const SMALL: MicroPlan = { rounds: 8, things: 60, counted: IS_COUNTED ? 1 : 0 };
