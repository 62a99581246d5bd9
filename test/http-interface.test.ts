import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, describe, expect, it } from 'vitest';
import { errorSchema } from '../src/publish/http-schemas.js';
import { ROUTES } from '../src/publish/routes.js';
import type { Site } from '../src/publish/site.js';
import { FakeNative } from './support/fake-engine.js';
import { fakeReplay } from './support/fake-replay.js';
import { STAGE_TIMES } from './support/fake-stages.js';
import { startServer, type TestServer } from './support/server.js';

const BTC = 11;
const ETH = 12;

const page: Site = new Map([
  ['/index.html', { type: 'text/html; charset=utf-8', body: Buffer.from('page') }],
]);

const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function serve(site: Site = page): Promise<TestServer> {
  const server = await startServer({}, site, new FakeNative(1 << 24));
  running.push(server);
  return server;
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly get: {
          readonly operationId: string;
          readonly responses: Readonly<
            Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
          >;
        };
      }
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

async function documentOf(url: string): Promise<Document> {
  return (await (await fetch(`${url}/v1/openapi.json`)).json()) as Document;
}

describe('/live, /ready and /health', () => {
  it('say that the process works, whether clients should come, and how all is', async () => {
    const { url, native, server } = await serve();
    const ask = async (path: string): Promise<unknown> => {
      const answer = await fetch(url + path);
      return [answer.status, await answer.json()];
    };
    const syncing = { ...native.book(BTC), state: 'syncing' };
    expect(await ask('/live')).toEqual([200, { status: 'ok', uptimeSeconds: expect.any(Number) as number }]);
    expect(await ask('/ready')).toEqual([
      200,
      { ready: true, reasons: [], books: { syncing: 0, synced: 2, stale: 0 } },
    ]);
    native.books.set(BTC, syncing);
    native.books.set(ETH, { ...syncing, state: 'stale', reason: 'gap' });
    expect(await ask('/ready')).toEqual([
      503,
      {
        ready: false,
        reasons: [{ code: 'no_book_synced', what: expect.any(String) as string }],
        books: { syncing: 1, synced: 0, stale: 1 },
      },
    ]);
    expect(await ask('/health')).toMatchObject([200, { status: 'degraded', ready: false }]);
    native.books.clear();
    server.sourceState = 'failed';
    expect(await ask('/ready')).toMatchObject([503, { reasons: [{ code: 'source_failed' }] }]);
    expect(await ask('/health')).toMatchObject([503, { status: 'failed', ready: false, transport: 'uws' }]);
    server.sourceState = 'finished';
    expect(await ask('/ready')).toMatchObject([200, { ready: true }]);
    await server.leave();
    expect(await ask('/ready')).toMatchObject([503, { reasons: [{ code: 'draining' }] }]);
    expect(await ask('/health')).toMatchObject([503, { status: 'draining' }]);
    expect(await ask('/live')).toMatchObject([200, {}]);
  });
});

describe('methods', () => {
  const asked = ROUTES.filter(({ change }) => change === undefined).map(({ path }) => path);
  it.each([...asked.map((path) => path.replace('{instrument}', 'sim:BTCUSDT')), '/'])(
    '%s is asked by GET, HEAD and OPTIONS only',
    async (path) => {
      const { url } = await serve();
      const get = await fetch(url + path);
      const head = await fetch(url + path, { method: 'HEAD' });
      expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
        get.status,
        get.headers.get('content-type'),
        '',
      ]);
      expect((await fetch(url + path, { method: 'OPTIONS' })).headers.get('allow')).toBe(
        'GET, HEAD, OPTIONS',
      );
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const answer = await fetch(url + path, { method });
        expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
        expect(errorSchema.parse(await answer.json()).error.code).toBe('http.method');
      }
    },
  );

  it('of what is not there are no news', async () => {
    const { url } = await serve();
    for (const method of ['GET', 'OPTIONS', 'POST'])
      expect((await fetch(`${url}/nothing`, { method })).status).toBe(404);
  });
});

