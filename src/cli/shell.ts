import type { ConfigPlace } from './config-options.js';
import type { Keyboard } from './keyboard.js';
import type { Terminal } from './terminal.js';

/** What a command may touch of the process. */
export interface Shell extends ConfigPlace {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Absent where nobody presses keys. */
  readonly keyboard?: Keyboard | undefined;
  /** Aborted by the first Ctrl-C or SIGTERM, with the reason. */
  readonly signal: AbortSignal;
  /** Calls back at each SIGHUP, which then no longer ends the process, until the returned function is called. */
  onHangup(listener: () => void): () => void;
  /** Lets the end of the command, once `signal` is aborted, take so long before the process is ended. */
  endWithin(ms: number): void;
}

/** Exit codes: what was asked for holds, it does not, it could not be understood, or nothing came in time. */
export const EXIT = { ok: 0, failed: 1, usage: 2, nothing: 3 } as const;
