import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { instrumentNameIfAny } from '../engine.js';
import { DepthwireError, type ErrorJson } from '../errors.js';
import { nearest } from '../nearest.js';
import {
  type BookSubscription,
  connect,
  type Feed,
  isPattern,
  type Level,
  type LocalBook,
} from '../wire/index.js';
import { depthIn, type LadderLevel, type LadderView, ladderLines } from './ladder-text.js';
import type { Terminal } from './terminal.js';
import { bookLine, type WatchChannel } from './watch-lines.js';
import { stream } from './watch-stream.js';

export type WatchOutput = 'table' | 'json' | 'ndjson';

export interface WatchOptions {
  readonly url: string;
  /** `venue:symbol`, or a pattern of names; undefined = the server's first. */
  readonly instrument: string | undefined;
  readonly channel: WatchChannel;
  /** A file that holds the token for the server. */
  readonly tokenFile: string | undefined;
  readonly output: WatchOutput;
  /** Levels a side, 1 to 100. */
  readonly depth: number;
  readonly signal: AbortSignal;
}

const REDRAW_MS = 100;
/** How long a snapshot waits for a book that is not synced. */
const SYNC_MS_MAX = 10_000;
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
/** A screen of its own without a cursor, and back to what the terminal showed before. */
const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l';
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l';

/**
 * Shows what a running server brings: a book as a ladder or once, anything else a line a change. Returns when it is done or
 * `signal` ends it. Throws `watch.*` and feed errors.
 */
export async function watch(options: WatchOptions, terminal: Terminal): Promise<void> {
  const { channel, depth, output, signal, tokenFile } = options;
  const base = httpUrl(options.url);
  const token = tokenFile === undefined ? undefined : () => tokenOf(tokenFile);
  const isMany = options.instrument !== undefined && isPattern(options.instrument);
  if (output === 'json' && (isMany || channel !== 'depth')) throw onlyLines(options);
  const names = await namesOf(base, await token?.());
  const instrument = isMany ? (options.instrument as string) : instrumentOf(base, names, options.instrument);
  const feedUrl = new URL('/v1/feed', base);
  feedUrl.protocol = feedUrl.protocol === 'https:' ? 'wss:' : 'ws:';
  const feed = connect(feedUrl.href, { signal, ...(token === undefined ? {} : { token }) });
  try {
    if (output === 'ndjson' || isMany || channel !== 'depth') {
      await stream(feed, { instrument, channel, depth, signal }, terminal);
      return;
    }
    const subscription = feed.depth(instrument, { depth, intervalMs: REDRAW_MS });
    if (output === 'table' && terminal.isTty) await redraw(feed, subscription, options, terminal);
    else await once(feed, subscription, options, terminal);
  } finally {
    await feed.close();
  }
}

/** One snapshot of a synced book. */
async function once(
  feed: Feed,
  subscription: BookSubscription,
  options: WatchOptions,
  terminal: Terminal,
): Promise<void> {
  const late = AbortSignal.timeout(SYNC_MS_MAX);
  late.addEventListener('abort', () => subscription.close(), { once: true });
  for await (const book of subscription) {
    if (book.state !== 'synced') continue;
    const text =
      options.output === 'json'
        ? JSON.stringify(bookLine(subscription, book, options.depth))
        : ladderLines(viewOf(feed, subscription, options.depth, 0), options.depth, false).join('\n');
    await terminal.write(`${text}\n`);
    return;
  }
  if (options.signal.aborted) return;
  throw new DepthwireError('watch.not_synced', {
    what: 'the book did not sync in time',
    where: subscription.topic.instrument,
    expected: `a synced book within ${SYNC_MS_MAX} ms`,
    got: `${subscription.state} (${subscription.reason})`,
    fix: 'See /health and the server’s messages for why its source does not deliver.',
  });
}

/** Redraws the ladder on a screen of its own until the signal. */
async function redraw(
  feed: Feed,
  subscription: BookSubscription,
  options: WatchOptions,
  terminal: Terminal,
): Promise<void> {
  let changedMs = performance.now();
  subscription.on('update', () => {
    changedMs = performance.now();
  });
  const hasLeft = terminal.atExit(LEAVE_SCREEN);
  await terminal.write(ENTER_SCREEN);
  try {
    while (!options.signal.aborted && !subscription.closed) {
      const { columns, rows } = terminal.size();
      const depth = Math.min(options.depth, depthIn(rows));
      const view = viewOf(feed, subscription, depth, performance.now() - changedMs);
      // In the last column some terminals would clear what was just written there.
      const lines = ladderLines(view, depth, terminal.hasColor, columns - 1).slice(0, rows);
      await terminal.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\n') + CLEAR_BELOW);
      await pause(REDRAW_MS, undefined, { signal: options.signal }).catch(() => {});
    }
  } finally {
    await terminal.write(LEAVE_SCREEN);
    hasLeft();
  }
  if (subscription.error !== undefined) throw subscription.error;
}

