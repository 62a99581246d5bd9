import { setTimeout as pause } from 'node:timers/promises';
import { run } from '../../src/cli/program.js';

/** `depthwire serve` in a folder, on a free port, with what it says. */
export function serveCommand(folder: string, ...args: readonly string[]) {
  const output = { out: '', err: '' };
  const listeners = new Set<() => void>();
  const stopping = new AbortController();
  const terminal = (take: (text: string) => void) => ({
    isTty: false,
    hasColor: false,
    size: () => ({ columns: 80, rows: 24 }),
    atExit: () => () => {},
    write: (text: string): Promise<void> => Promise.resolve(take(text)),
  });
  const code = run(['serve', '--port', '0', ...args], {
    stdout: terminal((text) => (output.out += text)),
    stderr: terminal((text) => (output.err += text)),
    signal: stopping.signal,
    env: {},
    folder,
    onHangup: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    endWithin() {},
  });
  return {
    output,
    listeners,
    hangUp: () => {
      for (const listener of listeners) listener();
    },
    until: async (text: string): Promise<void> => {
      for (const late = performance.now() + 10_000; performance.now() < late; await pause(5))
        if (`${output.out}${output.err}`.includes(text)) return;
      throw new Error(`no ${text} in ${output.out}${output.err}`);
    },
    stop: () => {
      stopping.abort('the test');
      return code;
    },
  };
}
