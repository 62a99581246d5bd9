import { type BookInfo, STREAM } from '../engine.js';
import { DepthwireError, shown } from '../errors.js';
import { ageMs, bookJson } from './book-json.js';
import type { Hosts } from './hosts.js';
import { asScaledNow, type Hub } from './hub.js';
import type { BookCounts } from './metrics.js';
import { OPEN_METRICS_TYPE } from './open-metrics.js';
import { BOOK_PATH, bookPath, nameInPath } from './paths.js';
import { FEED_PATH, PROTOCOL } from './protocol.js';
import { servedInstrument, unknownInstrument } from './served-instrument.js';
import type { Site } from './site.js';
import type { SourceReport } from './sources.js';
import type { Answer, Request } from './transport.js';

const DEPTH_DEFAULT = 20;
/** Levels a side of one answer: bounds its bytes and the time that it takes from the feed. */
const DEPTH_MAX = 5000;

const JSON_TYPE = 'application/json; charset=utf-8';

/** Whether input still comes: a recording may end, a source may fail. */
export type SourceState = 'running' | 'finished' | 'failed';

/** What the answers need beside the hub. */
export interface HttpContext {
  readonly hub: Hub;
  readonly hosts: Hosts;
  readonly site: Site;
  metricsText(): string;
  draining(): boolean;
  sourceState(): SourceState;
  sources(): readonly SourceReport[];
  uptimeSeconds(): number;
}

/** Answers one HTTP request. Never throws. */
export function answerHttp(request: Request, context: HttpContext): Answer {
  try {
    const foreign = context.hosts.refusal(request.host, request.origin);
    if (foreign !== undefined) {
      context.hub.metrics.refused(foreign.code);
      return errorAnswer('403 Forbidden', foreign);
    }
    if (request.method !== 'get' && request.method !== 'head') return methodNotAllowed(request);
    return route(request, context);
  } catch (error) {
    return errorAnswer(
      '500 Internal Server Error',
      error instanceof DepthwireError ? error : internal(request.path, error),
    );
  }
}

/** An answer that says why it is none. */
export interface ErrorAnswer extends Answer {
  readonly error: DepthwireError;
}

/** A typed error as an HTTP answer. */
export function errorAnswer(status: string, error: DepthwireError): ErrorAnswer {
  return { ...json(status, { error: error.toJSON() }), error };
}

function route(request: Request, context: HttpContext): Answer {
  const { path } = request;
  if (path === '/health') return health(context);
  if (path === '/metrics') return metrics(context);
  if (path === '/v1/instruments') return instruments(context);
  if (path === '/v1/sources') return json('200 OK', { sources: context.sources() });
  if (path.startsWith(BOOK_PATH)) return book(path.slice(BOOK_PATH.length), request.query, context);
  if (path === FEED_PATH) return upgradeRequired();
  const asset = context.site.get(path === '/' ? '/index.html' : path);
  if (asset !== undefined) {
    const headers = {
      ...SAFE_HEADERS,
      'Content-Type': asset.type,
      'Content-Security-Policy': policy(request.host),
    };
    return { status: '200 OK', headers, body: asset.body };
  }
  return notFound(path, context);
}

/** Stale books that `/health` names; `books` counts all. */
const STALE_SHOWN = 20;

/**
 * `degraded` is no failure of the server, so it is answered with 200: the books will come, and a stale one is served with
 * its state.
 */
function health({ hub, draining, sourceState, sources, uptimeSeconds }: HttpContext): Answer {
  const source = sourceState();
  const books = bookCounts(hub);
  const broken = draining() ? 'draining' : source === 'failed' ? 'failed' : undefined;
  return json(broken === undefined ? '200 OK' : '503 Service Unavailable', {
    status: broken ?? (books.synced === 0 ? 'degraded' : 'ok'),
    source,
    version: hub.version,
    uptimeSeconds: uptimeSeconds(),
    clients: hub.metrics.clients,
    books,
    stale: staleBooks(hub),
    sources: sources(),
  });
}

function staleBooks(hub: Hub): readonly object[] {
  const stale: object[] = [];
  for (const { id, name } of hub.instruments.values()) {
    if (stale.length === STALE_SHOWN) break;
    const { state, reason } = hub.engine.book(id);
    if (state === 'stale') stale.push({ instrument: name, reason });
  }
  return stale;
}

function metrics({ metricsText }: HttpContext): Answer {
  return {
    status: '200 OK',
    headers: { ...SAFE_HEADERS, 'Content-Type': OPEN_METRICS_TYPE },
    body: metricsText(),
  };
}

function instruments({ hub }: HttpContext): Answer {
  const list = [...hub.instruments.values()].map((instrument) => {
    const info = hub.engine.book(instrument.id);
    return { ...asScaledNow(hub, instrument), ...bookState(info), bidCount: info.bids, askCount: info.asks };
  });
  return json('200 OK', { instruments: list });
}

