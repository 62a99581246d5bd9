import { DepthwireError } from '../errors.js';

/** Longest that an answer may take. */
const ANSWER_MS_MAX = 20_000;

/** Asks for an address and returns the answer's bytes, at most `bytesMax`. Throws `http_get.*`. */
export type HttpGet = (url: string, bytesMax: number) => Promise<Uint8Array>;

/** Asks by `fetch`. */
export const httpGet: HttpGet = async (url, bytesMax) => {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX), redirect: 'error' });
  } catch (cause) {
    throw unreachable(url, cause);
  }
  if (response.status !== 200) throw refused(url, response);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw tooBig(url, bytesMax);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof DepthwireError ? cause : unreachable(url, cause);
  }
  return Buffer.concat(chunks);
};

function unreachable(url: string, cause: unknown): DepthwireError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return new DepthwireError('http_get.unreachable', {
    what: 'an address does not answer',
    where: url,
    expected: `an answer within ${ANSWER_MS_MAX / 1000} s`,
    got: inner instanceof Error ? inner.message : String(inner),
    fix: 'Check the network, a proxy that is due (--proxy), or name another address with --url.',
    cause,
  });
}

function refused(url: string, response: Response): DepthwireError {
  const type = response.headers.get('content-type') ?? 'no content type';
  const wait = response.headers.get('retry-after');
  return new DepthwireError('http_get.refused', {
    what: 'an address answers with an error',
    where: url,
    expected: 'status 200',
    got: `status ${response.status}, ${type}`,
    fix:
      wait === null
        ? 'Try again later; look at the venue’s notices.'
        : `Try again in ${wait} s: the venue asks for it.`,
  });
}

function tooBig(url: string, bytesMax: number): DepthwireError {
  return new DepthwireError('http_get.too_big', {
    what: 'an answer is larger than any that the venue is known to give',
    where: url,
    expected: `at most ${bytesMax} bytes`,
    got: 'more',
    fix: 'Check that the address is the venue’s own.',
  });
}
