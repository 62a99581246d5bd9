import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseInstrument } from '../config/instrument-text.js';
import type { InstrumentOverride } from '../config.js';
import { DepthwireError, explain } from '../errors.js';
import { TIME_FORM, timeNs } from '../time-text.js';
import { INSTRUMENT_HELP } from './config-options.js';
import { type Exported, exportRows, SUBJECTS, type Subject, type Wanted } from './export.js';
import { EXIT, type Shell } from './shell.js';
import { ProgressBar } from './terminal.js';

/** Levels a side of a snapshot at most, and the longest interval: a day. */
const DEPTH_MAX = 5000;
const INTERVAL_MS_MAX = 86_400_000;
/** Window of signals unless told otherwise, and the longest. */
const WINDOW_S = 60;
const WINDOW_S_MAX = 3600;

interface Flags {
  readonly out: string;
  readonly what: Subject;
  readonly depth?: number;
  readonly interval?: number;
  readonly window?: number;
  readonly vpinVolume?: string;
  readonly instrument: readonly InstrumentOverride[];
  readonly from?: bigint;
  readonly to?: bigint;
  readonly force?: true;
  readonly json?: true;
}

/** `depthwire export`. `done` takes the exit code. */
export function addExportCommand(program: Command, shell: Shell, done: (code: number) => void): void {
  program
    .command('export')
    .description('write what a recording of any form comes to as rows, for DuckDB, pandas and the like')
    .argument('<file...>', 'recordings, plain, gzip or zstd; several are one after the other')
    .requiredOption(
      '-o, --out <file>',
      'where to write: its ending says how, .parquet, .arrow, .csv or .ndjson',
    )
    .addOption(
      new Option('--what <rows>', 'every level that changes, the best prices, trades, statistics, …')
        .choices([...SUBJECTS])
        .default('levels'),
    )
    .option('--depth <number>', 'with --what top: so many levels a side at each --interval', upTo(DEPTH_MAX))
    .option(
      '--interval <ms>',
      'with --what top and signals: time between two rows, milliseconds',
      upTo(INTERVAL_MS_MAX),
    )
    .option(
      '--window <seconds>',
      'of signals: what they are computed over, 1 to 3600 (60)',
      upTo(WINDOW_S_MAX),
    )
    .option('--vpin-volume <qty>', 'of signals: volume of a bucket of VPIN: 5', volume)
    .option('--instrument <name>', INSTRUMENT_HELP, collected, [])
    .option('--from <time>', `rows from this time of receipt on: ${TIME_FORM}`, time)
    .option('--to <time>', 'rows before this time of receipt', time)
    .option('--force', 'replace a file that is there')
    .option('--json', 'what it came to as one JSON object')
    .action(async (files: readonly string[], flags: Flags) => {
      const { out, instrument, from, to, force, json } = flags;
      const bar = new ProgressBar(shell.stderr);
      try {
        const exported = await exportRows({
          files,
          out,
          what: wantedOf(flags),
          instruments: instrument,
          fromNs: from,
          toNs: to,
          isReplacing: force === true,
          signal: shell.signal,
          onProgress: (share) => bar.show(share),
        });
        bar.end();
        await shell.stdout.write(json === true ? `${JSON.stringify(jsonOf(exported))}\n` : textOf(exported));
        for (const damage of exported.damages) await shell.stderr.write(`${explain(damage)}\n`);
        done(isWhole(exported) ? EXIT.ok : EXIT.failed);
      } finally {
        bar.end();
      }
    });
}

/** What is asked for; of options that do not go with it nothing is made silently. */
function wantedOf({ what, depth, interval, window, vpinVolume }: Flags): Wanted {
  if (what !== 'signals' && (window !== undefined || vpinVolume !== undefined))
    throw new DepthwireError('export.signals', {
      what: 'a window and a volume of VPIN are of signals',
      where: '--window, --vpin-volume',
      expected: '--what signals',
      got: `--what ${what}`,
      fix: 'Say --what signals, or neither --window nor --vpin-volume.',
    });
  if (what === 'signals' && depth === undefined)
    return { subject: what, intervalMs: interval, windowMs: (window ?? WINDOW_S) * 1000, vpinVolume };
  if (what !== 'signals' && depth === undefined && interval === undefined) return { subject: what };
  if (what === 'top' && depth !== undefined && interval !== undefined)
    return { subject: 'snapshots', depth, intervalMs: interval };
  throw new DepthwireError('export.snapshots', {
    what: 'snapshots need a depth and an interval, and are of tops; signals take an interval alone',
    where: '--depth, --interval',
    expected: '--what top --depth N --interval MS, or --what signals --interval MS',
    got: `--what ${what}, ${depth === undefined ? 'no --depth' : `--depth ${depth}`}, ${interval === undefined ? 'no --interval' : `--interval ${interval}`}`,
    fix: 'Say what belongs together, or neither --depth nor --interval.',
  });
}

function isWhole({ recordingErrors, damages }: Exported): boolean {
  return recordingErrors === 0 && damages.length === 0;
}

function jsonOf({ damages, ...exported }: Exported): object {
  return { ...exported, damages: damages.map((damage) => damage.toJSON()) };
}

function textOf(exported: Exported): string {
  const { rows, bytes, file, schema, elapsedMs, instruments, recordingErrors } = exported;
  const of = instruments.length === 1 ? instruments[0] : `${instruments.length} instruments`;
  const rate = elapsedMs > 0 ? Math.round((rows / elapsedMs) * 1000) : 0;
  const said = [
    `${rows} rows of ${of}, ${(bytes / 2 ** 20).toFixed(1)} MiB, ${schema}: ${file} (${rate} rows/s)`,
    ...(isWhole(exported)
      ? []
      : [`${recordingErrors} parts of the recording could not be read; the rows say where books are stale`]),
  ];
  return `${said.join('\n')}\n`;
}

function upTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d{1,9}$/.test(text) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`Give an integer from 1 to ${most}.`);
  };
}

function volume(text: string): string {
  if (/^\d{1,18}(\.\d{1,18})?$/.test(text)) return text;
  throw new InvalidArgumentError('Give a decimal, such as 5.');
}

function time(text: string): bigint {
  const ns = timeNs(text);
  if (ns !== undefined) return ns;
  throw new InvalidArgumentError(`Give ${TIME_FORM}.`);
}

function collected(text: string, before: readonly InstrumentOverride[]): readonly InstrumentOverride[] {
  return [...before, parseInstrument(text)];
}
