import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a program did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The node that uses the installed package: another one by `DEPTHWIRE_NODE`, such as Node 22 on a machine with Node 20. */
export const NODE = process.env.DEPTHWIRE_NODE || process.execPath;

/** An empty folder in which a user installs packages. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'depthwire-user-'));
  readonly #registry: string;

  constructor(registry: string) {
    this.#registry = registry;
    this.write('package.json', JSON.stringify({ name: 'user', private: true, type: 'module' }));
    this.write(
      '.npmrc',
      `registry=${registry}\ncache=${join(this.folder, '.cache')}\naudit=false\nfund=false\n`,
    );
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /** npm, as a user calls it; throws what it said when it fails. */
  async npm(...args: readonly string[]): Promise<void> {
    // The npm that runs the tests is known where npm runs them; else the one on PATH.
    const own = process.env.npm_execpath;
    const [program, ...before] = own === undefined ? ['npm'] : [NODE, own];
    const ran = await run(program ?? 'npm', [...before, ...args], this.folder, {
      env: { npm_config_registry: this.#registry },
    });
    if (ran.code !== 0) throw new Error(`npm ${args.join(' ')}: ${ran.err}${ran.out}`);
  }

  node(...args: readonly string[]): Promise<Ran> {
    return run(NODE, args, this.folder);
  }

  /** The command of the installed package. */
  depthwire(...args: readonly string[]): Promise<Ran> {
    return this.node(this.path('node_modules/.bin/depthwire'), ...args);
  }

  /** Starts the server of the installed package. */
  async serve(...args: readonly string[]): Promise<{ readonly url: string; end(): Promise<number | null> }> {
    const child = spawn(NODE, [this.path('node_modules/.bin/depthwire'), 'serve', '--port', '0', ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      const take = (chunk: Buffer): void => {
        said += chunk.toString();
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said)?.[0];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      void closed.then(() => reject(new Error(`the server ended: ${said}`)));
    });
    const end = (): Promise<number | null> => {
      child.kill('SIGTERM');
      return closed;
    };
    return { url, end };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a program to its end, or, where it is `endless`, to its first line. More than `timeoutMs` ends it. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  options: { readonly env?: Readonly<Record<string, string>>; readonly endless?: boolean } = {},
  timeoutMs = 60_000,
): Promise<Ran> {
  // What the test runner sets is none of the program's business.
  const { NODE_OPTIONS: _options, NODE_ENV: _env, VITEST: _vitest, ...kept } = process.env;
  return new Promise((resolve) => {
    const given = { cwd, env: { ...kept, ...options.env }, timeout: timeoutMs, maxBuffer: 16 << 20 };
    const child = execFile(program, args, given, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out, err });
    });
    if (options.endless === true) child.stdout?.once('data', () => child.kill());
  });
}
