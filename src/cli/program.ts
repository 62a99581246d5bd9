import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { configFrom, type InstrumentOverride, parseInstrument, type Speed } from '../config.js';
import { codeOf, DepthwireError, explain } from '../errors.js';
import { loadSite } from '../publish/site.js';
import { VERSION } from '../version.js';
import { type Serving, startServing } from './serve.js';
import { ProgressBar, type Terminal } from './terminal.js';
import { venueRows, venuesMarkdown, venuesText } from './venues.js';
import { reportText, verify } from './verify.js';
import { type WatchOutput, watch } from './watch.js';

/** What a command may touch of the process. */
export interface Shell {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Aborted by the first Ctrl-C or SIGTERM, with the reason. */
  readonly signal: AbortSignal;
}

/** Exit codes: what was asked for holds, it does not, or it could not be understood. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Errors that mean a wrong command line rather than a wrong file or server. */
const USAGE_CODES =
  /^(config\.|watch\.url|recording\.(missing|directory|ambiguous|venues|differ|no_streams|no_such_instrument)$|serve\.no_such_instrument$|instrument\.)/;

const SYNC_POLL_MS = 50;

interface ServeFlags {
  readonly replay?: readonly string[];
  readonly speed?: Speed;
  readonly loop?: true;
  readonly port?: number;
  readonly host?: string;
  readonly seed?: number;
  readonly instrument: readonly InstrumentOverride[];
  readonly allowHost: readonly string[];
}

interface WatchFlags {
  readonly url: string;
  readonly output: string;
  readonly depth: number;
}

interface VerifyFlags {
  readonly json?: true;
  readonly strict?: true;
  readonly instrument: readonly InstrumentOverride[];
}

/** Runs one command line, without the program's name, and returns the exit code. Never throws. */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command('depthwire')
    .description('Exact order books from raw exchange bytes to a binary feed.')
    .version(VERSION)
    .showHelpAfterError('(depthwire --help lists commands and options)')
    .configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: (text) => void shell.stderr.write(text),
    })
    .exitOverride();

  program
    .command('serve')
    .description('serve the embedded venue, or recordings, with the feed, the HTTP interface and the page')
    .option('--replay <file...>', 'recordings instead of the embedded venue; several are one after the other')
    .option('--speed <n>', 'recorded seconds per second, or max', speed)
    .option('--loop', 'begin again after the last file')
    .option('--port <n>', 'port to listen on, 0 = a free one (default: 8642)', integer)
    .option('--host <host>', 'loopback address to listen on (default: 127.0.0.1)')
    .option(
      '--allow-host <name>',
      'a further name that requests may use, as of a proxy on this machine',
      collect,
      [],
    )
    .option('--seed <n>', 'of the embedded venue: the same seed gives the same market', integer)
    .option('--instrument <name>', INSTRUMENT_HELP, collectInstrument, [])
    .action(async (flags: ServeFlags) => {
      code = await serveCommand(flags, shell);
    });

  program
    .command('watch')
    .description('show a live book of a running server')
    .argument('[instrument]', 'for example sim:BTCUSDT (default: the server’s first)')
    .option('--url <url>', 'address of the server', 'http://127.0.0.1:8642')
    .option(
      '-o, --output <format>',
      'table, json (one snapshot) or ndjson (a line per update)',
      output,
      'table',
    )
    .option('--depth <n>', 'levels a side, 1 to 100', levels, 10)
    .action(async (instrument: string | undefined, flags: WatchFlags) => {
      const { url, depth } = flags;
      const { signal, stdout } = shell;
      await watch({ url, instrument, output: flags.output as WatchOutput, depth, signal }, stdout);
    });

  program
    .command('verify')
    .description('run recordings through the whole path and report what it proved')
    .argument('<file...>', 'recordings, plain, gzip or zstd; several are one after the other')
    .option('--json', 'the report as one JSON object')
    .option('--strict', 'fail on gaps even if the book has synced again')
    .option('--instrument <name>', INSTRUMENT_HELP, collectInstrument, [])
    .action(async (files: readonly string[], flags: VerifyFlags) => {
      code = await verifyCommand(files, flags, shell);
    });

  program
    .command('venues')
    .description('list the venues that are read, and what is known of each')
    .option('--json', 'as JSON, with the facts of each connection')
    .option('--markdown', 'as a table of docs/venues.md')
    .action(async ({ json, markdown }: { readonly json?: true; readonly markdown?: true }) => {
      const rows = venueRows();
      const text = json
        ? `${JSON.stringify(rows, null, 2)}\n`
        : (markdown ? venuesMarkdown : venuesText)(rows);
      await shell.stdout.write(text);
    });

  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    await shell.stderr.write(`${explain(error)}\n`);
    return USAGE_CODES.test(codeOf(error)) ? EXIT.usage : EXIT.failed;
  }
}

