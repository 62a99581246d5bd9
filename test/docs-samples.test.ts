import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../scripts/tools.mjs';
import { configOf } from '../src/cli/config-options.js';
import { programOf, run } from '../src/cli/program.js';
import { type Serving, startServing } from '../src/cli/serve.js';
import type { Shell } from '../src/cli/shell.js';
import { configReference } from '../src/config/reference.js';
import { configFrom } from '../src/config.js';
import { parseControl as parseAsked } from '../src/publish/control.js';
import { parseControl as parseAnswer } from '../src/wire/control.js';
import { programFrom, type Sample, samplesOf, shellCommands } from './support/samples.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** Inside the package, so that its own name is found as users find it. */
const BUILT = join(ROOT, '.build', `samples-${process.pid}`);
const folder = mkdtempSync(join(tmpdir(), 'depthwire-docs-'));

/** Absent on many machines. */
const GO = findProgram('go', process.env);

/** Lines after which a program that runs for ever has shown that it works, and how long that may take. */
const LINES_ENOUGH = 3;
const RUN_MS_MAX = 25_000;

/** Programs of others: what a page does with them is not run here. */
const FOREIGN = new Set([
  'docker',
  'install',
  'systemctl',
  'systemd-analyze',
  'git',
  'cargo',
  'pip',
  'cd',
  'gh',
]);
const LANGUAGES = new Set(['ts', 'sh', 'json', 'text', 'rust', 'python', 'go']);
const ASKED = new Set(['subscribe', 'unsubscribe', 'resync', 'ping']);

function filesBelow(path: string, ending: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const full = join(path, entry.name);
    if (entry.isDirectory()) return filesBelow(full, ending);
    return entry.name.endsWith(ending) ? [full] : [];
  });
}

/** Rust as cargo compiles it, the samples in its comments included. */
const RUST = filesBelow(join(ROOT, 'crates'), '.rs').map((file) => readFileSync(file, 'utf8'));
/** Lines without their indent, and without the marks of a comment. */
const bare = (text: string): string =>
  text
    .split('\n')
    .map((line) =>
      line
        .trim()
        .replace(/^\/\/[/!] ?/, '')
        .trim(),
    )
    .join('\n')
    .trim();

const SAMPLES = [
  join(ROOT, 'README.md'),
  ...['docs', 'examples'].flatMap((path) => filesBelow(join(ROOT, path), '.md')),
].flatMap((file) => samplesOf(ROOT, file));
const of = (...languages: readonly string[]): readonly Sample[] =>
  SAMPLES.filter(({ language }) => languages.includes(language));

let serving: Serving;
/** Kraken, as `depthwire fake-venue` speaks it. */
let venue: { readonly url: string; readonly stop: () => Promise<unknown> };

beforeAll(async () => {
  mkdirSync(BUILT, { recursive: true });
  serving = await startServing(configFrom({ server: { port: 0, drainMs: 300 } }), new Map(), () => {});
  venue = await startVenue();
});

afterAll(async () => {
  await Promise.all([serving.stop('test is over'), venue.stop()]);
  rmSync(BUILT, { recursive: true });
  rmSync(folder, { recursive: true });
});

async function startVenue(): Promise<typeof venue> {
  const stopping = new AbortController();
  let out = '';
  let tell = (): void => {};
  const isUp = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const code = run(
    ['fake-venue', '--venue', 'kraken', '--port', '0', '--speed', '20'],
    shellIn(folder, stopping.signal, (text) => {
      out += text;
      if (out.includes('stop     Ctrl-C')) tell();
    }),
  );
  await isUp;
  const [, url = ''] = /--url wss:\/\/ws\.kraken\.com=(\S+)/.exec(out) ?? [];
  return {
    url,
    stop: () => {
      stopping.abort('test is over');
      return code;
    },
  };
}

function shellIn(place: string, signal: AbortSignal, take: (text: string) => void): Shell {
  const stream = {
    isTty: false,
    hasColor: false,
    size: () => ({ columns: 80, rows: 24 }),
    atExit: () => () => {},
    write: (text: string): Promise<void> => Promise.resolve(take(text)),
  };
  return {
    stdout: stream,
    stderr: stream,
    signal,
    env: {},
    folder: place,
    onHangup: () => () => {},
    endWithin() {},
  };
}

/** The servers of a sample are those of the test. */
function here(text: string): string {
  const url = serving.url.replace(/\/$/, '');
  return text
    .replaceAll('http://127.0.0.1:8642', url)
    .replaceAll('ws://127.0.0.1:8642', url.replace('http', 'ws'))
    .replaceAll('wss://ws.kraken.com', venue.url);
}

