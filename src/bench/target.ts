import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DepthwireError } from '../errors.js';
import type { WireTarget } from './measure.js';
import { INSTRUMENT } from './sim-book.js';

export const FEED_PATH = '/v1/feed';
const SUBPROTOCOL = 'depthwire.v1';
const START_MS_MAX = 20_000;

/** A server to be measured. All but `kind` make it worse than it is, to prove that it is seen. */
export interface ServerSpec {
  readonly kind: 'depthwire' | 'bare' | 'ws' | 'program';
  /** Of `program`: what is run, with its arguments. It prints its ports as the others do, and publishes what it is given. */
  readonly command?: readonly string[];
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
  /** Has a server of ours collect what is garbage, and calls with the bytes that it keeps; of others nothing is known. */
  collect(onKept: (bytes: number) => void): void;
  stop(): Promise<void>;
}

/** Beside this file, which stands in `dist` or, in tests, in `src`. */
const PROGRAM = fileURLToPath(new URL('./server.js', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/bench/server.js', import.meta.url));

/** Starts a server. Throws `bench.server` when it does not come up. */
export async function startTarget(name: string, { addon, command, ...spec }: ServerSpec): Promise<Target> {
  const program = existsSync(PROGRAM) ? PROGRAM : BUILT;
  const env = addon === undefined ? process.env : { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: addon };
  const [file = '', ...args] = command ?? [process.execPath, program, JSON.stringify(spec)];
  const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const state: { ended?: string; said: string } = { said: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    state.said = `${state.said}${text}`.slice(-1000);
  });
  child.on('error', (error) => {
    state.ended = error.message;
  });
  // Of one that has ended.
  child.stdin.on('error', () => {});
  child.on('exit', (code, signal) => {
    state.ended = `${signal ?? `exit code ${code}`}${state.said === '' ? '' : `: ${state.said.trim()}`}`;
  });
  const lines = createInterface({ input: child.stdout });
  const { feed, input } = await portsOf(child, lines, name, () => state.ended);
  const isOurs = spec.kind === 'depthwire';
  const request = { op: 'subscribe', id: 1, channel: 'book', instrument: INSTRUMENT };
  return {
    name,
    pid: child.pid ?? 0,
    wire: {
      name,
      feed: `127.0.0.1:${feed}`,
      path: FEED_PATH,
      protocol: isOurs ? SUBPROTOCOL : null,
      subscribe: [JSON.stringify(request)],
      input: `127.0.0.1:${input}`,
      sends: isOurs ? 'updates' : 'frames',
    },
    ended: () => state.ended,
    collect(onKept) {
      if (command !== undefined) return;
      lines.once('line', (line) => onKept((JSON.parse(line) as { kept: number }).kept));
      child.stdin.write('\n');
    },
    stop: () => stop(child),
  };
}

interface Ports {
  readonly feed: number;
  readonly input: number;
}

async function portsOf(
  child: ChildProcess,
  lines: Interface,
  name: string,
  ended: () => string | undefined,
): Promise<Ports> {
  const failed = (got: string): DepthwireError =>
    new DepthwireError('bench.server', {
      what: `the server under test (${name}) does not come up`,
      expected: `its ports within ${START_MS_MAX / 1000} s, as {"feed":PORT,"input":PORT}`,
      got,
      fix: 'run depthwire doctor, which looks at all that a server needs of this machine',
    });
  const timer = setTimeout(() => child.kill(), START_MS_MAX);
  try {
    const [line] = await Promise.race([once(lines, 'line'), once(lines, 'close')]);
    if (typeof line === 'string') return portsIn(line);
  } catch (error) {
    child.kill();
    throw failed(error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
  }
  // Its end is told after that of its output.
  if (child.exitCode === null && child.signalCode === null && ended() === undefined)
    await new Promise((resolve) => child.once('exit', resolve));
  throw failed(ended() ?? 'its end');
}

function portsIn(line: string): Ports {
  const { feed, input } = JSON.parse(line) as Partial<Ports>;
  if (typeof feed !== 'number' || typeof input !== 'number')
    throw new Error(`no ports: ${line.slice(0, 100)}`);
  return { feed, input };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.on('exit', resolve));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}
