import { json } from './answers.js';
import type { Grant } from './auth/grant.js';
import type { HttpContext } from './http.js';
import type { BookCounts } from './metrics.js';
import { replayJson } from './replay.js';
import type { Answer } from './transport.js';

/** Stale books that `/health` names; `books` counts all. */
const STALE_SHOWN = 20;

/** Why a server is not to be sent clients. */
export type NotReady = 'draining' | 'source_failed' | 'no_gateway' | 'no_book_synced';

const NOT_READY: Readonly<Record<NotReady, string>> = {
  draining: 'the server stops and takes no new clients',
  source_failed: 'the source has failed, so the books are as they were then',
  no_gateway: 'no gateway runs that could take clients; they are being started anew',
  no_book_synced: 'no book is exact at the moment; clients would wait',
};

/** Why it is not, worst first; empty = it is. A server that can be asked is listening. */
export function notReady(context: HttpContext, books: BookCounts): readonly NotReady[] {
  return [
    ...(context.draining() ? (['draining'] as const) : []),
    ...(context.sourceState() === 'failed' ? (['source_failed'] as const) : []),
    ...(context.gateways()?.running === 0 ? (['no_gateway'] as const) : []),
    ...(books.synced === 0 ? (['no_book_synced'] as const) : []),
  ];
}

/** The loop turns, or this answer would not come. Whoever gets none should start the process anew. */
export function live({ uptimeSeconds }: HttpContext): Answer {
  return json('200 OK', { status: 'ok', uptimeSeconds: uptimeSeconds() });
}

/** Whether to send clients here. */
export function ready(context: HttpContext, grant: Grant): Answer {
  const books = context.books();
  const why = notReady(context, books);
  const status = why.length === 0 ? '200 OK' : '503 Service Unavailable';
  const reasons = why.map((code) => ({ code, what: NOT_READY[code] }));
  if (!grant.operations) return json(status, { ready: why.length === 0 });
  return json(status, { ready: why.length === 0, reasons, books });
}

/**
 * How the server does, for people. `degraded` is no failure of the server, so it is answered with 200: the books will come,
 * and a stale one is served with its state.
 */
export function health(context: HttpContext, grant: Grant): Answer {
  const { build, uptimeSeconds } = context;
  const replay = context.replay();
  const source = context.sourceState();
  const books = context.books();
  const why = notReady(context, books);
  const broken = why.includes('draining') ? 'draining' : source === 'failed' ? 'failed' : undefined;
  const status = broken ?? (books.synced === 0 ? 'degraded' : 'ok');
  const line = broken === undefined ? '200 OK' : '503 Service Unavailable';
  if (!grant.operations) return json(line, { status });
  return json(line, {
    status,
    ready: why.length === 0,
    source,
    version: context.version,
    transport: build().transport,
    transportReason: context.transportReason(),
    gateways: context.gateways() ?? null,
    uptimeSeconds: uptimeSeconds(),
    clients: context.clients(),
    replay: replay === undefined ? null : replayJson(replay),
    record: context.record(),
    books,
    stale: books.stale === 0 ? [] : staleBooks(context),
    sources: context.sources(),
  });
}

function staleBooks({ engine, instruments }: HttpContext): readonly object[] {
  const stale: object[] = [];
  for (const { id, name } of instruments.values()) {
    if (stale.length === STALE_SHOWN) break;
    const { state, reason } = engine.book(id);
    if (state === 'stale') stale.push({ instrument: name, reason });
  }
  return stale;
}
