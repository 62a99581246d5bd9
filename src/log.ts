import { DepthwireError, explain } from './errors.js';

/** From the least to the most important. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What happened, for people and for programs. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Stable name: `client.closed`. */
  readonly event: string;
  /** For people; several lines where it explains an error. */
  readonly line: string;
  /** For programs. Never a key, a token or a password. */
  readonly fields: object;
}

/** After the first of its kind, others within so long are counted and told together. */
const FOLD_MS = 1000;
/** Kinds that are told apart; beyond that all others are one. */
const KINDS_MAX = 128;

interface Burst {
  readonly entry: Pick<LogEntry, 'level' | 'event'>;
  readonly kind: string;
  untilMs: number;
  hidden: number;
}

/** What a server says while it runs. */
export class Log {
  readonly #sink: (entry: LogEntry) => void;
  readonly #rank: number;
  readonly #now: () => number;
  readonly #bursts = new Map<string, Burst>();

  /** `now` is monotonic, ms. */
  constructor(
    sink: (entry: LogEntry) => void,
    level: LogLevel = 'info',
    now: () => number = () => performance.now(),
  ) {
    this.#sink = sink;
    this.#rank = LOG_LEVELS.indexOf(level);
    this.#now = now;
  }

  /** A log of which only warnings and errors are wanted, as lines. */
  static ofWarnings(take: (line: string) => void): Log {
    return new Log(({ line }) => take(line), 'warn');
  }

  takes(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#rank;
  }

  say(level: LogLevel, event: string, line: string, fields: LogEntry['fields'] = {}): void {
    if (this.takes(level)) this.#sink({ level, event, line, fields });
  }

  /** As a method that needs no `this`. */
  readonly warn = (line: string): void => this.say('warn', 'warning', line);

  /** What may happen any number of times: the first of a kind is told, those that follow it closely are counted. */
  burst(level: LogLevel, event: string, kind: string, line: string, fields: LogEntry['fields'] = {}): void {
    if (!this.takes(level)) return;
    const nowMs = this.#now();
    const burst = this.#burst(level, event, kind, nowMs);
    if (nowMs < burst.untilMs) {
      burst.hidden += 1;
      return;
    }
    this.#tellHidden(burst);
    burst.untilMs = nowMs + FOLD_MS;
    this.#sink({ level, event, line, fields });
  }

  /** An error that may come again and again. */
  fault(error: unknown, event = 'fault'): void {
    const fields = error instanceof DepthwireError ? error.toJSON() : {};
    this.burst(
      'warn',
      event,
      error instanceof DepthwireError ? error.code : 'unknown',
      explain(error),
      fields,
    );
  }

  /** Tells of those that were counted, once their burst is over. Each second or so. */
  tick(): void {
    const nowMs = this.#now();
    for (const [key, burst] of this.#bursts) {
      if (nowMs < burst.untilMs) continue;
      this.#tellHidden(burst);
      this.#bursts.delete(key);
    }
  }

  #tellHidden(burst: Burst): void {
    const { hidden, kind, entry } = burst;
    if (hidden === 0) return;
    burst.hidden = 0;
    const line = `  (${hidden} more of ${kind} within ${FOLD_MS / 1000} s)`;
    this.#sink({ ...entry, line, fields: { kind, hidden } });
  }

  #burst(level: LogLevel, event: string, kind: string, nowMs: number): Burst {
    const key = `${event}/${kind}`;
    const found = this.#bursts.get(key);
    if (found !== undefined) return found;
    if (this.#bursts.size >= KINDS_MAX) this.tick();
    const isFull = this.#bursts.size >= KINDS_MAX;
    const known = isFull ? this.#bursts.get('') : undefined;
    if (known !== undefined) return known;
    const burst: Burst = {
      entry: { level, event },
      kind: isFull ? 'other kinds' : kind,
      untilMs: nowMs,
      hidden: 0,
    };
    this.#bursts.set(isFull ? '' : key, burst);
    return burst;
  }
}
