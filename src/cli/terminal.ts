import { writeSync } from 'node:fs';
import { type LogStream, logStream } from './log-stream.js';

/** Of a stream that does not say. */
const SIZE: TerminalSize = { columns: 80, rows: 24 };

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Where a command writes. */
export interface Terminal {
  /** Whether people watch rather than a pipe. */
  readonly isTty: boolean;
  readonly hasColor: boolean;
  /** Whether the cursor cannot be moved. */
  readonly isDumb?: boolean;
  /** As it is now: people resize it. */
  size(): TerminalSize;
  /** Writes `text` when the process ends, however it does, unless the returned function was called before. */
  atExit(text: string): () => void;
  /** Resolves when the stream takes more. */
  write(text: string): Promise<void>;
  /** For what must never wait for the reader; absent where `write` does not make anybody wait. */
  readonly log?: LogStream;
}

type Stream = NodeJS.WriteStream & { readonly fd: number };

/** A stream of the process. One whose reader has gone swallows what follows: `onClosed` is told once. */
export function terminalOf(stream: Stream, onClosed: () => void): Terminal {
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    onClosed();
  };
  stream.on('error', close);
  const isTty = stream.isTTY === true;
  const isDumb = process.env.TERM === 'dumb';
  let log: LogStream | undefined;
  return {
    get log() {
      log ??= logStream(stream.fd, close);
      return log;
    },
    isTty,
    // https://no-color.org: set to anything, unless that is nothing.
    hasColor: isTty && !isDumb && (process.env.NO_COLOR ?? '') === '',
    isDumb,
    size: () => ({ columns: stream.columns || SIZE.columns, rows: stream.rows || SIZE.rows }),
    atExit: (text) => {
      const write = (): void => {
        try {
          writeSync(stream.fd, text);
        } catch {
          // The terminal itself is gone.
        }
      };
      process.once('exit', write);
      return () => process.off('exit', write);
    },
    write: (text) =>
      new Promise((resolve) => {
        if (closed) resolve();
        else stream.write(text, () => resolve());
      }),
  };
}

/** A bar for `stderr`: drawn in place, at most ten times a second, and removed at its end. */
export class ProgressBar {
  readonly #terminal: Terminal;
  #nextMs = 0;
  #drawn = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** `share`: 0 to 1. Does nothing in a pipe. */
  show(share: number): void {
    const nowMs = performance.now();
    if (!this.#terminal.isTty || nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + 100;
    this.#drawn = true;
    const filled = Math.round(share * 30);
    const bar = '█'.repeat(filled) + '░'.repeat(30 - filled);
    void this.#terminal.write(`\r${bar} ${Math.round(share * 100)} %\x1b[K`);
  }

  end(): void {
    if (this.#drawn) void this.#terminal.write('\r\x1b[K');
    this.#drawn = false;
  }
}
