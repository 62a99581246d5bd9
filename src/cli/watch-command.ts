import { type Command, InvalidArgumentError, Option } from 'commander';
import { BPS_MAX, COSTS_MAX, WINDOW_MS_MAX, WINDOW_MS_MIN } from '../wire/generated/constants.js';
import { integer } from './integer.js';
import type { Shell } from './shell.js';
import { type WatchOutput, watch } from './watch.js';
import { KEY_HELP } from './watch-keys.js';
import { WATCH_CHANNELS, type WatchChannel } from './watch-lines.js';

const OUTPUTS: readonly WatchOutput[] = ['table', 'json', 'ndjson'];
const SECONDS_MAX = 1_000_000;

interface WatchFlags {
  readonly url: string;
  readonly output: WatchOutput;
  readonly depth: number;
  readonly grouping: string | undefined;
  readonly quantities: readonly string[] | undefined;
  readonly bps: readonly number[] | undefined;
  readonly window: number | undefined;
  readonly vpinVolume: string | undefined;
  readonly channel: WatchChannel;
  readonly count: number | undefined;
  readonly timeout: number | undefined;
  readonly tokenFile: string | undefined;
}

/** `depthwire watch`. */
export function addWatchCommand(program: Command, shell: Shell): void {
  program
    .command('watch')
    .description('show live books of a running server')
    .argument('[instrument...]', 'sim:BTCUSDT, or patterns: deribit:BTC-* (default: the server’s first)')
    .option('--url <url>', 'address of the server', 'http://127.0.0.1:8642')
    .addOption(
      new Option(
        '-o, --output <format>',
        'table: ladders that are redrawn, in a pipe one snapshot of each; json: one snapshot of each; ndjson: a line per update, which other channels always are',
      )
        .argParser(output)
        .default('table'),
    )
    .addOption(new Option('--channel <name>', 'what to show').choices(WATCH_CHANNELS).default('depth'))
    .option('--depth <n>', 'levels a side, 1 to 100', levels, 10)
    .option('--grouping <step>', 'sum prices to steps, a multiple of the tick: 0.5', grouping)
    .option('--quantities <list>', 'of costs: what is taken from each side: 0.5,5', quantities)
    .option('--bps <list>', 'of costs: basis points of the mid, 1 to 10000: 10,25', bands)
    .option('--window <seconds>', 'of signals: what they are computed over, 1 to 3600 (60)', windowSeconds)
    .option('--vpin-volume <qty>', 'of signals: volume of a bucket of VPIN: 5', grouping)
    .option('--count <n>', 'end after so many outputs: snapshots, lines or drawings', count)
    .option('--timeout <seconds>', 'end when nothing comes for so long (snapshots: 10)', seconds)
    .option('--token-file <path>', 'a file with the token for the server')
    .addHelpText('after', afterHelp())
    .action(async (instruments: readonly string[], flags: WatchFlags) => {
      const { count: countMax, timeout, window, ...rest } = flags;
      const windowMs = window === undefined ? undefined : window * 1000;
      const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
      const { grouping, quantities, bps, vpinVolume, tokenFile } = rest;
      const options = {
        ...rest,
        instruments,
        grouping,
        quantities,
        bps,
        windowMs,
        vpinVolume,
        tokenFile,
        countMax,
        timeoutMs,
        signal: shell.signal,
      };
      await watch(options, shell);
    });
}

function afterHelp(): string {
  const width = Math.max(...KEY_HELP.map(([press]) => press.length));
  const keys = KEY_HELP.map(([press, does]) => `  ${press.padEnd(width)}  ${does}`).join('\n');
  return `
Keys in a terminal:
${keys}

Exit codes:
  0  ended by a key, by Ctrl-C, or after --count
  1  the server refused, or what answers is no depthwire server
  2  the command line is wrong, or the token is missing or refused
  3  nothing came within --timeout
A server that is not there is tried again until it is.`;
}

function output(text: string): WatchOutput {
  const found = OUTPUTS.find((name) => name === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError('Use table, json or ndjson.');
}

function levels(text: string): number {
  const value = integer(text);
  if (value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError('Give 1 to 100 levels.');
}

function grouping(text: string): string {
  if (isPositiveDecimal(text)) return text;
  throw new InvalidArgumentError('Give a decimal above 0, such as 0.5.');
}

function quantities(text: string): readonly string[] {
  const list = text.split(',');
  if (list.length <= COSTS_MAX && list.every(isPositiveDecimal)) return list;
  throw new InvalidArgumentError(`Give 1 to ${COSTS_MAX} decimals above 0, such as 0.5,5.`);
}

function bands(text: string): readonly number[] {
  const list = text.split(',').map(integer);
  if (list.length <= COSTS_MAX && list.every((band) => band >= 1 && band <= BPS_MAX)) return list;
  throw new InvalidArgumentError(`Give 1 to ${COSTS_MAX} integers from 1 to ${BPS_MAX}, such as 10,25.`);
}

function isPositiveDecimal(text: string): boolean {
  return /^\d{1,18}(\.\d{1,18})?$/.test(text) && /[1-9]/.test(text);
}

function count(text: string): number {
  const value = integer(text);
  if (value >= 1) return value;
  throw new InvalidArgumentError('Give 1 or more.');
}

function windowSeconds(text: string): number {
  const value = integer(text);
  if (value >= WINDOW_MS_MIN / 1000 && value <= WINDOW_MS_MAX / 1000) return value;
  throw new InvalidArgumentError('Give 1 to 3600 seconds.');
}

function seconds(text: string): number {
  const value = /^\d{1,7}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= SECONDS_MAX) return value;
  throw new InvalidArgumentError('Give seconds above 0.');
}
