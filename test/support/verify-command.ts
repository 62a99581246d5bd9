import { run } from '../../src/cli/program.js';
import type { VerifyReport } from '../../src/cli/verify-report.js';
import type { ErrorJson } from '../../src/errors.js';

/** How `depthwire verify --json` ended, and what it printed. */
export interface VerifyEnd {
  readonly code: number;
  /** Of files that could be read. */
  readonly report: VerifyReport;
  /** Of those that could not, or of a wrong command line. */
  readonly error: ErrorJson;
  /** What people read. */
  readonly err: string;
}

/** Runs `depthwire verify --json` in this process, as the command line does. */
export async function verifyCommand(...args: readonly string[]): Promise<VerifyEnd> {
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
  const code = await run(['verify', '--json', ...args], {
    stdout: terminal((text) => (out += text)),
    stderr: terminal((text) => (err += text)),
    signal: new AbortController().signal,
    env: {},
    folder: '.',
    onHangup: () => () => {},
    endWithin() {},
  });
  const printed = JSON.parse(out) as VerifyReport & { error: ErrorJson };
  return { code, report: printed, error: printed.error, err };
}