function viewOf(feed: Feed, subscription: BookSubscription, depth: number, ageMs: number): LadderView {
  const { book } = subscription;
  const { bids, asks } = book.depth(depth);
  const size = (level: Level): number => Number(level.exact?.qty ?? level.qty);
  const largest = Math.max(1, ...bids.map(size), ...asks.map(size));
  const drawn = (level: Level): LadderLevel => ({
    price: book.priceText(level),
    qty: book.qtyText(level),
    share: size(level) / largest,
  });
  return {
    instrument: subscription.topic.instrument,
    connected: feed.state === 'open',
    state: book.state,
    reason: book.reason,
    seq: String(book.seq),
    ageMs,
    latencyMs: feed.latency?.p50Ms,
    doubts: doubtsOf(book),
    bids: bids.map(drawn),
    asks: asks.map(drawn),
  };
}

/** What the server doubts about a book that it calls synced. */
function doubtsOf(book: LocalBook): readonly string[] {
  return [...(book.isBeyondKnown ? ['beyond known'] : []), ...(book.isCrossed ? ['crossed'] : [])];
}

/** Takes `http://host:port`, the address of the feed, or `host:port`. */
function httpUrl(text: string): URL {
  const full = /^[a-z]+:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  const protocol = url?.protocol.replace('ws', 'http');
  if (url === undefined || (protocol !== 'http:' && protocol !== 'https:')) {
    throw new DepthwireError('watch.url', {
      what: 'the address of the server cannot be understood',
      where: '--url',
      expected: 'http://HOST:PORT or ws://HOST:PORT/v1/feed',
      got: text,
      fix: 'Give the address that depthwire serve printed.',
    });
  }
  return new URL('/', `${protocol}//${url.host}`);
}

/** The instrument's full name, checked against what the server has. */
function instrumentOf(base: URL, names: readonly string[], wanted: string | undefined): string {
  const first = names[0];
  if (wanted === undefined && first !== undefined) return first;
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  const own = wanted === undefined ? undefined : instrumentNameIfAny(wanted);
  if (own !== undefined && names.includes(own)) return own;
  const meant = wanted === undefined ? undefined : nearest(wanted, names);
  throw new DepthwireError('watch.unknown_instrument', {
    what: 'the server does not have this instrument',
    where: 'INSTRUMENT',
    expected: names.join(', ') || 'at least one instrument',
    got: wanted ?? 'none',
    fix:
      names.length === 0
        ? `It waits for the lists of its venues, or its sources are closed: see ${new URL('/health', base).href}.`
        : meant === undefined
          ? 'Choose one that the server has.'
          : `Write ${meant}.`,
  });
}

async function namesOf(base: URL, token: string | undefined): Promise<readonly string[]> {
  let response: Response;
  try {
    response = await fetch(new URL('/v1/instruments', base), {
      signal: AbortSignal.timeout(SYNC_MS_MAX),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  } catch (cause) {
    throw new DepthwireError('watch.unreachable', {
      what: 'no server answers at this address',
      where: base.href,
      expected: 'a running depthwire serve',
      got: 'no answer',
      fix: 'Start one with depthwire serve, or name its address with --url.',
      cause,
    });
  }
  const body = (await response.json().catch(() => undefined)) as InstrumentsBody | null | undefined;
  if (typeof body?.error?.code === 'string') throw new DepthwireError(body.error.code, body.error);
  if (Array.isArray(body?.instruments)) return body.instruments.map(({ name }) => name);
  throw new DepthwireError('watch.not_depthwire', {
    what: 'what answers at this address is no depthwire server',
    where: response.url,
    expected: 'a list of instruments as JSON',
    got: `status ${response.status}, ${response.headers.get('content-type') ?? 'no content type'}`,
    fix: 'Give the address that depthwire serve printed.',
  });
}

/** The token of a file, read each time, for it may have been renewed. */
async function tokenOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new DepthwireError('watch.token_file', {
      what: 'the file of the token cannot be read',
      where: '--token-file',
      expected: 'a file that holds a token and nothing else',
      got: path,
      fix: 'Write one with depthwire token, or check its path and rights.',
      cause,
    });
  }
}

function onlyLines({ channel, instrument }: WatchOptions): DepthwireError {
  return new DepthwireError('watch.output', {
    what: 'there is no single snapshot of this',
    where: '--output',
    expected: 'table or ndjson; json for the depth channel of one instrument',
    got: `json of ${channel} ${instrument ?? ''}`,
    fix: 'Use -o ndjson.',
  });
}

/** What a depthwire server answers; another one may answer anything. */
interface InstrumentsBody {
  readonly instruments?: readonly { readonly name: string }[];
  readonly error?: ErrorJson;
}
