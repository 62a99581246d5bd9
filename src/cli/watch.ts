import { DepthwireError } from '../errors.js';
import { connect, type Feed } from '../wire/index.js';
import type { Keyboard } from './keyboard.js';
import { bookLines } from './market-text.js';
import type { Terminal } from './terminal.js';
import { painted } from './text-line.js';
import { WatchLimits } from './watch-limits.js';
import { bookLine, type WatchChannel } from './watch-lines.js';
import { Refusals, WatchedMarket } from './watch-market.js';
import { WatchScreen } from './watch-screen.js';
import { fitting, WatchedServer } from './watch-server.js';
import { stream } from './watch-stream.js';

export type WatchOutput = 'table' | 'json' | 'ndjson';

export interface WatchOptions {
  readonly url: string;
  /** `venue:symbol`, or patterns of names; none = the server's first. */
  readonly instruments: readonly string[];
  readonly channel: WatchChannel;
  /** A file that holds the token for the server. */
  readonly tokenFile: string | undefined;
  readonly output: WatchOutput;
  /** Levels a side, 1 to 100. */
  readonly depth: number;
  /** Width of a price bucket as a decimal; undefined = levels as they are. */
  readonly grouping: string | undefined;
  /** Of costs; absent of both = what the server takes where nothing is asked for. */
  readonly quantities?: readonly string[] | undefined;
  readonly bps?: readonly number[] | undefined;
  /** Window of signals, and the volume of a bucket of their VPIN; absent = a minute, and none. */
  readonly windowMs?: number | undefined;
  readonly vpinVolume?: string | undefined;
  /** Outputs after which it ends; undefined: snapshots end after one of each instrument, everything else goes on. */
  readonly countMax: number | undefined;
  /** How long nothing may come, ms; undefined: 10 s for snapshots, for ever for everything else. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
}

/** What it is watched on. */
export interface WatchPlace {
  readonly stdout: Terminal;
  readonly stderr: Pick<Terminal, 'write'>;
  /** Absent where nobody presses keys. */
  readonly keyboard?: Keyboard | undefined;
}

/** How long a snapshot waits for a book that is synced. */
const SNAPSHOT_MS_MAX = 10_000;

/**
 * Shows what a running server brings: books as ladders or once, anything else a line a change. A server that is not there
 * is tried until it is. Returns when it is done or `signal` ends it. Throws `watch.*` and feed errors.
 */
export async function watch(options: WatchOptions, place: WatchPlace): Promise<void> {
  const { channel, output, tokenFile, instruments, countMax } = options;
  const { stdout, stderr, keyboard } = place;
  const server = new WatchedServer(options.url, tokenFile);
  const isLines = output === 'ndjson' || channel !== 'depth';
  if (output === 'json' && isLines) throw onlyLines(options);
  const isScreen = !isLines && output === 'table' && stdout.isTty && stdout.isDumb !== true;
  const timeoutMs = options.timeoutMs ?? (isLines || isScreen ? undefined : SNAPSHOT_MS_MAX);
  const limits = new WatchLimits({ countMax, timeoutMs }, options.signal);
  const { signal } = limits;
  let there = { got: 'no server', fix: 'Start one with depthwire serve, or name its address with --url.' };
  try {
    const names = await server.names(signal, () => {
      void stderr.write(
        `no server answers at ${server.base.href}: trying again (depthwire serve starts one)\n`,
      );
    });
    if (signal.aborted) return;
    const fix = 'See /health and the server’s messages for why its source does not deliver, or wait longer.';
    there = { got: 'a server, and nothing of what was asked for', fix };
    const wanted = server.chosen(instruments, names);
    const feed = connect(server.feedUrl, {
      signal,
      ...(server.token === undefined ? {} : { token: server.token }),
    });
    try {
      if (isLines) {
        await stream(feed, { ...options, instruments: wanted, limits }, stdout);
      } else if (isScreen) {
        const listNames = (): Promise<readonly string[]> => server.names(signal, () => {});
        const { depth, grouping } = options;
        await new WatchScreen(feed, stdout, {
          wanted,
          names,
          listNames,
          depth,
          grouping,
          keyboard,
          limits,
        }).run();
      } else {
        const found = fitting(wanted, names);
        if (found.length === 0) throw server.unknown(wanted.join(' '), names);
        await snapshots(feed, found, options, limits, stdout, (state) => {
          there = { got: state, fix };
        });
      }
    } finally {
      await feed.close();
    }
  } finally {
    limits.end(there);
  }
}

/** A snapshot of each book as soon as it is synced, or as many as are asked for. `tell` is told what there is meanwhile. */
async function snapshots(
  feed: Feed,
  names: readonly string[],
  options: WatchOptions,
  limits: WatchLimits,
  stdout: Terminal,
  tell: (state: string) => void,
): Promise<void> {
  const { output, depth, countMax } = options;
  const refusals = new Refusals();
  const print = async (name: string): Promise<void> => {
    const market = new WatchedMarket(feed, name, options, refusals, () => {});
    for await (const book of market.books) {
      tell(`${name} is ${book.state} (${book.reason})`);
      if (book.state !== 'synced') continue;
      // The last one that is counted ends the connection, and with it what the book is worth.
      const text = output === 'json' ? JSON.stringify(bookLine(name, book, depth)) : tableOf(market, depth);
      if (!limits.take()) break;
      await stdout.write(`${text}\n`);
      if (countMax === undefined) break;
    }
    market.close();
  };
  await Promise.all(names.map(print));
}

function tableOf(market: WatchedMarket, depth: number): string {
  return bookLines(market.view(depth), depth)
    .map((line) => painted(line, false).trimEnd())
    .join('\n');
}

function onlyLines({ channel, instruments }: WatchOptions): DepthwireError {
  return new DepthwireError('watch.output', {
    what: 'there is no single snapshot of this',
    where: '--output',
    expected: 'table or ndjson; json for the depth channel',
    got: `json of ${channel} ${instruments.join(' ')}`,
    fix: 'Use -o ndjson.',
  });
}