const INSTRUMENT_HELP =
  'venue:SYMBOL[,tick=0.25,lot=0.001]: which one it is, and the steps of its prices and quantities';

/** Where the built page lies, from `src/cli` and from `dist/cli` alike. */
const PAGE_FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url));

async function serveCommand(flags: ServeFlags, { stdout, stderr, signal }: Shell): Promise<number> {
  const { replay, speed: replaySpeed, loop, port, host, seed, instrument, allowHost } = flags;
  if (replay === undefined && (replaySpeed !== undefined || loop !== undefined)) {
    throw new DepthwireError('config.replay', {
      what: '--speed and --loop belong to a replay',
      where: 'serve',
      expected: '--replay FILE',
      got: 'the embedded venue, which runs in real time',
      fix: 'Add --replay FILE, or leave them out.',
    });
  }
  const config = configFrom({
    ...defined({ port, host, seed }),
    instruments: instrument,
    allowHosts: allowHost,
    ...(replay === undefined ? {} : { replay: { files: replay, ...defined({ speed: replaySpeed, loop }) } }),
  });
  const site = loadSite(PAGE_FOLDER);
  const warn = (line: string): void => void stderr.write(`${line}\n`);
  const serving = await startServing(config, site, warn);
  await stdout.write(greeting(serving, site.size > 0));
  let ended = false;
  serving.source.ended.then(
    () => {
      if (!ended) void stdout.write('replay   finished; the last books stay served\n');
    },
    () => {},
  );
  void whenSynced(serving, signal).then((books) => (ended ? undefined : stdout.write(`books    ${books}\n`)));
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  ended = true;
  await stdout.write(`stopping (${String(signal.reason)}); once more ends at once\n`);
  await serving.stop(`server stops (${String(signal.reason)})`);
  return EXIT.ok;
}

function greeting({ url, source }: Serving, hasPage: boolean): string {
  return [
    `depthwire ${VERSION} serves: ${source.name}`,
    hasPage
      ? `page     ${url}`
      : `page     not built (npm run build); the HTTP interface is at ${url}v1/instruments`,
    `feed     ${url.replace('http', 'ws')}v1/feed  (subprotocol depthwire.v1)`,
    `health   ${url}health`,
    'stop     Ctrl-C',
    '',
  ].join('\n');
}

/** Resolves with the state of the books once all are synced, or after five seconds as they are then. */
async function whenSynced({ server }: Serving, signal: AbortSignal): Promise<string> {
  const untilMs = performance.now() + 5000;
  for (;;) {
    const { synced, syncing, stale } = server.books();
    const waiting = syncing + stale;
    if (waiting === 0) return `${synced} synced`;
    if (performance.now() > untilMs || signal.aborted)
      return `${synced} synced, ${syncing} syncing, ${stale} stale`;
    await new Promise((resolve) => setTimeout(resolve, SYNC_POLL_MS));
  }
}

async function verifyCommand(files: readonly string[], flags: VerifyFlags, shell: Shell): Promise<number> {
  const bar = new ProgressBar(shell.stderr);
  try {
    const verified = await verify({
      files,
      instruments: flags.instrument,
      strict: flags.strict === true,
      onProgress: (share) => bar.show(share),
    });
    bar.end();
    if (flags.json === true) {
      await shell.stdout.write(`${JSON.stringify(verified.report)}\n`);
      for (const failure of verified.failures) await shell.stderr.write(`FAIL  ${failure}\n`);
    } else {
      await shell.stdout.write(`${reportText(verified)}\n`);
    }
    return verified.failures.length === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    bar.end();
    if (flags.json === true && error instanceof DepthwireError) {
      await shell.stdout.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
    }
    throw error;
  }
}

function speed(text: string): Speed {
  if (text === 'max') return 'max';
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 10_000) return value;
  throw new InvalidArgumentError('Give a number above 0 and at most 10000, or max.');
}

function integer(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give an integer of 0 or more.');
}

function levels(text: string): number {
  const value = integer(text);
  if (value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError('Give 1 to 100 levels.');
}

function output(text: string): WatchOutput {
  if (text === 'table' || text === 'json' || text === 'ndjson') return text;
  throw new InvalidArgumentError('Use table, json or ndjson.');
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function collectInstrument(
  text: string,
  before: readonly InstrumentOverride[],
): readonly InstrumentOverride[] {
  return [...before, parseInstrument(text)];
}

/** Without the keys that were not given, so that the defaults apply. */
function defined(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
