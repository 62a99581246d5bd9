import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DepthwireError } from '../errors.js';
import type { WireTarget } from './measure.js';
import { INSTRUMENT } from './sim-book.js';

export const FEED_PATH = '/v1/feed';
const SUBPROTOCOL = 'depthwire.v1';
const START_MS_MAX = 20_000;

/** A server to be measured. All but `kind` make it worse than it is, to prove that it is seen. */
export interface ServerSpec {
  readonly kind: 'depthwire' | 'bare';
  /** The addon that it loads, where it is another than the one of this process. */
  readonly addon?: string;
  /** Held up by each message for so long. */
  readonly busyUs?: number;
  /** Each so many-th message is dropped. */
  readonly dropEach?: number;
  /** Stands still once. */
  readonly stall?: { readonly atMessage: number; readonly ms: number };
}

/** A server that runs. */
export interface Target {
  readonly name: string;
  readonly pid: number;
  /** As the generator needs it. */
  readonly wire: WireTarget;
  /** Why it ended by itself, if it did. */
  readonly ended: () => string | undefined;
  stop(): Promise<void>;
}

/** Beside this file, which stands in `dist` or, in tests, in `src`. */
const PROGRAM = fileURLToPath(new URL('./server.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/bench/server.js', import.meta.url));

/** Starts a server. Throws `bench.server` when it does not come up. */
export async function startTarget(name: string, { addon, ...spec }: ServerSpec): Promise<Target> {
  const program = existsSync(PROGRAM) ? PROGRAM : BUILT;
  const env = addon === undefined ? process.env : { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: addon };
  const child = spawn(process.execPath, [program, JSON.stringify(spec)], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const state: { ended?: string; said: string } = { said: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    state.said = `${state.said}${text}`.slice(-1000);
  });
  child.on('exit', (code, signal) => {
    state.ended = `${signal ?? `exit code ${code}`}${state.said === '' ? '' : `: ${state.said.trim()}`}`;
  });
  const ports = await firstLine(child, name, () => state.ended);
  const { feed, input } = JSON.parse(ports) as { readonly feed: number; readonly input: number };
  const isBare = spec.kind === 'bare';
  const request = { op: 'subscribe', id: 1, channel: 'book', instrument: INSTRUMENT };
  return {
    name,
    pid: child.pid ?? 0,
    wire: {
      name,
      feed: `127.0.0.1:${feed}`,
      path: FEED_PATH,
      protocol: isBare ? null : SUBPROTOCOL,
      subscribe: [JSON.stringify(request)],
      input: `127.0.0.1:${input}`,
      sends: isBare ? 'frames' : 'updates',
    },
    ended: () => state.ended,
    stop: () => stop(child),
  };
}

async function firstLine(
  child: ChildProcess,
  name: string,
  ended: () => string | undefined,
): Promise<string> {
  const failed = (got: string): DepthwireError =>
    new DepthwireError('bench.server', {
      what: `the server under test (${name}) does not come up`,
      expected: `its ports within ${START_MS_MAX / 1000} s`,
      got,
      fix: 'run depthwire doctor, which looks at all that a server needs of this machine',
    });
  if (child.stdout === null) throw failed('no output');
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => child.kill(), START_MS_MAX);
  try {
    for await (const line of lines) return line;
  } finally {
    clearTimeout(timer);
  }
  // Its end is told after that of its output.
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.on('exit', resolve));
  throw failed(ended() ?? 'its end');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.on('exit', resolve));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}
