import { DepthwireError } from '../errors.js';
import type { Answer } from './transport.js';

export const JSON_TYPE = 'application/json; charset=utf-8';

/** What every answer says to browsers: no guessing of types, no cache that is not asked, no use by other sites. */
export const SAFE_HEADERS = {
  'Cache-Control': 'no-cache',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** An answer that says why it is none. */
export interface ErrorAnswer extends Answer {
  readonly error: DepthwireError;
}

export function json(status: string, value: unknown): Answer {
  return text(status, JSON_TYPE, JSON.stringify(value));
}

/** An answer that is text already. */
export function text(status: string, type: string, body: string): Answer {
  return { status, headers: { ...SAFE_HEADERS, 'Content-Type': type }, body };
}

/** A typed error as an HTTP answer. */
export function errorAnswer(status: string, error: DepthwireError): ErrorAnswer {
  return { ...json(status, { error: error.toJSON() }), error };
}

/** Whatever an answer could not be made for. */
export function internalError(path: string, cause: unknown): ErrorAnswer {
  const error =
    cause instanceof DepthwireError
      ? cause
      : new DepthwireError('http.internal', {
          what: 'the answer could not be made',
          where: path.slice(0, 120),
          expected: 'an answer',
          got: cause instanceof Error ? cause.message : String(cause),
          fix: 'Report this with the path and the server version.',
          cause,
        });
  return errorAnswer('500 Internal Server Error', error);
}
