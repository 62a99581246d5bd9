import type { Command } from 'commander';
import { parseInstrument } from '../config/instrument-text.js';
import type { InstrumentOverride } from '../config.js';
import { explain } from '../errors.js';
import { INSTRUMENT_HELP } from './config-options.js';
import { type Conversion, convert } from './convert.js';
import { convertFrames, type FrameConversion } from './convert-frames.js';
import { EXIT, type Shell } from './shell.js';
import { ProgressBar } from './terminal.js';

interface Flags {
  readonly out: string;
  readonly frames?: true;
  readonly instrument: readonly InstrumentOverride[];
  readonly json?: true;
}

/** `depthwire convert`. `done` takes the exit code. */
export function addConvertCommand(program: Command, shell: Shell, done: (code: number) => void): void {
  program
    .command('convert')
    .description('make a journal of recordings of any form: segments that are exact, or say what is missing')
    .argument('<file...>', 'recordings, plain, gzip or zstd; several are one after the other')
    .requiredOption('--out <folder>', 'where the segments are written: a new folder, or an empty one')
    .option(
      '--frames',
      'keep what is published of them, in a fraction of the bytes, and not what was received',
    )
    .option('--instrument <name>', `with --frames: ${INSTRUMENT_HELP}`, collected, [])
    .option('--json', 'what it came to as one JSON object')
    .action(async (files: readonly string[], { out, frames, instrument, json }: Flags) => {
      const bar = new ProgressBar(shell.stderr);
      const onProgress = (share: number): void => bar.show(share);
      try {
        const converted =
          frames === true
            ? await convertFrames({ files, instruments: instrument, folder: out, onProgress })
            : await convert({ files, folder: out, onProgress });
        bar.end();
        await shell.stdout.write(json ? `${JSON.stringify(jsonOf(converted))}\n` : textOf(converted, out));
        for (const damage of converted.damages) await shell.stderr.write(`${explain(damage)}\n`);
        done(converted.missed === 0 ? EXIT.ok : EXIT.failed);
      } finally {
        bar.end();
      }
    });
}

function collected(text: string, before: readonly InstrumentOverride[]): readonly InstrumentOverride[] {
  return [...before, parseInstrument(text)];
}

function jsonOf({ damages, ...converted }: Conversion | FrameConversion): object {
  return { ...converted, damages: damages.map((damage) => damage.toJSON()) };
}

function textOf(converted: Conversion | FrameConversion, folder: string): string {
  const { segments, bytes, missed } = converted;
  const held = 'frames' in converted ? `${converted.frames} frames` : `${converted.records} records`;
  const lines = [
    `${held}, ${(bytes / 2 ** 20).toFixed(1)} MiB, ${segments.length === 1 ? 'a segment' : `${segments.length} segments`}: ${folder}`,
    ...(missed === 0
      ? []
      : [`${missed} ${missed === 1 ? 'part' : 'parts'} could not be read; the journal says where`]),
  ];
  return `${lines.join('\n')}\n`;
}
