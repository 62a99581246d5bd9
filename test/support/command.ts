import { run } from '../../src/cli/program.js';

/** How a command ended, and what it printed. */
export interface CommandEnd {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, as the command line does. */
export async function endOf(args: readonly string[]): Promise<CommandEnd> {
  let out = '';
  let err = '';
  const terminal = (take: (text: string) => void) => ({
    isTty: false,
    hasColor: false,
    size: () => ({ columns: 80, rows: 24 }),
    atExit: () => () => {},
    write: (text: string): Promise<void> => {
      take(text);
      return Promise.resolve();
    },
  });
  const code = await run(args, {
    stdout: terminal((text) => (out += text)),
    stderr: terminal((text) => (err += text)),
    signal: new AbortController().signal,
    env: {},
    folder: '.',
    onHangup: () => () => {},
    endWithin() {},
  });
  return { code, out, err };
}
