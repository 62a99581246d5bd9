import { type Command, InvalidArgumentError } from 'commander';
import { explain } from '../errors.js';
import { TIME_FORM, timeNs } from '../time-text.js';
import { type JournalPart, merge, NO_END, slice } from './journal-parts.js';
import { EXIT, type Shell } from './shell.js';
import { ProgressBar } from './terminal.js';

interface Flags {
  readonly out: string;
  readonly json?: true;
}

interface SliceFlags extends Flags {
  readonly from?: bigint;
  readonly to?: bigint;
  readonly records?: readonly [bigint, bigint];
}

/** `depthwire slice` and `depthwire merge`. `done` takes the exit code. */
export function addJournalPartCommands(program: Command, shell: Shell, done: (code: number) => void): void {
  const OUT = 'where the segments are written: a new folder, or an empty one';
  program
    .command('slice')
    .description('cut a part out of a journal, with what is needed to read it; records keep their numbers')
    .argument('<file...>', 'the segments of a journal in their order, plain, gzip or zstd')
    .requiredOption('--out <folder>', OUT)
    .option('--from <time>', `what was received from this time on: ${TIME_FORM}`, time)
    .option('--to <time>', 'what was received before this time', time)
    .option('--records <range>', 'records by their numbers, as 1000-1999: the last one, too', range)
    .option('--json', 'what it came to as one JSON object')
    .action((files: readonly string[], { from = 0n, to = NO_END, records, ...flags }: SliceFlags) => {
      const [firstRecord, lastRecord] = records ?? [0n, NO_END];
      const part = { fromNs: from, toNs: to, firstRecord, lastRecord };
      return write(flags, (onProgress) => slice({ files, folder: flags.out, ...part, onProgress }));
    });
  program
    .command('merge')
    .description('put journals together: parts of one by their numbers, different ones by time')
    .argument('<file...>', 'segments; those of a folder are one journal, in their order')
    .requiredOption('--out <folder>', OUT)
    .option('--json', 'what it came to as one JSON object')
    .action((files: readonly string[], flags: Flags) =>
      write(flags, (onProgress) => merge({ files, folder: flags.out, onProgress })),
    );

  async function write(
    { out, json }: Flags,
    make: (onProgress: (share: number) => void) => Promise<JournalPart>,
  ): Promise<void> {
    const bar = new ProgressBar(shell.stderr);
    try {
      const part = await make((share) => bar.show(share));
      bar.end();
      await shell.stdout.write(json === true ? `${JSON.stringify(jsonOf(part))}\n` : textOf(part, out));
      for (const damage of part.damages) await shell.stderr.write(`${explain(damage)}\n`);
      done(part.missing === 0 && part.damages.length === 0 ? EXIT.ok : EXIT.failed);
    } finally {
      bar.end();
    }
  }
}

function jsonOf({ damages, ...part }: JournalPart): object {
  return { ...part, damages: damages.map((damage) => damage.toJSON()) };
}

function textOf({ segments, records, bytes, repeated, missing }: JournalPart, folder: string): string {
  const count = segments.length === 1 ? 'a segment' : `${segments.length} segments`;
  const lines = [
    `${records} records, ${(bytes / 2 ** 20).toFixed(1)} MiB, ${count}: ${folder}`,
    ...(repeated === 0 ? [] : [`${repeated} records were in several parts, and are there once`]),
    ...(missing === 0
      ? []
      : [`records are missing at ${missing} ${missing === 1 ? 'place' : 'places'}; the journal says where`]),
  ];
  return `${lines.join('\n')}\n`;
}

function time(text: string): bigint {
  const ns = timeNs(text);
  if (ns !== undefined) return ns;
  throw new InvalidArgumentError(`Give ${TIME_FORM}.`);
}

function range(text: string): readonly [bigint, bigint] {
  const [, first, last] = /^(\d{1,19})-(\d{1,19})$/.exec(text) ?? [];
  if (first !== undefined && last !== undefined && BigInt(first) <= BigInt(last))
    return [BigInt(first), BigInt(last)];
  throw new InvalidArgumentError('Give two numbers of records, the lower first, as 1000-1999.');
}
