/** What an error tells a person: what went wrong, where, what was due, what came, and how to mend it. */
export interface ErrorDetail {
  readonly what: string;
  readonly where?: string;
  readonly expected?: string;
  readonly got?: string;
  readonly fix: string;
  readonly cause?: unknown;
}

/** The same as JSON, with the stable code. Absent parts are empty strings, so that readers need no case for them. */
export interface ErrorJson {
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly fix: string;
}

/** The one error of this package. `code` is stable (`area.reason`); the texts may change. */
export class DepthwireError extends Error {
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly fix: string;

  constructor(code: string, detail: ErrorDetail) {
    super(`${code}: ${detail.what}`, 'cause' in detail ? { cause: detail.cause } : undefined);
    this.name = 'DepthwireError';
    this.code = code;
    this.what = detail.what;
    this.where = detail.where ?? '';
    this.expected = detail.expected ?? '';
    this.got = detail.got ?? '';
    this.fix = detail.fix;
  }

  /** Its parts, for logs and answers. */
  toJSON(): ErrorJson {
    const { code, what, where, expected, got, fix } = this;
    return { code, what, where, expected, got, fix };
  }
}

/** Text for a terminal: several lines, the last one says how to fix it. Unknown errors keep their stack. */
export function explain(error: unknown): string {
  if (!isExplained(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = [`error: ${error.what} (${error.code})`];
  if (error.where !== '') lines.push(`  where:    ${error.where}`);
  if (error.expected !== '') lines.push(`  expected: ${error.expected}`);
  if (error.got !== '') lines.push(`  got:      ${error.got}`);
  lines.push(`  fix:      ${error.fix}`);
  return lines.join('\n');
}

/** Whether an error carries what a person needs: those of this package and of the client SDK do. */
export function isExplained(error: unknown): error is Error & ErrorJson {
  const parts = ['code', 'what', 'where', 'expected', 'got', 'fix'];
  return error instanceof Error && parts.every((part) => typeof Reflect.get(error, part) === 'string');
}

/** Shows a value of unknown origin in an error, cut to `lengthMax` characters. */
export function shown(value: unknown, lengthMax = 80): string {
  const text = textOf(value);
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}… (${text.length} characters)`;
}

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A cycle, a getter or a proxy that throws: an error must not fail while it is made.
    return `a value of type ${typeof value}`;
  }
}

/** The `code` that Node and the addon put on their errors, or the empty string. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