/** A folder for what the samples of a page write: those that follow find it. The package is installed there. */
function folderOf({ page }: Sample): string {
  const place = join(folder, page.replaceAll('/', '-'));
  if (!existsSync(place)) {
    mkdirSync(join(place, 'node_modules'), { recursive: true });
    symlinkSync(ROOT, join(place, 'node_modules/depthwire'));
  }
  return place;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const title = ({ place }: Sample): [string] => [place];
const find = (place: string): Sample => SAMPLES.find((sample) => sample.place === place) as Sample;

describe('the samples of the documentation', () => {
  it('are of languages that are tested, and many', () => {
    expect(SAMPLES.filter(({ language }) => !LANGUAGES.has(language)).map(({ place }) => place)).toEqual([]);
    expect([of('ts').length, of('sh').length, of('json').length].every((count) => count >= 5)).toBe(true);
  });

  it('in TypeScript compile, strict, against what the package exports', () => {
    const files = of('ts').map((sample) => {
      const file = join(BUILT, `${sample.place.replaceAll(/[/:]/g, '-')}.mts`);
      writeFileSync(file, programFrom(sample, SAMPLES));
      return file;
    });
    const program = ts.createProgram(files, {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noUnusedLocals: true,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
      types: ['node'],
      skipLibCheck: true,
      noEmit: true,
    });
    const faults = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
      return `${file?.fileName.slice(BUILT.length + 1)} line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    expect(faults).toEqual([]);
  });
});

/** Pages in order, for a sample may need what one before it has written. */
describe.each([...new Set(SAMPLES.map(({ page }) => page))])('the samples of %s', (page) => {
  const own = (...languages: readonly string[]): [string][] =>
    of(...languages)
      .filter((sample) => sample.page === page)
      .map(title);

  it.each(own('ts', 'sh'))('%s run', async (place) => {
    const sample = find(place);
    if (sample.language === 'ts') await runProgram(sample);
    else if (sample.note === 'a session') await runSession(sample);
    else for (const words of shellCommands(sample.text)) await runCommand(words, sample);
  });

  it.each(own('json'))('%s are read by the server and the client', (place) => {
    const { text } = find(place);
    if (!text.includes('"op"')) {
      expect(() => JSON.parse(`{${text}}`) as unknown).not.toThrow();
      return;
    }
    for (const line of text.split('\n')) {
      // What is left out of a line is not what it shows.
      const json = line.replace(', …,', ',');
      const { op } = JSON.parse(json) as { readonly op: string };
      if (ASKED.has(op)) parseAsked(json);
      else if (json === line) expect(parseAnswer(json).op).toBe(op);
    }
  });

  it.each(own('rust'))('%s stand in a file that cargo compiles, or are called templates', (place) => {
    const { note, text } = find(place);
    if (note === 'a template') return;
    const isCompiled = RUST.some((file) => bare(file).includes(bare(text)));
    expect(isCompiled, `${place}: take these lines from an example, a test or a comment that is tested`).toBe(
      true,
    );
  });

  it.each(own('python'))('%s are Python', async (place) => {
    await promisify(execFile)('python3', ['-c', 'import ast, sys; ast.parse(sys.argv[1])', find(place).text]);
  });

  // Said as skipped where there is no Go: nothing else here needs it.
  it.skipIf(GO === undefined).each(own('go'))(
    '%s compile and read the test vectors as these say',
    async (place) => {
      await expect(runGo(find(place))).resolves.toMatch(/^\d\d vectors\n$/);
    },
    120_000,
  );
});

/** Runs Go with `main` of support/vectors.go, which hands it the test vectors: what it prints. */
async function runGo({ text }: Sample): Promise<string> {
  if (GO === undefined) throw new Error('there is no Go here');
  const place = join(BUILT, 'go');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'go.mod'), 'module sample\n\ngo 1.21\n');
  const imports = 'import (\n"encoding/binary"\n"errors"\n"hash/crc32"\n)';
  writeFileSync(join(place, 'sample.go'), `package main\n${imports}\n${text}\n`);
  copyFileSync(join(ROOT, 'test/support/vectors.go'), join(place, 'main.go'));
  const env = { ...process.env, GOPROXY: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '' };
  await promisify(execFile)(GO, ['vet', '.'], { cwd: place, env });
  const { stdout } = await promisify(execFile)(
    GO,
    ['run', '.', join(ROOT, 'crates/core/schema/vectors.json')],
    {
      cwd: place,
      env,
    },
  );
  return stdout;
}

/** Runs a program until it ends, or has printed enough. */
async function runProgram(sample: Sample): Promise<void> {
  const file = join(BUILT, `${sample.place.replaceAll(/[/:]/g, '-')}.mjs`);
  const { outputText } = ts.transpileModule(here(programFrom(sample, SAMPLES)), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(file, outputText);
  const child = spawn(process.execPath, [file], { cwd: folderOf(sample), stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  let isEnough = false;
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (out.split('\n').length <= LINES_ENOUGH) return;
    isEnough = true;
    child.kill();
  });
  const late = setTimeout(() => child.kill(), RUN_MS_MAX);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearTimeout(late);
  expect(err).toBe('');
  expect(out).not.toBe('');
  if (!isEnough) expect(code).toBe(0);
}

/** Runs a shell's lines as they stand, with a server that they start in the background. */
async function runSession(sample: Sample): Promise<void> {
  const place = folderOf(sample);
  const port = await freePort();
  const node = `'${process.execPath}' '${join(ROOT, 'dist/cli/main.js')}'`;
  const program = `
    depthwire() {
      if [ "$1" != serve ]; then ${node} "$@" < /dev/null; return; fi
      ${node} "$@" --port ${port} > serve.log 2>&1 &
      trap "kill $! 2> kill.log; wait $! || true" EXIT
      until curl --silent --fail http://127.0.0.1:${port}/ready > ready.log; do sleep 0.1; kill -0 $! || exit 9; done
    }
    npx() { "$@"; }
    ${sample.text.replaceAll('127.0.0.1:8642', `127.0.0.1:${port}`).replaceAll(/(depthwire watch)/g, `$1 --url 127.0.0.1:${port}`)}`;
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', program], {
    cwd: place,
    env: { ...process.env, HOME: place, XDG_CONFIG_HOME: place },
    timeout: RUN_MS_MAX,
  });
  expect(stdout).not.toBe('');
}

/** Runs a command of a shell where that ends by itself and asks nobody outside; else sees that it is one. */
async function runCommand(words: readonly string[], sample: Sample): Promise<void> {
  const [first = '', ...rest] = words;
  if (FOREIGN.has(first)) return;
  if (first === 'npm') return expectScript(rest);
  if (first === 'curl') {
    const { stdout } = await promisify(execFile)('curl', ['-sS', '--fail', ...rest.map(here)]);
    expect(stdout).not.toBe('');
    return;
  }
  const args = first === 'npx' ? rest.slice(1) : rest;
  expect([first, first === 'npx' ? rest[0] : 'depthwire']).toEqual([
    first === 'npx' ? 'npx' : 'depthwire',
    'depthwire',
  ]);
  await parse(args, sample);
  if (!isHarmless(args, folderOf(sample))) return;
  const own = args[0] === 'watch' ? [...args, '--url', serving.url] : args;
  let out = '';
  const code = await inFolder(folderOf(sample), () =>
    run(
      own,
      shellIn(folderOf(sample), new AbortController().signal, (text) => (out += text)),
    ),
  );
  expect(`${code} ${out}`).toMatch(/^0 ./);
}

function expectScript(rest: readonly string[]): void {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const name = rest[0] === 'run' ? rest[1] : rest[0];
  expect([...Object.keys(scripts), 'install', 'i']).toContain(name);
}

/** The command line as the program reads it, without what it does. */
async function parse(args: readonly string[], sample: Sample): Promise<void> {
  let said = '';
  const shell = shellIn(folderOf(sample), new AbortController().signal, (text) => (said += text));
  const program = programOf(shell, () => {});
  const quiet = (command: Command): void => {
    for (const inner of command.commands) quiet(inner);
    if (command.commands.length > 0) return;
    command.action((...given: readonly unknown[]) => {
      // Its options are keys of a configuration, whose values have rules of their own.
      if (command.name() === 'serve') configOf(given[0] as readonly string[], command, shell);
    });
  };
  quiet(program);
  await program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
    throw new Error(`${sample.place}: depthwire ${args.join(' ')}: ${said}${String(error)}`);
  });
}

function isHarmless(args: readonly string[], place: string): boolean {
  const [command = '', next = ''] = args;
  if (command === 'verify') return existsSync(join(place, next));
  if (command !== 'watch') return command === 'venues' || command === 'config';
  const isEndless = args.some((arg) => arg === 'ndjson' || arg === '--channel') && !args.includes('--count');
  const instruments = args.slice(1, args.findIndex((arg, at) => at > 0 && arg.startsWith('-')) >>> 0);
  return !isEndless && instruments.every((name) => name.startsWith('sim:'));
}

/** Files are named from where the program runs. */
async function inFolder<T>(place: string, act: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(place);
  try {
    return await act();
  } finally {
    process.chdir(before);
  }
}

it('docs/configuration.md is what depthwire config schema --markdown prints', () => {
  expect(readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8')).toBe(configReference());
});
