/** What was looked at, how it is, and how to mend it. */
export interface Check {
  readonly name: string;
  /** `warn`: it works, but not as well as it could, or nobody can tell. */
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** Empty where nothing is wrong. */
  readonly fix: string;
}

export function ok(name: string, found: string): Check {
  return { name, verdict: 'ok', found, fix: '' };
}

export function warn(name: string, found: string, fix: string): Check {
  return { name, verdict: 'warn', found, fix };
}

export function fail(name: string, found: string, fix: string): Check {
  return { name, verdict: 'fail', found, fix };
}
