import { type Command, InvalidArgumentError } from 'commander';
import { parseInstrument } from '../config/instrument-text.js';
import { TIME_FORM, timeNs } from '../time-text.js';
import { type Incident, incident, type SeenBook } from './incident.js';
import { EXIT, type Shell } from './shell.js';

const NS_PER_S = 1_000_000_000;
/** Longest time on each side: an hour. */
const SECONDS_MAX = 3600;

interface Flags {
  readonly around: bigint;
  readonly seconds: number;
  readonly out: string;
  readonly force?: true;
  readonly json?: true;
}

/** `depthwire incident`. `done` takes the exit code. */
export function addIncidentCommand(program: Command, shell: Shell, done: (code: number) => void): void {
  program
    .command('incident')
    .description(
      'put a moment of a recording into one small journal that anyone can replay: what came, the book before and after, what was found',
    )
    .argument('<instrument>', 'venue:SYMBOL')
    .argument('<file...>', 'recordings, plain, gzip or zstd; several are one after the other')
    .requiredOption('--around <time>', `the moment, by times of receipt: ${TIME_FORM}`, time)
    .option('--seconds <number>', 'so much before it and behind it', seconds, 10)
    .requiredOption('-o, --out <file>', 'the journal to write')
    .option('--force', 'replace a file that is there')
    .option('--json', 'what was found as one JSON object')
    .action(async (name: string, files: readonly string[], flags: Flags) => {
      const { around, out, force, json } = flags;
      const side = BigInt(Math.round(flags.seconds * NS_PER_S));
      const found = await incident({
        files,
        instrument: parseInstrument(name),
        fromNs: around > side ? around - side : 1n,
        aroundNs: around,
        toNs: around + side,
        out,
        isReplacing: force === true,
      });
      await shell.stdout.write(json === true ? `${JSON.stringify(found)}\n` : textOf(found));
      done(EXIT.ok);
    });
}

function textOf({ file, bytes, records, verdict, isSelfContained }: Incident): string {
  const { instrument, before, after, states, counted, faults } = verdict;
  const changes = states.map(({ state, reason }) => `${state} (${reason})`).join(', ');
  const { gaps, contradictions, decodeErrors, checksumsChecked, checksumsMatched } = counted;
  const lines = [
    `${file}  ${records} records, ${bytes} bytes, ${instrument}`,
    `  before  ${bookText(before)}`,
    `  after   ${bookText(after)}`,
    `  states  ${changes === '' ? 'no change' : changes}`,
    `  found   ${gaps} gaps, ${contradictions} contradictions, ${decodeErrors} unreadable, ${checksumsMatched} of ${checksumsChecked} checksums equal, ${faults.length} faults noted`,
    isSelfContained
      ? '  read by itself it comes to the same book'
      : '  read by itself it does not come to the same book: what mends it is not in this time',
  ];
  return `${lines.join('\n')}\n`;
}

function bookText({ state, reason, venueSeq, bidCount, askCount, bids, asks }: SeenBook): string {
  const top = `${bids[0]?.join(' × ') ?? 'no bid'} | ${asks[0]?.join(' × ') ?? 'no ask'}`;
  return `${state}${state === 'stale' ? ` (${reason})` : ''} at ${venueSeq}, ${bidCount} + ${askCount} levels, ${top}`;
}

function time(text: string): bigint {
  const ns = timeNs(text);
  if (ns !== undefined) return ns;
  throw new InvalidArgumentError(`Give ${TIME_FORM}.`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= SECONDS_MAX) return value;
  throw new InvalidArgumentError(`Give a number above 0 and up to ${SECONDS_MAX}.`);
}
