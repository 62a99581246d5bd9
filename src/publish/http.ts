import type { InstrumentInfo, RecordStatus } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { errorAnswer, internalError, SAFE_HEADERS } from './answers.js';
import type { Grant } from './auth/grant.js';
import { preflight, shared } from './cors.js';
import type { ServedEngine } from './feed-engine.js';
import type { Hosts } from './hosts.js';
import type { Images } from './images.js';
import type { BookCounts, GatewayCounts } from './metrics.js';
import type { Replayed } from './replay.js';
import { type Access, ROUTES, type Route, routeOf } from './routes.js';
import type { Site } from './site.js';
import type { SourceReport } from './sources.js';
import type { Stages } from './stages.js';
import type { Answer, Request } from './transport.js';

export { type ErrorAnswer, errorAnswer } from './answers.js';

/** Whether input still comes: a recording may end, a source may fail. */
export type SourceState = 'running' | 'finished' | 'failed';

/** What the answers need. */
export interface HttpContext {
  readonly engine: Pick<ServedEngine, 'book' | 'instrument' | 'members' | 'venueParts'>;
  readonly images: Images;
  /** The instruments that are served, by name. */
  readonly instruments: ReadonlyMap<string, InstrumentInfo>;
  readonly version: string;
  /** Gateways of other processes; undefined where this one has the clients. */
  gateways(): GatewayCounts | undefined;
  /** Clients that are connected. */
  clients(): number;
  readonly hosts: Hosts;
  readonly site: Site;
  /** What runs: version, Node, transport, TLS. */
  build(): Readonly<Record<'version' | 'node' | 'transport' | 'tls', string>>;
  /** Why the transport is not the preferred one; empty where it is. */
  transportReason(): string;
  /** What a request is granted, or the answer that refuses it. */
  access(request: Request, access: Access): Grant | Answer;
  /** Counts and tells of a request that is refused. */
  refused(error: DepthwireError, request: Request): void;
  metricsText(): string;
  /** Undefined where no message is stamped. */
  stages(): Stages | undefined;
  books(): BookCounts;
  draining(): boolean;
  sourceState(): SourceState;
  /** Undefined where nothing is replayed. */
  replay(): Replayed | undefined;
  /** Null where nothing is recorded. */
  record(): RecordStatus | null;
  sources(): readonly SourceReport[];
  uptimeSeconds(): number;
}

/** Answers one HTTP request. Never throws. */
export function answerHttp(request: Request, context: HttpContext): Answer {
  try {
    const foreign = context.hosts.refusal(request.host, request.origin);
    if (foreign !== undefined) {
      context.refused(foreign, request);
      return errorAnswer('403 Forbidden', foreign);
    }
    return shared(answerTo(request, context), request);
  } catch (error) {
    return internalError(request.path, error);
  }
}

function answerTo(request: Request, context: HttpContext): Answer {
  const { method, path } = request;
  const route = routeOf(path);
  const asset = route === undefined ? context.site.get(path === '/' ? '/index.html' : path) : undefined;
  if (route === undefined && asset === undefined) return notFound(path, context);
  const methods = methodsOf(route);
  if (method === 'options') return preflight(methods);
  const change = method === 'post' ? route?.change : undefined;
  if (change !== undefined) {
    const granted = context.access(request, change.access);
    return 'status' in granted ? granted : change.answer(request, context, granted);
  }
  if (method !== 'get' && method !== 'head') return methodNotAllowed(request, methods);
  if (route !== undefined) {
    const granted = context.access(request, route.access);
    return 'status' in granted ? granted : route.answer(request, context, granted);
  }
  if (asset === undefined) return notFound(path, context);
  const headers = {
    ...SAFE_HEADERS,
    'Content-Type': asset.type,
    'Content-Security-Policy': policy(request.host, context.build().tls === 'yes' ? 'wss' : 'ws'),
  };
  return { status: '200 OK', headers, body: asset.body };
}

function methodsOf(route: Route | undefined): readonly string[] {
  return route?.change === undefined ? ['GET', 'HEAD'] : ['GET', 'HEAD', 'POST'];
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
    expected: ['/', ...ROUTES.map((route) => route.path.replace('{instrument}', 'INSTRUMENT'))].join(', '),
    got: path.slice(0, 120),
    fix: 'Use one of these paths.',
  });
  return errorAnswer('404 Not Found', error);
}

function methodNotAllowed(request: Request, methods: readonly string[]): Answer {
  const error = new DepthwireError('http.method', {
    what: 'this is not asked of this path',
    where: request.path.slice(0, 120),
    expected: methods.join(', '),
    got: request.method.toUpperCase().slice(0, 40),
    fix: 'Use GET; subscriptions go over the WebSocket at /v1/feed.',
  });
  const answer = errorAnswer('405 Method Not Allowed', error);
  return { ...answer, headers: { ...answer.headers, Allow: [...methods, 'OPTIONS'].join(', ') } };
}

/** The page may load from and talk to this server only. Older browsers do not count a WebSocket as `self`. */
function policy(host: string, socket: 'ws' | 'wss'): string {
  return (
    `default-src 'self'; connect-src 'self' ${socket}://${host}; img-src 'self' data:; object-src 'none'; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
  );
}
