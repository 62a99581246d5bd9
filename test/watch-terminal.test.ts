import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serving, startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';

const RUNNER = fileURLToPath(new URL('support/terminal.py', import.meta.url));
const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const CTRL_C = '\x03';
const SIGTERM = 15;

type Step =
  | { readonly until: string }
  | { readonly keys: string }
  | { readonly resize: readonly [number, number] }
  | { readonly signal: number };

interface Modes {
  readonly echo: boolean;
  readonly lines: boolean;
}

interface Outcome {
  readonly code: number | null;
  readonly text: string;
  /** Of the terminal, while it was watched and when it was over. */
  readonly during: Modes | null;
  readonly after: Modes;
  /** Steps that were not reached. */
  readonly left: readonly Step[];
}

const COOKED: Modes = { echo: true, lines: true };
const RAW: Modes = { echo: false, lines: false };

let serving: Serving;
beforeAll(async () => {
  serving = await startServing(configFrom({ server: { port: 0, drainMs: 300 } }), new Map(), () => {});
});
afterAll(() => serving.stop('test is over'));

/** `depthwire watch` in a terminal of its own. */
function watched(
  steps: readonly Step[],
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  size: readonly [number, number] = [80, 24],
): Promise<Outcome> {
  return inTerminal(steps, [process.execPath, MAIN, 'watch', '--url', serving.url, ...args], env, size);
}

async function inTerminal(
  steps: readonly Step[],
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  [columns, rows]: readonly [number, number] = [80, 24],
): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(
    'python3',
    [RUNNER, String(columns), String(rows), JSON.stringify(steps), ...command],
    { env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '', ...env }, maxBuffer: 64 << 20 },
  );
  return JSON.parse(stdout) as Outcome;
}

/** What each drawing has shown, without colours. */
function screens(text: string): readonly (readonly string[])[] {
  return text
    .split('\x1b[H')
    .slice(1)
    .map(
      (screen) =>
        screen
          .split('\x1b[J')[0]
          ?.split('\r\n')
          .map((line) => line.replaceAll(new RegExp(`${'\x1b'}\\[[0-9;?]*[A-Za-z]`, 'g'), '')) ?? [],
    );
}

describe('depthwire watch in a terminal', () => {
  it('draws a ladder with its tape, obeys keys, ends by q and leaves the terminal as it was', async () => {
    const outcome = await watched(
      [
        { until: 'latency' },
        { keys: '?' },
        { until: 'more levels' },
        { keys: '\x1b' },
        { until: 'spread' },
        { keys: 'g' },
        { until: 'by 0.02' },
        { keys: '-' },
        { until: 'levels (8)' },
        { keys: 'p' },
        { until: 'PAUSED' },
        { keys: 'p' },
        { until: 'spread' },
        { keys: '\x1a' },
        { until: `${LEAVE}${ENTER}` },
        { until: 'spread' },
        { keys: 'x' },
        { until: 'no such key' },
        { keys: 'q' },
      ],
      ['sim:BTCUSDT'],
    );
    expect(outcome).toMatchObject({ code: 0, left: [], during: RAW, after: COOKED });
    expect(outcome.text.startsWith(ENTER)).toBe(true);
    expect(outcome.text.endsWith(LEAVE)).toBe(true);
    expect(outcome.text).toContain('time, UTC');
    expect(outcome.text).toContain('\x1b[32m');
    const paused = screens(outcome.text).find((lines) => lines.at(-1)?.includes('PAUSED')) ?? [];
    expect(paused.join('\n')).toContain('NO MARKET: PAUSED');
    expect(paused.join('\n')).not.toContain('█');
  });

  it('goes from one instrument to the next, and shows them side by side where there is room', async () => {
    const outcome = await watched(
      [
        { until: '[sim:BTCUSDT]' },
        { until: 'synced' },
        { keys: '\t' },
        { until: '[sim:DOGEUSDT]' },
        { until: 'synced' },
        { keys: '\x1b[D\x1b[D' },
        { until: '[sim:SOLUSDT]' },
        { resize: [130, 20] },
        { until: ' │ ' },
        { until: 'synced' },
        { keys: CTRL_C },
      ],
      ['sim:*'],
      {},
      [55, 24],
    );
    expect(outcome).toMatchObject({ code: 0, left: [], after: COOKED });
    expect(outcome.text.endsWith(LEAVE)).toBe(true);
    const drawn = screens(outcome.text);
    expect(drawn.at(-1)?.[1]).toMatch(/^sim:ETHUSDT .* │ sim:SOLUSDT {2}synced$/);
    expect(drawn.at(-1)?.length).toBeLessThanOrEqual(20);
    for (const line of drawn[0] ?? []) expect([...line].length).toBeLessThan(55);
  });

  it('restores the terminal after a signal, a timeout and a count', async () => {
    const [killed, counted] = await Promise.all([
      watched([{ until: 'spread' }, { signal: SIGTERM }], ['sim:BTCUSDT']),
      watched([], ['sim:BTCUSDT', '--count', '3']),
    ]);
    for (const { text, after } of [killed, counted])
      expect([text.endsWith(LEAVE), after]).toEqual([true, COOKED]);
    expect([killed.code, counted.code]).toEqual([0, 0]);
    const silent = await watched([{ until: 'no instrument' }], ['nobody:*', '--timeout', '0.8']);
    expect(silent).toMatchObject({ code: 3, after: COOKED });
    expect(silent.text).toContain(`${LEAVE}error: nothing came in time`);
  });

  it('has no colours where they are not wanted, and no screen on a terminal that is dumb', async () => {
    const [colourless, dumb] = await Promise.all([
      watched([{ until: 'spread' }, { keys: 'q' }], ['sim:BTCUSDT'], { NO_COLOR: '1' }),
      watched([], ['sim:BTCUSDT', '--depth', '2'], { TERM: 'dumb' }),
    ]);
    expect(colourless).toMatchObject({ code: 0, left: [] });
    expect(colourless.text).not.toContain('\x1b[3');
    expect(dumb.code).toBe(0);
    expect(dumb.text).not.toContain('\x1b');
    expect(dumb.text).toMatch(/^sim:BTCUSDT {2}synced\r\nage /);
  });

  it('gives the terminal back to the shell by Ctrl-Z, and takes it again', async () => {
    const outcome = await inTerminal(
      [
        { until: 'bash-' },
        { keys: `'${process.execPath}' '${MAIN}' watch sim:BTCUSDT --url ${serving.url}\r` },
        { until: 'spread' },
        { keys: '\x1a' },
        { until: 'Stopped' },
        { until: 'bash-' },
        { keys: 'fg\r' },
        { until: ENTER },
        { until: 'spread' },
        { keys: 'q' },
        { until: 'bash-' },
        { keys: 'exit\r' },
      ],
      ['bash', '--norc', '-i'],
    );
    expect(outcome).toMatchObject({ code: 0, left: [], after: COOKED });
    const stopped = outcome.text.indexOf('Stopped');
    expect(outcome.text.lastIndexOf(LEAVE, stopped)).toBeGreaterThan(
      outcome.text.lastIndexOf(ENTER, stopped),
    );
  });
});
