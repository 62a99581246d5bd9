import { readFile } from 'node:fs/promises';
import { codeOf, DepthwireError } from '../../errors.js';
import { KEY_SET_BYTES_MAX } from './key-set.js';

/** Reads the text of a set of keys. Rejects with `auth.key_set_unreadable`. */
export type ReadKeySet = () => Promise<string>;

/** An answer that takes longer is given up. */
const ANSWER_MS_MAX = 5000;

/** From a file. */
export function keySetFile(path: string): ReadKeySet {
  return async () => {
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      throw unreadable(path, codeOf(cause), 'Name a file that this user can read.', cause);
    }
  };
}

/** From an address, which must answer itself: one that leads elsewhere is not followed. */
export function keySetAddress(url: string): ReadKeySet {
  const fix =
    'Check the address and the network; NODE_EXTRA_CA_CERTS names authorities that Node does not know.';
  const where = tellableAddress(url);
  return async () => {
    try {
      const answer = await fetch(url, {
        headers: { accept: 'application/jwk-set+json, application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      if (answer.status !== 200) {
        await answer.body?.cancel();
        throw unreadable(where, `status ${answer.status}`, fix);
      }
      return await textOf(answer, where);
    } catch (cause) {
      if (cause instanceof DepthwireError) throw cause;
      throw unreadable(where, reasonOf(cause), fix, cause);
    }
  };
}

/** An address without what may be secret in it. */
export function tellableAddress(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** The body, as far as a set may be long: the rest is not even received. */
async function textOf({ body }: Response, where: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > KEY_SET_BYTES_MAX)
      throw unreadable(where, `more than ${KEY_SET_BYTES_MAX} bytes`, 'Name the address of a JWK Set.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What lies beneath the error of `fetch`, which by itself says only that it failed. */
function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  return codeOf(inner) || (inner instanceof Error ? inner.message : String(inner));
}

function unreadable(where: string, got: string, fix: string, cause?: unknown): DepthwireError {
  return new DepthwireError('auth.key_set_unreadable', {
    what: 'a set of keys cannot be had',
    where,
    expected: 'a JWK Set',
    got,
    fix,
    cause,
  });
}