describe('pages of other origins', () => {
  it('may read when they are allowed, each by its own name and without cookies', async () => {
    const { url, port } = await serve();
    const origin = `http://localhost:${port}`;
    for (const method of ['GET', 'OPTIONS']) {
      const { headers, status } = await fetch(`${url}/v1/instruments`, {
        method,
        headers: { Origin: origin },
      });
      expect(status).toBe(200);
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('vary')).toBe('Origin');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
    const preflight = await fetch(`${url}/v1/instruments`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('Authorization');
    expect(preflight.headers.get('access-control-max-age')).toBe('600');
    expect(await preflight.text()).toBe('');
  });

  it('are refused when they are not, preflight and all, and nobody else is told whom it allows', async () => {
    const { url } = await serve();
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await fetch(`${url}/health`, {
        method,
        headers: { Origin: 'https://elsewhere.example' },
      });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
    const { headers } = await fetch(`${url}/health`);
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('vary')).toBe('Origin');
  });
});

describe('the OpenAPI document', () => {
  it('is one', async () => {
    const { url } = await serve();
    const { valid, errors } = await new Validator().validate(
      (await documentOf(url)) as unknown as Record<string, unknown>,
    );
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it('holds every path, and every answer is as it says', async () => {
    const { url, native, server } = await serve();
    native.stages = STAGE_TIMES;
    const document = await documentOf(url);
    expect(Object.keys(document.paths)).toEqual(ROUTES.map(({ path }) => path));
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajv.addSchema({ $id: 'document', ...document });
    server.sources = () => [
      {
        name: 'a',
        kind: 'live',
        startedMs: 1,
        instruments: [BTC],
        connections: [
          { url: 'wss://v', line: 0, state: 'open', connectedSinceMs: 5, reconnects: 1, lastLoss: 'x' },
        ],
        clockSkewMs: [-1, 2],
        list: { fetchedMs: null, failingSinceMs: 5, retryMs: null, error: null },
      },
    ];
    const book = native.book(BTC);
    const stale = { ...book, state: 'stale', reason: 'gap', losses: 1, lostMs: 80 };
    const seen = new Set<string>();
    const check = async (path: string, route: string): Promise<void> => {
      const answer = await fetch(url + path);
      const where = `${route} ${answer.status}`;
      const content = document.paths[route]?.get.responses[answer.status]?.content;
      expect(content, where).toBeDefined();
      const type = answer.headers.get('content-type') ?? '';
      expect(Object.keys(content ?? {}), where).toEqual([type]);
      const { schema = {} } = content?.[type] ?? {};
      const body: unknown =
        type.startsWith('application/json') && !('type' in schema && schema.type === 'string')
          ? await answer.json()
          : await answer.text();
      const pointed = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"document#/')) as object;
      const isValid = ajv.validate(pointed, body);
      expect([where, isValid, ajv.errors]).toEqual([where, true, null]);
      const documented = ROUTES.find(({ path: one }) => one === route)?.answers[answer.status];
      // As it is documented and nothing beside it.
      documented?.schema?.parse(body);
      seen.add(where);
    };
    const all = async (): Promise<void> => {
      for (const { path } of ROUTES) await check(path.replace('{instrument}', 'sim:BTCUSDT'), path);
    };
    await all();
    native.books.set(BTC, stale);
    native.books.set(ETH, { ...stale, lostMs: 90 });
    await all();
    server.replay = fakeReplay();
    await all();
    await server.leave();
    await all();
    const book404 = '/v1/book/{instrument}';
    await check('/v1/book/sim:NOTHING', book404);
    await check('/v1/book/%FF', book404);
    await check('/v1/book/sim:BTCUSDT?depth=0', book404);
    await check('/v1/stages?instrument=sim:NOTHING', '/v1/stages');
    const documented = ROUTES.flatMap(({ path, answers }) =>
      Object.keys(answers).map((status) => `${path} ${status}`),
    );
    const unseen = documented.filter((one) => !seen.has(one));
    // The handshake is no answer, and nobody is refused where no tokens are asked for.
    expect(unseen).toEqual(['/v1/book/{instrument} 403', '/v1/feed 101']);
  });

  it('names each operation once', async () => {
    const { url } = await serve();
    const names = Object.values((await documentOf(url)).paths).map(({ get }) => get.operationId);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('/v1/schema', () => {
  it('is the layout that the core is made from', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/v1/schema`);
    expect(await answer.text()).toBe(
      readFileSync(new URL('../crates/core/schema/feed.fbs', import.meta.url), 'utf8'),
    );
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});
