import type { LogEntry } from '../log.js';

/** Lines for people: what is wrong goes to `err`, the rest to `out`. */
export function textFormat(
  out: (text: string) => void,
  err: (text: string) => void,
): (entry: LogEntry) => void {
  return ({ level, line }) => (level === 'warn' || level === 'error' ? err : out)(`${line}\n`);
}
