import type { Command } from 'commander';
import type { ErrorJson } from '../errors.js';
import { type Fault, type Holding, type InspectedFile, inspect } from './inspect.js';
import { EXIT, type Shell } from './shell.js';
import { ProgressBar } from './terminal.js';
import { textTable } from './text-table.js';

/** Connections and faults of a file that people are shown; programs get all that are kept. */
const LINES_SHOWN = 20;
const NOTE_LETTERS_SHOWN = 200;
const NS_PER_MS = 1_000_000n;

/** `depthwire inspect`. `done` takes the exit code. */
export function addInspectCommand(program: Command, shell: Shell, done: (code: number) => void): void {
  program
    .command('inspect')
    .description(
      'say what recordings and journals hold: form, segments, entries, connections, times, what is missing',
    )
    .argument('<file...>', 'recordings, plain, gzip or zstd; the segments of a journal in their order')
    .option('--json', 'as one JSON object')
    .action(async (files: readonly string[], { json }: { readonly json?: true }) => {
      const bar = new ProgressBar(shell.stderr);
      try {
        const inspected = await inspect({ files, onProgress: (share) => bar.show(share) });
        bar.end();
        const text = json ? `${JSON.stringify({ files: inspected })}\n` : inspected.map(textOf).join('\n');
        await shell.stdout.write(text);
        done(inspected.every(({ faultsCounted }) => faultsCounted === 0) ? EXIT.ok : EXIT.failed);
      } finally {
        bar.end();
      }
    });
}

function textOf(file: InspectedFile): string {
  const { form, fileBytes, segment, holds, backward, connections, notes, faults, damages, faultsCounted } =
    file;
  const rows: (readonly [string, string])[] = [
    ['form', form ?? 'none that is known'],
    ['bytes', `${fileBytes} in the file, ${holds.bytes} in what it holds`],
    ['entries', entriesOf(holds)],
    ['times', timesOf(holds, backward)],
  ];
  if (segment !== null) {
    const { journal, number, firstRecord, nextRecord, isClosed } = segment;
    const count = BigInt(nextRecord) - BigInt(firstRecord);
    const last = count > 0n ? `records ${firstRecord} to ${BigInt(nextRecord) - 1n}` : 'no records';
    const end = isClosed ? 'closed in order' : 'not closed: records may be missing at its end';
    rows.splice(1, 0, ['segment', `${number} of journal ${journal}, ${last}, ${end}`]);
  }
  const lines = [file.file, textTable(rows.map(([name, text]) => [`  ${name}`, text])).trimEnd()];
  for (const connection of connections.slice(0, LINES_SHOWN)) {
    const { line, address } = connection;
    lines.push(`  connection ${line}${address === '' ? '' : `  ${address}`}: ${entriesOf(connection)}`);
  }
  if (connections.length > LINES_SHOWN)
    lines.push(`  and ${connections.length - LINES_SHOWN} connections more`);
  lines.push(...notes.map((note) => `  note  ${plain(note)}`));
  const wrong = [...damages.map((damage) => errorText(damage)), ...faults.map(faultText)];
  lines.push(...wrong.slice(0, LINES_SHOWN).map((text) => `  ${text}`));
  if (faultsCounted > LINES_SHOWN) lines.push(`  and ${faultsCounted - LINES_SHOWN} faults more`);
  return `${lines.join('\n')}\n`;
}

const KINDS = [
  'began',
  'heads',
  'connected',
  'closed',
  'sent',
  'received',
  'answered',
  'setups',
  'ticks',
  'published',
] as const;

function entriesOf(holds: Holding): string {
  const said = KINDS.flatMap((kind) => {
    const datagrams = kind === 'received' && holds.datagrams > 0 ? ` (${holds.datagrams} datagrams)` : '';
    return holds[kind] === 0 ? [] : [`${holds[kind]} ${kind}${datagrams}`];
  });
  return said.length === 0 ? 'none' : said.join(', ');
}

function timesOf({ firstNs, lastNs }: Holding, backward: number): string {
  if (firstNs === null || lastNs === null) return 'none are known';
  const said = `${isoOf(firstNs)} to ${isoOf(lastNs)}`;
  return backward === 0 ? said : `${said}, ${backward} before the one before`;
}

/** A time to the ns; of a clock that no calendar holds the number. */
function isoOf(ns: string): string {
  const date = new Date(Number(BigInt(ns) / NS_PER_MS));
  return Number.isNaN(date.getTime())
    ? `${ns} ns`
    : date.toISOString().replace(/\.\d+Z$/, `.${ns.slice(-9)}Z`);
}

/** The beginning of a note that a terminal can be shown. */
function plain(note: string): string {
  const text = note.replaceAll(/[^ -~]/g, '?');
  return text.length <= NOTE_LETTERS_SHOWN
    ? text
    : `${text.slice(0, NOTE_LETTERS_SHOWN)}… (--json has it whole)`;
}

function faultText({ record, entry, ...error }: Fault): string {
  const place = record === null ? `behind ${entry} entries` : `record ${record}`;
  return `${place}: ${errorText(error)}`;
}

function errorText({
  code,
  what,
  expected,
  got,
}: Pick<ErrorJson, 'code' | 'what' | 'expected' | 'got'>): string {
  return `${what} (${code}); expected ${expected}, got ${got}`;
}
