import type { Command } from 'commander';
import { explain } from '../errors.js';
import { type Conversion, convert } from './convert.js';
import { EXIT, type Shell } from './shell.js';
import { ProgressBar } from './terminal.js';

interface Flags {
  readonly out: string;
  readonly json?: true;
}

/** `depthwire convert`. `done` takes the exit code. */
export function addConvertCommand(program: Command, shell: Shell, done: (code: number) => void): void {
  program
    .command('convert')
    .description('make a journal of recordings of any form: segments that are exact, or say what is missing')
    .argument('<file...>', 'recordings, plain, gzip or zstd; several are one after the other')
    .requiredOption('--out <folder>', 'where the segments are written: a new folder, or an empty one')
    .option('--json', 'what it came to as one JSON object')
    .action(async (files: readonly string[], { out, json }: Flags) => {
      const bar = new ProgressBar(shell.stderr);
      try {
        const converted = await convert({ files, folder: out, onProgress: (share) => bar.show(share) });
        bar.end();
        await shell.stdout.write(json ? `${JSON.stringify(jsonOf(converted))}\n` : textOf(converted, out));
        for (const damage of converted.damages) await shell.stderr.write(`${explain(damage)}\n`);
        done(converted.missed === 0 ? EXIT.ok : EXIT.failed);
      } finally {
        bar.end();
      }
    });
}

function jsonOf({ damages, ...converted }: Conversion): object {
  return { ...converted, damages: damages.map((damage) => damage.toJSON()) };
}

function textOf({ segments, records, bytes, missed }: Conversion, folder: string): string {
  const lines = [
    `${records} records, ${(bytes / 2 ** 20).toFixed(1)} MiB, ${segments.length === 1 ? 'a segment' : `${segments.length} segments`}: ${folder}`,
    ...(missed === 0
      ? []
      : [`${missed} ${missed === 1 ? 'part' : 'parts'} could not be read; the journal says where`]),
  ];
  return `${lines.join('\n')}\n`;
}
