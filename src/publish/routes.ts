import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { type BookInfo, STREAM } from '../engine.js';
import { DepthwireError, shown } from '../errors.js';
import { errorAnswer, JSON_TYPE, json, text } from './answers.js';
import { asyncApi } from './asyncapi.js';
import type { Grant } from './auth/grant.js';
import { notEntitled } from './auth/not-entitled.js';
import { ageMs, bookJson } from './book-json.js';
import { health, live, ready } from './health.js';
import type { HttpContext } from './http.js';
import * as schemas from './http-schemas.js';
import { membersJson, partsJson } from './members-json.js';
import { OPEN_METRICS_TYPE } from './open-metrics.js';
import { openApi } from './openapi.js';
import { BOOK_PATH, bookPath, nameInPath } from './paths.js';
import { FEED_PATH, PROTOCOL } from './protocol.js';
import { changeReplay, REPLAY_PATH, replayAnswer } from './replay.js';
import { seenBy, servedInstrument, unknownInstrument } from './served-instrument.js';
import { STAGES_PATH, stagesAnswer } from './stages.js';
import type { Answer, Request } from './transport.js';

const DEPTH_DEFAULT = 20;
/** Levels a side of one answer: bounds its bytes and the time that it takes from the feed. */
export const DEPTH_MAX = 5000;

/** Who gets an answer, where tokens are asked for: everybody, who may have of the feed, who may see how all clients do. */
export type Access = 'open' | 'feed' | 'operations';

/** What a route answers with a status. */
export interface Documented {
  readonly what: string;
  readonly type?: string;
  /** Of JSON. */
  readonly schema?: z.ZodType;
}

/** How a path is changed, by POST with JSON. */
export interface Change {
  readonly name: string;
  readonly what: string;
  readonly access: Access;
  readonly body: z.ZodType;
  readonly answers: Readonly<Record<number, Documented>>;
  answer(request: Request, context: HttpContext, grant: Grant): Answer;
}

/** One path, as it is answered and as the OpenAPI document has it. */
export interface Route {
  /** `{instrument}` stands for the rest of a path, percent-encoded. */
  readonly path: string;
  readonly name: string;
  readonly what: string;
  readonly access: Access;
  readonly query?: readonly { readonly name: string; readonly what: string; readonly schema: object }[];
  readonly answers: Readonly<Record<number, Documented>>;
  /** What it answers to POST; nothing where that is absent. */
  readonly change?: Change;
  answer(request: Request, context: HttpContext, grant: Grant): Answer;
}

/** Longest body of a POST. */
const BODY_BYTES_MAX = 4096;

const ERROR: Documented = { what: 'Why there is no answer', schema: schemas.errorSchema };

/** The layout of the feed, as it stands in the package beside `src` and `dist`. */
const LAYOUT = new URL('../../crates/core/schema/feed.fbs', import.meta.url);
let layout: string | undefined;
let document: string | undefined;
let feedDocument: string | undefined;

