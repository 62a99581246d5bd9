import { run } from '../../src/cli/program.js';

/** Runs `depthwire fake-venue` in a folder, and ends it at once where it starts. */
export async function fakeVenueCommand(
  folder: string,
  ...args: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const stop = new AbortController();
  const stream = (name: 'out' | 'err') => ({
    isTty: false,
    hasColor: false,
    size: () => ({ columns: 80, rows: 24 }),
    atExit: () => () => {},
    write: (part: string): Promise<void> => {
      text[name] += part;
      if (part.includes('stop     Ctrl-C')) stop.abort('test');
      return Promise.resolve();
    },
  });
  const code = await run(['fake-venue', '--port', '0', ...args], {
    stdout: stream('out'),
    stderr: stream('err'),
    signal: stop.signal,
    env: {},
    folder,
    onHangup: () => () => {},
    endWithin() {},
  });
  return { code, ...text };
}
