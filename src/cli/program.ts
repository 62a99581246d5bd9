import { Command, CommanderError } from 'commander';
import { parseInstrument } from '../config/instrument-text.js';
import type { InstrumentOverride } from '../config.js';
import { codeOf, DepthwireError, explain } from '../errors.js';
import { VERSION } from '../version.js';
import { addBenchCommand } from './bench-command.js';
import { addConfigCommand } from './config-command.js';
import { INSTRUMENT_HELP } from './config-options.js';
import { addConvertCommand } from './convert-command.js';
import { addDoctorCommand } from './doctor-command.js';
import { addExportCommand } from './export-command.js';
import { addFakeVenueCommand } from './fake-venue-command.js';
import { addIncidentCommand } from './incident-command.js';
import { addInspectCommand } from './inspect-command.js';
import { addInstrumentsCommand } from './instruments.js';
import { addJournalPartCommands } from './journal-parts-command.js';
import { addRecordCommand } from './record-command.js';
import { addServeCommand } from './serve-command.js';
import { EXIT, type Shell } from './shell.js';
import { ProgressBar } from './terminal.js';
import { addTokenCommand } from './token-command.js';
import { venueRows, venuesMarkdown, venuesText } from './venues.js';
import { verify } from './verify.js';
import { reportText } from './verify-report.js';
import { addWatchCommand } from './watch-command.js';

/** Errors that mean a wrong command line rather than a wrong file or server. */
const USAGE_CODES =
  /^(bench\.(scenario|option|race|compare|replay|gate|address|beside|recording|rate|seconds|subscribers|folder)$|config\.|export\.(form|exists|snapshots|signals|no_orders|no_times)$|fake\.|watch\.(url|output|token_file)|recording\.(missing|directory|ambiguous|venues|differ|no_streams|no_such_instrument)$|serve\.(no_such_instrument|public_bind)$|auth\.|journal\.(folder|nothing|not_journal|published|other_journal|mixed|headed|too_many)$|record\.|incident\.(time|no_times)$|instruments\.(unknown_venue|no_such|no_endpoint|too_many)$|live\.(keys|needs_key|not_offered)$|instrument\.)/;

interface VerifyFlags {
  readonly json?: true;
  readonly strict?: true;
  readonly instrument: readonly InstrumentOverride[];
}

/** Every command with its options. `setCode` is told the exit code of a command that ends well and yet found something. */
export function programOf(shell: Shell, setCode: (code: number) => void): Command {
  const program = new Command('depthwire')
    .description('Exact order books from raw exchange bytes to a binary feed.')
    .version(VERSION)
    .showHelpAfterError('(depthwire --help lists commands and options)')
    .configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: (text) => void shell.stderr.write(text),
    })
    .exitOverride();

  addServeCommand(program, shell);
  addBenchCommand(program, shell, setCode);
  addConfigCommand(program, shell);
  addConvertCommand(program, shell, setCode);
  addDoctorCommand(program, shell, setCode);
  addExportCommand(program, shell, setCode);
  addFakeVenueCommand(program, shell);
  addIncidentCommand(program, shell, setCode);
  addInspectCommand(program, shell, setCode);
  addInstrumentsCommand(program, shell);
  addJournalPartCommands(program, shell, setCode);
  addRecordCommand(program, shell);
  addTokenCommand(program, shell);

  addWatchCommand(program, shell);

  program
    .command('verify')
    .description('run recordings through the whole path and report what it proved')
    .argument('<file...>', 'recordings, plain, gzip or zstd; several are one after the other')
    .option('--json', 'the report as one JSON object')
    .option('--strict', 'fail on gaps even if the book has synced again')
    .option('--instrument <name>', INSTRUMENT_HELP, collectInstrument, [])
    .action(async (files: readonly string[], flags: VerifyFlags) => {
      setCode(await verifyCommand(files, flags, shell));
    });

  program
    .command('venues')
    .description('list the venues that are read: how books are proven, channels, what cannot be detected')
    .option('--json', 'as JSON, with the facts of each connection')
    .option('--markdown', 'as the tables of docs/venues.md')
    .action(async ({ json, markdown }: { readonly json?: true; readonly markdown?: true }) => {
      const rows = venueRows();
      const text = json
        ? `${JSON.stringify(rows, null, 2)}\n`
        : (markdown ? venuesMarkdown : venuesText)(rows);
      await shell.stdout.write(text);
    });

  return program;
}

/** Runs one command line, without the program's name, and returns the exit code. Never throws. */
export async function run(args: readonly string[], shell: Shell): Promise<number> {
  let code: number = EXIT.ok;
  const program = programOf(shell, (of) => {
    code = of;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    await shell.stderr.write(`${explain(error)}\n`);
    const errorCode = codeOf(error);
    if (errorCode === 'watch.nothing_came') return EXIT.nothing;
    return USAGE_CODES.test(errorCode) ? EXIT.usage : EXIT.failed;
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

function collectInstrument(
  text: string,
  before: readonly InstrumentOverride[],
): readonly InstrumentOverride[] {
  return [...before, parseInstrument(text)];
}