function bookState(info: BookInfo): object {
  const { state, reason, epoch, seq, venueSeq } = info;
  return {
    state,
    reason,
    epoch: String(epoch),
    seq: String(seq),
    venueSeq: String(venueSeq),
    ageMs: ageMs(info),
  };
}

function book(encodedName: string, query: string, { hub }: HttpContext): Answer {
  const name = nameInPath(encodedName);
  if (name === undefined) return errorAnswer('400 Bad Request', badEncoding(encodedName));
  const instrument = servedInstrument(name, hub.instruments);
  if (instrument === undefined) {
    const unknown = unknownInstrument(
      name,
      hub.instruments,
      BOOK_PATH,
      (meant) => `Ask for ${bookPath(meant)}.`,
    );
    return errorAnswer('404 Not Found', unknown);
  }
  const wanted = new URLSearchParams(query).get('depth') ?? String(DEPTH_DEFAULT);
  const depth = /^\d{1,6}$/.test(wanted) ? Number(wanted) : 0;
  if (depth < 1 || depth > DEPTH_MAX) {
    const error = new DepthwireError('http.bad_depth', {
      what: 'the depth of a book is no number of levels',
      where: 'depth',
      expected: `an integer from 1 to ${DEPTH_MAX}`,
      got: shown(wanted),
      fix: `Ask for example ${bookPath(name)}?depth=${DEPTH_DEFAULT}.`,
    });
    return errorAnswer('400 Bad Request', error);
  }
  const info = hub.engine.book(instrument.id);
  const image = hub.images.get(instrument.id, STREAM.book, info);
  return json('200 OK', bookJson(instrument, info, image, depth));
}

/** Books by state, over the instruments that are served. */
export function bookCounts(hub: Hub): BookCounts {
  const counts = { syncing: 0, synced: 0, stale: 0 };
  for (const { id } of hub.instruments.values()) {
    const { state } = hub.engine.book(id);
    if (state === 'synced' || state === 'syncing') counts[state] += 1;
    else counts.stale += 1;
  }
  return counts;
}

function notFound(path: string, { site }: HttpContext): Answer {
  if (path === '/' || path === '/index.html') {
    const error = new DepthwireError('http.page_not_built', {
      what: 'the page has not been built',
      where: path,
      expected: 'a built page',
      got: `${site.size} files`,
      fix: 'Run npm run build and start the server again.',
    });
    return errorAnswer('503 Service Unavailable', error);
  }
  const error = new DepthwireError('http.not_found', {
    what: 'nothing is served at this path',
    where: path.slice(0, 120),
    expected: '/, /health, /metrics, /v1/instruments, /v1/sources, /v1/book/INSTRUMENT or /v1/feed',
    got: path.slice(0, 120),
    fix: 'Use one of these paths.',
  });
  return errorAnswer('404 Not Found', error);
}

function methodNotAllowed(request: Request): Answer {
  const error = new DepthwireError('http.method', {
    what: 'this server only answers questions',
    where: request.path.slice(0, 120),
    expected: 'GET or HEAD',
    got: request.method.toUpperCase(),
    fix: 'Use GET; subscriptions go over the WebSocket at /v1/feed.',
  });
  const answer = errorAnswer('405 Method Not Allowed', error);
  return { ...answer, headers: { ...answer.headers, Allow: 'GET, HEAD' } };
}

function upgradeRequired(): Answer {
  const error = new DepthwireError('http.upgrade_required', {
    what: 'the feed is a WebSocket',
    where: FEED_PATH,
    expected: `a WebSocket handshake with the subprotocol ${PROTOCOL}`,
    got: 'a plain request',
    fix: `Connect with: new WebSocket('ws://HOST${FEED_PATH}', '${PROTOCOL}').`,
  });
  const answer = errorAnswer('426 Upgrade Required', error);
  return { ...answer, headers: { ...answer.headers, Upgrade: 'websocket' } };
}

function internal(path: string, cause: unknown): DepthwireError {
  return new DepthwireError('http.internal', {
    what: 'the answer could not be made',
    where: path.slice(0, 120),
    expected: 'an answer',
    got: cause instanceof Error ? cause.message : String(cause),
    fix: 'Report this with the path and the server version.',
    cause,
  });
}

const SAFE_HEADERS = {
  'Cache-Control': 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** The page may load from and talk to this server only. Older browsers do not count a WebSocket as `self`. */
function policy(host: string): string {
  return (
    `default-src 'self'; connect-src 'self' ws://${host}; img-src 'self' data:; object-src 'none'; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  );
}

function json(status: string, value: unknown): Answer {
  return { status, headers: { ...SAFE_HEADERS, 'Content-Type': JSON_TYPE }, body: JSON.stringify(value) };
}

function badEncoding(part: string): DepthwireError {
  return new DepthwireError('http.bad_encoding', {
    what: 'the percent signs of a path encode no text',
    where: BOOK_PATH,
    expected: 'a name in UTF-8, percent-encoded once',
    got: shown(part),
    fix: `Encode the name, as in ${bookPath('venue:BASE/QUOTE')}.`,
  });
}
