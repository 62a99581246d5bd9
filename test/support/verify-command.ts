import type { VerifyReport } from '../../src/cli/verify-report.js';
import type { ErrorJson } from '../../src/errors.js';
import { endOf } from './command.js';

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
  const { code, out, err } = await endOf(['verify', '--json', ...args]);
  const printed = JSON.parse(out) as VerifyReport & { error: ErrorJson };
  return { code, report: printed, error: printed.error, err };
}
