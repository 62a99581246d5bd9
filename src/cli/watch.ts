import { setTimeout as pause } from 'node:timers/promises';
import { instrumentNameIfAny } from '../engine.js';
import { DepthwireError, type ErrorJson } from '../errors.js';
import { nearest } from '../nearest.js';
import { type BookSubscription, connect, type Feed, type Level, type LocalBook } from '../wire/index.js';
import { depthIn, type LadderLevel, type LadderView, ladderLines } from './ladder-text.js';
import type { Terminal } from './terminal.js';

export type WatchOutput = 'table' | 'json' | 'ndjson';

export interface WatchOptions {
  readonly url: string;
  /** `venue:symbol`; undefined = the server's first. */
  readonly instrument: string | undefined;
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

/** Shows a book of a running server. Returns when it is done or `signal` ends it. Throws `watch.*` and feed errors. */
export async function watch(options: WatchOptions, terminal: Terminal): Promise<void> {
  const base = httpUrl(options.url);
  const instrument = await instrumentOf(base, options.instrument);
  const feedUrl = new URL('/v1/feed', base);
  feedUrl.protocol = feedUrl.protocol === 'https:' ? 'wss:' : 'ws:';
  const feed = connect(feedUrl.href, { signal: options.signal });
  try {
    const intervalMs = options.output === 'ndjson' ? 0 : REDRAW_MS;
    const subscription = feed.depth(instrument, { depth: options.depth, intervalMs });
    if (options.output === 'ndjson') await everyUpdate(subscription, options, terminal);
    else if (options.output === 'table' && terminal.isTty)
      await redraw(feed, subscription, options, terminal);
    else await once(feed, subscription, options, terminal);
  } finally {
    await feed.close();
  }
}

/** One line per change of content or state. A reader that is slower than the feed sees the newest, as in any loop. */
async function everyUpdate(
  subscription: BookSubscription,
  options: WatchOptions,
  terminal: Terminal,
): Promise<void> {
  let before = '';
  for await (const book of subscription) {
    const line = JSON.stringify(bookLine(subscription, book, options.depth));
    // A change of state and of content that come together are two turns of the loop with one outcome.
    if (line !== before) await terminal.write(`${line}\n`);
    before = line;
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

/** A book as a line of JSON: decimals and 64-bit numbers are strings, times are ns since the epoch. */
function bookLine(subscription: BookSubscription, book: LocalBook, depth: number): object {
  const { bids, asks } = book.depth(depth);
  const text = (level: Level): readonly [string, string] => [book.priceText(level), book.qtyText(level)];
  const knownTo = (price: number | bigint): string | null =>
    Math.abs(Number(price)) === Number.POSITIVE_INFINITY ? null : book.priceText(price);
  return {
    instrument: subscription.topic.instrument,
    state: book.state,
    reason: book.reason,
    epoch: String(book.epoch),
    seq: String(book.seq),
    venueSeq: String(book.venueSeq),
    tsEvent: String(book.tsEvent),
    tsRecv: String(book.tsRecv),
    tsSend: String(book.tsSend),
    beyondKnown: book.isBeyondKnown,
    crossed: book.isCrossed,
    bidKnownTo: knownTo(book.bidKnownTo),
    askKnownTo: knownTo(book.askKnownTo),
    bids: bids.map(text),
    asks: asks.map(text),
  };
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
async function instrumentOf(base: URL, wanted: string | undefined): Promise<string> {
  const names = await namesOf(base);
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

async function namesOf(base: URL): Promise<readonly string[]> {
  let response: Response;
  try {
    response = await fetch(new URL('/v1/instruments', base), { signal: AbortSignal.timeout(SYNC_MS_MAX) });
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

/** What a depthwire server answers; another one may answer anything. */
interface InstrumentsBody {
  readonly instruments?: readonly { readonly name: string }[];
  readonly error?: ErrorJson;
}