/** All paths but those of the page. */
export const ROUTES: readonly Route[] = [
  {
    path: '/live',
    name: 'live',
    what: 'Whether the process works: no answer means that it should be started anew',
    access: 'open',
    answers: { 200: { what: 'It works', schema: schemas.liveSchema } },
    answer: (_, context) => live(context),
  },
  {
    path: '/ready',
    name: 'ready',
    what: 'Whether clients should be sent here',
    access: 'open',
    answers: {
      200: { what: 'They should', schema: schemas.readySchema },
      503: { what: 'They should not, and why', schema: schemas.readySchema },
    },
    answer: (_, context, grant) => ready(context, grant),
  },
  {
    path: '/health',
    name: 'health',
    what: 'How the server, its sources and its books do',
    access: 'open',
    answers: {
      200: { what: 'Well, or with books that are not synced', schema: schemas.healthSchema },
      503: { what: 'It stops, or its source has failed', schema: schemas.healthSchema },
    },
    answer: (_, context, grant) => health(context, grant),
  },
  {
    path: '/metrics',
    name: 'metrics',
    what: 'Counters for Prometheus and others, made at most four times a second',
    access: 'operations',
    answers: { 200: { what: 'OpenMetrics 1.0', type: OPEN_METRICS_TYPE } },
    answer: (_, { metricsText }) => text('200 OK', OPEN_METRICS_TYPE, metricsText()),
  },
  {
    path: '/v1/instruments',
    name: 'instruments',
    what: 'What is served, with the state of each book',
    access: 'feed',
    answers: { 200: { what: 'All that the caller may have', schema: schemas.instrumentsSchema } },
    answer: (_, context, grant) => instruments(context, grant),
  },
  {
    path: '/v1/sources',
    name: 'sources',
    what: 'Where the books come from, and how that does',
    access: 'operations',
    answers: { 200: { what: 'All sources', schema: schemas.sourcesSchema } },
    answer: (_, { sources }) => json('200 OK', { sources: sources() }),
  },
  {
    path: STAGES_PATH,
    name: 'stages',
    what: 'Where the time of received messages goes, stage by stage, of all and of instruments',
    access: 'operations',
    query: [
      {
        name: 'instrument',
        what: 'The only one to be told of; absent = all that have times of their own',
        schema: { type: 'string' },
      },
    ],
    answers: { 200: { what: 'Times of each stage', schema: schemas.stagesSchema }, 404: ERROR },
    answer: ({ query }, context, grant) => stagesAnswer(query, context, grant),
  },
  {
    path: `${BOOK_PATH}{instrument}`,
    name: 'book',
    what: 'A book as it is now, whatever its state. The name is percent-encoded once',
    access: 'feed',
    query: [
      {
        name: 'depth',
        what: 'Levels a side',
        schema: { type: 'integer', minimum: 1, maximum: DEPTH_MAX, default: DEPTH_DEFAULT },
      },
    ],
    answers: {
      200: { what: 'The book', schema: schemas.bookSchema },
      400: ERROR,
      403: ERROR,
      404: ERROR,
    },
    answer: ({ path, query }, context, grant) => book(path.slice(BOOK_PATH.length), query, context, grant),
  },
  {
    path: REPLAY_PATH,
    name: 'replay',
    what: 'Where a replay of recordings stands',
    access: 'feed',
    answers: { 200: { what: 'Its clock, speed and what it does', schema: schemas.replaySchema }, 404: ERROR },
    answer: (_, { replay }) => replayAnswer(replay()),
    change: {
      name: 'changeReplay',
      what: 'Pauses a replay, goes on, changes its speed, runs to another time; what is left out stays',
      access: 'operations',
      body: schemas.replayChangeSchema,
      answers: {
        200: { what: 'How it stands from now on', schema: schemas.replaySchema },
        400: ERROR,
        404: ERROR,
        409: ERROR,
        413: ERROR,
      },
      answer: ({ body }, { replay }) => changeReplay(body, replay()),
    },
  },
  {
    path: FEED_PATH,
    name: 'feed',
    what: `The feed, a WebSocket with the subprotocol ${PROTOCOL}: see docs/protocol.md and /v1/schema`,
    access: 'open',
    answers: { 101: { what: 'The WebSocket is open' }, 426: ERROR },
    answer: () => upgradeRequired(),
  },
  {
    path: '/v1/schema',
    name: 'schema',
    what: 'The layout of the feed’s frames, a schema of FlatBuffers',
    access: 'open',
    answers: { 200: { what: 'feed.fbs', type: 'text/plain; charset=utf-8' } },
    answer: () => {
      layout ??= readFileSync(LAYOUT, 'utf8');
      return text('200 OK', 'text/plain; charset=utf-8', layout);
    },
  },
  {
    path: '/v1/openapi.json',
    name: 'openapi',
    what: 'This document',
    access: 'open',
    answers: { 200: { what: 'OpenAPI 3.1', type: JSON_TYPE } },
    answer: (_, { version }) => {
      document ??= JSON.stringify(openApi(ROUTES, version));
      return text('200 OK', JSON_TYPE, document);
    },
  },
  {
    path: '/v1/asyncapi.json',
    name: 'asyncapi',
    what: 'The document of the feed: every control message',
    access: 'open',
    answers: { 200: { what: 'AsyncAPI 3', type: JSON_TYPE } },
    answer: (_, { version }) => {
      feedDocument ??= JSON.stringify(asyncApi(version));
      return text('200 OK', JSON_TYPE, feedDocument);
    },
  },
];

const BY_PATH: ReadonlyMap<string, Route> = new Map(ROUTES.map((route) => [route.path, route]));

/** Who answers a path; undefined where only the page may have it. */
export function routeOf(path: string): Route | undefined {
  return BY_PATH.get(path.startsWith(BOOK_PATH) ? `${BOOK_PATH}{instrument}` : path);
}

/** Bytes of a body that this request may bring; 0 = none. */
export function bodyBytesMax({ method, path }: Request): number {
  return method === 'post' && routeOf(path)?.change !== undefined ? BODY_BYTES_MAX : 0;
}

function instruments({ engine, instruments: served, replay }: HttpContext, grant: Grant): Answer {
  const list: object[] = [];
  for (const instrument of served.values()) {
    if (!grant.sees(instrument.name)) continue;
    const info = engine.book(instrument.id);
    const { bids: bidCount, asks: askCount } = info;
    const members = membersJson(engine, instrument.id);
    list.push({ ...engine.instrument(instrument.id), ...bookState(info), bidCount, askCount, ...members });
  }
  return json('200 OK', { replay: replay() !== undefined, instruments: list });
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

function book(encodedName: string, query: string, context: HttpContext, grant: Grant): Answer {
  const { engine, images, instruments: served } = context;
  const name = nameInPath(encodedName);
  if (name === undefined) return errorAnswer('400 Bad Request', badEncoding(encodedName));
  const instrument = servedInstrument(name, served);
  if (!grant.allows('book', instrument?.name ?? name))
    return errorAnswer('403 Forbidden', notEntitled(grant, BOOK_PATH, 'book', name));
  if (instrument === undefined) {
    const fix = (meant: string): string => `Ask for ${bookPath(meant)}.`;
    return errorAnswer('404 Not Found', unknownInstrument(name, seenBy(grant, served), BOOK_PATH, fix));
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
  const info = engine.book(instrument.id);
  const image = images.get(instrument.id, STREAM.book, info);
  return json('200 OK', {
    ...bookJson(instrument, info, image, depth),
    ...partsJson(engine, instrument.id, depth),
    replay: context.replay() !== undefined,
  });
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

function badEncoding(part: string): DepthwireError {
  return new DepthwireError('http.bad_encoding', {
    what: 'the percent signs of a path encode no text',
    where: BOOK_PATH,
    expected: 'a name in UTF-8, percent-encoded once',
    got: shown(part),
    fix: `Encode the name, as in ${bookPath('venue:BASE/QUOTE')}.`,
  });
}
