import type { DepthwireError } from '../../errors.js';
import { refusal } from './refusals.js';

/** Longest token: the headers of a request have 4 KiB together, of which a browser's own take up to one. */
export const TOKEN_BYTES_MAX = 3072;

/** Longest name of a key. */
export const KEY_ID_LENGTH_MAX = 128;

/** A JWT in its compact form, read but not believed. */
export interface Token {
  /** The word of the token for its algorithm. */
  readonly algorithm: unknown;
  readonly keyId: string;
  /** What is signed: header and claims as they were sent. */
  readonly signed: string;
  readonly signature: Uint8Array;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * Reads a token (RFC 7515, RFC 7519) by the strictest form: three parts in canonical base64url, objects of JSON, a key named by
 * `kid`, nothing that a reader would have to understand (`crit`). Keys and addresses of keys in a token are never looked at.
 */
export function readToken(text: string): Token | DepthwireError {
  if (text.length > TOKEN_BYTES_MAX) return refusal('auth.too_big');
  const [head = '', body = '', tail = '', ...more] = text.split('.');
  const [header, claims, signature] = [objectIn(head), objectIn(body), bytesOf(tail)];
  if (more.length > 0 || header === undefined || claims === undefined) return refusal('auth.malformed');
  const { alg: algorithm, kid: keyId, typ = 'JWT' } = header;
  if ('crit' in header || !isJwt(typ)) return refusal('auth.malformed');
  // Before the signature, which a token without an algorithm does not have.
  if (typeof algorithm !== 'string' || algorithm.toLowerCase() === 'none') return refusal('auth.algorithm');
  if (signature === undefined) return refusal('auth.malformed');
  if (typeof keyId !== 'string' || keyId.length > KEY_ID_LENGTH_MAX) return refusal('auth.unknown_key');
  return { algorithm, keyId, signed: `${head}.${body}`, signature, claims };
}

function isJwt(type: unknown): boolean {
  return typeof type === 'string' && /^(application\/)?(at\+)?jwt$/i.test(type);
}

/** Bytes of base64url without padding; undefined for nothing, and for any other writing of the same bytes. */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = bytesOf(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
