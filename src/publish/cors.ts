import type { Answer, Request } from './transport.js';

/** A browser asks again whether it may after so long. */
const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of other origins read an answer. Origins that may not are refused before; what passes is either a page of this
 * server or one that it allows by name. Each is named, never all, and cookies are never let in: tokens come in `Authorization`.
 */
export function shared(answer: Answer, { origin }: Request): Answer {
  const headers = { ...answer.headers, Vary: 'Origin' };
  if (origin === '') return { ...answer, headers };
  return { ...answer, headers: { ...headers, 'Access-Control-Allow-Origin': origin } };
}

/** The answer to a browser that asks whether it may ask, and to whoever wants to know what it may: these methods. */
export function preflight(methods: readonly string[]): Answer {
  return {
    status: '200 OK',
    headers: {
      Allow: [...methods, 'OPTIONS'].join(', '),
      'Access-Control-Allow-Methods': methods.join(', '),
      'Access-Control-Allow-Headers': methods.includes('POST')
        ? 'Authorization, Content-Type'
        : 'Authorization',
      'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
    },
    body: '',
  };
}
